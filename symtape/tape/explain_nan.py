"""Where the NaN in a gradient comes from: the first operation that gives it, in the values or on the way back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from symtape.autodiff.reverse import ones, reverse
from symtape.compile.evaluate import evaluate
from symtape.graph.node import PLACEHOLDER, SYMBOLIC, Node
from symtape.ops.namespace import DERIVATIVES
from symtape.ops.op import ZERO
from symtape.tape.derivatives import TO_NODES
from symtape.tape.tensor import Tensor


@dataclass(frozen=True, slots=True)
class Origin:
    """The operation that gives the first NaN.

    Attributes
    ----------
    record : record
    text, remedy : str
    """

    record: Any
    text: str
    remedy: str


def nan_origin(records: Sequence[Any], target: Tensor, source: Tensor) -> Origin | None:
    """The operation that brings NaN into the gradient of a target in a source.

    Parameters
    ----------
    records : sequence of records
        What the target depends on, in the order of recording.
    target, source : Tensor

    Returns
    -------
    Origin or None
        None if the gradient has no NaN, or no value.
    """
    if target.node.flags & (SYMBOLIC | PLACEHOLDER):
        return None
    seeds = [(target, ones(DERIVATIVES, target.node))]
    (gradient,) = reverse(records, seeds, [source], DERIVATIVES, TO_NODES)
    try:
        if gradient is None or gradient is ZERO or not _has_nan(gradient):
            return None
        for r in records:
            if any(_has_nan(o.node) for o in r.outputs) and not any(_has_nan(x.node) for x in r.inputs):
                return Origin(
                    r,
                    f"The gradient is NaN because the value is: {r.op.name} gave NaN here.",
                    "look at the values that enter this line",
                )
        made = [o for r in records for o in r.outputs]
        found = dict(zip([o.ident for o in made], reverse(records, seeds, made, DERIVATIVES, TO_NODES), strict=True))
        for r in reversed(records):
            outs = [(o, found[o.ident]) for o in r.outputs if found[o.ident] not in (None, ZERO)]
            if not outs or any(_has_nan(g) for _, g in outs):
                continue
            back = reverse([r], outs, list(r.inputs), DERIVATIVES, TO_NODES)
            if any(_has_nan(g) for g in back if g is not None and g is not ZERO):
                return Origin(
                    r,
                    f"The values are numbers, but the derivative of {r.op.name} here is NaN (0 times infinity, or "
                    "infinity less infinity, at these inputs).",
                    "keep the inputs away from the edge, or choose the safe branch first: "
                    "np.where(ok, f(np.where(ok, x, 1.0)), other)",
                )
    except np.linalg.LinAlgError:
        return None
    return None


def _has_nan(node: Node) -> bool:
    (value,) = evaluate([node])
    return bool(np.isnan(value).any()) if np.asarray(value).dtype.kind == "f" else False
