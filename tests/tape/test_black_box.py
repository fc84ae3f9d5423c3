"""Black boxes: Python functions with their rules as operations, interpreted and compiled, to all orders that exist."""

import copy
import pickle
import sys
import traceback
import types
import warnings
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import sympy

import symtape as st
from symtape.compile.evaluate import evaluate
from symtape.errors import (
    DataFormError,
    DTypeError,
    MissingValueError,
    NotDifferentiableError,
    ShapeError,
    SlowCallbackWarning,
    UnboundDimensionError,
    UnknownNameError,
)
from symtape.graph.container import pack, unpack
from symtape.tape.saving import from_bytes, to_bytes

A = np.array([0.3, -1.2, 2.0])


def slope(g, y, x):
    return g * np.cos(x)


@st.black_box(vjp=slope)
def wave(x):
    """A wave."""
    return np.sin(x)


@st.black_box(vjp=slope, recorded_rules=True, shape=lambda x: x.shape)
def smooth(x):
    return np.sin(x)


def _pull_two(g, y, a, b, n):
    return g[0] * b + n * g[1], np.sum(g[0] * a), None


@st.black_box(vjp=_pull_two, shape=lambda a, b, n: [a.shape, ()])
def two(a, b, n):
    assert type(n) is int
    return a * b, n * np.sum(a)


class Spring:
    def __init__(self, k):
        self.k = k

    @st.black_box(vjp=lambda g, y, self, x: (None, g * self.k))
    def force(self, x):
        return self.k * x


