import math
import time
from dataclasses import dataclass

import numpy as np
import pytest
import scipy.optimize
import scipy.stats

import symtape as st
from symtape.compile.evaluate import evaluate
from symtape.tape.callable_arguments import Spec, Static
from symtape.tape.record_callable import record
from symtape.tape.replay import replay

X = np.array([1.3, 0.7, 0.8])
DATA = np.linspace(0.0, 1.0, 5)


def run(recorded, *arrays):
    values = evaluate(recorded.outputs, dict(zip(recorded.inputs, arrays, strict=True)))
    return recorded.rebuild(values)


def test_arrays_numbers_and_specs_become_inputs_in_order():
    recorded = record(lambda p, x, n: p["a"] * x + p["b"] * n, ({"a": 2.0, "b": Spec((3,))}, X, 3), by="st.function")
    assert [n.params[1] for n in recorded.inputs] == ["p_a", "p_b", "x", "n"]
    assert [n.shape for n in recorded.inputs] == [(), (3,), (3,), ()]
    assert recorded.inputs[3].dtype.kind == "i"
    np.testing.assert_array_equal(run(recorded, 1.0, X, X, 2), 3 * X)


def test_names_follow_the_parameters():
    assert [n.params[1] for n in record(lambda *params: params[0] * params[1], (1.0, 2.0), by="f").inputs] == [
        "params_0",
        "params_1",
    ]
    assert [n.params[1] for n in record(lambda x, **k: x * k["b"], (1.0,), {"b": 2.0}, by="f").inputs] == ["x", "b"]
    assert [n.params[1] for n in record(lambda x: x, (Spec((), name="mine"),), by="f").inputs] == ["mine"]
    assert [n.params[1] for n in record(lambda x: x, (1.0,), by="f", names=["q"]).inputs] == ["q"]
    with pytest.raises(ValueError, match="1 inputs, but 2 names"):
        record(lambda x: x, (1.0,), by="f", names=["q", "r"])


def test_what_is_no_number_is_handed_on():
    seen = []

    def f(x, mode, flag, fixed):
        seen.append((mode, flag, type(fixed)))
        return x

    recorded = record(f, (X, "fast", None, Static(3.0)), by="st.jit")
    assert seen == [("fast", None, float)] * 2
    assert len(recorded.inputs) == 1
    assert recorded.statics == ("fast", None, 3.0)


def test_results_keep_their_structure():
    @dataclass
    class Pair:
        left: object
        right: object

    recorded = record(lambda x: {"a": [x, 2.0], "b": Pair(x * 2, None), "c": (np.ones(2),)}, (X,), by="st.jit")
    result = run(recorded, X)
    np.testing.assert_array_equal(result["a"][0], X)
    assert result["a"][1] == 2.0
    np.testing.assert_array_equal(result["b"].left, 2 * X)
    assert result["b"].right is None
    np.testing.assert_array_equal(result["c"][0], np.ones(2))


def test_a_result_that_is_no_number_is_refused():
    with pytest.raises(TypeError, match=r"st\.minimize returned the str 'text'"):
        record(lambda x: "text", (X,), by="st.minimize")
    with pytest.raises(TypeError, match="complex"):
        record(lambda x: 1j, (X,), by="st.minimize")


def test_single_stacks_lists():
    recorded = record(lambda x: [10 * (x[1] - x[0] ** 2), 1 - x[0]], (X,), by="st.least_squares", single=True)
    (output,) = recorded.outputs
    assert output.shape == (2,)
    np.testing.assert_allclose(run(recorded, X), [10 * (0.7 - 1.69), -0.3])


# --------------------------------------------------------------------------------------------- as typed in SciPy's docs


def test_residuals_as_an_array_of_expressions():
    def residuals(x):
        return np.array([10 * (x[1] - x[0] ** 2), (1 - x[0])])

    recorded = record(residuals, (np.array([2.0, 2.0]),), by="st.least_squares", single=True)
    np.testing.assert_array_equal(run(recorded, np.array([2.0, 2.0])), [-20.0, -1.0])


def test_scipys_rosen_records():
    recorded = record(scipy.optimize.rosen, (X,), by="st.minimize")
    assert run(recorded, X) == pytest.approx(scipy.optimize.rosen(X), rel=1e-14)
    gradient = st.grad(scipy.optimize.rosen)(X)
    np.testing.assert_allclose(gradient, scipy.optimize.rosen_der(X), rtol=1e-13)


def test_unpacking_and_constraints_of_slsqp_record():
    def model(params):
        a, b, c = params
        return a * b + c

    assert run(record(model, (X,), by="st.minimize"), X) == 1.3 * 0.7 + 0.8
    constraints = (
        {"type": "ineq", "fun": lambda x: x[0] - 2 * x[1] + 2},
        {"type": "ineq", "fun": lambda x: np.array([-x[0] - 2 * x[1] + 6, -x[0] + 2 * x[1] + 2])},
    )
    for c in constraints:
        expected = c["fun"](X)
        np.testing.assert_allclose(run(record(c["fun"], (X,), by="st.minimize", single=True), X), expected, rtol=1e-15)


