"""An op that lets masks of structural zeros travel through its vjp treats True as it treats a number that is not 0."""

import numpy as np
import pytest

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
