"""Elementwise functions that users enter: from expressions and from Python functions."""

import numpy as np
import pytest
import sympy

import symtape as st
from symtape.errors import NotDifferentiableError, ShapeError, SlowCallbackWarning
from symtape.ops import registry
from symtape.tape import own_elementwise

a, t = sympy.symbols("a t")


@pytest.fixture(autouse=True)
def _lists_as_they_were():
    before = set(own_elementwise._own)
    yield
    for name in own_elementwise._own - before:
        registry.forget(name)
    own_elementwise._own &= before


def test_an_expression_is_what_its_operations_are():
    swish = st.register_elementwise("own_swish", t / (1 + sympy.exp(-a * t)))
    x = np.array([-1.0, 0.5])
    np.testing.assert_allclose(swish(2.0, x), x / (1 + np.exp(-2 * x)))
    v = st.Variable(x, name="v")
    with st.GradientTape() as tape:
        y = np.sum(swish(2.0, v))
    g = tape.gradient(y, v)
    s = 1 / (1 + np.exp(-2 * x))
    np.testing.assert_allclose(g.numpy(), s + 2 * x * s * (1 - s))
    np.testing.assert_allclose(st.function([v], g)(x), g.numpy())
    assert "own_swish" not in registry.ops()


def test_a_lambda_has_its_own_order():
    f = st.register_elementwise("own_quotient", sympy.Lambda((t, a), t / a))
    assert f(6.0, 2.0) == 3.0


def test_a_derivative_may_replace_the_expressions_own():
    f = st.register_elementwise("own_square", t**2, derivative=7 * t)
    assert f(3.0) == 9.0
    assert st.grad(f)(3.0) == 21.0
    assert st.grad(st.grad(f))(3.0) == 7.0


def test_a_python_function_with_its_derivative():
    def sine(x):
        return np.array([np.sin(v) for v in np.ravel(x)]).reshape(np.shape(x))

    f = st.register_elementwise("own_sine", sine, derivative=np.cos)
    x = st.Variable([0.1, 0.2], name="x")
    with st.GradientTape() as tape:
        y = np.sum(f(x) * 2)
    np.testing.assert_allclose(tape.gradient(y, x).numpy(), 2 * np.cos([0.1, 0.2]))
    assert st.hessian(f)(0.3) == pytest.approx(-np.sin(0.3))
    assert str(f(st.Variable(0.5, name="z")).expr) == "own_sine(z)"
    with pytest.warns(SlowCallbackWarning, match="own_sine is a Python function: compiled code calls back"):
        found = st.function([x], y)([0.1, 0.4])
    assert found == pytest.approx(2 * (np.sin(0.1) + np.sin(0.4)))


def test_several_arguments_and_those_without_gradient():
    f = st.register_elementwise("own_product", lambda x, y: np.multiply(x, y), derivative=[lambda x, y: y, None])
    assert st.grad(f, argnums=(0, 1))(2.0, 5.0) == (5.0, 0.0)
    g = st.register_elementwise("own_shift", lambda x: np.add(x, 1.0), derivative=1)
    assert st.grad(g)(2.0) == 1.0


def test_entering_a_name_again_replaces_it():
    assert st.register_elementwise("own_again", t + 1)(1.0) == 2.0
    assert st.register_elementwise("own_again", t + 2)(1.0) == 3.0


def test_what_is_refused():
    with pytest.raises(ValueError, match="symtape has a function named 'sin' already"):
        st.register_elementwise("sin", t)
    with pytest.raises(ValueError, match="must be an identifier, got 'a b'"):
        st.register_elementwise("a b", t)
    with pytest.raises(TypeError, match="wanted a sympy expression or a function of arrays, got 3"):
        st.register_elementwise("own_three", 3)
    with pytest.raises(TypeError, match="own_none has no arguments"):
        st.register_elementwise("own_none", sympy.Integer(3))
    with pytest.raises(ValueError, match="own_two has 2 arguments, but 1 derivatives were given"):
        st.register_elementwise("own_two", t * a, derivative=a)
    with pytest.raises(TypeError, match="a derivative of own_text is a sympy expression, a function or a number"):
        st.register_elementwise("own_text", t, derivative="cos")
    with pytest.raises(TypeError, match=r"own_pair takes 2 arguments \(a, t\), got 1"):
        st.register_elementwise("own_pair", t * a)(1.0)
    f = st.register_elementwise("own_blind", lambda x: np.sin(x))
    with pytest.raises(NotDifferentiableError, match="own_blind was registered without a derivative, and one in x"):
        st.grad(f)(1.0)
    g = st.register_elementwise("own_sum", lambda x: np.sum(x), derivative=1)
    with pytest.raises(
        ShapeError, match=r"own_sum is entered as an elementwise function: wanted shape \(2,\), got \(\)"
    ):
        g(np.ones(2))