def quiet(*arguments, **keywords):
    """Compiled, without the word on speed."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SlowCallbackWarning)
        f = st.function(*arguments, **keywords)
        f(*[x.numpy() for x in arguments[0]])
    return f


# ------------------------------------------------------------------------------------------------ value and derivative


def test_it_is_one_operation_with_the_gradient_that_was_stated():
    x = st.Variable(A, name="x")
    with st.GradientTape() as tape:
        y = np.sum(wave(x) ** 2)
    np.testing.assert_allclose(y.numpy(), np.sum(np.sin(A) ** 2))
    np.testing.assert_allclose(tape.gradient(y, x).numpy(), 2 * np.sin(A) * np.cos(A))
    assert str(y.formula("named")) == "t0 = wave(x)\nt1 = t0 ** 2\nresult = sum(t1)"
    assert (wave.__name__, wave.__doc__, repr(wave)) == ("wave", "A wave.", "<black box wave>")


def test_without_a_tensor_it_is_the_function_itself():
    calls = []

    @st.black_box
    def kept(*args, **kwargs):
        calls.append((args, kwargs))
        return "anything"

    data = [1, "a"]
    assert kept(data, flag={1}) == "anything"
    assert calls == [((data,), {"flag": {1}})]
    assert calls[0][0][0] is data
    assert wave(0.0) == 0.0


def test_the_function_gets_arrays_scalars_and_numbers_of_its_own():
    seen = []

    @st.black_box(shape=())
    def look(x, s, k, text, *, flag):
        seen.append((type(x), x.shape, type(s), type(k), text, flag))
        x[0] = 100.0  # nobody else sees it
        return s * k

    x, s = st.Variable(A), st.Variable(2.0)
    y = look(x, s, 3, "text", flag=True)
    assert float(y) == 6.0
    assert float(quiet([x, s], y)(A, 5.0)) == 15.0
    assert set(seen) == {(np.ndarray, (3,), np.float64, int, "text", True)}
    np.testing.assert_array_equal(x.numpy(), A)


def test_what_it_returns_may_be_its_own_memory():
    room = np.zeros(3)

    @st.black_box
    def into_room(x):
        room[:] = x
        return room

    first, second = into_room(st.constant(A)), into_room(st.constant(2 * A))
    np.testing.assert_array_equal(first.numpy(), A)
    np.testing.assert_array_equal(second.numpy(), 2 * A)
    room[:] = 0.0  # still writable


def test_several_arguments_and_results():
    np.testing.assert_array_equal(two(st.constant(A), 2.0, 4)[0].numpy(), 2 * A)
    np.testing.assert_allclose(st.jacobian(lambda a, b: two(a, b, 4)[0], argnums=1)(A, 2.0), A)
    np.testing.assert_allclose(st.jacobian(lambda a: two(a, 2.0, 4)[1])(A), [4.0, 4.0, 4.0])
    st.check_gradients(lambda a, b: two(a, b, 4), A, 2.0, order=1)
    x, s = st.Variable(A, name="x"), st.Variable(2.0, name="s")
    with st.GradientTape() as tape:
        first, second = two(x, s, 4)
        z = np.sum(first) * second
    found = tape.gradient(z, [x, s])
    total = A.sum()
    np.testing.assert_allclose(found[0].numpy(), 2.0 * (4 * total) + 4 * 2 * total * np.ones(3))
    np.testing.assert_allclose(found[1].numpy(), 4 * total**2)


def test_a_result_of_which_nothing_flows_counts_as_zero():
    x = st.Variable(A)
    with st.GradientTape() as tape:
        first, _ = two(x, 2.0, 4)
    np.testing.assert_array_equal(tape.gradient(first, x).numpy(), [2.0, 2.0, 2.0])


def test_a_tuple_of_one_stays_one():
    box = st.black_box(lambda x: (2 * x,), vjp=lambda g, y, x: 2 * g + 0 * y)
    (y,) = box(st.constant(A))
    np.testing.assert_array_equal(y.numpy(), 2 * A)
    np.testing.assert_array_equal(st.jacobian(lambda x: box(x)[0])(A), 2 * np.eye(3))


def test_integer_results_carry_no_gradient():
    box = st.black_box(lambda x: (x**2, np.int64(x > 0)), vjp=lambda g, y, x: 2 * x * g[0])
    squared, sign = box(st.constant(3.0))
    assert (squared.dtype, sign.dtype) == (np.float64, np.int64)
    assert st.grad(lambda x: box(x)[0])(3.0) == 6.0
    assert st.jvp(box, (3.0,), (1.0,))[1][0] == 6.0
    x = st.Variable(3.0)
    with st.GradientTape() as tape:
        sign = box(x)[1]
    assert tape.gradient(sign * 1.0, x) is None


def test_single_precision_stays():
    box = st.black_box(lambda x: x * np.float32(2), vjp=lambda g, y, x: g * 2.0)
    x = st.Variable(A.astype(np.float32))
    with st.GradientTape() as tape:
        y = box(x)
    assert (y.dtype, tape.gradient(y, x).dtype) == (np.float32, np.float32)
    assert quiet([x], y)(x.numpy()).dtype == np.float32


def test_arguments_by_keyword_stand_by_position():
    @st.black_box(vjp=lambda g, y, x, n, z: (g * z, None, g * x), shape=())
    def f(x, n=2, z=1.0):
        return x * z

    assert st.grad(lambda z: f(2.0, z=z))(5.0) == 2.0
    assert st.grad(lambda x: f(x, z=np.float64(3.0)))(5.0) == 3.0
    assert st.grad(f)(5.0) == 1.0
    assert str(f(st.symbol("s"), z=st.symbol("c")).formula("named")) == "result = f(s, 2, c)"
    assert str(st.black_box(np.sin)(st.constant(1.0, name="c")).formula("named")) == "result = sin(c)"


def test_settings_tell_calls_apart():
    box = st.black_box(lambda x, how, *, times=1: x * times if how == "a" else -x * times, shape=())
    x = st.Variable(2.0, name="x")
    same = [box(x, "a"), box(x, "a")]
    other = [box(x, "b"), box(x, "a", times=3), box(x, "a", times=3.0), box(x, "a", times=True)]
    assert same[0].node is same[1].node
    assert len({t.node for t in (same[0], *other)}) == 5
    assert [float(t) for t in other] == [-2.0, 6.0, 6.0, 2.0]
    assert str(other[1].formula("named")) == "result = <lambda>(x, 'a', times=3)"
    assert same[0].expr == same[1].expr
    assert same[0].expr - other[1].expr != 0


def test_lists_of_tensors_are_stacked():
    x, y = st.Variable(1.0), st.Variable(2.0)
    with st.GradientTape() as tape:
        z = np.sum(wave([x, y]))
    np.testing.assert_allclose([float(g) for g in tape.gradient(z, [x, y])], np.cos([1.0, 2.0]))


def test_a_method_is_a_black_box_with_its_object_as_a_setting():
    spring = Spring(3.0)
    x = st.Variable(2.0)
    with st.GradientTape() as tape:
        y = spring.force(x)
    assert (float(y), float(tape.gradient(y, x))) == (6.0, 3.0)
    assert Spring.force is Spring.__dict__["force"]


def test_what_runs_inside_is_seen_by_no_tape():
    other = st.Variable(3.0, name="other")

    @st.black_box(vjp=lambda g, y, x: g * float(other))
    def uses_symtape(x):
        with st.GradientTape() as inner:
            y = other**2
        assert float(inner.gradient(y, other)) == 6.0
        return x * float(other)

    x = st.Variable(2.0)
    with st.GradientTape() as tape:
        y = uses_symtape(x)
    assert float(y) == 6.0
    assert tape.watched_variables() == (x,)
    assert float(tape.gradient(y, x)) == 3.0


def test_its_value_is_computed_once():
    calls = []
    box = st.black_box(lambda x: calls.append(1) or x * 2)
    y = box(st.constant(A))
    np.testing.assert_array_equal(y.numpy(), 2 * A)
    np.testing.assert_array_equal((y + 1).numpy(), 2 * A + 1)
    assert len(calls) == 1


# ----------------------------------------------------------------------------------------------------- forward, higher


def test_forward_mode_follows_from_the_vjp_and_reverse_mode_from_the_jvp():
    m = np.arange(6.0).reshape(2, 3) - 2
    by_vjp = st.black_box(lambda x: m @ x**2, vjp=lambda g, y, x: (g @ m) * 2 * x)
    by_jvp = st.black_box(lambda x: m @ x**2, jvp=lambda t, y, x: m @ (2 * x * t[0]))
    for box in (by_vjp, by_jvp):
        for transform in (st.jacobian, st.jacfwd, st.jacrev):
            np.testing.assert_allclose(transform(box)(A), m * 2 * A)
        st.check_gradients(box, A, order=1)


def test_forward_mode_calls_the_jvp_if_there_is_one():
    calls = []

    def push(tangents, y, x):
        calls.append(tangents)
        return tangents[0] * np.cos(x)

    box = st.black_box(np.sin, vjp=slope, jvp=push, shape=(3,))
    np.testing.assert_allclose(st.jvp(box, (A,), (A,))[1], A * np.cos(A))
    assert len(calls) == 1


def test_a_jvp_gets_a_tangent_for_each_argument():
    seen = []

    def push(tangents, y, a, n, b):
        seen.append([None if t is None else float(t) for t in tangents])
        return tangents[0] * b + a * tangents[2]

    box = st.black_box(lambda a, n, b: a * b, jvp=push)
    assert st.jvp(lambda b: box(2.0, 7, b), (np.float64(3.0),), (1.0,))[1] == 2.0
    assert st.grad(lambda a, b: box(a, 7, b), argnums=(0, 1))(2.0, 3.0) == (3.0, 2.0)
    assert seen[0] == [0.0, None, 1.0]


def test_a_second_derivative_of_an_opaque_rule_is_refused_by_name():
    x = st.Variable(A)
    with st.GradientTape(persistent=True) as tape:
        y = np.sum(wave(x))
        g = tape.gradient(y, x)
    with pytest.raises(
        NotDifferentiableError, match="second derivative of wave was asked for, but its vjp is a black box"
    ):
        tape.gradient(g, x)
    with pytest.raises(NotDifferentiableError, match="recorded_rules=True"):
        st.hessian(lambda x: np.sum(wave(x)))(A)
    with pytest.raises(NotDifferentiableError, match="its jvp is a black box"):
        st.jvp(lambda x: st.jvp(st.black_box(np.sin, jvp=lambda t, y, x: t[0]), (x,), (1.0,))[1], (0.3,), (1.0,))


def test_a_recorded_rule_has_derivatives_of_any_order():
    st.check_gradients(smooth, A, order=3)
    np.testing.assert_allclose(st.hessian(lambda x: np.sum(smooth(x)))(A), -np.diag(np.sin(A)), atol=1e-16)
    third = st.grad(st.grad(st.grad(smooth)))
    assert third(0.5) == pytest.approx(-np.cos(0.5))
    by_jvp = st.black_box(np.sin, jvp=lambda t, y, x: t[0] * np.cos(x), recorded_rules=True, shape=lambda x: x.shape)
    st.check_gradients(by_jvp, A, order=3)


def test_recorded_rules_may_call_each_other_in_a_circle():
    sine = st.black_box(np.sin, vjp=lambda g, y, x: g * cosine(x), recorded_rules=True, shape=lambda x: x.shape)
    cosine = st.black_box(np.cos, vjp=lambda g, y, x: -g * sine(x), recorded_rules=True, shape=lambda x: x.shape)
    st.check_gradients(sine, A, order=3)
    itself = st.black_box(np.exp, vjp=lambda g, y, x: g * y, recorded_rules=True, shape=lambda x: x.shape)
    st.check_gradients(itself, A, order=3)


def test_a_rule_that_is_a_black_box_with_a_rule_counts_as_recorded():
    rule = st.black_box(lambda g, y, x: 2 * x * g, vjp=lambda h, z, g, y, x: (2 * x * h, None, 2 * g * h))
    square = st.black_box(lambda x: x**2, vjp=rule)
    np.testing.assert_allclose(st.hessian(lambda x: np.sum(square(x) ** 2))(A), np.diag(12 * A**2))
    with pytest.raises(NotDifferentiableError, match="a second derivative of <lambda> was asked for"):
        st.grad(st.grad(st.grad(square)))(2.0)


def test_the_checker_finds_a_wrong_rule():
    wrong = st.black_box(np.sin, vjp=lambda g, y, x: 1.001 * g * np.cos(x), shape=(3,))
    with pytest.raises(AssertionError, match="the first derivative in argument 0"):
        st.check_gradients(wrong, A, order=1)


def test_without_a_rule_a_derivative_is_refused_and_never_zero():
    box = st.black_box(np.sin)
    with pytest.raises(
        NotDifferentiableError, match="a derivative of sin was asked for, but it is a black box without"
    ):
        st.grad(box)(1.0)
    assert st.grad(lambda x: x * box(st.stop_gradient(x)))(1.0) == np.sin(1.0)


# -------------------------------------------------------------------------------------------------------------- batches


def test_vmap_loops_over_items():
    rows = np.arange(6.0).reshape(2, 3)
    first, second = st.vmap(lambda a, b: two(a, b, 4))(rows, np.array([2.0, 3.0]))
    np.testing.assert_array_equal(first, rows * [[2.0], [3.0]])
    np.testing.assert_array_equal(second, 4 * rows.sum(axis=1))
    assert [x.shape for x in st.vmap(lambda a: two(a, 2.0, 4))(np.zeros((0, 3)))] == [(0, 3), (0,)]
    np.testing.assert_allclose(st.vmap(st.grad(smooth))(A), np.cos(A))
    np.testing.assert_allclose(st.vmap(lambda a: st.jacobian(lambda b: two(a, b, 1)[0])(2.0))(rows), rows)


@pytest.mark.parametrize("order", [1, 2])
def test_derivatives_of_batches_add_up_over_what_is_shared(order):
    data = np.arange(12.0).reshape(2, 2, 3) / 7
    shared = np.array([1.5, -0.5])

    def opaque(x, c):
        return two(x, c, 3)

    def recorded(x, c):
        return product(x, c), smooth(x)

    product = st.black_box(
        lambda a, b: a * b,
        vjp=lambda g, y, a, b: (g * b, np.sum(g * a)),
        recorded_rules=True,
        shape=lambda a, b: a.shape,
    )
    f = opaque if order == 1 else recorded
    st.check_gradients(lambda x, c: st.vmap(lambda p: st.vmap(f)(p, c))(x), data, shared, order=order)
    st.check_gradients(
        lambda x, c: st.vmap(lambda p, s: st.vmap(lambda q: f(q, s))(p))(x, c), data, shared, order=order
    )
    st.check_gradients(lambda c: st.vmap(lambda s: f(data[0, 0], s))(c), shared, order=order)


def test_batches_of_boxes_that_have_a_jvp_only():
    box = st.black_box(lambda a, b: a * b, jvp=lambda t, y, a, b: t[0] * b + a * t[1], shape=lambda a, b: a.shape)
    rows = np.arange(6.0).reshape(2, 3)
    st.check_gradients(lambda r, c: st.vmap(lambda a: box(a, c))(r), rows, 2.0, order=1)
    st.check_gradients(lambda c: st.vmap(lambda b: box(A, b))(c), np.array([1.0, 2.0]), order=1)


# ------------------------------------------------------------------------------------------------------------- compiled


def test_compiled_code_calls_back_and_says_once_that_this_is_slow():
    box = st.black_box(np.sin, vjp=slope, name="heard")
    x = st.Variable(A, name="x")
    with st.GradientTape() as tape:
        y = np.sum(box(x) ** 2)
    f = st.function([x], [y, tape.gradient(y, x)])
    with pytest.warns(SlowCallbackWarning, match="heard is a black box: compiled code calls back.*slow there") as told:
        value, gradient = f(2 * A)
    assert len(told) == 1
    assert told[0].filename == __file__
    assert value == pytest.approx(np.sum(np.sin(2 * A) ** 2))
    np.testing.assert_allclose(gradient, 2 * np.sin(2 * A) * np.cos(2 * A))
    assert st.function([x], np.sum(box(x)))(A) == pytest.approx(
        np.sum(np.sin(A))
    )  # no second warning, or it would fail


def test_all_derivatives_compile():
    x, c = st.Variable(A, name="x"), st.Variable(1.5, name="c")
    rows = st.vmap(lambda s: two(x, s, 3)[0])(st.stack([c, 2 * c]))
    tensors = [
        st.jacobian(wave)(x),
        st.hessian(lambda p: np.sum(smooth(p) ** 2))(x),
        st.jacobian(lambda p: two(p, c, 3))(x)[1],
        rows,
        st.grad(lambda s: np.sum(st.vmap(lambda p: two(p, s, 3)[0])(np.ones((2, 3)))))(c),
    ]
    for tensor in tensors:
        f = quiet([x, c], tensor)
        np.testing.assert_allclose(f(2 * A, 0.5), evaluate([tensor.node], {x.node: 2 * A, c.node: np.float64(0.5)})[0])
    f = quiet([c], np.sum(two(A, c, 3)[0]))
    np.testing.assert_allclose(f.batch(np.arange(20.0)), np.arange(20.0) * A.sum())


def test_it_stands_in_bodies():
    x = st.Variable(2.0, name="x")
    with st.GradientTape() as tape:
        y = st.cond(x > 1, smooth, np.cos, x)
    assert float(tape.gradient(y, x)) == np.cos(2.0)
    assert quiet([x], y)(3.0) == pytest.approx(np.sin(3.0))
    assert float(copy.deepcopy(y)) == np.sin(2.0)
    rule = st.custom_vjp(lambda a: wave(a))
    rule.defvjp(lambda a: (smooth(a), a), lambda a, g: (g * smooth(a),))
    assert st.grad(rule)(0.3) == np.sin(0.3)
    np.testing.assert_allclose(
        st.vmap(lambda a: st.cond(a > 1, smooth, np.cos, a))(np.array([0.0, 2.0])), [1, np.sin(2)]
    )


def test_it_is_called_from_users_compiled_code_and_from_threads():
    import numba

    x, v = st.Variable(2.0, name="x"), st.Variable(A, name="v")
    square = quiet([x], smooth(x) ** 2).numba

    @numba.njit
    def total(n):
        s = 0.0
        for i in range(n):
            s += square(float(i))
        return s

    assert total(3) == pytest.approx(np.sum(np.sin([0.0, 1.0, 2.0]) ** 2))
    f = quiet([v], np.sum(smooth(v) * wave(v)))
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda k: f(A + k), range(8)))
    np.testing.assert_allclose(found, [np.sum(np.sin(A + k) ** 2) for k in range(8)])


def test_jit_and_the_minimizer():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SlowCallbackWarning)
        np.testing.assert_allclose(st.jit(lambda x: smooth(x) + 1)(A), np.sin(A) + 1)
        found = st.minimize(lambda x: np.sum((smooth(x) - 0.5) ** 2), np.zeros(2))
    np.testing.assert_allclose(found.x, np.arcsin([0.5, 0.5]))
    assert found.success


@pytest.mark.parametrize("run", ["interpreted", "compiled", "batch"])
def test_exceptions_of_the_function_come_with_their_traceback(run):
    class TooLargeError(Exception):
        pass

    @st.black_box(shape=())
    def limited(x):
        if x > 5:
            raise TooLargeError(f"{x} is too large")
        return x

    x = st.Variable(1.0)
    y = limited(x) + 1
    f = quiet([x], y)
    calls = {
        "interpreted": lambda: y.eval({x: 7.0}),
        "compiled": lambda: f(7.0),
        "batch": lambda: f.batch(np.array([1.0, 7.0])),
    }
    with pytest.raises(TooLargeError, match=r"7\.0 is too large") as caught:
        calls[run]()
    assert [e.name for e in traceback.extract_tb(caught.value.__traceback__)][-1] == "limited"


def test_a_singular_matrix_stays_an_error_of_linear_algebra():
    def solved(a):
        return np.linalg.solve(a, np.ones(2))

    a = st.Variable(np.eye(2))
    y = st.black_box(solved, shape=(2,))(a)
    for call in (lambda: y.eval({a: np.zeros((2, 2))}), lambda: quiet([a], y)(np.zeros((2, 2)))):
        with pytest.raises(np.linalg.LinAlgError, match="black box solved: Singular matrix") as caught:
            call()
        assert [e.name for e in traceback.extract_tb(caught.value.__cause__.__traceback__)].count("solved") == 1


def test_an_exception_of_a_rule_comes_through_too():
    def broken(g, y, x):
        raise ZeroDivisionError("no slope")

    x = st.Variable(1.0)
    with st.GradientTape() as tape:
        y = st.black_box(np.sin, vjp=broken)(x)
    g = tape.gradient(y, x)
    with pytest.raises(ZeroDivisionError, match="no slope"):
        g.numpy()
    with pytest.raises(ZeroDivisionError, match="no slope"):
        quiet([x], g)


# ------------------------------------------------------------------------------------------------------------- formulas


def test_formulas_are_applications():
    x, v = st.Variable(2.0, name="x"), st.Variable(A[:2], name="v")
    assert str((wave(x) * 2).expr) == "2*wave(x)"
    assert wave(x).latex() == r"\operatorname{wave}{\left(x \right)}"
    assert str(np.sum(wave(v)).expr) == "wave(v[0], v[1])[0] + wave(v[0], v[1])[1]"
    first, second = two(v, x, 3)
    assert str(second.expr) == "two(v[0], v[1], x, 3)[1]"
    assert str(first[1].expr) == "two(v[0], v[1], x, 3)[0, 1]"
    with st.GradientTape() as tape:
        y = wave(x)
    g = tape.gradient(y, x)
    assert str(g.formula("named")) == "t0 = wave(x)\nt1 = wave.vjp(1.0, t0, x)\nresult = t1[0]"
    assert str(g.expr) == "wave.vjp(1, wave(x), x)[0]"
    assert str(st.vmap(smooth)(st.stack([x, 2 * x])).expr) == "[smooth(x), smooth(2*x)]"


def test_black_boxes_of_one_name_are_two_functions_to_sympy():
    x = st.Variable(2.0, name="x")
    one, other = st.black_box(lambda x: x), st.black_box(lambda x: 2 * x)
    assert one(x).expr == one(x).expr
    assert sympy.simplify(one(x).expr - other(x).expr) != 0


# ---------------------------------------------------------------------------------------------------- files and pickles


@pytest.fixture
def module():
    """A module with a black box, as a user's would be."""
    found = types.ModuleType("own_module_of_boxes")
    text = """
import numpy as np
import symtape as st

@st.black_box(vjp=lambda g, y, x, how: g * 2 * x, shape=())
def square(x, how="exactly"):
    return x**2

renamed = st.black_box(np.sin, vjp=lambda g, y, x: g * np.cos(x), name="renamed")
"""
    sys.modules[found.__name__] = found
    exec(text, found.__dict__)
    yield found
    del sys.modules[found.__name__]


