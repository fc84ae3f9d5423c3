import pickle
import threading

import numpy as np
import pytest

import symtape as st
from symtape.compile import program as program_module
from symtape.errors import ConcreteValueError, ImpureFunctionError


def rosen(x):
    return np.sum(100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2)


@pytest.fixture
def compiled(monkeypatch):
    """Counts the programs that are compiled and run."""
    counts = {"made": 0, "run": 0}
    original = program_module.Program

    class Counting(original):
        def __init__(self, *args, **kwargs):
            counts["made"] += 1
            super().__init__(*args, **kwargs)
            run = self.numbers

            def numbers(*arrays):
                counts["run"] += 1
                return run(*arrays)

            self.numbers = numbers

    import symtape.tape.jitted as jitted_module

    monkeypatch.setattr(jitted_module, "Program", Counting)
    return counts


def test_python_runs_only_while_recording(compiled):
    calls = []

    @st.jit
    def f(x):
        calls.append(1)
        return rosen(x)

    x = np.linspace(0, 1, 6)
    for _ in range(5):
        assert f(x) == pytest.approx(rosen(x), rel=1e-14)
    assert len(calls) == 2  # recorded twice, to be sure
    assert compiled == {"made": 1, "run": 5}
    f(np.ones(7))
    assert compiled["made"] == 2


def test_results_are_numbers_and_arrays_in_their_nesting():
    f = st.jit(lambda p, x: {"y": p["a"] * x, "s": [np.sum(x), None]})
    found = f({"a": 2.0}, np.array([1.0, 2.0]))
    np.testing.assert_array_equal(found["y"], [2.0, 4.0])
    assert found["s"] == [3.0, None]
    assert type(found["s"][0]) is float


def test_each_branch_is_recorded_once(compiled):
    f = st.jit(lambda x: np.sum(x**2) if x[0] > 0 else np.sum(x))
    for _ in range(3):
        assert f(np.array([1.0, 2.0])) == 5.0
        assert f(np.array([-1.0, 2.0])) == 1.0
    assert compiled["made"] == 2


def test_arguments_that_are_no_numbers_are_part_of_the_kind(compiled):
    @st.jit
    def f(x, how, *, scale=1.0, note=None):
        return (np.sum(x) if how == "sum" else np.prod(x)) * scale

    x = np.array([2.0, 3.0])
    assert (f(x, "sum"), f(x, "prod"), f(x, "sum", scale=2.0)) == (5.0, 6.0, 10.0)
    assert f(x, "sum", scale=5.0) == 25.0
    assert compiled["made"] == 3
    assert f(x, "sum", note=[]) == 5.0


def test_dtypes_are_kept():
    f = st.jit(lambda x: x * 2)
    assert f(np.ones(3, np.float32)).dtype == np.float32
    assert f(np.ones(3, np.int64)).dtype == np.int64
    assert f(3) == 6
    assert f(1.5) == 3.0


def test_variables_are_read_anew():
    w = st.Variable([1.0, 2.0], name="w")
    f = st.jit(lambda x: np.sum(w * x))
    assert f(np.ones(2)) == 3.0
    w.assign([10.0, 20.0])
    assert f(np.ones(2)) == 30.0


def test_gradients_flow_to_what_a_tape_watches():
    w = st.Variable([1.0, 2.0], name="w")
    f = st.jit(lambda x: np.sum(w * x))
    with st.GradientTape() as tape:
        z = f(np.array([3.0, 4.0])) ** 2
    np.testing.assert_allclose(tape.gradient(z, w).numpy(), 2 * 11.0 * np.array([3.0, 4.0]))
    x = st.Variable([3.0, 4.0], name="x")
    with st.GradientTape() as tape:
        z = f(x)
    np.testing.assert_array_equal(tape.gradient(z, x).numpy(), [1.0, 2.0])
    q = None
    with st.GradientTape() as tape:
        q = w * 2
        z = st.jit(lambda x: np.sum(q * x))(np.ones(2))
    np.testing.assert_array_equal(tape.gradient(z, w).numpy(), [2.0, 2.0])


def test_transforms_go_through_it_and_around_it():
    f = st.jit(rosen)
    x = np.linspace(0.5, 1.0, 4)
    np.testing.assert_allclose(st.grad(f)(x), st.grad(rosen)(x), rtol=1e-13)
    g = st.jit(st.grad(rosen))
    np.testing.assert_allclose(g(x), st.grad(rosen)(x), rtol=1e-13)
    h = st.jit(st.hessian(rosen))
    np.testing.assert_allclose(h(x), st.hessian(rosen)(x), rtol=1e-12)
    inner = st.jit(lambda t: np.sin(t) * 2)
    outer = st.jit(lambda t: inner(t) + 1)
    assert outer(0.5) == np.sin(0.5) * 2 + 1


def test_function_alone_is_jit():
    @st.function
    def f(x):
        """Docs."""
        return x + 1

    assert f(1.0) == 2.0
    assert f.__name__ == "f"
    assert f.__doc__ == "Docs."


def test_methods_can_be_jitted():
    class Model:
        def __init__(self, k):
            self.k = k

        @st.jit
        def value(self, x):
            return self.k * x

    assert Model(2.0).value(3.0) == 6.0
    assert Model(5.0).value(3.0) == 15.0


def test_impurity_is_refused_unless_it_is_asked_for():
    rng = np.random.default_rng(0)

    def noisy(x):
        return x + rng.normal()

    with pytest.raises(ImpureFunctionError, match=r"noisy|normal"):
        st.jit(noisy)(1.0)
    again = st.jit(noisy, rerecord=True)
    assert again(1.0) != again(1.0)


def test_a_number_taken_out_is_refused():
    with pytest.raises(ConcreteValueError, match="float"):
        st.jit(lambda x: float(x) * x)(2.0)


def test_what_is_no_function_is_refused():
    with pytest.raises(TypeError, match="takes a function"):
        st.jit(3)


def test_it_pickles_with_its_function():
    f = pickle.loads(pickle.dumps(st.jit(rosen)))
    assert f(np.zeros(4)) == 3.0


def test_threads_may_share_it():
    f = st.jit(rosen)
    found = []

    def run(n):
        x = np.linspace(0, 1, n)
        found.append(all(abs(f(x) - rosen(x)) < 1e-9 for _ in range(20)))

    threads = [threading.Thread(target=run, args=(3 + k % 2,)) for k in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [True] * 4
