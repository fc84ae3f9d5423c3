"""Shape arithmetic, for axis lengths that are numbers and for those that are only named.

A shape is a tuple whose entries are ``int`` or `Dim`. All arithmetic on shapes stands here, so that an op never has to
ask whether a length is known.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import reduce
from typing import Any, TypeAlias

import numpy as np

from symtape.errors import ShapeError, UnboundDimensionError


class Dim:
    """A named axis length: a polynomial with integer coefficients in names that are bound later.

    Two dims are equal when their polynomials are. Anything that would need the number (``int``, ``range``, ordering)
    raises `UnboundDimensionError`.

    Parameters
    ----------
    name : str
        The name of the length, an identifier.

    Examples
    --------
    >>> n = Dim("n")
    >>> n + 1, 2 * n * n - n, (2 * n) // 2
    (n + 1, 2*n*n - n, n)
    >>> n - n
    0
    """

    __slots__ = ("_hash", "terms")
    terms: tuple[tuple[tuple[str, ...], int], ...]

    def __init__(self, name: Any) -> None:
        if not (isinstance(name, str) and name.isidentifier()):
            raise ValueError(f"the name of a Dim must be an identifier, got {name!r}")
        self._set((((name,), 1),))

    def _set(self, terms: tuple[tuple[tuple[str, ...], int], ...]) -> None:
        self.terms = terms
        self._hash = hash(terms)

    @staticmethod
    def _make(terms: Mapping[tuple[str, ...], int]) -> Length:
        kept = tuple(sorted(((m, c) for m, c in terms.items() if c), key=lambda t: (-len(t[0]), t[0])))
        if not kept:
            return 0
        if len(kept) == 1 and kept[0][0] == ():
            return kept[0][1]
        dim = object.__new__(Dim)
        dim._set(kept)
        return dim

    @staticmethod
    def _terms(value: object) -> dict[tuple[str, ...], int] | None:
        if isinstance(value, Dim):
            return dict(value.terms)
        if isinstance(value, (int, np.integer)):
            return {(): int(value)}
        return None

    def __add__(self, other: object) -> Length:
        theirs = self._terms(other)
        if theirs is None:
            return NotImplemented
        total = dict(self.terms)
        for monomial, c in theirs.items():
            total[monomial] = total.get(monomial, 0) + c
        return self._make(total)

    __radd__ = __add__

    def __neg__(self) -> Length:
        return self._make({m: -c for m, c in self.terms})

    def __sub__(self, other: object) -> Length:
        theirs = self._terms(other)
        return NotImplemented if theirs is None else self + self._make({m: -c for m, c in theirs.items()})

    def __rsub__(self, other: object) -> Length:
        theirs = self._terms(other)
        return NotImplemented if theirs is None else self * -1 + self._make(theirs)

    def __mul__(self, other: object) -> Length:
        theirs = self._terms(other)
        if theirs is None:
            return NotImplemented
        total: dict[tuple[str, ...], int] = {}
        for m, c in self.terms:
            for k, d in theirs.items():
                key = tuple(sorted(m + k))
                total[key] = total.get(key, 0) + c * d
        return self._make(total)

    __rmul__ = __mul__

    def __floordiv__(self, other: object) -> Length:
        """Exact division by a number or a single monomial; anything else needs the number."""
        theirs = self._terms(other)
        if theirs is None:
            return NotImplemented
        if len(theirs) == 1:
            ((divisor, d),) = theirs.items()
            quotient: dict[tuple[str, ...], int] = {}
            for m, c in self.terms:
                rest = list(m)
                for name in divisor:
                    if name not in rest:
                        break
                    rest.remove(name)
                else:
                    if d and c % d == 0:
                        quotient[tuple(rest)] = c // d
                        continue
                break
            else:
                return self._make(quotient)
        raise UnboundDimensionError(f"{self} // {other} is not known before {', '.join(sorted(self.names))} is bound")

    def __rfloordiv__(self, other: object) -> Length:
        if isinstance(other, int) and other == 0:
            return 0
        raise UnboundDimensionError(f"{other} // {self} is not known before {', '.join(sorted(self.names))} is bound")

    @property
    def names(self) -> frozenset[str]:
        """The names that occur in this length."""
        return frozenset(name for monomial, _ in self.terms for name in monomial)

    def bind(self, sizes: Mapping[str, int]) -> Length:
        """The length with the given names replaced by numbers."""
        total: Length = 0
        for monomial, c in self.terms:
            term: Length = c
            for name in monomial:
                term = term * (sizes[name] if name in sizes else Dim(name))
            total = total + term
        return total

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Dim) and self.terms == other.terms

    def __hash__(self) -> int:
        return self._hash

    def _no_number(self, *_: object) -> int:
        raise UnboundDimensionError(
            f"the axis length {self} has no number yet; give {', '.join(sorted(self.names))} a size by calling with "
            "arrays of a known shape"
        )

    __int__ = __index__ = _no_number

    def __bool__(self) -> bool:
        return bool(self._no_number())

    def __lt__(self, other: object) -> bool:
        return bool(self._no_number())

    __le__ = __gt__ = __ge__ = __lt__

    def __repr__(self) -> str:
        text = ""
        for monomial, c in self.terms:
            body = "*".join(monomial)
            size = abs(c)
            part = body if size == 1 and body else f"{size}*{body}" if body else str(size)
            sign = "-" if c < 0 else "+"
            text += (f"-{part}" if c < 0 else part) if not text else f" {sign} {part}"
        return text

    def __reduce__(self) -> tuple[object, ...]:
        return (_rebuild_dim, (self.terms,))


def _rebuild_dim(terms: tuple[tuple[tuple[str, ...], int], ...]) -> Length:
    return Dim._make(dict(terms))  # noqa: SLF001 (a part of the class, outside only so that pickle finds it)


Length: TypeAlias = "int | Dim"
Shape: TypeAlias = tuple[Length, ...]


def as_shape(shape: object) -> Shape:
    """A shape from what users write: an int, a `Dim`, a name, or a sequence of these.

    Examples
    --------
    >>> as_shape(3), as_shape(("n", 2)), as_shape([])
    ((3,), (n, 2), ())
    """
    if isinstance(shape, (int, np.integer, Dim, str)):
        shape = (shape,)
    if not isinstance(shape, Iterable):
        raise TypeError(f"a shape must be an int or a sequence of ints and names, got {shape!r}")
    entries: list[Length] = []
    for entry in shape:
        if isinstance(entry, Dim):
            entries.append(entry)
        elif isinstance(entry, str):
            entries.append(Dim(entry))
        elif isinstance(entry, (int, np.integer)) and not isinstance(entry, bool):
            if entry < 0:
                raise ShapeError(f"an axis length must not be negative, got {entry} in the shape {tuple(shape)}")
            entries.append(int(entry))
        else:
            raise TypeError(f"an axis length must be an int, a name or a Dim, got {entry!r} in the shape {shape!r}")
    return tuple(entries)


def is_known(shape: Shape) -> bool:
    """Whether every axis length is a number."""
    return not any(isinstance(d, Dim) for d in shape)


def size(shape: Shape) -> Length:
    """The number of elements.

    Examples
    --------
    >>> size((2, 3)), size(()), size((Dim("n"), 2))
    (6, 1, 2*n)
    """
    total: Length = 1
    for length in shape:
        total = total * length
    return total


def broadcast_two(a: Shape, b: Shape) -> Shape:
    """NumPy's broadcasting of two shapes; a `Dim` fits itself and 1.

    Examples
    --------
    >>> broadcast_two((3, 1), (4,)), broadcast_two((Dim("n"), 1), (2,))
    ((3, 4), (n, 2))
    """
    if a == b or b == ():
        return a
    if a == ():
        return b
    if len(a) < len(b):
        a = (1,) * (len(b) - len(a)) + a
    elif len(b) < len(a):
        b = (1,) * (len(a) - len(b)) + b
    out: list[Length] = []
    for m, n in zip(a, b, strict=True):
        if m == n or n == 1:
            out.append(m)
        elif m == 1:
            out.append(n)
        else:
            raise ShapeError(
                f"operands could not be broadcast together with shapes {a} and {b}: {m} and {n} differ and neither is 1"
            )
    return tuple(out)


def broadcast(shapes: Iterable[Shape]) -> Shape:
    """NumPy's broadcasting of any number of shapes."""
    return reduce(broadcast_two, shapes, ())


