import numpy as np
import pytest
import sympy

from symtape.errors import FormulaTooLargeError, MissingValueError, NoFormulaError
from symtape.formula.element import MAX_DEPTH, MAX_OPERATIONS, array_expression, element_expression
from symtape.graph.node import leaf, symbol
from symtape.graph.shapes import Dim
from symtape.ops.namespace import NODES as B
from symtape.ops.registry import op_named

x, y = symbol("x"), symbol("y")
v = symbol("v", (3,))
A = symbol("A", (2, 3))


def repeated(function, start, times):
    value = start
    for _ in range(times):
        value = function(value)
    return value


@pytest.mark.parametrize(
    ("node", "text"),
    [
        (B.add(B.multiply(x, y), 1), "x*y + 1"),
        (B.multiply(v, 2), "[2*v[0], 2*v[1], 2*v[2]]"),
        (B.matmul(A, v), "[A[0, 0]*v[0] + A[0, 1]*v[1] + A[0, 2]*v[2], A[1, 0]*v[0] + A[1, 1]*v[1] + A[1, 2]*v[2]]"),
        (B.transpose(A), "[[A[0, 0], A[1, 0]], [A[0, 1], A[1, 1]], [A[0, 2], A[1, 2]]]"),
        (B.getitem(v, slice(None, None, -1)), "[v[2], v[1], v[0]]"),
        (B.concatenate((v, B.reshape(x, (1,)))), "[v[0], v[1], v[2], x]"),
        (B.cumsum(v), "[v[0], v[0] + v[1], v[0] + v[1] + v[2]]"),
        (B.cumprod(v), "[v[0], v[0]*v[1], v[0]*v[1]*v[2]]"),
        (B.index_set(v, 1, x), "[v[0], x, v[2]]"),
        (B.index_add(v, np.array([0, 0]), x), "[v[0] + 2*x, v[1], v[2]]"),
        (B.max(v), "Max(v[0], v[1], v[2])"),
        (
            B.argmax(v),
            "Piecewise((0, (v[0] >= v[1]) & (v[0] >= v[2])), (1, (v[1] >= v[2]) & (v[0] <= v[1])), (2, True))",
        ),
        (B.any(B.greater(v, 0)), "(v[0] > 0) | (v[1] > 0) | (v[2] > 0)"),
        (B.all(v), "Ne(v[0], 0) & Ne(v[1], 0) & Ne(v[2], 0)"),
        (B.sum(B.greater(v, 0)), None),
        (B.einsum("i,i->", v, v), "v[0]**2 + v[1]**2 + v[2]**2"),
        (
            B.softmax(B.getitem(v, slice(0, 2))),
            "[exp(v[0])/(exp(v[0]) + exp(v[1])), exp(v[1])/(exp(v[0]) + exp(v[1]))]",
        ),
        (B.norm(v), "sqrt(v[0]**2 + v[1]**2 + v[2]**2)"),
        (B.where(B.greater(x, y), x, 0), "Piecewise((x, x > y), (0, True))"),
        (B.const(np.array([0.5, np.pi])), "[1/2, pi]"),
        (leaf(np.array([2.0, 0.1])), "[2, 0.1]"),
    ],
    ids=str,
)
def test_expressions(node, text):
    expression = array_expression(node)
    if text is None:
        assert expression.subs(dict.fromkeys(expression.free_symbols, 1)) == 3
    else:
        assert str(expression) == text


def test_no_elements():
    assert array_expression(B.zeros((0, 2))).shape == (0, 2)


def test_one_element_and_shared_ones():
    assert str(element_expression(B.exp(v), (1,))) == "exp(v[1])"
    once = B.sum(v)
    assert str(array_expression(B.multiply(once, once))) == "(v[0] + v[1] + v[2])**2"


def test_names_for_inner_nodes():
    q, w = B.exp(x), B.multiply(v, 2)
    assert str(array_expression(B.add(B.square(q), x), {q: "q"})) == "q**2 + x"
    assert str(array_expression(B.sum(w), {w: "w"})) == "w[0] + w[1] + w[2]"
    assert str(array_expression(q, {q: "q"})) == "q"
    assert array_expression(q, {q: "q"}) == sympy.Symbol("q", real=True)
    deep = repeated(B.sin, x, 400)
    assert str(array_expression(B.multiply(deep, 2), {deep: "d"})) == "2*d"


def test_versions_of_a_variable_are_told_apart():
    old, new = leaf(np.float64(2.0), "x", 7), leaf(np.float64(5.0), "x", 7)
    assert str(array_expression(B.subtract(B.square(old), new))) == "-x + x_2**2"
    assert array_expression(new) == array_expression(old)
    assert array_expression(B.multiply(old, new)).has(array_expression(new))


# -------------------------------------------------------------------------------------------------------------- limits


