"""When a tape records, what it watches, and what it keeps: the half of `GradientTape` that knows no derivatives."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from types import CodeType, TracebackType
from typing import Any, Self

from symtape import pytree
from symtape.autodiff.rewrite import Rewritten
from symtape.graph.node import next_ident
from symtape.graph.source import user_frame
from symtape.tape.cuts import Cut
from symtape.tape.guards import Guard, relations
from symtape.tape.recording import Shared, Skipped, active_tapes, enroll, paused_tapes, recording_now
from symtape.tape.taken_apart import annotate
from symtape.tape.tensor import Tensor
from symtape.tape.variable import Variable


class Recorder:
    """A part of `GradientTape`: entering and leaving, watching, and what was recorded.

    Attributes
    ----------
    producer : dict
        Identity of what is tracked to the record that made it, None for what is watched.
    variables : dict
        Watched variables by identity.
    guards, cuts : list
        Decisions and numbers taken out while the tape recorded.
    warned : set
        Lines that were warned about.
    skipped : dict
        Operations that ran while the recording was stopped, by the identity of their results.
    elsewhere : dict
        Lines at which other threads computed from leaves or tracked tensors while the tape recorded, by the identity of
        their results.
    detours : list
        Identities of recorded derivatives, and the stable forms that stood in the place of what was recorded.
    watched_at : dict
        Lines of `watch`, by identity.
    """

    def __init__(self, persistent: bool = False, watch_accessed_variables: bool = True) -> None:
        self.persistent = persistent
        self.watch_accessed_variables = watch_accessed_variables
        self._recording = False
        self._used = False
        self._clear()
        enroll(self)

    def _clear(self) -> None:
        #: Identity of what is tracked to the record that made it, None for what is watched.
        self.producer: dict[int, Any] = {}
        self.variables: dict[int, Variable] = {}
        self.guards: list[Guard] = []
        self.cuts: list[Cut] = []
        self.warned: set[str] = set()
        self.skipped: dict[int, Skipped] = {}
        self.elsewhere: dict[int, tuple[CodeType, int]] = {}
        self.detours: list[tuple[frozenset[int], list[Rewritten]]] = []
        self.watched_at: dict[int, tuple[CodeType, int]] = {}
        self._spans: list[list[int]] = []

    @property
    def recording(self) -> bool:
        """Whether it is entered and not stopped."""
        return self._recording

    def __enter__(self) -> Self:
        self._push()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is not None:
            annotate(error, self._spans[-1][0])
        if self._recording:
            self._pop()

    def _push(self) -> None:
        if self._recording:
            raise ValueError("Tape is still recording, This can happen if you try to re-enter an already-active tape.")
        if self._used and not self.persistent:
            self._used = False
            self._clear()
        active_tapes().append(self)
        recording_now.append(self)
        self._spans.append([next_ident()])
        self._recording = True

    def _pop(self) -> None:
        if not self._recording:
            raise ValueError("Tape is not recording.")
        tapes = active_tapes()
        if self in tapes:
            tapes.remove(self)
        if self in recording_now:
            recording_now.remove(self)
        self._spans[-1].append(next_ident())
        self._recording = False

    @contextmanager
    def _ensure_recording(self) -> Iterator[None]:
        """Record on this tape what runs inside, whether it is active or not."""
        if self._recording:
            yield
            return
        self._push()
        try:
            yield
        finally:
            self._pop()

    def watch(self, tensor: Any) -> None:
        """Track tensors, variables, or nested structures of them, from now on.

        Parameters
        ----------
        tensor : Tensor or nested structure of tensors

        Raises
        ------
        ValueError
            If something among them is no tensor.
        """
        frame = user_frame(2)
        for t in pytree.flatten(tensor)[0]:
            if not isinstance(t, Tensor):
                raise ValueError(  # noqa: TRY004 (the kind that TensorFlow raises)
                    f"Passed in object {t!r} of type {type(t).__name__!r}, not Tensor or Variable; "
                    "make it a tensor first: st.constant(...)"
                )
            if t.ident not in self.producer:
                self.producer[t.ident] = None
                self.watched_at[t.ident] = (frame.f_code, frame.f_lasti)
            if isinstance(t, Variable):
                self.variables[t.ident] = t

    @contextmanager
    def stop_recording(self) -> Iterator[None]:
        """Leave out, on this tape only, what runs inside.

        Raises
        ------
        RuntimeError
            If the tape has never recorded.
        ValueError
            If it does not record now.

        Examples
        --------
        >>> import symtape as st
        >>> x = st.Variable(3.0)
        >>> with st.GradientTape() as tape:
        ...     y = x * x
        ...     with tape.stop_recording():
        ...         z = y * x
        ...     w = y + z
        >>> float(tape.gradient(w, x))
        6.0
        """
        if not self._recording and not self.producer:
            raise RuntimeError("Trying to stop recording a tape which is not recording.")
        tapes = active_tapes()
        place = tapes.index(self) if self in tapes else 0
        self._pop()
        paused_tapes().append(self)
        try:
            yield
        finally:
            paused_tapes().remove(self)
            self._push()
            tapes.remove(self)
            tapes.insert(min(place, len(tapes)), self)

    def reset(self) -> None:
        """Forget everything recorded and watched; inside the block only.

        Raises
        ------
        ValueError
            If the tape does not record.
        """
        if not self._recording:
            raise ValueError("Tape is not recording.")
        self._clear()
        self._spans.append([next_ident()])

    def watched_variables(self) -> tuple[Variable, ...]:
        """The variables that are watched, in the order in which they were made."""
        return tuple(self.variables[ident] for ident in sorted(self.variables))

    def recorded_during(self, ident: int) -> bool:
        """Whether the tape recorded when the tensor of that identity was made."""
        return any(span[0] < ident and (len(span) == 1 or ident < span[1]) for span in self._spans)

    def hand_over(self, tensor: Tensor, twin: Tensor) -> None:
        """Put another tensor of the same identity in the place of one that is about to change."""
        if self.producer.get(tensor.ident) is tensor:
            self.producer[tensor.ident] = twin
        for record in self._since(tensor.ident):
            if any(x is tensor for x in record.inputs):
                record.inputs = tuple([twin if x is tensor else x for x in record.inputs])
        shared = self.producer.get(tensor.ident)
        if isinstance(shared, Shared):
            shared.outputs = tuple([twin if x is tensor else x for x in shared.outputs])

    def _since(self, ident: int) -> list[Any]:
        """Records that are not older than a tensor."""
        found: list[Any] = []
        try:
            for record in reversed(self.producer.values()):
                if record is not None:
                    if record.seq < ident:
                        break
                    found.append(record)
        except RuntimeError:  # another thread records on this tape
            return [record for record in list(self.producer.values()) if record is not None and record.seq >= ident]
        return found

    def detour(self, records: Sequence[Any], source: int) -> Rewritten | None:
        """The stable form around a source in a derivative among the records: what flows there is not known."""
        for results, done in self.detours:
            for d in done:
                if source in d.inner and any(o.ident in results for r in records for o in r.outputs):
                    return d
        return None

    @property
    def assumptions(self) -> list[Any]:
        """Decisions that Python took on tensors while this tape recorded, as relations of sympy that held.

        Examples
        --------
        >>> import symtape as st
        >>> x = st.Variable(3.0, name="x")
        >>> with st.GradientTape() as tape:
        ...     y = x**2 if x > 1 else x
        >>> tape.assumptions
        [x > 1]
        """
        return relations(self.guards)
