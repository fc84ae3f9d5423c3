import numpy as np
import pytest

from symtape.autodiff.reverse import gradient
from symtape.errors import NoFormulaError
from symtape.formula.named import form, named_form
from symtape.graph.closed import trace
from symtape.graph.node import leaf, symbol
from symtape.graph.shapes import Dim
from symtape.ops.namespace import NODES as B

x, y = symbol("x"), symbol("y")
A, v = symbol("A", (2, 3)), symbol("v", (3,))


def text(*outputs):
    return str(named_form(outputs, [f"r{k}" for k in range(len(outputs))]))


def test_one_line_an_operation_and_shared_work_once():
    s = B.sin(x)
    assert text(B.add(s, B.multiply(s, y))) == "t0 = sin(x)\nt1 = t0 * y\nr0 = t0 + t1"


def test_outputs_that_are_leaves_or_equal():
    assert text(x) == "r0 = x"
    assert text(B.sin(x), B.sin(x), y) == "r0 = sin(x)\nr1 = r0\nr2 = y"
    s = B.sin(x)
    assert text(s, B.multiply(s, 2)) == "r0 = sin(x)\nr1 = r0 * 2"


def test_names_that_are_taken_are_left_out():
    t0 = symbol("t0")
    assert text(B.multiply(B.sin(t0), 2)) == "t1 = sin(t0)\nr0 = t1 * 2"


def test_leaves_of_one_name_and_versions_are_numbered_as_in_formulas():
    other = symbol("x")
    assert text(B.multiply(other, x)) == "r0 = x_2 * x"
    old, new = leaf(np.float64(1.0), "w", 0), leaf(np.float64(2.0), "w", 0)
    assert text(B.multiply(old, new)) == "r0 = w_2 * w"


def test_where_tells_leaves_and_long_constants():
    long = np.arange(12.0)
    found = named_form([B.multiply(symbol("w", (12,)), long)], ["r"])
    assert str(found) == "r = w * c0"
    assert found.where == {"w": "shape (12,), float64", "c0": "shape (12,), float64"}
    assert named_form([x], ["r"]).where == {"x": "scalar, float64"}
    assert named_form([symbol("n", (Dim("k"),))], ["r"]).where == {"n": "shape (k,), float64"}


@pytest.mark.parametrize(
    ("node", "expected"),
    [
        (B.multiply(v, np.array([1.0, 2.0, 3.0])), "v * array([1.0, 2.0, 3.0])"),
        (B.matmul(A, np.eye(3)), "A @ eye(3)"),
        (B.subtract(x, -2), "x - (-2)"),
        (B.power(x, -0.5), "x ** (-0.5)"),
        (B.negative(x), "-x"),
        (B.add_n(x, y, x), "x + y + x"),
        (B.transpose(A), "A.T"),
        (B.sum(A, axis=0), "sum(A, axis=0)"),
        (B.max(A), "max(A)"),
        (B.softmax(A, axis=1), "softmax(A, axis=1)"),
        (B.norm(v), "norm(v)"),
        (B.norm(A, axis=1), "norm(A, axis=1)"),
        (B.where(B.greater(x, 0), x, 0), None),
        (B.einsum("ij,kj->ik", A, A), "einsum('ab,cb->ac', A, A)"),
        (B.contract("a->aa", v), "diag(v)"),
        (B.contract("ab->bab", A), "contract('ab->bab', A)"),
        (B.tril(A, -1), "tril(A, -1)"),
        (B.solve_triangular(symbol("L", (3, 3)), symbol("b", (3, 1)), "T"), "solve_triangular(L, b, trans=1)"),
        (B.polygamma(2, x), "polygamma(2, x)"),
        (B.root(x), "sqrt(x)"),
        (B.relu(x), "maximum(x, 0)"),
        (B.zeros((2,)), "zeros((2,))"),
        (B.broadcast_to(B.const(1.0), (2,)), "ones((2,))"),
        (B.broadcast_to(x, (2,)), "broadcast_to(x, (2,))"),
        (B.modf(x)[0], "modf(x)[0]"),
        (B.astype(x, int), "astype(x, 'int64')"),
        (B.reshape(v, (3, 1)), "reshape(v, (3, 1))"),
    ],
    ids=str,
)
def test_spelling_of_operations(node, expected):
    last = text(node).splitlines()[-1]
    assert last == ("r0 = where(t0, x, 0)" if expected is None else f"r0 = {expected}")


