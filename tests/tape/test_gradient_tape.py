"""`GradientTape`, row by row of TensorFlow's semantics."""

import dataclasses
import pickle
import warnings
from typing import Any, NamedTuple

import numpy as np
import pytest

import symtape as st
from symtape.errors import NoGradientWarning, ShapeError


def value(tensor):
    return None if tensor is None else tensor.numpy()


def test_the_lesson():
    x, y = st.Variable(3.0, name="x"), st.Variable(2.0, name="y")
    with st.GradientTape() as tape:
        z = x**2 * y + np.sin(y)
    dz_dx, dz_dy = tape.gradient(z, [x, y])
    assert float(dz_dx) == 12.0
    assert float(dz_dy) == 9.0 + np.cos(2.0)


# ----------------------------------------------------------------------------------------------------- use and entering


@pytest.mark.parametrize("first", ["gradient", "jacobian", "hessian"])
@pytest.mark.parametrize("second", ["gradient", "jacobian", "hessian"])
def test_a_second_use_is_refused_with_tensorflows_words(first, second):
    x = st.Variable(3.0)
    with st.GradientTape() as tape:
        y = x * x
    getattr(tape, first)(y, x)
    with pytest.raises(
        RuntimeError, match=r"can only be used to compute one set of gradients \(or jacobians\)"
    ) as error:
        getattr(tape, second)(y, x)
    assert "persistent=True" in str(error.value)


def test_a_second_batch_jacobian_is_refused():
    x = st.Variable(np.ones((2, 2)))
    with st.GradientTape() as tape:
        y = x * x
    tape.batch_jacobian(y, x)
    with pytest.raises(RuntimeError, match="one set of gradients"):
        tape.batch_jacobian(y, x)


def test_a_persistent_tape_gives_any_pair_any_number_of_times():
    x = st.Variable(2.0)
    with st.GradientTape(persistent=True) as tape:
        p = x**2
        q = np.exp(p)
        w = np.log(q) + 3 * q
    for _ in range(2):
        np.testing.assert_allclose(value(tape.gradient(q, x)), 4 * np.exp(4.0), rtol=1e-14)
        np.testing.assert_allclose(value(tape.gradient(w, q)), 3 + np.exp(-4.0), rtol=1e-14)
        assert value(tape.gradient(p, x)) == 4.0
    assert tape.gradient(p, q) is None


def test_a_wrong_call_does_not_use_the_tape_up():
    x = st.Variable(3.0)
    with st.GradientTape() as tape:
        y = x * x
    with pytest.raises(TypeError):
        tape.gradient(None, x)
    with pytest.raises(ValueError, match="Unknown value for unconnected_gradients"):
        tape.gradient(y, x, unconnected_gradients="nil")
    assert value(tape.gradient(y, x)) == 6.0


def test_entering_an_active_tape_is_an_error():
    with st.GradientTape() as tape, pytest.raises(ValueError, match="Tape is still recording"):
        tape.__enter__()


def test_a_closed_tape_may_be_entered_again_and_goes_on():
    x = st.Variable(3.0)
    with st.GradientTape() as tape:
        y = x * x
    with tape:
        z = y * x
    assert value(tape.gradient(z, x)) == 27.0


def test_a_used_tape_that_is_entered_again_begins_anew():
    x = st.Variable(3.0)
    with st.GradientTape() as tape:
        y = x * x
    assert value(tape.gradient(y, x)) == 6.0
    with tape:
        z = x * 5
    assert value(tape.gradient(z, x)) == 5.0


def test_a_gradient_inside_of_the_block_ends_the_recording():
    x = st.Variable(3.0)
    with st.GradientTape() as tape:
        y = x * x
        assert value(tape.gradient(y, x)) == 6.0
        z = y * x
    assert tape.producer.get(z.ident) is None
    with pytest.raises(RuntimeError, match="non-persistent"):
        tape.gradient(z, x)


def test_an_exception_inside_of_the_block_leaves_no_tape_behind():
    from symtape.tape.recording import active_tapes

    with pytest.raises(ZeroDivisionError), st.GradientTape():
        1 / 0
    assert active_tapes() == []


# ----------------------------------------------------------------------------------------------------------- structures


class Pair(NamedTuple):
    left: Any
    right: Any


@dataclasses.dataclass
class Layer:
    weight: object
    bias: object


@pytest.fixture
def quadratic():
    a, b = st.Variable(2.0, name="a"), st.Variable(5.0, name="b")
    with st.GradientTape(persistent=True) as tape:
        y = a * a * b
    return tape, y, a, b  # dy/da = 20, dy/db = 4


