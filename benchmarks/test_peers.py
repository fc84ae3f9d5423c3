"""The same work by symtape and by others, in the same run: calls, batches, gradients."""

import numpy as np
import pytest

import symtape as st

numba = pytest.importorskip("numba")
sympy = pytest.importorskip("sympy")


def ours():
    """Value and gradient of x**2*y + sin(y), compiled by symtape."""
    x, y = st.symbols("x y")
    with st.GradientTape() as tape:
        tape.watch([x, y])
        z = x**2 * y + np.sin(y)
    return st.function([x, y], [z, tape.gradient(z, [x, y])])


def by_hand():
    """The same derivatives, worked out and compiled by hand."""

    @numba.njit
    def value_and_gradient(x, y):
        return x * x * y + np.sin(y), 2 * x * y, x * x + np.cos(y)

    return value_and_gradient


def by_lambdify():
    """Use sympy's own way from a formula to a function."""
    x, y = sympy.symbols("x y")
    z = x**2 * y + sympy.sin(y)
    return sympy.lambdify([x, y], [z, z.diff(x), z.diff(y)], "numpy")


@pytest.mark.benchmark(group="a call of value and gradient, two variables")
@pytest.mark.parametrize("make", [ours, by_hand, by_lambdify], ids=["symtape", "numba by hand", "sympy.lambdify"])
def test_call(benchmark, report, make):
    f = make()
    f(3.0, 2.0)

    def calls():
        for _ in range(1_000):
            f(3.0, 2.0)

    benchmark.pedantic(calls, rounds=20, warmup_rounds=2)
    report(benchmark.stats.stats.median / 1_000 * 1e6, "us a call", 2.0 if make is ours else None)


# --- a million rows of the tour's loss ----------------------------------------

RNG = np.random.default_rng(0)
A, B, ROWS = RNG.random((5, 3)), RNG.random(5), RNG.random((1_000_000, 3))


def loss_ours():
    """The tour's loss with its gradient, over rows."""
    v = st.symbol("v", shape=(3,))
    with st.GradientTape() as tape:
        tape.watch(v)
        loss = np.sum((st.constant(A) @ v - st.constant(B)) ** 2)
    return st.function([v], [loss, tape.gradient(loss, v)]).batch


def loss_by_hand():
    """Loops over rows, parallel, as a numba user would write them."""

    @numba.njit(parallel=True)
    def rows(V, A, b):
        value, gradient = np.zeros(len(V)), np.zeros(V.shape)
        for n in numba.prange(len(V)):
            for i in range(len(b)):
                r = -b[i]
                for j in range(A.shape[1]):
                    r += A[i, j] * V[n, j]
                value[n] += r * r
                for j in range(A.shape[1]):
                    gradient[n, j] += 2 * r * A[i, j]
        return value, gradient

    return lambda V: rows(V, A, B)


def loss_in_numpy():
    """The textbook's formula on whole arrays."""

    def rows(V):
        r = V @ A.T - B
        return np.sum(r * r, axis=1), 2 * r @ A

    return rows


@pytest.mark.benchmark(group="value and gradient of the tour's loss, 1e6 rows")
@pytest.mark.parametrize("make", [loss_ours, loss_by_hand, loss_in_numpy], ids=["symtape", "numba prange", "numpy"])
def test_batch_of_a_million_rows(benchmark, report, make):
    f = make()
    value, gradient = f(ROWS)
    expected = loss_in_numpy()(ROWS)
    assert np.allclose(value, expected[0])
    assert np.allclose(gradient, expected[1])
    benchmark.pedantic(f, (ROWS,), rounds=7, warmup_rounds=1)
    report(benchmark.stats.stats.median * 1e3, "ms", 100.0 if make is loss_ours else None)


# --- the gradient of a function of many variables ----------------------------------------


def rosen(np_, x):
    """Rosenbrock's function with a given module's names."""
    return np_.sum(100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2)


@pytest.mark.benchmark(group="gradient of Rosenbrock's function, 1000 variables")
@pytest.mark.parametrize("peer", ["symtape.grad", "symtape.jit", "autograd", "scipy rosen_der"])
def test_gradient(benchmark, report, peer):
    point = np.random.default_rng(1).random(1_000)
    if peer == "autograd":
        autograd = pytest.importorskip("autograd")
        anp = pytest.importorskip("autograd.numpy")
        f = autograd.grad(lambda x: rosen(anp, x))
    elif peer == "scipy rosen_der":
        f = pytest.importorskip("scipy.optimize").rosen_der
    else:
        f = st.grad(lambda x: rosen(np, x))
        f = st.jit(f) if peer == "symtape.jit" else f
    f(point)
    benchmark.pedantic(f, (point,), rounds=50, warmup_rounds=3)
    report(benchmark.stats.stats.median * 1e6, "us a gradient")