# ---------------------------------------------------------------------------------------------------- numbers taken out


def assignment(x):
    out = np.zeros(2)
    out[0] = x[0]
    return np.sum(out)


def slice_assignment(x):
    out = np.zeros(3)
    out[:] = x
    return np.sum(out)


TAKEN = {
    "float": (lambda x: float(x[0]) * x, "float"),
    "math": (lambda x: math.sin(x[0]) * x, r"write np\.sin\(\.\.\.\) instead of math\.sin"),
    "numpy": (lambda x: x * x.numpy(), r"\.numpy\(\)"),
    "item": (lambda x: x * x[0].item(), r"\.item\(\)"),
    "tolist": (lambda x: x * np.array(x.tolist()), r"\.tolist\(\)"),
    "asarray": (lambda x: np.sum(np.asarray(x, dtype=float)), "np.asarray"),
    "assignment": (assignment, r"np\.stack"),
    "slice": (slice_assignment, r"np\.stack|x\.at"),
    "random": (lambda x: np.random.default_rng(0).normal(x), "number"),
    "scipy": (lambda x: -np.sum(scipy.stats.norm.logpdf(DATA, x[0], x[1])), r"st\.stats"),
}


@pytest.mark.parametrize(("function", "words"), TAKEN.values(), ids=TAKEN.keys())
def test_a_number_taken_out_is_an_error_that_names_the_line(function, words):
    with pytest.raises(st.ConcreteValueError, match=words) as caught:
        record(function, (X,), by="st.minimize")
    assert isinstance(caught.value, TypeError)
    assert "test_record_callable.py:" in str(caught.value)
    assert "st.minimize" in str(caught.value)


def test_scipys_distributions_of_numbers_and_of_scalars():
    def loss(mu, s):
        return -np.sum(scipy.stats.norm.logpdf(DATA, mu, s))

    with pytest.raises(st.ConcreteValueError, match=r"test_record_callable\.py"):
        record(loss, (0.5, 1.0), by="st.minimize")
    ours = record(lambda mu, s: -np.sum(st.stats.norm.logpdf(DATA, mu, s)), (0.5, 1.0), by="st.minimize")
    assert run(ours, 0.5, 1.0) == pytest.approx(-scipy.stats.norm.logpdf(DATA, 0.5, 1.0).sum())


def test_numbers_of_what_cannot_change_may_be_taken():
    c = st.constant([2.0, 3.0])
    recorded = record(lambda x: x * float(np.sum(c)), (X,), by="st.jit")
    np.testing.assert_array_equal(run(recorded, X), 5 * X)


def test_text_for_people_may_be_made():
    texts = []

    def f(x):
        texts.append(f"{x[0]:.1f} {x}")
        return x

    record(f, (X,), by="st.jit")
    assert texts[0].startswith("1.3 ")


def test_other_errors_of_the_function_come_out_as_they_are():
    def f(x):
        raise ValueError("mine")

    with pytest.raises(ValueError, match=r"^mine$"):
        record(f, (X,), by="st.jit")
    with pytest.raises(ValueError, match="sequence"):
        record(lambda x: np.array([[1.0], [1.0, 2.0]]), (X,), by="st.jit")


# ------------------------------------------------------------------------------------------------------------- impurity


def test_random_numbers_are_seen():
    rng = np.random.default_rng(3)
    with pytest.raises(st.ImpureFunctionError, match=r"test_record_callable.py:\d+.*rng\.normal") as caught:
        record(lambda x: np.sum(x**2) + rng.normal(), (X,), by="st.minimize")
    assert isinstance(caught.value, ValueError)
    assert "rerecord" in str(caught.value)


def test_the_first_line_that_differs_is_named():
    rng = np.random.default_rng(3)

    def f(x):
        y = x**2
        z = y * rng.normal()
        w = z + rng.normal()
        return np.sum(w)

    with pytest.raises(st.ImpureFunctionError, match=r"z = y \* rng\.normal"):
        record(f, (X,), by="st.minimize")


def test_large_random_arrays_and_the_clock_are_seen():
    rng = np.random.default_rng(3)
    with pytest.raises(st.ImpureFunctionError):
        record(lambda x: x * np.sum(rng.normal(size=1000) * x[0]), (X,), by="st.jit")
    with pytest.raises(st.ImpureFunctionError):
        record(lambda x: x + time.perf_counter(), (X,), by="st.jit")


def test_counters_and_structures_that_change_are_seen():
    calls = []

    def counting(x):
        calls.append(1)
        return x * len(calls)

    with pytest.raises(st.ImpureFunctionError, match="constant"):
        record(counting, (X,), by="st.jit")

    def growing(x):
        calls.append(1)
        return [x] * len(calls)

    with pytest.raises(st.ImpureFunctionError, match="returned"):
        record(growing, (X,), by="st.jit")

    def changing(x):
        calls.append(1)
        return np.sin(x) if len(calls) % 2 else np.cos(x)

    with pytest.raises(st.ImpureFunctionError, match=r"(sin|cos) was recorded first"):
        record(changing, (X,), by="st.jit")


