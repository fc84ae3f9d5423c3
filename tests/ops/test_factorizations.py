"""Factorizations and functions of matrices: options, errors of NumPy's kinds, stacks, vmap, compiled code, integers."""

import numpy as np
import pytest
import scipy.linalg

import symtape as st
from symtape.errors import ComplexSpectrumError, MatrixShapeError
from symtape.testing import check_gradients

RNG = np.random.default_rng(11)
SQUARE = RNG.standard_normal((3, 3)) + 3 * np.eye(3)
TALL, WIDE = RNG.standard_normal((4, 3)), RNG.standard_normal((2, 3))
POSITIVE = SQUARE @ SQUARE.T
STACK = RNG.standard_normal((2, 2, 3, 3)) + 3 * np.eye(3)


def same(ours, theirs):
    ours, theirs = (x if isinstance(x, tuple) else (x,) for x in (ours, theirs))
    assert len(ours) == len(theirs)
    for a, b in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(np.asarray(getattr(a, "numpy", lambda a=a: a)()), b, rtol=1e-12, atol=1e-13)


ORDERS = (None, "fro", "nuc", 2, -2, 1, -1, np.inf, -np.inf)
FOUR = SQUARE[:2, :2].repeat(2, 0).repeat(2, 1) + np.diag([1.0, 2.0, 3.0, 4.0])

CALLS = [
    ("eigh", lambda x: np.linalg.eigh(x), SQUARE),
    ("eigh-upper", lambda x: np.linalg.eigh(x, UPLO="u"), SQUARE),
    ("eigvalsh-upper", lambda x: np.linalg.eigvalsh(x, "U"), SQUARE),
    ("eig-stack", lambda x: np.linalg.eig(x), np.triu(STACK) + np.diag([1.0, 2.0, 3.0])),
    ("eigvals", lambda x: np.linalg.eigvals(x), np.triu(SQUARE)),
    ("svd-full-tall", lambda x: np.linalg.svd(x), TALL),
    ("svd-full-wide", lambda x: np.linalg.svd(x, True), WIDE),
    ("svd-thin", lambda x: np.linalg.svd(x, full_matrices=False), WIDE),
    ("svd-values", lambda x: np.linalg.svd(x, compute_uv=False), STACK),
    ("svd-hermitian", lambda x: np.linalg.svd(x, hermitian=True), SQUARE + SQUARE.T - 8 * np.eye(3)),
    ("svd-hermitian-values", lambda x: np.linalg.svd(x, compute_uv=False, hermitian=True), POSITIVE),
    ("svdvals", lambda x: np.linalg.svdvals(x), TALL),
    ("qr", lambda x: np.linalg.qr(x), TALL),
    ("qr-complete", lambda x: np.linalg.qr(x, mode="complete"), TALL),
    ("qr-r", lambda x: np.linalg.qr(x, "r"), STACK),
    ("qr-wide-complete", lambda x: np.linalg.qr(x, "complete"), WIDE),
    ("pinv", lambda x: np.linalg.pinv(x), WIDE),
    ("pinv-rtol", lambda x: np.linalg.pinv(x, rtol=None), STACK),
    ("pinv-rcond", lambda x: np.linalg.pinv(x, rcond=0.3), TALL),
    ("pinv-rcond-stack", lambda x: np.linalg.pinv(x, np.array([[0.1, 0.3], [0.5, 0.1]])), STACK),
    ("lstsq", lambda x: np.linalg.lstsq(x, np.arange(4.0)), TALL),
    ("lstsq-matrix", lambda x: np.linalg.lstsq(x, np.ones((4, 2))), TALL),
    ("lstsq-wide", lambda x: np.linalg.lstsq(x, np.ones((2, 2)), rcond=1e-9), WIDE),
    ("matrix_rank", lambda x: np.linalg.matrix_rank(x), np.ones((4, 3))),
    ("matrix_rank-vector", lambda x: np.linalg.matrix_rank(x), np.ones(3)),
    ("matrix_rank-tol", lambda x: np.linalg.matrix_rank(x, tol=2.0), STACK),
    ("matrix_rank-hermitian", lambda x: np.linalg.matrix_rank(x, hermitian=True), POSITIVE),
    *[(f"norm-{p}", lambda x, p=p: np.linalg.norm(x, p), TALL) for p in ORDERS],
    ("norm-axes", lambda x: np.linalg.norm(x, "nuc", axis=(0, 3), keepdims=True), STACK),
    ("matrix_norm", lambda x: np.linalg.matrix_norm(x, ord=2), STACK),
    *[(f"cond-{p}", lambda x, p=p: np.linalg.cond(x, p), STACK) for p in ORDERS],
    ("cond-tall", lambda x: np.linalg.cond(x), TALL),
    ("matrix_power", lambda x: np.linalg.matrix_power(x, -3), STACK),
    ("multi_dot", lambda x: np.linalg.multi_dot([x, x, x]), SQUARE),
    ("tensorinv", lambda x: np.linalg.tensorinv(np.reshape(x, (4, 2, 2)), 1), FOUR),
    ("tensorsolve", lambda x: np.linalg.tensorsolve(x, np.arange(3.0)), SQUARE),
]


