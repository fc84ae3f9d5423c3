"""Jacobians and Hessians: against rows of the vjp for every op, against known Hessians, and what they are made of."""

import importlib
import pathlib

import numpy as np
import pytest
import scipy.optimize

from symtape.autodiff import jacobian as module
from symtape.autodiff.jacobian import directional, hessian, hvp, jacobian
from symtape.autodiff.reverse import gradient
from symtape.autodiff.tied_rules import TiedSweep
from symtape.compile.evaluate import evaluate
from symtape.errors import ShapeError
from symtape.graph.closed import trace
from symtape.graph.node import constant, symbol
from symtape.graph.shapes import Dim
from symtape.graph.traverse import topological
from symtape.ops.namespace import DERIVATIVES, NODES
from tests.ops.rows import results

ROWS = [
    row
    for path in sorted((pathlib.Path(__file__).parent.parent / "ops").glob("rows_*.py"))
    for row in importlib.import_module(f"tests.ops.{path.stem}").ROWS
    if row.order > 0
]


def leaf(*shape, name=None):
    return symbol(name, shape)


def ops(node):
    return [n.op.name for n in topological([node]) if n.inputs]


def by_rows(output, wrt, env):
    """The Jacobian as one vjp for each unit cotangent."""
    cotangent = symbol(None, output.shape, output.dtype)
    (pulled,) = gradient(output, [wrt], cotangent)
    shape = output.shape + wrt.shape
    if pulled is None:
        return np.zeros(shape)
    rows = []
    for k in range(int(np.prod(output.shape))):
        unit = np.zeros(output.shape, output.dtype)
        unit.flat[k] = 1
        rows.append(evaluate([pulled], env | {cotangent: unit})[0])
    return np.array(rows).reshape(shape) if rows else np.zeros(shape)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_both_modes_are_rows_of_the_vjp(row):
    arrays = row.draw(7)
    leaves = [symbol(f"x{k}", a.shape, a.dtype) for k, a in enumerate(arrays)]
    env = dict(zip(leaves, arrays, strict=True))
    for output in results(row.call(NODES, *leaves)):
        if output.dtype.kind != "f":
            continue
        for x in leaves:
            if x.dtype.kind != "f":
                continue
            expected = by_rows(output, x, env)
            for found in (module._forward(output, x, DERIVATIVES), module._reverse(output, x, DERIVATIVES)):
                if found is None:
                    np.testing.assert_array_equal(expected, 0)
                    continue
                assert found.shape == expected.shape
                assert found.dtype == output.dtype
                scale = max(1.0, np.abs(expected).max(initial=0))
                np.testing.assert_allclose(evaluate([found], env)[0], expected, rtol=1e-10, atol=1e-11 * scale)


# ----------------------------------------------------------------------------------------------- mixtures of structure

X, Y = (4, 3), (3,)

