"""The walks: every node once, inputs first, no recursion."""

import numpy as np
import pytest

import symtape.ops  # noqa: F401 (declares the ops)
from symtape.graph.node import leaf, symbol
from symtape.graph.traverse import ancestors, leaves, substitute, topological, users
from symtape.ops.namespace import NODES as B


def diamond():
    x = symbol("x")
    a = B.sin(x)
    b, c = B.exp(a), B.cos(a)
    return x, a, b, c, B.add(b, c)


def test_inputs_come_before_users_and_each_node_once():
    x, a, b, c, top = diamond()
    order = topological([top, b])
    assert order == [x, a, b, c, top]
    assert topological([b, top, b]) == order


def test_the_order_depends_on_the_graph_only():
    first, second = (topological([diamond()[-1]]) for _ in range(2))
    assert [n.op for n in first] == [n.op for n in second]


def test_a_walk_stops_where_it_is_told():
    x, a, b, c, top = diamond()
    assert topological([top], stop=[a]) == [a, b, c, top]
    assert x not in topological([top], stop=[b, c])
    assert topological([a], stop=[a]) == [a]


def test_leaves_are_found_once():
    x, k = symbol("x"), leaf(2.0, "k")
    assert leaves([B.multiply(B.add(x, k), x), k]) == [x, k]
    assert leaves([B.sin(1.0)]) == []


def test_substitution_rebuilds_what_depends_and_keeps_the_rest():
    x, y, z = symbol("x"), symbol("y"), symbol("z")
    kept = B.sin(z)
    top = B.add(B.multiply(x, 2.0), kept)
    (new,) = substitute([top], {x: y})
    assert new is B.add(B.multiply(y, 2.0), kept)
    assert new.inputs[1] is kept
    assert substitute([kept], {x: y}) == (kept,)
    assert substitute([x], {x: y}) == (y,)


def test_substitution_of_inner_nodes_does_not_look_below_them():
    _, a, _, _, top = diamond()
    w = symbol("w")
    (new,) = substitute([top], {a: w})
    assert new is B.add(B.exp(w), B.cos(w))


def test_substitution_is_at_once():
    x, y = symbol("x"), symbol("y")
    (new,) = substitute([B.subtract(x, y)], {x: y, y: x})
    assert new is B.subtract(y, x)


def test_users():
    x, a, b, c, top = diamond()
    found = users(topological([top]))
    assert found[a] == [b, c]
    assert found[top] == []
    assert found[x] == [a]


def test_ancestors_are_found_lazily():
    x, a, b, c, top = diamond()
    assert set(ancestors(top)) == {x, a, b, c, top}
    assert next(ancestors(top)) is top


@pytest.mark.parametrize(
    "walk",
    [
        lambda y, x: topological([y]),
        lambda y, x: list(ancestors(y)),
        lambda y, x: substitute([y], {x: leaf(np.float64(1.0))}),
    ],
)
def test_a_long_chain_needs_no_recursion(walk):
    y = x = symbol("x")
    for _ in range(20_000):
        y = B.sin(y)
    assert walk(y, x)
