"""Which tapes are recording in this thread, and how an operation gets onto them.

A tape holds ``producer``: the identity of a tensor to the record that made it, None for a watched leaf. Membership means "tracked": an
operation is recorded on every tape that tracks one of its inputs at that moment, so `watch` and `stop_recording` need no rule of their
own. A tensor with one result is its own record; several results share a `Shared` record.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from types import CodeType
from typing import TYPE_CHECKING, Any

from symtape.graph.node import Params
from symtape.graph.source import user_frame

if TYPE_CHECKING:
    from symtape.tape.gradient_tape import GradientTape
    from symtape.tape.tensor import Tensor


class _Active(threading.local):
    """The tapes that record in this thread, outermost first."""

    def __init__(self) -> None:
        self.tapes: list[GradientTape] = []


_active = _Active()


def active_tapes() -> list[GradientTape]:
    """The list itself of recording tapes of this thread, outermost first."""
    return _active.tapes


@dataclass(eq=False, slots=True)
class Shared:
    """The record of an op with several results."""

    op: Any
    params: Params
    inputs: tuple[Tensor, ...]
    outputs: tuple[Tensor, ...]
    code: CodeType
    lasti: int

    @property
    def seq(self) -> int:
        """Place in time."""
        return self.outputs[0].ident


def record(out: Tensor, op: Any, params: Params, inputs: tuple[Tensor, ...]) -> None:
    """Enter a tensor, as its own record, on every tape that tracks one of the inputs."""
    noted = False
    for tape in _active.tapes:
        producer = tape.producer
        for x in inputs:
            if x.ident in producer:
                if not noted:
                    frame = user_frame(2)
                    out.op = op
                    out.params = params
                    out.inputs = inputs
                    out.code = frame.f_code
                    out.lasti = frame.f_lasti
                    noted = True
                producer[out.ident] = out
                break


def record_shared(outputs: tuple[Tensor, ...], op: Any, params: Params, inputs: tuple[Tensor, ...]) -> None:
    """Enter all results of one operation on every tape that tracks one of the inputs."""
    shared: Shared | None = None
    for tape in _active.tapes:
        if any(x.ident in tape.producer for x in inputs):
            if shared is None:
                frame = user_frame(2)
                shared = Shared(op, params, inputs, outputs, frame.f_code, frame.f_lasti)
            for out in outputs:
                tape.producer[out.ident] = shared
