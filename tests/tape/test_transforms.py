from dataclasses import dataclass

import numpy as np
import pytest
import scipy.optimize
import sympy

import symtape as st

X = np.array([1.3, 0.7, 0.8])
ROSEN = scipy.optimize.rosen
FIRST = scipy.optimize.rosen_der(X)
SECOND = scipy.optimize.rosen_hess(X)


def rosen(x):
    return np.sum(100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2)


def pair(x, y):
    return np.array([x[0] * y, np.sin(x[1]), y**2])


PAIR_X = np.array([[2.0, 0.0], [0.0, np.cos(0.5)], [0.0, 0.0]])
PAIR_Y = np.array([1.5, 0.0, 4.0])
AT = (np.array([1.5, 0.5]), 2.0)


def close(actual, desired):
    np.testing.assert_allclose(actual, desired, rtol=1e-12, atol=1e-12)


# ----------------------------------------------------------------------------------------------------- grad and its kin


def test_grad_gives_arrays_for_arrays_and_floats_for_shape_none():
    gradient = st.grad(rosen)(X)
    assert type(gradient) is np.ndarray
    close(gradient, FIRST)
    slope = st.grad(np.sin)(0.5)
    assert type(slope) is float
    assert slope == np.cos(0.5)
    assert type(st.grad(np.sin)(np.float64(0.5))) is float
    assert st.grad(lambda x: np.sum(x**2))(X.astype(np.float32)).dtype == np.float32


def test_value_and_grad():
    value, gradient = st.value_and_grad(rosen)(X)
    assert type(value) is float
    assert value == pytest.approx(ROSEN(X), rel=1e-14)
    close(gradient, FIRST)


def test_what_comes_back_is_fresh():
    f = st.grad(lambda x: np.sum(2 * x))
    first = f(X)
    first[:] = 0
    close(f(X), [2.0, 2.0, 2.0])
    value, _ = st.jvp(lambda x: x, (X,), (X,))
    value[:] = 0
    close(X, [1.3, 0.7, 0.8])


def test_argnums():
    f = lambda x, y, z: x * y**2 * z
    assert st.grad(f)(2.0, 3.0, 5.0) == 45.0
    assert st.grad(f, 1)(2.0, 3.0, 5.0) == 60.0
    assert st.grad(f, -1)(2.0, 3.0, 5.0) == 18.0
    assert st.grad(f, (2, 0))(2.0, 3.0, 5.0) == (18.0, 45.0)
    assert st.grad(f, argnums=[1])(2.0, 3.0, 5.0) == (60.0,)
    for wrong, kind in ((3, ValueError), ((0, 0), ValueError), ("x", TypeError), (0.5, TypeError)):
        with pytest.raises(kind, match="argnums"):
            st.grad(f, wrong)(2.0, 3.0, 5.0)
    with pytest.raises(ValueError, match="0 positional"):
        st.grad(f)(x=2.0, y=3.0, z=5.0)


def test_other_arguments_are_handed_on_as_they_are():
    seen = []

    def f(x, mode, data, *, scale, flag=None):
        seen.append((type(mode), type(data), type(scale), flag))
        return np.sum(x * data) * scale

    close(st.grad(f)(X, "fast", X, scale=3, flag=True), 3 * X)
    assert seen == [(str, np.ndarray, int, True)]


def test_aux():
    def f(x):
        y = x**2
        return np.sum(y), {"y": y, "note": "text", "n": 3, "none": None}

    gradient, aux = st.grad(f, has_aux=True)(X)
    close(gradient, 2 * X)
    close(aux["y"], X**2)
    assert type(aux["y"]) is np.ndarray
    assert (aux["note"], aux["n"], aux["none"]) == ("text", 3, None)
    (value, aux), gradient = st.value_and_grad(f, has_aux=True)(X)
    assert value == pytest.approx(np.sum(X**2))
    close(aux["y"], X**2)
    with pytest.raises(TypeError, match=r"pair \(value, aux\)"):
        st.grad(rosen, has_aux=True)(X)


def test_nested_structures():
    @dataclass
    class Layer:
        weight: object
        bias: object

    def f(model, x):
        return np.sum((model["layer"].weight @ x + model["layer"].bias) ** 2) + model["scale"][0]

    model = {"layer": Layer(np.eye(3), np.zeros(3)), "scale": (2.0, 5)}
    gradient = st.grad(f)(model, X)
    close(gradient["layer"].weight, 2 * np.outer(X, X))
    close(gradient["layer"].bias, 2 * X)
    assert gradient["scale"] == (1.0, 0.0)
    assert type(gradient["scale"][1]) is float