@pytest.mark.parametrize(("call", "at"), [c[1:] for c in CALLS], ids=[c[0] for c in CALLS])
def test_values_are_those_of_numpy(call, at):
    same(tuple_of(call(st.Variable(at))), tuple_of(call(at)))


def tuple_of(result):
    return tuple(result) if isinstance(result, tuple) else result


SCIPY = [
    ("expm", (STACK / 3,)),
    ("sqrtm", (POSITIVE,)),
    ("logm", (POSITIVE,)),
    ("toeplitz", (np.arange(3.0), np.arange(4.0))),
    ("block_diag", (SQUARE, TALL, 2.0, [1.0, 2.0])),
    ("block_diag", (STACK, WIDE)),
    ("svdvals", (TALL,)),
    ("solve_triangular", (SQUARE, np.arange(3.0))),
]


@pytest.mark.parametrize(("name", "args"), SCIPY, ids=lambda v: v if isinstance(v, str) else "")
def test_values_are_those_of_scipy(name, args):
    ours = getattr(st.linalg, name)(st.Variable(args[0]), *args[1:])
    expected = getattr(scipy.linalg, name)(*args)
    same(ours, expected)
    np.testing.assert_allclose(getattr(st.linalg, name)(*args), expected, rtol=1e-12, atol=1e-13)


def test_toeplitz_of_a_stack():
    """One matrix for each row, as SciPy does since 1.17."""
    c = np.arange(6.0).reshape(2, 3)
    expected = np.stack([scipy.linalg.toeplitz(row) for row in c])
    np.testing.assert_array_equal(st.linalg.toeplitz(st.Variable(c)).numpy(), expected)
    np.testing.assert_array_equal(st.linalg.toeplitz(c), expected)


@pytest.mark.parametrize("lower", [False, True])
def test_cholesky_systems(lower):
    b = np.arange(6.0).reshape(3, 2)
    expected = scipy.linalg.cho_solve(scipy.linalg.cho_factor(POSITIVE, lower), b)
    same(st.linalg.cho_solve(st.linalg.cho_factor(st.Variable(POSITIVE), lower), b), expected)
    same(st.linalg.cho_solve(scipy.linalg.cho_factor(POSITIVE, lower), st.Variable(b[:, 0])), expected[:, 0])
    factor, side = st.linalg.cho_factor(st.Variable(POSITIVE), lower=lower)
    same(factor, scipy.linalg.cho_factor(POSITIVE, lower)[0])
    assert side is lower
    check_gradients(lambda a: st.linalg.cho_solve(st.linalg.cho_factor((a + a.T) / 2, lower), b), POSITIVE, order=2)


@pytest.mark.parametrize("lower", [False, True])
@pytest.mark.parametrize("trans", [0, "T"])
def test_triangular_systems_with_ones_on_the_diagonal(lower, trans):
    def f(a):
        return st.linalg.solve_triangular(a, np.arange(3.0), trans, lower=lower, unit_diagonal=True)

    expected = scipy.linalg.solve_triangular(SQUARE, np.arange(3.0), trans, lower=lower, unit_diagonal=True)
    same(f(st.Variable(SQUARE)), expected)
    check_gradients(f, SQUARE, order=2)
    assert np.all(np.diag(st.grad(lambda a: np.sum(f(a)))(SQUARE)) == 0)


def test_results_have_numpys_names():
    x = st.Variable(SQUARE + SQUARE.T)
    assert np.linalg.eigh(x)._fields == ("eigenvalues", "eigenvectors")
    assert np.linalg.eig(x)._fields == ("eigenvalues", "eigenvectors")
    assert np.linalg.svd(x)._fields == ("U", "S", "Vh")
    assert np.linalg.qr(x)._fields == ("Q", "R")


def test_the_rank_has_no_gradient():
    x = st.Variable(TALL)
    with st.GradientTape() as tape:
        rank = np.linalg.matrix_rank(x)
    assert rank.dtype == np.int64
    assert tape.gradient(rank, x) is None


def test_the_derivative_of_a_symmetric_factorization_is_symmetric():
    a = SQUARE + SQUARE.T
    for f in (
        lambda x: np.sum(np.linalg.eigh(x).eigenvectors[:, 0]),
        lambda x: np.sum(np.linalg.svd(x, hermitian=True).U[:, 0]),
        lambda x: np.sum(np.linalg.pinv(x, hermitian=True)[0]),
    ):
        g = st.grad(f)(a)
        np.testing.assert_allclose(g, g.T, rtol=1e-12, atol=1e-14)


