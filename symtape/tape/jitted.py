"""`st.jit`: a function of arrays, recorded and compiled for each kind of arguments and each branch.

A recording serves all calls whose arguments have the same nesting, shapes and dtypes and the same values where they are
no numbers, as long as its guards hold. Machine code is shared more widely: it does not depend on lengths.
"""

from __future__ import annotations

import functools
import threading
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from symtape import pytree
from symtape.compile.options import Options
from symtape.compile.program import Program
from symtape.errors import AssumptionViolated
from symtape.graph.quantities import without_units
from symtape.tape.callable_arguments import Spec, is_whole
from symtape.tape.record_callable import Recorded, record
from symtape.tape.recording import active_captures, active_tapes
from symtape.tape.replay import assume, replay
from symtape.tape.tensor import Tensor, lift

#: Recordings kept per kind of arguments: the branches that Python took, the oldest go first.
_BRANCHES: Final = 64


@dataclass(frozen=True, slots=True)
class _Recording:
    recorded: Recorded
    program: Program


def jit(function: Callable[..., Any], *, rerecord: bool = False, options: Options | None = None) -> Callable[..., Any]:
    """A function of arrays that runs compiled.

    Parameters
    ----------
    function : callable
        Written with NumPy's functions and operators. Python runs it when it is recorded, not at every call: it must do
        the same every time. Variables that it reads are read anew at every call.
    rerecord : bool
        Record at every call, for functions that are meant to differ from call to call.
    options : symtape.compile.options.Options, optional

    Returns
    -------
    callable
        With the arguments and results of ``function``; Python numbers for results of shape (). Called with tensors, or
        where a tape watches what it reads, it gives tensors, so that gradients flow.

    Raises
    ------
    ConcreteValueError
        At the call, if ``function`` takes a number out of an argument.
    ImpureFunctionError
        At the call, if two recordings differ, and ``rerecord`` is not set.

    Examples
    --------
    >>> import numpy as np, symtape as st
    >>> @st.jit
    ... def f(x):
    ...     return np.sum(x**2) if x[0] > 0 else np.sum(x)
    >>> f(np.array([1.0, 2.0])), f(np.array([-1.0, 2.0]))
    (5.0, 1.0)
    """
    if not callable(function):
        raise TypeError(f"st.jit takes a function, got {function!r}; st.function([x], y) compiles tensors")
    return _Jitted(function, rerecord, options or Options())


