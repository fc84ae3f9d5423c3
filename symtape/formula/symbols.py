"""The sympy symbols that stand for the leaves of a graph: real, and equal only for one element of one leaf.

Two leaves of one name are different symbols that print alike, until a text contains both: then the later one is
numbered, ``x*x_2``. What a symbol prints as is therefore decided by the expression that is printed.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from random import SystemRandom
from types import FrameType
from typing import Any, cast

from symtape.graph.node import Node

#: Stamps that come from another process by way of a pickle are shifted by that process's own number.
_PROCESS = SystemRandom().getrandbits(63)

_CONTEXT = "symtape"  #: where a printer keeps the names of the whole that it prints

#: How sympy's code printers ask an object for its text.
_CODE = (
    *("_pythoncode", "_numpycode", "_scipycode", "_mpmathcode", "_numexprcode", "_lambdacode", "_sympycode"),
    *("_ccode", "_fcode", "_julia", "_octave", "_javascript", "_rust_code", "_rcode", "_mcode"),
)


def stamp_of(leaf: Node) -> int:
    """The identity behind a leaf: the variable's for a version of one, else the leaf's own."""
    ident, _, owner = leaf.params
    return int(ident if owner is None else owner)


def label_of(leaf: Node) -> str:
    """The name that a leaf prints by: its own, else one made of its identity."""
    name = leaf.params[1]
    return str(name) if name else f"v{stamp_of(leaf)}"


def older_versions(leaves: Iterable[Node]) -> dict[Node, int]:
    """Stamps for versions of a variable that stand beside a later version of it: they are other numbers.

    The latest version stands for the variable itself.
    """
    latest: dict[int, int] = {}
    kept = list(leaves)
    for leaf in kept:
        stamp = stamp_of(leaf)
        latest[stamp] = max(latest.get(stamp, 0), leaf.params[0])
    return {leaf: -leaf.params[0] for leaf in kept if leaf.params[0] != latest[stamp_of(leaf)]}


def element_symbol(leaf: Node, at: tuple[int, ...] = (), stamp: int | None = None) -> Any:
    """The symbol of one element of a leaf: ``x``, or ``v[0]`` and ``A[1, 2]`` for arrays."""
    return leaf_symbol(label_of(leaf), (stamp_of(leaf) if stamp is None else stamp, *at))


def name_symbol(name: str, at: tuple[int, ...]) -> Any:
    """The symbol for an inner tensor that was given a name."""
    import sympy

    return leaf_symbol(name, (0, *at)) if at else sympy.Symbol(name, real=True)


def leaf_symbol(label: str, stamp: tuple[int, ...]) -> Any:
    """The symbol of an element of a leaf; ``stamp`` is the leaf's identity and the element's indices."""
    return symbol_class()(label, stamp)


def is_leaf_symbol(symbol: Any) -> bool:
    """Whether a sympy object is a symbol of ours."""
    return isinstance(symbol, symbol_class())


def labels(found: Iterable[tuple[str, int]], taken: Iterable[str] = ()) -> dict[tuple[str, int], str]:
    """Names under which leaves stand side by side: the later ones of one name are numbered from 2.

    Parameters
    ----------
    found : iterable of (str, int)
        Label and stamp of each leaf.
    taken : iterable of str
        Names that stand for something else.

    Examples
    --------
    >>> labels([("x", 7), ("x", 3), ("y", 5)])
    {('x', 3): 'x', ('x', 7): 'x_2', ('y', 5): 'y'}
    """
    leaves = sorted(set(found), key=lambda pair: (pair[0], pair[1] < 0, abs(pair[1])))
    used = {*taken, *[label for label, _ in leaves]}
    first = set(taken)
    names: dict[tuple[str, int], str] = {}
    for label, stamp in leaves:
        name, count = label, 2
        if label in first:
            while (name := f"{label}_{count}") in used:
                count += 1
        first.add(label)
        used.add(name)
        names[label, stamp] = name
    return names


def leaf_names(leaves: Iterable[Node]) -> dict[Node, str]:
    """The names by which leaves stand in one text; versions of a variable that stand side by side have one each.

    Examples
    --------
    >>> from symtape.graph.node import symbol
    >>> list(leaf_names([symbol("x"), symbol("y"), symbol("x")]).values())
    ['x', 'y', 'x_2']
    """
    kept = list(leaves)
    older = older_versions(kept)
    stamps = {leaf: (label_of(leaf), older.get(leaf, stamp_of(leaf))) for leaf in kept}
    names = labels(stamps.values())
    return {leaf: names[pair] for leaf, pair in stamps.items()}


def printed_names(symbols: Iterable[Any]) -> dict[Any, str]:
    """The names by which symbols stand in a text that contains all of them."""
    kept = list(symbols)
    ours = [s for s in kept if is_leaf_symbol(s)]
    names = labels(((s.label, s.stamp[0]) for s in ours), {s.name for s in kept if not is_leaf_symbol(s)})
    own = {s: _with_indices(names[s.label, s.stamp[0]], s.stamp[1:]) for s in ours}
    return {s: own.get(s, s.name) for s in kept}


@cache
def symbol_class() -> Any:
    """The sympy class of ours, made when sympy is first needed."""
    import sympy

    class LeafSymbol(sympy.Symbol):  # type: ignore[misc]
        """A real symbol that is equal only to itself and to other symbols of the same element of the same leaf."""

        __slots__ = ("label", "stamp")

        def __new__(cls, label: str, stamp: tuple[int, ...]) -> Any:
            own = sympy.Symbol.__xnew__(cls, _with_indices(label, stamp[1:]), real=True)
            own.label = label
            own.stamp = stamp
            return own

        def __getnewargs_ex__(self) -> tuple[tuple[Any, ...], dict[str, Any]]:
            return (self.label, self.stamp), {}

        def __reduce_ex__(self, protocol: Any) -> tuple[Any, ...]:
            return _unpickled, (self.label, self.stamp, _PROCESS)

        def _hashable_content(self) -> tuple[Any, ...]:
            return (*sympy.Symbol._hashable_content(self), self.stamp)

        @classmethod
        def class_key(cls) -> Any:
            """The place among other kinds of expression: that of a symbol."""
            return sympy.Symbol.class_key()

        def sort_key(self, order: Any = None) -> Any:
            """The order in print: by name, then by index as a number."""
            head, *at = self.stamp
            return self.class_key(), (1, (self.label, head < 0, abs(head), *at)), sympy.S.One.sort_key(), sympy.S.One

        def _plain(self, base_only: bool = False) -> Any:
            """A symbol of sympy's own with the name that this one has in the whole that is printed."""
            name = _names_in_print(self).get((self.label, self.stamp[0]), self.label)
            return sympy.Symbol(name if base_only else _with_indices(name, self.stamp[1:]), real=True)

        def _printed(self, printer: Any, **options: Any) -> Any:
            return printer._print(self._plain(), **options)

        def _latex(self, printer: Any, **options: Any) -> str:
            own_names = printer._settings["symbol_names"]  # noqa: SLF001 (how sympy's printers are extended)
            if self in own_names:
                return str(own_names[self])
            base = str(printer._print(self._plain(base_only=True), **options))
            if len(self.stamp) == 1:
                return base
            base = f"{{{base}}}" if "_" in base or "^" in base else base
            return f"{base}_{{{', '.join(map(str, self.stamp[1:]))}}}"

    for method in ("_sympystr", "_sympyrepr", "_pretty", "_mathml_content", "_mathml_presentation", *_CODE):
        setattr(LeafSymbol, method, LeafSymbol.__dict__["_printed"])
    LeafSymbol.__module__ = __name__
    return LeafSymbol


