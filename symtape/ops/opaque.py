"""Python functions of which nothing is known, as operations: their value by a call, their derivatives by rules.

A `Routine` is such a function with its rules. It makes four ops: itself, with one result or with several, its vjp and
its jvp. All have the params ``(arguments, results, levels)`` of `symtape.ops.opaque_params`. An op with levels is a
batch, and calls its function once for each item.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, Final, Protocol

import numpy as np

from symtape.errors import DTypeError, ShapeError
from symtape.graph.node import Array, Node
from symtape.graph.shapes import Shape
from symtape.ops.op import SEVERAL, Kind, Op
from symtape.ops.opaque_params import (
    ARRAY,
    NUMBER,
    Arguments,
    Levels,
    Results,
    are_arguments,
    are_levels,
    are_results,
    core,
    filled,
    input_places,
    lengths,
    moving,
)
from symtape.ops.opaque_rules import Rule, Rules, bare, directions, entries, gradients

PARTS: Final = ("one", "several", "vjp", "jvp")


class Home(Protocol):
    """The object of the user's that a routine belongs to."""

    def reduce(self, part: str) -> tuple[Any, ...]:
        """How the op of a part is pickled."""
        ...

    def file_name(self, part: str) -> str:
        """What stands for the op of a part in files."""
        ...


class Routine:
    """A Python function with its rules, as operations.

    Parameters
    ----------
    label : str
        What people call it.
    home : Home
    function : callable
        ``function(args, kwargs)`` on arrays; gives an array or several.
    vjp, jvp : Rule or None
    called_back : callable
        Is told of each node for which compiled code calls back.

    Attributes
    ----------
    ops : dict of str to Op
        By part: ``"one"`` and ``"several"`` results, ``"vjp"``, ``"jvp"``.
    """

    def __init__(
        self,
        label: str,
        home: Home,
        function: Callable[..., Any],
        vjp: Rule | None,
        jvp: Rule | None,
        called_back: Callable[[Node], None],
    ) -> None:
        self.label = label
        self.function = function
        self.ops: dict[str, Op] = {}
        self.rules = Rules(label, vjp, jvp, self.ops)
        for part in PARTS:
            self.ops[part] = self._op(part, home, called_back)

    def _op(self, part: str, home: Home, called_back: Callable[[Node], None]) -> Op:
        rules, several = self.rules, part == "several"
        derivative = part in rules.by_part
        return Op(
            name=f"{part} of black box {self.label}" if derivative else f"black box {self.label}",
            kind=Kind.OPAQUE,
            value=partial(self._value, part),
            rule_infer=partial(self._infer, part),
            vjp_together=partial(rules.pull_rule, part) if derivative else partial(rules.pull, several),
            jvp_together=partial(rules.push_rule, part) if derivative else partial(rules.push, several),
            batch=partial(self._batch, part),
            formula=partial(self._formula, part),
            results=1 if part == "one" else SEVERAL,
            params=(are_arguments, are_results, are_levels),
            spelling=partial(self._spelling, part),
            called_back=called_back,
            home=(home, part),
        )

    def name(self, part: str) -> str:
        """What an application is written with."""
        return f"{self.label}.{part}" if part in self.rules.by_part else self.label

    # ------------------------------------------------------------------------------------------------------- values

    def _value(self, part: str, *rest: Any) -> Any:
        *inputs, arguments, results, levels = rest
        found = self._items(part, inputs, arguments, results, levels)
        return found[0] if part == "one" else tuple(found)

    def _items(
        self, part: str, inputs: Sequence[Any], arguments: Arguments, results: Results, levels: Levels
    ) -> list[Any]:
        """One call, or one for each item along the outermost level."""
        if not levels:
            return [a[()] for a in self._call(part, inputs, arguments, results)]
        flags, *inner = levels
        n = next(len(x) for x, own in zip(inputs, flags, strict=True) if own)
        if n == 0:
            given = [(np.shape(x), np.asarray(x).dtype) for x in inputs]
            return [np.zeros(*spec) for spec in self._outputs(part, given, arguments, results, levels)]
        rows = []
        for i in range(n):
            item = [x[i] if own else x for x, own in zip(inputs, flags, strict=True)]
            rows.append(self._items(part, item, arguments, results, tuple(inner)))
        return [np.stack(column) for column in zip(*rows, strict=True)]

    def _call(self, part: str, inputs: Sequence[Any], arguments: Arguments, results: Results) -> list[Array]:
        places = input_places(arguments)
        first = len(inputs) - len(places)
        args, kwargs = filled(arguments, [handed(x, p) for x, p in zip(inputs[first:], places, strict=True)])
        if part not in self.rules.by_part:
            return self._results(self.function(args, kwargs), results, several=part == "several")
        rule = self.rules.by_part[part]
        assert rule is not None
        n = first - len(results)
        slots, ys, xs = ([handed(v) for v in group] for group in (inputs[:n], inputs[n:first], inputs[first:]))
        free = moving(arguments, [np.asarray(x).dtype for x in xs])
        if part == "vjp":
            found = rule.function(bare(slots), bare(ys), *args, **kwargs)
            own = gradients(found, arguments, free, self.label)
            return [_like(g, xs[k], f"the vjp of {self.label}") for g, k in zip(own, free, strict=True)]
        found = rule.function(directions(arguments, xs, free, slots), bare(ys), *args, **kwargs)
        wanted = f"a tangent for each of the {len(ys)} results"
        pushed = entries(found, len(ys), len(ys), f"the jvp of {self.label}", wanted)
        return [_like(t, y, f"the jvp of {self.label}") for t, y in zip(pushed, ys, strict=True)]

    def _results(self, found: Any, results: Results, *, several: bool) -> list[Array]:
        if not several:
            found = found[0] if isinstance(found, tuple) and len(found) == 1 else found
            return [as_result(found, *results[0], f"the result of {self.label}")]
        if not isinstance(found, tuple) or len(found) != len(results):
            raise TypeError(f"{self.label} is to return a tuple of {len(results)} arrays, got {found!r}")
        return [
            as_result(y, *spec, f"result {k} of {self.label}")
            for k, (y, spec) in enumerate(zip(found, results, strict=True))
        ]

    # --------------------------------------------------------------------------------------------- shapes and batches

    def _infer(
        self, part: str, inputs: tuple[Node, ...], arguments: Arguments, results: Results, levels: Levels
    ) -> tuple[Any, Any]:
        specs = self._outputs(part, [(i.shape, i.dtype) for i in inputs], arguments, results, levels)
        shapes, dtypes = tuple(s for s, _ in specs), tuple(d for _, d in specs)
        return (shapes[0], dtypes[0]) if part == "one" else (shapes, dtypes)

    def _outputs(
        self, part: str, given: Sequence[tuple[Shape, Any]], arguments: Arguments, results: Results, levels: Levels
    ) -> list[tuple[Any, Any]]:
        """Shape and dtype of each output, from those of the inputs."""
        first = len(given) - len(input_places(arguments))
        if first != self._before(part, [dtype for _, dtype in given[max(first, 0) :]], arguments, results):
            raise ShapeError(f"{self.name(part)} got {len(given)} inputs, which do not fit its call")
        lead = lengths(levels, [shape for shape, _ in given])
        own: list[tuple[Shape, Any]] = [(shape, np.dtype(name)) for shape, name in results]
        if part == "vjp":
            xs = [(core(s, [f[first + k] for f in levels]), d) for k, (s, d) in enumerate(given[first:])]
            own = [xs[k] for k in moving(arguments, [d for _, d in xs])]
        return [((*lead, *shape), dtype) for shape, dtype in own]

    def _before(self, part: str, dtypes: Sequence[Any], arguments: Arguments, results: Results) -> int:
        """How many inputs stand before those of the call: slots and results, if it is a rule."""
        if part not in self.rules.by_part:
            return 0
        return len(results) + (len(results) if part == "vjp" else len(moving(arguments, dtypes)))

    def _batch(self, part: str, B: Any, inputs: Sequence[Any], batched: Sequence[bool], *params: Any) -> Any:
        arguments, results, levels = params
        return B.build(self.ops[part], tuple(inputs), (arguments, results, (tuple(batched), *levels)))

    # ------------------------------------------------------------------------------------------------------ as text

    def _spelling(self, part: str, node: Node, inputs: Sequence[str], name: Callable[[str], str]) -> str:
        arguments: Arguments = node.params[0]
        first = len(inputs) - len(input_places(arguments))
        places, keywords = arguments
        given = iter(inputs[first:])
        own = [next(given) if isinstance(p, str) else repr(p[2]) for p in places]
        words = [f"{k}={value!r}" for k, (_, _, value) in keywords]
        return f"{name(self.name(part))}({', '.join([*inputs[:first], *own, *words])})"

    def _formula(self, part: str, sp: Any, node: Node, *elements: Any) -> Any:
        """An application of a function that no other routine and no other settings equal."""
        places, keywords = node.params[0]
        settings = (*[p for p in places if not isinstance(p, str)], *keywords)
        return sp.Function(self.name(part), real=True, routine=id(self), settings=settings)(*elements)