def test_sources_come_back_in_their_structure(quadratic):
    tape, y, a, b = quadratic
    assert [value(g) for g in tape.gradient(y, [a, b])] == [20.0, 4.0]
    assert isinstance(tape.gradient(y, (a, b)), tuple)
    found = tape.gradient(y, {"b": b, "deep": [a, (b,)]})
    assert list(found) == ["b", "deep"]
    assert value(found["b"]) == 4.0
    assert value(found["deep"][0]) == 20.0
    assert value(found["deep"][1][0]) == 4.0
    pair = tape.gradient(y, Pair(a, b))
    assert isinstance(pair, Pair)
    assert (value(pair.left), value(pair.right)) == (20.0, 4.0)
    layer = tape.gradient(y, Layer(weight=b, bias=[a]))
    assert isinstance(layer, Layer)
    assert value(layer.weight) == 4.0
    assert value(layer.bias[0]) == 20.0
    assert tape.gradient(y, []) == []


def test_repeated_sources_each_get_the_full_gradient(quadratic):
    tape, y, a, b = quadratic
    assert [value(g) for g in tape.gradient(y, [a, b, a])] == [20.0, 4.0, 20.0]


def test_a_target_that_is_no_scalar_is_summed():
    x = st.Variable([1.0, 2.0, 3.0])
    with st.GradientTape() as tape:
        y = x**2
    np.testing.assert_array_equal(value(tape.gradient(y, x)), [2.0, 4.0, 6.0])


def test_several_targets_add_up(quadratic):
    tape, y, a, b = quadratic
    with tape:
        z = 10 * a
    assert value(tape.gradient([y, z], a)) == 30.0
    assert value(tape.gradient({"y": y, "more": (z, z)}, a)) == 40.0
    assert [value(g) for g in tape.gradient([y, y], [a, b])] == [40.0, 8.0]


def test_a_list_of_tensors_in_an_array_is_a_target():
    x, y = st.Variable(3.0), st.Variable(2.0)
    with st.GradientTape() as tape:
        z = np.array([x * y, x])
    assert [value(g) for g in tape.gradient(z, [x, y])] == [3.0, 3.0]


@pytest.mark.parametrize("target", [3.0, np.ones(2), "y", [1.0]])
def test_a_target_that_is_no_tensor_is_refused(quadratic, target):
    tape, _, a, _ = quadratic
    with pytest.raises(TypeError, match="the target must be a tensor"):
        tape.gradient(target, a)


def test_the_target_none_is_refused_with_tensorflows_words(quadratic):
    tape, _, a, _ = quadratic
    with pytest.raises(TypeError, match=r"Argument `target` should be a list or nested structure.*but received None"):
        tape.gradient(None, a)


@pytest.mark.parametrize("source", [3.0, None, "x", np.ones(3)])
def test_a_source_that_is_no_tensor_is_refused(quadratic, source):
    tape, y, a, _ = quadratic
    with pytest.raises(TypeError, match="source number 1 must be a tensor"):
        tape.gradient(y, [a, source])


# ----------------------------------------------------------------------------------------------------- output_gradients


def test_output_gradients_weigh_elements():
    x = st.Variable([1.0, 2.0])
    with st.GradientTape(persistent=True) as tape:
        y = x**2
        z = 3 * x
    np.testing.assert_array_equal(value(tape.gradient(y, x, output_gradients=[1.0, 10.0])), [2.0, 40.0])
    np.testing.assert_array_equal(value(tape.gradient(y, x, output_gradients=np.array([1, 10]))), [2.0, 40.0])
    np.testing.assert_array_equal(value(tape.gradient(y, x, output_gradients=[st.constant([1.0, 10.0])])), [2.0, 40.0])
    both = tape.gradient([y, z], x, output_gradients=[[1.0, 10.0], None])
    np.testing.assert_array_equal(value(both), [5.0, 43.0])
    nested = tape.gradient({"y": y, "z": (z,)}, x, output_gradients={"z": ([1.0, 2.0],), "y": None})
    np.testing.assert_array_equal(value(nested), [5.0, 10.0])
    np.testing.assert_array_equal(value(tape.gradient(y, x, output_gradients=None)), [2.0, 4.0])
    np.testing.assert_array_equal(value(tape.gradient([y], x, output_gradients=[None])), [2.0, 4.0])


