"""Sympy's matrix expressions, indexed bases, sums and Lambdas onto the tape, against NumPy."""

import numpy as np
import pytest
import sympy as sp

import symtape as st
from symtape.errors import AmbiguousVariableError, NoFormulaError, ShapeError, UnknownNameError

i, j, n, x, y = sp.symbols("i j n x y")
A, C, v = sp.MatrixSymbol("A", 3, 3), sp.MatrixSymbol("C", 3, 3), sp.MatrixSymbol("v", 3, 1)
base, vector = sp.IndexedBase("M"), sp.IndexedBase("b")
rng = np.random.default_rng(0)
a, c, b = rng.random((3, 3)) + 2 * np.eye(3), rng.random((3, 3)), rng.random(3)
ARRAYS = {"A": a, "C": c, "v": b}

MATRICES = [
    (A + C, a + c),
    (2 * A * C - C.T, 2 * a @ c - c.T),
    (A.I * v, np.linalg.solve(a, b)[:, None]),
    (v.T * A * v, (b @ a @ b)[None, None]),
    (A**3, a @ a @ a),
    (A**-2, np.linalg.inv(a @ a)),
    (A + 2 * sp.Identity(3), a + 2 * np.eye(3)),
    (sp.HadamardProduct(A, C), a * c),
    (sp.HadamardPower(A, 2), a**2),
    (sp.OneMatrix(3, 3) + A, 1 + a),
]


def needed(expression):
    names = {str(s) for s in expression.atoms(sp.MatrixSymbol)}
    return {k: value for k, value in ARRAYS.items() if k in names}


@pytest.mark.parametrize(("expression", "expected"), MATRICES, ids=lambda e: str(e)[:30])
def test_matrix_expressions(expression, expected):
    np.testing.assert_allclose(st.from_sympy(expression, needed(expression)).numpy(), expected, rtol=1e-12)


def test_scalars_of_matrices_have_gradients():
    m = st.Variable(a, name="m")
    with st.GradientTape() as tape:
        z = st.from_sympy(sp.Trace(A * C) + sp.log(sp.Determinant(A)) + x * A[0, 1], {A: m, "C": c, "x": 3.0})
    assert float(z) == pytest.approx(np.trace(a @ c) + np.log(np.linalg.det(a)) + 3 * a[0, 1])
    expected = c.T + np.linalg.inv(a).T
    expected[0, 1] += 3
    np.testing.assert_allclose(tape.gradient(z, m).numpy(), expected, rtol=1e-12)


def test_indexed_bases_and_sums():
    expression = sp.Sum(base[i, j] * vector[j] ** 2, (j, 0, 2), (i, 0, 1))
    w = st.Variable(b, name="w")
    with st.GradientTape() as tape:
        z = st.from_sympy(expression, {base: a, "b": w})
    assert float(z) == pytest.approx(np.sum(a[:2] @ b**2))
    np.testing.assert_allclose(tape.gradient(z, w).numpy(), 2 * b * a[:2].sum(axis=0), rtol=1e-12)
    product = sp.Product(1 + x / sp.Integer(1) * i, (i, 1, 3))
    assert float(st.from_sympy(product, {"x": 0.5})) == pytest.approx(1.5 * 2 * 2.5)
    for folded in (
        sp.Sum(x**i, (i, 3, 2)),
        sp.Sum(x**i, (i, 3, 0)),
        sp.Product(x + i, (i, 3, 0)),
        sp.Sum(i * j * x, (j, 0, i), (i, 0, 3)),
        sp.Sum(sp.Product(j + x, (j, 1, i)), (i, 0, 3)),
    ):
        assert float(st.from_sympy(folded, {"x": 0.3})) == pytest.approx(float(folded.doit().subs(x, 0.3)), rel=1e-15)
    nested = sp.exp(sp.Sum(sp.Product(i * j * x, (j, 1, 2)), (i, 1, 2)))
    assert float(st.from_sympy(nested, {"x": 0.1})) == pytest.approx(np.exp(0.02 * (1 + 4)))