@pytest.mark.parametrize("name", ["square", "renamed"])
def test_a_box_at_the_top_of_a_module_is_saved_by_name(module, name, tmp_path):
    box = getattr(module, name)
    x = st.Variable(3.0, name="x")
    with st.GradientTape() as tape:
        y = box(x)
    g = tape.gradient(y, x)
    assert pickle.loads(pickle.dumps(box)) is box
    for again in pickle.loads(pickle.dumps([y, g])), from_bytes(to_bytes([y, g])):
        assert [float(t) for t in again] == [float(y), float(g)]
    f = quiet([x], [y, g])
    st.save(tmp_path / "f.symtape", f)
    for again in st.load(tmp_path / "f.symtape"), pickle.loads(pickle.dumps(f)):
        assert again(2.0) == f(2.0)


def test_a_file_finds_only_boxes_that_exist(module):
    data = to_bytes(module.square(st.Variable(3.0), "roughly"))
    del sys.modules[module.__name__]
    with pytest.raises(UnknownNameError, match="calls the black box 'square' of the module 'own_module_of_boxes'"):
        from_bytes(data)
    sys.modules[module.__name__] = module
    assert float(from_bytes(data)) == 9.0
    module.square = np.sin  # no black box any more
    with pytest.raises(UnknownNameError, match="import own_module_of_boxes first"):
        from_bytes(data)


