"""`stop_gradient` and `custom_gradient`: as in TensorFlow."""

import numpy as np
import pytest

import symtape as st
from symtape.errors import ConcreteValueError, ShapeError


def test_stop_gradient_passes_the_value_only():
    x = st.Variable([1.0, 2.0])
    with st.GradientTape(persistent=True) as tape:
        stopped = st.stop_gradient(x * 3)
        y = np.sum(x * stopped)
    np.testing.assert_array_equal(stopped.numpy(), [3.0, 6.0])
    np.testing.assert_array_equal(tape.gradient(y, x).numpy(), [3.0, 6.0])
    assert tape.gradient(stopped, x) is None


def test_stop_gradient_of_structures_and_numbers():
    x = st.Variable(2.0)
    with st.GradientTape() as tape:
        found = st.stop_gradient({"a": x, "b": [x * 2, 3.0]})
        y = found["a"] * x + found["b"][0]
    assert found["b"][1] == 3.0
    assert float(tape.gradient(y, x)) == 2.0


@st.custom_gradient
def log1pexp(x):
    e = np.exp(x)

    def grad(upstream):
        return upstream * (1 - 1 / (1 + e))

    return np.log(1 + e), grad


def test_the_example_of_tensorflow():
    x = st.Variable(100.0)
    with st.GradientTape(persistent=True) as tape:
        y = log1pexp(x)
        g = tape.gradient(y, x)
    assert float(g) == 1.0
    assert 0 <= float(tape.gradient(g, x)) < 1e-40
    assert log1pexp.__name__ == "log1pexp"


def test_the_stated_gradient_is_taken_at_its_word():
    @st.custom_gradient
    def wrong(x, y):
        return x * y, lambda upstream: (upstream * 10.0, upstream * 20.0)

    a, b = st.Variable(2.0), st.Variable(3.0)
    with st.GradientTape() as tape:
        z = wrong(a, b) * 5
    assert float(z) == 30.0
    assert [float(g) for g in tape.gradient(z, [a, b])] == [50.0, 100.0]


def test_arguments_may_be_equal_or_the_same():
    @st.custom_gradient
    def product(x, y):
        return x * y, lambda upstream: (upstream * y, upstream * x * 100)

    x = st.Variable(3.0)
    c, d = st.constant(3.0), st.constant(3.0)
    with st.GradientTape(persistent=True) as tape:
        tape.watch([c, d])
        same, equal = product(x, x), product(c, d)
    assert float(tape.gradient(same, x)) == 303.0
    assert [float(g) for g in tape.gradient(equal, [c, d])] == [3.0, 300.0]


def test_several_results_take_several_upstream_gradients():
    @st.custom_gradient
    def both(x):
        return (x * 2, {"square": x * x}), lambda one, two: one * 7 + two * 11

    x = st.Variable(3.0)
    with st.GradientTape(persistent=True) as tape:
        twice, rest = both(x)
    assert float(rest["square"]) == 9.0
    assert float(tape.gradient(twice, x)) == 7.0
    assert float(tape.gradient(rest["square"], x)) == 11.0
    assert float(tape.gradient([twice, rest["square"]], x)) == 18.0


def test_nested_arguments_and_keywords():
    @st.custom_gradient
    def weighted(pair, scale=1.0):
        return (pair["a"] + pair["b"]) * scale, lambda upstream: [upstream * scale, upstream * -scale]

    a, b = st.Variable(1.0), st.Variable(2.0)
    with st.GradientTape() as tape:
        y = weighted({"a": a, "b": b}, scale=4.0)
    assert float(y) == 12.0
    assert [float(g) for g in tape.gradient(y, [a, b])] == [4.0, -4.0]


def test_a_gradient_may_be_none():
    @st.custom_gradient
    def first(x, n):
        return x * n, lambda upstream: (upstream * n, None)

    x = st.Variable(3.0)
    n = st.Variable(2, dtype=int)
    with st.GradientTape() as tape:
        y = first(x, n)
    assert float(tape.gradient(y, x)) == 2.0