class _Jitted:
    """The callable that `jit` gives."""

    def __init__(self, function: Callable[..., Any], rerecord: bool, options: Options) -> None:
        functools.update_wrapper(self, function)
        self._function = function
        self._rerecord = rerecord
        self._options = options
        self._kept: dict[Hashable, list[_Recording]] = {}
        self._quick: dict[Hashable, _Recording] = {}
        self._lock = threading.RLock()

    def __get__(self, instance: Any, owner: type | None = None) -> Any:
        return self if instance is None else functools.partial(self, instance)

    def __reduce__(self) -> tuple[Any, ...]:
        return (_rebuilt, (self._function, self._rerecord, self._options))

    def __repr__(self) -> str:
        return f"<st.jit of {self._function!r}>"

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if not kwargs and not active_tapes() and not active_captures():
            key = _plain_kind(args)
            recording = self._quick.get(key) if key is not None else None
            if recording is not None:
                variables = [v.node.value for v in recording.recorded.variables]
                try:
                    return recording.recorded.rebuild(recording.program.numbers(*args, *variables))
                except AssumptionViolated:
                    pass  # another branch
            result = self._general(args, kwargs)
            if key is not None:
                self._quick_entry(key, args)
            return result
        return self._general(args, kwargs)

    def _quick_entry(self, key: Hashable, args: Sequence[Any]) -> None:
        """Let the recording that served plain arguments be found without taking them apart."""
        leaves, structure = pytree.flatten((args, {}), is_whole)
        kept = self._kept.get((structure, tuple(map(_kind, leaves)), False))
        if kept:
            self._quick[key] = kept[0]

    def _general(self, args: Sequence[Any], kwargs: dict[str, Any]) -> Any:
        leaves, structure = pytree.flatten((args, kwargs), is_whole)
        if any(isinstance(leaf, Tensor) or (type(leaf) is np.ndarray and leaf.dtype == object) for leaf in leaves):
            return self._function(*args, **kwargs)
        if any(isinstance(leaf, Spec) for leaf in leaves):
            raise TypeError("a jitted function is called with values, not with specs")
        if self._rerecord:
            return self._run(self._record(args, kwargs), args, kwargs)
        key = (structure, tuple(map(_kind, leaves)), bool(active_tapes()))
        for recording in list(self._kept.get(key, ())):
            try:
                result = self._run(recording, args, kwargs)
            except AssumptionViolated:
                continue  # another branch
            with self._lock:  # the branch met last is tried first
                kept = self._kept[key]
                if kept[0] is not recording and recording in kept:
                    kept.remove(recording)
                    kept.insert(0, recording)
            return result
        recording = self._record(args, kwargs)
        if not recording.recorded.captured:
            with self._lock:
                kept = self._kept.setdefault(key, [])
                kept.insert(0, recording)
                del kept[_BRANCHES:]
        return self._run(recording, args, kwargs)

    def _record(self, args: Sequence[Any], kwargs: dict[str, Any]) -> _Recording:
        recorded = record(self._function, args, kwargs, by="st.jit", pure=not self._rerecord)
        guards = [(g.condition(), True, "another branch") for g in recorded.guards]
        inputs = [*recorded.inputs, *recorded.versions]
        return _Recording(recorded, Program(inputs, recorded.outputs, guards=guards, options=self._options))

    def _run(self, recording: _Recording, args: Sequence[Any], kwargs: dict[str, Any]) -> Any:
        recorded = recording.recorded
        values = recorded.numbers(args, kwargs)
        outside = recorded.captured or recorded.variables
        results = recording.program.numbers(*values, *[v.node.value for v in recorded.variables])
        if outside and (active_tapes() or active_captures()):
            given = recorded.given([lift(np.asarray(v)) for v in values])
            assume(recorded.guards, given)
            return recorded.rebuild(replay(recorded.outputs, given))
        return recorded.rebuild(results)


def _rebuilt(function: Callable[..., Any], rerecord: bool, options: Options) -> Any:
    return jit(function, rerecord=rerecord, options=options)


class _ByIdentity:
    """An argument that cannot be hashed, as part of a key."""

    __slots__ = ("value",)

    def __init__(self, value: Any) -> None:
        self.value = value

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _ByIdentity) and other.value is self.value

    def __hash__(self) -> int:
        return id(self.value)


def _plain_kind(args: Sequence[Any]) -> Hashable | None:
    """The kind of arguments that are arrays of numbers and Python floats only, else None."""
    found: list[Any] = []
    for a in args:
        kind = type(a)
        if kind is float:
            found.append(kind)
        elif kind is np.ndarray and a.dtype.kind in "biuf":
            found.append((a.shape, a.dtype.str))
        else:
            return None
    return tuple(found)


def _kind(leaf: Any) -> Hashable:
    """What of an argument decides which recording serves it: of numbers shape and dtype, else the value."""
    kind = type(leaf)
    if kind is np.ndarray:
        return (leaf.shape, leaf.dtype)
    if isinstance(leaf, (bool, int, float, np.number, np.bool_)):
        return ((), np.asarray(leaf).dtype)
    if hasattr(leaf, "__array__"):
        array = np.asarray(without_units(leaf))
        return (kind, array.shape, array.dtype)
    try:
        hash(leaf)
    except TypeError:
        return _ByIdentity(leaf)
    return (kind, leaf)