def test_a_file_cannot_name_what_is_no_part_of_a_box(module):
    document, arrays = unpack(to_bytes(module.square(st.Variable(3.0))))
    for name in ("black box", "black box one", "black box one os system", "black box two own_module_of_boxes square"):
        document["graph"]["ops"] = [name]
        with pytest.raises(UnknownNameError, match=r"calls the black box|there is no op named 'black box'"):
            from_bytes(pack(document, arrays))


def test_params_from_a_stranger_are_checked(module):
    document, arrays = unpack(to_bytes(st.vmap(module.square)(st.Variable(A))))
    _, params = document["graph"]["graphs"][0]["params"][-1]
    good = copy.deepcopy(params)
    bad = [
        (0, []),
        (0, [[], []]),
        (0, [["array", "array"], []]),
        (0, [["matrix"], []]),
        (0, [["array"], [["k"]]]),
        (1, []),
        (1, [[[-1], "float64"]]),
        (1, [[[], "object"]]),
        (1, [["float64"]]),
        (2, [[False]]),
        (2, [[True, True]]),
        (2, [[1]]),
        (2, [[True], [True]]),
    ]
    for place, value in bad:
        params[:] = copy.deepcopy(good)
        params[place] = value
        with pytest.raises(DataFormError):
            from_bytes(pack(document, arrays))
    params[:] = good
    np.testing.assert_array_equal(from_bytes(pack(document, arrays)).numpy(), A**2)


