"""Contractions: `matmul`, and `einsum` for everything that is not one. Both are sums of products, linear in each input.

A term of an einsum op is text in canonical form (`einsum_notation`). The result's labels may repeat, which NumPy does
not write: ``'a->aa'`` puts a vector on the diagonal of a matrix. With that the derivative of every contraction is a
contraction, the trace's and the diagonal's included, and zeros off the diagonal are exact, whatever the vector holds.

`contract` is what rules and functions build with: it writes a contraction as the plainest ops that say the same, so
that derivatives read ``A.T @ r`` where they can.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import reduce
from typing import Any

import numpy as np

from symtape.errors import ShapeError
from symtape.graph.node import Array, Node
from symtape.graph.shapes import Length, Shape, broadcast_two, size
from symtape.ops import params as param
from symtape.ops.einsum_notation import canonical, split_canonical, unused_letter
from symtape.ops.element import Apply, Box, Boxes, Index, Number, Read, Reduce, Scalar, read_broadcast
from symtape.ops.op import Kind, Op
from symtape.ops.registry import function, op_named, structural

# -------------------------------------------------------------------------------------------------------------- matmul


def _matmul_infer(inputs: tuple[Node, ...]) -> tuple[Shape, Any]:
    a, b = inputs
    for number, x in enumerate(inputs):
        if not x.shape:
            raise ShapeError(
                f"matmul: input operand {number} does not have enough dimensions (has 0, wanted at least 1); "
                "multiply by a scalar with *"
            )
    inner = b.shape[0] if len(b.shape) == 1 else b.shape[-2]
    if a.shape[-1] != inner:
        raise ShapeError(
            f"matmul: shapes {a.shape} and {b.shape} do not fit: the last axis of the first has length {a.shape[-1]}, "
            f"the {'only' if len(b.shape) == 1 else 'second last'} axis of the second {inner}"
        )
    rows = a.shape[-2:-1]
    columns = b.shape[-1:] if len(b.shape) > 1 else ()
    return (*broadcast_two(a.shape[:-2], b.shape[:-2]), *rows, *columns), np.result_type(a.dtype, b.dtype)


def _transposed(B: Any, x: Any) -> Any:
    return B.swapaxes(x, -1, -2)


def _rows(B: Any, x: Any, columns: int) -> Any:
    """All leading axes as one: a matrix (a vector if no axis is to be kept)."""
    shape: Shape = B.shape(x)
    keep = shape[len(shape) - columns :]
    flat = (size(shape[: len(shape) - columns]), *keep)
    return x if flat == shape else B.reshape(x, flat)


def _matmul_pull_left(B: Any, g: Any, y: Any, a: Any, b: Any) -> Any:
    na, nb = B.ndim(a), B.ndim(b)
    if nb == 1:
        return B.multiply(g, b) if na == 1 else B.multiply(B.expand_dims(g, -1), b)
    if na > 1:
        return B.matmul(g, _transposed(B, b))
    if nb == 2:
        return B.matmul(b, g)
    leading = "abcdefghijklmnopqrstuvw"[: nb - 2]
    return B.contract(f"{leading}xz,{leading}z->x", b, g)


def _matmul_pull_right(B: Any, g: Any, y: Any, a: Any, b: Any) -> Any:
    na, nb = B.ndim(a), B.ndim(b)
    if na == 1:
        return B.multiply(g, a) if nb == 1 else B.multiply(B.expand_dims(a, -1), B.expand_dims(g, -2))
    if nb == 1:
        return B.matmul(_transposed(B, _rows(B, a, 1)), _rows(B, g, 0))
    if nb == 2:
        return B.matmul(_transposed(B, _rows(B, a, 1)), _rows(B, g, 1))
    return B.matmul(_transposed(B, a), g)


def _matmul_batch(B: Any, inputs: tuple[Any, Any], batched: Sequence[bool]) -> Any:
    a, b = inputs
    na, nb = B.ndim(a) - batched[0], B.ndim(b) - batched[1]
    if not batched[1] and na == 1 and nb <= 2:
        return B.matmul(a, b)
    if not batched[0] and nb == 1 and na <= 2:
        return B.matmul(b, a if na == 1 else _transposed(B, a))
    if na == 1:
        a = B.expand_dims(a, -2)
    if nb == 1:
        b = B.expand_dims(b, -1)
    lead = max(na, nb, 2) - 2
    a = _with_leading(B, a, lead) if batched[0] else a
    b = _with_leading(B, b, lead) if batched[1] else b
    y = B.matmul(a, b)
    if na == 1:
        y = B.squeeze(y, -2)
    return B.squeeze(y, -1) if nb == 1 else y


def _with_leading(B: Any, x: Any, lead: int) -> Any:
    """A batched stack of matrices with ``lead`` axes between the batch's and the matrices'."""
    n, *own = B.shape(x)
    missing = lead + 2 - len(own)
    return x if missing == 0 else B.reshape(x, (n, *[1] * missing, *own))


def _matmul_element(at: Sequence[Index], inputs: Sequence[Node]) -> Scalar:
    a, b = (i.shape for i in inputs)
    k = Index(len(at))
    row, column = int(len(a) > 1), int(len(b) > 1)
    lead, rows, columns = (
        at[: len(at) - row - column],
        at[len(at) - row - column : len(at) - column],
        at[len(at) - column :],
    )
    factors = [read_broadcast(0, a, (*lead, *rows, k)), read_broadcast(1, b, (*lead, k, *columns))]
    return _sum_of_products(len(at), (a[-1],), factors, inputs)


def _sum_of_products(
    first: int, extents: tuple[Length, ...], factors: Sequence[Scalar], inputs: Sequence[Node]
) -> Scalar:
    multiply = op_named("multiply")
    product = reduce(lambda x, y: Apply(multiply, (x, y)), factors)
    if not extents:
        return product
    return Reduce("any" if all(i.dtype.kind == "b" for i in inputs) else "sum", first, extents, product)


MATMUL: Op = structural(
    "matmul",
    Kind.LIBRARY,
    np.matmul,
    _matmul_infer,
    vjp=(_matmul_pull_left, _matmul_pull_right),
    batch=_matmul_batch,
    element=_matmul_element,
)


@function("numpy.matmul", "numpy.linalg.matmul")
def matmul(B: Any, x1: Any, x2: Any) -> Any:
    """``np.matmul``."""
    return B.build(MATMUL, (B.lift(x1), B.lift(x2)))


# -------------------------------------------------------------------------------------------------------------- einsum

_WORTH_A_PATH = 20_000  #: products; below, finding NumPy's path costs more than it gains


def _einsum_value(*arguments: Any) -> Array:
    *arrays, text = arguments
    terms, out = split_canonical(text)
    lengths = {c: d for term, x in zip(terms, arrays, strict=True) for c, d in zip(term, np.shape(x), strict=True)}
    unique = "".join(dict.fromkeys(out))
    worth = len(arrays) > 1 and math.prod(lengths.values()) > _WORTH_A_PATH
    flat: Array = np.asarray(np.einsum(f"{','.join(terms)}->{unique}", *arrays, optimize=worth))
    if unique == out:
        return flat
    full = np.zeros([lengths[c] for c in out], flat.dtype)
    np.einsum(f"{out}->{unique}", full)[...] = flat
    return full


def _einsum_infer(inputs: tuple[Node, ...], text: str) -> tuple[Shape, Any]:
    terms, out = split_canonical(text)
    lengths = _lengths(terms, [i.shape for i in inputs], text)
    return tuple(lengths[c] for c in out), np.result_type(*[i.dtype for i in inputs])


def _lengths(terms: Sequence[str], shapes: Sequence[Shape], text: str) -> dict[str, Length]:
    lengths: dict[str, Length] = {}
    for term, shape in zip(terms, shapes, strict=True):
        if len(term) != len(shape):
            raise ShapeError(f"einsum {text}: the term {term} does not fit the shape {shape}")
        for label, length in zip(term, shape, strict=True):
            if lengths.setdefault(label, length) != length:
                raise ShapeError(
                    f"einsum {text}: operands could not be broadcast together, "
                    f"the axes {label} have lengths {lengths[label]} and {length} in {', '.join(map(str, shapes))}"
                )
    return lengths


def _einsum_pull(B: Any, i: int, g: Any, y: Any, *rest: Any) -> Any:
    *inputs, text = rest
    terms, out = split_canonical(text)
    own = "".join(dict.fromkeys(terms[i]))
    others = [k for k in range(len(inputs)) if k != i]
    known = set(out).union(*[terms[k] for k in others])
    kept = "".join(c for c in own if c in known)
    value = B.contract(",".join([out, *[terms[k] for k in others]]) + f"->{kept}", g, *[inputs[k] for k in others])
    if kept != own:  # summed over on its own: the same for each of its elements
        shape = dict(zip(terms[i], B.shape(inputs[i]), strict=True))
        value = B.expand(value, tuple(k for k, c in enumerate(own) if c not in known), tuple(shape[c] for c in own))
    return value if own == terms[i] else B.contract(f"{own}->{terms[i]}", value)


def _einsum_batch(B: Any, inputs: Sequence[Any], batched: Sequence[bool], text: str) -> Any:
    terms, out = split_canonical(text)
    new = unused_letter(text)
    over = [new + term if b else term for term, b in zip(terms, batched, strict=True)]
    return B.build(EINSUM, tuple(inputs), (canonical(over, new + out),))


def _einsum_element(at: Sequence[Index], inputs: Sequence[Node], text: str) -> Scalar:
    terms, out = split_canonical(text)
    lengths = _lengths(terms, [i.shape for i in inputs], text)
    place: dict[str, Index] = {}
    bounds = []
    for label, index in zip(out, at, strict=True):
        if label in place:
            bounds.append((place[label] + index * -1, 0, 1))
        else:
            place[label] = index
    summed = [label for label in lengths if label not in place]
    place |= {label: Index(len(at) + k) for k, label in enumerate(summed)}
    factors = [Read(k, tuple(place[c] for c in term)) for k, term in enumerate(terms)]
    scalar = _sum_of_products(len(at), tuple(lengths[c] for c in summed), factors, inputs)
    return Boxes((Box(tuple(bounds), scalar),), Number(0)) if bounds else scalar


EINSUM: Op = structural(
    "einsum",
    Kind.LIBRARY,
    _einsum_value,
    _einsum_infer,
    vjp=_einsum_pull,
    batch=_einsum_batch,
    element=_einsum_element,
    params=(param.text,),
)

# ---------------------------------------------------------------------------------------- the plainest ops that say it


@function()
def contract(B: Any, text: str, *operands: Any) -> Any:
    """A contraction as sum, transpose, multiply or matmul where one of them says it, else as einsum.

    ``text`` is einsum's, without ellipsis; lengths of equal labels are equal; labels of the result may repeat.
    """
    terms, out = split_canonical(text)
    values = [B.lift(x) for x in operands]
    numbers = [k for k, term in enumerate(terms) if not term]
    if numbers and len(numbers) < len(terms):
        rest = [k for k in range(len(terms)) if k not in numbers]
        value = contract(B, ",".join(terms[k] for k in rest) + f"->{out}", *[values[k] for k in rest])
        return B.multiply(reduce(B.multiply, [values[k] for k in numbers]), value)
    plain = len(set(out)) == len(out) and all(len(set(term)) == len(term) for term in terms)
    if plain and len(values) == 1 and B.dtype(values[0]).kind == "f":  # a sum of integers would be wider than einsum's
        return _reduced(B, terms[0], out, values[0])
    if plain and len(values) == 2:
        found = _product(B, (terms[0], terms[1]), out, values)
        if found is not None:
            return found
    return B.build(EINSUM, tuple(values), (canonical(terms, out),))


def _reduced(B: Any, term: str, out: str, x: Any) -> Any:
    axes = tuple(k for k, c in enumerate(term) if c not in out)
    if axes:
        x = B.sum(x, axis=axes)
        term = "".join(c for c in term if c in out)
    return _reordered(B, term, out, x)


def _reordered(B: Any, term: str, out: str, x: Any) -> Any:
    return x if term == out else B.transpose(x, tuple(term.index(c) for c in out))


def _product(B: Any, terms: tuple[str, str], out: str, values: Sequence[Any]) -> Any:
    left, right = terms
    summed = [c for c in dict.fromkeys(left + right) if c not in out]
    if not summed:
        return B.multiply(*[_aligned(B, term, out, x) for term, x in zip(terms, values, strict=True)])
    if len(summed) == 1 and summed[0] in left and summed[0] in right and max(len(left), len(right)) <= 2:
        k = summed[0]
        rows, columns = left.replace(k, ""), right.replace(k, "")
        if rows and rows == columns:  # a sum along rows, no product of matrices
            return None
        a, b = values
        if out != rows + columns or (not rows and right == columns + k):
            rows, columns, left, right, a, b = columns, rows, right, left, b, a
        return B.matmul(_reordered(B, left, rows + k, a), _reordered(B, right, k + columns, b))
    return None


def _aligned(B: Any, term: str, out: str, x: Any) -> Any:
    """The factor with its axes in the result's order, and of length 1 where later ones of the result are not own."""
    x = _reordered(B, term, "".join(c for c in out if c in term), x)
    if not term:
        return x
    lengths = iter(B.shape(x))
    first = min(out.index(c) for c in term)
    shape = tuple(next(lengths) if c in term else 1 for c in out[first:])
    return x if shape == B.shape(x) else B.reshape(x, shape)
