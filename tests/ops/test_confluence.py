"""Derivatives at equal eigenvalues and singular values that exist are right, in both modes and to second order.

The reference are differences, which know nothing of eigenvectors; what does not exist is NaN and names the pair.
"""

import warnings

import numpy as np
import pytest

import symtape as st
from symtape.errors import DegenerateMatrixWarning
from symtape.testing import difference

RNG = np.random.default_rng(7)
W = RNG.standard_normal((4, 4))
D, E = (x + x.T for x in RNG.standard_normal((2, 4, 4)))
Q, R = (np.linalg.qr(x)[0] for x in RNG.standard_normal((2, 4, 4)))
THREE = np.linalg.qr(RNG.standard_normal((3, 3)))[0]


def with_eigenvalues(*w):
    return Q @ np.diag(np.array(w, float)) @ Q.T


def with_singular_values(*s):
    return R[:, : len(s)] @ np.diag(np.array(s, float)) @ (Q if len(s) == 4 else THREE)


SYMMETRIC = {
    "two": with_eigenvalues(1, 1, 2, 3),
    "three": with_eigenvalues(1, 1, 1, 3),
    "pairs": with_eigenvalues(1, 1, 3, 3),
    "all": 1.5 * np.eye(4),
    "zero": np.zeros((4, 4)),
}
GENERAL = {
    "two": with_singular_values(2, 1, 1),
    "all": 2 * np.eye(4, 3),
    "pairs": with_singular_values(2, 2, 1, 1),
}
DEFICIENT = {
    "last": with_singular_values(2, 1, 0),
    "equal-and-last": with_singular_values(1, 1, 0),
    "two-zero": with_singular_values(2, 1, 0, 0),
    "zero": np.zeros((4, 3)),
}


def of_symmetric(f):
    """``V f(w) V.T``."""

    def function(a):
        w, v = np.linalg.eigh(a)
        return (v * f(w)) @ v.T

    return function


def odd(f):
    """``U f(s) V.T``."""

    def function(a):
        u, s, vh = np.linalg.svd(a, full_matrices=False)
        return (u * f(s)) @ vh

    return function


def weighted(x):
    return np.sum(x * W[: x.shape[0], : x.shape[1]])


def solved(a):
    w, v = np.linalg.eigh(a)
    return np.sum((v @ ((v.T @ W[0]) / (w + 1))) ** 2)


def log_of_sum(a):
    return np.log(np.sum(np.exp(np.linalg.eigvalsh(a))))


#: Functions of eigenvalues alone: right to second order.
OF_EIGENVALUES = {
    "trace-of-exp": lambda a: np.sum(np.exp(np.linalg.eigvalsh(a))),
    "trace-of-log": lambda a: np.sum(np.log(np.linalg.eigvalsh(a) + 1)),
    "squares": lambda a: np.sum(np.linalg.eigvalsh(a) ** 2),
    "product": lambda a: np.prod(np.linalg.eigvalsh(a)),
    "log-of-sum-of-exp": log_of_sum,
}
OF_SINGULAR_VALUES = {
    "nuclear": lambda a: np.linalg.norm(a, "nuc"),
    "log": lambda a: np.sum(np.log(np.linalg.svdvals(a))),
}
EVEN = {
    "squares": lambda a: np.sum(np.linalg.svdvals(a) ** 2),
    "cosh": lambda a: np.sum(np.cosh(np.linalg.svdvals(a))),
}
#: With vectors: right to first order.
WITH_EIGENVECTORS = {
    "exp": lambda a: weighted(of_symmetric(np.exp)(a)),
    "tanh-cubed": lambda a: weighted(of_symmetric(np.tanh)(a) ** 3),
    "solved": solved,
    "values-of-exp": lambda a: np.sum(np.linalg.eigvalsh(of_symmetric(np.exp)(a)) ** 2),
}
WITH_SINGULAR_VECTORS = {
    "polar": lambda a: weighted(odd(np.ones_like)(a)),
    "sinh": lambda a: weighted(odd(np.sinh)(a)),
    "inverse": lambda a: weighted(odd(lambda s: 1 / s)(a)),
}
ODD = {
    "sinh": lambda a: weighted(odd(np.sinh)(a)),
    "cube": lambda a: weighted(odd(lambda s: s**3)(a)),
}


def cases(functions, places):
    return [pytest.param(f, a, id=f"{name}-{place}") for name, f in functions.items() for place, a in places.items()]


