"""Identities of indexing: what derivatives of code that picks arrays apart shrink to.

``a, b, c = x`` reads three elements; the gradient would be a sum of three arrays of zeros with one element each. Boxes
that do not overlap are put into one array instead, and if they fill it, it is a `stack` or a `concatenate`. What these
identities may and may not do is said in `symtape.ops.simplify`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from symtape.graph.shapes import Shape
from symtape.ops.boxes import Basic, Part, compose, disjoint, reach, whole
from symtape.ops.gathers import gathered_shape
from symtape.ops.simplify import identity, made, number_of

# ------------------------------------------------------------------------------------------------------- sums of boxes


def merge_boxes(B: Any, terms: list[Any]) -> list[Any]:
    """Terms of a sum in which zeros with a box are put together where the boxes are equal or lie apart."""
    shape = B.shape(terms[0])
    found: dict[Basic, list[Any]] = {}
    rest = []
    for term in terms:
        how = B.made_by(term)
        if how is not None and how[0].name == "embed" and how[2][1] == shape:
            for value, box in zip(how[1], how[2][0], strict=True):
                found.setdefault(box, []).append(value)
        else:
            rest.append(term)
    if len(terms) - len(rest) < 2:
        return terms
    boxes = list(found)
    values = [parts[0] if len(parts) == 1 else B.add_n(*parts) for parts in found.values()]
    if len({B.dtype(v) for v in values}) > 1:
        return terms
    if len(boxes) == 1 or disjoint(boxes):
        return [*rest, B.embed(values, tuple(boxes), shape)]
    if len(boxes) == len(terms) - len(rest):
        return terms
    return [*rest, *[B.embed((v,), (box,), shape) for v, box in zip(values, boxes, strict=True)]]


def _filled(B: Any, values: Sequence[Any], boxes: Sequence[Basic], shape: Shape) -> Any:
    """The stack or concatenation that disjoint boxes are if together they fill the array, else None."""
    for axis, n in enumerate(shape):
        parts = [box[axis] for box in boxes]
        others = [(*box[:axis], *box[axis + 1 :]) for box in boxes]
        plain = tuple(whole(m) for k, m in enumerate(shape) if k != axis)
        if not isinstance(n, int) or any(other != plain for other in others):
            continue
        order = sorted(range(len(parts)), key=lambda k: reach(parts[k]) or (0, 0))
        placed = [parts[k] for k in order]
        if placed == list(range(n)):
            return B.stack([values[k] for k in order], axis=axis)
        end = 0
        for part in placed:
            if not isinstance(part, tuple) or part[0] != end or part[2] != 1 or not isinstance(part[1], int):
                break
            end += part[1]
        else:
            if end == n:
                return B.concatenate([values[k] for k in order], axis=axis)
    return None


@identity("embed")
def embed(B: Any, inputs: tuple[Any, ...], params: tuple[Any, ...]) -> Any:
    """A box that is the whole array, boxes that fill it, a box in a box, zeros in a box."""
    boxes, shape = params
    if len(inputs) == 1:
        (value,), (box,) = inputs, boxes
        if box == tuple(whole(n) for n in shape):
            return value
        if number_of(B, value) == 0:
            return B.zeros(shape, B.dtype(value))
        how = B.made_by(value)
        if how is not None and how[0].name == "embed":
            return B.embed(how[1], tuple(compose(box, inner) for inner in how[2][0]), shape)
        return None
    return _filled(B, inputs, boxes, shape)


# ------------------------------------------------------------------------------------------------------- reading a box


def _of_stack(B: Any, parts: tuple[Any, ...], axis: int, basic: Basic) -> Any:
    chosen = basic[axis]
    rest = (*basic[:axis], *basic[axis + 1 :])
    if isinstance(chosen, int):
        return B.slice_box(parts[chosen], rest)
    return None


def _of_concatenate(B: Any, parts: tuple[Any, ...], axis: int, basic: Basic) -> Any:
    span = reach(basic[axis])
    start = 0
    for part in parts:
        n = B.shape(part)[axis]
        if span is None or not isinstance(n, int):
            return None
        if start <= span[0] and span[1] <= start + n:
            chosen = basic[axis]
            if isinstance(chosen, tuple):
                moved: Part = (chosen[0] - start, *chosen[1:])
            else:
                moved = chosen - start
            return B.slice_box(part, (*basic[:axis], moved, *basic[axis + 1 :]))
        start += n
    return None


def _of_embed(B: Any, x: Any, values: tuple[Any, ...], boxes: tuple[Basic, ...], basic: Basic) -> Any:
    for value, box in zip(values, boxes, strict=True):
        if box == basic:
            return value
    if all(disjoint((box, basic)) for box in boxes):
        return B.zeros(tuple(p[1] for p in basic if isinstance(p, tuple)), B.dtype(x))
    return None


@identity("getitem")
def getitem(B: Any, inputs: tuple[Any, ...], params: tuple[Any, ...]) -> Any:
    """The whole array; a box of a box, of a joint array inside one of its parts, of zeros with boxes, of one number."""
    (x,), (basic,) = inputs, params
    if basic == tuple(whole(n) for n in B.shape(x)):
        return x
    how = B.made_by(x)
    if how is None:
        return None
    op, parts, inner = how
    match op.name:
        case "getitem":
            return B.slice_box(parts[0], compose(inner[0], basic))
        case "stack":
            return _of_stack(B, parts, inner[0], basic)
        case "concatenate":
            return _of_concatenate(B, parts, inner[0], basic)
        case "embed":
            return _of_embed(B, x, parts, inner[0], basic)
        case "set_slice":
            if inner[0] == basic:
                return parts[1]
            return B.slice_box(parts[0], basic) if disjoint((inner[0], basic)) else None
        case "broadcast_to" if B.shape(parts[0]) == ():
            return B.broadcast_to(parts[0], tuple(p[1] for p in basic if isinstance(p, tuple)))
    return None


@identity("stack")
def stack(B: Any, inputs: tuple[Any, ...], params: tuple[Any, ...]) -> Any:
    """All parts of one array along the axis, in order."""
    (axis,) = params
    source = made(B, inputs[0], "getitem")
    if source is None or B.ndim(source[0]) != B.ndim(inputs[0]) + 1 or B.shape(source[0])[axis] != len(inputs):
        return None
    shape = B.shape(source[0])
    for k, x in enumerate(inputs):
        how = B.made_by(x)
        box = tuple(k if j == axis else whole(n) for j, n in enumerate(shape))
        if how is None or how[0].name != "getitem" or how[1][0] is not source[0] or how[2] != (box,):
            return None
    return source[0]


@identity("concatenate")
def concatenate(B: Any, inputs: tuple[Any, ...], params: tuple[Any, ...]) -> Any:
    """Of one array."""
    return inputs[0] if len(inputs) == 1 else None


@identity("gather")
def gather(B: Any, inputs: tuple[Any, ...], params: tuple[Any, ...]) -> Any:
    """Of one number everywhere, while the index is a constant (another is checked when it is read)."""
    source = made(B, inputs[0], "broadcast_to")
    if source is None or B.shape(source[0]) != () or any(B.node(i).op.name != "const" for i in inputs[1:]):
        return None
    axes, at = params
    return B.broadcast_to(source[0], gathered_shape(B.shape(inputs[0]), [B.shape(i) for i in inputs[1:]], axes, at))


@identity("scatter_add")
def scatter_add(B: Any, inputs: tuple[Any, ...], params: tuple[Any, ...]) -> Any:
    """Zeros, while the index is a constant."""
    if number_of(B, inputs[0]) != 0 or any(B.node(i).op.name != "const" for i in inputs[1:]):
        return None
    return B.zeros(params[2], B.dtype(inputs[0]))
