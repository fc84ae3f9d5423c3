import os
import pathlib
import pickle
import subprocess
import sys
from typing import NamedTuple

import joblib
import numpy as np
import pytest
import sympy

import symtape as st
from symtape.compile.options import Options
from symtape.errors import (
    AmbiguousVariableError,
    AssumptionViolated,
    DTypeError,
    MissingInputError,
    ShapeError,
    UnboundDimensionError,
)


class Pair(NamedTuple):
    a: object
    b: object


def gradient_of(build, *sources):
    with st.GradientTape() as tape:
        tape.watch(list(sources))
        z = build(*sources)
    return z, tape.gradient(z, list(sources))


# ---------------------------------------------------------------------------------------------------- inputs, outputs


def test_value_and_gradient_nest_as_they_were_given():
    x, y = st.symbols("x y")
    z, slopes = gradient_of(lambda x, y: x**2 * y + np.sin(y), x, y)
    fg = st.function([x, y], [z, slopes])
    value, (dx, dy) = fg(3.0, 2.0)
    assert value == 18.0 + np.sin(2.0)
    assert (dx, dy) == (12.0, 9.0 + np.cos(2.0))
    assert type(value) is float


def test_every_kind_of_structure_comes_back():
    x = st.symbol("x")
    out = st.function([x], {"p": Pair(x, x + 1), "l": [x * 2, (x * 3,)], "none": None, "plain": 5.0})(2.0)
    assert out == {"p": Pair(2.0, 3.0), "l": [4.0, (6.0,)], "none": None, "plain": 5.0}
    assert isinstance(out["p"], Pair)


@pytest.mark.parametrize(
    ("outputs", "expected"), [("one", 4.0), ("list", [4.0]), ("tuple", (4.0,)), ("empty", []), ("none", None)]
)
def test_small_structures(outputs, expected):
    x = st.symbol("x")
    given = {"one": x * 2, "list": [x * 2], "tuple": (x * 2,), "empty": [], "none": None}[outputs]
    assert st.function([x], given)(2.0) == expected


def test_inputs_may_nest():
    x, y, z = st.symbols("x y z")
    f = st.function([x, (y, [z])], x + 10 * y + 100 * z)
    assert f(1.0, (2.0, [3.0])) == 321.0
    with pytest.raises(ValueError, match="wanted"):
        f(1.0, 2.0)


def test_inputs_by_name():
    x, y = st.symbols("x y")
    f = st.function([x, y], x - y)
    assert f(1.0, y=3.0) == -2.0
    assert f(y=3.0, x=1.0) == -2.0
    for bad in ({"z": 1.0}, {"x": 1.0}):
        with pytest.raises(TypeError, match=r"x, y"):
            f(1.0, **bad)
    g = st.function({"a": x, "b": y}, x - y)
    assert g(a=1.0, b=3.0) == -2.0
    assert g({"b": 3.0, "a": 1.0}) == -2.0


def test_one_input_needs_no_list():
    v = st.Variable([1.0, 2.0], name="v")
    assert st.function(v, np.sum(v**2))(np.array([3.0, 4.0])) == 25.0


def test_a_graph_is_cut_at_an_intermediate_tensor():
    x = st.Variable(2.0, name="x")
    q = np.exp(x)
    f = st.function([q], q**2 + 1)
    assert f(3.0) == 10.0
    with pytest.raises(MissingInputError, match="'x'"):
        st.function([q], q * x)


def test_a_variable_that_is_no_input_is_named():
    x, k = st.Variable(1.0, name="x"), st.Variable(2.0, trainable=False, name="k")
    s = st.symbol("s")
    with pytest.raises(MissingInputError, match="'k'"):
        st.function([x], x * k)
    with pytest.raises(ValueError, match="'k', 's', which are not"):
        st.function([x], x * k * s)
    c = st.constant(3.0, name="c")
    assert st.function([x], x * c)(2.0) == 6.0


def test_the_version_in_the_expression_is_meant():
    x = st.Variable(1.0, name="x")
    old = x**2
    x.assign(5.0)
    assert st.function([x], old)(3.0) == 9.0
    with pytest.raises(AmbiguousVariableError, match="2 versions of the variable 'x'"):
        st.function([x], old + x)


def test_what_is_no_input_is_refused():
    x = st.symbol("x")
    with pytest.raises(TypeError, match=r"got the float 1\.0"):
        st.function([1.0], x)
    with pytest.raises(ValueError, match=r"'x', is listed twice"):
        st.function([x, x], x)
    with pytest.raises(TypeError, match="inputs and outputs"):
        st.function([x])


