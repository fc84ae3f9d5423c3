"""Tapes and threads: what records is the thread's own; deep graphs need no stack."""

import linecache
import sys
import threading

import numpy as np
import pytest

import symtape as st
from symtape.tape.recording import active_tapes


def run_in_thread(function, stack=None):
    """Run a function on a thread, of a given stack size if wanted; gives its result or raises what it raised."""
    result = []

    def call():
        try:
            result.append((function(), None))
        except BaseException as error:  # noqa: BLE001 (handed to the test)
            result.append((None, error))

    old = threading.stack_size(stack or 0)
    try:
        thread = threading.Thread(target=call)
        thread.start()
    finally:
        threading.stack_size(old)
    thread.join()
    value, error = result[0]
    if error is not None:
        raise error
    return value


def test_another_thread_does_not_record_on_this_ones_tape():
    x = st.Variable(3.0)
    with st.GradientTape() as tape:
        y = x * x
        z = run_in_thread(lambda: x * y)
        assert run_in_thread(active_tapes) == []
    assert z.ident not in tape.producer
    assert float(tape.gradient(y, x)) == 6.0


def test_each_thread_has_tapes_of_its_own():
    x = st.Variable(3.0)
    start = threading.Barrier(4)
    found = [None] * 4

    def work(k):
        start.wait()
        for _ in range(50):
            with st.GradientTape() as tape:
                y = np.sin(x * (k + 1.0))
            found[k] = float(tape.gradient(y, x))

    threads = [threading.Thread(target=work, args=(k,)) for k in range(4)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    np.testing.assert_allclose(found, [(k + 1) * np.cos(3.0 * (k + 1)) for k in range(4)], rtol=1e-14)


def test_equal_work_in_many_threads_is_one_node():
    x = st.Variable(3.0)
    start = threading.Barrier(8)
    nodes = []

    def work():
        start.wait()
        nodes.extend([(k, (x * float(k)).node) for k in range(200)])

    threads = [threading.Thread(target=work) for _ in range(8)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    by_number = {}
    for k, node in nodes:
        by_number.setdefault(k, set()).add(node)
    assert all(len(found) == 1 for found in by_number.values())


def test_a_tape_may_be_asked_from_another_thread():
    x = st.Variable(3.0)
    with st.GradientTape() as tape:
        y = x * x
    assert run_in_thread(lambda: float(tape.gradient(y, x))) == 6.0


@pytest.mark.slow
@pytest.mark.skipif(
    sys.version_info[:2] == (3, 13),
    reason="CPython 3.13 frees up to 10,000 nested objects inside each other, whatever the stack",
)
@pytest.mark.parametrize("shape", ["chain", "fan"])
def test_a_hundred_thousand_nodes_on_a_small_stack(shape):
    import copy
    import gc
    import pickle

    n = 100_000

    def work():
        x = st.Variable(1.0, name="x")
        with st.GradientTape(persistent=True) as tape:
            if shape == "chain":
                y = x * 1.0
                for _ in range(n):
                    y = y * 1.00001
            else:
                y = np.sum(np.stack([x * float(k) for k in range(n)]))
        g = tape.gradient(y, x)
        value, slope = float(y), float(g)
        again = pickle.loads(pickle.dumps([y, x]))
        assert float(again[0]) == value
        twin, _ = copy.deepcopy((y, x))
        assert float(twin) == value
        del tape, y, g, again, twin
        gc.collect()
        return value, slope

    value, slope = run_in_thread(work, 512 * 1024)
    if shape == "chain":
        np.testing.assert_allclose([value, slope], 1.00001**n, rtol=1e-9)
    else:
        assert value == slope == n * (n - 1) / 2


# ---------------------------------------------------------------------------------------- work handed to other threads


def test_what_another_thread_computed_for_a_tape_is_told_when_a_gradient_is_asked_for():
    x = st.Variable(3.0)
    with st.GradientTape() as tape:
        y = x * run_in_thread(lambda: np.sin(x) * 2)  # here
    text = linecache.getlines(__file__)
    line = next(k for k, line in enumerate(text, 1) if line.endswith("# here\n"))
    with pytest.warns(st.GradientCutWarning, match="another thread.*no gradient flows") as caught:
        assert float(tape.gradient(y, x)) == pytest.approx(2 * np.sin(3.0))
    assert (caught[0].filename, caught[0].lineno) == (__file__, line)


def test_what_another_thread_computed_and_is_not_used_is_not_told():
    x, z = st.Variable(3.0), st.Variable(4.0)
    with st.GradientTape() as tape:
        other = run_in_thread(lambda: np.sin(z) * 2)
        y = x * st.stop_gradient(run_in_thread(lambda: np.cos(x)))
        y = y * x
    assert float(tape.gradient(y, x)) == pytest.approx(6 * np.cos(3.0))
    assert other.item() == pytest.approx(2 * np.sin(4.0))


def test_a_number_taken_out_of_what_a_tape_records_by_another_thread_warns():
    x = st.Variable(3.0)
    with st.GradientTape():
        y = x * x
        with pytest.warns(st.GradientCutWarning, match="float takes a plain number"):
            run_in_thread(lambda: float(y))
        assert run_in_thread(lambda: float(x)) == 3.0  # a variable is everybody's


@pytest.mark.parametrize("transform", [st.grad, st.jit])
def test_a_number_taken_out_of_an_argument_by_another_thread_is_refused(transform):
    def f(x):
        return x * run_in_thread(lambda: float(np.sin(x)))

    with pytest.raises(st.errors.ConcreteValueError, match=r"float took a number out.*float\(np\.sin\(x\)\)"):
        transform(f)(3.0)


def test_a_decision_taken_by_another_thread_is_a_guard():
    def f(x):
        return x * 2 if run_in_thread(lambda: bool(x > 1)) else x * 3

    fast = st.jit(f)
    assert [fast(2.0), fast(0.5), fast(4.0)] == [4.0, 1.5, 8.0]


def test_work_of_other_threads_in_a_function_is_part_of_it():
    v = st.Variable(2.0)

    def f(x):
        return x * run_in_thread(lambda: np.sin(x) * v)

    assert st.grad(f)(3.0) == pytest.approx(2 * (np.sin(3.0) + 3 * np.cos(3.0)))
    fast = st.jit(f)
    assert fast(3.0) == pytest.approx(6 * np.sin(3.0))
    v.assign(5.0)
    assert fast(3.0) == pytest.approx(15 * np.sin(3.0))