def test_output_gradients_of_scalars():
    x = st.Variable(3.0)
    with st.GradientTape(persistent=True) as tape:
        y, z = x * x, x * 2
    assert value(tape.gradient(y, x, output_gradients=2.0)) == 12.0
    assert value(tape.gradient([y, z], x, output_gradients=[2.0, 5])) == 22.0


@pytest.mark.parametrize("weights", [[[1.0, 1.0]], [None, None, None], {"y": None, "z": None}])
def test_output_gradients_of_the_wrong_count_are_refused(weights):
    x = st.Variable([1.0, 2.0])
    with st.GradientTape(persistent=True) as tape:
        y, z = x**2, x * 3
    with pytest.raises(ValueError, match="output_gradients"):
        tape.gradient([y, z], x, output_gradients=weights)


def test_output_gradients_of_the_wrong_shape_are_refused():
    x = st.Variable([1.0, 2.0])
    with st.GradientTape(persistent=True) as tape:
        y = x**2
    with pytest.raises(ShapeError, match=r"output_gradients\[0\] has shape \(3,\), wanted that of its target: \(2,\)"):
        tape.gradient(y, x, output_gradients=np.ones(3))
    with pytest.raises(ShapeError, match=r"has shape \(\)"):
        tape.gradient(y, x, output_gradients=1.0)


def test_output_gradients_can_be_differentiated():
    x, w = st.Variable(3.0), st.Variable(4.0)
    with st.GradientTape() as outer:
        with st.GradientTape() as tape:
            y = x * x
        g = tape.gradient(y, x, output_gradients=w)
    assert value(outer.gradient(g, w)) == 6.0


# -------------------------------------------------------------------------------------------------------- not connected


def test_unconnected_sources_are_none_or_zero():
    x, other = st.Variable([1.0, 2.0]), st.Variable(np.ones((2, 3), np.float32), dtype=np.float32)
    with st.GradientTape(persistent=True) as tape:
        y = x * 2
        other * 1
    assert tape.gradient(y, other) is None
    zero = tape.gradient(y, [x, other], unconnected_gradients="zero")[1]
    assert zero.dtype == np.float32
    np.testing.assert_array_equal(value(zero), np.zeros((2, 3)))


@pytest.mark.parametrize("option", ["None", "NONE", None, 0, "zeros"])
def test_an_unknown_option_is_a_value_error(quadratic, option):
    tape, y, a, _ = quadratic
    with pytest.raises(ValueError, match="Unknown value for unconnected_gradients"):
        tape.gradient(y, a, unconnected_gradients=option)


def test_what_is_not_watched_is_none():
    c, k = st.constant(2.0), st.Variable(3.0, trainable=False)
    s = st.symbol("s")
    x = st.Variable(1.0)
    with st.GradientTape(persistent=True) as tape:
        y = c * k * s * x
    assert tape.gradient(y, [c, k, s]) == [None, None, None]
    assert tape.gradient(y, x).expr == (c * k * s).expr


def test_watch_makes_anything_a_source():
    c, k = st.constant(2.0), st.Variable(3.0, trainable=False)
    s = st.symbol("s")
    with st.GradientTape(persistent=True) as tape:
        tape.watch([c, {"k": k}, (s,)])
        y = c * k * s
    assert [g.expr for g in tape.gradient(y, [c, k, s])] == [(k * s).expr, (c * s).expr, (c * k).expr]


@pytest.mark.parametrize("thing", [np.ones(3), 1.0, "x", None, [st.constant(1.0), 2.0]])
def test_watching_what_is_no_tensor_is_a_value_error(thing):
    with st.GradientTape() as tape, pytest.raises(ValueError, match="not Tensor or Variable"):
        tape.watch(thing)


def test_watch_counts_from_then_on():
    c = st.constant(4.0)
    with st.GradientTape() as tape:
        q = c * 2
        tape.watch(c)
        w = c * 3 + q
    assert value(tape.gradient(w, c)) == 3.0


def test_variables_are_left_alone_on_demand():
    x, y = st.Variable(2.0), st.Variable(3.0)
    with st.GradientTape(persistent=True, watch_accessed_variables=False) as tape:
        tape.watch(x)
        z = x * y
    assert value(tape.gradient(z, x)) == 3.0
    assert tape.gradient(z, y) is None
    assert tape.watched_variables() == (x,)


def test_a_source_that_is_the_target_has_the_gradient_one():
    x, c = st.Variable([2.0, 3.0]), st.constant(5.0)
    with st.GradientTape(persistent=True) as tape:
        x * 1
    np.testing.assert_array_equal(value(tape.gradient(x, x)), [1.0, 1.0])
    assert value(tape.gradient(c, c)) == 1.0