def _with_indices(name: str, at: Sequence[int]) -> str:
    return f"{name}[{', '.join(map(str, at))}]" if at else name


def _unpickled(label: str, stamp: tuple[int, ...], process: int) -> Any:
    """A symbol out of a pickle; one of another process has no leaf here, and equals no symbol of a leaf here."""
    head = stamp[0] if process == _PROCESS else stamp[0] + (process << 64)
    return leaf_symbol(label, (head, *stamp[1:]))


# ------------------------------------------------------------------------------------------------------ names in print


def _names_in_print(symbol: Any) -> Mapping[tuple[str, int], str]:
    """The names of the leaves in the expression that is being printed, where some of them share one.

    Printers do not tell their objects what was asked for, so it is read off the outermost call.
    """
    from sympy.printing.printer import Printer

    code = Printer._print.__code__
    outermost: FrameType | None = None
    frame: FrameType | None = sys._getframe(1)
    while frame is not None:
        if frame.f_code is code:
            outermost = frame
        frame = frame.f_back
    if outermost is None:
        return {}
    whole, printer = outermost.f_locals["expr"], outermost.f_locals["self"]
    during = printer._context  # noqa: SLF001 (what a printer keeps while it prints)
    known, names = during.get(_CONTEXT, (None, {}))
    if known is not whole:
        names = _names_within(whole)
        during[_CONTEXT] = whole, names
    return cast("Mapping[tuple[str, int], str]", names)


def _names_within(whole: Any) -> dict[tuple[str, int], str]:
    import sympy

    found: set[tuple[str, int]] = set()
    taken = set()
    for symbol in _symbols(whole):
        if is_leaf_symbol(symbol):
            found.add((symbol.label, symbol.stamp[0]))
        elif isinstance(symbol, sympy.Symbol):
            taken.add(symbol.name)
    alone = len({label for label, _ in found} | taken) == len(found) + len(taken)
    return {} if alone else labels(found, taken)


def _symbols(whole: Any) -> Iterable[Any]:
    import sympy

    if isinstance(whole, dict):
        whole = [*whole.keys(), *whole.values()]
    if isinstance(whole, (list, tuple, set, frozenset)):
        return {s for part in whole for s in _symbols(part)}
    atoms = getattr(whole, "atoms", None)
    return atoms(sympy.Symbol) if atoms is not None else ()
