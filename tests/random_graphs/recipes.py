"""A graph as a recipe: leaves, and rows of the op table called on what came before, fitted to their domains.

A recipe is played with any namespace, so that nodes and recorded tensors come about in the same way.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from symtape.graph.node import symbol
from symtape.ops.namespace import NODES
from tests.ops.rows import Row, results

Shape = tuple[int, ...]

#: Smooth maps of numbers between -1 and 1, and of those a little outside, to such numbers; many are written as people
#: do, in the patterns that have a stable form.
SQUASHES: dict[str, Callable[[Any, Any], Any]] = {
    "tanh": lambda B, v: B.tanh(v),
    "sin": lambda B, v: B.sin(v),
    "algebraic": lambda B, v: B.divide(v, B.sqrt(B.add(1.0, B.square(v)))),
    "rational": lambda B, v: B.divide(B.multiply(2.0, v), B.add(1.0, B.multiply(v, v))),
    "sigmoid": lambda B, v: B.subtract(B.multiply(2.0, B.divide(1.0, B.add(1.0, B.exp(B.negative(v))))), 1.0),
    "softplus": lambda B, v: B.subtract(B.log(B.add(1.0, B.exp(v))), 0.75),
    "log1p": lambda B, v: B.log(B.add(1.0, B.multiply(0.5, v))),
    "expm1": lambda B, v: B.multiply(0.5, B.subtract(B.exp(v), 1.0)),
    "versine": lambda B, v: B.subtract(1.0, B.cos(v)),
    "hypot": lambda B, v: B.multiply(0.25, B.sqrt(B.add(B.multiply(v, v), B.square(B.add(v, 2.0))))),
    "log1mexp": lambda B, v: B.log(B.subtract(1.0, B.exp(B.subtract(v, 2.0)))),
    "over_expm1": lambda B, v: _over_expm1(B, B.add(v, 2.0)),
}


def _over_expm1(B: Any, w: Any) -> Any:
    return B.divide(w, B.subtract(B.exp(w), 1.0))


@dataclass(frozen=True, slots=True)
class Leaf:
    """An array at the bottom; derivatives are taken in what moves; an implicit constant never moves."""

    array: np.ndarray
    moving: bool
    constant: bool = False


@dataclass(frozen=True, slots=True)
class Feed:
    """How an earlier value becomes an input of a row.

    Attributes
    ----------
    source : int
        Number of the value.
    way : str
        How its elements come into the shape.
    squash : str
        How they come between -1 and 1; empty where they are in the domain as they are.
    scale : float
        What they are multiplied by before.
    image : callable or None
        The image in the domain; None: the value is taken as it is.
    x : ndarray
        An array of the domain; its shape and dtype are the input's.
    """

    source: int
    x: np.ndarray
    way: str = "same"
    squash: str = ""
    scale: float = 1.0
    image: Callable[[Any, Any, np.ndarray], Any] | None = None


@dataclass(frozen=True, slots=True)
class Step:
    """A row called on feeds. ``inputs`` and ``results`` are the arrays that it saw and gave when it was drawn."""

    row: Row
    feeds: tuple[Feed, ...]
    inputs: tuple[np.ndarray, ...]
    results: tuple[np.ndarray, ...]


@dataclass(frozen=True, slots=True, repr=False)
class Recipe:
    """A graph: values are the leaves, then the results of the steps, in order."""

    leaves: tuple[Leaf, ...]
    steps: tuple[Step, ...]
    outputs: tuple[int, ...]
    seed: int

    def play(self, B: Any, leaves: Sequence[Any]) -> list[Any]:
        """All values, from values for the leaves."""
        values = list(leaves)
        for step in self.steps:
            values += results(step.row.call(B, *[fed(B, feed, values) for feed in step.feeds]))
        return values

    def nodes(self) -> tuple[list[Any], list[Any]]:
        """Nodes for the leaves, and for the outputs."""
        leaves = [as_node(leaf, k) for k, leaf in enumerate(self.leaves)]
        values = self.play(NODES, leaves)
        return leaves, [values[k] for k in self.outputs]

    def only(self, outputs: Sequence[int]) -> "Recipe":
        """The part of the recipe that some values need."""
        needed = set(outputs)
        places = self.places()
        kept = []
        for step, place in reversed(list(zip(self.steps, places, strict=True))):
            if needed.intersection(place):
                kept.append(step)
                needed.update(feed.source for feed in step.feeds)
        kept_ids = {id(step) for step in kept}
        new: dict[int, int] = {}
        leaves = [leaf for k, leaf in enumerate(self.leaves) if k in needed]
        for k in range(len(self.leaves)):
            if k in needed:
                new[k] = len(new)
        steps = []
        for step, place in zip(self.steps, places, strict=True):
            if id(step) in kept_ids:
                steps.append(replace(step, feeds=tuple(replace(f, source=new[f.source]) for f in step.feeds)))
                for k in place:
                    new[k] = len(new)
        return Recipe(tuple(leaves), tuple(steps), tuple(new[k] for k in outputs), self.seed)

    def detached(self, step: int, k: int) -> "Recipe":
        """The recipe with a leaf of its own in the place of what a step is fed."""
        new = Leaf(self.steps[step].inputs[k], moving=self.steps[step].inputs[k].dtype.kind == "f")
        count = len(self.leaves)

        def shifted(j: int) -> int:
            return j if j < count else j + 1

        steps = [replace(s, feeds=tuple(replace(f, source=shifted(f.source)) for f in s.feeds)) for s in self.steps]
        feeds = list(steps[step].feeds)
        feeds[k] = Feed(count, new.array)
        steps[step] = replace(steps[step], feeds=tuple(feeds))
        outputs = tuple(shifted(j) for j in self.outputs)
        return Recipe((*self.leaves, new), tuple(steps), outputs, self.seed).only(outputs)

    def places(self) -> list[range]:
        """Numbers of the values that each step gives."""
        found, start = [], len(self.leaves)
        for step in self.steps:
            found.append(range(start, start + len(step.results)))
            start += len(step.results)
        return found

    def __str__(self) -> str:
        lines = []
        for k, leaf in enumerate(self.leaves):
            kind = "moving" if leaf.moving else "constant" if leaf.constant else "held"
            shown = np.array2string(leaf.array, threshold=12, separator=", ").replace("\n", "")
            lines.append(f"v{k} = {leaf.array.dtype}{list(leaf.array.shape)} {kind} {shown}")
        for step, place in zip(self.steps, self.places(), strict=True):
            given = ", ".join(f"v{k}" for k in place)
            fed = ", ".join(_told(f) for f in step.feeds)
            lines.append(f"{given} = {step.row.name}({fed})")
        return "\n".join([*lines, "return " + ", ".join(f"v{k}" for k in self.outputs)])

    __repr__ = __str__

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:
        """What hypothesis prints."""
        printer.text(str(self))


def _told(feed: Feed) -> str:
    text = f"v{feed.source}"
    if feed.way != "same":
        text = f"{feed.way}({text}, {list(feed.x.shape)})"
    if feed.squash:
        text = f"{feed.squash}({feed.scale:.3g}*{text})"
    return f"image({text})" if feed.image is not None else text


def as_node(leaf: Leaf, k: int) -> Any:
    """A node for a leaf."""
    return NODES.const(leaf.array) if leaf.constant else symbol(f"v{k}", leaf.array.shape, leaf.array.dtype)


# -------------------------------------------------------------------------------------------------- fitting of shapes


def ways(have: Shape, want: Shape) -> list[str]:
    """How an array of one shape can become one of another."""
    m, n = math.prod(have), math.prod(want)
    found = ["same"] if have == want else []
    if have != want and _stretches(have, want):
        found.append("broadcast")
    if have != want and m == n:
        found += ["reshape", "backwards"]
    if have != want and sorted(have) == sorted(want) and len(have) == 2:
        found.append("transpose")
    if m:
        found.append("take")
    if m > n > 0:
        found.append("slice")
    if 0 < m < n:
        found += ["tile", "pad"]
    if have != want:
        found.append("sum")
    return found


def _stretches(have: Shape, want: Shape) -> bool:
    return len(have) <= len(want) and all(a in (1, b) for a, b in zip(reversed(have), reversed(want), strict=False))


def fitted(B: Any, v: Any, way: str, have: Shape, want: Shape) -> Any:
    """A value of shape ``want`` of the elements of ``v``."""
    m, n = math.prod(have), math.prod(want)
    match way:
        case "same":
            return v
        case "broadcast":
            return B.broadcast_to(v, want)
        case "reshape":
            return B.reshape(v, want)
        case "backwards":
            return B.reshape(B.flip(B.ravel(v), 0), want)
        case "transpose":
            return B.transpose(v)
        case "take":
            return B.reshape(B.getitem(B.ravel(v), np.arange(n) * 3 % m), want)
        case "slice":
            return B.reshape(B.getitem(B.ravel(v), slice(m - n, None)), want)
        case "tile":
            return B.reshape(B.getitem(B.tile(B.ravel(v), -(-n // m)), slice(n)), want)
        case "pad":
            return B.reshape(B.pad(B.ravel(v), ((n - m) // 2, n - m - (n - m) // 2)), want)
        case "sum":
            return B.broadcast_to(B.sum(v), want)
    raise LookupError(way)


def fed(B: Any, feed: Feed, values: Sequence[Any]) -> Any:
    """An input of a row, made of an earlier value."""
    v = values[feed.source]
    if feed.image is None and not feed.squash and feed.way == "same" and B.dtype(v) == feed.x.dtype:
        return v
    v = fitted(B, v, feed.way, B.shape(v), feed.x.shape)
    have, want = B.dtype(v).kind, feed.x.dtype.kind
    if want == "f":
        v = v if have == "f" else B.astype(v, feed.x.dtype)
        if feed.squash:
            v = SQUASHES[feed.squash](B, B.multiply(v, feed.scale))
    elif want == "b":
        v = v if have == "b" else B.greater(v, 0.1234) if have == "f" else B.equal(B.remainder(v, 2), 1)
    elif have != want:
        v = B.astype(v if have == "b" else B.floor(B.multiply(v, 3.1)), feed.x.dtype)
    if feed.image is not None:
        v = feed.image(B, v, feed.x)
    return v if B.dtype(v) == feed.x.dtype else B.astype(v, feed.x.dtype)
