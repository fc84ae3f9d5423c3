"""Reductions over axes that are not the last: results side by side, a strip of them at a time.

Memory is then read in the order in which it stands, and the loop over the strip is one that LLVM turns into vector
instructions. Each result still adds up its own terms in order, with the rounding errors kept.
"""

from __future__ import annotations

from typing import Any, Final

from symtape.compile.arguments import LITERAL_LIMIT, Base
from symtape.compile.ir_types import ScalarType, literal
from symtape.compile.loop_tree import Load, Reduction
from symtape.compile.regions import Region, walk

#: Results in a strip.
WIDTH: Final = 64


def in_strips(region: Region) -> bool:
    """Whether a region is such a reduction, with neighboring results from neighboring elements."""
    tree = region.tree
    if not isinstance(tree, Reduction) or not region.axes or not tree.indices:
        return False
    if tree.how in ("argmax", "argmin") or any(isinstance(part, Reduction) for part in walk(tree.body)):
        return False
    across, along = region.axes[-1], tree.indices[-1]
    loads = [part.at for part in walk(tree.body) if isinstance(part, Load)]
    return (
        region.extents[across] > LITERAL_LIMIT
        and region.target.factor(across) == 1
        and any(at.factor(across) == 1 and abs(at.factor(along)) > 1 for at in loads)
        and all(at.is_affine and at.factor(across) in (0, 1) and at.factor(along) != 1 for at in loads)
    )


def write_strips(writer: Any, base: Base, kind: ScalarType) -> None:
    """Write the loops of such a region.

    Parameters
    ----------
    writer : of `symtape.compile.loop_ir`
    base : Base
        The result's memory.
    kind : ScalarType
        Its elements.
    """
    text, region, indices = writer.text, writer.region, writer.indices
    tree: Reduction = region.tree
    exact = tree.how == "sum" and tree.kind.family == "f"
    totals, errors = text.array(tree.kind, WIDTH), text.array(tree.kind, WIDTH) if exact else ""
    zero = literal(0, tree.kind)
    *outer, across = region.axes
    loops = []
    for axis in outer:
        loop = text.open("0", text.integer(region.extents[axis]))
        indices[axis] = loop.index
        loops.append(loop)
    extent = text.integer(region.extents[across])
    strip = text.open("0", extent)
    left = text.put(f"sub nsw i64 {extent}, {strip.index}")
    whole = text.put(f"icmp sgt i64 {left}, {WIDTH}")
    width = text.put(f"select i1 {whole}, i64 {WIDTH}, i64 {left}")

    def each() -> Any:
        """Begin a loop over the results of the strip."""
        inner = text.open("0", width)
        indices[across] = text.put(f"add nsw i64 {strip.index}, {inner.index}")
        return inner

    inner = each()
    text.keep(writer.start(tree), tree.kind, totals, inner.index)
    if exact:
        text.keep(zero, tree.kind, errors, inner.index)
    text.close(inner)
    reduced = []
    for index in tree.indices:
        loop = text.open("0", text.integer(region.extents[index]))
        indices[index] = loop.index
        reduced.append(loop)
    inner = each()
    operand = text.converted(writer.value(tree.body), tree.body.kind, tree.kind)
    total = text.kept(tree.kind, totals, inner.index)
    if exact:
        total, error = writer.two_sum(tree.kind, total, text.kept(tree.kind, errors, inner.index), operand)
        text.keep(error, tree.kind, errors, inner.index)
    else:
        total = writer.combined(tree, total, operand, writer.module.flags)
    text.keep(total, tree.kind, totals, inner.index)
    text.close(inner)
    for loop in reversed(reduced):
        text.close(loop)
    inner = each()
    total = text.kept(tree.kind, totals, inner.index)
    if exact:
        total = writer.with_errors(tree.kind, total, text.kept(tree.kind, errors, inner.index))
    text.store(text.converted(total, tree.kind, kind), kind, text.element(base, region.target, indices, kind))
    text.close(inner)
    text.close(strip, step=str(WIDTH))
    for loop in reversed(loops):
        text.close(loop)