def test_a_box_that_nobody_would_find_is_not_saved():
    local = st.black_box(lambda x: x)
    y = local(st.Variable(2.0))
    for write in (to_bytes, pickle.dumps):
        with pytest.raises(TypeError, match="the black box <lambda> cannot be saved or pickled: nobody would find it"):
            write(y)
    assert float(copy.deepcopy(y)) == 2.0
    assert copy.copy(local) is copy.deepcopy(local) is local
    with pytest.raises(TypeError, match="has no data form"):
        to_bytes(two_settings(st.Variable(1.0), Spring(1.0)))


@st.black_box
def two_settings(x, spring):
    return x


def test_two_boxes_of_one_name_stay_two_in_a_copy():
    one, other = st.black_box(lambda x: x + 1), st.black_box(lambda x: x * 10)
    assert float(copy.deepcopy(one(st.Variable(2.0)) + other(st.Variable(2.0)))) == 23.0


# --------------------------------------------------------------------------------------------------------- declarations


@pytest.mark.parametrize(
    ("shape", "value"),
    [
        ((2,), [1.0, 2.0]),
        (2, [1.0, 2.0]),
        ((), 1.0),
        (np.empty(2, np.float32), np.ones(2, np.float32)),
        (lambda x: x.shape, [1.0, 2.0, 3.0]),
        (lambda x: np.empty(1, int), [3]),
        ([(), (2,)], (1.0, [1.0, 2.0])),
        (((), np.empty(1, bool)), (1.0, [True])),
    ],
)
def test_the_shape_may_be_declared_and_then_no_value_is_needed(shape, value):
    box = st.black_box(lambda x: value, shape=shape)
    y = box(st.symbol("x", (3,)))
    several = isinstance(value, tuple)
    assert isinstance(y, tuple) == several
    for t, v in zip(y if several else [y], value if several else [value], strict=True):
        wanted = np.asarray(v)
        assert (t.shape, t.dtype) == (wanted.shape, wanted.dtype)


