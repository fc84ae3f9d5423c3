"""Jacobians with their deltas kept as such.

The Jacobian of a node of shape ``o`` in a source of shape ``i`` has the shape ``(*o, *i)``, and most of them are mostly
zero: that of ``sin(x)`` is a diagonal, that of ``X @ w`` in ``w`` is X itself and no product with an identity matrix.
So a Jacobian is kept in parts:

    J[o1, o2, ..., i1, i2, ...] = scale[o1, o2, ...] * factor[o1, o2, ..., untied i's] * delta(o1, i2) * ...

where deltas *tie* an axis of the node to an axis of the source. Elementwise ops change the scale only, a contraction
over a tied axis renames it. Only what no tie can say is written out. (The idea is that of Laue, Mitterreiter, Giesen,
"A Simple and Efficient Tensor Calculus", AAAI 2020; there the deltas of a finished expression are removed, here they
are never built.)

This module is the arithmetic of such Jacobians; `symtape.autodiff.tied_rules` says what each op does to them.
"""

from __future__ import annotations

import string
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import reduce
from typing import TypeAlias

import numpy as np

from symtape.graph.node import CONST, Node
from symtape.graph.shapes import Dim, Length, Shape
from symtape.ops.namespace import DERIVATIVES, Namespace

#: Labels of a node's axes, and of the source's axes that are not tied.
OWN = string.ascii_lowercase
SOURCE = string.ascii_uppercase

#: Labels of an operand's axes, and the operand.
Operand: TypeAlias = tuple[str, Node]


@dataclass(frozen=True, slots=True)
class Tied:
    """A Jacobian as scale, factor and deltas.

    Attributes
    ----------
    scale : Node or None
        Over the node's axes, of length 1 where it does not vary; a scalar where it varies nowhere; None for 1.
    factor : Node or None
        Over the node's axes and then the source's untied ones, in order; of length 1 where it does not vary; a scalar
        or None likewise.
    ties : tuple
        Per axis of the node the axis of the source that it equals, or None.
    """

    scale: Node | None
    factor: Node | None
    ties: tuple[int | None, ...]

    @property
    def is_nothing(self) -> bool:
        """Whether it is known to be zero everywhere."""
        return self.factor is not None and self.factor.op is CONST and self.factor.shape == () and not self.factor.value


