"""`GradientTape`: TensorFlow's semantics over symtape's graph."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import Any, Self

import numpy as np

from symtape import pytree
from symtape.autodiff.slice import slice_records
from symtape.autodiff.sweep import Keying, ones, reverse
from symtape.errors import ShapeError
from symtape.graph.node import Node, Params, next_ident
from symtape.ops.namespace import DERIVATIVES, Namespace
from symtape.ops.op import ZERO
from symtape.ops.registry import op_named
from symtape.ops.simplify import IDENTITIES
from symtape.tape.cuts import Cut
from symtape.tape.guards import Guard
from symtape.tape.recording import active_tapes
from symtape.tape.tensor import Tensor, Tensors, apply, lift, wrap


def _ident(tensor: Tensor) -> int:
    return tensor.ident


def _node(tensor: Tensor) -> Node:
    return tensor.node


def _self(tensor: Tensor) -> Tensor:
    return tensor


_TO_NODES = Keying(key=_ident, value=_node, node=_node)
_TO_TENSORS = Keying(key=_ident, value=_self, node=_node)


class _Recorded(Tensors):
    """Builds the derivatives of one call as recorded tensors, with identities that never bypass a tensor of the user's."""

    simplifies = True

    def __init__(self) -> None:
        self.start = next_ident()

    def made_by(self, value: Tensor) -> tuple[Any, tuple[Any, ...], Params] | None:
        """How a tensor came about, if this very call made it."""
        return (value.op, value.inputs, value.params) if value.op is not None and value.ident > self.start else None

    def build(self, op: Any, inputs: tuple[Any, ...], params: Params = ()) -> Any:
        """Apply the op unless an identity gives a simpler value."""
        rule = IDENTITIES.get(op.name)
        if rule is not None:
            simpler = rule(self, inputs, params)
            if simpler is not None:
                return simpler
        return apply(op, inputs, params)


class GradientTape:
    """Records operations for automatic differentiation.

    Parameters
    ----------
    persistent : bool
        Whether more than one gradient may be asked for.
    watch_accessed_variables : bool
        Whether trainable variables are watched when they are read inside.

    Examples
    --------
    >>> from symtape.tape.variable import Variable
    >>> x = Variable(3.0)
    >>> with GradientTape() as tape:
    ...     y = x * x
    >>> float(tape.gradient(y, x))
    6.0
    """

    def __init__(self, persistent: bool = False, watch_accessed_variables: bool = True) -> None:
        self.persistent = persistent
        self.watch_accessed_variables = watch_accessed_variables
        self.producer: dict[int, Any] = {}
        self.guards: list[Guard] = []
        self.cuts: list[Cut] = []
        self.warned: set[tuple[str, int]] = set()
        self._used = False

    # ---- recording

    def __enter__(self) -> Self:
        if self in active_tapes():
            raise ValueError("Tape is still recording, This can happen if you try to re-enter an already-active tape.")
        active_tapes().append(self)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._stop()

    def _stop(self) -> None:
        tapes = active_tapes()
        if self in tapes:
            tapes.remove(self)

    def watch(self, tensor: Any) -> None:
        """Track tensors, nested structures too."""
        for t in pytree.flatten(tensor)[0]:
            if not isinstance(t, Tensor):
                raise ValueError(f"Passed in object {t!r} of type {type(t).__name__!r}, not Tensor or Variable; wrap it: st.constant(...)")
            self.producer.setdefault(t.ident, None)

    @contextmanager
    def stop_recording(self) -> Iterator[None]:
        """Leave out, on this tape only, what runs inside."""
        tapes = active_tapes()
        if self not in tapes:
            raise ValueError("Cannot stop recording: the tape is not recording")
        place = tapes.index(self)
        tapes.remove(self)
        try:
            yield
        finally:
            tapes.insert(min(place, len(tapes)), self)

    def reset(self) -> None:
        """Forget everything recorded; inside the block only."""
        if self not in active_tapes():
            raise ValueError("the tape is not recording: reset() stands inside its block")
        self.producer.clear()

    # ---- derivatives

    def _use(self) -> None:
        if self._used and not self.persistent:
            raise RuntimeError(
                "A non-persistent GradientTape can only be used to compute one set of gradients (or jacobians); "
                "write GradientTape(persistent=True) to ask for several"
            )
        self._used = True
        if not self.persistent:
            self._stop()

    def gradient(self, target: Any, sources: Any, output_gradients: Any = None, unconnected_gradients: str = "none") -> Any:
        """Gradient of the sum of the targets with respect to the sources, in the structure of the sources.

        Parameters
        ----------
        target : Tensor or nested structure of them
        sources : Tensor or nested structure of them
        output_gradients : like ``target``, optional
            Weights of the elements of the targets; None among them means ones.
        unconnected_gradients : {"none", "zero"}
            What stands for a source that the targets do not depend on.

        Returns
        -------
        Tensor or None, nested like ``sources``
        """
        if unconnected_gradients not in ("none", "zero"):
            raise ValueError(f"unknown value for unconnected_gradients: {unconnected_gradients!r}; wanted 'none' or 'zero'")
        self._use()
        targets = [lift(t) for t in pytree.flatten(target)[0]]
        leaves, structure = pytree.flatten(sources)
        B: Namespace = _Recorded() if active_tapes() else DERIVATIVES
        recording = B is not DERIVATIVES
        by = _TO_TENSORS if recording else _TO_NODES
        records = slice_records(self.producer, [t.ident for t in targets])
        seeds = [(t, ones(B, t.node)) for t in targets]
        found = reverse(records, seeds, leaves, B, by)
        results: list[Tensor | None] = []
        for source, value in zip(leaves, found, strict=True):
            if value is None or source.ident not in self.producer:
                results.append(None)
                continue
            if value is ZERO:
                value = B.zeros(source.shape, source.dtype)
            if recording:
                for t in targets:
                    value = apply(op_named("tie"), (value, t))
            results.append(value if isinstance(value, Tensor) else wrap(value))
        return structure.unflatten(results)
