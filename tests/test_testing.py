import numpy as np
import pytest

from symtape.errors import DerivativeMismatchError, DTypeError
from symtape.ops.registry import op_named
from symtape.testing import check_gradients, difference


def test_a_difference_is_close():
    rng = np.random.default_rng(0)
    x, d = rng.uniform(-1, 1, (2, 3))
    assert difference(lambda v: float(np.sum(np.sin(v))), [x], [d]) == pytest.approx(np.sum(np.cos(x) * d), rel=1e-12)


def test_right_derivatives_pass_to_third_order():
    check_gradients(
        lambda x, y: np.sum(np.exp(x) * y) / np.sqrt(y[0]), np.array([0.3, -1.2]), np.array([1.0, 2.0]), order=3
    )


def test_structures_and_integers_are_passed_on():
    def f(params, n):
        return {"a": params["a"] * n, "b": [np.sum(params["b"] ** n)], "count": n}

    check_gradients(f, {"a": 2.0, "b": np.ones((2, 2))}, 3)


def test_a_wrong_partial_is_named(monkeypatch):
    monkeypatch.setitem(op_named("sin").partial_programs, (0, ()), lambda B, y, x: B.multiply(1.5, B.cos(x)))
    with pytest.raises(
        DerivativeMismatchError, match=r"the first derivative in argument 1\['w'\] at element \(0,\) is wrong"
    ):
        check_gradients(lambda x, w: np.sum(x * np.sin(w["w"])), np.ones(2), {"w": np.array([0.3, 0.7])})


def test_only_the_wrong_element_is_named(monkeypatch):
    monkeypatch.setitem(
        op_named("sin").partial_programs, (0, ()), lambda B, y, x: B.multiply(np.array([1.0, 2.0]), B.cos(x))
    )
    with pytest.raises(DerivativeMismatchError, match=r"argument 0 at element \(1,\)"):
        check_gradients(lambda x: np.sum(np.sin(x)), np.array([0.3, 0.7]))


def test_a_vjp_that_differs_from_the_jvp_is_found(monkeypatch):
    rule = op_named("sum").vjp[0]
    monkeypatch.setattr(op_named("sum"), "vjp", (lambda B, g, *rest: B.multiply(2.0, rule(B, g, *rest)),))
    with pytest.raises(DerivativeMismatchError, match="reverse mode gives"):
        check_gradients(lambda x: np.sum(x**2), np.array([0.3, 0.7]))


def test_a_wrong_second_derivative_is_found(monkeypatch):
    monkeypatch.setitem(op_named("square").partial_programs, (0, ()), lambda B, y, x: B.multiply(2, B.stop_gradient(x)))
    check_gradients(np.square, 0.7, order=1)
    with pytest.raises(DerivativeMismatchError, match="the second derivative in argument 0 is wrong"):
        check_gradients(np.square, 0.7, order=2)


def test_a_point_outside_the_domain_is_refused():
    with pytest.raises(DerivativeMismatchError, match="the function is not finite"):
        check_gradients(np.log, -1.0)
    with pytest.raises(DerivativeMismatchError, match="reverse mode gives inf"):
        check_gradients(np.cbrt, 0.0, order=1)


def test_bad_arguments_are_refused():
    with pytest.raises(TypeError, match="needs a float among the arguments"):
        check_gradients(lambda n: n, 3)
    with pytest.raises(DTypeError, match="double precision"):
        check_gradients(np.sin, np.float32(0.3))
    with pytest.raises(ValueError, match="order=0"):
        check_gradients(np.sin, 0.3, order=0)