def test_a_source_among_several_targets_adds_one():
    x, y = st.constant(3.0), st.constant(5.0)
    with st.GradientTape(persistent=True) as tape:
        tape.watch([x, y])
        z = y * y
    assert value(tape.gradient([z, y], y)) == 11.0
    assert [value(g) for g in tape.gradient([x, y, z], [x, y])] == [1.0, 11.0]


def test_pythons_max_picks_a_variable():
    x = [st.Variable(2.0), st.Variable(3.0), st.Variable(5.0)]
    with st.GradientTape() as tape:
        y = max(x)
    assert [value(g) for g in tape.gradient(y, x)] == [None, None, 1.0]


def test_watching_concerns_one_tape():
    a, b = st.constant(2.0), st.constant(3.0)
    with st.GradientTape() as first, st.GradientTape() as second:
        first.watch(a)
        second.watch(b)
        z = a * b
    assert [value(g) for g in first.gradient(z, [a, b])] == [3.0, None]
    assert [value(g) for g in second.gradient(z, [a, b])] == [None, 2.0]


def test_jacobians_inside_of_the_block():
    x, m = st.Variable(3.0), st.Variable([[1.0, 2.0], [3.0, 4.0]])
    with st.GradientTape() as tape:
        y = x * x
        assert value(tape.jacobian(y * y, x)) == 108.0
    with st.GradientTape() as tape:
        rows = tape.batch_jacobian(m * m, m)
    np.testing.assert_array_equal(value(rows), [np.diag([2.0, 4.0]), np.diag([6.0, 8.0])])


def test_a_gradient_penalty():
    rng = np.random.default_rng(0)
    x, w = st.constant(rng.random((4, 3))), st.Variable(rng.random((3, 2)))
    with st.GradientTape() as outer:
        with st.GradientTape(watch_accessed_variables=False) as inner:
            inner.watch(x)
            out = np.sum((x @ w) ** 2)
        g = inner.gradient(out, x)
        penalty = np.sum(g**2)
    X, W = x.numpy(), w.numpy()
    G = 2 * X @ W @ W.T
    expected = 4 * (X.T @ G @ W + G.T @ X @ W)
    np.testing.assert_allclose(value(outer.gradient(penalty, w)), expected, rtol=1e-13)


def test_a_target_that_was_not_recorded_gives_none():
    x = st.Variable(2.0)
    y = x * x
    with st.GradientTape() as tape:
        x * 1
    assert tape.gradient(y, x) is None


def test_an_integer_source_gives_none_and_a_warning():
    n = st.Variable(3, dtype=np.int64)
    with st.GradientTape(persistent=True) as tape:
        y = n * 2.0
    with pytest.warns(NoGradientWarning, match="there is no gradient in integers") as caught:
        assert tape.gradient(y, n) is None
    assert caught[0].filename == __file__


def test_integers_without_a_dtype_are_floats():
    assert st.Variable(3).dtype == np.float64
    assert st.constant([1, 2]).dtype == np.float64
    assert st.Variable(3, dtype=int).dtype == np.int64


def test_no_gradient_comes_out_of_integers():
    x = st.Variable([1.0, 3.0])
    with st.GradientTape(persistent=True) as tape:
        where = np.argmax(x)
        steps = np.floor(x)
    assert tape.gradient(where, x) is None
    assert tape.gradient(steps, x) is None
    assert tape.gradient(np.sign(x), x) is None


# ----------------------------------------------------------------------------------------------------- stop and restart


def test_stop_recording_leaves_out_what_runs_inside():
    x = st.Variable(3.0)
    with st.GradientTape(persistent=True) as tape:
        a = x * x
        with tape.stop_recording():
            b = a * x
        w = a + b
    assert value(tape.gradient(w, x)) == 6.0
    assert tape.gradient(b, x) is None


def test_stop_recording_concerns_this_tape_only():
    x = st.Variable(3.0)
    with st.GradientTape() as outer, st.GradientTape() as inner:
        x * 1
        with inner.stop_recording():
            b = x * x
    assert inner.gradient(b, x) is None
    assert value(outer.gradient(b, x)) == 6.0


def test_stop_recording_needs_a_recording():
    tape = st.GradientTape()
    with (
        pytest.raises(RuntimeError, match="Trying to stop recording a tape which is not recording"),
        tape.stop_recording(),
    ):
        pass
    x = st.Variable(1.0)
    with tape:
        x * 1
    with pytest.raises(ValueError, match="Tape is not recording"), tape.stop_recording():
        pass


