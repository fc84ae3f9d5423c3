"""An op that lets masks of structural zeros travel through its vjp treats True as it treats a number that is not 0."""

import numpy as np
import pytest

from symtape.autodiff.reverse import gradient
from symtape.compile.evaluate import evaluate
from symtape.graph.node import leaf, symbol
from symtape.graph.traverse import topological
from symtape.ops.namespace import NODES as B
from symtape.ops.op import ZERO, vjp_rule
from symtape.ops.registry import op_named, ops
from tests.ops.rows import results
from tests.ops.test_op_table import ROWS

MASKED = [row for row in ROWS if row.order and getattr(op_named(row.op), "masks", False)]


@pytest.mark.parametrize("row", MASKED, ids=lambda row: row.name)
@pytest.mark.parametrize("share", [0.0, 0.3, 1.0])
def test_masks_travel_as_values_do(row, share):
    rng = np.random.default_rng(7)
    arrays = row.draw(8)
    leaves = [symbol(f"x{k}", a.shape, a.dtype) for k, a in enumerate(arrays)]
    outputs = results(row.call(B, *leaves))
    env = dict(zip(leaves, arrays, strict=True))
    nodes = [node for node in topological(outputs) if node.op.name == row.op and node.dtype.kind == "f"]
    assert nodes
    for node in nodes:
        mask = rng.random(node.shape) < share
        for k, x in enumerate(node.inputs):
            rule = vjp_rule(node.op, k)
            if x.dtype.kind != "f" or rule is None:
                continue
            g = rule(B, leaf(np.where(mask, 1.0, 0.0)), node, *node.inputs, *node.params)
            m = rule(B, leaf(mask), node, *node.inputs, *node.params)
            if g is ZERO:
                assert m is ZERO
                continue
            assert m.dtype == np.bool_
            assert m.shape == g.shape
            value, travelled = evaluate([g, m], env)
            np.testing.assert_array_equal(travelled, value != 0)


def test_all_ops_with_masks_are_here():
    assert {op.name for op in ops().values() if getattr(op, "masks", False)} == {row.op for row in MASKED}


@pytest.mark.parametrize("row", MASKED, ids=lambda row: row.name)
def test_what_a_mask_leaves_out_is_in_no_sum(row):
    """A choice behind the op sends no gradient through the elements that it does not take."""
    arrays = row.draw(9)
    leaves = [symbol(f"x{k}", a.shape, a.dtype) for k, a in enumerate(arrays)]
    env = dict(zip(leaves, arrays, strict=True))
    rng = np.random.default_rng(10)
    floats = [x for x in leaves if x.dtype.kind == "f"]
    for output in results(row.call(B, *leaves)):
        if output.dtype.kind != "f":
            continue
        mask, weights = rng.random(output.shape) < 0.5, rng.uniform(1, 2, output.shape)
        chosen = gradient(B.where(mask, output, 0.0), floats, leaf(weights))
        plain = gradient(output, floats, leaf(np.where(mask, weights, 0.0)))
        for ours, theirs in zip(chosen, plain, strict=True):
            assert (ours is None) == (theirs is None)
            if ours is not None:
                a, b = evaluate([ours, theirs], env)
                np.testing.assert_allclose(a, b, rtol=1e-13, atol=1e-13)


def test_a_choice_in_a_branch_that_is_not_taken_sends_nothing():
    """Although the inner one takes, there, what has no slope."""
    x = symbol("x")
    inner = B.where(B.less(x, 5), B.multiply(x, B.sqrt(x)), B.sin(x))
    (slope,) = gradient(B.where(B.less(x, 0), B.multiply(2, x), inner), [x])
    assert [float(evaluate([slope], {x: np.asarray(v)})[0]) for v in (-1.0, 4.0)] == [2.0, 3.0]
