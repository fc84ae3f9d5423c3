"""Nothing grows: training loops, graphs that are dropped, values that are kept."""

import gc
import sys
import weakref

import numpy as np
import pytest

import symtape as st
from symtape.graph.node import _scalars


def blocks():
    """Blocks of memory in use: a leak of one a step is seen, whatever its size."""
    _scalars.clear()  # the cache of scalar constants, which is bounded and may be anywhere below its bound
    gc.collect()
    return sys.getallocatedblocks()


def quadratic(x, y):
    return (x - 1) ** 2 + (y + 2) ** 2


def branching(x, y):
    return (x - 1) ** 2 + y**2 if x * y > -100 else x * 1e9


def scheduled(x, y, k=[0]):  # noqa: B006 (another constant at every step)
    k[0] += 1
    return (x - 1) ** 2 * (1 + 1 / k[0]) + y * y


@pytest.mark.parametrize("loss", [quadratic, branching, scheduled])
def test_a_training_loop_does_not_grow(loss):
    x, y = st.Variable(3.0, name="x"), st.Variable(2.0, name="y")

    def train(steps):
        for _ in range(steps):
            with st.GradientTape() as tape:
                value = loss(x, y)
            gx, gy = tape.gradient(value, [x, y])
            x.assign_sub(0.001 * gx)
            y.assign_sub(0.001 * gy)

    train(1000)
    early = blocks()
    train(1000)
    assert blocks() - early < 500


def test_a_step_leaves_no_nodes_behind():
    x = st.Variable(3.0)

    def step():
        with st.GradientTape() as tape:
            y = np.sin(x) * x
        g = tape.gradient(y, x)
        refs = [weakref.ref(t.node) for t in (y, g)]
        x.assign_sub(0.01 * g)
        return refs

    refs = step()
    assert [r() for r in refs] == [None, None], "reference counting alone must free a step"


def test_a_tape_that_is_deleted_lets_go():
    x = st.Variable(3.0)
    with st.GradientTape(persistent=True) as tape:
        y = np.exp(x)
        z = y * 2
    node = weakref.ref(y.node)
    tape.gradient(z, x)
    del tape, y, z
    assert node() is None


def test_an_old_version_is_freed():
    x = st.Variable(np.ones(1000))
    old = weakref.ref(x.node)
    x.assign_add(1.0)
    assert old() is None


def test_interning_holds_nothing():
    x = st.Variable(3.0)
    y = np.arctan(x)
    table = y.node.op.table
    size = len(table)
    del y
    assert len(table) == size - 1


def test_stop_recording_holds_no_tensors():
    x = st.Variable(3.0)
    with st.GradientTape(persistent=True) as tape:
        x * 1
        with tape.stop_recording():
            y = np.exp(x) * 2
            node = weakref.ref(y.node)
            del y
        assert node() is None