def test_a_gradient_may_be_taken_while_the_recording_is_stopped():
    x = st.Variable(3.0)
    with st.GradientTape(persistent=True) as tape:
        y = x**3
        with tape.stop_recording():
            g = tape.gradient(y, x)
        z = g * 2 + x
    assert value(tape.gradient(z, x)) == 1.0


def test_reset_forgets():
    x, y = st.Variable(3.0), st.Variable(4.0)
    with st.GradientTape() as tape:
        z = x * x
        tape.reset()
        w = z * y
    assert tape.watched_variables() == (y,)
    assert [value(g) for g in tape.gradient(w, [x, y])] == [None, 9.0]


def test_reset_outside_is_an_error():
    tape = st.GradientTape()
    with pytest.raises(ValueError, match="Tape is not recording"):
        tape.reset()


def test_watched_variables_come_in_the_order_in_which_they_were_made():
    a, b, c = (st.Variable(1.0, name=n) for n in "abc")
    k = st.Variable(1.0, trainable=False)
    with st.GradientTape() as tape:
        c * a * k
        b * st.constant(2.0)
    assert tape.watched_variables() == (a, b, c)
    assert all(t is v for t, v in zip(tape.watched_variables(), (a, b, c), strict=True))


# --------------------------------------------------------------------------------------------------- several identities


def test_equal_constants_are_different_sources():
    a, b = st.constant(2.0), st.constant(2.0)
    with st.GradientTape() as tape:
        tape.watch([a, b])
        w = a * a * b
    assert [value(g) for g in tape.gradient(w, [a, b])] == [8.0, 4.0]


def test_x_plus_zero_is_a_source_of_its_own():
    x = st.Variable(3.0)
    with st.GradientTape(persistent=True) as tape:
        u = x + 0
        w = u * x
    assert value(tape.gradient(w, u)) == 3.0
    assert value(tape.gradient(w, x)) == 6.0
    assert value(tape.gradient(u, x)) == 1.0


def test_equal_intermediates_are_different_sources():
    x = st.Variable(3.0)
    with st.GradientTape(persistent=True) as tape:
        first, second = np.sin(x), np.sin(x)
        w = first * second * second
    assert first.node is second.node
    np.testing.assert_allclose(value(tape.gradient(w, first)), np.sin(3.0) ** 2, rtol=1e-15)
    np.testing.assert_allclose(value(tape.gradient(w, second)), 2 * np.sin(3.0) ** 2, rtol=1e-15)
    assert tape.gradient(first, second) is None


def test_intermediates_are_sources_and_targets():
    x = st.Variable(2.0)
    with st.GradientTape(persistent=True) as tape:
        p = x**2
        q = p**3
        y = q * p
    assert value(tape.gradient(q, p)) == 48.0
    assert value(tape.gradient(p, x)) == 4.0
    assert value(tape.gradient(y, q)) == 4.0  # p as it is
    assert value(tape.gradient(y, p)) == 4 * 4.0**3  # through q as well
    assert value(tape.gradient(y, x)) == 4 * 4.0**3 * 4.0
    assert [value(g) for g in tape.gradient(y, [q, p, x])] == [4.0, 256.0, 1024.0]


# -------------------------------------------------------------------------------------------------------- higher orders


def test_nested_tapes():
    x = st.Variable(3.0)
    with st.GradientTape() as t3:
        with st.GradientTape() as t2:
            with st.GradientTape() as t1:
                f = np.sin(x * x) * x
            d1 = t1.gradient(f, x)
        d2 = t2.gradient(d1, x)
    d3 = t3.gradient(d2, x)
    s, c = np.sin(9.0), np.cos(9.0)
    np.testing.assert_allclose(value(d1), s + 18 * c, rtol=1e-14)
    np.testing.assert_allclose(value(d2), 18 * c - 108 * s, rtol=1e-13)
    np.testing.assert_allclose(value(d3), 6 * c - 24 * 9 * s - 8 * 81 * c, rtol=1e-12)


def test_tapes_may_close_in_any_order():
    x = st.Variable(3.0)
    outer, inner = st.GradientTape(), st.GradientTape()
    inner.__enter__()
    outer.__enter__()
    y = x**3
    inner.__exit__(None, None, None)
    g = inner.gradient(y, x)
    outer.__exit__(None, None, None)
    assert value(g) == 27.0
    assert value(outer.gradient(g, x)) == 18.0


