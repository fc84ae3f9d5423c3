"""Gradients by plan agree with those that are swept directly, whatever was asked before."""

import random

import numpy as np
import pytest

import symtape as st
from symtape.autodiff import plan
from symtape.autodiff.reverse import ones, reverse
from symtape.autodiff.slice import slice_records
from symtape.compile.evaluate import evaluate
from symtape.ops.namespace import DERIVATIVES
from symtape.ops.op import ZERO
from symtape.tape.derivatives import TO_NODES


def both(tape, target, sources):
    records = slice_records(tape.producer, [target.ident])
    by_plan = plan.planned(records, [target], [None], sources)
    swept = reverse(records, [(target, ones(DERIVATIVES, target.node))], sources, DERIVATIVES, TO_NODES)
    return by_plan, swept


def random_loss(rng, x, y):
    """An expression with shared parts, constants and several shapes."""
    values = [x, y, x * 2, y + 0.5]
    for _ in range(rng.randrange(2, 12)):
        a, b = rng.choice(values), rng.choice(values)
        values.append(
            rng.choice(
                [
                    lambda a=a, b=b: a + b,
                    lambda a=a, b=b: a * b,
                    lambda a=a: np.sin(a),
                    lambda a=a: np.exp(a * 0.1),
                    lambda a=a: a**2,
                    lambda a=a, b=b: np.where(a > b, a, b * 2),
                    lambda a=a, b=b: np.maximum(a, b),
                    lambda a=a: np.sum(a) * np.array([1.0, 2.0, 3.0]),
                    lambda a=a: np.stack([a, a])[1] if a.shape == (3,) else a * 3,
                    lambda a=a: a - 1,
                ]
            )()
        )
    return np.sum(values[-1] * values[-2])


@pytest.mark.parametrize("seed", range(40))
def test_a_plan_gives_what_the_sweep_gives(seed):
    for at in (0.3, 0.7):  # the second time by the plan that the first has left
        rng = random.Random(seed)
        x, y = st.Variable(np.array([at, -1.0, 2.0])), st.Variable(at)
        with st.GradientTape(persistent=True) as tape:
            loss = random_loss(rng, x, y)
        by_plan, swept = both(tape, loss, [x, y])
        for a, b in zip(by_plan, swept, strict=True):
            assert (a is None, a is ZERO) == (b is None, b is ZERO)
            if a is not None and a is not ZERO:
                assert (a.shape, a.dtype) == (b.shape, b.dtype)
                np.testing.assert_allclose(evaluate([a])[0], evaluate([b])[0], rtol=1e-13, atol=1e-13)


def step(loss, *values):
    variables = [st.Variable(v) for v in values]
    with st.GradientTape() as tape:
        y = loss(*variables)
    return [None if g is None else g.numpy() for g in tape.gradient(y, variables)]


def test_the_second_step_runs_the_plan_of_the_first():
    def loss(x):
        return np.arctan(x * 17.5) * x

    before = len(plan._plans)
    step(loss, 1.0)
    made = len(plan._plans)
    step(loss, 2.0)
    assert len(plan._plans) == made
    assert made in (before + 1, before, 1)


def test_scalar_constants_shapes_and_dtypes_are_told_apart():
    assert step(lambda x: x**2, 3.0) == [6.0]
    assert step(lambda x: x**3, 3.0) == [27.0]
    assert step(lambda x: x * 2.0, 3.0) == [2.0]
    assert step(lambda x: x * -0.0, 3.0) == [0.0]
    np.testing.assert_array_equal(step(lambda x: np.sum(x**2), [1.0, 2.0])[0], [2.0, 4.0])
    np.testing.assert_array_equal(step(lambda x: np.sum(x**2), [1.0, 2.0, 3.0])[0], [2.0, 4.0, 6.0])
    (g,) = step(lambda x: np.sum(x**2), np.ones(2, np.float32))
    assert g.dtype == np.float32


def test_params_are_told_apart_by_kind():
    np.testing.assert_array_equal(step(lambda x: np.sum(x, axis=0)[0], np.ones((2, 2)))[0], [[1, 0], [1, 0]])
    np.testing.assert_array_equal(step(lambda x: np.sum(x, axis=1)[0], np.ones((2, 2)))[0], [[1, 1], [0, 0]])
    np.testing.assert_array_equal(step(lambda x: np.sum(x[0:1]), np.ones(2))[0], [1, 0])
    np.testing.assert_array_equal(step(lambda x: np.sum(x[False + 1 : 2]), np.ones(2))[0], [0, 1])


def test_which_sources_and_targets_are_asked_for_makes_a_difference():
    x, y = st.Variable(3.0), st.Variable(2.0)
    with st.GradientTape(persistent=True) as tape:
        p = x * y
        q = p * p
    assert float(tape.gradient(q, p)) == 12.0
    assert float(tape.gradient(q, x)) == 24.0
    assert [float(g) for g in tape.gradient(q, [y, x])] == [36.0, 24.0]
    assert [float(g) for g in tape.gradient(q, [x, y])] == [24.0, 36.0]
    assert float(tape.gradient([q, p], x)) == 26.0
    assert float(tape.gradient(q, x, output_gradients=2.0)) == 48.0
    assert float(tape.gradient(q, x, output_gradients=st.constant(3.0))) == 72.0


def test_equal_arguments_are_not_one_argument():
    assert step(lambda a, b: a * a * b, 2.0, 2.0) == [8.0, 4.0]
    x = st.Variable(2.0)
    with st.GradientTape() as tape:
        y = x * x * x
    assert float(tape.gradient(y, x)) == 12.0


def test_several_versions_of_a_variable_are_swept():
    x = st.Variable(3.0)
    with st.GradientTape(persistent=True) as tape:
        a = x * x
        x.assign(5.0)
        w = a + x * x
    assert plan.planned(slice_records(tape.producer, [w.ident]), [w], [None], [x]) is None
    assert float(tape.gradient(w, x)) == 16.0


def test_long_slices_are_swept():
    x = st.Variable(1.0)
    with st.GradientTape(persistent=True) as tape:
        y = x * 1.0
        for _ in range(plan.MAX_RECORDS):
            y = y + x
    assert plan.planned(slice_records(tape.producer, [y.ident]), [y], [None], [x]) is None
    assert float(tape.gradient(y, x)) == plan.MAX_RECORDS + 1


def test_what_plans_hold_is_bounded():
    x = st.Variable(1.0)
    for k in range(600):
        with st.GradientTape() as tape:
            y = np.sin(x * float(k)) * x
        tape.gradient(y, x)
    assert len(plan._plans) <= plan._KEPT_PLANS
    for k in range(20):
        with st.GradientTape() as tape:
            y = x * float(k)
            for _ in range(plan.MAX_RECORDS // 2 - 1):
                y = np.sin(y) * x
        tape.gradient(y, x)
    assert sum(len(p.steps) for p in plan._plans.values()) <= plan._KEPT_STEPS


def test_arrays_are_data():
    rng = np.random.default_rng(0)

    def loss(v, A, b):
        return np.sum((A @ v - b) ** 2)

    before = None
    for rows in (5, 5):
        A, b = rng.random((rows, 3)), rng.random(rows)
        v = st.Variable(np.ones(3))
        with st.GradientTape() as tape:
            y = loss(v, A, b)
        np.testing.assert_allclose(tape.gradient(y, v).numpy(), 2 * A.T @ (A @ np.ones(3) - b), rtol=1e-13)
        count = len(plan._plans)
        assert before in (None, count)
        before = count