MIXTURES = {
    "diagonal plus dense": lambda B, x, y: B.add(B.sin(x), B.matmul(B.matmul(x, B.const(np.ones((3, 4)))), x)),
    "rows apart": lambda B, x, y: B.divide(B.exp(x), B.sum(B.exp(x), axis=1, keepdims=True)),
    "columns meet": lambda B, x, y: B.subtract(x, B.mean(x, axis=0)),
    "transposed product": lambda B, x, y: B.multiply(B.transpose(x), B.sum(x, axis=1)),
    "stretched": lambda B, x, y: B.multiply(B.reshape(y, (1, 3, 1)), B.reshape(y, (3, 1, 1))),
    "broadcast": lambda B, x, y: B.cos(B.broadcast_to(y, (2, 3))),
    "reshape mixes": lambda B, x, y: B.reshape(B.multiply(x, x), (2, 6)),
    "reshape and back": lambda B, x, y: B.reshape(B.sin(B.reshape(x, (12,))), (4, 3)),
    "windows": lambda B, x, y: B.multiply(B.getitem(x, (slice(1, None), 0)), B.getitem(x, (slice(None, -1), 2))),
    "one column": lambda B, x, y: B.exp(B.getitem(x, (slice(None), 1))),
    "diagonal of a product": lambda B, x, y: B.einsum("ij,ij->i", x, B.sin(x)),
    "trace": lambda B, x, y: B.multiply(y, B.trace(B.matmul(B.transpose(x), x))),
    "diagonal twice": lambda B, x, y: B.einsum("a,a->a", y, y),
    "onto a diagonal": lambda B, x, y: B.contract("a->aa", B.square(y)),
    "from a diagonal": lambda B, x, y: B.einsum("aa->a", B.multiply(B.expand_dims(y, 0), B.expand_dims(y, 1))),
    "choice": lambda B, x, y: B.where(B.greater(x, 0.5), B.square(x), B.matmul(x, B.const(np.ones((3, 3))))),
    "choice of shapes": lambda B, x, y: B.where(B.const(np.array([True, False, True])), x, y),
    "joined": lambda B, x, y: B.concatenate((B.sin(y), B.matmul(x, y))),
    "stacked scalars": lambda B, x, y: B.stack([B.sum(y), B.getitem(y, (0,)), B.prod(y)]),
    "scan": lambda B, x, y: B.cumsum(B.square(y)),
    "constant factor": lambda B, x, y: B.add(B.multiply(2.0, y), B.const(np.arange(3.0))),
    "sum of a broadcast": lambda B, x, y: B.sum(B.broadcast_to(y, (5, 3)), axis=0),
    "nothing but a sign": lambda B, x, y: B.sign(y),
    "sign beside": lambda B, x, y: B.add(B.sign(y), B.square(y)),
    "two leaves": lambda B, x, y: B.matmul(x, B.multiply(y, B.sum(x, axis=0))),
    "solved": lambda B, x, y: B.solve(B.add(B.matmul(B.transpose(x), x), B.const(np.eye(3))), y),
    "scalar": lambda B, x, y: B.sum(B.multiply(B.matmul(x, y), B.matmul(x, y))),
}


@pytest.mark.parametrize("name", MIXTURES)
def test_mixtures(name):
    rng = np.random.default_rng(8)
    x, y = leaf(*X), leaf(*Y)
    env = {x: rng.random(X), y: rng.random(Y)}
    output = MIXTURES[name](NODES, x, y)
    for wrt in (x, y):
        expected = by_rows(output, wrt, env)
        for found in (
            jacobian(output, wrt),
            module._forward(output, wrt, DERIVATIVES),
            module._reverse(output, wrt, DERIVATIVES),
        ):
            value = np.zeros(expected.shape) if found is None else evaluate([found], env)[0]
            np.testing.assert_allclose(value, expected, rtol=1e-12, atol=1e-13)


@pytest.mark.parametrize("name", MIXTURES)
def test_second_derivatives_of_mixtures(name):
    rng = np.random.default_rng(9)
    x, y = leaf(*X), leaf(*Y)
    env = {x: rng.random(X), y: rng.random(Y)}
    output = MIXTURES[name](NODES, x, y)
    total = NODES.sum(NODES.multiply(constant(rng.random(output.shape)), output))
    for wrt in (x, y):
        (slope,) = gradient(total, [wrt])
        expected = np.zeros(wrt.shape * 2) if slope is None else by_rows(slope, wrt, env)
        v = rng.random(wrt.shape)
        found, product = evaluate([hessian(total, wrt), hvp(total, wrt, constant(v))], env)
        np.testing.assert_allclose(found, expected, rtol=1e-11, atol=1e-12)
        np.testing.assert_allclose(product, np.tensordot(expected, v, v.ndim), rtol=1e-11, atol=1e-12)


def test_a_directional_derivative_is_the_jacobian_times_the_direction():
    rng = np.random.default_rng(10)
    x, y = leaf(*X), leaf(*Y)
    env = {x: rng.random(X), y: rng.random(Y)}
    v = rng.random(X)
    output = MIXTURES["two leaves"](NODES, x, y)
    pushed, J = evaluate([directional(output, x, constant(v)), jacobian(output, x)], env)
    np.testing.assert_allclose(pushed, np.tensordot(J, v, 2), rtol=1e-13)


# ------------------------------------------------------------------------------------------------------ what they are


