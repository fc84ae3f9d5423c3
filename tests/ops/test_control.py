"""Ops with bodies: branches, custom gradients, ties; derivatives of any order, batches, errors."""

import numpy as np
import pytest

from symtape.autodiff.batching import batch_graph
from symtape.autodiff.forward import tangents
from symtape.autodiff.jacobian import hessian, hvp, jacobian
from symtape.autodiff.reverse import gradient
from symtape.compile.evaluate import evaluate
from symtape.errors import DTypeError, ShapeError, SingularMatrixError
from symtape.graph.closed import close, trace
from symtape.graph.node import constant, symbol
from symtape.graph.traverse import topological
from symtape.ops.control import CUSTOM_GRADIENT
from symtape.ops.namespace import NODES as B


def leaf(*shape, dtype="f8"):
    return symbol(None, shape, dtype)


def body(function, *shapes):
    return trace(function, *[leaf(*s) for s in shapes])


def count(node, name):
    return sum(n.op.name == name for n in topological([node]))


CUBE = body(lambda x, a: B.multiply(a, B.power(x, 3)), (), ())
WAVE = body(lambda x, a: B.sin(B.multiply(a, x)), (), ())


@pytest.fixture
def branch():
    x, a = leaf(), leaf()
    (y,) = B.cond(B.greater(x, 0), CUBE, WAVE, (x, a))
    return x, a, y


# ---------------------------------------------------------------------------------------------------------------- cond


@pytest.mark.parametrize("at", [2.0, -0.7])
def test_derivatives_of_any_order(branch, at):
    x, a, y = branch
    env = {x: np.array(at), a: np.array(1.5)}
    values = []
    for _ in range(4):
        values.append(float(evaluate([y], env)[0]))
        (y,) = gradient(y, [x])
    t = 1.5 * at
    expected = (
        [1.5 * at**3, 4.5 * at**2, 9 * at, 9.0]
        if at > 0
        else [np.sin(t), 1.5 * np.cos(t), -(1.5**2) * np.sin(t), -(1.5**3) * np.cos(t)]
    )
    np.testing.assert_allclose(values, expected, rtol=1e-13)


@pytest.mark.parametrize("at", [2.0, -0.7])
def test_modes_agree_in_both_branches(branch, at):
    x, a, y = branch
    env = {x: np.array(at), a: np.array(1.5)}
    grads = evaluate(gradient(y, [x, a]), env)
    moved = [evaluate(tangents([y], [v], [B.const(1.0)]), env)[0] for v in (x, a)]
    np.testing.assert_allclose(grads, moved, rtol=1e-14)
    second = evaluate([hvp(y, x, B.const(2.0))], env)[0]
    np.testing.assert_allclose(second, 2 * evaluate([hessian(y, x)], env)[0], rtol=1e-14)


def test_the_gradients_of_all_operands_are_one_cond(branch):
    x, a, y = branch
    gx, ga = gradient(y, [x, a])
    assert gx.inputs[0] is ga.inputs[0]
    assert count(gx, "cond") == 1


def test_only_the_chosen_branch_runs():
    fails = body(lambda m: B.sum(B.inv(m)), (2, 2))
    works = body(B.sum, (2, 2))
    m, p = leaf(2, 2), leaf(dtype="?")
    (y,) = B.cond(p, works, fails, (m,))
    (g,) = gradient(y, [m])
    value, slope = evaluate([y, g], {m: np.zeros((2, 2)), p: np.array(True)})
    assert value == 0
    np.testing.assert_array_equal(slope, np.ones((2, 2)))
    with pytest.raises(SingularMatrixError, match=r"in a body, it stands at .*test_control\.py"):
        evaluate([y], {m: np.zeros((2, 2)), p: np.array(False)})


def test_a_branch_not_taken_leaves_no_nan():
    x = leaf()
    (y,) = B.cond(B.greater(x, 0), body(B.log, ()), body(B.exp, ()), (x,))
    (g,) = gradient(y, [x])
    assert evaluate([g], {x: np.array(-np.inf)})[0] == 0


