"""Which tapes are recording in this thread, and how an operation gets onto them.

A tape holds ``producer``: the identity of a tensor to the record that made it, None for a watched leaf. Membership
means "tracked": an operation is recorded on every tape that tracks one of its inputs at that moment, so `watch` and
`stop_recording` need no rule of their own. A tensor with one result is its own record; several results share a
`Shared` record. Callables that are recorded for reuse (by ``st.jit`` and the like) stand in a stack of their own.
"""

from __future__ import annotations

import sys
import threading
import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import CodeType, FrameType
from typing import TYPE_CHECKING, Any, TypeAlias

from symtape.errors import ConcreteValueError, ImpureFunctionError
from symtape.graph.node import LEAF, PLACEHOLDER, SYMBOLIC, VALUED, Node, Params, next_ident
from symtape.graph.source import place, user_frame
from symtape.graph.traverse import ancestors

if TYPE_CHECKING:
    from symtape.tape.guards import Guard
    from symtape.tape.recorder import Recorder
    from symtape.tape.tensor import Tensor


#: What a decision gave: a truth, an integer, or the elements of an array.
Seen: TypeAlias = bool | int | tuple[bool | int | float, ...]


class _Active(threading.local):
    """What records in this thread, outermost first."""

    def __init__(self) -> None:
        self.tapes: list[Recorder] = []
        self.paused: list[Recorder] = []
        self.captures: list[Capture] = []


active = _Active()  #: of this thread


def active_tapes() -> list[Recorder]:
    """The list itself of recording tapes of this thread, outermost first."""
    return active.tapes


def paused_tapes() -> list[Recorder]:
    """The list itself of tapes of this thread whose recording is stopped for a while."""
    return active.paused


def active_captures() -> list[Capture]:
    """The list itself of recordings of callables in this thread, outermost first."""
    return active.captures


@contextmanager
def nothing_recording() -> Iterator[None]:
    """Code that has nothing to do with what is being recorded: no tape, no recording for reuse sees it."""
    tapes, paused, captures = active.tapes, active.paused, active.captures
    active.tapes, active.paused, active.captures = [], [], []
    try:
        yield
    finally:
        active.tapes, active.paused, active.captures = tapes, paused, captures


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


@dataclass(eq=False, frozen=True, slots=True)
class Skipped:
    """An operation that a tape saw while its recording was stopped: enough for `explain`, nothing that holds memory."""

    name: str
    code: CodeType
    lasti: int


def record(out: Tensor, op: Any, params: Params, inputs: tuple[Tensor, ...]) -> None:
    """Enter a tensor, as its own record, on every tape that tracks one of the inputs; its line is known already."""
    current = active
    for tape in current.tapes:
        producer = tape.producer
        for x in inputs:
            if x.ident in producer:
                out.op = op
                out.params = params
                out.inputs = inputs
                producer[out.ident] = out
                break
    if current.paused:
        _skip((out,), op, inputs)


#: The tapes that record now, of all threads.
recording_now: list[Recorder] = []


def record_elsewhere(outputs: tuple[Tensor, ...], inputs: tuple[Tensor, ...], frame: FrameType) -> None:
    """Note for the tapes of other threads what this thread, which has none, computes from what they may track."""
    for tape in recording_now.copy():
        known = tape.elsewhere
        if any(x.ident in tape.producer or x.ident in known or x.node.op is LEAF for x in inputs):
            for out in outputs:
                known[out.ident] = (frame.f_code, frame.f_lasti)


def record_shared(outputs: tuple[Tensor, ...], op: Any, params: Params, inputs: tuple[Tensor, ...]) -> None:
    """Enter all results of one operation on every tape that tracks one of the inputs."""
    shared: Shared | None = None
    for tape in active.tapes:
        if any(x.ident in tape.producer for x in inputs):
            if shared is None:
                frame = user_frame(2)
                shared = Shared(op, params, inputs, outputs, frame.f_code, frame.f_lasti)
            for out in outputs:
                tape.producer[out.ident] = shared
    if active.paused:
        _skip(outputs, op, inputs)


def _skip(outputs: tuple[Tensor, ...], op: Any, inputs: tuple[Tensor, ...]) -> None:
    """Note what stopped tapes leave out, as far as it depends on what they track."""
    for tape in active.paused:
        if any(x.ident in tape.producer or x.ident in tape.skipped for x in inputs):
            frame = user_frame(3)
            entry = Skipped(op.name, frame.f_code, frame.f_lasti)
            for out in outputs:
                tape.skipped[out.ident] = entry


