import copy
import math
import pickle

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure

import symtape as st
from symtape.errors import AssumptionViolated, SymbolicTruthError

X = np.array([1.5, 2.5, 3.5])


@pytest.fixture
def v():
    return st.Variable(X, name="v")


@pytest.fixture
def x():
    return st.Variable(2.375, name="x")


# ---------------------------------------------------------------------------------------------------- text and rounding


def test_format_is_that_of_the_number(x, v):
    assert f"{x:.2f}" == "2.38"
    assert f"{x:>8.1e}" == " 2.4e+00"
    assert f"{x}" == str(x)
    assert f"{x * 2:.1f}" == "4.8"
    with pytest.raises(TypeError, match="format"):
        format(v, ".2f")
    with pytest.raises(TypeError, match="'s'"):
        format(st.symbol("s"), ".2f")


def test_format_is_silent_on_a_tape(x):
    with st.GradientTape() as tape:
        y = x * 1
        text = f"{y:.1f} {y!r}"
    assert text.startswith("2.4")
    assert tape.gradient(y, x).item() == 1.0


def test_rounding_gives_tensors(x):
    assert round(x).item() == 2.0
    assert round(x, 1).item() == 2.4
    assert [math.floor(x).item(), math.ceil(x).item(), math.trunc(-x).item()] == [2, 3, -2]
    assert list(range(math.floor(x))) == [0, 1]


# ----------------------------------------------------------------------------------------------------------- a sequence


def test_unpacking_iterating_and_length(v):
    a, b, c = v
    assert [a.item(), b.item(), c.item()] == list(X)
    first, *rest = v
    assert first.item() == 1.5
    assert len(rest) == 2
    assert len(v) == 3
    assert [e.item() for e in reversed(v)] == [3.5, 2.5, 1.5]
    assert [k for k, _ in enumerate(v)] == [0, 1, 2]
    rows = list(st.Variable(np.eye(2)))
    assert [r.shape for r in rows] == [(2,), (2,)]
    assert 2.5 in v
    assert 9.0 not in v


def test_unpacking_records(v):
    with st.GradientTape() as tape:
        a, b, c = v
        y = a * b + c
    np.testing.assert_array_equal(tape.gradient(y, v).numpy(), [2.5, 1.5, 1.0])


def test_what_has_no_axes_is_no_sequence(x):
    with pytest.raises(TypeError, match="len"):
        len(x)
    with pytest.raises(TypeError, match="iteration"):
        iter(x)
    with pytest.raises(ValueError, match="only named"):
        iter(st.symbol("s", shape=("n",)))


def test_builtins_of_sequences(v):
    assert max(v).item() == 3.5
    assert min(v).item() == 1.5
    assert sum(v).item() == 7.5
    assert [e.item() for e in sorted(v, reverse=True)] == [3.5, 2.5, 1.5]
    assert any(v > 3)
    assert not all(v > 3)
    assert [round(e.item()) for e in map(np.negative, v)] == [-2, -2, -4]


# -------------------------------------------------------------------------------------------------------------- numbers


def test_numbers_are_taken_out_by_name(x, v):
    assert float(x) == 2.375
    assert int(x) == 2
    assert complex(x) == 2.375 + 0j
    assert x.item() == 2.375
    assert type(x.item()) is float
    assert v.item(1) == 2.5
    assert v.tolist() == list(X)
    assert type(v.numpy()) is np.ndarray
    assert x.numpy().shape == ()
    assert math.sin(x) == math.sin(2.375)
    assert float(st.constant([[2.0]])) == 2.0
    with pytest.raises(TypeError, match=r"shape \(3,\)"):
        float(v)
    with pytest.raises(ValueError):
        v.item()


def test_values_handed_out_are_fresh(v):
    taken = v.numpy()
    taken[:] = 0
    np.testing.assert_array_equal(v.numpy(), X)
    inner = (v * 2).numpy()
    inner[:] = 0
    np.testing.assert_array_equal((v * 2).numpy(), 2 * X)


def test_a_symbol_has_no_number():
    s = st.symbol("s")
    for take in (float, int, lambda t: t.numpy(), lambda t: t.item(), math.sin):
        with pytest.raises(TypeError, match="s"):
            take(s)


