"""NumPy's einsum notation as data: which label stands on which axis of which operand, and in which order in the result.

All forms of the notation (letters with or without ``->``, ellipsis, the interleaved form) become one: a *term* per
operand and one for the result, tuples of labels. The axes under an ellipsis get labels of their own, counted from the
right, so that they broadcast. `canonical` writes terms as text in which labels are named in the order of their
appearance: equal contractions have equal text.
"""

from __future__ import annotations

import string
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from typing import Any, TypeAlias

from symtape.errors import ShapeError

Term: TypeAlias = tuple[str, ...]

_DOTS = "..."
#: The letters behind the numbers of the interleaved form: in this order they sort as the numbers do.
_NUMBERED = string.ascii_uppercase + string.ascii_lowercase
_LETTERS = string.ascii_lowercase + string.ascii_uppercase


def read(operands: Sequence[Any], ndim: Callable[[Any], int]) -> tuple[list[Any], list[Term], Term]:
    """Take the arguments of ``np.einsum`` apart.

    Parameters
    ----------
    operands : sequence
        ``("ij,jk", a, b)`` or ``(a, [0, 1], b, [1, 2])``, optionally with the sublist of the result at the end.
    ndim : callable
        Number of axes of an array among them.

    Returns
    -------
    arrays : list
    terms : list of tuple of str
        Labels per axis of each array.
    out : tuple of str
        Labels of the result.

    Raises
    ------
    ValueError
        As NumPy raises it: text that is no notation, labels that do not fit the arrays.

    Examples
    --------
    >>> read(("ij,jk", "A", "B"), lambda a: 2)[1:]
    ([('i', 'j'), ('j', 'k')], ('i', 'k'))
    >>> read(("...i->...", "A"), lambda a: 2)[1:]
    ([('...0', 'i')], ('...0',))
    >>> read((None, [1, 0]), lambda a: 2)[1:]
    ([('B', 'A')], ('A', 'B'))
    """
    if operands and isinstance(operands[0], str):
        arrays = list(operands[1:])
        written, result = _split(operands[0])
    else:
        arrays, written, result = _interleaved(operands)
    if not arrays:
        raise ValueError(
            "must specify the einstein sum subscripts string and at least one operand, "
            "or at least one operand and its sublist"
        )
    if len(arrays) != len(written):
        more = "more" if len(arrays) > len(written) else "fewer"
        raise ValueError(
            f"{more} operands provided to einstein sum function than specified in the subscripts string: "
            f"{len(arrays)} operands, {len(written)} terms"
        )
    counts = [_under_dots(labels, ndim(a), k) for k, (labels, a) in enumerate(zip(written, arrays, strict=True))]
    terms = [_expand(labels, count) for labels, count in zip(written, counts, strict=True)]
    broadcast = tuple(f"{_DOTS}{k}" for k in reversed(range(max(counts))))
    if result is None:
        seen = Counter(label for labels in written for label in labels if label != _DOTS)
        return arrays, terms, broadcast + tuple(sorted(label for label, n in seen.items() if n == 1))
    _check_result(result, written)
    if broadcast and _DOTS not in result:
        raise ShapeError(
            "output has more dimensions than subscripts given in einstein sum, "
            "but no '...' ellipsis provided to broadcast the extra dimensions"
        )
    return arrays, terms, tuple(x for label in result for x in (broadcast if label == _DOTS else (label,)))


def _labels(text: str, where: str) -> Term:
    """The labels of one term; an ellipsis is one label."""
    labels: list[str] = []
    rest = text.replace(" ", "")
    while rest:
        if rest.startswith(_DOTS) and _DOTS not in labels:
            labels.append(_DOTS)
            rest = rest[3:]
            continue
        letter, rest = rest[0], rest[1:]
        if letter == ".":
            raise ValueError(
                f"einstein sum subscripts string contains a '.' that is not part of an ellipsis ('...') in {where}"
            )
        if letter not in _LETTERS:
            raise ValueError(
                f"invalid subscript {letter!r} in einstein sum subscripts string, subscripts must be letters"
            )
        labels.append(letter)
    return tuple(labels)