_every: dict[int, weakref.ref[Recorder]] = {}


def enroll(tape: Recorder) -> None:
    """Enter a tape among `every_tape`."""
    key = id(tape)
    _every[key] = weakref.ref(tape, lambda _: _every.pop(key, None))


def every_tape() -> list[Recorder]:
    """The tapes that are alive, of all threads, recording or not."""
    return [tape for reference in list(_every.values()) if (tape := reference()) is not None]


# ----------------------------------------------------------------------------------------- callables recorded for reuse


@dataclass(eq=False, slots=True)
class Capture:
    """A callable being recorded for reuse: it collects guards and refuses cuts.

    Attributes
    ----------
    name : str
        What records it, for messages: ``"st.jit"``.
    depends : callable
        Whether a node depends on what may change between calls.
    guards : list of Guard
        In the order of decision, equal ones once.
    reads : dict
        Variables that were read inside, by identity.
    inputs : frozenset of Node
        The leaves that stand for the arguments.
    reused : bool
        Whether later calls run the graph in the place of the callable, and none of its side effects.
    start : int
        Place in time, comparable with the identities of tensors.
    refusal : str or None
        Why the latest number was refused, for those who put an error of their own in its place.
    """

    name: str
    depends: Callable[[Node], bool]
    inputs: frozenset[Node] = frozenset()
    reused: bool = False
    start: int = field(default_factory=next_ident)
    refusal: str | None = None
    guards: list[Guard] = field(default_factory=list)
    known: set[tuple[Node, Seen, str]] = field(default_factory=set)
    reads: dict[int, Tensor] = field(default_factory=dict)

    def add(self, guard: Guard) -> None:
        """Keep a guard unless an equal one is kept."""
        key = (guard.node, guard.seen, guard.how)
        if key not in self.known:
            self.known.add(key)
            self.guards.append(guard)


def _may_change(node: Node) -> bool:
    return bool(node.flags & (VALUED | SYMBOLIC | PLACEHOLDER))


_captures: list[Capture] = []  # of all threads


def captures_anywhere() -> list[Capture]:
    """The list itself of recordings of callables in all threads."""
    return _captures


def captures_of(node: Node) -> list[Capture]:
    """Recordings of callables that what is done with a node concerns: this thread's, and those whose arguments it has.

    A function that is recorded may hand its arguments to other threads.
    """
    own = active.captures
    if len(_captures) == len(own):
        return own
    others = [c for c in list(_captures) if c.inputs and c not in own]
    below = set(ancestors(node)) if others else set()
    return [*(c for c in others if not below.isdisjoint(c.inputs)), *own]


def refuse_change(made: int, what: str) -> None:
    """Something is about to be changed that was made at that place in time.

    Raises
    ------
    ImpureFunctionError
        While a callable is recorded in the place of which a graph will run, if it was made outside: the graph would
        not change it again.
    """
    for c in active.captures:
        if c.reused and made < c.start:
            frame = user_frame(2)
            raise ImpureFunctionError(
                f"the function that {c.name} records {what}, which was made outside of it "
                f"({place(frame)}): later calls run compiled code and would not do it again; "
                "make it inside the function, or return the new value"
            )


@contextmanager
def capture(
    name: str,
    depends: Callable[[Node], bool] = _may_change,
    *,
    inputs: frozenset[Node] = frozenset(),
    reused: bool = False,
) -> Iterator[Capture]:
    """Record a callable for reuse: decisions inside are collected, numbers taken out raise `ConcreteValueError`.

    Parameters
    ----------
    name : str
        What records, for messages.
    depends : callable, optional
        Says of a node whether it may change between calls; by default, whether a leaf is below it.
    inputs : frozenset of Node
        The leaves that stand for the arguments.
    reused : bool
        Whether a graph will run in the place of the callable.

    Yields
    ------
    Capture
    """
    own = Capture(name, depends, inputs, reused)
    stack = active.captures
    stack.append(own)
    _captures.append(own)
    try:
        yield own
    except ValueError as error:
        if isinstance(error.__cause__, ConcreteValueError):
            raise error.__cause__ from None  # NumPy puts an error of its own around it where an ndarray is assigned to
        raise
    finally:
        stack.remove(own)
        _captures.remove(own)
        raised = sys.exception()
        if raised is not None and own.refusal is not None and not isinstance(raised, ConcreteValueError):
            raised.add_note(own.refusal)
