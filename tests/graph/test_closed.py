"""Closed graphs: interned, closed over what they use, run by themselves."""

import copy
import gc

import numpy as np
import pytest

from symtape.errors import SingularMatrixError
from symtape.graph import closed
from symtape.graph.closed import Graph, close, trace
from symtape.graph.node import PLACEHOLDER, leaf, symbol
from symtape.ops.namespace import NODES as B


def test_equal_bodies_are_one_graph():
    first = trace(lambda x, y: B.multiply(B.sin(x), y), symbol("x", (3,)), symbol("y"))
    second = trace(lambda a, b: B.multiply(B.sin(a), b), symbol("a", (3,)), symbol("b"))
    assert first is second
    assert trace(lambda a, b: B.multiply(B.sin(a), b), symbol("a", (4,)), symbol("b")) is not first
    assert copy.deepcopy(first) is copy.copy(first) is first


def test_a_graph_is_forgotten_with_its_last_user():
    graph = trace(lambda x: B.tanh(B.multiply(x, 0.123456)), symbol(None))
    key = (graph.inputs, graph.outputs)
    assert key in closed._table
    del graph
    gc.collect()
    assert key not in closed._table


def test_what_is_used_from_outside_is_captured_once_and_in_order():
    x, a, b = symbol("x"), leaf(2.0, "a"), symbol("b", (2,))
    graph, captured = close([B.multiply(x, a), B.multiply(b, a)], [x])
    assert captured == (a, b)
    assert [i.shape for i in graph.inputs] == [(), (), (2,)]
    assert all(o.flags & PLACEHOLDER for o in graph.outputs)
    again = graph(x, a, b)
    assert again == (B.multiply(x, a), B.multiply(b, a))


def test_outputs_are_cut_at_inner_nodes():
    x = symbol("x")
    inner = B.exp(x)
    graph, captured = close([B.sin(inner)], [inner])
    assert captured == ()
    assert graph(x) == (B.sin(x),)


def test_trace_takes_nothing_from_outside():
    outside = symbol("outside")
    with pytest.raises(ValueError, match="from outside"):
        trace(lambda x: B.add(x, outside), symbol("x"))


def test_a_graph_runs_on_arrays():
    graph = trace(lambda x, y: (B.matmul(x, y), B.sum(x), x, B.const(3.0)), symbol(None, (2, 2)), symbol(None, (2,)))
    product, total, same, constant = graph.run([np.eye(2), np.array([1.0, 2.0])])
    np.testing.assert_array_equal(product, [1.0, 2.0])
    assert total == 2
    assert constant == 3
    np.testing.assert_array_equal(same, np.eye(2))
    with pytest.raises(TypeError, match="takes 2 inputs, got 1"):
        graph.run([np.eye(2)])
    with pytest.raises(TypeError, match="takes 2 inputs, got 1"):
        graph(symbol(None, (2, 2)))


def test_several_results_inside():
    graph = trace(lambda x: (B.slogdet(x)[1], B.slogdet(x)[0]), symbol(None, (2, 2)))
    assert graph.run([2 * np.eye(2)]) == (np.log(4.0), 1.0)


def test_an_error_inside_names_the_line():
    graph = trace(B.inv, symbol(None, (2, 2)))
    with pytest.raises(SingularMatrixError, match=r"test_closed\.py:\d+"):
        graph.run([np.zeros((2, 2))])


def test_a_long_body_needs_no_recursion_and_keeps_little():
    def chain(x):
        for _ in range(5000):
            x = B.sin(x)
        return x

    graph = trace(chain, symbol(None))
    (value,) = graph.run([np.float64(1.0)])
    assert 0 < value < 0.1
    order, done = graph.derived("order", lambda: pytest.fail("kept from the run"))
    assert sum(map(len, done)) == len(order) - 2  # all but the input and the result


def test_what_is_derived_is_made_once():
    graph = trace(B.cosh, symbol(None))
    made = []
    for _ in range(3):
        assert graph.derived("key", lambda: made.append(1) or "value") == "value"
    assert made == [1]


def test_a_graph_is_not_made_by_its_class():
    with pytest.raises(TypeError, match="close or trace"):
        Graph()


def test_nested_bodies_do_not_mix_up_their_placeholders():
    def outer(a):
        inner, captured = close([B.multiply(b := symbol("b"), a)], [b])
        return B.inline(inner, [B.add(a, 1.0), *captured])

    (value,) = trace(outer, symbol("x")).run([3.0])
    assert value == 12.0


def test_what_is_derived_is_kept_with_the_graph():
    graph = trace(B.cos, symbol("x"))
    calls = []
    for _ in range(3):
        assert graph.derived("key", lambda: calls.append(1) or "made") == "made"
    assert calls == [1]