def test_orders_on_one_persistent_tape():
    x = st.Variable(3.0)
    with st.GradientTape(persistent=True) as tape:
        f = x**4
        d1 = tape.gradient(f, x)
        d2 = tape.gradient(d1, x)
        d3 = tape.gradient(d2, x)
    assert [value(d) for d in (d1, d2, d3)] == [108.0, 108.0, 72.0]
    assert value(tape.gradient(d3, x)) == 24.0
    assert value(tape.gradient(d1, x)) == 108.0


def test_equal_squares_as_sources_of_a_second_order():
    x, y = st.Variable(3.0), st.Variable(1.0)
    with st.GradientTape(persistent=True) as tape:
        p1, p2 = x**2, x**2
        w = p1 * p2
        g1 = tape.gradient(w, p1)
        gx = tape.gradient(w, x)
        assert value(tape.gradient(g1, p1)) == 0.0
        assert value(tape.gradient(g1, p2)) == 1.0
        assert value(tape.gradient(g1, x)) == 6.0
        assert tape.gradient(g1, y) is None
        assert [value(g) for g in tape.gradient(gx, [p1, p2])] == [6.0, 6.0]
        assert value(tape.gradient(gx, x)) == 108.0


def test_a_recorded_derivative_is_connected_to_all_that_its_target_depends_on():
    x, y, unused = st.Variable(3.0), st.Variable(2.0), st.Variable(1.0)
    with st.GradientTape(persistent=True) as tape:
        linear = 3 * x + y
        slope = tape.gradient(linear, x)
    assert value(slope) == 3.0
    assert [value(g) for g in tape.gradient(slope, [x, y])] == [0.0, 0.0]
    assert tape.gradient(slope, unused) is None


def test_a_derivative_is_another_source_than_what_it_equals():
    x, y = st.Variable(3.0), st.Variable(2.0)
    with st.GradientTape(persistent=True) as tape:
        z = x * y
        g = tape.gradient(z, x)  # y, but not the very tensor
        w = g * g * y
    assert value(tape.gradient(w, g)) == 8.0
    assert value(tape.gradient(w, y)) == 12.0


def test_the_exponential_flows_through_its_own_result():
    x = st.Variable(1.0)
    with st.GradientTape(persistent=True) as tape:
        e = np.exp(x)
        g = tape.gradient(e, x)
    assert value(tape.gradient(g, e)) == 1.0


# ------------------------------------------------------------------------------------------------------------ assigning


def test_the_tape_keeps_the_value_read_when_it_recorded():
    x = st.Variable(3.0)
    with st.GradientTape(persistent=True) as tape:
        a = x * x
        x.assign(5.0)
        b = x * x
        w = a + b
    assert value(tape.gradient(a, x)) == 6.0
    assert value(tape.gradient(b, x)) == 10.0
    assert value(tape.gradient(w, x)) == 16.0
    np.testing.assert_array_equal(value(tape.jacobian(w, x)), 16.0)
    assert value(tape.hessian(w, x)) == 4.0


def test_no_gradient_flows_through_assign():
    x, v = st.Variable(3.0), st.Variable(0.0)
    with st.GradientTape(persistent=True) as tape:
        v.assign(x * x)
        y = v * 2
    assert tape.gradient(y, x) is None
    assert value(tape.gradient(y, v)) == 2.0
    assert v.node.inputs == ()


# ------------------------------------------------------------------------------------------------------------ jacobians


def test_the_jacobian_of_one_target():
    rng = np.random.default_rng(0)
    A, x = st.constant(rng.random((3, 2))), st.Variable(rng.random(2))
    with st.GradientTape(persistent=True) as tape:
        y = np.sin(A @ x)
        scalar = np.sum(y)
    expected = np.cos(A.numpy() @ x.numpy())[:, None] * A.numpy()
    np.testing.assert_allclose(value(tape.jacobian(y, x)), expected, rtol=1e-14)
    np.testing.assert_allclose(value(tape.jacobian(scalar, x)), expected.sum(0), rtol=1e-14)
    assert tape.jacobian(scalar, {"x": [x]})["x"][0].shape == (2,)


def test_jacobians_have_the_shape_of_target_and_source():
    m = st.Variable(np.arange(6.0).reshape(2, 3))
    with st.GradientTape() as tape:
        y = m.T * 2.0
    found = tape.jacobian(y, m)
    assert found.shape == (3, 2, 2, 3)
    expected = np.zeros((3, 2, 2, 3))
    for i in range(3):
        for j in range(2):
            expected[i, j, j, i] = 2.0
    np.testing.assert_array_equal(value(found), expected)