def test_depth_is_counted_first():
    assert array_expression(repeated(B.sin, x, MAX_DEPTH - 1)).has(sympy.sin)
    with pytest.raises(FormulaTooLargeError, match=r"depth of 151.*formula\('named'\).*in_terms_of"):
        array_expression(repeated(B.sin, x, MAX_DEPTH))


def test_an_expression_of_full_depth_can_be_used():
    expression = array_expression(repeated(lambda z: B.multiply(B.sin(z), y), x, MAX_DEPTH // 2 - 1))
    assert str(expression).startswith("y*sin(")
    assert sympy.latex(expression).startswith("y \\sin")
    assert sympy.pretty(expression)
    assert expression.subs(array_expression(y), 0) == 0


def test_operations_are_counted_with_repetitions():
    with pytest.raises(FormulaTooLargeError, match="operations or more"):
        array_expression(repeated(lambda z: B.add(B.multiply(z, z), 1), x, 40))
    n = MAX_OPERATIONS + 2
    with pytest.raises(FormulaTooLargeError, match="operations or more"):
        array_expression(B.sum(symbol("w", (n,))))
    with pytest.raises(FormulaTooLargeError):
        array_expression(B.multiply(symbol("w", (n,)), 2))
    with pytest.raises(FormulaTooLargeError):
        array_expression(symbol("w", (10**6, 10**6)))


def test_a_sum_of_sums_is_flat_and_layout_costs_nothing():
    terms = B.add_n(*[B.sin(B.multiply(k, x)) for k in range(1, 4)])
    long = repeated(lambda z: B.add(z, y), terms, 300)
    assert str(array_expression(long)) == "300*y + sin(2*x) + sin(3*x) + sin(x)"
    turned = repeated(B.transpose, A, 300)
    assert str(element_expression(turned, (0, 1))) == "A[0, 1]"
    assert str(array_expression(repeated(lambda z: B.multiply(z, y), x, 200))) == "x*y**200"


def test_a_graph_that_is_far_too_large_is_refused_at_once():
    with pytest.raises(FormulaTooLargeError):
        array_expression(repeated(lambda z: B.add(B.sin(z), z), x, 100_000))


def test_reductions_of_large_arrays_are_refused_before_they_are_walked():
    large = symbol("w", (10**9,))
    for node in (B.sum(large), B.max(large), B.matmul(large, large)):
        with pytest.raises(FormulaTooLargeError, match=r"operations or more|combines 1,000,000,000 elements"):
            array_expression(node, limit=60)
    with pytest.raises(FormulaTooLargeError, match=r"combines 1,000,000 elements.*formula\('named'\)"):
        array_expression(B.scatter_add(symbol("w", (10**6,)), (np.zeros(10**6, int),), (0,), 0, (2,)))
    with pytest.raises(FormulaTooLargeError, match="up to 30 rows"):
        array_expression(B.det(symbol("M", (3000, 3000))))


def test_unknown_lengths():
    s = symbol("s", (Dim("n"),))
    for node in (s, B.sum(s), B.cumsum(s)):
        with pytest.raises(MissingValueError, match=r"the length n in a shape has no number yet.*formula\('named'\)"):
            array_expression(node)


# ---------------------------------------------------------------------------------------------------- computed indices


def test_indices_that_are_computed_of_integers():
    i = leaf(np.array([2, -1, 0]), "i")
    assert str(array_expression(B.getitem(v, i))) == "[v[2], v[2], v[0]]"
    assert str(array_expression(B.getitem(v, B.remainder(B.add(i, 1), 3)))) == "[v[0], v[0], v[1]]"
    mask = leaf(np.array([True, False, True]), "m")
    places = B.reshape(B.build(op_named("true_positions"), (mask,), (2, 1)), (2,))
    assert str(array_expression(B.getitem(v, places))) == "[v[0], v[2]]"


def test_indices_that_depend_on_values():
    i = B.argmax(v)
    with pytest.raises(NoFormulaError, match=r"which elements are read follows from <reshape .*<v .*no value"):
        array_expression(B.getitem(v, B.reshape(i, (1,))))
    known = leaf(np.array([1.0, 2.0, 3.0]), "w")
    with pytest.raises(NoFormulaError, match=r"<w .*floating-point variable"):
        array_expression(B.getitem(v, B.reshape(B.argmax(known), (1,))))


def test_indices_out_of_range():
    with pytest.raises(IndexError, match="index 3 is out of bounds for an axis of length 3"):
        array_expression(B.getitem(v, leaf(np.array([3]), "i")))


def test_an_op_without_formula_is_named():
    with pytest.raises(NoFormulaError, match=r"argsort has no formula by elements; formula\('named'\)"):
        array_expression(B.argsort(v))
    assert issubclass(NoFormulaError, TypeError)