def normalize_axis(axis: int, ndim: int) -> int:
    """A non-negative axis, or ``AxisError`` as NumPy raises it."""
    if isinstance(axis, bool) or not isinstance(axis, (int, np.integer)):
        raise TypeError(f"an axis must be an int, got {axis!r}")
    if not -ndim <= axis < ndim:
        raise np.exceptions.AxisError(int(axis), ndim)
    return int(axis) % ndim


def normalize_axes(axis: int | Sequence[int] | None, ndim: int) -> tuple[int, ...]:
    """Sorted non-negative axes; None means all of them. Repeated axes are a ``ValueError``."""
    if axis is None:
        return tuple(range(ndim))
    if isinstance(axis, (int, np.integer)):
        return (normalize_axis(int(axis), ndim),)
    axes = tuple(sorted(normalize_axis(a, ndim) for a in axis))
    if len(set(axes)) != len(axes):
        raise ValueError(f"duplicate value in 'axis': {tuple(axis)}")
    return axes


def reduced(shape: Shape, axes: tuple[int, ...]) -> Shape:
    """The shape without the given (normalized) axes."""
    return tuple(d for k, d in enumerate(shape) if k not in axes)


def kept(shape: Shape, axes: tuple[int, ...]) -> Shape:
    """The shape with the given (normalized) axes set to 1, as ``keepdims=True`` leaves it."""
    return tuple(1 if k in axes else d for k, d in enumerate(shape))


def resolve_reshape(shape: Shape, new: Sequence[Length]) -> Shape:
    """The target of a reshape with at most one ``-1`` filled in.

    Examples
    --------
    >>> resolve_reshape((2, 6), (3, -1)), resolve_reshape((Dim("n"), 2), (-1,))
    ((3, 4), (2*n,))
    """
    total = size(shape)
    unknown = [k for k, d in enumerate(new) if isinstance(d, (int, np.integer)) and d == -1]
    if len(unknown) > 1:
        raise ShapeError("can only specify one unknown dimension")
    if any(isinstance(d, (int, np.integer)) and d < -1 for d in new):
        raise ShapeError(f"negative axis length in the shape {tuple(new)}")
    target = [d if isinstance(d, Dim) else int(d) for d in new]
    if unknown:
        rest = size(tuple(d for k, d in enumerate(target) if k != unknown[0]))
        if isinstance(rest, int) and isinstance(total, int) and (rest == 0 or total % rest):
            raise ShapeError(f"cannot reshape array of size {total} into shape {tuple(new)}")
        target[unknown[0]] = total // rest
    if size(tuple(target)) != total:
        raise ShapeError(f"cannot reshape array of size {total} (shape {shape}) into shape {tuple(new)}")
    return tuple(target)