def test_an_operand_that_one_branch_ignores():
    x, a = leaf(), leaf()
    (y,) = B.cond(B.greater(x, 0), CUBE, body(lambda x, a: B.exp(x), (), ()), (x, a))
    (g,) = gradient(y, [a])
    assert evaluate([g], {x: np.array(2.0), a: np.array(1.0)})[0] == 8
    assert evaluate([g], {x: np.array(-2.0), a: np.array(1.0)})[0] == 0


def test_an_operand_that_both_ignore_has_no_gradient():
    x, a = leaf(), leaf()
    (y,) = B.cond(B.greater(x, 0), body(lambda x, a: B.exp(x), (), ()), body(lambda x, a: B.sin(x), (), ()), (x, a))
    assert gradient(y, [a]) == [None]
    assert tangents([y], [a], [B.const(1.0)]) == [None]


def test_several_results_of_different_kinds():
    yes = body(lambda x: (B.sum(x), B.argmax(x), B.square(x)), (3,))
    no = body(lambda x: (B.prod(x), B.argmin(x), B.sin(x)), (3,))
    x, p = leaf(3), leaf(dtype="?")
    total, place, each = B.cond(p, yes, no, (x,))
    assert (total.shape, place.dtype, each.shape) == ((), np.dtype(np.intp), (3,))
    at = np.array([1.0, 3.0, 2.0])
    for choice, expected in ((True, 1 + 2 * at), (False, 6 / at + np.cos(at))):
        grads = [gradient(o, [x])[0] for o in (total, each)]
        found = evaluate(grads, {x: at, p: np.array(choice)})
        np.testing.assert_allclose(sum(found), expected, rtol=1e-13)
        assert evaluate([place], {x: at, p: np.array(choice)})[0] == (1 if choice else 0)


def test_branches_in_branches():
    inner = lambda x: B.cond(B.greater(x, 1), body(B.square, ()), body(lambda x: B.multiply(3.0, x), ()), (x,))[0]
    outer = body(inner, ())
    x = leaf()
    (y,) = B.cond(B.greater(x, 0), outer, body(B.negative, ()), (x,))
    for at, expected in ((2.0, (4.0, 4.0, 2.0)), (0.5, (1.5, 3.0, 0.0)), (-2.0, (2.0, -1.0, 0.0))):
        (g,) = gradient(y, [x])
        found = evaluate([y, g, hessian(y, x)], {x: np.array(at)})
        np.testing.assert_allclose([float(f) for f in found], expected, rtol=1e-14)


def test_dtypes_of_branches_are_made_alike():
    yes, no = body(lambda x: B.astype(x, "f4"), ()), body(B.exp, ())
    x = leaf()
    (y,) = B.cond(B.greater(x, 0), yes, no, (x,))
    assert y.dtype == np.float64


def test_a_number_is_a_predicate():
    x = leaf()
    (y,) = B.cond(x, CUBE, WAVE, (x, 1.0 * np.ones(())))
    assert evaluate([y], {x: np.array(0.0)})[0] == 0
    assert evaluate([y], {x: np.array(2.0)})[0] == 8


def test_equal_branches_are_one_node():
    x, p = leaf(), leaf(dtype="?")
    make = lambda: B.cond(p, body(lambda x: B.sin(x), ()), body(lambda x: B.cos(x), ()), (x,))[0]
    assert make() is make()


@pytest.mark.parametrize("flags", [(True, True, False), (True, False, False), (False, True, True), (True, True, True)])
def test_batched_branches_are_a_loop(flags):
    p, x, a = leaf(dtype="?"), leaf(), leaf()
    (y,) = B.cond(p, CUBE, WAVE, (x, a))
    outputs = [y, *gradient(y, [x, a])]
    rng = np.random.default_rng(1)
    single = [np.array(True), np.array(0.3), np.array(1.2)]
    stacks = [rng.random(6) < 0.5, rng.standard_normal(6), rng.standard_normal(6)]
    over = [constant(s) if f else None for s, f in zip(stacks, flags, strict=True)]
    env = {n: v for n, v, f in zip((p, x, a), single, flags, strict=True) if not f}
    together = evaluate(batch_graph(outputs, [p, x, a], over), env)
    for k in range(6):
        values = [s[k] if f else v for s, v, f in zip(stacks, single, flags, strict=True)]
        one = evaluate(outputs, dict(zip((p, x, a), values, strict=True)))
        for stack, value in zip(together, one, strict=True):
            np.testing.assert_allclose(stack[k], value, rtol=1e-13)


