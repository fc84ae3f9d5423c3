"""Recording a callable for reuse: Python runs once (twice, to be sure), and what it did is kept as a graph.

Whoever runs a user's function many times records it here first: `st.jit` and `st.function`, `st.vmap`, the minimizers,
the fits, their constraints. How to use it::

    recorded = record(model, (X, Spec((3,))), by="st.curve_fit", single=True)
    recorded.inputs      # leaf nodes, one for each array, number or Spec among the arguments, in order
    recorded.outputs     # nodes that depend on them
    recorded.rebuild(values)             # what the callable returned, with values in the places of the outputs
    recorded.guards      # decisions that Python took: the graph holds where all their conditions do
    recorded.variables   # read inside: hidden inputs; recorded.versions are their leaf nodes in the graph
    recorded.numbers((X, p))             # the numeric leaves of a later call; recorded.arrays checks shapes, too
    replay(recorded.outputs, recorded.given(tensors))   # the graph done again on tensors, so that gradients flow

Example arrays give their values to the inputs, so that ``if`` statements work and become guards; a `Spec` has none, and
a branch on it raises `SymbolicTruthError`. While the callable runs, taking a number out of what may change (``float``,
``math.sin``, ``.numpy()``, assignment into an ndarray, a C routine) raises `ConcreteValueError` with line and remedy.
The callable is run a second time with other values; if it makes another graph under the same decisions (random numbers,
the clock) `ImpureFunctionError` names the first line that differs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, cast

import numpy as np

from symtape import pytree
from symtape.errors import ConcreteValueError, DTypeError, ImpureFunctionError, ShapeError
from symtape.graph.node import LEAF, Array, Node, next_ident
from symtape.graph.shapes import is_known
from symtape.graph.traverse import ancestors, leaves
from symtape.tape.callable_arguments import Spec, Static, input_leaf, is_whole, labels, prepare
from symtape.tape.guards import Guard
from symtape.tape.purity import difference
from symtape.tape.recording import Capture, active_captures, active_tapes, capture
from symtape.tape.taken_apart import annotate
from symtape.tape.tensor import Tensor, lift, wrap
from symtape.tape.variable import Variable

# What user code raises when it refuses the values of the second run.
_REFUSALS = (ArithmeticError, AssertionError, AttributeError, LookupError, RuntimeError, TypeError, ValueError)


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorded:
    """A callable as a graph.

    Attributes
    ----------
    inputs : tuple of Node
        One leaf for each numeric leaf of the arguments.
    outputs : tuple of Node
        One for each numeric leaf of the result.
    structure : Structure
        Of the result.
    arguments : Structure
        Of ``(positional arguments, keyword arguments)``.
    places : tuple of int
        Which leaves of the arguments are inputs.
    statics : tuple
        The other leaves, in order.
    fixed : mapping of int to object
        Leaves of the result that are no numbers, by position: only None.
    guards : tuple of Guard
    variables : tuple of Variable
        Read inside; hidden inputs.
    versions : tuple of Node
        The leaf of each variable in the graph.
    captured : tuple of Tensor
        Tensors from outside that a recording tape tracks.
    by : str
        What recorded it, for messages.
    """

    inputs: tuple[Node, ...]
    outputs: tuple[Node, ...]
    structure: pytree.Structure
    arguments: pytree.Structure
    places: tuple[int, ...]
    statics: tuple[Any, ...]
    fixed: Mapping[int, Any]
    guards: tuple[Guard, ...]
    variables: tuple[Variable, ...]
    versions: tuple[Node, ...]
    captured: tuple[Tensor, ...]
    by: str

    def rebuild(self, values: Sequence[Any]) -> Any:
        """What the callable returns, with ``values`` in the places of the outputs."""
        return self.structure.refill(values, self.fixed)

    def outside(self) -> dict[Node, Tensor]:
        """What stands now in the places of variables and captured tensors."""
        found = {t.node: t for t in self.captured}
        found.update(zip(self.versions, [v.read() for v in self.variables], strict=True))
        return found

    def given(self, tensors: Sequence[Tensor]) -> dict[Node, Tensor]:
        """What stands in the places of inputs, variables and captured tensors when the graph is replayed on tensors."""
        found = self.outside()
        found.update(zip(self.inputs, tensors, strict=True))
        return found

    def numbers(self, args: Sequence[Any], kwargs: Mapping[str, Any] | None = None) -> list[Any]:
        """The numeric leaves of a later call, as they came, in the order of the inputs.

        Raises
        ------
        ValueError
            If the arguments are nested otherwise than those that were recorded.
        """
        found = self.arguments.match((tuple(args), dict(kwargs or {})), f"the arguments given to {self.by}")
        return [found[k] for k in self.places]

    def arrays(self, args: Sequence[Any], kwargs: Mapping[str, Any] | None = None) -> list[Array]:
        """The numeric leaves of a later call as arrays of the dtypes and shapes that were recorded.

        Raises
        ------
        ShapeError
            Naming the input, the shape that came and the one that was recorded.
        """
        result: list[Array] = []
        for node, value in zip(self.inputs, self.numbers(args, kwargs), strict=True):
            array = np.asarray(value.numpy() if isinstance(value, Tensor) else value, dtype=node.dtype)
            if is_known(node.shape) and array.shape != node.shape:
                raise ShapeError(f"{node.params[1]}: {self.by} recorded the shape {node.shape}, got {array.shape}")
            result.append(array)
        return result


def record(
    function: Callable[..., Any],
    args: Sequence[Any] = (),
    kwargs: Mapping[str, Any] | None = None,
    *,
    by: str,
    single: bool = False,
    pure: bool = True,
    names: Sequence[str] | None = None,
    like: Callable[..., Any] | None = None,
) -> Recorded:
    """Run a callable on recorded inputs and keep what it does as a graph.

    Parameters
    ----------
    function : callable
    args, kwargs
        Arrays, numbers, tensors and `Spec` become inputs, nested structures too. Whatever else stands there (text,
        None, callables, `Static`) is handed on as it is.
    by : str
        What records, for messages: ``"st.minimize"``.
    single : bool
        The result is one array: nested lists of tensors are stacked, as ``np.array`` would.
    pure : bool
        Whether to record a second time and compare.
    names : sequence of str, optional
        Names of the inputs; by default those of the parameters.
    like : callable, optional
        The callable whose parameters have the names, where ``function`` wraps it.

    Returns
    -------
    Recorded

    Raises
    ------
    ConcreteValueError
        If the callable takes a number out of what may change.
    ImpureFunctionError
        If it makes different graphs under the same decisions.
    SymbolicTruthError
        If it branches on an input without value.
    DTypeError
        If it returns what is no number.

    Examples
    --------
    >>> import numpy as np
    >>> recorded = record(lambda x: {"twice": x + x}, (np.zeros(3),), by="st.function")
    >>> recorded.inputs, recorded.outputs
    ((<x float64[3]>,), (<add float64[3]>,))
    >>> recorded.rebuild(["a value"])
    {'twice': 'a value'}
    """
    found, arguments = pytree.flatten((tuple(args), dict(kwargs or {})), is_whole)
    own_names = labels(like or function, arguments)
    prepared = [prepare(value) for value in found]
    places = tuple(k for k, p in enumerate(prepared) if not isinstance(p, Static))
    if names is not None and len(names) != len(places):
        raise ValueError(f"{by}: {len(places)} inputs, but {len(names)} names: {list(names)}")
    given = dict(zip(places, names or [own_names[k] for k in places], strict=True))

    def run(values: Sequence[Any]) -> _Run:
        return _run(
            function,
            [v if isinstance(v, Static) else input_leaf(v, given[k]) for k, v in enumerate(values)],
            arguments,
            by,
            single,
            pure,
        )

    first = run(prepared)
    if pure:
        _check(first, prepared, run, by)
    return Recorded(
        inputs=tuple(first.leaves[k] for k in places),
        outputs=tuple(first.outputs),
        structure=first.structure,
        arguments=arguments,
        places=places,
        statics=tuple(p.value for p in prepared if isinstance(p, Static)),
        fixed=first.fixed,
        guards=tuple(first.guards),
        variables=tuple(first.variables),
        versions=tuple(v.node for v in first.variables),
        captured=tuple(first.captured),
        by=by,
    )


# ------------------------------------------------------------------------------------------------------------ one run


@dataclass(slots=True)
class _Run:
    """What one run of the callable gave."""

    leaves: list[Any]
    outputs: list[Node]
    structure: pytree.Structure
    fixed: dict[int, Any]
    guards: list[Guard]
    variables: list[Variable]
    captured: list[Tensor]

    @property
    def inputs(self) -> list[Node]:
        return [n for n in self.leaves if isinstance(n, Node)]

    @property
    def decisions(self) -> list[tuple[Any, ...]]:
        return [(g.how, g.seen, g.code, g.lasti) for g in self.guards]


def _run(
    function: Callable[..., Any], given: Sequence[Any], arguments: pytree.Structure, by: str, single: bool, reused: bool
) -> _Run:
    start = next_ident()
    own = frozenset(n for n in given if isinstance(n, Node))
    outer = tuple(active_captures())

    def depends(node: Node) -> bool:
        return any(
            n in own or n.value is None or n.params[2] is not None for n in ancestors(node) if n.op is LEAF
        ) or any(c.depends(node) for c in outer)

    args, kwargs = arguments.unflatten([wrap(v) if isinstance(v, Node) else v.value for v in given])
    with _apart(outer), capture(by, depends, inputs=own, reused=reused) as here:
        result = _numbers_stay(function, args, kwargs, start)
        result = [lift(result)] if single else result
        values, structure = pytree.flatten(result, is_whole)
        fixed = {k: v for k, v in enumerate(values) if v is None}
        outputs = [_result(v, by) for v in values if v is not None]
        captured = _take_captured(start)
    if single:
        structure = structure.children[0]
    below = leaves([*outputs, *[g.node for g in here.guards]])
    read = [here.reads[n.params[2]] for n in below if n.params[2] in here.reads]
    variables = [cast(Variable, v) for v in read if v.node in below]
    return _Run(list(given), outputs, structure, fixed, here.guards, variables, captured)


def _numbers_stay(function: Callable[..., Any], args: Sequence[Any], kwargs: Mapping[str, Any], start: int) -> Any:
    """Call the function; where NumPy put its own error in front of our refusal to give a number, ours comes out."""
    try:
        return function(*args, **kwargs)
    except (TypeError, ValueError, AttributeError) as error:
        if isinstance(error.__cause__, ConcreteValueError):
            raise error.__cause__ from None
        annotate(error, start)
        raise


@contextmanager
def _apart(outer: Sequence[Capture]) -> Iterator[None]:
    """Keep decisions to this recording: outside the inputs are others; who uses the graph there notes them again."""
    marks = [(tape.guards, len(tape.guards)) for tape in active_tapes()]
    sizes = [len(c.guards) for c in outer]
    try:
        yield
    finally:
        for kept, size in marks:
            del kept[size:]
        for c, size in zip(outer, sizes, strict=True):
            for g in c.guards[size:]:
                c.known.discard((g.node, g.seen, g.how))
            del c.guards[size:]


def _result(value: Any, by: str) -> Node:
    try:
        return lift(value).node
    except DTypeError as error:
        raise DTypeError(
            f"the function given to {by} returned the {type(value).__name__} {value!r}; wanted tensors, arrays or "
            "numbers, also in lists, tuples or dicts"
        ) from error


def _take_captured(start: int) -> list[Tensor]:
    """Tensors from outside that recording tapes track and the run used; what the tapes noted meanwhile is forgotten."""
    captured: dict[int, Tensor] = {}
    for tape in active_tapes():
        fresh: list[int] = []
        for ident, entry in reversed(tape.producer.items()):
            if entry is None:
                continue
            if entry.seq < start:
                break
            fresh.append(ident)
            for x in entry.inputs:
                if x.ident < start and x.ident in tape.producer:
                    captured[x.ident] = x
        for ident in fresh:
            del tape.producer[ident]
    return list(captured.values())


# --------------------------------------------------------------------------------------------------------- second run


def _check(first: _Run, prepared: Sequence[Any], run: Callable[[Sequence[Any]], _Run], by: str) -> None:
    """Run again with other values; where decisions or refusals depend on them, with the same."""
    moved = [_moved(p) for p in prepared]
    try:
        second = run(moved)
    except _REFUSALS:
        second = run(prepared)
    if second.decisions != first.decisions:
        _same_decisions(first, second, by, values_may_differ=True)
        second = run(prepared)
        _same_decisions(first, second, by)
    if first.structure != second.structure:
        raise ImpureFunctionError(
            f"{by} recorded the function twice, and it returned {first.structure} first, then {second.structure}"
        )
    renamed = dict(zip(first.inputs, second.inputs, strict=True))
    found = difference(
        [*[g.node for g in first.guards], *first.outputs], [*[g.node for g in second.guards], *second.outputs], renamed
    )
    if found is not None:
        raise _impure(by, found.line, found.what)


def _same_decisions(first: _Run, second: _Run, by: str, *, values_may_differ: bool = False) -> None:
    """Refuse decisions that differ; after one that came out otherwise because values did, anything may follow."""
    for a, b in zip(first.guards, second.guards, strict=False):
        if (a.how, a.code, a.lasti) != (b.how, b.code, b.lasti):
            raise _impure(by, b.line, "another decision was taken than the first time")
        if a.seen != b.seen:
            if values_may_differ:
                return
            raise _impure(by, b.line, f"a decision came out as {a.seen} first, then {b.seen}")
    if len(first.guards) != len(second.guards):
        longer = max(first.guards, second.guards, key=len)
        extra = longer[min(len(first.guards), len(second.guards))]
        raise _impure(by, extra.line, "a decision was taken in one recording and not in the other")


def _impure(by: str, line: str, what: str) -> ImpureFunctionError:
    return ImpureFunctionError(
        f"{by} recorded the function twice and it did not do the same: {what}, at {line}; random numbers, the clock "
        "and counters would be frozen into what is reused: make them arguments, or use st.jit(function, rerecord=True)"
    )


def _moved(value: Any) -> Any:
    """Other values of the same kind: floats move a little, whatever else stays."""
    if isinstance(value, (Spec, Static)):
        return value
    array = np.asarray(value)
    return array + array.dtype.type(2.0**-7) * (np.abs(array) + 1) if array.dtype.kind == "f" else array