def test_unconnected_jacobians():
    x, y = st.Variable([1.0, 2.0]), st.Variable([3.0, 4.0, 5.0])
    with st.GradientTape(persistent=True) as tape:
        z = x * 2
    assert tape.jacobian(z, y) is None
    zero = tape.jacobian(z, y, unconnected_gradients="zero")
    np.testing.assert_array_equal(value(zero), np.zeros((2, 3)))


def test_a_jacobian_in_an_intermediate_and_what_is_below_it():
    x = st.Variable([1.0, 2.0])
    with st.GradientTape(persistent=True) as tape:
        q = x * x
        y = q * q
    inner, whole = tape.jacobian(y, [q, x])
    np.testing.assert_array_equal(value(inner), np.diag([2.0, 8.0]))
    np.testing.assert_array_equal(value(whole), np.diag([4.0, 32.0]))


def test_a_jacobian_takes_one_target():
    x = st.Variable([1.0, 2.0])
    with st.GradientTape(persistent=True) as tape:
        y = x * 2
    with pytest.raises(TypeError, match="one target"):
        tape.jacobian([y, y], x)
    with pytest.raises(TypeError, match="but received None"):
        tape.jacobian(None, x)


def test_a_jacobian_that_a_tape_records_can_be_differentiated():
    x, k = st.Variable([1.0, 2.0]), st.Variable(3.0)
    with st.GradientTape(persistent=True) as outer:
        with st.GradientTape() as tape:
            q = k * x
            y = q**3
        J = tape.jacobian(y, x)  # 3 k**3 x**2 on the diagonal
        trace = np.trace(J)
    np.testing.assert_allclose(value(J), np.diag([81.0, 324.0]), rtol=1e-14)
    np.testing.assert_allclose(value(outer.gradient(trace, k)), 9 * 9 * 5.0, rtol=1e-14)
    np.testing.assert_allclose(value(outer.gradient(trace, x)), 6 * 27 * np.array([1.0, 2.0]), rtol=1e-14)
    np.testing.assert_allclose(value(outer.gradient(trace, q)), [6 * 3.0 * 3.0, 6 * 6.0 * 3.0], rtol=1e-14)


def test_the_batch_jacobian_has_a_block_a_row():
    rng = np.random.default_rng(1)
    A, x = rng.random((2, 3)), st.Variable(rng.random((4, 3)))
    with st.GradientTape() as tape:
        y = np.sin(x @ A.T)
    found = tape.batch_jacobian(y, x)
    expected = np.cos(x.numpy() @ A.T)[:, :, None] * A
    np.testing.assert_allclose(value(found), expected, rtol=1e-14)


def test_batch_jacobians_of_more_axes():
    x = st.Variable(np.arange(12.0).reshape(2, 3, 2))
    with st.GradientTape() as tape:
        y = np.transpose(x, (0, 2, 1)) ** 2
    found = tape.batch_jacobian(y, x)
    assert found.shape == (2, 2, 3, 3, 2)
    for b in range(2):
        for i in range(2):
            for j in range(3):
                expected = np.zeros((3, 2))
                expected[j, i] = 2 * x.numpy()[b, j, i]
                np.testing.assert_array_equal(value(found)[b, i, j], expected)


def test_an_unconnected_batch_jacobian_is_zero():
    x, z = st.Variable(np.ones((2, 3))), st.Variable(np.ones((2, 4)))
    with st.GradientTape(persistent=True) as tape:
        y = x * 2
        z * 1
    np.testing.assert_array_equal(value(tape.batch_jacobian(y, z)), np.zeros((2, 3, 4)))
    np.testing.assert_array_equal(value(tape.batch_jacobian(y, z, unconnected_gradients="zero")), np.zeros((2, 3, 4)))


def test_a_batch_jacobian_wants_matching_rows():
    x, v = st.Variable(np.ones((2, 3))), st.Variable(np.ones(2))
    with st.GradientTape(persistent=True) as tape:
        y, t = x * 2, np.sum(x, axis=0, keepdims=True)
        s = v * 2
    with pytest.raises(ValueError, match="Need first dimension of target shape"):
        tape.batch_jacobian(t, x)
    with pytest.raises(ValueError, match="rank at least 2"):
        tape.batch_jacobian(s, v)
    with pytest.raises(TypeError, match="one source"):
        tape.batch_jacobian(y, [x])