def directions(a):
    return D[: a.shape[0], : a.shape[1]], E[: a.shape[0], : a.shape[1]]


def along(f, x, d):
    return difference(lambda v: float(f(v)), [x], [d])


FIRST = [
    *cases(OF_EIGENVALUES | WITH_EIGENVECTORS, SYMMETRIC),
    *cases(OF_SINGULAR_VALUES | EVEN | WITH_SINGULAR_VECTORS, GENERAL),
    *cases(EVEN | ODD, DEFICIENT),
]
SECOND = [
    *cases(OF_EIGENVALUES, SYMMETRIC),
    *cases(OF_SINGULAR_VALUES | EVEN, GENERAL),
    *cases(EVEN, DEFICIENT),
]


@pytest.mark.parametrize(("f", "a"), FIRST)
def test_first_derivatives(f, a):
    d, _ = directions(a)
    expected = along(f, a, d)
    assert np.sum(st.grad(f)(a) * d) == pytest.approx(expected, rel=1e-7, abs=1e-8)
    assert st.jvp(f, (a,), (d,))[1] == pytest.approx(expected, rel=1e-7, abs=1e-8)


@pytest.mark.parametrize(("f", "a"), SECOND)
def test_second_derivatives(f, a):
    d, e = directions(a)
    slope = st.grad(f)
    expected = along(lambda x: np.sum(slope(x) * d), a, e)

    def close(found):
        assert found == pytest.approx(expected, rel=1e-6, abs=1e-7)

    close(np.sum(st.hvp(f)(a, d) * e))
    close(np.sum(st.grad(lambda x: np.sum(st.grad(f)(x) * d))(a) * e))
    close(st.jvp(lambda x: st.jvp(f, (x,), (d,))[1], (a,), (e,))[1])


def test_hessian_and_jacobian():
    f, a = OF_EIGENVALUES["trace-of-exp"], SYMMETRIC["two"]
    w, v = np.linalg.eigh(a)
    gap = w[:, None] - w[None, :]
    same = np.abs(gap) < 1e-9
    quotients = np.where(same, np.exp(w)[:, None], np.subtract.outer(np.exp(w), np.exp(w)) / np.where(same, 1, gap))
    turned = v.T @ D @ v  # Daleckii and Krein
    np.testing.assert_allclose(np.einsum("ijkl,kl", st.hessian(f)(a), D), v @ (quotients * turned) @ v.T, rtol=1e-10)
    jacobian = st.jacobian(of_symmetric(np.exp))(a)
    np.testing.assert_allclose(np.einsum("ijkl,kl", jacobian, D), v @ (quotients * turned) @ v.T, rtol=1e-10)
    row = st.jacobian(lambda x: of_symmetric(np.exp)(x)[1])(a)
    np.testing.assert_allclose(row, jacobian[1], rtol=1e-10, atol=1e-12)


def test_general_matrices_with_equal_eigenvalues():
    def function(a):
        w, v = np.linalg.eig(a)
        return weighted((v * np.exp(w)) @ np.linalg.inv(v))

    def trace(a):
        return np.sum(np.exp(np.linalg.eigvals(a)))

    basis = W[:3, :3] + 3 * np.eye(3)
    for a in (np.eye(3), basis @ np.diag([1.0, 1.0, 2.0]) @ np.linalg.inv(basis)):
        expected = st.grad(lambda x: weighted(st.linalg.expm(x)))(a)
        np.testing.assert_allclose(st.grad(function)(a), expected, rtol=1e-9, atol=1e-9)
        assert st.jvp(function, (a,), (basis,))[1] == pytest.approx(np.sum(expected * basis), rel=1e-9)
        expected = st.hvp(lambda x: np.trace(st.linalg.expm(x)))(a, basis)
        np.testing.assert_allclose(st.hvp(trace)(a, basis), expected, rtol=1e-8, atol=1e-8)


def test_stacks_batches_and_compiled_code():
    f = WITH_EIGENVECTORS["exp"]
    stack = np.stack([SYMMETRIC["two"], np.diag([1.0, 2.0, 3.0, 4.0]), np.eye(4)])
    expected = np.stack([st.grad(f)(a) for a in stack])
    np.testing.assert_allclose(st.vmap(st.grad(f))(stack), expected, rtol=1e-12, atol=1e-13)

    def together(a):
        w, v = np.linalg.eigh(a)
        return np.sum((v * np.exp(w)[:, None, :]) @ np.swapaxes(v, 1, 2) * W)

    np.testing.assert_allclose(st.grad(together)(stack), expected, rtol=1e-12, atol=1e-13)
    x = st.symbol("x", shape=(4, 4))
    with st.GradientTape() as tape:
        tape.watch(x)
        y = f(x)
    compiled = st.function([x], tape.gradient(y, x))
    np.testing.assert_allclose(compiled.batch(stack), expected, rtol=1e-12, atol=1e-13)


