"""`GradientTape`: TensorFlow's semantics over symtape's graph."""

from __future__ import annotations

from typing import Any

from symtape.autodiff.rewrite import Rewritten, stable
from symtape.autodiff.slice import slice_records
from symtape.errors import ShapeError
from symtape.tape import derivatives
from symtape.tape.explain import Explanation, explain
from symtape.tape.gradient_arguments import (
    one_target,
    signed,
    unconnected,
    wanted_sources,
    wanted_targets,
    wants_zero,
    weights,
)
from symtape.tape.lost import warn_of_lost
from symtape.tape.recorder import Recorder
from symtape.tape.recording import active_tapes
from symtape.tape.tensor import TENSORS, Tensor, apply, wrap

_USED = (
    "A non-persistent GradientTape can only be used to compute one set of gradients (or jacobians); "
    "ask for all sources in one call, tape.gradient(y, [a, b]), or make the tape with GradientTape(persistent=True)"
)
_ABSENT = "GradientTape has no {name!r}; it has {names}"


class GradientTape(Recorder):
    """Records operations for automatic differentiation, as TensorFlow's tape does.

    Trainable variables are watched when they are read inside the block; anything else by `watch`. Operations on what is
    watched are recorded while the block runs, in this thread.

    Parameters
    ----------
    persistent : bool
        Whether more than one gradient may be asked for.
    watch_accessed_variables : bool
        Whether trainable variables are watched when they are read inside.

    Examples
    --------
    >>> import numpy as np, symtape as st
    >>> x, y = st.Variable(3.0, name="x"), st.Variable(2.0, name="y")
    >>> with st.GradientTape() as tape:
    ...     z = x**2 * y + np.sin(y)
    >>> dz_dx, dz_dy = tape.gradient(z, [x, y])
    >>> float(dz_dx), dz_dx.expr
    (12.0, 2*x*y)

    Higher orders: a gradient taken while a tape records is recorded, by an outer tape or by a persistent one itself.

    >>> with st.GradientTape(persistent=True) as tape:
    ...     z = x**3
    ...     first = tape.gradient(z, x)
    >>> float(tape.gradient(first, x))
    18.0
    """

    def __getattr__(self, name: str) -> Any:
        names = ", ".join(sorted(n for n in dir(type(self)) if not n.startswith("_")))
        raise AttributeError(_ABSENT.format(name=name, names=names))

    def __reduce__(self) -> Any:
        raise TypeError("a GradientTape cannot be pickled or copied; pickle the tensors and gradients instead")

    # ---- derivatives

    def _use(self) -> None:
        if self._used and not self.persistent:
            raise RuntimeError(_USED)
        if self._recording and not self.persistent:
            self._pop()

    def _finish(self) -> None:
        self._used = True

    def gradient(
        self, target: Any, sources: Any, output_gradients: Any = None, unconnected_gradients: str = "none"
    ) -> Any:
        """Gradient of the sum of the targets with respect to the sources, in the structure of the sources.

        Parameters
        ----------
        target : Tensor or nested structure of tensors
            What is differentiated; elements of arrays, and several targets, add up.
        sources : Tensor or nested structure of tensors
            Lists, tuples, dicts, named tuples and dataclasses, nested.
        output_gradients : like ``target``, optional
            Weights of the elements of the targets, with their shapes; None among them means ones.
        unconnected_gradients : {"none", "zero"}
            What stands for a source that the targets do not depend on: None, or zeros.

        Returns
        -------
        Tensor or None, nested like ``sources``

        Raises
        ------
        RuntimeError
            At the second call, if the tape is not persistent.
        TypeError
            If the target is None or no tensor.
        ValueError
            For an unknown option, or weights that do not fit the targets.

        Examples
        --------
        >>> import symtape as st
        >>> x = st.Variable([1.0, 2.0])
        >>> with st.GradientTape() as tape:
        ...     y = x * x
        >>> tape.gradient(y, {"x": x}, output_gradients=[[1.0, 10.0]])["x"].numpy()
        array([ 2., 40.])
        """
        self._use()
        zero = wants_zero(unconnected_gradients)
        targets, nesting = wanted_targets(target, self._ensure_recording)
        leaves, structure = wanted_sources(sources)
        seeds = weights(output_gradients, targets, nesting)
        found = self._differentiate(targets, seeds, leaves)
        self._finish()
        return structure.unflatten(signed(unconnected(found, leaves, zero)))

    def _differentiate(
        self, targets: list[Tensor], seeds: list[Tensor | None], sources: list[Tensor]
    ) -> list[Tensor | None]:
        records, done = self._records(targets, sources)
        found = derivatives.gradients(records, targets, seeds, self._watched(targets, sources))
        self._note(done, found)
        return found

    def jacobian(self, target: Any, sources: Any, unconnected_gradients: str = "none") -> Any:
        """Jacobian of one target with respect to the sources, in the structure of the sources.

        Parameters
        ----------
        target : Tensor
        sources : Tensor or nested structure of tensors
        unconnected_gradients : {"none", "zero"}

        Returns
        -------
        Tensor or None, nested like ``sources``
            Of shape ``target.shape + source.shape``.

        Examples
        --------
        >>> import symtape as st
        >>> x = st.Variable([1.0, 2.0])
        >>> with st.GradientTape() as tape:
        ...     y = x * x
        >>> tape.jacobian(y, x).numpy()
        array([[2., 0.],
               [0., 4.]])
        """
        self._use()
        zero = wants_zero(unconnected_gradients)
        one = one_target(target, "jacobian", self._ensure_recording)
        leaves, structure = wanted_sources(sources)
        found = self._jacobians(one, leaves)
        self._finish()
        return structure.unflatten(signed(unconnected(found, leaves, zero, one.shape)))

    def _jacobians(self, target: Tensor, sources: list[Tensor]) -> list[Tensor | None]:
        records, done = self._records([target], sources)
        found = derivatives.jacobians(records, target, self._watched([target], sources))
        self._note(done, found)
        return found

    def batch_jacobian(self, target: Any, source: Any, unconnected_gradients: str = "none") -> Any:
        """Jacobian of each row of the target in the same row of the source, where rows do not depend on each other.

        Parameters
        ----------
        target : Tensor of shape (b, y1, ...)
        source : Tensor of shape (b, x1, ...)
        unconnected_gradients : {"none", "zero"}
            As in TensorFlow an unconnected source gives zeros either way.

        Returns
        -------
        Tensor of shape (b, y1, ..., x1, ...)

        Examples
        --------
        >>> import symtape as st
        >>> x = st.Variable([[1.0, 2.0], [3.0, 4.0]])
        >>> with st.GradientTape() as tape:
        ...     y = x * x
        >>> tape.batch_jacobian(y, x).numpy()
        array([[[2., 0.],
                [0., 4.]],
               [[6., 0.],
                [0., 8.]]])
        """
        self._use()
        wants_zero(unconnected_gradients)
        one = one_target(target, "batch_jacobian", self._ensure_recording)
        if not isinstance(source, Tensor):
            raise TypeError(f"batch_jacobian takes one source, a tensor, got {type(source).__name__}")
        for what, shape in (("target", one.shape), ("source", source.shape)):
            if len(shape) < 2:
                raise ShapeError(f"the {what} of batch_jacobian has shape {shape}; it must have rank at least 2")
        if one.shape[0] != source.shape[0]:
            raise ShapeError(
                f"Need first dimension of target shape ({one.shape}) and source shape ({source.shape}) to match."
            )
        records, done = self._records([one], [source])
        (watched,) = self._watched([one], [source])
        found = derivatives.batch_jacobian(records, one, watched)
        self._note(done, [found])
        self._finish()
        shape = (*one.shape, *source.shape[1:])
        return TENSORS.zeros(shape, source.dtype) if found is None else found

    def hessian(self, target: Any, sources: Any, unconnected_gradients: str = "none") -> Any:
        """Second derivatives of a scalar target: for each source, nested like the sources, a block for each source.

        Parameters
        ----------
        target : Tensor of shape ()
        sources : Tensor or nested structure of tensors
        unconnected_gradients : {"none", "zero"}

        Returns
        -------
        Tensor, None, or nested structure of nested structures
            One source gives one tensor of shape ``source.shape * 2``; a list ``[a, b]`` gives ``[[aa, ab], [ba, bb]]``.
            A block is None where the target does not depend on both sources.

        Examples
        --------
        >>> import symtape as st
        >>> x, y = st.Variable(3.0), st.Variable(2.0)
        >>> with st.GradientTape() as tape:
        ...     z = x**2 * y
        >>> [[float(block) for block in row] for row in tape.hessian(z, [x, y])]
        [[4.0, 6.0], [6.0, 0.0]]
        """
        self._use()
        zero = wants_zero(unconnected_gradients)
        one = one_target(target, "hessian", self._ensure_recording)
        if one.shape != ():
            raise ShapeError(f"the Hessian is that of a scalar; the target has shape {one.shape}: sum it up first")
        leaves, structure = wanted_sources(sources)
        scratch = GradientTape(persistent=True, watch_accessed_variables=False)
        scratch.producer = dict(self.producer)
        with scratch:
            slopes = scratch._differentiate([one], [None], leaves)
        rows: list[Any] = []
        for slope, source in zip(slopes, leaves, strict=True):
            blocks: list[Tensor | None] = [None] * len(leaves)
            if slope is not None:
                blocks = scratch._jacobians(slope, leaves)
            rows.append(structure.unflatten(unconnected(blocks, leaves, zero, source.shape)))
        self._finish()
        return structure.unflatten(rows)

    def explain(self, target: Any, source: Any) -> Explanation:
        """Why the gradient of a target in a source is None, NaN, or how it is connected.

        Parameters
        ----------
        target, source : Tensor

        Returns
        -------
        Explanation
            Prints as a sentence with the user's line and what to do; has ``reason``, ``filename``, ``line``.

        Examples
        --------
        >>> import symtape as st
        >>> x, k = st.Variable(3.0, name="x"), st.Variable(2.0, trainable=False, name="k")
        >>> with st.GradientTape() as tape:
        ...     y = k * x
        >>> tape.explain(y, k).reason
        'trainable=False'
        """
        return explain(self, target, source)

    # ---- what was asked for

    def _records(self, targets: list[Tensor], sources: list[Tensor]) -> tuple[list[Any], list[Rewritten]]:
        """Slice and rewrite."""
        records = slice_records(self.producer, [t.ident for t in targets])
        warn_of_lost(self, records)
        return stable(records, {t.ident for t in targets} | {s.ident for s in sources}, apply, _under)

    def _note(self, done: list[Rewritten], results: list[Tensor | None]) -> None:
        """Remember which derivatives go around inner tensors of stable forms, on the tapes that recorded them."""
        made = frozenset(r.ident for r in results if r is not None)
        for tape in active_tapes() if done else ():
            tape.detours.append((made, done))

    def _watched(self, targets: list[Tensor], sources: list[Tensor]) -> list[Tensor]:
        """The sources that are tracked, or are a target themselves; a tensor that nothing depends on for the others."""
        ends = {t.ident for t in targets}
        tracked = self.producer
        found = [s if s.ident in tracked or s.ident in ends else wrap(s.node) for s in sources]
        if self.detours:
            records = slice_records(tracked, ends)
            found = [s if self.detour(records, s.ident) is None else wrap(s.node) for s in found]
        return found


def _under(recorded: Tensor, value: Tensor) -> Tensor:
    """A value under the identity of a tensor that was recorded."""
    out = wrap(value.node)
    out.ident = recorded.ident
    return out
