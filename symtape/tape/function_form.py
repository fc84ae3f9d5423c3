"""What a compiled function computes, and how it is called: the two halves of what a saved function holds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from symtape import pytree
from symtape.compile.program import Guard as Check
from symtape.graph.node import Node
from symtape.tape.guards import Guard


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """How a function is called.

    Attributes
    ----------
    arguments, results : Structure
        Nesting of the arguments (a list or dict at the top) and of the results.
    fixed : tuple of int
        Places of results that are None.
    names : tuple of str
        Of the inputs.
    """

    arguments: pytree.Structure
    results: pytree.Structure
    fixed: tuple[int, ...]
    names: tuple[str, ...]

    def rebuild(self, values: Sequence[Any]) -> Any:
        """The results in their nesting."""
        return self.results.refill(values, dict.fromkeys(self.fixed))


@dataclass(frozen=True, slots=True, kw_only=True)
class Computation:
    """What a function computes.

    Attributes
    ----------
    inputs, outputs : tuple of Node
    guards : tuple of (Node, value, message)
        Conditions under which the outputs hold.
    decisions : tuple of Guard
        What Python decided while the outputs were made, one for each guard.
    """

    inputs: tuple[Node, ...]
    outputs: tuple[Node, ...]
    guards: tuple[Check, ...]
    decisions: tuple[Guard, ...]