def test_a_batched_choice_leaves_no_nan_of_the_other_side():
    p, x = leaf(dtype="?"), leaf()
    (y,) = B.cond(p, body(B.log, ()), body(B.exp, ()), (x,))
    values = np.array([1.0, 0.0, -1.0])
    stand_in = leaf(3)
    (batch,) = batch_graph([y], [p, x], [constant(values > 0), stand_in])
    (g,) = gradient(B.sum(batch), [stand_in])
    np.testing.assert_allclose(evaluate([g], {stand_in: values})[0], [1.0, 1.0, np.exp(-1.0)])


def test_the_jacobian_of_a_branch():
    yes, no = body(lambda x: B.sin(x), (3,)), body(lambda x: B.cumsum(x), (3,))
    x, p = leaf(3), leaf(dtype="?")
    (y,) = B.cond(p, yes, no, (x,))
    at = np.array([0.1, 0.2, 0.3])
    J = jacobian(y, x)
    np.testing.assert_allclose(evaluate([J], {x: at, p: np.array(True)})[0], np.diag(np.cos(at)))
    np.testing.assert_allclose(evaluate([J], {x: at, p: np.array(False)})[0], np.tri(3))


def test_bad_branches():
    x, p = leaf(), leaf(dtype="?")
    with pytest.raises(ShapeError, match="branches give different results"):
        B.cond(p, body(lambda x: B.broadcast_to(x, (2,)), ()), body(B.sin, ()), (x,))
    with pytest.raises(ShapeError, match="branches give different results"):
        B.cond(p, body(lambda x: (x, x), ()), body(B.sin, ()), (x,))
    with pytest.raises(TypeError, match="takes 1 operands, got 2"):
        B.cond(p, body(B.sin, ()), body(B.cos, ()), (x, x))
    with pytest.raises(ShapeError, match=r"operand 0 has shape \(2,\)"):
        B.cond(p, body(B.sin, ()), body(B.cos, ()), (leaf(2),))
    with pytest.raises(DTypeError, match=r"np\.where"):
        B.cond(leaf(3, dtype="?"), body(B.sin, ()), body(B.cos, ()), (x,))


def test_what_a_body_takes_from_outside_becomes_an_operand():
    x, outside = leaf(), leaf()
    inside = leaf()
    graph, captured = close([B.multiply(inside, outside)], [inside])
    assert captured == (outside,)
    other, _ = close([B.add(inside, outside)], [inside])
    (y,) = B.cond(B.greater(x, 0), graph, other, (x, *captured))
    gx, go = gradient(y, [x, outside])
    np.testing.assert_array_equal(evaluate([gx, go], {x: np.array(2.0), outside: np.array(5.0)}), [5.0, 2.0])


# ----------------------------------------------------------------------------------------------------- custom gradient


def test_the_users_gradient_counts():
    """``log(1 + exp(x))`` with the gradient that does not overflow, as in TensorFlow's documentation."""
    primal = body(lambda x: B.log1p(B.exp(x)), ())
    stable = body(lambda x, g: B.multiply(g, B.subtract(1.0, B.divide(1.0, B.add(1.0, B.exp(x))))), (), ())
    x = leaf()
    (y,) = B.custom_gradient(primal, stable, (x,))
    (g,) = gradient(y, [x])
    assert evaluate([g], {x: np.array(100.0)})[0] == 1.0
    (gg,) = gradient(g, [x])
    s = 1 / (1 + np.exp(-0.3))
    assert evaluate([gg], {x: np.array(0.3)})[0] == pytest.approx(s * (1 - s))


def wrong_on_purpose():
    """``x*y`` that claims other gradients, so that one sees which is used."""
    primal = body(lambda x, y: B.multiply(x, y), (2,), (2,))
    claimed = body(lambda x, y, g: (B.multiply(10.0, g), B.multiply(g, B.sin(y))), (2,), (2,), (2,))
    return primal, claimed


