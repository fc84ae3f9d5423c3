"""The forward sweep: tangents of sources are pushed along records to targets."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from symtape.autodiff.confluent import pushed
from symtape.autodiff.pushes import push_along
from symtape.autodiff.records import BY_NODE, Keying, RecordLike, node_records
from symtape.graph.node import Node
from symtape.graph.source import one_line
from symtape.ops.namespace import DERIVATIVES, Namespace


def forward(
    records: Sequence[RecordLike],
    tangents: Sequence[tuple[Any, Any]],
    targets: Sequence[Any],
    B: Namespace,
    by: Keying = BY_NODE,
) -> list[Any]:
    """Push tangents of sources forward to targets.

    Returns
    -------
    list
        Per target a value with the target's shape and dtype, or None where nothing flows.
    """
    with one_line():
        if by is BY_NODE:
            return pushed(records, tangents, targets, B)
        return push_along(records, tangents, targets, B, by)


def tangents(
    outputs: Sequence[Node], inputs: Sequence[Node], directions: Sequence[Node], B: Namespace = DERIVATIVES
) -> list[Node | None]:
    """Directional derivatives of outputs of a closed graph: forward mode."""
    return forward(node_records(outputs), list(zip(inputs, directions, strict=True)), outputs, B)
