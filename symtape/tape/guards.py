"""Guards: decisions that Python took on a tensor's value, each with its condition, the value seen, the user's line.

A guard is kept by every tape and every callable that is being recorded in this thread. Outside of a callable it is also
logged with the leaves below its condition, so that a function compiled later from an expression knows on what that
expression rests. The log is weak: a guard belongs to the youngest leaf below its condition (the one that dies first)
and is garbage as soon as that leaf is.
"""

from __future__ import annotations

import threading
import weakref
from collections.abc import Iterable
from dataclasses import dataclass, replace
from types import CodeType, FrameType
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from symtape.compile.evaluate import evaluate
from symtape.errors import SymbolicTruthError
from symtape.formula.element import array_expression
from symtape.graph.node import LEAF, PLACEHOLDER, SYMBOLIC, VALUED, Array, Leaf, Node, build, next_ident, symbol
from symtape.graph.source import describe, user_frame
from symtape.graph.traverse import substitute, topological
from symtape.ops.namespace import NODES
from symtape.tape.cuts import announce, current, cut
from symtape.tape.recording import Seen, active_tapes, captures_of

if TYPE_CHECKING:
    from symtape.tape.tensor import Tensor

__all__ = ["Guard", "count", "cut", "integer", "logged", "note", "relations", "truth"]

_DEPENDS = VALUED | SYMBOLIC | PLACEHOLDER
_OWN_LIMIT = 10_000  # decisions kept with one leaf; beyond, the oldest go
_NEARBY = 256  # nodes looked at for further leaves below a condition


@dataclass(eq=False, frozen=True, slots=True, weakref_slot=True)
class Guard:
    """A decision taken on a tensor.

    Attributes
    ----------
    node : Node
        What was looked at.
    seen : bool, int or tuple of them
        What it gave.
    how : {"bool", "int", "count", "array"}
        Its truth, its integer part, the number of true elements (the length that a mask selects), or its elements.
    code, lasti
        The user's line.
    stamp : int
        Place in time, comparable with the identities of tensors.
    thread : int
    """

    node: Node
    seen: Seen
    how: str
    code: CodeType
    lasti: int
    stamp: int
    thread: int

    def condition(self) -> Node:
        """A boolean scalar node that is true where the same decision would be taken."""
        node = self.node
        B = NODES
        if self.how == "array":
            wanted = np.array(self.seen, node.dtype).reshape(cast("tuple[int, ...]", node.shape))
            return cast(Node, B.all(B.equal(node, wanted)))
        assert not isinstance(self.seen, tuple)
        if self.how == "count":
            return cast(Node, B.equal(B.sum(B.astype(node, np.dtype(np.int64))), int(self.seen)))
        if node.shape != ():
            node = B.reshape(node, ())
        if self.how == "int":
            return cast(Node, B.equal(node if node.dtype.kind in "iub" else B.trunc(node), int(self.seen)))
        if node.dtype.kind != "b":
            return cast(Node, B.not_equal(node, 0) if self.seen else B.equal(node, 0))
        return node if self.seen else cast(Node, B.logical_not(node))

    @property
    def line(self) -> str:
        """``file:line: text`` of the decision."""
        return describe(self.code, self.lasti)


def truth(tensor: Tensor) -> bool:
    """Truth value of a tensor, noted as a guard.

    Raises
    ------
    SymbolicTruthError
        If the tensor has no number.
    ValueError
        As NumPy's, if it has more than one element.
    """
    node = current(tensor).node
    if node.flags & (SYMBOLIC | PLACEHOLDER):
        raise SymbolicTruthError(
            f"the truth of {node!r} was asked for (if, while, and, or, not, a chained comparison), but it depends on "
            "a symbol and has no value; write st.where(condition, a, b) for a choice, & and | for logic, "
            "st.between(x, low, high) for low <= x <= high"
        )
    seen = bool(evaluate((node,))[0])
    note(node, seen, "bool")
    return seen


def integer(tensor: Tensor, call: str = "int") -> int:
    """Integer taken from a tensor, noted as a guard; of a float tensor it is a cut as well.

    Parameters
    ----------
    tensor : Tensor
    call : str
        ``"int"``, or ``"index"`` where Python wants an index, which only integers have.

    Raises
    ------
    TypeError
        As NumPy's, if the tensor has several elements, or is no integer where an index is wanted.
    """
    read = current(tensor)
    node = read.node
    if node.flags & (SYMBOLIC | PLACEHOLDER):
        raise SymbolicTruthError(
            f"an integer was asked for ({call}) of {node!r}, which depends on a symbol and has no value"
        )
    if call == "index" and (node.dtype.kind not in "iub" or node.shape != ()):
        raise TypeError(
            f"only integer scalar tensors can be converted to an index, got one of shape {node.shape} "
            f"and dtype {node.dtype}"
        )
    value = evaluate((node,))[0]
    if node.dtype.kind == "f":
        announce(read, call, silent=False)
    seen = int(value)
    note(node, seen, "int")
    return seen


def count(mask: Tensor) -> int:
    """How many elements of a boolean tensor are true, noted as a guard: the length that indexing with it gives."""
    node = current(mask).node
    if node.flags & (SYMBOLIC | PLACEHOLDER):
        raise SymbolicTruthError(
            f"indexing with the mask {node!r} needs to know how many elements are true, but the mask depends on a "
            "symbol; write st.where(mask, x, 0) instead"
        )
    seen = int(np.count_nonzero(evaluate((node,))[0]))
    note(node, seen, "count")
    return seen


