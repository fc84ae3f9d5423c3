"""The records between sources and targets, found on a tape's table of producers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any


def slice_records(producer: Mapping[int, Any], targets: Iterable[int]) -> list[Any]:
    """Every record that the targets depend on, in the order of recording, which is topological.

    Parameters
    ----------
    producer : mapping
        Identity of a tensor to the record that made it; None for a watched leaf.
    targets : iterable
        Identities.

    Returns
    -------
    list of records
        A record offers ``seq`` (its place in time) and ``inputs`` (things with an ``ident``).
    """
    found: dict[int, Any] = {}
    stack = [record for t in targets if (record := producer.get(t)) is not None]
    while stack:
        record = stack.pop()
        if record.seq in found:
            continue
        found[record.seq] = record
        for x in record.inputs:
            below = producer.get(x.ident)
            if below is not None and below.seq not in found:
                stack.append(below)
    return [found[seq] for seq in sorted(found)]