def likelihood(a):
    w, v = np.linalg.eigh(a)
    return np.sum(np.log(w)) + np.sum((v.T @ W[0]) ** 2 / w)


def side_by_side(a):
    w, v = np.linalg.eigh(a)
    u, z = np.linalg.eigh(2 * a + np.eye(4))
    return weighted((v * np.exp(w)) @ v.T @ ((z * u) @ z.T))


def of_the_square(a):
    w, v = np.linalg.eigh(a @ a)
    return weighted((v * np.sqrt(w)) @ v.T)


def rayleigh_quotients(a):
    v = np.linalg.eigh(a).eigenvectors
    return np.sum(np.diagonal(v.T @ a @ v) ** 2)


def cut_off(a):
    w, v = np.linalg.eigh(a)
    return weighted(np.einsum("ij,j,kj->ik", v, np.where(w > 1.5, w, 0), v))


def onto_a_space(a):
    v = np.linalg.eigh(a).eigenvectors[:, :2]
    return weighted(v @ v.T)


@pytest.mark.parametrize(
    ("f", "without"),
    [
        (likelihood, lambda a: np.linalg.slogdet(a)[1] + W[0] @ np.linalg.solve(a, W[0])),
        (side_by_side, lambda a: weighted(st.linalg.expm(a) @ (2 * a + np.eye(4)))),
        (of_the_square, weighted),
        (rayleigh_quotients, lambda a: np.sum(a * a)),
        (lambda a: weighted(a @ of_symmetric(np.exp)(a)), lambda a: weighted(a @ st.linalg.expm(a))),
        (lambda a: weighted(of_symmetric(np.ones_like)(a)), lambda a: 0 * np.sum(a)),
        (cut_off, None),
        (onto_a_space, None),
    ],
)
def test_functions_as_people_write_them(f, without):
    a = SYMMETRIC["two"]
    expected = along(f, a, D) if without is None else st.jvp(without, (a,), (D,))[1]
    assert st.jvp(f, (a,), (D,))[1] == pytest.approx(expected, rel=1e-9, abs=1e-9)
    assert np.sum(st.grad(f)(a) * D) == pytest.approx(expected, rel=1e-9, abs=1e-9)


def test_matrices_of_a_named_length():
    x = st.symbol("x", ("n", "n"))
    with st.GradientTape() as tape:
        tape.watch(x)
        w, v = np.linalg.eigh(x)
        y = np.sum(((v * np.exp(w)) @ v.T) ** 2)
    f = st.function([x], tape.gradient(y, x))
    for a in (np.eye(2), SYMMETRIC["two"]):
        np.testing.assert_allclose(
            f(a), st.grad(lambda b: np.sum(of_symmetric(np.exp)(b) ** 2))(a), rtol=1e-12, atol=1e-13
        )


def test_bodies_of_other_ops():
    f, a = WITH_EIGENVECTORS["exp"], SYMMETRIC["two"]

    def chosen(x):
        return st.cond(x[0, 0] > -100, f, np.sum, x)

    np.testing.assert_allclose(st.grad(chosen)(a), st.grad(f)(a), rtol=1e-12)
    assert st.jvp(chosen, (a,), (D,))[1] == pytest.approx(st.jvp(f, (a,), (D,))[1], rel=1e-12)


def test_saved_functions_have_their_limits(tmp_path):
    x = st.symbol("x", shape=(4, 4))
    with st.GradientTape() as tape:
        tape.watch(x)
        y = WITH_EIGENVECTORS["exp"](x)
    f = st.function([x], tape.gradient(y, x))
    st.save(tmp_path / "f.symtape", f)
    again = st.load(tmp_path / "f.symtape")
    np.testing.assert_array_equal(again(SYMMETRIC["two"]), f(SYMMETRIC["two"]))