def test_integers_are_indices():
    k = st.constant(2, dtype=np.int64)
    assert [10, 20, 30][k] == 30
    assert list(range(k)) == [0, 1]
    assert "ab" * k == "abab"
    assert X[k] == 3.5
    with pytest.raises(TypeError, match="integer scalar"):
        _ = [10, 20, 30][st.constant(2.0)]


def test_truth(x, v):
    assert x > 2
    assert not (x < 2)
    assert bool(x)
    with pytest.raises(ValueError, match="ambiguous"):
        bool(v > 2)
    with pytest.raises(st.SymbolicTruthError, match=r"st\.where"):
        bool(st.symbol("s") > 0)


# ------------------------------------------------------------------------------------------------------ copies, pickles


def test_copies(x, v):
    y = x * 2
    assert copy.copy(y).item() == 4.75
    z = copy.deepcopy(y)
    assert z is not y
    assert z.item() == 4.75
    w = copy.deepcopy(v)
    w.assign([0.0, 0.0, 0.0])
    np.testing.assert_array_equal(v.numpy(), X)


def test_pickles(v):
    y = np.sum(v**2)
    z = pickle.loads(pickle.dumps(y))
    assert z.item() == pytest.approx(np.sum(X**2))
    assert str(z.formula()) == str(y.formula())


# ------------------------------------------------------------------------------------------------------------ onlookers


def test_plots_draw_the_numbers(v):
    axes = Figure().subplots()
    with st.GradientTape() as tape:
        y = v**2
        (line,) = axes.plot(v, y)
        axes.plot([v[0], v[1]], [y[0], y[1]])
        axes.scatter(v, y)
        axes.axhline(y[0])
        axes.fill_between(np.arange(3.0), y, v)
        axes.imshow(st.Variable(np.eye(2)))
        axes.bar([0, 1, 2], y)
        axes.errorbar(v, y, yerr=v)
        axes.contour(np.ones((2, 2)) * st.Variable([[1.0, 2.0], [3.0, 4.0]]))
    np.testing.assert_array_equal(line.get_xdata(), X)
    np.testing.assert_array_equal(line.get_ydata(), X**2)
    np.testing.assert_array_equal(tape.gradient(y, v).numpy(), 2 * X)
    assert mpl.get_backend() is not None


def test_a_large_tensor_can_be_drawn():
    axes = Figure().subplots()
    axes.plot(st.Variable(np.zeros(20_000)))


def test_numpys_testing_compares_numbers(v, x):
    y = v * 2
    np.testing.assert_allclose(y, 2 * X)
    np.testing.assert_allclose(2 * X, y, rtol=1e-12)
    np.testing.assert_array_equal(y, 2 * X)
    np.testing.assert_array_almost_equal(y, 2 * X)
    np.testing.assert_array_less(y, 3 * X)
    np.testing.assert_equal(x.numpy(), 2.375)
    np.testing.assert_allclose([v[0], v[1]], [1.5, 2.5])
    with pytest.raises(AssertionError, match="Mismatched"):
        np.testing.assert_allclose(y, X)


def test_comparing_is_silent_on_a_tape(v):
    with st.GradientTape() as tape:
        y = v * 2
        np.testing.assert_allclose(y, 2 * X)
        assert y[0] == pytest.approx(3.0)
        assert y == pytest.approx(2 * X)
    assert tape.guards == [] or all(g.how == "bool" for g in tape.guards)
    assert tape.gradient(y, v) is not None


# --------------------------------------------------------------------------------------------------------------- pandas


@pytest.mark.parametrize("sign", ["__add__", "__sub__", "__mul__", "__truediv__", "__pow__"])
def test_series_arithmetic_records_on_both_sides(v, sign):
    series = pd.Series(X, index=list("abc"))
    for ours, theirs in (
        (getattr(series, sign)(v), getattr(series, sign)(X)),
        (getattr(v, sign)(series), getattr(pd.Series(X), sign)(X)),
    ):
        result = ours
        if ours is NotImplemented:
            result = getattr(v, sign.replace("__", "__r", 1))(series)
        assert type(result) is st.Tensor
        np.testing.assert_allclose(result.numpy(), theirs)


def test_a_series_in_a_model_records():
    data = pd.DataFrame({"x": [0.0, 1.0, 2.0], "y": [1.0, 3.0, 5.0]})
    a, b = st.Variable(1.0, name="a"), st.Variable(0.5, name="b")
    with st.GradientTape() as tape:
        residual = data["y"] - (a * data["x"] + b)
        loss = np.sum(residual**2)
    assert type(residual) is st.Tensor
    da, db = tape.gradient(loss, [a, b])
    r = data["y"] - (data["x"] + 0.5)
    assert da.item() == pytest.approx(-2 * (r * data["x"]).sum())
    assert db.item() == pytest.approx(-2 * r.sum())