def test_trainable_variables_need_the_keyword():
    w = st.Variable(2.0, name="w")

    @st.custom_gradient
    def without(x):
        return x * w, lambda upstream: upstream

    with pytest.raises(TypeError, match="grad_fn must accept a 'variables' keyword argument; this one uses 'w'"):
        without(st.constant(1.0))

    @st.custom_gradient
    def with_it(x):
        def grad(upstream, variables=None):
            assert [v.name for v in variables] == ["w"]
            return upstream * variables[0], [upstream * x * 10]

        return x * w, grad

    x = st.Variable(3.0)
    with st.GradientTape() as tape:
        y = with_it(x)
    assert [float(g) for g in tape.gradient(y, [x, w])] == [2.0, 30.0]


def test_what_is_not_trainable_is_used_freely():
    k = st.Variable(2.0, trainable=False)
    c = st.constant(5.0)

    @st.custom_gradient
    def scaled(x):
        return x * k + c, lambda upstream: upstream * k * c

    x = st.Variable(3.0)
    with st.GradientTape() as tape:
        y = scaled(x)
        k.assign(100.0)
    assert float(y) == 11.0
    assert float(tape.gradient(y, x)) == 10.0


def test_a_branch_inside_is_a_guard_of_the_tape_outside():
    @st.custom_gradient
    def sided(x):
        if x > 0:
            return x * 2, lambda upstream: upstream * 3
        return x * 4, lambda upstream: upstream * 5

    x = st.Variable(-1.0, name="x")
    with st.GradientTape() as tape:
        y = sided(x)
    assert float(tape.gradient(y, x)) == 5.0
    assert [str(a) for a in tape.assumptions] == ["x <= 0"]


def test_a_number_taken_out_inside_is_refused():
    @st.custom_gradient
    def cut(x):
        return x * float(x), lambda upstream: upstream

    with pytest.raises(ConcreteValueError, match=r"st\.custom_gradient"):
        cut(st.Variable(3.0))


@pytest.mark.parametrize("bad", [lambda x: x, lambda x: (x, x), lambda x: (x, lambda g: g, 3)])
def test_what_does_not_return_a_pair_is_refused(bad):
    with pytest.raises(TypeError, match="must return"):
        st.custom_gradient(bad)(st.Variable(3.0))


def test_the_number_of_gradients_is_checked():
    @st.custom_gradient
    def two(x, y):
        return x * y, lambda upstream: upstream

    with pytest.raises(ValueError, match="expected to return 2 gradients, but returned 1 instead"):
        two(st.Variable(3.0), 2.0)


def test_the_shape_of_a_gradient_is_checked():
    @st.custom_gradient
    def total(x):
        return np.sum(x), lambda upstream: upstream

    with pytest.raises(ShapeError, match=r"gradient 0 .*has shape \(\), wanted \(3,\)"):
        total(st.Variable([1.0, 2.0, 3.0]))


def test_jacobians_and_batches_pass_through():
    @st.custom_gradient
    def double(x):
        return x * 2, lambda upstream: upstream * 5

    x = st.Variable([1.0, 2.0])
    with st.GradientTape(persistent=True) as tape:
        y = double(x) * x
    np.testing.assert_array_equal(tape.jacobian(y, x).numpy(), np.diag([2 + 5.0, 4 + 10.0]))


def test_a_custom_gradient_can_be_differentiated_again():
    @st.custom_gradient
    def cube(x):
        return x**3, lambda upstream: upstream * x**2 * 3

    x = st.Variable(2.0)
    with st.GradientTape() as outer:
        with st.GradientTape() as tape:
            y = cube(x)
        g = tape.gradient(y, x)
    assert float(g) == 12.0
    assert float(outer.gradient(g, x)) == 12.0


def test_the_identity_may_have_a_gradient_of_its_own():
    @st.custom_gradient
    def identity(x):
        return x, lambda upstream: [2 * upstream]

    x = st.Variable(1.0)
    with st.GradientTape() as tape:
        y = identity(x)
    assert float(tape.gradient(y, x)) == 2.0


def test_a_function_of_nothing():
    assert float(st.custom_gradient(lambda: (3.0, lambda upstream: []))()) == 3.0