def test_tapes_inside_each_other():
    f = OF_EIGENVALUES["trace-of-exp"]
    v = st.Variable(SYMMETRIC["pairs"])
    with st.GradientTape() as outer:
        with st.GradientTape() as inner:
            y = f(v)
        z = np.sum(inner.gradient(y, v) * D)
    np.testing.assert_allclose(outer.gradient(z, v), st.hvp(f)(SYMMETRIC["pairs"], D), rtol=1e-11, atol=1e-12)


def test_single_precision():
    f, a = WITH_EIGENVECTORS["exp"], SYMMETRIC["two"]
    g = st.grad(f)(a.astype("f4"))
    assert g.dtype == np.float32
    np.testing.assert_allclose(g, st.grad(f)(a), rtol=2e-5, atol=2e-5)


SWAP = np.array([[0.0, 1, 0], [1, 0, 0], [0, 0, 0]])
EQUAL = np.diag([2.0, 2.0, 3.0])
ANY = W[:3, :3] + W[:3, :3].T

#: Functions of which one of several equal numbers, or a vector of one, has a part: NaN along this direction.
APART = [
    (lambda a: np.linalg.eigvalsh(a)[0], EQUAL, SWAP, "eigenvalues 0 and 1"),
    (lambda a: np.linalg.eigvalsh(a)[0], EQUAL, np.diag([1.0, 0, 0]), "eigenvalues 0 and 1"),
    (lambda a: np.linalg.eigvalsh(a)[0] + 2 * np.linalg.eigvalsh(a)[1], EQUAL, ANY, "eigenvalues 0 and 1"),
    (lambda a: np.linalg.eigh(a).eigenvectors[0, 0], EQUAL, ANY, "eigenvalues 0 and 1"),
    (lambda a: np.linalg.eigh(a)[0][0] * np.linalg.eigh(a)[1][0, 0] ** 2, EQUAL, ANY, "eigenvalues 0 and 1"),
    (lambda a: np.linalg.eigvals(a)[0], np.eye(2), W[:2, :2], "eigenvalues 0 and 1"),
    (lambda a: np.linalg.svdvals(a)[1], np.diag([2.0, 1, 1]), W[:3, :3], "singular values 1 and 2"),
    (lambda a: np.linalg.svdvals(a)[2], np.diag([2.0, 1, 0]), W[:3, :3], "singular value 2 is zero"),
    (lambda a: np.sum(np.linalg.svdvals(a)), np.diag([2.0, 1, 0]), W[:3, :3], "singular value 2 is zero"),
    (lambda a: np.linalg.svd(a, hermitian=True).S[0], np.diag([2.0, -2, 1]), ANY, "singular values 0 and 1"),
    (lambda a: np.linalg.svd(a).U[0, 0], np.eye(2), W[:2, :2], "singular values 0 and 1"),
    (np.linalg.cond, np.diag([2.0, 2, 1]), W[:3, :3], "singular values 0 and 1"),
]


@pytest.mark.parametrize(("f", "a", "d", "words"), APART)
def test_what_does_not_exist_is_nan_in_both_modes(f, a, d, words):
    with pytest.warns(DegenerateMatrixWarning, match=words) as caught:
        assert np.isnan(st.jvp(f, (a,), (d,))[1])
    assert caught[0].filename == __file__
    with pytest.warns(DegenerateMatrixWarning, match=words):
        assert np.isnan(st.grad(f)(a)).any()


#: Parts that have a derivative although others have none, and directions in which equal numbers stay together.
BESIDE = [
    (lambda a: np.linalg.eigvalsh(a)[2], EQUAL, SWAP, 0.0),
    (lambda a: np.linalg.eigvalsh(a)[0], EQUAL, np.eye(3), 1.0),
    (lambda a: np.linalg.eigvalsh(a)[0] * np.linalg.eigvalsh(a)[1], EQUAL, ANY, 2 * (ANY[0, 0] + ANY[1, 1])),
    (lambda a: np.linalg.eigh(a).eigenvectors[2, 2] ** 2, EQUAL, ANY, 0.0),
    (lambda a: np.linalg.svdvals(a)[0], np.diag([2.0, 1, 1]), W[:3, :3], W[0, 0]),
    (
        lambda a: np.sum(np.linalg.svd(a, hermitian=True).S),
        np.diag([2.0, -2, 1]),
        ANY,
        ANY[0, 0] - ANY[1, 1] + ANY[2, 2],
    ),
]


@pytest.mark.parametrize(("f", "a", "d", "expected"), BESIDE)
def test_what_exists_beside_is_right_and_silent(f, a, d, expected):
    assert st.jvp(f, (a,), (d,))[1] == pytest.approx(expected, rel=1e-12, abs=1e-12)