def handed(x: Any, place: str = ARRAY) -> Any:
    """An input as the user's function gets it: an array of its own, a scalar of NumPy's, or a Python number.

    What compiled code and the memo of values hold is theirs, and a function may keep what it gets, or write to it.
    """
    return np.asarray(x).item() if place == NUMBER else np.array(x)[()]


def as_result(found: Any, shape: Shape, dtype: str, what: str) -> Array:
    """What a user's function returned as a fresh array of the shape and dtype that were said.

    Raises
    ------
    ShapeError, DTypeError
    """
    array = as_numbers(found, what)
    if array.shape != shape:
        raise ShapeError(f"{what} has shape {array.shape}, wanted {shape}")
    if not np.can_cast(array.dtype, dtype, "safe"):
        raise DTypeError(f"{what} has dtype {array.dtype}, wanted {dtype}: convert it with .astype({dtype!r})")
    return array.astype(dtype)


def as_numbers(found: Any, what: str) -> Array:
    """What a user's function returned as an array of real numbers.

    Raises
    ------
    DTypeError
    """
    if hasattr(found, "node"):
        raise DTypeError(f"{what} is a tensor, wanted an array: a black box gets arrays and returns arrays")
    try:
        array = np.asarray(found)
    except ValueError as error:
        raise DTypeError(f"{what} is no array: {error}") from error
    if array.dtype.kind == "c":
        raise DTypeError(f"{what} is complex ({array.dtype}): return real and imaginary parts as two arrays")
    if array.dtype.kind not in "biuf":
        raise DTypeError(f"{what} is {found!r}, wanted an array of real numbers")
    return array


def _like(found: Any, like: Any, what: str) -> Array:
    """A gradient or tangent as a fresh array shaped like what it belongs to; None is zero."""
    shape, dtype = np.shape(like), np.asarray(like).dtype
    if found is None:
        return np.zeros(shape, dtype)
    array = as_numbers(found, f"what {what} returned")
    if array.shape != shape:
        raise ShapeError(f"{what} returned an array of shape {array.shape}, wanted {shape}")
    return array.astype(dtype)