def test_where_the_rank_stays_the_pseudoinverse_has_a_derivative():
    u, v = RNG.standard_normal((4, 2)), RNG.standard_normal((2, 3))
    weights = RNG.standard_normal((3, 4))

    def f(u):
        return np.sum(np.linalg.pinv(u @ v, rtol=1e-9) * weights)

    with pytest.warns(st.errors.DegenerateMatrixWarning, match="along matrices of rank 2"):
        g = st.grad(f)(u)
    d = RNG.standard_normal(u.shape)
    step = 1e-6
    assert np.sum(g * d) == pytest.approx((f(u + step * d) - f(u - step * d)) / (2 * step), rel=1e-6)


def test_condition_of_a_singular_matrix_is_infinite_as_in_numpy():
    singular = np.ones((2, 2))
    for p in (1, "fro", np.inf):
        assert np.linalg.cond(st.Variable(singular), p).numpy() == np.linalg.cond(singular, p) == np.inf
    stack = np.stack([np.diag([1.0, 0.0]), 2 * np.eye(2)])
    same(np.linalg.cond(st.Variable(stack), 1), np.linalg.cond(stack, 1))
    same(np.linalg.cond(st.Variable(stack)), np.linalg.cond(stack))


@pytest.mark.parametrize(
    "call",
    [
        np.linalg.eigvals,
        np.linalg.eig,
        lambda x: st.linalg.sqrtm(-(x @ x) @ np.diag([1.0, 2.0])),
        lambda x: st.linalg.logm(x @ np.diag([1.0, -1.0]) @ x.T),
    ],
)
def test_what_would_be_complex_is_refused(call):
    rotation = st.Variable([[0.0, 1.0], [-1.0, 0.0]])
    result = call(rotation if call in (np.linalg.eigvals, np.linalg.eig) else st.Variable(np.eye(2)))
    with pytest.raises(ComplexSpectrumError, match=r"complex[\s\S]*tensors are real") as caught:
        (result[0] if isinstance(result, tuple) else result).numpy()
    assert isinstance(caught.value, ValueError)
    assert any(__file__ in note for note in caught.value.__notes__)


REFUSED = [
    (np.linalg.eigh, (2, 3), MatrixShapeError),
    (np.linalg.eigvals, (3,), MatrixShapeError),
    (np.linalg.svd, (3,), MatrixShapeError),
    (np.linalg.svdvals, (3,), MatrixShapeError),
    (lambda x: np.linalg.svd(x, hermitian=True), (2, 3), MatrixShapeError),
    (np.linalg.qr, (3,), MatrixShapeError),
    (lambda x: np.linalg.qr(x, "wrong"), (3, 3), ValueError),
    (np.linalg.pinv, (3,), MatrixShapeError),
    (lambda x: np.linalg.lstsq(x, np.ones(3)), (4, 2), np.linalg.LinAlgError),
    (lambda x: np.linalg.lstsq(x, np.ones(3)), (3,), np.linalg.LinAlgError),
    (lambda x: np.linalg.cond(x, 1), (2, 3), np.linalg.LinAlgError),
    (np.linalg.cond, (0, 0), np.linalg.LinAlgError),
    (lambda x: np.linalg.eigh(x, "X"), (2, 2), ValueError),
    (lambda x: np.linalg.norm(x, 3), (2, 2), ValueError),
    (lambda x: np.linalg.matrix_rank(x, 1.0, rtol=1.0), (2, 2), ValueError),
    (lambda x: np.linalg.pinv(x, 1.0, rtol=1.0), (2, 2), ValueError),
]


@pytest.mark.parametrize(("call", "shape", "kind"), REFUSED)
def test_errors_are_of_numpys_kinds(call, shape, kind):
    theirs = ValueError if kind is ValueError else np.linalg.LinAlgError
    with pytest.raises(theirs):
        call(np.ones(shape))
    with pytest.raises(kind):
        call(st.Variable(np.ones(shape)))


def test_what_is_not_recorded_says_what_to_write():
    with pytest.raises(TypeError, match=r"mode='raw'.*mode='reduced'"):
        np.linalg.qr(st.Variable(SQUARE), "raw")
    with pytest.raises(TypeError, match="pair that cho_factor gives"):
        st.linalg.cho_solve(st.Variable(1.0), np.ones(3))
    with pytest.raises(MatrixShapeError, match="not square"):
        st.linalg.cho_solve((st.Variable(TALL), True), np.ones(4))
    with pytest.raises(MatrixShapeError, match="expm"):
        st.linalg.expm(st.Variable(TALL))