def test_several_results():
    sign, logabsdet = B.slogdet(symbol("M", (2, 2)))
    assert text(B.exp(logabsdet)) == "t0 = slogdet(M)\nr0 = exp(t0[1])"
    assert text(sign, logabsdet) == "t0 = slogdet(M)\nr0 = t0[0]\nr1 = t0[1]"


def test_bodies_have_a_line_of_their_own():
    yes = trace(lambda p, q: B.multiply(B.sin(p), q), symbol(None), symbol(None))
    no = trace(lambda p, q: q, symbol(None), symbol(None))
    chosen = B.cond(B.greater(x, 0), yes, no, (x, y))[0]
    again = B.cond(B.greater(y, 0), yes, no, (x, y))[0]
    assert text(B.add(chosen, again)).splitlines() == [
        "t0 = x > 0",
        "f0(p0, p1) = t0 = sin(p0); t0 * p1",
        "f1(p0, p1) = p1",
        "t1 = cond(t0, f0, f1, (x, y))",
        "t2 = y > 0",
        "t3 = cond(t2, f0, f1, (x, y))",
        "r0 = t1[0] + t3[0]",
    ]
    long = trace(lambda p: B.sin(B.sin(B.sin(B.sin(B.sin(B.sin(B.sin(p))))))), symbol(None))
    gradient_of = trace(lambda p, g: g, symbol(None), symbol(None))
    assert "f0(p0) = <7 operations, 1 result>" in text(B.custom_gradient(long, gradient_of, (x,))[0])


def test_a_tie_is_not_shown_nor_what_it_ties_to():
    assert text(B.multiply(B.tie(B.sin(x), B.exp(B.cosh(y))), 2)) == "t0 = sin(x)\nr0 = t0 * 2"
    assert text(B.tie(x, y)) == "r0 = x"


def test_a_gradient_reads_like_the_code_of_a_person():
    residual = B.subtract(B.matmul(A, v), symbol("b", (2,)))
    (g,) = gradient(B.sum(B.square(residual)), [v])
    assert text(g).splitlines() == ["t0 = A.T", "t1 = A @ v", "t2 = t1 - b", "t3 = 2 * t2", "r0 = t0 @ t3"]


def test_long_chains():
    node = x
    for _ in range(20_000):
        node = B.sin(node)
    form = named_form([node], ["r"])
    assert len(form.lines) == str(form).count("\n") + 1 == 20_000
    assert len(repr(form).splitlines()) == 51
    assert repr(form).splitlines()[40] == "... 19950 more lines ..."
    assert r"&\;\vdots \quad \text{19950 more lines}" in form._repr_latex_()


def test_latex():
    alpha = symbol("alpha_1")
    found = named_form([B.divide(B.multiply(alpha, B.transpose(A)), B.power(x, 2))], ["r"])
    assert found.latex() == (
        "\\begin{aligned}\n"
        "t_{0} &= {A}^{T} \\\\\n"
        "t_{1} &= \\mathrm{alpha}_{1} \\cdot t_{0} \\\\\n"
        "t_{2} &= {x}^{2} \\\\\n"
        "r &= \\frac{t_{1}}{t_{2}}\n"
        "\\end{aligned}"
    )
    assert found._repr_latex_() == f"$\\displaystyle {found.latex()}$"
    assert r"\operatorname{cofactor}(M)" in named_form([B.cofactor(symbol("M", (2, 2)))], ["r"]).latex()
    assert r"\operatorname{divide\_no\_nan}(x, y)" in named_form([B.divide_no_nan(x, y)], ["r"]).latex()
    assert r"A \, v" in named_form([B.matmul(A, v)], ["r"]).latex()


def test_an_unknown_form_lists_those_that_exist():
    assert str(form("named", x, "z")) == "z = x"
    with pytest.raises(NoFormulaError, match="no form 'matrix'; the forms are: 'named'"):
        form("matrix", x, "z")
