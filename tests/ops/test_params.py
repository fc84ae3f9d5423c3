"""Params of strangers: every op says what its params may be, and a file with others is refused.

For each row of the op table one param after the other is replaced by something else. Either the file is refused, or the
graph does what it declares: results of the inferred shape and dtype.
"""

import copy
import importlib
import pathlib
import zlib

import numpy as np
import pytest

import symtape.ops  # noqa: F401 (declares the ops)
from symtape.compile.evaluate import evaluate
from symtape.errors import AssumptionViolated
from symtape.graph.node import symbol
from symtape.graph.serialize import decode, encode
from symtape.graph.traverse import topological
from symtape.ops.namespace import NODES
from symtape.ops.registry import op_named
from tests.ops.rows import results

ROWS = [
    row
    for path in sorted(pathlib.Path(__file__).parent.glob("rows_*.py"))
    for row in importlib.import_module(f"tests.ops.{path.stem}").ROWS
]
STRANGE = (-1, 0, 1, 2, 3, 5, -7, 10**6, 10**12, -(10**12), 2**63, 2**70, None, True, "x", [], [0, 1], {"graph": 0})
LARGEST = 10**6  # elements of results that are computed


def recorded(row):
    arrays = row.draw()
    leaves = [symbol(f"x{k}", a.shape, a.dtype) for k, a in enumerate(arrays)]
    return arrays, leaves, results(row.call(NODES, *leaves))


def places(value):
    """Every place of a param that holds something simple."""
    for key, below in enumerate(value):
        if isinstance(below, list):
            yield from places(below)
        else:
            yield value, key


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_what_functions_build_is_accepted(row):
    _, leaves, outputs = recorded(row)
    again, _ = decode(*encode(outputs, leaves), op_named)
    assert [o.op for o in again] == [o.op for o in outputs]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_strange_params_are_refused_or_harmless(row):
    arrays, leaves, outputs = recorded(row)
    document, constants = encode(outputs, leaves)
    rng = np.random.default_rng(zlib.crc32(row.name.encode()))
    for _ in range(10):
        changed = copy.deepcopy(document)
        params = [
            place for t in changed["graphs"] for _, p in t["params"] if isinstance(p, list) for place in places(p)
        ]
        if not params:
            return
        container, key = params[rng.integers(len(params))]
        container[key] = STRANGE[rng.integers(len(STRANGE))]
        try:
            again, inputs = decode(changed, constants, op_named)
        except ValueError:
            continue
        if any(np.prod(n.shape, dtype=object) > LARGEST for n in topological(again) if n.op.results == 1):
            continue
        try:
            values = evaluate(again, dict(zip(inputs, arrays, strict=True)))
        except (IndexError, AssumptionViolated):  # of the data, not of the params
            continue
        except ValueError as error:
            assert "out of bounds" in str(error)  # noqa: PT017 (a place among the data may lie outside)
            continue
        assert [(np.shape(v), np.asarray(v).dtype) for v in values] == [(n.shape, n.dtype) for n in again]


def test_a_ufunc_takes_its_number_of_inputs():
    x = symbol("x")
    document, arrays = encode([NODES.sin(x)], [x])
    document["graphs"][0].update(counts=[0, 2], flat=[0, 0])
    with pytest.raises(ValueError, match="sin takes 1 inputs, got 2"):
        decode(document, arrays, op_named)


def test_params_where_there_are_none_are_refused():
    x = symbol("x")
    document, arrays = encode([NODES.sin(x)], [x])
    document["graphs"][0]["params"].append([1, [3]])
    with pytest.raises(ValueError, match=r"the params \(3,\) are none that sin can have"):
        decode(document, arrays, op_named)