def test_what_does_not_depend_has_zero_derivatives():
    close(st.grad(lambda x, y: np.sum(y), 0)(X, X), np.zeros(3))
    assert st.grad(lambda x: 3.0)(1.0) == 0.0
    close(st.jacobian(lambda x: np.ones(2))(X), np.zeros((2, 3)))
    close(st.hessian(lambda x: np.sum(x))(X), np.zeros((3, 3)))
    assert st.jvp(lambda x: 2.0, (1.0,), (1.0,)) == (2.0, 0.0)
    close(st.hvp(lambda x: np.sum(x))(X, X), np.zeros(3))
    close(st.grad(lambda x: np.sum(np.floor(x)))(X), np.zeros(3))


def test_lists_are_structures_as_in_jax():
    assert st.grad(lambda p: p[0] * p[1])([2.0, 3.0]) == [3.0, 2.0]


@pytest.mark.parametrize(
    ("call", "kind", "words"),
    [
        (lambda: st.grad(lambda x: x**2)(X), ValueError, r"st\.grad.*scalar.*\(3,\).*st\.jacobian"),
        (lambda: st.grad(lambda x: (x, x))(1.0), ValueError, r"scalar.*\(\), \(\)"),
        (lambda: st.grad(lambda x: None)(1.0), ValueError, "nothing"),
        (lambda: st.grad(lambda x: x > 0)(1.0), TypeError, "bool"),
        (lambda: st.grad(lambda x: "text")(1.0), TypeError, "str"),
        (lambda: st.grad(lambda x: x)("a"), TypeError, "argument 0.*wanted floats"),
        (lambda: st.grad(lambda x: x)(None), TypeError, "argument 0"),
        (lambda: st.grad(lambda x: x)(True), TypeError, "bool"),
        (lambda: st.grad(lambda x: x)(st.constant(3, dtype=np.int64)), TypeError, r"int64.*astype"),
        (lambda: st.grad(lambda x: x)(1j), TypeError, "complex"),
        (lambda: st.grad(3.0), TypeError, r"takes a function.*tape\.gradient"),
        (lambda: st.hessian(st.Variable(1.0)), TypeError, "takes a function"),
        (lambda: st.hvp(lambda x: x)(X, X), ValueError, "scalar"),
        (lambda: st.hvp(rosen)(X, X[:2]), ValueError, r"\(2,\).*\(3,\)"),
        (lambda: st.jvp(rosen, X, X), TypeError, "tuples or lists"),
        (lambda: st.jvp(rosen, (X,), (X, X)), ValueError, "1 primals, but 2 tangents"),
        (lambda: st.jvp(rosen, (X,), (X[:2],)), ValueError, r"tangent has shape \(2,\).*\(3,\)"),
        (lambda: st.jvp(rosen, (X,), ({"a": X},)), TypeError, r"tangent is .* wanted an array of shape \(3,\)"),
        (lambda: st.vjp(rosen, X)[1](X), ValueError, r"cotangent has shape \(3,\).*\(\)"),
        (lambda: st.vjp(rosen, X)[1]("a"), TypeError, r"cotangent is 'a' at place 0"),
    ],
)
def test_wrong_use_is_told(call, kind, words):
    with pytest.raises(kind, match=words):
        call()


def test_numbers_are_not_to_be_taken_out():
    with pytest.raises(st.ConcreteValueError, match=r"st\.grad"):
        st.grad(lambda x: float(x) * x)(2.0)
    with pytest.raises(st.ConcreteValueError, match=r"st\.hessian"):
        st.hessian(lambda x: np.sum(x.numpy() * x))(X)


def test_branches_follow_the_values():
    f = st.grad(lambda x: x**2 if x > 0 else -x)
    assert f(3.0) == 6.0
    assert f(-3.0) == -1.0


def test_random_numbers_are_drawn_anew_at_every_call():
    rng = np.random.default_rng(0)
    f = st.grad(lambda x: x * rng.normal())
    expected = np.random.default_rng(0).normal(size=2)
    assert [f(1.0), f(1.0)] == list(expected)


def test_transformed_functions_have_names_and_texts():
    def model(x):
        """A model."""
        return x

    for transform, name in ((st.grad, "grad"), (st.jacobian, "jacobian"), (st.hessian, "hessian"), (st.hvp, "hvp")):
        assert transform(model).__name__ == f"{name}_of_model"
        assert transform(model).__doc__ == "A model."