def test_a_shape_that_cannot_be_seen_has_to_be_declared():
    with pytest.raises(MissingValueError, match=r"wave: x has no value here .* declare it, @st.black_box\(shape=...\)"):
        wave(st.symbol("x"))
    with pytest.raises(MissingValueError, match="wave: x has no value here"):
        st.vmap(wave)(A)
    with pytest.raises(UnboundDimensionError, match=r"smooth: x has shape .* a black box needs known lengths"):
        smooth(st.symbol("x", ("n",)))


@pytest.mark.parametrize("shape", ["abc", [], [(), "a"], (1.5,), np.empty(2, complex), lambda x: None, -1, (2, -1)])
def test_a_declaration_that_is_none_is_refused(shape):
    with pytest.raises(TypeError, match=r"the shape of the result is declared as .*; wanted a tuple of lengths"):
        st.black_box(np.sin, shape=shape)(st.symbol("x"))


# ------------------------------------------------------------------------------------------------------ what is refused


@pytest.mark.parametrize(
    ("returned", "error", "message"),
    [
        (np.zeros(2), ShapeError, r"the result of f has shape \(2,\), wanted \(3,\)"),
        (
            np.zeros(3, complex),
            DTypeError,
            "the result of f is complex .* return real and imaginary parts as two arrays",
        ),
        ("text", DTypeError, "the result of f is 'text', wanted an array of real numbers"),
        (None, DTypeError, "the result of f is None, wanted"),
        ([1.0, [2.0]], DTypeError, "the result of f is no array"),
        (st.constant(A), DTypeError, "the result of f is a tensor, wanted an array"),
        ((np.zeros(3), np.zeros(3)), ShapeError, r"the result of f has shape \(2, 3\)"),
    ],
)
def test_what_it_must_not_return(returned, error, message):
    x = st.Variable(A)
    y = st.black_box(lambda x: returned, shape=(3,), name="f")(x)
    with pytest.raises(error, match=message):
        y.numpy()
    with pytest.raises(error, match=message):
        quiet([x], y)


