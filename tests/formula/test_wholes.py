import numpy as np
import pytest
import sympy

from symtape.compile.evaluate import evaluate
from symtape.errors import FormulaTooLargeError, SingularMatrixError
from symtape.formula.element import array_expression, element_expression
from symtape.graph.closed import trace
from symtape.graph.node import leaf, symbol
from symtape.ops.namespace import NODES as B

x, y = symbol("x"), symbol("y")
A = symbol("A", (2, 2))
b = symbol("b", (2,))
DET = "A[0, 0]*A[1, 1] - A[0, 1]*A[1, 0]"


@pytest.mark.parametrize(
    ("node", "text"),
    [
        (B.det(A), DET),
        (B.inv(A), f"[[A[1, 1]/({DET}), -A[0, 1]/({DET})], [-A[1, 0]/({DET}), A[0, 0]/({DET})]]"),
        (
            B.solve(A, b),
            f"[(-A[0, 1]*b[1] + A[1, 1]*b[0])/({DET}), (A[0, 0]*b[1] - A[1, 0]*b[0])/({DET})]",
        ),
        (B.slogdet(A)[1], f"log(Abs({DET}))"),
        (B.slogdet(A)[0], f"sign({DET})"),
        (B.cofactor(A), "[[A[1, 1], -A[1, 0]], [-A[0, 1], A[0, 0]]]"),
        (
            B.cholesky(A),
            "[[sqrt(A[0, 0]), 0], [A[1, 0]/sqrt(A[0, 0]), sqrt(A[1, 1] - A[1, 0]**2/A[0, 0])]]",
        ),
        (B.solve_triangular(A, b, lower=True), "[b[0]/A[0, 0], (b[1] - A[1, 0]*b[0]/A[0, 0])/A[1, 1]]"),
        (B.inv(B.diag(b)), "[[1/b[0], 0], [0, 1/b[1]]]"),
    ],
    ids=str,
)
def test_small_matrices(node, text):
    assert str(array_expression(node)) == text


def test_a_determinant_is_expanded_by_minors():
    M = symbol("M", (3, 3))
    assert str(array_expression(B.det(M))) == (
        "M[0, 0]*(M[1, 1]*M[2, 2] - M[1, 2]*M[2, 1]) - M[0, 1]*(M[1, 0]*M[2, 2] - M[1, 2]*M[2, 0]) "
        "+ M[0, 2]*(M[1, 0]*M[2, 1] - M[1, 1]*M[2, 0])"
    )


def test_stacks_broadcast():
    stack, rights = symbol("S", (2, 1, 1, 1)), symbol("r", (3, 1, 2))
    assert str(element_expression(B.solve(stack, rights), (1, 2, 0, 1))) == "r[2, 0, 1]/S[1, 0, 0, 0]"


def test_numbers_come_out_exactly():
    assert str(array_expression(B.inv(np.array([[1.0, 2.0], [3.0, 4.0]])))) == "[[-2, 1], [3/2, -1/2]]"
    tenth = array_expression(B.inv(np.array([[0.1, 0.0], [0.0, 3.0]])))
    assert str(tenth) == "[[10, 0], [0, 0.3333333333333333]]"
    rng = np.random.default_rng(0)
    many = rng.normal(size=(12, 12))
    expression = element_expression(B.solve(many, symbol("r", (12,))), (3,))
    found = [float(expression.coeff(s)) for s in sorted(expression.free_symbols, key=sympy.default_sort_key)]
    np.testing.assert_allclose(found, np.linalg.inv(many)[3], rtol=1e-12)
    assert float(array_expression(B.det(many))) == pytest.approx(np.linalg.det(many), rel=1e-13)
    spd = many @ many.T
    assert float(element_expression(B.cholesky(spd), (11, 5))) == pytest.approx(np.linalg.cholesky(spd)[11, 5])


def test_exact_roots_stay_as_they_are():
    root = B.sqrt(B.const(2.0))
    node = B.det(B.stack([B.stack([root, B.const(1.0)]), B.stack([B.const(1.0), root])]))
    assert array_expression(node) == 1
    assert (
        str(array_expression(B.cholesky(np.array([[2.0, 1.0], [1.0, 2.0]]))))
        == "[[sqrt(2), 0], [sqrt(2)/2, sqrt(6)/2]]"
    )


def test_cost_is_counted_before():
    assert str(element_expression(B.det(symbol("M", (6, 6))))).count("M[0, 0]") == 1
    with pytest.raises(FormulaTooLargeError, match=r"inv of a matrix of 7 rows has too many operations.*up to 6 rows"):
        element_expression(B.inv(symbol("M", (7, 7))), (0, 0))
    with pytest.raises(FormulaTooLargeError, match="operations or more"):
        array_expression(B.inv(symbol("M", (6, 6))))
    with pytest.raises(FormulaTooLargeError, match=r"det of a matrix of 31 rows.*up to 30 rows"):
        array_expression(B.det(np.eye(31)))


def test_singular_matrices():
    with pytest.raises(SingularMatrixError, match="no inverse"):
        array_expression(B.inv(np.ones((2, 2))))
    same = B.stack([B.stack([x, x]), B.stack([x, x])])
    with pytest.raises(SingularMatrixError, match="no unique solution"):
        array_expression(B.solve(same, b))
    with pytest.raises(SingularMatrixError, match="not positive definite"):
        array_expression(B.cholesky(-np.eye(2)))
    with pytest.raises(SingularMatrixError, match="element 1 of the diagonal"):
        array_expression(B.solve_triangular(np.diag([1.0, 0.0]), b))


# -------------------------------------------------------------------------------------------------------------- bodies


def body(function):
    return trace(function, symbol(None), symbol(None))


YES = body(lambda p, q: (B.multiply(p, q), B.sin(p)))
NO = body(lambda p, q: (B.negative(p), B.const(0.5)))


def test_a_branch_is_a_choice():
    first, second = B.cond(B.greater(x, 0), YES, NO, (x, y))
    assert str(array_expression(first)) == "Piecewise((x*y, x > 0), (-x, True))"
    assert str(array_expression(second)) == "Piecewise((sin(x), x > 0), (1/2, True))"
    flag = leaf(np.True_, "flag")
    assert str(array_expression(B.cond(flag, YES, NO, (x, y))[0])) == "Piecewise((x*y, Ne(flag, 0)), (-x, True))"


def test_a_branch_within_a_branch():
    inner = trace(lambda p, q: B.cond(B.greater(q, 0), YES, NO, (p, q))[0], symbol(None), symbol(None))
    outer = trace(lambda p, q: p, symbol(None), symbol(None))
    node = B.cond(B.greater(x, 0), inner, outer, (x, y))[0]
    expression = array_expression(node)
    for at in ((1.0, 2.0), (1.0, -2.0), (-1.0, 2.0)):
        expected = evaluate([node], {x: np.float64(at[0]), y: np.float64(at[1])})[0]
        assert float(expression.subs({array_expression(x): at[0], array_expression(y): at[1]})) == expected


def test_a_custom_gradient_is_its_primal():
    gradient = trace(lambda p, g: B.multiply(g, 2), symbol(None), symbol(None))
    primal = trace(lambda p: B.square(p), symbol(None))
    assert str(array_expression(B.custom_gradient(primal, gradient, (x,))[0])) == "x**2"
