import numpy as np
import pytest
import scipy.optimize

import symtape as st

RNG = np.random.default_rng(7)
ROWS = RNG.random((4, 3))
OTHER = RNG.random((4, 2))


def rosen(x):
    return np.sum(100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2)


def close(actual, desired):
    np.testing.assert_allclose(actual, desired, rtol=1e-12, atol=1e-12)


def test_a_batch_is_a_loop():
    close(st.vmap(rosen)(ROWS), [scipy.optimize.rosen(r) for r in ROWS])
    close(st.vmap(np.sin)(ROWS[:, 0]), np.sin(ROWS[:, 0]))
    close(st.vmap(lambda x, y: np.outer(x, y))(ROWS, OTHER), [np.outer(x, y) for x, y in zip(ROWS, OTHER, strict=True)])
    close(
        st.vmap(lambda x: np.linalg.solve(np.outer(x, x) + np.eye(3), x))(ROWS),
        [np.linalg.solve(np.outer(x, x) + np.eye(3), x) for x in ROWS],
    )


def test_axes():
    close(st.vmap(np.sum, in_axes=1)(ROWS), ROWS.sum(0))
    close(st.vmap(np.sum, in_axes=-1)(ROWS), ROWS.sum(0))
    close(st.vmap(lambda x, k: x * k, in_axes=(0, None))(ROWS, 2.0), 2 * ROWS)
    close(st.vmap(lambda x, k: x * k, in_axes=[1, None])(ROWS, 2.0), 2 * ROWS.T)
    close(st.vmap(lambda x: 2 * x, out_axes=1)(ROWS), 2 * ROWS.T)
    close(st.vmap(lambda x: 2 * x, in_axes=1, out_axes=-1)(ROWS), 2 * ROWS)
    close(st.vmap(lambda x, *, y: x[0] + y[1])(ROWS, y=OTHER), ROWS[:, 0] + OTHER[:, 1])


def test_structures():
    f = st.vmap(lambda p, k: {"sum": p["x"].sum() + k, "both": (p["y"], 7.0)}, in_axes=({"x": 0, "y": 1}, None))
    found = f({"x": ROWS, "y": OTHER.T}, 1.0)
    close(found["sum"], ROWS.sum(1) + 1)
    close(found["both"][0], OTHER)
    close(found["both"][1], np.full(4, 7.0))
    found = st.vmap(lambda x: {"a": x, "b": None}, out_axes={"a": 1, "b": 0})(ROWS)
    close(found["a"], ROWS.T)
    assert found["b"] is None


def test_shared_results():
    a, b = st.vmap(lambda x, k: (x * k, k**2), in_axes=(0, None), out_axes=(0, None))(ROWS, 3.0)
    close(a, 3 * ROWS)
    assert b == 9.0
    with pytest.raises(ValueError, match="out_axes is None"):
        st.vmap(lambda x: x, out_axes=None)(ROWS)


def test_nesting():
    cube = RNG.random((2, 4, 3))
    close(st.vmap(st.vmap(np.sum))(cube), cube.sum(-1))
    close(st.vmap(st.vmap(np.sum), in_axes=1)(cube), cube.sum(-1).T)
    close(
        st.vmap(st.vmap(lambda x, y: x * y, in_axes=(None, 0)), in_axes=(0, None))(ROWS[0], ROWS[1]),
        np.outer(ROWS[0], ROWS[1]),
    )


def test_derivatives_of_batches_and_batches_of_derivatives():
    close(st.vmap(st.grad(rosen))(ROWS), [scipy.optimize.rosen_der(r) for r in ROWS])
    close(st.vmap(st.hessian(rosen))(ROWS), [scipy.optimize.rosen_hess(r) for r in ROWS])
    close(st.vmap(st.hvp(rosen))(ROWS, ROWS), [scipy.optimize.rosen_hess_prod(r, r) for r in ROWS])
    close(st.grad(lambda x: np.sum(st.vmap(rosen)(x)))(ROWS), [scipy.optimize.rosen_der(r) for r in ROWS])
    values, slopes = st.vmap(st.value_and_grad(lambda x: x**3))(ROWS[0])
    close(values, ROWS[0] ** 3)
    close(slopes, 3 * ROWS[0] ** 2)
    jacobian = st.jacobian(st.vmap(lambda x: np.sum(x**2)))(ROWS)
    close(np.einsum("iij->ij", jacobian), 2 * ROWS)


def test_tensors_and_symbols():
    v = st.Variable(ROWS, name="v")
    k = st.Variable(2.0, name="k")
    with st.GradientTape(persistent=True) as tape:
        y = st.vmap(lambda x: k * np.sum(x**2))(v)
        z = np.sum(y)
    assert type(y) is st.Tensor
    close(tape.gradient(z, v).numpy(), 4 * ROWS)
    assert tape.gradient(z, k).item() == pytest.approx(np.sum(ROWS**2))
    s = st.symbol("s", shape=(4, 3))
    batched = st.vmap(np.sum)(s)
    assert batched.shape == (4,)
    close(batched.eval({s: ROWS}), ROWS.sum(1))
    n = st.symbol("t", shape=("n", 3))
    assert str(st.vmap(np.sum)(n).shape) == "(n,)"


def test_variables_from_outside_are_read_anew():
    v = st.Variable(2.0)
    f = st.vmap(lambda x: v * x)
    close(f(ROWS), 2 * ROWS)
    v.assign(3.0)
    close(f(ROWS), 3 * ROWS)


@pytest.mark.parametrize(
    ("call", "kind", "words"),
    [
        (lambda: st.vmap(np.add)(ROWS, OTHER.T), ValueError, "different lengths.*4.*2"),
        (lambda: st.vmap(np.sin)(3.0), ValueError, r"shape \(\).*in_axes=None"),
        (lambda: st.vmap(np.sin, in_axes=None)(ROWS), ValueError, "no argument has a batch axis"),
        (lambda: st.vmap(np.sin, in_axes=(0, 0))(ROWS), ValueError, "2 entries for 1"),
        (lambda: st.vmap(np.sin, in_axes=2)(ROWS), np.exceptions.AxisError, "axis 2"),
        (lambda: st.vmap(np.sin, in_axes=(0.5,))(ROWS), TypeError, "int or None"),
        (lambda: st.vmap(lambda p: p["a"], in_axes=({"b": 0},))({"a": ROWS}), ValueError, r"argument 0 has the keys"),
        (lambda: st.vmap(lambda x: (x, x), out_axes=(0, 0, 0))(ROWS), ValueError, "out_axes"),
        (lambda: st.vmap(3.0), TypeError, "takes a function"),
        (lambda: st.vmap(lambda x: x if x > 0 else -x)(ROWS[0]), st.SymbolicTruthError, r"st\.where"),
        (lambda: st.vmap(lambda x: x * float(x))(ROWS[0]), st.ConcreteValueError, r"st\.vmap"),
        (lambda: st.vmap(lambda x: x * RNG.normal())(ROWS[0]), st.ImpureFunctionError, r"RNG\.normal"),
    ],
)
def test_wrong_use_is_told(call, kind, words):
    with pytest.raises(kind, match=words):
        call()