def test_a_dtype_that_would_lose_something_is_refused():
    y = st.black_box(lambda x: x, shape=np.empty(3, np.float32), name="f")(st.Variable(A))
    with pytest.raises(DTypeError, match=r"the result of f has dtype float64, wanted float32: .*astype\('float32'\)"):
        y.numpy()
    assert st.black_box(lambda x: 1, shape=())(st.Variable(2.0)).dtype == np.float64


def test_a_result_that_changes_from_call_to_call_is_refused():
    lengths = iter([2, 3])
    box = st.black_box(lambda x: np.zeros(next(lengths)), name="f")
    x = st.Variable(A)
    y = box(x)
    with pytest.raises(ShapeError, match=r"the result of f has shape \(3,\), wanted \(2,\)"):
        quiet([x], y)


def test_the_wrong_number_of_results():
    box = st.black_box(lambda x: (x, x, x), shape=[(), ()], name="f")
    with pytest.raises(TypeError, match="f is to return a tuple of 2 arrays"):
        box(st.constant(1.0))[0].numpy()
    with pytest.raises(TypeError, match="returned an empty tuple"):
        st.black_box(lambda x: ())(st.constant(1.0))


@pytest.mark.parametrize("recorded", [False, True])
@pytest.mark.parametrize(
    ("vjp", "error", "message"),
    [
        (lambda g, y, a, b: g, TypeError, "the vjp of f returned 1, wanted a gradient, or None, for each of the 2"),
        (lambda g, y, a, b: (g, g, g), TypeError, "the vjp of f returned 3, wanted a gradient"),
        (lambda g, y, a, b: (np.zeros(2), None), ShapeError, r"the vjp of f returned .* shape \(2,\), wanted \(3,\)"),
        (lambda g, y, a, b: ("a", None), TypeError, "'a'|<U1"),
        (lambda g, y, a: g, TypeError, "takes 3 positional arguments but 4 were given"),
    ],
)
def test_rules_that_return_what_they_must_not(recorded, vjp, error, message):
    box = st.black_box(lambda a, b: a * b, vjp=vjp, recorded_rules=recorded, shape=(3,), name="f")
    with pytest.raises(error, match=message):
        st.jacobian(box, argnums=(0, 1))(A, 2 * A)


