"""`GradientTape.explain`: why a gradient is None or NaN, in a sentence, with the user's line and what to do."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from symtape.tape.explain_case import REASONS, Case, Explanation
from symtape.tape.explain_reasons import FINDERS, does_not_depend
from symtape.tape.tensor import Tensor

if TYPE_CHECKING:
    from symtape.tape.recorder import Recorder

__all__ = ["REASONS", "Explanation", "explain"]


def explain(tape: Recorder, target: Any, source: Any) -> Explanation:
    """Why ``tape.gradient(target, source)`` is None or NaN, or how the two are connected."""
    for what, value in (("target", target), ("source", source)):
        if not isinstance(value, Tensor):
            raise TypeError(f"explain takes two tensors; the {what} is {value!r} of type {type(value).__name__}")
    case = Case(tape, target, source)
    for finder in FINDERS:
        found = finder(case)
        if found is not None:
            return found
    return does_not_depend(case)