def array(tensor: Tensor) -> Array:
    """The elements of a tensor that decide a shape, all of them noted as one guard."""
    node = current(tensor).node
    if node.flags & (SYMBOLIC | PLACEHOLDER):
        raise SymbolicTruthError(
            f"the elements of {node!r} decide a shape, but it depends on a symbol and has no value; write "
            "np.where(mask, x, 0) instead"
        )
    seen = np.asarray(evaluate((node,))[0])
    note(node, tuple(seen.ravel().tolist()), "array")
    return seen


def note(node: Node, seen: Seen, how: str) -> None:
    """Keep a decision wherever decisions are kept; one that rests on implicit constants only is none."""
    if not node.flags & _DEPENDS:
        return
    frame = user_frame(2)
    guard = Guard(node, seen, how, frame.f_code, frame.f_lasti, next_ident(), threading.get_ident())
    for tape in active_tapes():
        tape.guards.append(guard)
    captures = captures_of(node)
    if captures:
        for c in captures:
            c.add(guard)
    else:
        _log(guard, frame)


class _Log:
    """The decisions kept with one leaf: its own, and weakly those that belong to a younger one.

    They are kept over *shadows*, leaves without value that stand for leaves. What holds a node holds the leaves below
    it, so a leaf that held a decision on itself would never die.
    """

    __slots__ = ("others", "own", "shadow")

    def __init__(self, leaf: Leaf) -> None:
        self.own: dict[tuple[Node, Seen, str], Guard] = {}
        self.others: weakref.WeakSet[Guard] = weakref.WeakSet()
        self.shadow = symbol(leaf.params[1], leaf.shape, leaf.dtype)
        _leaf_of[self.shadow] = leaf


_leaf_of: weakref.WeakValueDictionary[Node, Leaf] = weakref.WeakValueDictionary()
_shadows: weakref.WeakKeyDictionary[Node, Node] = weakref.WeakKeyDictionary()


def _log(guard: Guard, frame: FrameType) -> None:
    below = _valued_leaves(guard.node)
    if not below:
        return
    youngest = max(below, key=lambda leaf: cast(int, leaf.params[0]))
    own = _log_of(youngest).own
    key = (_shadow(guard.node, frame), guard.seen, guard.how)
    if key in own:
        return
    while len(own) >= _OWN_LIMIT:
        del own[next(iter(own))]
    own[key] = kept = replace(guard, node=key[0])
    for leaf in below:
        if leaf is not youngest:
            _log_of(leaf).others.add(kept)


def _log_of(leaf: Leaf) -> _Log:
    if leaf.log is None:
        leaf.log = _Log(leaf)
    return cast(_Log, leaf.log)


def _shadow(node: Node, frame: FrameType) -> Node:
    """The node over shadows in the places of leaves; what was asked for before is remembered."""
    stack = [node]
    while stack:
        top = stack[-1]
        if not top.flags & VALUED or top in _shadows:
            stack.pop()
        elif isinstance(top, Leaf):
            _shadows[top] = _log_of(top).shadow
        else:
            missing = [i for i in top.inputs if i.flags & VALUED and i not in _shadows]
            if missing:
                stack.extend(missing)
            else:
                inputs = tuple([_shadows[i] if i.flags & VALUED else i for i in top.inputs])
                _shadows[top] = build(top.op, inputs, top.params, frame)
    return _shadows[node]


def _valued_leaves(node: Node) -> list[Leaf]:
    """Leaves with a value below a node: those among its nearest nodes, at least one where there is one."""
    found: list[Leaf] = []
    seen = {node}
    stack = [node]
    while stack and (len(seen) < _NEARBY or not found):
        current = stack.pop()
        if isinstance(current, Leaf):
            found.append(current)
        for i in current.inputs:
            if i not in seen and i.flags & VALUED:
                seen.add(i)
                stack.append(i)
    return found


def logged(leaves: Iterable[Node], before: int | None = None) -> list[Guard]:
    """Decisions that this thread took on expressions of the leaves, outside of recorded callables.

    Parameters
    ----------
    leaves : iterable of Node
    before : int, optional
        Identity of a tensor: decisions taken after it was made do not concern it.

    Returns
    -------
    list of Guard
        In the order of decision; those on leaves that are gone are not among them.
    """
    thread = threading.get_ident()
    kept: set[Guard] = set()
    for leaf in leaves:
        log = getattr(leaf, "log", None)
        if log is not None:
            kept.update(g for g in [*log.own.values(), *log.others] if g.thread == thread)
    found: list[Guard] = []
    for guard in sorted(kept, key=lambda g: g.stamp):
        if before is None or guard.stamp < before:
            shadows = [n for n in topological([guard.node]) if n.op is LEAF]
            real = {n: alive for n in shadows if (alive := _leaf_of.get(n)) is not None}
            if len(real) == len(shadows):
                found.append(replace(guard, node=substitute([guard.node], real)[0]))
    return found


def relations(guards: Iterable[Guard]) -> list[Any]:
    """The decisions as relations of sympy that held, each once."""
    found: dict[Any, None] = {}
    for guard in guards:
        found[array_expression(guard.condition())] = None
    return list(found)
