"""The tour of the design, each result held against a number from elsewhere: python examples/tour.py."""

import tempfile
from pathlib import Path

import numpy as np
import scipy.optimize
import sympy

import symtape as st

rng = np.random.default_rng(0)


# --- the tape, as in the lesson: partial derivatives -----------------------------------------------------------------

x = st.Variable(3.0, name="x")
y = st.Variable(2.0, name="y")
with st.GradientTape() as tape:
    z = x**2 * y + np.sin(y)  # NumPy functions record themselves
dz_dx, dz_dy = tape.gradient(z, [x, y])

assert float(dz_dx) == 12.0
assert str(dz_dx.expr) == "2*x*y"
assert dz_dx.equals("2*x*y")
assert str(sympy.simplify(dz_dy)) == "x**2 + cos(y)"
assert sympy.latex(dz_dy) == dz_dy.latex() == r"x^{2} + \cos{\left(y \right)}"
assert dz_dx.eval({x: 1.0, y: 5.0}) == 10.0
assert not dz_dx.equals("2*x*y + 1")
print("dz/dx =", dz_dx.expr, "=", float(dz_dx))


# --- persistence, chain rule, intermediates, trainable or not --------------------------------------------------------

k = st.Variable(2.0, trainable=False, name="k")  # not watched by itself
with st.GradientTape(persistent=True) as tape:
    p = x**2
    q = np.exp(p)
    w = np.log(q) + k * q

q_value = np.exp(9.0)
assert np.isclose(float(tape.gradient(w, x)), 6 * (1 + 2 * q_value), rtol=1e-15)
assert np.isclose(float(tape.gradient(q, x)), 6 * q_value, rtol=1e-15)
assert np.isclose(float(tape.gradient(w, q)), 2 + 1 / q_value, rtol=1e-15)
assert str(tape.gradient(w, q).in_terms_of(q=q)) == "k + 1/q"
dw_dx, dw_dk = tape.gradient(w, [x, k])
assert dw_dk is None
print(tape.explain(w, k))
assert "trainable=False" in str(tape.explain(w, k))

with st.GradientTape() as once:
    square = x**2
once.gradient(square, x)
try:
    once.gradient(square, x)
except RuntimeError as error:
    assert "can only be used to compute one set of gradients" in str(error)
else:
    raise AssertionError("a second call on a tape that is not persistent must fail")


# --- tensors ---------------------------------------------------------------------------------------------------------

A_data, b_data = rng.random((5, 3)), rng.random(5)
A = st.constant(A_data, name="A")
b = st.constant(b_data, name="b")
v = st.Variable(np.zeros(3), name="v")
with st.GradientTape() as tape:
    loss = np.sum((A @ v - b) ** 2)
g = tape.gradient(loss, v)
print(g.formula("named"))
assert np.allclose(g.numpy(), -2 * A_data.T @ b_data, rtol=1e-14)
assert (g.shape, g.dtype) == ((3,), np.float64)

s = st.symbol("s", shape=(3,))  # no value: everything but the number works
with st.GradientTape() as tape:
    tape.watch(s)
    norm = np.sum(s**2)
assert tape.gradient(norm, s).eval({s: [1.0, 2.0, 3.0]}).tolist() == [2.0, 4.0, 6.0]
a_, b_, c_ = st.symbols("a b c")
assert str((a_ * b_ + c_).expr) == "a*b + c"

t = sympy.Symbol("t")
e = st.from_sympy(sympy.sin(t) ** 2, {"t": x})  # any sympy expression onto the tape
assert np.isclose(float(e), np.sin(3.0) ** 2, rtol=1e-15)


# --- compile: fast numeric functions ---------------------------------------------------------------------------------

f = st.function([v], loss)
v0 = rng.random(3)
assert np.isclose(f(v0), np.sum((A_data @ v0 - b_data) ** 2), rtol=1e-14)
fg = st.function([v], [loss, g])
value, gradient = fg(v0)
assert np.isclose(value, f(v0), rtol=1e-15)
assert np.allclose(gradient, 2 * A_data.T @ (A_data @ v0 - b_data), rtol=1e-13)

rows = rng.random((10_000, 3))
values, gradients = fg.batch(rows)  # leading batch axes, all cores
assert (values.shape, gradients.shape) == ((10_000,), (10_000, 3))
assert np.allclose(gradients, 2 * (rows @ A_data.T - b_data) @ A_data, rtol=1e-11, atol=1e-13)

ta, tb, tt = sympy.symbols("a b t")
h = st.function([ta, tb, tt], ta * sympy.exp(-tb * tt))  # lambdify's call
assert np.allclose(h(1.0, 2.0, np.linspace(0, 1, 5)), np.exp(-2.0 * np.linspace(0, 1, 5)), rtol=1e-15)