def _split(text: str) -> tuple[list[Term], Term | None]:
    inputs, arrow, result = text.partition("->")
    written = [_labels(part, f"operand {k}") for k, part in enumerate(inputs.split(","))]
    return written, _labels(result, "the output") if arrow else None


def _interleaved(operands: Sequence[Any]) -> tuple[list[Any], list[Term], Term | None]:
    pairs, odd = divmod(len(operands), 2)
    arrays = [operands[2 * k] for k in range(pairs)]
    written = [_sublist(operands[2 * k + 1]) for k in range(pairs)]
    return arrays, written, _sublist(operands[-1]) if odd and pairs else None


def _sublist(labels: Any) -> Term:
    if not isinstance(labels, Iterable) or isinstance(labels, str):
        raise TypeError(
            f"a sublist of einsum must be a sequence of integers or Ellipsis, got {labels!r}; "
            "or write the subscripts as text first: np.einsum('ij,jk->ik', a, b)"
        )
    result: list[str] = []
    for label in labels:
        if label is Ellipsis:
            result.append(_DOTS)
        elif not hasattr(label, "__index__"):
            raise TypeError(f"each subscript must be either an integer or an ellipsis, got {label!r}")
        elif not 0 <= label.__index__() < len(_NUMBERED):
            raise ValueError(f"subscript {label} is not within the valid range [0, {len(_NUMBERED)})")
        else:
            result.append(_NUMBERED[label.__index__()])
    return tuple(result)


def _under_dots(labels: Term, ndim: int, operand: int) -> int:
    """How many axes an ellipsis stands for."""
    named = len(labels) - (_DOTS in labels)
    if named > ndim:
        raise ShapeError(
            f"einstein sum subscripts string contains too many subscripts for operand {operand}: "
            f"{named} subscripts, {ndim} axes"
        )
    if named < ndim and _DOTS not in labels:
        raise ShapeError(
            f"operand {operand} has more dimensions than subscripts given in einstein sum ({ndim} and {named}), "
            "but no '...' ellipsis provided to broadcast the extra dimensions"
        )
    return ndim - named


def _expand(labels: Term, count: int) -> Term:
    dots = tuple(f"{_DOTS}{k}" for k in reversed(range(count)))
    return tuple(x for label in labels for x in (dots if label == _DOTS else (label,)))


def _check_result(result: Term, written: Sequence[Term]) -> None:
    known = {label for labels in written for label in labels} | {_DOTS}
    for label, count in Counter(result).items():
        if count > 1:
            raise ValueError(
                f"einstein sum subscripts string includes output subscript {label!r} multiple times; "
                "for a matrix with a given diagonal write np.diag(v)"
            )
        if label not in known:
            raise ValueError(
                f"einstein sum subscripts string included output subscript {label!r} which never appeared in an input"
            )


def canonical(terms: Sequence[Sequence[str]], out: Sequence[str]) -> str:
    """Terms as text, with labels a, b, c, ... in the order of their appearance.

    Examples
    --------
    >>> canonical([("i", "k"), ("k", "...0")], ("i", "...0"))
    'ab,bc->ac'
    """
    names: dict[str, str] = {}
    for label in (label for term in terms for label in term):
        if label not in names:
            if len(names) == len(_LETTERS):
                raise ValueError(f"einsum takes at most {len(_LETTERS)} different subscripts")
            names[label] = _LETTERS[len(names)]
    return ",".join("".join(names[x] for x in term) for term in terms) + "->" + "".join(names[x] for x in out)


def split_canonical(text: str) -> tuple[list[str], str]:
    """The terms of the inputs and of the result of canonical text.

    Examples
    --------
    >>> split_canonical("ab,bc->ac")
    (['ab', 'bc'], 'ac')
    """
    inputs, _, out = text.partition("->")
    return inputs.split(","), out


def unused_letter(text: str) -> str:
    """A label that does not occur in the text."""
    for letter in _LETTERS:
        if letter not in text:
            return letter
    raise ValueError(f"einsum takes at most {len(_LETTERS)} different subscripts")