def test_frames_and_indices_record(v):
    frame = pd.DataFrame(np.eye(3))
    assert type(frame * v) is st.Tensor
    assert type(v + frame) is st.Tensor
    assert type(pd.Index([1.0, 2.0, 3.0]) * v) is st.Tensor
    assert type(np.add(frame[0], v)) is st.Tensor
    assert type(np.exp(v * frame[0])) is st.Tensor
    assert type(frame[0] > v) is st.Tensor
    np.testing.assert_array_equal(st.grad(lambda w: np.sum(frame * w))(X), [1.0, 1.0, 1.0])


# ------------------------------------------------------------------------------------------------------------- warnings


def test_a_cut_warns_at_the_users_line(v):
    with st.GradientTape() as tape:
        y = v[0] * 2
        with pytest.warns(st.GradientCutWarning, match=r"np\.sin.*instead of math\.sin") as caught:
            z = math.sin(y)
    assert caught[0].filename == __file__
    assert z == math.sin(3.0)
    assert tape.gradient(y, v) is not None


def test_assignment_into_an_array_warns(v):
    out = np.zeros(3)
    with st.GradientTape():
        y = v * 2
        with pytest.warns(st.GradientCutWarning, match=r"np\.stack"):
            out[0] = y[0]
        with pytest.warns(st.GradientCutWarning, match=r"np\.stack"):
            out[1:] = y[1:]
    np.testing.assert_array_equal(out, 2 * X)


def test_a_warning_raised_as_an_error_leaves_all_unchanged(v):
    out = np.zeros(3)
    with st.GradientTape() as tape:
        y = v * 2
        with pytest.raises((st.GradientCutWarning, ValueError)):
            out[:] = y
        with pytest.raises(st.GradientCutWarning):
            float(y[0])
    np.testing.assert_array_equal(out, 0)
    assert tape.cuts == []


def test_no_warning_where_nothing_watched_is_behind(v):
    float(v[0])
    with st.GradientTape():
        float(st.constant(2.0) * 3)
        np.asarray([st.constant(2.0), 1.0], dtype=float)


# -------------------------------------------------------------------------------------- places in a plain array


def test_a_tensor_of_integers_reads_a_plain_array_and_leaves_a_guard():
    table = np.array([1.0, 2.0, 3.0, 4.0])
    x = st.Variable([0.5, 2.5], name="x")
    with st.GradientTape() as tape:
        k = np.floor(x).astype(int)
        y = np.sum(table[k] * x + table[k + 1])
    assert float(y) == 14.0
    np.testing.assert_array_equal(tape.gradient(y, x), [1.0, 3.0])
    assert len(tape.assumptions) == 2
    f = st.function([x], y)
    assert f([0.25, 2.25]) == 13.0
    with pytest.raises(AssumptionViolated):
        f([1.5, 2.5])


def test_jit_records_each_set_of_places_that_it_meets():
    table = np.array([1.0, 2.0, 3.0, 4.0])

    def f(x):
        return np.sum(table[np.floor(x).astype(int)] * x)

    fast = st.jit(st.grad(f))
    np.testing.assert_array_equal(fast(np.array([0.5, 2.5])), [1.0, 3.0])
    np.testing.assert_array_equal(fast(np.array([1.5, 3.5])), [2.0, 4.0])


def test_a_mask_of_truth_values_picks_from_a_plain_array():
    table = np.array([1.0, 2.0, 4.0])
    x = st.Variable([1.0, -1.0, 2.0])
    with st.GradientTape() as tape:
        y = np.sum(table[x > 0] * x[0])
    assert float(tape.gradient(y, x)[0]) == 5.0


def test_places_without_a_value_say_what_to_write():
    s = st.symbol("s", shape=(2,))
    with pytest.raises(SymbolicTruthError, match=r"st\.constant\(x\)\[k\]"):
        np.zeros(3)[np.floor(s).astype(int)]
    with pytest.raises(SymbolicTruthError, match=r"st\.constant"):
        st.vmap(lambda x: np.sum(np.ones(3)[np.floor(x).astype(int)]))(np.ones((2, 3)))
