import numpy as np
import pytest

import symtape as st
from symtape.tape.purity import difference
from symtape.tape.record_callable import record
from symtape.tape.replay import assume, replay
from symtape.tape.tensor import lift

X = np.array([1.0, 2.0])


def test_a_replay_is_the_graph_on_other_tensors():
    recorded = record(lambda x, y: (x * y, np.linalg.slogdet(np.outer(x, x) + np.eye(2))[1], 5.0), (X, 3.0), by="f")
    x, y = st.constant([3.0, 4.0]), st.constant(2.0)
    product, log, five = replay(recorded.outputs, recorded.given([x, y]))
    np.testing.assert_array_equal(product.numpy(), [6.0, 8.0])
    assert log.item() == pytest.approx(np.log(26.0))
    assert five.item() == 5.0


def test_tapes_see_a_replay():
    recorded = record(lambda x, y: (x * y, np.linalg.slogdet(np.outer(x, x) + np.eye(2))[1], x), (X, 3.0), by="f")
    x, y = st.Variable([3.0, 4.0]), st.constant(2.0)
    with st.GradientTape(persistent=True) as tape:
        product, log, same = replay(recorded.outputs, recorded.given([x * 1, y]))
    np.testing.assert_array_equal(tape.gradient(product, x).numpy(), [2.0, 2.0])
    np.testing.assert_allclose(tape.gradient(log, x).numpy(), [6 / 26, 8 / 26])
    np.testing.assert_array_equal(tape.gradient(same, x).numpy(), [1.0, 1.0])
    assert tape.gradient(product, y) is None


def test_what_does_not_depend_on_what_is_given_stays_itself():
    v = st.Variable(3.0)
    inner = np.sin(v)
    with st.GradientTape() as tape:
        tape.watch(inner)
        (again,) = replay([(inner * 2).node], {st.symbol("s").node: inner})
    assert again.node is (inner * 2).node


def test_a_deep_graph_is_replayed_without_recursion():
    def deep(x):
        for _ in range(5000):
            x = x * 1.0001
        return x

    recorded = record(deep, (1.0,), by="f")
    x = st.Variable(2.0)
    with st.GradientTape() as tape:
        (y,) = replay(recorded.outputs, recorded.given([x]))
    assert tape.gradient(y, x).item() == pytest.approx(1.0001**5000)


def test_decisions_are_noted_again_over_the_new_tensors():
    recorded = record(lambda x: x if x[0] > 0 else -x, (X,), by="f")
    v = st.Variable([5.0, 6.0])
    with st.GradientTape() as tape:
        assume(recorded.guards, recorded.given([v.read()]))
    (guard,) = tape.guards
    assert guard.node is (v[0] > 0).node
    assert guard.line == recorded.guards[0].line
    assume(recorded.guards, recorded.given([v.read()]))  # nothing records: nothing to note


def test_differences_of_graphs():
    x, y = st.symbol("x"), st.symbol("y")

    def found(a, b):
        return difference([a.node], [b.node], {x.node: y.node})

    assert found(np.sin(x) * 2, np.sin(y) * 2) is None
    assert found(x, y) is None
    assert "x" in found(x, st.symbol("z")).what
    assert "sin was recorded first, then cos" in found(np.sin(x), np.cos(y)).what
    assert "was 2 first, then 3" in found(x * 2, y * 3).what
    pair, other = st.stack([x, x]), st.stack([y, y])
    assert "parameters" in found(pair[0], other[1]).what
    nan = np.full(100, np.nan)
    assert found(np.sum(x * nan), np.sum(y * nan.copy())) is None
    assert "constant was" in found(np.sum(x * nan), np.sum(y * np.zeros(100))).what


def test_the_line_is_that_of_the_use_of_a_constant():
    x, y = st.symbol("x"), st.symbol("y")
    kept = lift(2.0), lift(3.0)  # equal constants made before, elsewhere
    other = np.sin(y * 3.0)
    found = difference([np.sin(x * 2.0).node], [other.node], {x.node: y.node})
    assert "other = np.sin(y * 3.0)" in found.line
    assert kept
    twice = np.sin(y * np.exp(lift(3.0)))
    found = difference([np.sin(x * np.exp(lift(2.0))).node], [twice.node], {x.node: y.node})
    assert "twice = " in found.line
