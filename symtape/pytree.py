"""Nested structures in and out: lists, tuples, named tuples, dicts and dataclasses of leaves.

`flatten` gives the leaves in order and a `Structure` that rebuilds the same nesting around others.
"""

from __future__ import annotations

import dataclasses
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from operator import itemgetter
from typing import Any


@dataclass(frozen=True, slots=True, repr=False)
class Structure:
    """The nesting of a tree without its leaves.

    Attributes
    ----------
    kind : type or None
        Container type; None for a leaf.
    keys : tuple
        Keys of a mapping, field names of a dataclass; empty for sequences.
    children : tuple of Structure
    extra : object
        What else the container is made from: the factory of a defaultdict.
    """

    kind: type | None
    keys: tuple[Any, ...] = ()
    children: tuple[Structure, ...] = ()
    extra: Any = None

    @property
    def size(self) -> int:
        """Number of leaves."""
        return 1 if self.kind is None else sum(child.size for child in self.children)

    def unflatten(self, leaves: Sequence[Any]) -> Any:
        """The tree with these leaves, which must be as many as there are places."""
        if len(leaves) != self.size:
            raise ValueError(f"the structure has {self.size} leaves, got {len(leaves)}")
        return self._fill(iter(leaves))

    def refill(self, values: Sequence[Any], fixed: Mapping[int, Any]) -> Any:
        """The tree with the leaves ``fixed`` in their places and ``values``, in order, in all others.

        Examples
        --------
        >>> flatten({"a": 1, "b": (2, 3)})[1].refill([10, 30], {1: None})
        {'a': 10, 'b': (None, 30)}
        """
        if not fixed:
            return self.unflatten(values)
        given = iter(values)
        total = len(values) + len(fixed)
        return self.unflatten([fixed[k] if k in fixed else next(given) for k in range(total)])

    def builder(self, start: int = 0) -> Callable[[list[Any]], Any]:
        """A function from a list of leaves to the tree, worked out once where `unflatten` would be called often.

        Parameters
        ----------
        start : int
            Where the tree's leaves begin in the list.
        """
        if self.kind is None:
            return itemgetter(start)
        stop = start + self.size
        if self.kind is list and all(child.kind is None for child in self.children):
            return itemgetter(slice(start, stop))
        if self.kind not in (list, tuple):
            return lambda leaves: self.unflatten(leaves[start:stop])
        parts: list[Callable[[list[Any]], Any]] = []
        for child in self.children:
            parts.append(child.builder(start))
            start += child.size
        if self.kind is list:
            return lambda leaves: [part(leaves) for part in parts]
        return lambda leaves: tuple([part(leaves) for part in parts])

    def _fill(self, leaves: Iterator[Any]) -> Any:
        if self.kind is None:
            return next(leaves)
        parts = [child._fill(leaves) for child in self.children]  # noqa: SLF001 (of its own kind)
        if dataclasses.is_dataclass(self.kind):
            return self.kind(**dict(zip(self.keys, parts, strict=True)))
        if issubclass(self.kind, defaultdict):
            return self.kind(self.extra, zip(self.keys, parts, strict=True))
        if issubclass(self.kind, Mapping):
            return self.kind(dict(zip(self.keys, parts, strict=True)))  # type: ignore[call-arg]
        if hasattr(self.kind, "_fields"):
            return self.kind(*parts)
        return self.kind(parts)  # type: ignore[call-arg]

    def paths(self) -> Iterator[tuple[Any, ...]]:
        """Where each leaf stands: positions in sequences, keys of mappings, names of fields.

        Examples
        --------
        >>> list(flatten({"a": 1, "b": [2, (3,)]})[1].paths())
        [('a',), ('b', 0), ('b', 1, 0)]
        """
        if self.kind is None:
            yield ()
        for key, child in zip(self.keys or range(len(self.children)), self.children, strict=True):
            for path in child.paths():
                yield (key, *path)

    def match(self, tree: Any, what: str = "the argument") -> list[Any]:
        """Subtrees of a tree at the places of the leaves; the order of keys in mappings does not matter.

        Parameters
        ----------
        tree
            Nested at least as deep as the structure.
        what : str
            Its name, for messages.

        Raises
        ------
        ValueError
            If the tree is nested otherwise, naming the place.

        Examples
        --------
        >>> structure = flatten({"a": 1, "b": [2, 3]})[1]
        >>> structure.match({"b": ["x", {"y": 0}], "a": "z"})
        ['z', 'x', {'y': 0}]
        """
        found: list[Any] = []
        self._match(tree, found, what)
        return found

    def _match(self, tree: Any, found: list[Any], where: str) -> None:
        if self.kind is None:
            found.append(tree)
            return
        if isinstance(tree, Mapping) and issubclass(self.kind, Mapping):
            if set(tree) != set(self.keys):
                raise ValueError(f"{where} has the keys {list(tree)}, wanted {list(self.keys)}")
            parts = [tree[key] for key in self.keys]
        elif type(tree) is self.kind and dataclasses.is_dataclass(self.kind):
            parts = [getattr(tree, name) for name in self.keys]
        elif isinstance(tree, (list, tuple)) and issubclass(self.kind, (list, tuple)):
            parts = list(tree)
        else:
            raise ValueError(
                f"{where} is a {type(tree).__name__}, wanted a {self.kind.__name__} of {len(self.children)}"
            )
        if len(parts) != len(self.children):
            raise ValueError(f"{where} has {len(parts)} entries, wanted {len(self.children)}")
        for key, child, part in zip(self.keys or range(len(parts)), self.children, parts, strict=True):
            child._match(part, found, f"{where}[{key!r}]")  # noqa: SLF001 (of its own kind)

    def __repr__(self) -> str:
        if self.kind is None:
            return "*"
        if self.keys:
            return (
                f"{self.kind.__name__}({', '.join(f'{k}: {c}' for k, c in zip(self.keys, self.children, strict=True))})"
            )
        return f"{self.kind.__name__}({', '.join(map(repr, self.children))})"


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
            children = tuple(_walk(tree[k], leaves, is_leaf) for k in tree)
            return Structure(
                kind, tuple(tree), children, tree.default_factory if isinstance(tree, defaultdict) else None
            )
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
