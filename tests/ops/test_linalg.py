"""Linear algebra: singular matrices and other bad input, symmetric and edge derivatives, norms, batches."""

import numpy as np
import pytest
import scipy.linalg

import symtape as st
from symtape.autodiff.batching import batch_graph
from symtape.autodiff.jacobian import hessian, jacobian
from symtape.autodiff.reverse import gradient
from symtape.compile.evaluate import evaluate
from symtape.errors import MatrixShapeError, ShapeError, SingularMatrixError
from symtape.graph.node import symbol
from symtape.graph.shapes import Dim
from symtape.ops.namespace import NODES
from symtape.testing import difference


def leaf(*shape, dtype="f8"):
    return symbol(None, shape, dtype)


def at(node, **env):
    return evaluate([node], env["env"])[0]


SINGULAR = np.array([[1.0, 2.0], [2.0, 4.0]])

# ---------------------------------------------------------------------------------------------------- singular matrices


@pytest.mark.parametrize(
    "function",
    [
        NODES.inv,
        lambda a: NODES.solve(a, np.ones(2)),
        lambda a: NODES.solve(a, np.ones((2, 3))),
        lambda a: NODES.cholesky(NODES.negative(a)),
        lambda a: NODES.solve_triangular(NODES.subtract(a, 1.0), np.ones(2), lower=True),
        lambda a: NODES.matrix_power(a, -1),
    ],
)
def test_a_singular_matrix_is_an_error_of_the_users_line(function):
    a = leaf(2, 2)
    node = function(a)  # recording says nothing: there is no number yet
    with pytest.raises(SingularMatrixError, match=r"test_linalg\.py:\d+") as caught:
        evaluate([node], {a: SINGULAR})
    assert isinstance(caught.value, np.linalg.LinAlgError)


def test_a_singular_matrix_in_a_stack_is_an_error():
    a = leaf(2, 2, 2)
    with pytest.raises(SingularMatrixError, match="inverse"):
        evaluate([NODES.inv(a)], {a: np.stack([np.eye(2), SINGULAR])})


def test_the_determinant_of_a_singular_matrix_is_no_error():
    a = leaf(2, 2)
    assert evaluate([NODES.det(a)], {a: SINGULAR})[0] == pytest.approx(0)
    sign, logabsdet = evaluate(NODES.slogdet(a), {a: SINGULAR})
    assert sign == 0
    assert logabsdet == -np.inf


