"""Results of operations that are written into, as NumPy code does it: values, gradients, and what is refused."""

import threading

import numpy as np
import pytest

import symtape as st

X = np.array([0.5, -1.5, 2.5, -0.3])


def masked(x):
    y = np.exp(x)
    z = y * 2
    y[x < 0] = 0.0
    y[0] = x[1] ** 2
    return y * x + z


def other_name(x):
    y = np.sin(x)
    z = y
    for k in range(3):
        y[k + 1] = y[k] * x[k]
    return z


def by_function(x):
    y = x**2
    np.multiply(y, x, out=y)
    np.add.at(y, [0, 0], x[:2])
    np.copyto(y, 1.5, where=X < -1)
    np.put(y, [2], x[0])
    z = x * 3
    np.cumsum(y, out=z)
    return z * y


def by_method(x):
    y = x * x
    y.sort()
    z = x + y
    z.fill(2.0)
    return y * x + z


def conversion_without_effect(x):
    y = x.astype(float)
    y[0] = 2 * x[1]
    z = np.clip(x, -9, 9)
    z[1] = x[0]
    w = np.conjugate(z)
    w[2] = 0.0
    return x * y + z * w


def several_results(x):
    w, v = np.linalg.eigh(np.outer(x, x) + np.diag([1.0, 2.0, 3.0, 4.0]))
    w[w < 1.2] = 0.0
    return np.sum(w) + 0 * v[0, 0]


def used_before(x):
    y = np.exp(x)
    total = np.sum(y * y)
    y[1] = 7.0
    total = total + np.sum(y * x)
    y[1] = x[0]
    return total + np.sum(y)


@pytest.mark.parametrize(
    "f", [masked, other_name, by_function, by_method, conversion_without_effect, several_results, used_before]
)
def test_as_numpy(f):
    expected = f(X.copy())
    x = st.Variable(X, name="x")
    with st.GradientTape() as tape:
        y = f(x)
    np.testing.assert_allclose(y.numpy(), expected, rtol=1e-13)
    np.testing.assert_array_equal(x.numpy(), X)
    st.check_gradients(f, X, order=2)
    slope = st.grad(lambda x: np.sum(f(x)))(X)
    np.testing.assert_allclose(tape.gradient(y, x).numpy(), slope, rtol=1e-12)
    np.testing.assert_allclose(st.jit(f)(X), expected, rtol=1e-13)


def test_what_was_recorded_keeps_its_elements():
    x = st.Variable(X)
    with st.GradientTape(persistent=True) as tape:
        y = x * 2
        z = y * y
    y[0] = 100.0
    np.testing.assert_array_equal(tape.gradient(z, x).numpy(), 8 * X)
    assert z.numpy()[0] == 1.0
    assert y.numpy()[0] == 100.0


def test_an_operand_that_no_tape_follows_keeps_its_elements_there():
    x = st.Variable(X)
    scale = st.constant(X) * 2
    with st.GradientTape() as tape:
        y = x * scale
        scale[:] = 0.0
    np.testing.assert_array_equal(tape.gradient(y, x).numpy(), 2 * X)


def test_gradients_handed_out_are_apart():
    x, y = st.Variable(X), st.Variable(X)
    with st.GradientTape(persistent=True) as outer:
        with st.GradientTape() as tape:
            z = np.sum(x + y)
        a, b, c = tape.gradient(z, [x, y, x])
        a[0] = 5.0
    assert b.numpy()[0] == c.numpy()[0] == 1.0
    assert a.numpy()[0] == 5.0
    assert outer.gradient(b, x) is not None or outer.gradient(b, y) is None


@pytest.mark.parametrize(
    "leaf",
    [lambda: st.Variable(X), lambda: st.constant(X), lambda: st.symbol("s", (4,)), lambda: st.Variable(X).read()],
)
def test_leaves_are_not_written_into(leaf):
    with pytest.raises(TypeError, match="in place"):
        leaf()[0] = 1.0
    with pytest.raises(TypeError, match=r"np\.put"):
        np.put(leaf(), [0], 1.0)
    with pytest.raises(TypeError, match="a name instead"):
        np.sin(X, out=leaf())


def test_arguments_are_not_written_into():
    def f(x):
        x[0] = 1.0
        return np.sum(x)

    for transform in (st.grad, st.jit, st.vmap):
        with pytest.raises(TypeError, match="argument"):
            transform(f)(np.ones((2, 2)) if transform is st.vmap else X)


@pytest.mark.parametrize(
    "part",
    [lambda y: y[1:], lambda y: y.T, lambda y: y.reshape(2, 2), np.ravel, lambda y: list(y.reshape(2, 2).copy())],
)
def test_a_tensor_of_which_a_part_was_taken_refuses(part):
    y = st.Variable(X) * 2
    taken = part(y)
    if isinstance(taken, list):
        y = st.Variable(X) * 2
        y = np.outer(y, y)
        taken = list(y)
    with pytest.raises(TypeError, match="would change along"):
        y[0] = 1.0
    assert taken is not None


def test_elements_are_no_parts():
    y = st.Variable(X) * 2
    first = y[0]
    y[0] = 9.0
    assert first.item() == 1.0


def test_one_computed_outside_is_not_changed_by_a_function_recorded_for_reuse():
    y = st.Variable(X) * 2

    @st.jit
    def f(x):
        y[0] = x
        return x * 2

    with pytest.raises(st.errors.ImpureFunctionError, match=r"st\.jit.*writes into a tensor.*y\[0\] = x"):
        f(3.0)
    np.testing.assert_array_equal(y.numpy(), 2 * X)


def test_tapes_of_other_threads_go_on_recording():
    stop = threading.Event()
    seen = []

    def record():
        x = st.Variable(2.0)
        while not stop.is_set():
            with st.GradientTape() as tape:
                y = x
                for _ in range(50):
                    y = y * 1.0
            seen.append(tape.gradient(y, x).item())

    thread = threading.Thread(target=record)
    thread.start()
    try:
        for _ in range(200):
            y = st.Variable(X) * 2
            y[0] = 1.0
    finally:
        stop.set()
        thread.join()
    assert all(g == 1.0 for g in seen)