# ---------------------------------------------------------------------------------------------------------- the Hessian


def test_the_hessian_of_one_source():
    x = st.Variable([1.0, 2.0])
    with st.GradientTape(persistent=True) as tape:
        y = np.sum(100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2)
    expected = [[1200 * 1.0 - 400 * 2.0 + 2, -400.0], [-400.0, 200.0]]
    np.testing.assert_allclose(value(tape.hessian(y, x)), expected, rtol=1e-14)


def test_hessian_blocks_nest_like_the_sources():
    x, y = st.Variable(3.0), st.Variable([2.0, 5.0])
    with st.GradientTape(persistent=True) as tape:
        z = x**2 * np.sum(y**2)
    blocks = tape.hessian(z, {"x": x, "y": y})
    assert value(blocks["x"]["x"]) == 58.0
    np.testing.assert_array_equal(value(blocks["x"]["y"]), [24.0, 60.0])
    np.testing.assert_array_equal(value(blocks["y"]["x"]), [24.0, 60.0])
    np.testing.assert_array_equal(value(blocks["y"]["y"]), np.diag([18.0, 18.0]))


def test_the_hessian_of_what_is_linear_is_zero_and_of_what_is_unused_none():
    x, y, unused = st.Variable(3.0), st.Variable(2.0), st.Variable(1.0)
    with st.GradientTape(persistent=True) as tape:
        z = x * 3 + y
        unused * 1
    found = tape.hessian(z, [x, y, unused])
    assert [[value(b) for b in row] for row in found] == [[0.0, 0.0, None], [0.0, 0.0, None], [None, None, None]]
    found = tape.hessian(z, [x, unused], unconnected_gradients="zero")
    assert [[value(b) for b in row] for row in found] == [[0.0, 0.0], [0.0, 0.0]]


def test_the_hessian_wants_a_scalar():
    x = st.Variable([1.0, 2.0])
    with st.GradientTape() as tape:
        y = x * x
    with pytest.raises(ShapeError, match="scalar"):
        tape.hessian(y, x)


def test_a_hessian_that_a_tape_records_can_be_differentiated():
    x = st.Variable(2.0)
    with st.GradientTape() as outer:
        with st.GradientTape() as tape:
            y = x**4
        h = tape.hessian(y, x)
    assert value(h) == 48.0
    assert value(outer.gradient(h, x)) == 48.0


# --------------------------------------------------------------------------------------------------------- edges of use


def test_symbols_give_formulas_without_numbers():
    s, t = st.symbols("s t")
    with st.GradientTape() as tape:
        tape.watch([s, t])
        y = s**2 * np.cos(t)
    ds, dt = tape.gradient(y, [s, t])
    assert ds.equals("2*s*cos(t)")
    assert dt.equals("-s**2*sin(t)")


def test_a_branch_that_is_not_taken_gives_no_nan():
    x = st.Variable(0.0)
    with st.GradientTape() as outer:
        with st.GradientTape() as tape:
            y = np.where(x > 0, np.sqrt(x), 0.0)
        g = tape.gradient(y, x)
    assert value(g) == 0.0
    assert value(outer.gradient(g, x)) == 0.0


def test_several_results_share_a_record():
    m = st.Variable([[2.0, 1.0], [1.0, 3.0]])
    with st.GradientTape(persistent=True) as tape:
        _, logdet = np.linalg.slogdet(m)
        _, rest = np.divmod(m, 2.0)
    np.testing.assert_allclose(value(tape.gradient(logdet, m)), np.linalg.inv(m.numpy()).T, rtol=1e-14)
    assert value(tape.gradient(rest, m)).tolist() == [[1.0, 1.0], [1.0, 1.0]]


def test_what_is_not_there_yet_is_absent_and_says_what_exists():
    tape = st.GradientTape()
    for name in ("steps", "draw", "gradients"):
        with pytest.raises(AttributeError, match=f"GradientTape has no '{name}'; it has .*gradient.*hessian.*jacobian"):
            getattr(tape, name)
        assert not hasattr(tape, name)


def test_a_tape_is_not_pickled():
    with pytest.raises(TypeError, match="cannot be pickled"):
        pickle.dumps(st.GradientTape())


def test_a_gradient_emits_no_warning_of_its_own():
    x = st.Variable([1.0, 0.0])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with st.GradientTape() as tape:
            y = np.sum(np.log(x) / x)
        tape.gradient(y, x).numpy()