# ------------------------------------------------------------------------------------------------------------ jacobians

JACOBIANS = pytest.mark.parametrize("jacobian", [st.jacobian, st.jacfwd, st.jacrev])


@JACOBIANS
def test_jacobians_of_arrays(jacobian):
    close(jacobian(pair)(*AT), PAIR_X)
    close(jacobian(pair, 1)(*AT), PAIR_Y)
    jx, jy = jacobian(pair, (0, 1))(*AT)
    close(jx, PAIR_X)
    close(jy, PAIR_Y)
    assert type(jacobian(np.sin)(0.5)) is float
    matrix = np.arange(6.0).reshape(2, 3)
    full = jacobian(lambda x: np.outer(x, x))(X)
    assert full.shape == (3, 3, 3)
    close(full, np.einsum("ik,j->ijk", np.eye(3), X) + np.einsum("jk,i->ijk", np.eye(3), X))
    close(jacobian(lambda m: m.T @ m)(matrix)[0, 1], 0 * matrix + [[1, 0, 0], [4, 3, 0]])


@JACOBIANS
def test_jacobians_of_structures(jacobian):
    def f(p):
        return {"u": p["a"] * p["b"], "v": (np.sum(p["b"]), None)}

    found = jacobian(f)({"a": 2.0, "b": X})
    close(found["u"]["a"], X)
    close(found["u"]["b"], 2 * np.eye(3))
    assert found["v"][0]["a"] == 0.0
    close(found["v"][0]["b"], np.ones(3))
    assert found["v"][1] is None


@JACOBIANS
def test_jacobians_with_aux_and_integer_outputs(jacobian):
    found, aux = jacobian(lambda x: (x**2, "note"), has_aux=True)(X)
    close(found, np.diag(2 * X))
    assert aux == "note"
    close(jacobian(lambda x: np.argmax(x))(X), np.zeros(3))


def test_hessians():
    close(st.hessian(rosen)(X), SECOND)
    close(st.hessian(ROSEN)(X), SECOND)
    assert st.hessian(lambda x: x**3)(2.0) == 12.0
    f = lambda x, y: np.sum(x) * y**2
    (xx, xy), (yx, yy) = st.hessian(f, (0, 1))(X, 3.0)
    close(xx, np.zeros((3, 3)))
    close(xy, [6.0, 6.0, 6.0])
    close(yx, [6.0, 6.0, 6.0])
    assert yy == pytest.approx(2 * X.sum())
    nested = st.hessian(lambda p: p["a"] ** 2 * p["b"])({"a": 2.0, "b": 3.0})
    assert nested == {"a": {"a": 6.0, "b": 4.0}, "b": {"a": 4.0, "b": 0.0}}
    stacked = st.hessian(lambda x: x**3)(X)
    assert stacked.shape == (3, 3, 3)
    close(np.einsum("iii->i", stacked), 6 * X)
    found, aux = st.hessian(lambda x: (np.sum(x**2), x), has_aux=True)(X)
    close(found, 2 * np.eye(3))
    close(aux, X)


def test_hessian_vector_products():
    v = np.array([1.0, -2.0, 0.5])
    close(st.hvp(rosen)(X, v), SECOND @ v)
    assert st.hvp(lambda x, k: k * x**3)(2.0, 1.0, 5.0) == 60.0
    assert st.hvp(lambda p, k=1.0: k * p["a"] ** 2 * p["b"])({"a": 2.0, "b": 3.0}, {"b": 1.0, "a": 0.0}, k=2.0) == {
        "a": 8.0,
        "b": 0.0,
    }


def test_forward_mode():
    v = np.array([1.0, -2.0, 0.5])
    value, slope = st.jvp(rosen, (X,), (v,))
    assert value == pytest.approx(ROSEN(X))
    assert slope == pytest.approx(FIRST @ v)
    (u, w), (du, dw) = st.jvp(lambda p: (p["a"] * p["b"], p["a"]), ({"a": 2.0, "b": 3.0},), ({"b": 0.0, "a": 1.0},))
    assert (u, w, du, dw) == (6.0, 2.0, 3.0, 1.0)
    assert st.jvp(lambda x: (x**2, "aux"), [3.0], [1], has_aux=True) == (9.0, 6.0, "aux")