# ------------------------------------------------------------------------------------------------------------- sympy


def test_sympys_symbols_and_expressions():
    a, b, t = sympy.symbols("a b t")
    h = st.function([a, b, t], a * sympy.exp(-b * t))
    assert h(1.0, 2.0, 0.5) == pytest.approx(np.exp(-1.0), rel=1e-15)
    np.testing.assert_allclose(h(1.0, 2.0, np.linspace(0, 1, 5)), np.exp(-2.0 * np.linspace(0, 1, 5)), rtol=1e-15)
    assert st.function(t, sympy.sin(t))(0.0) == 0.0
    with pytest.raises(MissingInputError, match="'b'"):
        st.function([a], a * b)


def test_a_matrix_of_sympy_is_an_array():
    t = sympy.Symbol("t")
    turn = st.function(t, sympy.Matrix([[sympy.cos(t), -sympy.sin(t)], [sympy.sin(t), sympy.cos(t)]]))
    np.testing.assert_allclose(turn(0.3), [[np.cos(0.3), -np.sin(0.3)], [np.sin(0.3), np.cos(0.3)]])


def test_a_derivative_by_sympy_compiles():
    x = st.Variable(2.0, name="x")
    slope = st.from_sympy(sympy.diff((x**3).expr, x.expr))
    assert st.function([x], slope)(2.0) == 12.0


# --------------------------------------------------------------------------------------------------- calls with arrays


def test_scalar_inputs_broadcast_like_a_ufunc():
    x, y = st.symbols("x y")
    f = st.function([x, y], [x * y, x + 1])
    product, moved = f(np.array([[1.0], [2.0]]), np.array([10.0, 20.0, 30.0]))
    np.testing.assert_array_equal(product, np.outer([1.0, 2.0], [10.0, 20.0, 30.0]))
    assert moved.shape == (2, 3)
    np.testing.assert_array_equal(f([1.0, 2.0], 3)[0], [3.0, 6.0])
    target = np.empty(2)
    assert f([1.0, 2.0], 3.0, out=[target, None])[0] is target
    with pytest.raises(ShapeError, match="do not fit together"):
        f(np.ones(2), np.ones(3))


def test_out_takes_the_results():
    v = st.symbol("v", (3,))
    f = st.function([v], v * 2)
    target = np.empty(3)
    assert f(np.ones(3), out=target) is target
    np.testing.assert_array_equal(target, [2.0, 2.0, 2.0])
    g = st.function([v], {"a": v, "b": np.sum(v)})
    number = np.empty(())
    found = g(np.ones(3), out={"a": None, "b": number})
    assert found["b"] is number
    assert number == 3.0
    with pytest.raises(ValueError, match="out"):
        g(np.ones(3), out=[target, number])


def test_bad_arguments_are_named():
    v, n = st.symbol("v", (3,)), st.symbol("n", dtype=np.int64)
    f = st.function([v, n], v * n)
    with pytest.raises(ShapeError, match=r"'v' has shape \(2,\), wanted \(3,\)"):
        f(np.ones(2), 1)
    with pytest.raises(DTypeError, match="'n' has dtype float64"):
        f(np.ones(3), 1.5)
    with pytest.raises(TypeError, match=r"takes 2 inputs"):
        f(np.ones(3))
    np.testing.assert_array_equal(f([1, 2, 3], 2), [2.0, 4.0, 6.0])


def test_results_are_fresh():
    v = st.symbol("v", (3,))
    f = st.function([v], [v, v + 1])
    given = np.ones(3)
    same, moved = f(given)
    assert not np.shares_memory(same, given)
    again, _ = f(given)
    same[...] = moved[...] = 9.0
    np.testing.assert_array_equal(again, np.ones(3))


# ------------------------------------------------------------------------------------------------------------- batches


def test_batch_shares_inputs_of_their_own_rank_and_broadcasts_the_others():
    v, w, s = st.symbol("v", (3,)), st.symbol("w", (2, 3)), st.symbol("s")
    f = st.function([v, w, s], {"m": w @ v * s, "t": np.sum(v)})
    rng = np.random.default_rng(0)
    V, W, S = rng.random((4, 1, 3)), rng.random((5, 2, 3)), 2.0
    found = f.batch(V, W, S)
    assert found["m"].shape == (4, 5, 2)
    np.testing.assert_allclose(found["m"], np.einsum("aij,bzj->bai", W, V) * S, rtol=1e-13)
    np.testing.assert_allclose(found["t"], np.broadcast_to(V.sum(-1), (4, 5)))
    np.testing.assert_allclose(f.batch(V[0, 0], W[0], S)["m"], W[0] @ V[0, 0] * S)
    np.testing.assert_allclose(f.batch(V[0, 0], W[0], [1.0, 2.0])["m"][1], W[0] @ V[0, 0] * 2)


