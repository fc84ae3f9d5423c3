"""Batching of graphs beyond single ops (each op against a loop stands in the op table)."""

import numpy as np
import pytest

from symtape.autodiff.batching import batch_graph
from symtape.autodiff.reverse import gradient
from symtape.compile.evaluate import evaluate
from symtape.errors import ShapeError
from symtape.graph.node import constant, symbol
from symtape.graph.shapes import Dim
from symtape.graph.traverse import topological
from symtape.ops.namespace import NODES as B
from symtape.ops.op import Kind
from symtape.ops.registry import structural


def leaf(*shape):
    return symbol(None, shape)


def test_a_batch_is_a_loop():
    rng = np.random.default_rng(1)
    X, w = leaf(5, 3), leaf(3)
    loss = B.sum(B.softplus(B.matmul(X, w)))
    outputs = [loss, *gradient(loss, [X, w])]
    data, ws = rng.standard_normal((5, 3)), rng.standard_normal((7, 3))
    together = evaluate(batch_graph(outputs, [w], [constant(ws)]), {X: data})
    for k in range(7):
        for stack, value in zip(together, evaluate(outputs, {X: data, w: ws[k]}), strict=True):
            np.testing.assert_allclose(stack[k], value, rtol=1e-13)


def test_what_is_not_batched_is_computed_once():
    x, y = leaf(3), leaf(3)
    shared = B.exp(y)
    (batch,) = batch_graph([B.multiply(x, shared)], [x], [leaf(4, 3)])
    assert shared in batch.inputs


def test_an_output_without_a_batched_input_is_repeated():
    x, y = leaf(3), leaf(2)
    both = batch_graph([B.sin(x), B.sin(y)], [x], [leaf(4, 3)])
    assert [b.shape for b in both] == [(4, 3), (4, 2)]


def test_an_input_can_be_an_output():
    x = leaf(3)
    stand_in = leaf(4, 3)
    assert batch_graph([x, x], [x], [stand_in]) == (stand_in, stand_in)


def test_graphs_are_cut_at_inner_nodes():
    x = leaf(3)
    inner = B.exp(x)
    stand_in = leaf(4, 3)
    (batch,) = batch_graph([B.sum(inner)], [inner], [stand_in])
    assert x not in topological([batch])


def test_ranks_are_aligned_behind_the_batch():
    rng = np.random.default_rng(2)
    a, b = leaf(2), leaf(3, 2)
    env = {leaf(5, 2): rng.random((5, 2)), leaf(5, 3, 2): rng.random((5, 3, 2))}
    (batch,) = batch_graph([B.add(a, b)], [a, b], list(env))
    va, vb = env.values()
    np.testing.assert_array_equal(evaluate([batch], env)[0], va[:, None] + vb)


def test_batches_of_batches():
    rng = np.random.default_rng(3)
    x = leaf(3)
    once, twice = leaf(4, 3), leaf(5, 4, 3)
    (one,) = batch_graph([B.prod(B.sin(x))], [x], [once])
    (two,) = batch_graph([one], [once], [twice])
    value = rng.random((5, 4, 3))
    np.testing.assert_allclose(evaluate([two], {twice: value})[0], np.prod(np.sin(value), axis=-1), rtol=1e-14)


def test_named_lengths():
    n = Dim("n")
    x = leaf(3)
    (batch,) = batch_graph([B.sum(B.sin(x))], [x], [leaf(n, 3)])
    assert batch.shape == (n,)


def test_a_long_chain_needs_no_recursion():
    x = leaf()
    y = x
    for _ in range(5000):
        y = B.sin(y)
    (batch,) = batch_graph([y], [x], [leaf(2)])
    assert batch.shape == (2,)


def test_bad_input():
    x, y = leaf(3), leaf(3)
    with pytest.raises(ShapeError, match="in front of"):
        batch_graph([x], [x], [leaf(4, 2)])
    with pytest.raises(ShapeError, match="in front of"):
        batch_graph([x], [x], [leaf(3)])
    with pytest.raises(ShapeError, match="different lengths: 4 and 5"):
        batch_graph([B.add(x, y)], [x, y], [leaf(4, 3), leaf(5, 3)])
    with pytest.raises(ShapeError, match="no input is batched"):
        batch_graph([x], [x], [None])
    assert batch_graph([x], [x], [None], 4)[0].shape == (4, 3)


def test_an_op_without_a_rule_says_so():
    from symtape.ops import registry

    op = structural("unbatchable", Kind.LIBRARY, lambda x: x, lambda inputs: (inputs[0].shape, inputs[0].dtype))
    try:
        x = leaf(3)
        with pytest.raises(TypeError, match="unbatchable has no batching rule"):
            batch_graph([B.build(op, (x,))], [x], [leaf(4, 3)])
    finally:
        del registry._ops["unbatchable"]