def test_integers_become_doubles():
    x = st.constant(np.array([[2, 1], [1, 3]]), dtype=np.int64)
    for call in (np.linalg.eigvalsh, np.linalg.svdvals, st.linalg.expm, np.linalg.pinv, np.linalg.cond):
        assert call(x).dtype == np.float64


@pytest.mark.parametrize(
    "f",
    [
        lambda a: np.linalg.eigh(a + a.T).eigenvectors ** 2,
        lambda a: np.linalg.svd(a).Vh ** 2,
        lambda a: np.linalg.qr(a).Q,
        lambda a: np.linalg.pinv(a),
        lambda a: st.linalg.expm(a / 3),
        lambda a: np.linalg.lstsq(a, np.ones(3))[0],
        lambda a: np.linalg.matrix_rank(a),
    ],
)
def test_vmap_is_a_loop(f):
    stack = STACK.reshape(4, 3, 3)
    np.testing.assert_allclose(st.vmap(f)(stack), np.stack([f(x) for x in stack]), rtol=1e-10, atol=1e-12)


def test_third_derivatives_of_a_matrix_function():
    check_gradients(lambda a: st.linalg.expm(a), SQUARE[:2, :2] / 3, order=3)


EMPTY = [
    *[np.linalg.eigh, np.linalg.eig, np.linalg.svd, np.linalg.qr, np.linalg.pinv, np.linalg.inv, np.linalg.det],
    *[st.linalg.expm, st.linalg.sqrtm, st.linalg.logm, np.linalg.svdvals, np.linalg.eigvalsh],
    lambda x: np.linalg.norm(x, "nuc", axis=(-2, -1)),
]
if np.lib.NumpyVersion(np.__version__) >= "2.3.0":  # before, NumPy takes no 2-norm of an empty matrix
    EMPTY.append(lambda x: np.linalg.norm(x, 2, axis=(-2, -1)))


@pytest.mark.parametrize("call", EMPTY)
@pytest.mark.parametrize("shape", [(0, 0), (2, 0, 0), (0, 2, 2)])
def test_empty_matrices_and_stacks(call, shape):
    at = np.zeros(shape)
    x = st.Variable(at)
    with st.GradientTape() as tape:
        y = call(x)
        parts = list(y) if isinstance(y, tuple) else [y]
        total = sum(np.sum(part) for part in parts)
    expected = call(at)
    same(tuple_of(y), tuple_of(expected))
    assert tape.gradient(total, x).shape == shape


@pytest.mark.parametrize("call", [np.linalg.qr, np.linalg.svd, np.linalg.svdvals, np.linalg.pinv])
@pytest.mark.parametrize("shape", [(3, 0), (0, 3)])
def test_empty_sides(call, shape):
    x = st.Variable(np.zeros(shape))
    with st.GradientTape() as tape:
        y = call(x)
    for part, theirs in zip(
        *[list(v) if isinstance(v, tuple) else [v] for v in (y, call(np.zeros(shape)))], strict=True
    ):
        assert part.shape == theirs.shape
    assert tape.gradient(y[0] if isinstance(y, tuple) else y, x).shape == shape


@pytest.mark.parametrize("order", [1, np.inf])
@pytest.mark.parametrize(("shape", "axis"), [((3, 0), (0, 1)), ((0, 3), (0, 1)), ((3, 0), 1), ((2, 0, 3), (2, 1))])
def test_norms_of_nothing_are_zero_as_in_newer_numpy(order, shape, axis):
    y = np.linalg.norm(st.Variable(np.zeros(shape)), order, axis)
    np.testing.assert_array_equal(y.numpy(), np.zeros([n for k, n in enumerate(shape) if k not in np.ravel(axis)]))


@pytest.mark.parametrize("call", [np.linalg.eigvalsh, np.linalg.svdvals, np.linalg.qr, np.linalg.pinv, st.linalg.expm])
def test_strides_do_not_matter(call):
    backwards = SQUARE[::-1, ::-1].T
    same(tuple_of(call(st.Variable(backwards))), tuple_of(call(backwards)))
    x = st.Variable(SQUARE)
    same(tuple_of(call(x[::-1, ::-1].T)), tuple_of(call(backwards)))


def test_one_input_used_twice():
    f = st.grad(lambda a: np.sum(np.linalg.solve(a, np.linalg.eigvalsh(a + a.T)) * np.linalg.svdvals(a)))
    check_gradients(f, SQUARE, order=1)


@pytest.mark.parametrize("name", ["eigvalsh", "eigvals"])
def test_tangents_of_nothing(name):
    _, moved = st.jvp(lambda a: np.exp(getattr(np.linalg, name)(a))[:0], (np.diag([1.0, 2.0]),), (np.eye(2),))
    assert moved.shape == (0,)