with tempfile.TemporaryDirectory() as folder:
    path = Path(folder, "loss.symtape")
    st.save(path, fg)  # data only, safe to load from a stranger
    again = st.load(path)
    assert again(v0)[0] == value
    assert np.array_equal(again(v0)[1], gradient)


# --- functional style: the names of JAX; arrays in, arrays out -------------------------------------------------------


def rosen(x):
    return np.sum(100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2)


point = rng.random(6)
direction = rng.random(6)
gradient, hessian = scipy.optimize.rosen_der(point), scipy.optimize.rosen_hess(point)  # SciPy's own, by hand
assert np.allclose(st.grad(rosen)(point), gradient, rtol=1e-11)
assert np.allclose(st.value_and_grad(rosen)(point)[0], scipy.optimize.rosen(point), rtol=1e-13)
assert np.allclose(st.hessian(rosen)(point), hessian, rtol=1e-11, atol=1e-10)
assert np.allclose(st.jacobian(st.grad(rosen))(point), hessian, rtol=1e-11, atol=1e-10)
assert np.allclose(st.hvp(rosen)(point, direction), hessian @ direction, rtol=1e-11)
primal, tangent = st.jvp(rosen, (point,), (direction,))
assert np.isclose(tangent, gradient @ direction, rtol=1e-11)
primal, pullback = st.vjp(rosen, point)
assert np.allclose(pullback(1.0)[0], gradient, rtol=1e-11)
assert np.allclose(st.vmap(rosen)(np.stack([point, direction])), [rosen(point), rosen(direction)], rtol=1e-14)
assert np.isclose(st.jit(rosen)(point), rosen(point), rtol=1e-14)


# --- minimize: SciPy's names and results -----------------------------------------------------------------------------

res = st.minimize(rosen, np.zeros(1000))
assert res.success
assert np.allclose(res.x, 1.0, atol=1e-6)
print(res.certificate)

res = st.minimize(loss, v)
best = np.linalg.lstsq(A_data, b_data, rcond=None)[0]
assert np.allclose(res.params["v"], best, atol=1e-8)
assert np.isclose(res.value(loss), np.sum((A_data @ best - b_data) ** 2), rtol=1e-10)
assert np.array_equal(v.numpy(), np.zeros(3))
res.assign()  # only now do the variables take the minimizer's values
assert np.array_equal(v.numpy(), res.params["v"])

res = st.minimize((x - 1) ** 2 + y**2, [x, y], subject_to=[x + y >= 1, x**2 + y**2 <= 4, st.between(x, 0, 2)])
assert res.success
assert np.allclose([res.params["x"], res.params["y"]], [1.0, 0.0], atol=1e-5)

problem = st.Problem(k * (x - 1) ** 2 + y**2, [x, y], subject_to=[x + y >= 2])
res = problem.solve(given={k: 5.0})  # on x + y = 2: 10 (x - 1) = 2 (2 - x), so x = 7/6
assert np.allclose([res.params["x"], res.params["y"]], [7 / 6, 5 / 6], atol=1e-6)


# --- fits ------------------------------------------------------------------------------------------------------------

X = np.linspace(0, 800, 40)
Y = 239 * (1 - np.exp(-5.5e-4 * X)) + 0.1 * rng.standard_normal(40)


def model(x, b1, b2):
    return b1 * (1 - np.exp(-b2 * x))


fit = st.curve_fit(model, X, Y, p0={"b1": 500, "b2": 1e-4})
popt, pcov = fit
expected, covariance = scipy.optimize.curve_fit(model, X, Y, p0=[500, 1e-4])
assert np.allclose(popt, expected, rtol=1e-6)
assert np.allclose(pcov, covariance, rtol=1e-4)
assert np.isclose(fit.params["b1"], expected[0], rtol=1e-6)
assert np.isclose(fit.stderr["b1"], np.sqrt(covariance[0, 0]), rtol=1e-4)
assert np.allclose(fit.covariance, pcov)
assert np.allclose(fit.predict(X), model(X, *popt), rtol=1e-12)
print(fit)

decay = 3 * np.exp(-0.01 * X)
solution = st.least_squares(lambda p: decay - p[0] * np.exp(-p[1] * X), [1.0, 1e-3])
assert np.allclose(solution.x, [3.0, 0.01], rtol=1e-8)
amplitude, rate = st.Variable(1.0, name="amplitude"), st.Variable(1e-3, name="rate")
solution = st.least_squares(decay - amplitude * np.exp(-rate * X), [amplitude, rate])
assert np.isclose(solution.params["rate"], 0.01, rtol=1e-8)
print("the tour is right")