@pytest.mark.parametrize("rank", [0, 1, 2, 3, 4, 5])
def test_the_gradient_of_det_is_right_at_any_rank(rank):
    rng = np.random.default_rng(rank)
    value = rng.standard_normal((5, rank)) @ rng.standard_normal((rank, 5))
    a = leaf(5, 5)
    (g,) = gradient(NODES.det(a), [a])
    expected = np.empty((5, 5))
    for i, j in np.ndindex(5, 5):
        expected[i, j] = (-1) ** (i + j) * np.linalg.det(np.delete(np.delete(value, i, 0), j, 1))
    np.testing.assert_allclose(evaluate([g], {a: value})[0], expected, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("n", [1, 2, 3])
def test_all_derivatives_of_small_determinants_exist_at_zero(n):
    a = leaf(n, n)
    H = hessian(NODES.det(a), a)
    (value,) = evaluate([H], {a: np.zeros((n, n))})
    rng = np.random.default_rng(n)
    u, v = rng.standard_normal((2, n, n))
    mixed = difference(
        lambda s: difference(lambda t: float(np.linalg.det(s * u + t * v)), [np.zeros(())], [np.ones(())]),
        [np.zeros(())],
        [np.ones(())],
    )
    assert np.einsum("ijkl,ij,kl", value, u, v) == pytest.approx(mixed, abs=1e-8)


def with_rows(a, *replaced):
    """The determinant with some rows in the place of others."""
    mixed = a.copy()
    for k, row in replaced:
        mixed[k] = row
    return np.linalg.det(mixed)


@pytest.mark.parametrize("n", [1, 2, 3, 4, 5, 6])
@pytest.mark.parametrize("lost", [0, 1, 2, 3])
def test_determinants_of_singular_matrices_to_second_order(n, lost):
    """A determinant is linear in each row, so its derivatives are determinants with other rows put in."""
    rng = np.random.default_rng(10 * n + lost)
    rank = max(n - lost, 0)
    a = (rng.integers(-2, 3, (n, rank)) @ rng.integers(-2, 3, (rank, n))).astype(float)
    d, e = rng.integers(-3, 4, (2, n, n)).astype(float)
    first = sum(with_rows(a, (k, d[k])) for k in range(n))
    second = sum(with_rows(a, (k, d[k]), (j, e[j])) for k in range(n) for j in range(n) if j != k)

    def close(found, expected):
        assert found == pytest.approx(expected, rel=1e-9, abs=1e-9 * max(1, np.abs(a).max()) ** n)

    close(np.sum(st.grad(np.linalg.det)(a) * d), first)
    close(np.sum(st.hvp(np.linalg.det)(a, d) * e), second)
    close(np.einsum("ijkl,ij,kl", st.hessian(np.linalg.det)(a), d, e), second)
    close(np.sum(st.grad(lambda x: st.jvp(np.linalg.det, (x,), (d,))[1])(a) * e), second)


def test_cofactors_of_a_matrix_with_nan_are_nan():
    a = leaf(4, 4)
    assert np.isnan(evaluate([NODES.cofactor(a)], {a: np.full((4, 4), np.nan)})[0]).all()


def test_cofactors_of_huge_and_tiny_matrices():
    rng = np.random.default_rng(5)
    m = rng.standard_normal((3, 3))
    a = leaf(3, 3)
    for scale in (1e-150, 1e-80, 1e80, 1e140):
        (found,) = evaluate([NODES.cofactor(a)], {a: scale * m})
        expected = np.linalg.det(m) * np.linalg.inv(m).T * scale * scale
        np.testing.assert_allclose(found, expected, rtol=1e-10)


# -------------------------------------------------------------------------------------------------------- bad shapes

BAD = [
    ("inv", (2, 3)),
    ("inv", (3,)),
    ("det", (2, 3)),
    ("det", (3,)),
    ("slogdet", (2, 3)),
    ("cholesky", (2, 3)),
    ("cholesky", (3,)),
]


@pytest.mark.parametrize(("name", "shape"), BAD, ids=str)
def test_what_is_not_square_is_refused_as_in_numpy(name, shape):
    with pytest.raises(np.linalg.LinAlgError):
        getattr(np.linalg, name)(np.ones(shape))
    with pytest.raises(MatrixShapeError, match=r"axes of the array|two-dimensional") as caught:
        getattr(NODES, name)(leaf(*shape))
    assert isinstance(caught.value, np.linalg.LinAlgError)


@pytest.mark.parametrize(("a", "b"), [((2, 2), (3,)), ((2, 2), (3, 2)), ((2, 2), ()), ((2, 2, 2), (3, 2, 2))], ids=str)
def test_solve_refuses_what_numpy_refuses(a, b):
    with pytest.raises(ValueError):
        np.linalg.solve(np.ones(a) + np.eye(a[-1]), np.ones(b))
    with pytest.raises(ShapeError):
        NODES.solve(leaf(*a), leaf(*b))


def test_solve_says_how_to_pass_a_stack_of_vectors():
    with pytest.raises(ShapeError, match="last axis of length 1"):
        NODES.solve(leaf(4, 3, 3), leaf(4, 3))


def test_half_precision_is_refused_as_in_numpy():
    with pytest.raises(TypeError):
        np.linalg.inv(np.eye(2, dtype="f2"))
    with pytest.raises(TypeError, match="unsupported in linalg"):
        NODES.inv(leaf(2, 2, dtype="f2"))


def test_integers_become_doubles():
    a = leaf(2, 2, dtype="i8")
    for node in (NODES.inv(a), NODES.det(a), NODES.solve(a, np.ones(2, "i4"))):
        assert node.dtype == np.float64
    (value,) = evaluate([NODES.inv(a)], {a: np.array([[2, 0], [0, 4]])})
    np.testing.assert_array_equal(value, [[0.5, 0], [0, 0.25]])


def test_matrix_power_and_multi_dot_refuse_what_numpy_refuses():
    with pytest.raises(np.linalg.LinAlgError):
        NODES.matrix_power(leaf(2, 3), 2)
    with pytest.raises(TypeError):
        NODES.matrix_power(leaf(2, 2), 1.5)
    with pytest.raises(ValueError, match="at least two"):
        NODES.multi_dot([leaf(2, 2)])
    with pytest.raises(np.linalg.LinAlgError):
        NODES.multi_dot([leaf(2, 2), leaf(2), leaf(2, 2)])
    with pytest.raises(np.linalg.LinAlgError):
        NODES.tensorsolve(leaf(2, 3, 4), leaf(2, 3))
    with pytest.raises(ValueError, match="positive"):
        NODES.tensorinv(leaf(2, 2), 0)


def test_the_power_zero_is_the_identity():
    a = leaf(2, 3, 3)
    (value,) = evaluate([NODES.matrix_power(a, 0)], {a: np.ones((2, 3, 3))})
    np.testing.assert_array_equal(value, np.stack([np.eye(3)] * 2))


def test_multi_dot_takes_the_cheapest_order():
    a, b, c = leaf(100, 2), leaf(2, 100), leaf(100, 3)
    node = NODES.multi_dot([a, b, c])
    assert node.inputs[0] is a
    assert node.inputs[1] is NODES.matmul(b, c)


# ---------------------------------------------------------------------------------------------------------- cholesky


def test_the_gradient_of_cholesky_is_symmetric():
    rng = np.random.default_rng(6)
    a = leaf(4, 4)
    m = rng.standard_normal((4, 4))
    (g,) = gradient(NODES.sum(NODES.multiply(NODES.cholesky(a), rng.standard_normal((4, 4)))), [a])
    (value,) = evaluate([g], {a: m @ m.T + np.eye(4)})
    np.testing.assert_allclose(value, value.T, rtol=1e-12)


def test_cholesky_reads_the_triangle_that_numpy_reads():
    rng = np.random.default_rng(7)
    m = rng.standard_normal((3, 3))
    lopsided = m @ m.T + np.eye(3) + np.triu(rng.standard_normal((3, 3)), 1)
    a = leaf(3, 3)
    (lower,) = evaluate([NODES.cholesky(a)], {a: lopsided})
    np.testing.assert_allclose(lower, np.linalg.cholesky(lopsided), rtol=1e-14)
    (upper,) = evaluate([NODES.cholesky(a, upper=True)], {a: lopsided.T})
    np.testing.assert_allclose(upper, np.linalg.cholesky(lopsided).T, rtol=1e-14)


def test_the_log_likelihood_of_a_gaussian():
    """Two ways to the same gradient: by the factor, and by the textbook's formula."""
    rng = np.random.default_rng(8)
    m = rng.standard_normal((3, 3))
    covariance, x = m @ m.T + np.eye(3), rng.standard_normal(3)
    a = leaf(3, 3)
    L = NODES.cholesky(a)
    z = NODES.solve_triangular(L, x, lower=True)
    logdet = NODES.multiply(2.0, NODES.sum(NODES.log(NODES.diagonal(L))))
    (g,) = gradient(NODES.multiply(-0.5, NODES.add(NODES.sum(NODES.square(z)), logdet)), [a])
    inverse = np.linalg.inv(covariance)
    expected = 0.5 * (np.outer(inverse @ x, inverse @ x) - inverse)
    np.testing.assert_allclose(evaluate([g], {a: covariance})[0], expected, rtol=1e-10)


def test_solve_triangular_is_scipys():
    rng = np.random.default_rng(9)
    m, b = rng.random((3, 3)) + np.eye(3), rng.random(3)
    a = leaf(3, 3)
    for trans in (0, 1, "T", "N"):
        for lower in (False, True):
            (ours,) = evaluate([NODES.solve_triangular(a, b, trans, lower)], {a: m})
            np.testing.assert_allclose(ours, scipy.linalg.solve_triangular(m, b, trans, lower), rtol=1e-13)
    with pytest.raises(ValueError, match="trans"):
        NODES.solve_triangular(a, b, 3)


def test_the_other_triangle_has_no_gradient():
    a = leaf(3, 3)
    (g,) = gradient(NODES.sum(NODES.solve_triangular(a, np.ones(3), lower=True)), [a])
    (value,) = evaluate([g], {a: np.eye(3) + 1.0})
    np.testing.assert_array_equal(np.triu(value, 1), np.zeros((3, 3)))


# -------------------------------------------------------------------------------------------------------------- norms


@pytest.mark.parametrize("order", [None, 2, 1, 0, 3, 2.5, np.inf, -np.inf, -1, -2, 0.5])
@pytest.mark.parametrize("axis", [None, 0, -1])
def test_vector_norms_are_numpys(order, axis):
    rng = np.random.default_rng(10)
    value = rng.standard_normal(5) if axis is None else rng.standard_normal((3, 4))
    x = leaf(*value.shape)
    for keepdims in (False, True):
        (ours,) = evaluate([NODES.norm(x, order, axis, keepdims)], {x: value})
        expected = np.linalg.norm(value, order, axis, keepdims)
        assert ours.shape == expected.shape
        np.testing.assert_allclose(ours, expected, rtol=1e-13)


@pytest.mark.parametrize("order", [None, "fro", "f", 1, -1, np.inf, -np.inf])
@pytest.mark.parametrize("axis", [None, (0, 1), (1, 0), (-1, 0)])
def test_matrix_norms_are_numpys(order, axis):
    rng = np.random.default_rng(11)
    value = rng.standard_normal((3, 4)) if axis is None else rng.standard_normal((3, 4, 2))
    x = leaf(*value.shape)
    for keepdims in (False, True):
        (ours,) = evaluate([NODES.norm(x, order, axis, keepdims)], {x: value})
        expected = np.linalg.norm(value, order, axis, keepdims)
        assert ours.shape == expected.shape
        np.testing.assert_allclose(ours, expected, rtol=1e-13)


def test_norms_of_anything_flattened():
    value = np.random.default_rng(12).standard_normal((2, 3, 4))
    x = leaf(2, 3, 4)
    found = evaluate([NODES.norm(x), NODES.vector_norm(x, ord=1), NODES.matrix_norm(x, ord=1)], {x: value})
    expected = [np.linalg.norm(value), np.linalg.vector_norm(value, ord=1), np.linalg.matrix_norm(value, ord=1)]
    for ours, theirs in zip(found, expected, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-13)


def test_integers_have_norms_too():
    x = leaf(2, dtype="i8")
    assert evaluate([NODES.norm(x)], {x: np.array([3, 4])})[0] == 5


@pytest.mark.parametrize(
    ("shape", "order", "axis", "kind"),
    [
        ((2, 2, 2), 1, None, ValueError),
        ((3,), "fro", None, ValueError),
        ((3,), "bad", None, ValueError),
        ((3, 3), 3, None, ValueError),
        ((3, 3), "bad", None, ValueError),
        ((3, 3), None, (0, 0), ValueError),
        ((2, 2, 2), None, (0, 1, 2), ValueError),
        ((3, 3), None, 2, np.exceptions.AxisError),
    ],
    ids=str,
)
def test_norms_refuse_what_numpy_refuses(shape, order, axis, kind):
    with pytest.raises(kind):
        np.linalg.norm(np.ones(shape), order, axis)
    with pytest.raises(kind):
        NODES.norm(leaf(*shape), order, axis)


def test_the_axis_of_a_norm_is_an_integer():
    with pytest.raises(TypeError, match="tuple of integers"):
        NODES.norm(leaf(3, 3), axis=0.5)


@pytest.mark.parametrize("order", [-1, -2, -3.5])
def test_norms_of_negative_order_have_a_corner_where_an_element_is_zero(order):
    for value in ([0.0, 3.0, -4.0], [0.0, 0.0], [1.0, np.inf, 0.0]):
        x = np.array(value)
        np.testing.assert_array_equal(st.grad(lambda v: np.linalg.norm(v, order))(x), 0)
        with np.errstate(divide="ignore"):
            assert np.linalg.norm(st.constant(x), order).item() == np.linalg.norm(x, order) == 0
    assert np.isnan(np.linalg.norm(st.constant([0.0, np.nan]), order).item())
    rows = np.array([[1.0, 2.0], [0.0, 2.0]])
    g = st.grad(lambda v: np.sum(np.linalg.norm(v, order, axis=1)))(rows)
    np.testing.assert_allclose(g[0], st.grad(lambda v: np.linalg.norm(v, order))(rows[0]), rtol=1e-14)
    np.testing.assert_array_equal(g[1], 0)


@pytest.mark.parametrize("order", [None, 2, 3, 1.5])
def test_at_zero_the_gradient_of_a_norm_is_zero(order):
    x = leaf(3)
    y = NODES.norm(x, order)
    (g,) = gradient(y, [x])
    first, second = evaluate([g, hessian(y, x)], {x: np.zeros(3)})
    np.testing.assert_array_equal(first, np.zeros(3))
    assert np.isfinite(second).all()
    (J,) = evaluate([jacobian(NODES.norm(NODES.reshape(x, (3, 1)), order, axis=1), x)], {x: np.array([0.0, 1.0, -2.0])})
    np.testing.assert_allclose(J, np.diag([0.0, 1.0, -1.0]), rtol=1e-14)


def test_frobenius_at_zero_too():
    x = leaf(2, 2)
    (g,) = gradient(NODES.norm(x, "fro"), [x])
    np.testing.assert_array_equal(evaluate([g], {x: np.zeros((2, 2))})[0], np.zeros((2, 2)))


# --------------------------------------------------------------------------------------------------- batches, lengths


@pytest.mark.parametrize("flags", [(True, False), (False, True), (True, True)])
@pytest.mark.parametrize(
    ("a", "b"),
    [
        ((3, 3), (3,)),
        ((3, 3), (3, 2)),
        ((2, 3, 3), (3,)),
        ((2, 3, 3), (3, 2)),
        ((3, 3), (2, 3, 2)),
        ((2, 1, 3, 3), (4, 3, 2)),
    ],
    ids=str,
)
def test_batched_solve_is_a_loop(a, b, flags):
    rng = np.random.default_rng(13)
    x, y = leaf(*a), leaf(*b)
    lead = [(4, *s) if f else s for s, f in zip((a, b), flags, strict=True)]
    arrays = [rng.random(lead[0]) + 3 * np.eye(3), rng.random(lead[1])]
    stand_ins = [leaf(*v.shape) if f else None for v, f in zip(arrays, flags, strict=True)]
    (batch,) = batch_graph([NODES.solve(x, y)], [x, y], stand_ins)
    env = {n or own: v for n, own, v in zip(stand_ins, (x, y), arrays, strict=True)}
    rows = [np.linalg.solve(*[v[k] if f else v for v, f in zip(arrays, flags, strict=True)]) for k in range(4)]
    np.testing.assert_allclose(evaluate([batch], env)[0], np.stack(rows), rtol=1e-12)


def test_one_factorization_serves_a_batch_of_right_sides():
    a, b = leaf(3, 3), leaf(3)
    (batch,) = batch_graph([NODES.solve(a, b)], [a, b], [None, leaf(100, 3)])
    (solve,) = [n for n in [batch, *batch.inputs] if n.op.name == "solve"]
    assert solve.inputs[0] is a


def test_named_lengths_pass_through():
    n = Dim("n")
    a, b = leaf(n, n), leaf(n)
    x = NODES.solve(a, b)
    assert x.shape == (n,)
    assert [g.shape for g in gradient(NODES.sum(x), [a, b])] == [(n, n), (n,)]
    assert NODES.det(a).shape == ()
    assert gradient(NODES.det(a), [a])[0].shape == (n, n)
    assert NODES.tril(a).shape == (n, n)
    assert gradient(NODES.sum(NODES.cholesky(a)), [a])[0].shape == (n, n)
    with pytest.raises(MatrixShapeError):
        NODES.inv(leaf(n, 3))
