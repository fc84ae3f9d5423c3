"""Index expressions brought to one form: a constant plus multiples of indices, quotients, remainders and gathers.

`Linear` is that form. It is where a transpose or slice becomes strides, and where the ``//`` and ``%`` of a reshape
cancel against the strides of a contiguous array, so that most layout costs nothing at run time.
"""

from __future__ import annotations

import operator
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import SupportsIndex, TypeAlias

from symtape.ops.element import Gather, Index, IndexLike, Quotient, Remainder, Scaled, Sum


@dataclass(frozen=True, slots=True)
class Divided:
    """Floor division of a form by a positive number that does not divide out."""

    of: Linear
    by: int


@dataclass(frozen=True, slots=True)
class Modulo:
    """What such a division leaves, never negative."""

    of: Linear
    by: int


@dataclass(frozen=True, slots=True)
class Gathered:
    """An element of an integer input, as an index into an axis of the given length."""

    input: int
    at: tuple[Linear, ...]
    length: int


Atom: TypeAlias = "int | Divided | Modulo | Gathered | Found"


class Found:
    """A gather that was found in memory or registers: see `symtape.compile.loop_tree`."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class Linear:
    """``constant`` plus the sum of ``factor * atom``; an atom that is an int is the index of that number."""

    constant: int
    terms: tuple[tuple[Atom, int], ...] = ()

    @property
    def is_affine(self) -> bool:
        """Whether only plain indices occur."""
        return all(isinstance(atom, int) for atom, _ in self.terms)

    def factor(self, index: int) -> int:
        """The multiple of an index that stands directly in the form."""
        return next((f for atom, f in self.terms if atom == index), 0)


def _order(term: tuple[Atom, int]) -> tuple[int, str]:
    atom = term[0]
    return (0, f"{atom:06d}") if isinstance(atom, int) else (1, repr(atom))


def _make(constant: int, terms: Mapping[Atom, int]) -> Linear:
    merged = _merged({atom: factor for atom, factor in terms.items() if factor})
    if merged is not None:
        return total([Linear(constant), *merged])
    return Linear(constant, tuple(sorted(((a, f) for a, f in terms.items() if f), key=_order)))


def _merged(terms: dict[Atom, int]) -> list[Linear] | None:
    """``d*(e//d) + e%d = e`` and ``d*((e//d)%m) + e%d = e%(d*m)``: what a reshape of contiguous memory comes to."""
    for atom, factor in terms.items():
        if not isinstance(atom, Modulo):
            continue
        for other, weight in terms.items():
            if weight != factor * atom.by or isinstance(other, int):
                continue
            if isinstance(other, Divided) and other.by == atom.by and other.of == atom.of:
                whole = atom.of
            elif isinstance(other, Modulo) and other.of == Linear(0, ((Divided(atom.of, atom.by), 1),)):
                whole = Linear(0, ((Modulo(atom.of, atom.by * other.by), 1),))
            else:
                continue
            rest = {a: f for a, f in terms.items() if a not in (atom, other)}
            return [Linear(0, tuple(rest.items())), scaled(whole, factor)]
    return None


def total(parts: Iterable[Linear]) -> Linear:
    """The sum of forms."""
    constant = 0
    terms: dict[Atom, int] = {}
    for part in parts:
        constant += part.constant
        for atom, factor in part.terms:
            terms[atom] = terms.get(atom, 0) + factor
    return _make(constant, terms)


def scaled(form: Linear, factor: int) -> Linear:
    """A multiple of a form."""
    if factor == 1:
        return form
    return Linear(form.constant * factor, tuple((a, f * factor) for a, f in form.terms) if factor else ())


def bounds(form: Linear, extents: Sequence[int]) -> tuple[int, int]:
    """The least and the largest value that a form can take, inclusive, while the indices run over their extents."""
    low = high = form.constant
    for atom, factor in form.terms:
        if isinstance(atom, int):
            least, most = 0, max(extents[atom] - 1, 0)
        elif isinstance(atom, Gathered):
            least, most = 0, max(atom.length - 1, 0)
        elif isinstance(atom, Modulo):
            least, most = 0, atom.by - 1
        elif isinstance(atom, Divided):
            least, most = (b // atom.by for b in bounds(atom.of, extents))
        else:
            raise TypeError(f"no bounds are known of {atom!r}")
        low += factor * (least if factor > 0 else most)
        high += factor * (most if factor > 0 else least)
    return low, high


def _split(form: Linear, by: int) -> tuple[Linear, Linear]:
    """The part of a form that ``by`` divides, divided, and the rest."""
    whole = Linear(form.constant // by, tuple((a, f // by) for a, f in form.terms if f % by == 0))
    rest = Linear(form.constant % by, tuple((a, f) for a, f in form.terms if f % by))
    return whole, rest


def _within(form: Linear, by: int, extents: Sequence[int]) -> bool:
    low, high = bounds(form, extents)
    return low >= 0 and high < by


def divided(form: Linear, by: int, extents: Sequence[int]) -> Linear:
    """Floor division, carried out as far as it goes."""
    whole, rest = _split(form, by)
    if _within(rest, by, extents):
        return whole
    return total([whole, Linear(0, ((Divided(rest, by), 1),))])


def modulo(form: Linear, by: int, extents: Sequence[int]) -> Linear:
    """Remainder, carried out as far as it goes."""
    _, rest = _split(form, by)
    return rest if _within(rest, by, extents) else Linear(0, ((Modulo(rest, by), 1),))


def linear(index: IndexLike, extents: Sequence[int]) -> Linear:
    """The form of an index expression; an index that runs over one value only is that value.

    Parameters
    ----------
    index : index expression
    extents : sequence of int
        How far each index runs.

    Examples
    --------
    >>> from symtape.ops.element import index
    >>> i, j = index(2)
    >>> linear((4 * i + j) // 4, (3, 4))
    Linear(constant=0, terms=((0, 1),))
    """
    match index:
        case int():
            return Linear(index)
        case Index(number):
            return Linear(0, ((number, 1),)) if extents[number] != 1 else Linear(0)
        case Sum(left, right):
            return total([linear(left, extents), linear(right, extents)])
        case Scaled(of, factor):
            return scaled(linear(of, extents), _number(factor))
        case Quotient(of, divisor):
            return divided(linear(of, extents), _number(divisor), extents)
        case Remainder(of, divisor):
            return modulo(linear(of, extents), _number(divisor), extents)
        case Gather(number, at, length):
            return Linear(0, ((Gathered(number, tuple(linear(a, extents) for a in at), _number(length)), 1),))
    return Linear(_number(index))


def _number(length: SupportsIndex) -> int:
    return operator.index(length)  # a length that is only named says so itself


def flat(at: Sequence[Linear], strides: Sequence[int], offset: int = 0) -> Linear:
    """The position in memory, in elements, of the element at the given indices."""
    return total([Linear(offset), *(scaled(a, s) for a, s in zip(at, strides, strict=True))])


def contiguous(shape: Sequence[int]) -> tuple[int, ...]:
    """Strides, in elements, of an array in C order; 0 along axes of length 1.

    Examples
    --------
    >>> contiguous((2, 3, 4)), contiguous((2, 1))
    ((12, 4, 1), (1, 0))
    """
    strides = []
    step = 1
    for length in reversed(shape):
        strides.append(step if length != 1 else 0)
        step *= length
    return tuple(reversed(strides))
