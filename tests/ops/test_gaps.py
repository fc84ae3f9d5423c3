"""Where derivatives of factorizations exist: right there, NaN and a warning of the pair elsewhere."""

import warnings

import numpy as np
import pytest

import symtape as st
from symtape.compile.evaluate import evaluate
from symtape.errors import DegenerateMatrixWarning
from symtape.graph.node import symbol
from symtape.ops.gaps import over_gaps
from symtape.ops.namespace import NODES
from symtape.ops.regularity import regular
from symtape.testing import difference

Q = np.linalg.qr(np.random.default_rng(3).standard_normal((3, 3)))[0]
TWO_EQUAL = Q @ np.diag([1.0, 1.0, 2.0]) @ Q.T
WEIGHTS = np.arange(1.0, 17.0).reshape(4, 4)
TALL = np.random.default_rng(4).standard_normal((4, 2))


def directional(f, x, seed=0):
    """The derivative along a random direction, by differences, and that direction."""
    d = np.random.default_rng(seed).standard_normal(x.shape)
    return difference(lambda v: float(f(v)), [x], [d]), d


#: Functions, where they are looked at, and whether only along symmetric matrices.
EXISTING = [
    ("trace-of-exp", lambda a: np.sum(np.exp(np.linalg.eigvalsh(a))), TWO_EQUAL, True),
    ("trace-of-log", lambda a: np.sum(np.log(np.linalg.eigh(a).eigenvalues)), TWO_EQUAL, True),
    ("sum-of-the-equal", lambda a: np.linalg.eigvalsh(a)[0] + np.linalg.eigvalsh(a)[1], TWO_EQUAL, True),
    ("largest-by-ties", lambda a: np.max(np.linalg.eigvalsh(a)), np.diag([1.0, 1.0, 2.0]), True),
    ("identity", lambda a: np.sum(np.linalg.eigvalsh(a) ** 3), np.eye(3), True),
    ("slogdet", lambda a: np.linalg.slogdet(a)[1], TWO_EQUAL, False),
    ("det-of-singular", np.linalg.det, np.diag([1.0, 2.0, 0.0]), False),
    ("trace-by-general-eigenvalues", lambda a: np.sum(np.linalg.eigvals(a) ** 2), np.eye(3), True),
    ("nuclear-norm", lambda a: np.linalg.norm(a, "nuc"), 2.0 * np.eye(3), False),
    ("squares-of-singular-values", lambda a: np.sum(np.linalg.svdvals(a) ** 4), np.eye(3, 2), False),
    ("single-eigenvector", lambda a: np.linalg.eigh(a).eigenvectors[0, 2] ** 2, TWO_EQUAL, True),
    ("single-left-vector", lambda a: np.linalg.svd(a).U[0, 0] ** 2, TWO_EQUAL, False),
    ("matrix-function", lambda a: np.sum(st.linalg.sqrtm(a) * WEIGHTS[:3, :3]), TWO_EQUAL, False),
    ("logarithm-of-identity", lambda a: np.sum(st.linalg.logm(a) * WEIGHTS[:3, :3]), np.eye(3), False),
]


@pytest.mark.parametrize(("f", "at", "symmetric"), [r[1:] for r in EXISTING], ids=[r[0] for r in EXISTING])
def test_gradients_that_exist_are_right(f, at, symmetric):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        g = st.grad(f)(at)
    expected, d = directional((lambda a: f((a + a.T) / 2)) if symmetric else f, at)
    assert np.sum(g * d) == pytest.approx(expected, rel=1e-7, abs=1e-7)


