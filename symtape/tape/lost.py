"""What other threads computed in the midst of a recording: no record of the tape, which is a thread's own."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from symtape.errors import GradientCutWarning
from symtape.graph.node import LEAF, Node
from symtape.graph.source import describe, line_number
from symtape.graph.traverse import leaves

if TYPE_CHECKING:
    from symtape.tape.recorder import Recorder


def warn_of_lost(tape: Recorder, records: Sequence[Any]) -> None:
    """Warn of operands that another thread computed while the tape recorded, from variables that the tape watches.

    Parameters
    ----------
    tape : Recorder
    records : sequence of records
        Those that a gradient is asked for.

    Warns
    -----
    GradientCutWarning
        At the line of the other thread.
    """
    elsewhere = tape.elsewhere
    if not elsewhere:
        return
    for record in records:
        for x in record.inputs:
            if x.ident in elsewhere and record.op.name != "stop_gradient" and _is_watched(tape, x.node):
                _warn(tape, x.node, *elsewhere[x.ident])


def _is_watched(tape: Recorder, node: Node) -> bool:
    return any(leaf.op is LEAF and leaf.params[2] in tape.variables for leaf in leaves([node]))


def _warn(tape: Recorder, node: Node, code: Any, lasti: int) -> None:
    where = describe(code, lasti)
    if where in tape.warned:
        return
    warnings.warn_explicit(
        f"{node!r} was computed in another thread while the tape recorded ({where}): no gradient flows through it; "
        "compute it in the thread of the tape, or wrap it in st.stop_gradient(...)",
        GradientCutWarning,
        code.co_filename,
        line_number(code, lasti),
    )
    tape.warned.add(where)
