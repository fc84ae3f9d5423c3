"""Element rules made concrete: where each reading stands in memory, and what each operation runs on.

`resolve` turns a rule into a tree over indices that run from 0, with positions in memory instead of subscripts.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, TypeAlias

import numpy as np

from symtape.compile.arguments import Base, Constant, Value
from symtape.compile.indices import Atom, Divided, Found, Gathered, Linear, Modulo, flat, linear
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


Tree: TypeAlias = "Load | Invariant | Position | Operation | Choice | Reduction"


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
        """The tree of a rule; at the top its dtype is that of the result."""
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

    def place(self, at: Sequence[Any], strides: Sequence[int]) -> Linear:
        """The position in memory of indices that may be gathered."""
        return _with_gathers(flat([linear(a, self._lengths()) for a in at], strides), self)

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
class GatheredLoad(Found):
    """A gather whose index stands in memory: base and place of the index, its type, the length that it must fit."""

    base: Base
    at: Linear
    kind: ScalarType
    length: int


@dataclass(frozen=True, slots=True)
class GatheredScalar(Found):
    """A gather whose index is a scalar of the caller."""

    element: int | Constant
    kind: ScalarType
    length: int


def _with_gathers(form: Linear, resolver: Resolver) -> Linear:
    """The form with gathers told by places in memory instead of numbers of inputs."""
    if form.is_affine:
        return form
    terms: list[tuple[Atom, int]] = []
    for atom, factor in form.terms:
        if isinstance(atom, Gathered):
            value = resolver.values[atom.input]
            if value.kind is None:
                raise _NotLowerable(str(resolver.dtypes[atom.input]))
            found: Found
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