def test_a_jvp_that_returns_too_little():
    box = st.black_box(lambda x: (x, x), jvp=lambda t, y, x: t[0], shape=[(), ()], name="f")
    with pytest.raises(TypeError, match="the jvp of f returned 1, wanted a tangent for each of the 2 results"):
        st.jvp(box, (1.0,), (1.0,))


def test_none_is_no_gradient():
    box = st.black_box(lambda a, b: a * b, vjp=lambda g, y, a, b: (None, g * a), shape=())
    assert st.grad(box, argnums=(0, 1))(2.0, 3.0) == (0.0, 2.0)
    recorded = st.black_box(lambda a, b: a * b, vjp=lambda g, y, a, b: (None, g * a), recorded_rules=True, shape=())
    assert st.grad(recorded, argnums=(0, 1))(2.0, 3.0) == (0.0, 2.0)


def test_a_recorded_rule_takes_nothing_from_outside():
    k = st.Variable(2.0, name="k")
    box = st.black_box(lambda x: 2 * x, vjp=lambda g, y, x: g * k, recorded_rules=True, shape=(), name="f")
    with pytest.raises(TypeError, match=r"the vjp of f uses <k float64\[\]> from outside: make it an argument of f"):
        st.grad(box)(1.0)


def test_arguments_that_it_cannot_take():
    x = st.Variable(1.0)
    with pytest.raises(TypeError, match="f: p is a dict of tensors; a black box takes arrays, one by one"):
        st.black_box(lambda p, q: 1.0, name="f")({"a": x}, x)
    with pytest.raises(
        TypeError, match="f: p is a set; a black box takes arrays, numbers and settings that have a hash"
    ):
        st.black_box(lambda x, p: 1.0, name="f")(x, {1, 2})
    with pytest.raises(TypeError, match="f: p can be given by keyword only, and is an array"):
        st.black_box(lambda x, *, p: 1.0, name="f")(x, p=A)
    with pytest.raises(TypeError, match="missing a required argument: 'y'"):
        st.black_box(lambda x, y: 1.0)(x)
    with pytest.raises(TypeError, match=r"st.black_box makes a function an operation, got 3"):
        st.black_box(3)
    with pytest.raises(TypeError, match="the vjp of sin is no function: 'slope'"):
        st.black_box(np.sin, vjp="slope")


def test_a_function_in_c_has_no_names_for_its_arguments():
    box = st.black_box(np.dot, vjp=lambda g, y, a, b: (g * b, g * a), shape=())
    np.testing.assert_array_equal(st.grad(lambda a: box(a, 2 * A))(A), 2 * A)
    assert repr(box) == "<black box dot>"