def test_the_hessian_of_a_logistic_loss_is_the_textbooks():
    features, w = leaf(50, 3), leaf(3)
    margins = NODES.matmul(features, w)
    H = hessian(NODES.sum(NODES.softplus(margins)), w)
    assert H.op.name == "matmul"
    left, right = H.inputs
    assert (left.op.name, left.inputs) == ("transpose", (features,))
    assert right.op.name == "multiply"
    assert features in right.inputs
    rng = np.random.default_rng(11)
    data, at = rng.random((50, 3)), rng.random(3)
    s = 1 / (1 + np.exp(-data @ at))
    expected = data.T @ np.diag(s * (1 - s)) @ data
    np.testing.assert_allclose(evaluate([H], {features: data, w: at})[0], expected, rtol=1e-12)


def test_the_hessian_of_least_squares_is_the_textbooks():
    A, v = leaf(5, 3), leaf(3)
    H = hessian(NODES.sum(NODES.square(NODES.matmul(A, v))), v)
    assert set(ops(H)) <= {"matmul", "transpose", "multiply"}
    assert "einsum" not in ops(H)


def test_the_jacobian_of_a_linear_map_is_its_matrix():
    A, x = leaf(3, 5), leaf(5)
    assert jacobian(NODES.matmul(A, x), x) is A
    B, y = leaf(5, 3), leaf(3)
    assert jacobian(NODES.matmul(B, y), y) is B


def test_an_elementwise_chain_stays_a_diagonal():
    x = leaf(1000)
    y = x
    for name in ("sin", "exp", "tanh", "square", "cos"):
        y = getattr(NODES, name)(y)
    J = jacobian(y, x)
    large = [n for n in topological([J]) if n.shape == (1000, 1000)]
    assert large == [J]


def test_rows_that_do_not_meet_stay_apart():
    x, W = leaf(200, 4), leaf(4, 3)
    sweep = TiedSweep(x)
    assert sweep.jacobian(NODES.tanh(NODES.matmul(x, W))) is not None
    tied = sweep.known[NODES.tanh(NODES.matmul(x, W))]
    assert tied.ties == (0, None)


def test_rows_stay_apart_through_ops_that_are_made_of_others():
    x = leaf(50, 4)
    for y in (
        NODES.softmax(x, axis=1),
        NODES.logsumexp(x, axis=1),
        NODES.max(x, axis=1),
        NODES.prod(x, axis=1),
        NODES.norm(x, axis=1),
    ):
        sweep = TiedSweep(x)
        sweep.jacobian(y)
        assert sweep.known[y].ties[0] == 0, y


def rosen(x):
    ahead, behind = NODES.getitem(x, slice(1, None)), NODES.getitem(x, slice(None, -1))
    valley = NODES.subtract(ahead, NODES.square(behind))
    return NODES.sum(NODES.add(NODES.multiply(100.0, NODES.square(valley)), NODES.square(NODES.subtract(1.0, behind))))


@pytest.mark.parametrize("n", [2, 7, 1000])
def test_the_hessian_of_rosen(n):
    x = leaf(n)
    at = np.random.default_rng(n).random(n)
    direction = np.random.default_rng(n + 1).random(n)
    H, product = hessian(rosen(x), x), hvp(rosen(x), x, constant(direction))
    value, along = evaluate([H, product], {x: at})
    np.testing.assert_allclose(value, scipy.optimize.rosen_hess(at), rtol=1e-12, atol=1e-10)
    np.testing.assert_allclose(along, scipy.optimize.rosen_hess_prod(at, direction), rtol=1e-11, atol=1e-10)
    assert len(ops(H)) < 40


def test_residuals_written_one_by_one():
    x = leaf(2)
    first, second = NODES.getitem(x, (0,)), NODES.getitem(x, (1,))
    r = NODES.stack([NODES.multiply(10.0, NODES.subtract(second, NODES.square(first))), NODES.subtract(1.0, first)])
    (J,) = evaluate([jacobian(r, x)], {x: np.array([-1.2, 1.0])})
    np.testing.assert_allclose(J, [[24.0, 10.0], [-1.0, 0.0]])


