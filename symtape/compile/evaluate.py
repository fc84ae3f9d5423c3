"""What a graph means: its value by NumPy, node by node.

Values are computed when asked for, under ``errstate(ignore)`` as compiled code runs, and kept in the nodes. Small
values stay as long as their node; arrays above a kilobyte stand in a memo of bounded size as well, which forgets the
oldest first. A running evaluation never depends on the memo, so evictions cost time only.
"""

from __future__ import annotations

import threading
import weakref
from collections.abc import Mapping, Sequence
from typing import Any, cast

import numpy as np

from symtape.errors import MissingValueError, SingularMatrixError
from symtape.graph.node import LEAF, PARAM, Array, Node
from symtape.graph.source import describe
from symtape.graph.traverse import topological

_SMALL = 1024  # bytes
MEMO_BYTES = 256 * 2**20  #: what the memo of large values may hold


class _Held(weakref.ref[Node]):
    __slots__ = ("nbytes",)
    nbytes: int


class _Memo:
    """Large values by node, weakly, oldest first."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.total = 0
        self.entries: dict[_Held, None] = {}
        self.lock = threading.RLock()

    def add(self, node: Node, nbytes: int) -> None:
        ref = _Held(node, self._forget)
        ref.nbytes = nbytes
        with self.lock:
            self.entries[ref] = None
            self.total += nbytes
            while self.total > self.limit and len(self.entries) > 1:
                oldest = next(iter(self.entries))
                gone = oldest()
                self._forget(oldest)
                if gone is not None:
                    gone.value = None

    def _forget(self, ref: weakref.ref[Node]) -> None:
        held = cast(_Held, ref)
        with self.lock:
            if self.entries.pop(held, 0) is None:
                self.total -= held.nbytes


_memo = _Memo(MEMO_BYTES)


def evaluate(outputs: Sequence[Node], env: Mapping[Node, Any] | None = None) -> list[Any]:
    """Values of the outputs.

    Parameters
    ----------
    outputs : sequence of Node
    env : mapping, optional
        Values for nodes (inputs of a closed graph, or any node to cut at). With it nothing is memoized.

    Returns
    -------
    list
        Arrays or NumPy scalars; they are the memo's own, so read-only.

    Raises
    ------
    MissingValueError
        If a symbol without value is needed.
    SingularMatrixError
        Naming the line that first built the operation.
    """
    if env is None:
        for node in outputs:
            if node.value is None:
                break
        else:
            return [node.value for node in outputs]
    with np.errstate(all="ignore"):
        return _evaluate_memoized(outputs) if env is None else _evaluate_in(outputs, env)


def remember(node: Node, value: Any) -> None:
    """Keep a value that was computed elsewhere, unless the node has one."""
    if node.value is None:
        node.value = _frozen(value)
        nbytes = _size(node.value)
        if nbytes > _SMALL:
            _memo.add(node, nbytes)


def _size(value: Any) -> int:
    total: int = sum(v.nbytes for v in value) if type(value) is tuple else value.nbytes
    return total


def _evaluate_memoized(outputs: Sequence[Node]) -> list[Any]:
    results: list[Any] = []
    large: list[tuple[Node, int]] = []
    for output in outputs:
        stack = [output]
        while stack:
            node = stack[-1]
            if node.value is not None:
                stack.pop()
                continue
            arguments = []
            ready = True
            for i in node.inputs:
                value = i.value
                if value is None:
                    stack.append(i)
                    ready = False
                elif ready:
                    arguments.append(value)
            if not ready:
                continue
            value = _apply(node, arguments)
            if type(value) is not np.float64:
                nbytes = _size(value)
                if nbytes > _SMALL:
                    large.append((node, nbytes))
            node.value = value
            stack.pop()
        results.append(output.value)
    for node, nbytes in large:
        _memo.add(node, nbytes)
    return results


def _evaluate_in(outputs: Sequence[Node], env: Mapping[Node, Any]) -> list[Any]:
    values = dict(env)
    order = topological(outputs, stop=env)
    last: dict[Node, Node] = {}
    for node in order:
        for i in node.inputs:
            last[i] = node
    wanted = set(outputs)
    for node in order:
        if node in values:
            continue
        if not node.inputs and node.value is not None:
            values[node] = node.value
            continue
        values[node] = _apply(node, [values[i] for i in node.inputs])
        for i in node.inputs:
            if last[i] is node and i not in wanted and i not in env:
                values.pop(i, None)
    return [values[o] for o in outputs]


def _apply(node: Node, arguments: list[Any]) -> Any:
    try:
        value = node.op.value(*arguments, *node.params) if node.params else node.op.value(*arguments)
    except np.linalg.LinAlgError as error:
        raise SingularMatrixError(
            f"{node.op.name}: {error}; the operation stands at {describe(node.code, node.lasti)}"
        ) from error
    except AttributeError:
        if node.op not in (LEAF, PARAM):
            raise
        raise _no_value(node) from None
    except (IndexError, ValueError, TypeError) as error:
        error.add_note(f"in {node.op.name}, which stands at {describe(node.code, node.lasti)}")
        raise
    return value if type(value) is np.float64 else _frozen(value)


def _no_value(node: Node) -> MissingValueError:
    label = repr(node.params[1]) if node.op is LEAF else f"number {node.params[0]}"
    return MissingValueError(
        f"the symbol {label} has no value; call a compiled st.function with it, or use .eval({{symbol: value}}) or "
        ".subs(...)"
    )


def _frozen(value: Any) -> Any:
    """The value as an array or NumPy scalar that nobody can write to."""
    if type(value) is tuple:
        return tuple(_frozen(v) for v in value)
    if isinstance(value, np.ndarray):
        value.flags.writeable = False
        return value
    return value if isinstance(value, np.generic) else np.asarray(value)[()]


def as_array(value: Any) -> Array:
    """A fresh array from an evaluated value."""
    return np.array(value)