def test_forward_mode_uses_the_users_gradient_too():
    x, y = leaf(2), leaf(2)
    (z,) = B.custom_gradient(*wrong_on_purpose(), (x, y))
    env = {x: np.array([1.0, 2.0]), y: np.array([0.3, 0.4])}
    t = np.array([1.0, -2.0])
    (moved,) = tangents([z], [x], [constant(t)])
    np.testing.assert_allclose(evaluate([moved], env)[0], 10 * t)
    J = jacobian(z, y)
    np.testing.assert_allclose(evaluate([J], env)[0], np.diag(np.sin([0.3, 0.4])))
    product = hvp(B.sum(z), y, constant(t))
    np.testing.assert_allclose(evaluate([product], env)[0], np.cos([0.3, 0.4]) * t)


def test_several_results_share_one_gradient():
    primal = body(lambda x: (B.square(x), B.sin(x)), ())
    together = body(lambda x, g, h: B.multiply(B.add(g, h), x), (), (), ())
    x = leaf()
    a, b = B.custom_gradient(primal, together, (x,))
    (g,) = gradient(B.add(B.multiply(2.0, a), b), [x])
    assert evaluate([g], {x: np.array(5.0)})[0] == 15.0
    (only_second,) = gradient(b, [x])
    assert evaluate([only_second], {x: np.array(5.0)})[0] == 5.0


def test_no_gradient_flows_where_the_user_says_none():
    primal = body(lambda x, y: B.multiply(x, y), (), ())
    first = body(lambda x, y, g: B.multiply(g, y), (), (), ())
    x, y = leaf(), leaf()
    (z,) = B.custom_gradient(primal, first, (x, y), (True, False))
    gx, gy = gradient(z, [x, y])
    assert gx is not None
    assert gy is None
    assert tangents([z], [y], [B.const(1.0)]) == [None]


def test_batched_custom_gradients_are_a_loop():
    x, y = leaf(2), leaf(2)
    (z,) = B.custom_gradient(*wrong_on_purpose(), (x, y))
    rng = np.random.default_rng(3)
    xs, shared = rng.random((4, 2)), rng.random(2)
    stand_in = leaf(4, 2)
    (batch,) = batch_graph([z], [x, y], [stand_in, None])
    assert any(n.op is CUSTOM_GRADIENT for n in topological([batch]))
    env = {stand_in: xs, y: shared}
    np.testing.assert_allclose(evaluate([batch], env)[0], xs * shared)
    gx, gy = evaluate(gradient(B.sum(batch), [stand_in, y]), env)
    np.testing.assert_allclose(gx, np.full((4, 2), 10.0))
    np.testing.assert_allclose(gy, 4 * np.sin(shared))


def test_a_gradient_of_another_shape_is_refused():
    primal = body(lambda x: B.sum(x), (3,))
    with pytest.raises(ShapeError, match=r"gradients have shapes \[\(\)\], wanted those of the arguments: \[\(3,\)\]"):
        B.custom_gradient(primal, body(lambda x, g: g, (3,), ()), (leaf(3),))
    with pytest.raises(TypeError, match="takes 1 operands"):
        B.custom_gradient(primal, body(lambda x: x, (3,)), (leaf(3),))


# --------------------------------------------------------------------------------------------------------- tie, inline


def test_a_tied_derivative_is_connected_to_all_of_its_target():
    x, y, z = leaf(), leaf(), leaf()
    target = B.multiply(B.multiply(3.0, x), y)
    tied = B.tie(B.multiply(3.0, y), target)
    gx, gy, gz = gradient(tied, [x, y, z])
    assert gz is None
    assert evaluate([gx, gy], {x: np.array(2.0), y: np.array(5.0)}) == [0.0, 3.0]
    assert evaluate([jacobian(tied, x)], {x: np.array(2.0), y: np.array(5.0)}) == [0.0]


def test_a_body_can_stand_in_line():
    x, a = leaf(), leaf()
    (y,) = B.inline(CUBE, (x, a))
    assert y is B.multiply(a, B.power(x, 3))
    with pytest.raises(TypeError, match="takes 2 operands"):
        B.inline(CUBE, (x,))


def test_inline_with_several_results_and_constants():
    graph = body(lambda m: (*B.slogdet(m), B.slogdet(B.const(np.eye(2)))[1]), (2, 2))
    m = leaf(2, 2)
    sign, logdet, zero = B.inline(graph, (m,))
    assert logdet is B.slogdet(m)[1]
    assert sign is B.slogdet(m)[0]
    assert evaluate([zero])[0] == 0
