"""Tapes and threads: what records is the thread's own; deep graphs need no stack."""

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