def test_names_that_are_not_mapped_become_symbols_of_the_known_shape():
    m = st.from_sympy(A * v)
    assert m.shape == (3, 1)
    sized = sp.IndexedBase("S", shape=(2, 2))
    z = st.from_sympy(sized[0, 1] + x * sized[1, 1] + x)
    assert {s.name for s in z.expr.free_symbols} >= {"x"}
    matrix = st.from_sympy(sp.ImmutableDenseMatrix([[x, 1], [x, y]]) * sp.MatrixSymbol("k", 2, 2), {"k": np.eye(2)})
    assert len([s for s in matrix[0, 0].expr.free_symbols | matrix[1, 0].expr.free_symbols if s.name == "x"]) == 1


def test_own_symbols_find_their_variable():
    u = st.Variable(0.5, name="u")
    with st.GradientTape() as tape:
        z = st.from_sympy(sp.Sum(sp.sin(i * (u * 1).expr), (i, 1, 2)))
    assert float(tape.gradient(z, u)) == pytest.approx(np.cos(0.5) + 2 * np.cos(1.0))


def test_a_lambda_is_a_function():
    f = st.from_sympy(sp.Lambda((x, y), sp.sin(x) * y))
    assert st.grad(f, argnums=(0, 1))(0.3, 2.0) == pytest.approx((2 * np.cos(0.3), np.sin(0.3)))
    with pytest.raises(TypeError, match="takes 2 arguments, got 1"):
        f(1.0)


def test_functions_of_sympy_keep_a_variable_on_the_tape():
    u, w = st.Variable(0.3, name="u"), st.Variable(2.0, name="w")
    with st.GradientTape() as tape:
        z = sp.sin(u) * w
    assert float(tape.gradient(z, w)) == pytest.approx(np.sin(0.3))


@pytest.mark.parametrize(
    ("expression", "names", "error", "message"),
    [
        (
            sp.Derivative(sp.sin(x * y), x),
            {},
            NoFormulaError,
            r"sympy's Derivative, .*: evaluate it first, with .doit\(\)",
        ),
        (1 + sp.Integral(sp.exp(-(x**2) * y), (x, 0, 1)), {}, NoFormulaError, r"sympy's Integral, .*\.doit\(\)"),
        (sp.Sum(x**i, (i, 0, n)), {}, NoFormulaError, "the range of i in .* is not known"),
        (sp.Sum(x**i, (i, 0, 10**6)), {}, NoFormulaError, "more than 10000 terms"),
        (base[i, 0], {"M": a}, NoFormulaError, "the place i in .* is no integer"),
        (base[0], {"M": a}, ShapeError, r"has 1 indices, but what it stands for has shape \(3, 3\)"),
        (base[0, 0], {}, UnknownNameError, "the shape of M is not known"),
        (base[0, 0], {"M": a, "q": 1.0}, UnknownNameError, "nothing named 'q'"),
        (A * v, {"A": np.ones((2, 2))}, ShapeError, r"A has shape \(3, 3\) in the expression, but \(2, 2\) was given"),
        (sp.MatrixSymbol("Z", n, n) * 2, {}, UnknownNameError, "the shape of Z is not known"),
        (base[0, 5], {"M": a}, IndexError, r"M\[0, 5\] is outside of what it stands for, which has shape \(3, 3\)"),
        (base[0, -1], {"M": a}, IndexError, r"M\[0, -1\] is outside of what it stands for"),
        (sp.Function("f")(x), {"f": 1.0}, TypeError, "f is a function in the expression, but 1.0"),
        (
            x + sp.Symbol("x", positive=True),
            {"x": 1.0},
            AmbiguousVariableError,
            "2 symbols of the expression are named 'x'",
        ),
        (A**n, {}, NoFormulaError, "must be an integer"),
    ],
    ids=lambda e: str(e)[:20],
)
def test_what_is_refused(expression, names, error, message):
    with pytest.raises(error, match=message):
        st.from_sympy(expression, names)
