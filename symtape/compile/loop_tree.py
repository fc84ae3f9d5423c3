"""Element rules made concrete: where each reading stands in memory, what each operation runs on, which axes are one.

`resolve` turns a rule into a tree over indices that run from 0, with positions in memory instead of subscripts. A
`Region` is such a tree together with the box of the result that it fills; neighboring axes that every reading walks in
step are joined, so that most operations end as a single loop.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import pairwise
from typing import Any, TypeAlias, Union

import numpy as np

from symtape.compile.arguments import Base, Constant, Value
from symtape.compile.indices import Divided, Gathered, Linear, Modulo, contiguous, flat, linear, scaled, total
from symtape.compile.ir_types import INT64, ScalarType, scalar_type
from symtape.compile.lowering import Lowered, lowered_op
from symtape.graph.node import DType
from symtape.ops.element import Apply, Boxes, IndexValue, Number, Read, Reduce, Scalar


@dataclass(frozen=True, slots=True)
class Load:
    """The element ``at`` (counted from ``base``, in elements) of an array."""

    base: Base
    at: Linear
    kind: ScalarType
    dtype: DType


@dataclass(frozen=True, slots=True)
class Invariant:
    """A scalar that no loop changes: a register of the caller, or a constant."""

    element: int | Constant
    kind: ScalarType
    dtype: DType | type


@dataclass(frozen=True, slots=True)
class Position:
    """An index as a value."""

    at: Linear
    kind: ScalarType
    dtype: DType


@dataclass(frozen=True, slots=True)
class Operation:
    """An elementwise op."""

    lowered: Lowered
    arguments: tuple[Tree, ...]
    kind: ScalarType
    dtype: DType


@dataclass(frozen=True, slots=True)
class Choice:
    """The first box that contains the indices decides: ``(bounds, tree)`` with bounds ``low <= index < high``."""

    boxes: tuple[tuple[tuple[tuple[Linear, int, int], ...], Tree], ...]
    otherwise: Tree
    kind: ScalarType
    dtype: DType


@dataclass(frozen=True, slots=True)
class Reduction:
    """A reduction over the indices ``first, first + 1, ...``."""

    how: str
    indices: tuple[int, ...]
    body: Tree
    kind: ScalarType
    dtype: DType


Tree: TypeAlias = Union[Load, Invariant, Position, Operation, Choice, Reduction]


@dataclass(frozen=True, slots=True)
class Region:
    """A box of a result: its tree, the indices of its loops with how far each runs, and where its elements go."""

    tree: Tree
    axes: tuple[int, ...]
    extents: dict[int, int]
    target: Linear


class _NotLowerable(Exception):  # noqa: N818 (no error: the caller takes another way)
    """An operation in the rule has no lowering for its types."""


@dataclass(slots=True)
class Resolver:
    """What a rule is resolved against.

    Attributes
    ----------
    values : list of Value
        Of the inputs.
    dtypes : list of dtype or type
        Theirs; the Python type of a weak scalar.
    dtype : dtype
        Of the result.
    extents : dict of int to int
        How far each index runs.
    view : callable
        ``view(k)`` makes sure that input ``k`` stands in memory.
    load : callable
        ``load(k, position)`` gives the register of one element of input ``k``.
    contract : bool
    """

    values: Sequence[Value]
    dtypes: Sequence[DType | type]
    dtype: DType
    extents: dict[int, int]
    view: Callable[[int], Any]
    load: Callable[[int, int], int | Constant]
    contract: bool

    def resolve(self, rule: Scalar, top: bool = True) -> Tree:
        match rule:
            case Read(number, at):
                return self._read(number, at)
            case Number(value):
                return Invariant(Constant(value), _known(self.dtype), self.dtype)
            case IndexValue(index):
                return Position(linear(index, self._lengths()), INT64, np.dtype(np.int64))
            case Apply(op, arguments, params):
                parts = tuple(self.resolve(a, top=False) for a in arguments)
                dtypes = tuple(p.dtype for p in parts)
                dtype = self.dtype if top else result_of(op, dtypes, params)
                lowered = lowered_op(op, dtypes, dtype, self.contract, params)
                if lowered is None:
                    raise _NotLowerable(op.name)
                return Operation(lowered, parts, lowered.kind, dtype)
            case Boxes(boxes, otherwise):
                lengths = self._lengths()
                found = tuple(
                    (
                        tuple((linear(i, lengths), int(low), int(high)) for i, low, high in box.bounds),
                        self.resolve(box.then, top),
                    )
                    for box in boxes
                )
                rest = self.resolve(otherwise, top)
                return Choice(found, rest, _known(self.dtype if top else rest.dtype), rest.dtype)  # type: ignore[arg-type]
            case Reduce(how, first, extents, body):
                for k, length in enumerate(extents):
                    self.extents[first + k] = int(length)
                inner = self.resolve(body, top=False)
                dtype = self.dtype if top else reduced_dtype(how, np.dtype(inner.dtype))
                indices = tuple(first + k for k in range(len(extents)))
                return Reduction(how, indices, inner, _known(dtype), dtype)
        raise TypeError(f"no element rule: {rule!r}")

    def _lengths(self) -> list[int]:
        return [self.extents.get(k, 1) for k in range(max(self.extents, default=-1) + 1)]

    def _read(self, number: int, at: Sequence[Any]) -> Tree:
        value = self.values[number]
        dtype = self.dtypes[number]
        kind = value.kind
        if kind is None:
            raise _NotLowerable(str(dtype))
        if value.elements is not None and len(value.elements) == 1:
            return Invariant(value.elements[0], kind, dtype)
        view = self.view(number)
        where = flat([linear(a, self._lengths()) for a in at], view.strides, view.offset)
        where = _with_gathers(where, self)
        if not where.terms:
            return Invariant(self.load(number, where.constant), kind, dtype)
        return Load(view.base, where, kind, np.dtype(dtype))


@dataclass(frozen=True, slots=True)
class GatheredLoad:
    """A gather whose index stands in memory: base and place of the index, its type, the length that it must fit."""

    base: Base
    at: Linear
    kind: ScalarType
    length: int


@dataclass(frozen=True, slots=True)
class GatheredScalar:
    """A gather whose index is a scalar of the caller."""

    element: int | Constant
    kind: ScalarType
    length: int


def _with_gathers(form: Linear, resolver: Resolver) -> Linear:
    """The form with gathers told by places in memory instead of numbers of inputs."""
    if form.is_affine:
        return form
    terms: list[tuple[Any, int]] = []
    for atom, factor in form.terms:
        if isinstance(atom, Gathered):
            value = resolver.values[atom.input]
            if value.kind is None:
                raise _NotLowerable(str(resolver.dtypes[atom.input]))
            found: Any
            if value.elements is not None and len(value.elements) == 1:
                found = GatheredScalar(value.elements[0], value.kind, atom.length)
            else:
                view = resolver.view(atom.input)
                place = _with_gathers(flat(atom.at, view.strides, view.offset), resolver)
                found = GatheredLoad(view.base, place, value.kind, atom.length)
            terms.append((found, factor))
        elif isinstance(atom, (Divided, Modulo)):
            terms.append((type(atom)(_with_gathers(atom.of, resolver), atom.by), factor))
        else:
            terms.append((atom, factor))
    return Linear(form.constant, tuple(terms))


def resolve(rule: Scalar, resolver: Resolver) -> Tree | None:
    """The tree of an element rule, or None if an operation in it has no lowering."""
    try:
        return resolver.resolve(rule)
    except _NotLowerable:
        return None


def _known(dtype: DType) -> ScalarType:
    kind = scalar_type(dtype)
    if kind is None:
        raise _NotLowerable(str(dtype))
    return kind


@lru_cache(maxsize=4096)
def result_of(op: Any, dtypes: tuple[DType | type, ...], params: tuple[Any, ...] = ()) -> DType:
    """NumPy's result dtype of an elementwise op within a rule."""
    samples = [np.ones((), d) if isinstance(d, np.dtype) else d(1) for d in dtypes]
    with np.errstate(all="ignore"):
        return np.asarray(op.value(*samples, *params)).dtype


def reduced_dtype(how: str, dtype: DType) -> DType:
    """NumPy's result dtype of a reduction within a rule."""
    if how in ("any", "all"):
        return np.dtype(bool)
    if how in ("argmax", "argmin"):
        return np.dtype(np.int64)
    return getattr(np, how)(np.ones(1, dtype)).dtype  # type: ignore[no-any-return]


# ------------------------------------------------------------------------------------------------------------- regions


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
    covered = sum(int(np.prod([max(h - l, 0) for l, h in ranges])) for ranges, _ in boxes if ranges is not None)
    if covered < int(np.prod(shape)):
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
    moves = {
        axis: Linear(low, ((axis, 1),) if high - low != 1 else ()) for axis, (low, high) in enumerate(ranges)
    }
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
            parts.append(Linear(0, ((replace(atom, at=_moved(atom.at, moves)), factor),)))  # type: ignore[arg-type]
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
    return Region(
        tree, tuple(k for k in region.axes if k not in moves), region.extents, _moved(region.target, moves)
    )


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
