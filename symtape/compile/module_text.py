"""A module of LLVM's text form under construction: declarations, functions, and loops shared by equal calls."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from symtape.compile.lowering import Lowered

#: Parameters of a kernel and of the functions that it is cut into.
SIGNATURE: Final = "ptr noalias %in, ptr noalias %out, ptr noalias %work, ptr noalias %sizes"


class ModuleText:
    """Collects a module.

    Attributes
    ----------
    flags : str
        Fast-math flags of additions and multiplications.
    symbols : set of str
        C functions that the module calls.
    """

    def __init__(self, contract: bool) -> None:
        self.flags = "contract nsz" if contract else "nsz"
        self.symbols: set[str] = set()
        self._declarations: dict[str, None] = {}
        self._needed: set[int] = set()
        self._functions: list[str] = []
        self._loops: dict[str, str] = {}
        self._number = 0

    def next_number(self) -> int:
        """A number that tells the names of functions apart."""
        self._number += 1
        return self._number

    def declare(self, *declarations: str) -> None:
        """Make declarations part of the module, each once."""
        self._declarations.update(dict.fromkeys(declarations))

    def need(self, lowered: Lowered) -> None:
        """Declare what an elementwise op calls."""
        if id(lowered) not in self._needed:
            self._needed.add(id(lowered))
            self.declare(*sorted(lowered.declarations))
            self.symbols |= lowered.symbols

    def define_function(self, head: str, lines: Sequence[str]) -> None:
        """Add a function."""
        self._functions.append("\n".join([head + " {", *lines, "}"]))

    def loop(self, parameters: str, lines: Sequence[str]) -> str:
        """The name of a function with these parameters and lines that returns ``i32``: an equal one if there is one."""
        body = "\n".join([f"({parameters}) nounwind {{", *lines, "}"])
        name = self._loops.get(body)
        if name is None:
            name = self._loops[body] = f"symtape.loop.{len(self._loops)}"
        return name

    def whole(self) -> str:
        """The module as one text."""
        return self._joined([*self._declarations_sorted(), *self._functions, *self._loop_texts()])

    def parts(self) -> tuple[str, str]:
        """The module in two texts to be linked: straight-line code, and loops, which always want LLVM's passes."""
        heads = [f"declare hidden i32 @{name}{body[: body.index(')') + 1]}" for body, name in self._loops.items()]
        declarations = self._declarations_sorted()
        loops = self._joined([*declarations, *self._loop_texts()]) if self._loops else ""
        return self._joined([*declarations, *heads, *self._functions]), loops

    def _declarations_sorted(self) -> list[str]:
        return sorted(self._declarations)

    def _loop_texts(self) -> list[str]:
        return [f"define hidden i32 @{name}{body}" for body, name in self._loops.items()]

    @staticmethod
    def _joined(pieces: Sequence[str]) -> str:
        return "\n".join(pieces) + "\n"