def test_reverse_mode():
    value, pull = st.vjp(pair, *AT)
    close(value, pair(*AT))
    weights = np.array([1.0, 10.0, 100.0])
    dx, dy = pull(weights)
    close(dx, weights @ PAIR_X)
    assert dy == pytest.approx(weights @ PAIR_Y)
    close(pull([0, 1, 0])[0], PAIR_X[1])
    value, pull, aux = st.vjp(lambda x: ({"y": x**2}, "aux"), 3.0, has_aux=True)
    assert (value, aux) == ({"y": 9.0}, "aux")
    assert pull({"y": 2.0}) == (12.0,)


# ---------------------------------------------------------------------------------------------------------- composition


def test_transforms_nest():
    assert st.grad(st.grad(st.grad(lambda x: x**4)))(2.0) == 48.0
    close(st.jacobian(st.grad(rosen))(X), SECOND)
    close(st.jacfwd(st.jacrev(rosen))(X), SECOND)
    close(st.jacrev(st.jacfwd(rosen))(X), SECOND)
    close(st.grad(lambda x: np.sum(st.grad(rosen)(x) ** 2))(X), 2 * SECOND @ FIRST)
    assert st.grad(lambda x: st.jvp(lambda y: y**3, (x,), (1.0,))[1])(2.0) == 12.0
    assert st.grad(lambda x: st.vjp(lambda y: y**3, x)[1](x)[0])(2.0) == 3 * 3 * 4.0
    close(st.grad(lambda x: np.sum(st.hvp(rosen)(x, X)))(X), st.grad(lambda x: np.sum(st.hessian(rosen)(x) @ X))(X))


def test_inner_functions_may_use_what_is_outside():
    assert st.grad(lambda x: st.grad(lambda y: x * x * y * y)(3.0))(2.0) == 24.0
    assert st.grad(lambda x: x * st.grad(lambda y: x * y)(1.0))(5.0) == 10.0

    def perturbation_confusion(x):
        return x * st.grad(lambda y: x + y)(1.0)

    assert st.grad(perturbation_confusion)(3.0) == 1.0


def test_branches_of_inner_functions():
    f = st.grad(lambda x: st.grad(lambda y: y**3 if y > 0 else y)(x) if x > 1 else x)
    assert f(2.0) == 12.0
    assert f(0.5) == 1.0


# ------------------------------------------------------------------------------------------------------- tensors, tapes


def test_tensors_in_tensors_out():
    v = st.Variable(X, name="v")
    for found in (st.grad(rosen)(v), st.hessian(rosen)(v), st.hvp(rosen)(X, v), st.jvp(rosen, (X,), (v,))[1]):
        assert type(found) is st.Tensor
    close(st.grad(rosen)(v), FIRST)
    value, pull = st.vjp(np.sum, X)
    assert type(value) is float
    assert type(pull(st.constant(2.0))[0]) is st.Tensor
    assert type(st.grad(lambda x, y: x * y)(2.0, st.constant(3.0))) is st.Tensor


def test_symbols_in_formulas_out():
    x, y = st.symbols("x y")
    assert st.grad(lambda a: a**2 * y)(x).equals("2*x*y")
    assert st.grad(np.sin)(x).expr == sympy.cos(x.expr)
    assert st.hessian(lambda a: np.exp(a * y))(x).equals("y**2*exp(x*y)")
    with pytest.raises(st.SymbolicTruthError):
        st.grad(lambda a: a if a > 0 else -a)(x)


def test_functions_of_variables_from_outside():
    v = st.Variable(3.0, name="v")
    f = st.grad(lambda x: v * x**2)
    assert f(1.0) == 6.0
    v.assign(5.0)
    assert f(1.0) == 10.0


def test_tapes_see_through_transforms():
    v = st.Variable(3.0, name="v")
    with st.GradientTape(persistent=True) as tape:
        q = v * v
        inside = st.grad(lambda x: q * x**3)(2.0)
        through = st.grad(lambda x: x**3)(v)
        second = st.hessian(lambda x: x**4 * v)(2.0)
        value, slope = st.value_and_grad(lambda x: x**2)(q)
    assert type(inside) is st.Tensor
    assert tape.gradient(inside, q).item() == 12.0
    assert tape.gradient(inside, v).item() == 72.0
    assert tape.gradient(through, v).item() == 18.0
    assert tape.gradient(second, v).item() == 48.0
    assert tape.gradient(value, q).item() == 18.0
    assert tape.gradient(slope, q).item() == 2.0


def test_a_tape_inside_of_a_transformed_function():
    def f(x):
        with st.GradientTape() as tape:
            tape.watch(x)
            y = x**3
        return tape.gradient(y, x) * x

    assert st.grad(f)(2.0) == 9 * 4.0
    assert st.grad(f)(st.constant(2.0)).item() == 36.0