def test_a_long_chain_needs_no_recursion():
    x = leaf(2)
    y = x
    for _ in range(5000):
        y = NODES.sin(y)
    J = jacobian(y, x)
    at = np.array([0.5, 1.0])
    slope = np.ones(2)
    z = at
    for _ in range(5000):
        slope, z = slope * np.cos(z), np.sin(z)
    np.testing.assert_allclose(evaluate([J], {x: at})[0], np.diag(slope), rtol=1e-10)


def test_the_work_grows_with_the_graph():
    def count(n):
        x = leaf(3)
        y = x
        for k in range(n):
            y = NODES.add(NODES.cumsum(NODES.sin(y)), NODES.getitem(y, slice(None, None, -1) if k % 2 else slice(None)))
        return len(ops(jacobian(y, x)))

    assert count(80) < 5 * count(20)


# --------------------------------------------------------------------------------------------------------- edge values


def test_a_branch_not_taken_leaves_no_nan():
    x = leaf(3)
    y = NODES.where(NODES.greater(x, 0), NODES.sqrt(x), NODES.multiply(2.0, x))
    for f in (module._forward, module._reverse):
        (J,) = evaluate([f(y, x, DERIVATIVES)], {x: np.array([0.0, 4.0, -1.0])})
        np.testing.assert_array_equal(J, np.diag([2.0, 0.25, 2.0]))


def test_what_does_not_depend_is_zero():
    x, y = leaf(2), leaf(3)
    (J,) = evaluate([jacobian(NODES.sin(y), x)])
    np.testing.assert_array_equal(J, np.zeros((3, 2)))
    (H,) = evaluate([hessian(NODES.sum(NODES.multiply(3.0, x)), x)])
    np.testing.assert_array_equal(H, np.zeros((2, 2)))
    (p,) = evaluate([hvp(NODES.sum(y), x, constant(np.ones(2)))])
    np.testing.assert_array_equal(p, np.zeros(2))
    assert jacobian(NODES.floor(x), x).shape == (2, 2)


def test_single_precision_stays_single():
    x = symbol("x", (3,), "f4")
    y = NODES.add(NODES.sin(x), NODES.sum(x))
    for f in (module._forward, module._reverse):
        assert f(y, x, DERIVATIVES).dtype == np.float32


def test_named_lengths():
    n = Dim("n")
    x = symbol("x", (n,))
    assert jacobian(NODES.sin(x), x).shape == (n, n)
    assert hessian(NODES.sum(NODES.exp(x)), x).shape == (n, n)
    assert jacobian(NODES.sum(x), x).shape == (n,)
    A = symbol("A", (n, 3))
    w = symbol("w", (3,))
    assert jacobian(NODES.matmul(A, w), w) is A


def test_axes_of_length_one_and_zero():
    rng = np.random.default_rng(12)
    for shape in ((1,), (1, 3), (3, 1), (1, 1), (0,), (2, 0)):
        x = leaf(*shape)
        at = rng.random(shape)
        y = NODES.multiply(NODES.sin(x), NODES.sum(x, axis=-1, keepdims=True))
        (J,) = evaluate([jacobian(y, x)], {x: at})
        np.testing.assert_allclose(J, by_rows(y, x, {x: at}), rtol=1e-13, atol=1e-14)


def test_bad_input():
    x = leaf(3)
    with pytest.raises(ShapeError, match="wanted a scalar"):
        hessian(x, x)
    with pytest.raises(ShapeError, match="wanted a scalar"):
        hvp(x, x, x)
    with pytest.raises(ShapeError, match="direction"):
        hvp(NODES.sum(x), x, leaf(2))
    with pytest.raises(ShapeError, match="direction"):
        directional(x, x, leaf(2))


def test_a_gradient_that_clips_is_taken_row_by_row():
    primal = trace(lambda a: NODES.multiply(2.0, a), symbol(None, (3,)))
    clipped = trace(lambda a, g: NODES.clip(g, -0.5, 0.5), symbol(None, (3,)), symbol(None, (3,)))
    x = leaf(3)
    (y,) = NODES.custom_gradient(primal, clipped, (x,))
    J = module._reverse(y, x, DERIVATIVES)
    np.testing.assert_array_equal(evaluate([J], {x: np.ones(3)})[0], 0.5 * np.eye(3))