def test_a_random_decision_is_seen():
    rng = iter([True, False, True, False, True, False])

    def f(x):
        return x if next(rng) and x[0] > 0 else x * 2

    with pytest.raises(st.ImpureFunctionError):
        record(f, (X,), by="st.jit")


def test_pure_functions_with_large_constants_and_own_leaves_pass():
    matrix = np.random.default_rng(0).random((50, 3))

    def f(x):
        own = st.constant([1.0, 2.0])
        return np.sum(matrix @ x) + np.sum(matrix * x) + own[0] * np.random.default_rng(7).normal()

    recorded = record(f, (X,), by="st.jit")
    expected = 2 * (matrix @ X).sum() + np.random.default_rng(7).normal()
    assert run(recorded, X) == pytest.approx(expected)


def test_a_function_that_refuses_other_values_still_records():
    def f(x):
        if x[0] != 1.3:
            raise ValueError("only there")
        return x * 2

    recorded = record(f, (X,), by="st.jit")
    assert len(recorded.guards) == 1


def test_a_branch_that_depends_on_values_still_records():
    def f(x):
        return x * 2 if x[0] < 1.3001 else x * 3

    recorded = record(f, (X,), by="st.jit")
    assert [g.seen for g in recorded.guards] == [True]
    np.testing.assert_array_equal(run(recorded, X), 2 * X)


# ----------------------------------------------------------------------------------- guards, variables, what is outside


def test_decisions_become_guards_over_the_inputs():
    def f(x, n):
        total = x[0] * 0
        for k in range(n):
            total = total + x[k]
        return total if total > 0 else -total

    recorded = record(f, (X, 2), by="st.jit")
    assert [g.how for g in recorded.guards] == ["int", "bool"]
    checks = evaluate([g.condition() for g in recorded.guards], dict(zip(recorded.inputs, [X, 2], strict=True)))
    assert all(checks)
    checks = evaluate([g.condition() for g in recorded.guards], dict(zip(recorded.inputs, [-X, 3], strict=True)))
    assert not any(checks)


def test_a_branch_without_value_is_an_error():
    with pytest.raises(st.SymbolicTruthError, match=r"st\.where"):
        record(lambda x: x if x > 0 else -x, (Spec(),), by="st.vmap")


def test_variables_read_inside_are_hidden_inputs():
    v, w = st.Variable(3.0, name="v"), st.Variable(5.0, name="w")
    outside = w * 2
    recorded = record(lambda x: v * x + outside, (X,), by="st.jit")
    assert recorded.variables == (v,)
    assert recorded.versions == (v.node,)
    v.assign(4.0)
    (again,) = replay(recorded.outputs, recorded.given([st.constant(X)]))
    np.testing.assert_allclose(again.numpy(), 4 * X + 10)


def test_recording_leaves_tapes_and_outer_recordings_alone():
    v = st.Variable(2.0)
    tape = st.GradientTape(persistent=True)
    with tape:
        q = v * v
        before = dict(tape.producer)

        def f(x):
            return q * x if x[0] > 0 else x

        recorded = record(f, (X,), by="st.jit")
        assert tape.producer == before
        assert tape.guards == []
        assert recorded.captured == (q,)
        (y,) = replay(recorded.outputs, recorded.given([st.constant(X)]))
    assert tape.gradient(y, q).item() == X.sum()
    assert tape.gradient(y, v).item() == 4 * X.sum()


def test_decisions_of_inner_transforms_reach_the_outer_recording():
    def inner(y):
        return y**2 if y > 0 else -y

    recorded = record(lambda x: st.grad(inner)(x[0] * 2), (X,), by="st.jit")
    assert [g.seen for g in recorded.guards] == [True]
    (condition,) = evaluate([recorded.guards[0].condition()], {recorded.inputs[0]: -X})
    assert not condition


# ---------------------------------------------------------------------------------------------------------- later calls


def test_later_calls_are_checked_against_what_was_recorded():
    recorded = record(lambda p, x: p["a"] * x, ({"a": 1.0}, X), by="st.jit")
    assert [a.shape for a in recorded.arrays(({"a": 2}, [1, 2, 3]))] == [(), (3,)]
    assert recorded.arrays(({"a": 2}, [1, 2, 3]))[1].dtype == np.float64
    with pytest.raises(ValueError, match=r"x: st\.jit recorded the shape \(3,\), got \(2,\)"):
        recorded.arrays(({"a": 2}, [1, 2]))
    with pytest.raises(ValueError, match=r"given to st\.jit.*keys"):
        recorded.numbers(({"b": 2}, X))
    with pytest.raises(ValueError, match=r"2 entries|1 entries"):
        recorded.numbers(({"a": 2},))