def test_elements_of_a_result_are_told_apart():
    with pytest.warns(DegenerateMatrixWarning, match="eigenvalues 0 and 1"):
        _, moved = st.jvp(np.linalg.eigvalsh, (EQUAL,), (ANY,))
    np.testing.assert_array_equal(np.isnan(moved), [True, True, False])
    assert moved[2] == pytest.approx(ANY[2, 2])


def test_norms_take_a_subgradient():
    """Equal extremes share it and what is zero has none, as documented: in both modes alike."""
    for f, a, d, expected in [
        (lambda a: np.linalg.norm(a, "nuc"), np.diag([2.0, 1, 0]), W[:3, :3], W[0, 0] + W[1, 1]),
        (lambda a: np.linalg.norm(a, 2), np.diag([2.0, 2, 0]), W[:3, :3], (W[0, 0] + W[1, 1]) / 2),
        (lambda a: np.linalg.norm(a, -2), np.diag([3.0, 2, 0]), W[:3, :3], 0.0),
        (lambda a: np.max(np.linalg.eigvalsh(a)), np.diag([1.0, 2, 2]), ANY, (ANY[1, 1] + ANY[2, 2]) / 2),
    ]:
        assert st.jvp(f, (a,), (d,))[1] == pytest.approx(expected, rel=1e-12, abs=1e-12)
        assert np.sum(st.grad(f)(a) * d) == pytest.approx(expected, rel=1e-12, abs=1e-12)


def test_beyond_the_second_order_is_nan_and_says_so():
    f = WITH_EIGENVECTORS["exp"]
    with pytest.warns(DegenerateMatrixWarning, match="eigenvalues 0 and 1.*derivative of a derivative"):
        assert np.isnan(st.hvp(f)(SYMMETRIC["two"], D)).all()
    distinct = np.diag([1.0, 2.0, 3.0, 4.0])
    expected = along(lambda x: np.sum(st.grad(f)(x) * D), distinct, E)
    assert np.sum(st.hvp(f)(distinct, D) * E) == pytest.approx(expected, rel=1e-7)


def test_hessians_in_many_variables_are_right_or_nan():
    f = OF_EIGENVALUES["trace-of-exp"]
    d = np.random.default_rng(3).standard_normal((15, 15))
    distinct, equal = np.diag(np.arange(1.0, 16.0) / 5), np.diag([1.0, *np.arange(1.0, 15.0)]) / 5
    found = np.einsum("ijkl,kl", st.hessian(f)(distinct), d)
    np.testing.assert_allclose(found, st.hvp(f)(distinct, d), rtol=1e-9, atol=1e-9)
    with pytest.warns(DegenerateMatrixWarning, match="eigenvalues 0 and 1"):
        assert np.isnan(st.hessian(f)(equal)).any()
    assert np.isfinite(st.hvp(f)(equal, d)).all()


def far(f):
    """More operations follow than a body may hold."""

    def longer(a):
        y = f(a)
        for _ in range(400):
            y = np.sin(y)
        return y

    return longer


def test_far_from_its_eigenvalues_a_target_gets_nan_rather_than_a_wrong_number():
    one, both = far(lambda a: np.linalg.eigvalsh(a)[0]), far(lambda a: np.sum(np.linalg.eigvalsh(a)))
    for d in (SWAP, np.diag([1.0, 0, 0])):
        with pytest.warns(DegenerateMatrixWarning, match="eigenvalues 0 and 1.*each alone"):
            assert np.isnan(st.jvp(one, (EQUAL,), (d,))[1])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert np.isfinite(st.jvp(one, (EQUAL,), (np.eye(3),))[1])
        assert np.isfinite(st.grad(both)(EQUAL)).all()


def test_one_decomposition_after_another_is_worked_out_in_time():
    def repeated(a):
        for _ in range(12):
            a = of_symmetric(np.tanh)(a) + np.diag([1.0, 2.0, 3.0, 5.0])
        return np.sum(a)

    a = np.diag([1.0, 2.0, 3.0, 4.0])
    expected = along(repeated, a, D)
    assert np.sum(st.grad(repeated)(a) * D) == pytest.approx(expected, rel=1e-6, abs=1e-9)
    assert st.jvp(repeated, (a,), (D,))[1] == pytest.approx(expected, rel=1e-6, abs=1e-9)
