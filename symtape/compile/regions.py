"""Boxes of a result, each with loops of its own, and their axes joined where everything walks them in step.

A `Region` is a tree together with the box of the result that it fills. Most operations end as one region with a single
loop.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from symtape.compile.indices import Divided, Linear, Modulo, contiguous, flat, scaled, total
from symtape.compile.loop_tree import Choice, GatheredLoad, Load, Operation, Position, Reduction, Tree


@dataclass(frozen=True, slots=True)
class Region:
    """A box of a result: its tree, the indices of its loops with how far each runs, and where its elements go."""

    tree: Tree
    axes: tuple[int, ...]
    extents: dict[int, int]
    target: Linear


def regions(tree: Tree, shape: Sequence[int], extents: dict[int, int]) -> Iterator[Region]:
    """The boxes of a result that together fill it, each with its own loops.

    A choice at the top becomes one region per box and, before them, one for what no box covers.
    """
    axes = tuple(range(len(shape)))
    target = flat([Linear(0, ((k, 1),)) for k in axes], contiguous(shape))
    whole = Region(tree, axes, {**extents, **dict(enumerate(shape))}, target)
    if not isinstance(tree, Choice):
        yield joined(whole)
        return
    boxes = [(_ranges(bounds, shape), inner) for bounds, inner in tree.boxes]
    if any(ranges is None for ranges, _ in boxes):
        yield joined(whole)
        return
    covered = sum(math.prod(max(high - low, 0) for low, high in ranges) for ranges, _ in boxes if ranges is not None)
    if covered < math.prod(shape):
        yield joined(replace(whole, tree=tree.otherwise))
    for ranges, inner in boxes:
        assert ranges is not None
        if all(low < high for low, high in ranges):
            yield joined(_shifted(replace(whole, tree=inner), ranges))


def _ranges(bounds: Iterable[tuple[Linear, int, int]], shape: Sequence[int]) -> list[tuple[int, int]] | None:
    """How far each axis runs within a box; None if the box is not told by single axes."""
    ranges = [(0, n) for n in shape]
    for at, low, high in bounds:
        if not at.terms:
            if not low <= at.constant < high:
                return [(0, 0) for _ in shape]
            continue
        if len(at.terms) != 1 or not isinstance(at.terms[0][0], int) or at.terms[0][1] != 1:
            return None
        axis = at.terms[0][0]
        before = ranges[axis]
        ranges[axis] = (max(before[0], low - at.constant), min(before[1], high - at.constant))
    return ranges


def _shifted(region: Region, ranges: Sequence[tuple[int, int]]) -> Region:
    """The region over a box, with indices that start at 0."""
    moves = {axis: Linear(low, ((axis, 1),) if high - low != 1 else ()) for axis, (low, high) in enumerate(ranges)}
    extents = region.extents | {axis: high - low for axis, (low, high) in enumerate(ranges)}
    return Region(
        rewritten(region.tree, lambda form: _moved(form, moves)), region.axes, extents, _moved(region.target, moves)
    )


def _moved(form: Linear, moves: dict[int, Linear]) -> Linear:
    """The form with indices replaced."""
    parts = [Linear(form.constant)]
    for atom, factor in form.terms:
        if isinstance(atom, int):
            parts.append(scaled(moves.get(atom, Linear(0, ((atom, 1),))), factor))
        elif isinstance(atom, (Divided, Modulo)):
            parts.append(Linear(0, ((type(atom)(_moved(atom.of, moves), atom.by), factor),)))
        elif isinstance(atom, GatheredLoad):
            parts.append(Linear(0, ((replace(atom, at=_moved(atom.at, moves)), factor),)))
        else:
            parts.append(Linear(0, ((atom, factor),)))
    return total(parts)


def rewritten(tree: Tree, change: Callable[[Linear], Linear]) -> Tree:
    """The tree with every position changed."""
    match tree:
        case Load() | Position():
            return replace(tree, at=change(tree.at))
        case Operation():
            return replace(tree, arguments=tuple(rewritten(a, change) for a in tree.arguments))
        case Choice():
            boxes = tuple(
                (tuple((change(at), low, high) for at, low, high in bounds), rewritten(inner, change))
                for bounds, inner in tree.boxes
            )
            return replace(tree, boxes=boxes, otherwise=rewritten(tree.otherwise, change))
        case Reduction():
            return replace(tree, body=rewritten(tree.body, change))
    return tree


def walk(tree: Tree) -> Iterator[Tree]:
    """Every part of a tree."""
    yield tree
    match tree:
        case Operation():
            for a in tree.arguments:
                yield from walk(a)
        case Choice():
            for _, inner in tree.boxes:
                yield from walk(inner)
            yield from walk(tree.otherwise)
        case Reduction():
            yield from walk(tree.body)


def joined(region: Region) -> Region:
    """The region with axes of length 1 dropped and neighboring axes joined where everything walks them in step."""
    region = _without(region, [k for k in (*region.axes, *_reduced(region.tree)) if region.extents[k] == 1])
    bound = _bound_indices(region.tree)
    reductions = [part.indices for part in walk(region.tree) if isinstance(part, Reduction)]
    for group in (region.axes, *reductions):
        for outer, inner in reversed(list(pairwise(group))):
            if outer in bound or inner in bound:
                continue
            forms = [part.at for part in walk(region.tree) if isinstance(part, Load)]
            if group is region.axes or outer in region.axes:
                forms.append(region.target)
            length = region.extents[inner]
            if all(form.factor(outer) == form.factor(inner) * length for form in forms):
                region = _merged_axes(region, outer, inner)
    return region


def _reduced(tree: Tree) -> list[int]:
    return [k for part in walk(tree) if isinstance(part, Reduction) for k in part.indices]


def _bound_indices(tree: Tree) -> set[int]:
    """Indices that occur other than as plain multiples in the position of a reading."""
    bound: set[int] = set()
    for part in walk(tree):
        if isinstance(part, Position):
            bound |= indices_of(part.at)
        elif isinstance(part, Load):
            for atom, _ in part.at.terms:
                if not isinstance(atom, int):
                    bound |= indices_of(Linear(0, ((atom, 1),)))
        elif isinstance(part, Choice):
            for bounds, _ in part.boxes:
                for at, _, _ in bounds:
                    bound |= indices_of(at)
    return bound


def indices_of(form: Linear) -> set[int]:
    """Numbers of the indices that occur anywhere in a form."""
    found: set[int] = set()
    for atom, _ in form.terms:
        if isinstance(atom, int):
            found.add(atom)
        elif isinstance(atom, (Divided, Modulo)):
            found |= indices_of(atom.of)
        elif isinstance(atom, GatheredLoad):
            found |= indices_of(atom.at)
    return found


def _without(region: Region, gone: Sequence[int]) -> Region:
    """The region without indices that take one value only."""
    if not gone:
        return region
    moves = {k: Linear(0) for k in gone}
    tree = _drop_reduced(rewritten(region.tree, lambda form: _moved(form, moves)), set(gone))
    return Region(tree, tuple(k for k in region.axes if k not in moves), region.extents, _moved(region.target, moves))


def _drop_reduced(tree: Tree, gone: set[int]) -> Tree:
    match tree:
        case Operation():
            return replace(tree, arguments=tuple(_drop_reduced(a, gone) for a in tree.arguments))
        case Choice():
            boxes = tuple((bounds, _drop_reduced(inner, gone)) for bounds, inner in tree.boxes)
            return replace(tree, boxes=boxes, otherwise=_drop_reduced(tree.otherwise, gone))
        case Reduction():
            indices = tuple(k for k in tree.indices if k not in gone)
            return replace(tree, indices=indices, body=_drop_reduced(tree.body, gone))
    return tree


def _merged_axes(region: Region, outer: int, inner: int) -> Region:
    """The region with two neighboring axes as one, which keeps the inner one's strides and the outer one's number."""
    moves = {outer: Linear(0), inner: Linear(0, ((outer, 1),))}
    return Region(
        _drop_reduced(rewritten(region.tree, lambda form: _moved(form, moves)), {inner}),
        tuple(k for k in region.axes if k != inner),
        region.extents | {outer: region.extents[outer] * region.extents[inner]},
        _moved(region.target, moves),
    )
