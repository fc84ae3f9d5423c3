"""Stable forms: where they are applied, and where they must not be."""

import numpy as np
import pytest

import symtape as st


def slope(function, at):
    x = st.Variable(at)
    with st.GradientTape() as tape:
        y = function(x)
    return tape.gradient(y, x).numpy()


@pytest.mark.parametrize(
    "function",
    [lambda x: np.log(1 + np.exp(x)), lambda x: np.log(np.exp(x) + 1.0), lambda x: np.log(np.exp(x) + np.ones(()))],
)
def test_the_derivative_of_softplus_does_not_overflow(function):
    at = np.array([-800.0, -1.0, 0.0, 2.0, 800.0])
    np.testing.assert_allclose(slope(function, at), 1 / (1 + np.exp(-np.clip(at, -700, 700))), rtol=1e-14, atol=1e-300)


def test_the_derivative_of_x_over_exp_minus_one_holds_at_zero():
    at = np.array([-2.0, -1e-9, 0.0, 1e-9, 3.0])
    found = slope(lambda x: x / (np.exp(x) - 1), at)
    far = (np.expm1(at) - at * np.exp(at)) / np.where(at == 0, 1, np.expm1(at)) ** 2
    np.testing.assert_allclose(found[[0, 4]], far[[0, 4]], rtol=1e-13)
    np.testing.assert_allclose(found[1:4], [-0.5 - 1e-9 / 6, -0.5, -0.5 + 1e-9 / 6], rtol=1e-15)


def test_second_derivatives_are_stable_too():
    x = st.Variable([-800.0, 0.0, 800.0])
    with st.GradientTape() as outer:
        with st.GradientTape() as tape:
            y = np.log(1 + np.exp(x)) + x / (np.exp(x) - 1)
        g = tape.gradient(y, x)
    found = outer.gradient(g, x).numpy()
    np.testing.assert_allclose(found, [0.0, 0.25 + 1 / 6, 0.0], atol=1e-15)


def test_the_values_stay_as_they_were_recorded():
    x = st.Variable(800.0)
    with np.errstate(all="ignore"), st.GradientTape() as tape:
        y = np.log(1 + np.exp(x))
        z = y * 2
    assert float(tape.gradient(z, x)) == 2.0
    assert np.isinf(y.numpy())


@pytest.mark.parametrize("keep", ["source e", "source t", "target e", "target t"])
def test_inner_tensors_that_are_asked_for_are_passed_through(keep):
    x = st.Variable(0.7)
    with st.GradientTape(persistent=True) as tape:
        e = np.exp(x)
        t = 1 + e
        y = np.log(t)
    inner = {"e": e, "t": t}[keep[-1]]
    if keep.startswith("source"):
        g, gx = tape.gradient(y, [inner, x])
        np.testing.assert_allclose(g.numpy(), 1 / (1 + np.exp(0.7)), rtol=1e-15)
    else:
        gx = tape.gradient([y, inner], x) - tape.gradient(inner, x)
    np.testing.assert_allclose(gx.numpy(), 1 / (1 + np.exp(-0.7)), rtol=1e-14)
    assert "softplus" not in str(gx.formula())


def test_an_inner_tensor_that_is_used_elsewhere_keeps_its_own_way():
    x = st.Variable(0.7)
    with st.GradientTape() as tape:
        e = np.exp(x)
        y = np.log(1 + e) * e
    s = np.log1p(np.exp(0.7))
    expected = np.exp(0.7) / (1 + np.exp(-0.7)) + s * np.exp(0.7)
    np.testing.assert_allclose(tape.gradient(y, x).numpy(), expected, rtol=1e-14)


def test_a_later_derivative_in_an_inner_tensor_is_none():
    x = st.Variable(0.7)
    with st.GradientTape(persistent=True) as outer:
        with st.GradientTape(persistent=True) as tape:
            e = np.exp(x)
            y = np.log(1 + e)
        around = tape.gradient(y, x)
        through, _ = tape.gradient(y, [x, e])
    assert outer.gradient(around, e) is None
    assert outer.explain(around, e).reason == "inside a rewritten stable form"
    np.testing.assert_allclose(outer.gradient(around, x).numpy(), np.exp(0.7) / (1 + np.exp(0.7)) ** 2, rtol=1e-14)
    assert outer.gradient(through, e) is not None


@pytest.mark.parametrize(
    ("function", "at", "expected"),
    [
        (lambda x: np.log(2 + np.exp(x)), 0.0, 1 / 3),
        (lambda x: np.log(1 + np.exp(2 * x)), 0.0, 1.0),
        (lambda x: np.log(1 - np.exp(x)), -1.0, -np.exp(-1) / (1 - np.exp(-1))),
        (lambda x: (2 * x) / (np.exp(x) - 1), 1.0, 2 * (np.e - 1 - np.e) / (np.e - 1) ** 2),
        (lambda x: x / (np.exp(x) + 1), 0.0, 0.5),
        (lambda x: np.log(1 + x), 0.0, 1.0),
    ],
)
def test_what_only_looks_alike_is_right_as_well(function, at, expected):
    np.testing.assert_allclose(slope(function, at), expected, rtol=1e-14)


def test_two_versions_of_a_variable_are_not_one_operand():
    x = st.Variable(1.0)
    with st.GradientTape() as tape:
        numerator = x * 1.0
        first = x.read()
        x.assign(2.0)
        y = first / (np.exp(x) - 1)
    assert numerator is not None
    expected = 1 / np.expm1(2.0) - np.exp(2.0) / np.expm1(2.0) ** 2
    np.testing.assert_allclose(tape.gradient(y, x).numpy(), expected, rtol=1e-14)


def test_jacobians_use_them():
    x = st.Variable([800.0, 0.0])
    with st.GradientTape(persistent=True) as tape:
        y = np.log(1 + np.exp(x))
    np.testing.assert_array_equal(tape.jacobian(y, x).numpy(), np.diag([1.0, 0.5]))
    with tape:
        total = np.sum(y)
    np.testing.assert_array_equal(tape.hessian(total, x).numpy(), np.diag([0.0, 0.25]))
