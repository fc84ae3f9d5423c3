"""Nested structures in and out: lists, tuples, named tuples, dicts and dataclasses of leaves.

`flatten` gives the leaves in order and a `Structure` that rebuilds the same nesting around others.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Structure:
    """The nesting of a tree without its leaves.

    Attributes
    ----------
    kind : type or None
        Container type; None for a leaf.
    keys : tuple
        Keys of a mapping, field names of a dataclass; empty for sequences.
    children : tuple of Structure
    """

    kind: Any
    keys: tuple[Any, ...] = ()
    children: tuple[Structure, ...] = ()

    @property
    def size(self) -> int:
        """Number of leaves."""
        return 1 if self.kind is None else sum(child.size for child in self.children)

    def unflatten(self, leaves: Sequence[Any]) -> Any:
        """The tree with these leaves, which must be as many as there are places."""
        if len(leaves) != self.size:
            raise ValueError(f"the structure has {self.size} leaves, got {len(leaves)}")
        return self._fill(iter(leaves))

    def _fill(self, leaves: Iterator[Any]) -> Any:
        if self.kind is None:
            return next(leaves)
        parts = [child._fill(leaves) for child in self.children]
        if dataclasses.is_dataclass(self.kind):
            return self.kind(**dict(zip(self.keys, parts, strict=True)))
        if self.keys or issubclass(self.kind, Mapping):
            return self.kind(zip(self.keys, parts, strict=True))
        if hasattr(self.kind, "_fields"):
            return self.kind(*parts)
        return self.kind(parts)


LEAF = Structure(None)


def flatten(tree: Any, is_leaf: Callable[[Any], bool] | None = None) -> tuple[list[Any], Structure]:
    """Leaves of a tree in order, and its structure.

    Parameters
    ----------
    tree : nested list, tuple, named tuple, mapping, dataclass, or a leaf
        Whatever is none of these is a leaf, None too.
    is_leaf : callable, optional
        Says of a container that it is to be a leaf.

    Examples
    --------
    >>> leaves, structure = flatten({"a": 1, "b": [2, (3,)]})
    >>> leaves, structure.unflatten([10, 20, 30])
    ([1, 2, 3], {'a': 10, 'b': [20, (30,)]})
    """
    leaves: list[Any] = []
    return leaves, _walk(tree, leaves, is_leaf)


def _walk(tree: Any, leaves: list[Any], is_leaf: Callable[[Any], bool] | None) -> Structure:
    kind = type(tree)
    if is_leaf is None or not is_leaf(tree):
        if isinstance(tree, Mapping):
            return Structure(kind, tuple(tree), tuple(_walk(tree[k], leaves, is_leaf) for k in tree))
        if isinstance(tree, (list, tuple)):
            return Structure(kind, (), tuple(_walk(child, leaves, is_leaf) for child in tree))
        if dataclasses.is_dataclass(kind):
            names = tuple(f.name for f in dataclasses.fields(kind) if f.init)
            return Structure(kind, names, tuple(_walk(getattr(tree, n), leaves, is_leaf) for n in names))
    leaves.append(tree)
    return LEAF


def transform(function: Callable[[Any], Any], tree: Any, is_leaf: Callable[[Any], bool] | None = None) -> Any:
    """The tree with the function applied to every leaf."""
    leaves, structure = flatten(tree, is_leaf)
    return structure.unflatten([function(leaf) for leaf in leaves])
