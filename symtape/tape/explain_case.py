"""One question of `explain`, with what the finders of reasons ask of it, and the answer."""

from __future__ import annotations

import linecache
from dataclasses import dataclass
from functools import cached_property
from types import CodeType
from typing import TYPE_CHECKING, Any, TypeAlias

from symtape.autodiff.slice import slice_records
from symtape.graph.node import LEAF, Node
from symtape.graph.source import line_number
from symtape.graph.traverse import topological
from symtape.tape.derivatives import reached
from symtape.tape.tensor import Tensor

if TYPE_CHECKING:
    from symtape.tape.recorder import Recorder

Place: TypeAlias = "tuple[CodeType | None, int]"

#: Every reason that `explain` can give.
REASONS = (
    "not None",
    "NaN",
    "integer",
    "inside a rewritten stable form",
    "stop_gradient",
    "op without gradient",
    "stop_recording",
    "another variable of the same name",
    "trainable=False",
    "rebound",
    "inner gradient taken outside",
    "not watched",
    "outside the block",
    "cut",
    "does not depend",
)


@dataclass(frozen=True, slots=True)
class Explanation:
    """Why a gradient is what it is.

    Attributes
    ----------
    reason : str
        One of `REASONS`.
    text : str
        The sentence.
    remedy : str
        What to do; empty where nothing is to be done.
    filename, line, code : str, int, str
        The user's line that decided it, and its text; None, None and "" where there is none.
    """

    reason: str
    text: str
    remedy: str
    filename: str | None
    line: int | None
    code: str

    def __str__(self) -> str:
        parts = [self.text]
        if self.filename is not None:
            parts.append(f"  {self.filename}:{self.line}: {self.code}".rstrip(": "))
        if self.remedy:
            parts.append(f"  What to do: {self.remedy}")
        return "\n".join(parts)

    __repr__ = __str__


class Case:
    """One question, with what several finders ask of it."""

    def __init__(self, tape: Recorder, target: Tensor, source: Tensor) -> None:
        self.tape = tape
        self.target = target
        self.source = source
        self.tracked = source.ident in tape.producer or source.ident == target.ident

    @cached_property
    def records(self) -> list[Any]:
        """Everything on the tape, in the order of recording."""
        unique = {r.seq: r for r in self.tape.producer.values() if r is not None}
        return [unique[seq] for seq in sorted(unique)]

    @cached_property
    def slice(self) -> list[Any]:
        """What the target depends on, by the tape."""
        return slice_records(self.tape.producer, [self.target.ident])

    @cached_property
    def reached(self) -> set[int]:
        """What a gradient reaches from the source."""
        return reached(self.records, self.source.ident) if self.tracked else set()

    @cached_property
    def dependent(self) -> set[int]:
        """What depends on the source by the tape, whether a gradient passes or not."""
        found = {self.source.ident}
        for r in self.records:
            if any(x.ident in found for x in r.inputs):
                found.update([o.ident for o in r.outputs])
        return found

    @cached_property
    def order(self) -> list[Node]:
        """The graph below the target."""
        return topological([self.target.node])

    @cached_property
    def below(self) -> list[Node]:
        """Nodes below the target that depend on the source, the source's own included, inputs first."""
        return self.between(self.order)

    def between(self, order: list[Node]) -> list[Node]:
        """Nodes of a topological order that depend on the source."""
        source = self.source
        found: dict[Node, None] = {}
        for node in order:
            own = node is source.node or (node.op is LEAF and node.params[2] == source.ident)
            if own or any(i in found for i in node.inputs):
                found[node] = None
        return list(found)

    @cached_property
    def unrecorded(self) -> Node | None:
        """The first node between source and target that no record of the tape has made."""
        known = {o.node for r in self.records for o in r.outputs}
        source = self.source
        for node in self.below:
            if node is not source.node and node.op is not LEAF and node not in known:
                return node
        return None

    def found(self, reason: str, place: Place, text: str, remedy: str = "") -> Explanation:
        """The answer."""
        code, lasti = place
        if code is None:
            return Explanation(reason, text, remedy, None, None, "")
        line = line_number(code, lasti)
        written = linecache.getline(code.co_filename, line).strip()
        return Explanation(reason, text, remedy, code.co_filename, line, written)

    def made_at(self, tensor: Tensor) -> Place:
        """The line that made a tensor; of a leaf, the line that declared it."""
        code = getattr(tensor, "code", None)
        return (tensor.node.code, tensor.node.lasti) if code is None else (code, tensor.lasti)