def test_batch_refuses_what_does_not_fit():
    v = st.symbol("v", (3,))
    f = st.function([v], np.sum(v))
    with pytest.raises(ShapeError, match=r"'v' has shape \(2, 4\), wanted \(3,\) behind"):
        f.batch(np.ones((2, 4)))
    with pytest.raises(ShapeError, match=r"'v' has shape \(\)"):
        f.batch(1.0)
    with pytest.raises(ValueError, match="on_violation"):
        f.batch(np.ones((2, 3)), on_violation="skip")


# ------------------------------------------------------------------------------------------------------------- guards


def test_a_branch_that_was_taken_is_assumed():
    u = st.Variable(2.0, name="u")
    w = u**2 if u > 1 else -u
    g = st.function([u], w)
    assert g(3.0) == 9.0
    with pytest.raises(AssumptionViolated, match=r"test_compiled.py:\d+: w = u\*\*2 if u > 1 else -u"):
        g(0.5)
    with pytest.raises(AssumptionViolated, match=r"row 1"):
        g.batch([2.0, 0.5])
    np.testing.assert_array_equal(g.batch([2.0, 0.5, 3.0], on_violation="nan"), [4.0, np.nan, 9.0])


def test_a_decision_taken_later_or_on_something_else_is_not_assumed():
    u, other = st.Variable(2.0, name="u"), st.Variable(2.0, name="other")
    w = u**2 if other > 1 else -u
    assert st.function([u], w)(0.5) == 0.25
    w = u**2
    assert u > 1
    assert st.function([u], w)(0.5) == 0.25


# ------------------------------------------------------------------------------------------------------------- tensors


def test_called_with_tensors_it_is_done_again_so_that_gradients_flow():
    v = st.symbol("v", (2,))
    f = st.function([v], [np.sum(v**2), v * 3])
    x = st.Variable([1.0, 2.0], name="x")
    with st.GradientTape() as tape:
        total, tripled = f(x)
        z = total * np.sum(tripled)
    assert isinstance(total, st.Tensor)
    np.testing.assert_allclose(tape.gradient(z, x).numpy(), 2 * x.numpy() * 9.0 + 5.0 * 3)
    s = st.symbol("s", (2,))
    assert f(s)[0].shape == ()
    with st.GradientTape() as tape:
        z = f([x[0] * 2, x[1]])[0]
    np.testing.assert_allclose(tape.gradient(z, x).numpy(), [8.0, 4.0])
    with pytest.raises(ShapeError, match="'v'"):
        f(st.constant([1.0, 2.0, 3.0]))
    with pytest.raises(TypeError, match="out="):
        f(x, out=[None, None])


# ------------------------------------------------------------------------------------------------------- named lengths


def test_named_lengths_are_bound_at_the_call():
    x, p = st.symbol("x", ("n",)), st.symbol("p", (2,))
    f = st.function([x, p], [np.sum(p[0] * np.exp(-p[1] * x)), np.mean(x), x[::-1]])
    for n in (3, 50, 400):
        data = np.linspace(0, 1, n)
        total, mean, flipped = f(data, [2.0, 3.0])
        assert total == pytest.approx((2 * np.exp(-3 * data)).sum(), rel=1e-13)
        assert mean == pytest.approx(0.5, rel=1e-13)
        np.testing.assert_array_equal(flipped, data[::-1])
    y = st.symbol("y", ("n",))
    g = st.function([x, y], x + y)
    with pytest.raises(ShapeError, match="n = 3"):
        g(np.ones(2), np.ones(3))
    with pytest.raises(ShapeError, match="known shapes"):
        _ = g.ir
    assert g.batch(np.ones((5, 2)), np.ones(2)).shape == (5, 2)
    m = st.symbol("m", (st.symbol("q", ("k",)).shape[0] * 2,))
    with pytest.raises(UnboundDimensionError, match="k"):
        st.function([m], np.sum(m))(np.ones(4))