class TiedArithmetic:
    """Operations on Jacobians in one source.

    Parameters
    ----------
    source : Node
    B : Namespace
        Builds nodes.
    """

    def __init__(self, source: Node, B: Namespace = DERIVATIVES) -> None:
        self.B = B
        self.source = source
        self.inner: Shape = source.shape

    # ------------------------------------------------------------------------------------------------- simple Jacobians

    def itself(self) -> Tied:
        """The Jacobian of the source. An axis of length 1 is never tied, so that no tied axis is ever stretched."""
        return Tied(None, None, tuple(None if n == 1 else k for k, n in enumerate(self.inner)))

    def nothing(self, node: Node) -> Tied:
        """Connected, with derivative 0."""
        return Tied(None, self.B.const(np.zeros((), node.dtype)), (None,) * len(node.shape))

    def one(self) -> Node:
        """The number 1 in the source's dtype."""
        value = 1.0 if self.source.dtype == np.float64 else np.ones((), self.source.dtype)
        return self.B.const(value)  # type: ignore[no-any-return]

    def free_axes(self, ties: Sequence[int | None]) -> list[int]:
        """The source's axes that are not tied."""
        return [k for k in range(len(self.inner)) if k not in ties]

    # ---------------------------------------------------------------------------------------------------- contractions

    def pushed(
        self,
        tied: Tied,
        labels: str,
        out: str,
        lengths: dict[str, Length],
        before: Sequence[Operand] = (),
        after: Sequence[Operand] = (),
    ) -> Tied:
        """Through a sum of products of which the node is one factor.

        Parameters
        ----------
        tied : Tied
            Jacobian of that factor.
        labels, out : str
            Labels (lower case) of its axes and of the result's.
        lengths : dict
            Of all labels.
        before, after : sequence of (labels, Node)
            The other factors.
        """
        ties, free = self._renamed(tied, labels, out, ())
        every = lengths | self._source_lengths()
        own = self._factor_labels(tied, labels)
        used = dict.fromkeys(own + "".join(text for text, _ in (*before, *after)))
        middle = self._operands(tied, labels)
        if len(middle) == 2 and all(x.shape for _, x in middle):
            middle = [(own, self._merge(middle, own, every))]
        return Tied(None, self._product([*before, *middle, *after], out + free, every, used), ties)

    def relabeled(
        self,
        tied: Tied,
        labels: str,
        out: str,
        lengths: dict[str, Length],
        scales: Sequence[Operand] = (),
        untie: Collection[int] = (),
    ) -> Tied:
        """With axes renamed, moved, added, or (those of length 1) dropped, and the scale multiplied; no sums.

        Parameters
        ----------
        tied, labels, out, lengths
            See `pushed`.
        scales : sequence of (labels, Node)
            What multiplies the scale.
        untie : collection of int
            Axes of the result whose deltas are to be written out.
        """
        ties, free = self._renamed(tied, labels, out, untie)
        every = lengths | self._source_lengths()
        own = self._factor_labels(tied, labels)
        factors = [] if tied.factor is None else [(own if tied.factor.shape else "", tied.factor)]
        if tied.scale is not None:
            scales = [*scales, (labels if tied.scale.shape else "", tied.scale)]
        return Tied(
            self._product(scales, out, every, dict.fromkeys(labels)),
            self._product(factors, out + free, every, own),
            ties,
        )

    def _renamed(self, tied: Tied, labels: str, out: str, untie: Collection[int]) -> tuple[tuple[int | None, ...], str]:
        """Ties of the result and labels of the source's axes that are not tied there."""
        places = {k: SOURCE[k] for k in range(len(self.inner))}
        ties: list[int | None] = [None] * len(out)
        for label, k in zip(labels, tied.ties, strict=True):
            if k is None:
                continue
            place = out.find(label)
            if place >= 0 and ties[place] is None and place not in untie:
                ties[place] = k
            else:
                places[k] = label
        return tuple(ties), "".join(places[k] for k in self.free_axes(ties))

    def _source_lengths(self) -> dict[str, Length]:
        return {SOURCE[k]: n for k, n in enumerate(self.inner)}

    def _factor_labels(self, tied: Tied, labels: str) -> str:
        return labels + "".join(SOURCE[k] for k in self.free_axes(tied.ties))

    def _operands(self, tied: Tied, labels: str) -> list[Operand]:
        """Scale and factor, as far as they are not 1."""
        texts = (labels, self._factor_labels(tied, labels))
        return [
            (text if x.shape else "", x)
            for text, x in zip(texts, (tied.scale, tied.factor), strict=True)
            if x is not None
        ]

    def _merge(self, operands: Sequence[Operand], target: str, lengths: dict[str, Length]) -> Node:
        found = self._product(operands, target, lengths, ())
        assert found is not None
        return found

    def _product(
        self, operands: Sequence[Operand], target: str, lengths: dict[str, Length], used: Collection[str]
    ) -> Node | None:
        """A contraction whose result has axes of length 1 where no operand varies; None for 1.

        ``used`` are labels that are summed over if the target lacks them, even if no operand has them.
        """
        B = self.B
        factors = [_without_units(B, text, x) for text, x in operands]
        covered = {label for text, _ in factors for label in text}
        count = 1
        for label in used:
            if label in covered or label in target or lengths[label] == 1:
                continue
            if isinstance(lengths[label], Dim):
                factors.append(self._ones(label, lengths))
            else:
                count *= int(lengths[label])
        for label in dict.fromkeys(target):
            if target.count(label) > 1 and label not in covered:
                factors.append(self._ones(label, lengths))
                covered.add(label)
        kept = "".join(label for label in target if label in covered)
        numbers = [x for text, x in factors if not text]
        arrays = [(text, x) for text, x in factors if text]
        if count != 1:
            numbers.append(B.const(float(count)))
        if not arrays:
            return reduce(B.multiply, numbers) if numbers else None
        value: Node = arrays[0][1]
        if len(arrays) > 1 or arrays[0][0] != kept:
            value = B.contract(",".join(text for text, _ in arrays) + f"->{kept}", *[x for _, x in arrays])
        if numbers:
            value = B.multiply(reduce(B.multiply, numbers), value)
        if kept and kept != target:
            value = B.reshape(value, tuple(lengths[c] if c in covered else 1 for c in target))
        return value

    def _ones(self, label: str, lengths: dict[str, Length]) -> Operand:
        return label, self.B.broadcast_to(self.one(), (lengths[label],))

    # ------------------------------------------------------------------------------------------------------ other forms

    def untied(self, tied: Tied, shape: Shape, axes: Collection[int]) -> Tied:
        """With the deltas of some of the node's axes written out."""
        if all(tied.ties[k] is None for k in axes):
            return tied
        labels = OWN[: len(shape)]
        return self.relabeled(tied, labels, labels, dict(zip(labels, shape, strict=True)), untie=axes)

    def merged(self, tied: Tied, shape: Shape) -> Tied:
        """With the scale multiplied into the factor."""
        if tied.scale is None:
            return tied
        labels = OWN[: len(shape)]
        target = self._factor_labels(tied, labels)
        lengths = self._source_lengths() | dict(zip(labels, shape, strict=True))
        return Tied(None, self._product(self._operands(tied, labels), target, lengths, ()), tied.ties)

    def written(self, tied: Tied, shape: Shape, axes: Collection[int]) -> tuple[Node, tuple[int | None, ...]]:
        """Scale and factor in one node of full rank, untied and written out along the given axes; and the ties left."""
        free = self.untied(self.merged(tied, shape), shape, axes)
        rest = self.free_axes(free.ties)
        factor = self.one() if free.factor is None else free.factor
        units = factor.shape or (1,) * (len(shape) + len(rest))
        wanted = tuple(shape[k] if k in axes else n for k, n in enumerate(units[: len(shape)])) + units[len(shape) :]
        return factor if factor.shape == wanted else self.B.broadcast_to(factor, wanted), free.ties

    def dense(self, tied: Tied, node: Node) -> Node:
        """The Jacobian of a node written out, of shape ``(*node.shape, *source.shape)``."""
        found, _ = self.written(tied, node.shape, range(len(node.shape)))
        shape = node.shape + self.inner
        if found.shape != shape:
            found = self.B.broadcast_to(found, shape)
        return found if found.dtype == node.dtype else self.B.astype(found, node.dtype)

    def alike(self, parts: Sequence[Tied], shape: Shape) -> list[Tied]:
        """The same Jacobians, tied where all of them agree."""
        unlike = [k for k in range(len(shape)) if len({p.ties[k] for p in parts}) > 1]
        return [self.untied(p, shape, unlike) for p in parts]

    def total(self, parts: Sequence[Tied], shape: Shape) -> Tied:
        """The sum of contributions: by scale where factor and ties agree, else written out as far as they differ."""
        something = [p for p in parts if not p.is_nothing] or list(parts[:1])
        groups: dict[tuple[Node | None, tuple[int | None, ...]], list[Node]] = {}
        for p in something:
            groups.setdefault((p.factor, p.ties), []).append(self.one() if p.scale is None else p.scale)
        if len(something) == 1:
            return something[0]
        sums = [Tied(self._added(scales), factor, ties) for (factor, ties), scales in groups.items()]
        if len(sums) == 1:
            return sums[0]
        alike = self.alike([self.merged(p, shape) for p in sums], shape)
        return Tied(None, self._added([self.one() if p.factor is None else p.factor for p in alike]), alike[0].ties)

    def _added(self, terms: Sequence[Node]) -> Node:
        if all(t.shape == terms[0].shape for t in terms):
            return self.B.add_n(*terms)  # type: ignore[no-any-return]
        result = terms[0]
        for t in terms[1:]:
            result = self.B.add(result, t)
        return result


def _without_units(B: Namespace, text: str, x: Node) -> Operand:
    """An operand without its axes of length 1, along which it does not vary."""
    axes = tuple(k for k, n in enumerate(x.shape) if n == 1)
    return ("".join(c for k, c in enumerate(text) if k not in axes), B.squeeze(x, axes)) if axes else (text, x)
