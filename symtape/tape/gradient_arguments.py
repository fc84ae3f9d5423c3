"""What people hand to `GradientTape.gradient` and its kin, checked, and what is handed back."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

import numpy as np

from symtape import pytree
from symtape.errors import NoGradientWarning, ShapeError
from symtape.graph.shapes import Shape
from symtape.graph.source import user_frame
from symtape.ops.namespace import NODES
from symtape.tape.in_place import twin
from symtape.tape.operators import sympy_value
from symtape.tape.tensor import TENSORS, Tensor, lift, wrap


def wanted_targets(
    target: Any, recording: Callable[[], AbstractContextManager[None]]
) -> tuple[list[Tensor], pytree.Structure]:
    """The targets as tensors, and how they are nested; lists of tensors in object arrays are stacked on the tape."""
    if target is None:
        raise TypeError(
            "Argument `target` should be a list or nested structure of Tensors or Variables to be differentiated, "
            "but received None."
        )
    found: list[Tensor] = []
    leaves, structure = pytree.flatten(target)
    for t in leaves:
        if isinstance(t, Tensor):
            found.append(lift(t))
        elif isinstance(t, np.ndarray) and t.dtype == object:
            with recording():
                found.append(lift(t))
        elif sympy_value(t):
            raise TypeError(
                f"the target is the sympy expression {t}, which no tape sees: bring it onto the tape, with "
                "st.from_sympy(expression), or write it with NumPy's functions"
            )
        else:
            raise TypeError(
                f"the target must be a tensor or a nested structure of tensors, got {t!r} of type "
                f"{type(t).__name__}; a plain number carries no gradient: keep the loss a tensor (no float())"
            )
    return found, structure


def one_target(target: Any, name: str, recording: Callable[[], AbstractContextManager[None]]) -> Tensor:
    """The target of a Jacobian, which is one tensor."""
    found, structure = wanted_targets(target, recording)
    if structure.kind is not None:
        raise TypeError(f"{name} takes one target, a tensor, got {type(target).__name__}; stack them: np.stack(...)")
    return found[0]


def wants_zero(unconnected_gradients: Any) -> bool:
    """Whether zeros stand for what is unconnected."""
    if unconnected_gradients not in ("none", "zero"):
        raise ValueError(f"Unknown value for unconnected_gradients: {unconnected_gradients!r}; wanted 'none' or 'zero'")
    return bool(unconnected_gradients == "zero")


def wanted_sources(sources: Any) -> tuple[list[Tensor], pytree.Structure]:
    """The sources, and how they are nested; integers among them warn."""
    leaves, structure = pytree.flatten(sources)
    for k, s in enumerate(leaves):
        if not isinstance(s, Tensor):
            raise TypeError(
                f"source number {k} must be a tensor or variable, got {s!r} of type {type(s).__name__}; differentiate "
                "in what the target was computed from"
            )
        if s.dtype.kind != "f":
            frame = user_frame(1)
            warnings.warn_explicit(
                f"the source {s.node!r} has dtype {s.dtype}: there is no gradient in integers, so it is None; make it "
                "a float: st.Variable(3.0), or .astype(float) before it is used",
                NoGradientWarning,
                frame.f_code.co_filename,
                frame.f_lineno,
                module=str(frame.f_globals.get("__name__", "<unknown>")),
                registry=frame.f_globals.setdefault("__warningregistry__", {}),
            )
    return leaves, structure


def weights(output_gradients: Any, targets: list[Tensor], nesting: pytree.Structure) -> list[Tensor | None]:
    """Weights of the targets, each of its target's shape and dtype."""
    if output_gradients is None:
        return [None] * len(targets)
    seeds: list[Tensor | None] = []
    given = nesting.match(output_gradients, "output_gradients")
    for k, (given_weight, target) in enumerate(zip(given, targets, strict=True)):
        weight = given_weight
        if isinstance(weight, (list, tuple)) and len(weight) == 1 and target.shape[:1] != (1,):
            (weight,) = weight  # one target, a list of one weight
        if weight is None:
            seeds.append(None)
            continue
        seed = lift(weight)
        if seed.shape != target.shape:
            raise ShapeError(f"output_gradients[{k}] has shape {seed.shape}, wanted that of its target: {target.shape}")
        seeds.append(seed if seed.dtype == target.dtype else TENSORS.astype(seed, target.dtype))
    return seeds


def unconnected(found: list[Tensor | None], sources: list[Tensor], zero: bool, lead: Shape = ()) -> list[Tensor | None]:
    """Zeros in the place of None where they are wanted."""
    if not zero:
        return found
    return [
        wrap(NODES.zeros((*lead, *s.shape), s.dtype)) if f is None else f for f, s in zip(found, sources, strict=True)
    ]


def signed(results: list[Tensor | None]) -> list[Tensor | None]:
    """Results to be handed out, each an object of its own.

    They have the line that asked for them, which `explain` names if it stood outside of another tape's block.
    """
    frame = user_frame(1)
    own: list[Tensor | None] = []
    fresh: set[int] = set()
    for r in results:
        if r is None or r.op is not None or id(r) in fresh:  # a tape's own record, or one result for two sources
            own.append(None if r is None else twin(r))
            continue
        r.code = frame.f_code
        r.lasti = frame.f_lasti
        fresh.add(id(r))
        own.append(r)
    return own