def test_named_lengths_of_bodies_are_bound_too():
    x = st.symbol("x", ("n",))
    f = st.function([x], st.cond(x[0] > 0, lambda v: np.sum(np.exp(v)), lambda v: np.mean(v[::-1]), x))
    for n in (2, 5):
        data = np.arange(1.0, n + 1)
        assert f(data) == pytest.approx(np.sum(np.exp(data)), rel=1e-14)
        assert f(-data) == pytest.approx(-np.mean(data), rel=1e-14)


# ------------------------------------------------------------------------------------------------------ numba and text


def test_numba_takes_and_gives_numbers_and_arrays():
    import numba

    x, v = st.symbol("x"), st.symbol("v", (2,))
    f = st.function([x, v], [x * np.sum(v), v + x, np.sum(v) > 0]).numba

    @numba.njit
    def use(n):
        total = 0.0
        for i in range(n):
            number, array, flag = f(float(i), np.array([1.0, 2.0]))
            total += number + array[1] + flag
        return total

    assert use(3) == sum(3 * i + 2 + i + 1 for i in range(3))
    number, array, flag = f(2, np.array([1, 2]))
    assert (number, flag) == (6.0, True)
    np.testing.assert_array_equal(array, [3.0, 4.0])
    with pytest.raises(ValueError, match="another shape"):
        f(1.0, np.ones(3))


def test_numba_functions_of_every_size_of_program():
    a, b = st.symbol("a", (3, 3)), st.symbol("b", (600,))
    data = st.constant(np.arange(600.0))
    f = st.function([a, b], [np.linalg.inv(a), np.sum(b * data), np.cumsum(b)])
    matrix, vector = np.eye(3) * 2, np.linspace(0, 1, 600)
    for ours, theirs in zip(f.numba(matrix, vector), f(matrix, vector), strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-14)
    with pytest.raises(np.linalg.LinAlgError):
        f.numba(np.zeros((3, 3)), vector)
    u = st.Variable(2.0, name="u")
    guarded = st.function([u], u**2 if u > 1 else -u).numba
    assert guarded(3.0) == 9.0
    with pytest.raises(AssumptionViolated, match="recorded"):
        guarded(0.0)


def test_code_of_numba_that_calls_data_in_this_process_is_not_cached(tmp_path):
    source = (
        "import numpy as np, numba, symtape as st\n"
        "x = st.symbol('x')\n"
        "pure = st.function([x], np.sin(x)).numba\n"
        "held = st.function([x], np.sum(x * st.constant(np.arange(100.0)))).numba\n"
        "@numba.njit(cache=True)\n"
        "def use(t):\n"
        "    return pure(t)\n"
        "@numba.njit(cache=True)\n"
        "def use_data(t):\n"
        "    return held(t)\n"
        "assert use(0.5) == np.sin(0.5)\n"
        "import warnings\n"
        "warnings.simplefilter('ignore', numba.NumbaWarning)\n"
        "assert use_data(2.0) == 9900.0\n"
    )
    script = tmp_path / "script.py"
    script.write_text(source)
    root = str(pathlib.Path(st.__file__).parent.parent)
    for _ in range(2):
        run = subprocess.run([sys.executable, str(script)], check=False, env={**os.environ, "PYTHONPATH": root})
        assert run.returncode == 0


def test_the_text_is_llvms():
    x = st.symbol("x")
    assert "define i32 @symtape.kernel" in st.function([x], x + 1).ir


def test_options_are_taken():
    x = st.symbol("x")
    f = st.function([x], x * x + 1, options=Options(contract=False))
    assert "contract" not in f.ir
    assert f(2.0) == 5.0


def test_the_signature_is_shown():
    x, v = st.symbol("x"), st.symbol("v", ("n", 3))
    assert repr(st.function([x, v], np.sum(v) * x)) == "<st.function (x: float64[], v: float64[n, 3]) -> float64[]>"


# -------------------------------------------------------------------------------------------------------------- pickle


def make():
    v = st.symbol("v", (2,))
    u = st.constant([1.0, 2.0], name="u")
    return st.function([v], {"a": np.sum(v * u), "b": np.exp(v)})


def test_functions_pickle():
    f = make()
    again = pickle.loads(pickle.dumps(f))
    given = np.array([0.1, 0.2])
    assert again(given)["a"] == f(given)["a"]
    np.testing.assert_array_equal(again(given)["b"], f(given)["b"])


def test_functions_go_to_other_processes():
    f = make()
    rows = [np.array([k, 1.0]) for k in range(4)]
    found = joblib.Parallel(n_jobs=2)(joblib.delayed(f)(row) for row in rows)
    assert [r["a"] for r in found] == [k + 2.0 for k in range(4)]