MISSING = [
    (np.linalg.cond, np.diag([1.0, 2.0, 0.0]), "singular value 2 is zero"),
    (np.linalg.cond, np.eye(2), "singular values 0 and 1 are equal"),
    (lambda a: np.linalg.eigvalsh(a)[0], TWO_EQUAL, "eigenvalues 0 and 1 are equal.*each alone"),
    (lambda a: np.linalg.eigvals(a)[1], np.eye(2), "eigenvalues 0 and 1 are equal.*each alone"),
    (lambda a: np.linalg.svdvals(a)[0], np.eye(3, 2), "singular values 0 and 1 are equal.*each alone"),
    (lambda a: np.linalg.eigh(a).eigenvectors[0, 0], np.eye(2), "eigenvalues 0 and 1 are equal"),
    (lambda a: np.sum(np.linalg.eigh(a).eigenvectors), TWO_EQUAL, r"eigenvalues 0 and 1 are equal \(1\)"),
    (lambda a: np.sum(np.linalg.eig(a).eigenvectors * WEIGHTS[:2, :2]), np.eye(2), "eigenvalues 0 and 1 are equal"),
    (lambda a: np.sum(np.linalg.eigvals(a)), np.array([[1.0, 1.0], [0.0, 1.0]]), "eigenvalues 0 and 1 share one eigen"),
    (lambda a: np.sum(np.linalg.svd(a).U * WEIGHTS[:2, :2]), np.eye(2), "singular values 0 and 1 are equal"),
    (lambda a: np.sum(np.linalg.svd(a)[0] * WEIGHTS[:3, :3]), np.diag([1.0, 0, 0]), "singular values 1 and 2 are"),
    (
        lambda a: np.sum(np.linalg.svd(a, full_matrices=False).U * WEIGHTS[:3, :2]),
        np.array([[1.0, 0], [0, 0], [0, 0]]),
        "singular value 1 is zero",
    ),
    (lambda a: np.sum(np.linalg.svd(a).U * WEIGHTS), TALL, "columns 2 and 3 of the square factor"),
    (lambda a: np.sum(np.linalg.qr(a, "complete").Q * WEIGHTS), TALL, "columns 2 and 3 of the square factor"),
    (lambda a: np.sum(np.linalg.qr(a).Q * WEIGHTS[:3, :2]), np.ones((3, 2)), "column 1 depends on"),
    (lambda a: np.sum(st.linalg.sqrtm(a)), np.diag([1.0, 0.0]), "singular value 1 of the matrix is zero"),
    (
        lambda a: np.sum(np.linalg.pinv(a, 1e-2) * WEIGHTS[:2, :3]),
        np.array([[1.0, 0], [0, 1e-3], [0, 0]]),
        "counts as zero by rcond",
    ),
]


@pytest.mark.parametrize(("f", "at", "words"), MISSING)
def test_gradients_that_do_not_exist_are_nan_and_name_the_pair(f, at, words):
    with pytest.warns(DegenerateMatrixWarning, match=words) as caught:
        g = st.grad(f)(at)
    assert np.isnan(g).any()
    assert caught[0].filename == __file__


def test_the_matrix_of_a_stack_is_named():
    stack = np.stack([np.diag([1.0, 2.0, 3.0]), np.eye(3)])
    with pytest.warns(DegenerateMatrixWarning, match=r"matrix \(1,\) of the stack"):
        g = st.grad(lambda a: np.sum(np.linalg.eigh(a).eigenvectors * WEIGHTS[:3, :3]))(stack)
    assert np.isfinite(g[0]).all()
    assert np.isnan(g[1]).any()


def test_compiled_code_warns_too():
    x = st.symbol("x", shape=(2, 2))
    with st.GradientTape() as tape:
        tape.watch(x)
        y = np.sum(np.linalg.eigh(x).eigenvectors * WEIGHTS[:2, :2])
    f = st.function([x], tape.gradient(y, x))
    assert np.isfinite(f(np.diag([1.0, 2.0]))).all()
    with pytest.warns(DegenerateMatrixWarning, match="eigenvalues 0 and 1"):
        assert np.isnan(f(np.eye(2))).any()


def test_a_space_is_differentiable_where_its_basis_is_not():
    def by_svd(a):
        rest = np.linalg.svd(a).U[:, 2:]
        return np.sum((rest @ rest.T) * WEIGHTS)

    def by_qr(a):
        rest = np.linalg.qr(a, "complete").Q[:, 2:]
        return np.sum((rest @ rest.T) * WEIGHTS)

    def by_projection(a):
        return np.sum((np.eye(4) - a @ np.linalg.solve(a.T @ a, a.T)) * WEIGHTS)

    expected = st.grad(by_projection)(TALL)
    np.testing.assert_allclose(st.grad(by_svd)(TALL), expected, rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(st.grad(by_qr)(TALL), expected, rtol=1e-9, atol=1e-12)


def test_nan_stays_nan_without_a_word():
    x, w, asked = symbol("x", (2, 2)), symbol("w", (2,)), symbol("asked", (2,), bool)
    nothing = np.full((2, 2), np.nan)
    nodes = [over_gaps(NODES, x, w, w, asked, "eigenvalues"), regular(NODES, x, "triangle")]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        gaps, same = evaluate(nodes, {x: nothing, w: nothing[0], asked: np.ones(2, bool)})
    assert np.isnan(gaps[0, 1])
    assert np.isnan(same).all()


def test_gaps_as_small_as_rounding_count_as_none():
    a = np.diag([1.0, 1.0 + 4e-16])
    with pytest.warns(DegenerateMatrixWarning):
        g = st.grad(lambda x: np.linalg.eigh(x).eigenvectors[0, 0])(a)
    assert np.isnan(g).any()
    near = np.array([[1.0, 1e-9], [1e-9, 1.0 + 1e-6]])
    f = st.grad(lambda x: np.linalg.eigh(x).eigenvectors[1, 0] ** 2)
    assert np.isfinite(f(near)).all()
