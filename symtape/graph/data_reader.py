"""From a document that may come from a stranger to a graph: see `symtape.graph.serialize` for the form."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

from symtape.errors import DataFormError
from symtape.graph.closed import Graph, interned
from symtape.graph.container import as_dtype, as_length
from symtape.graph.data_writer import CONST_ROW, EXTERNAL_ROW, LEAF_ROW, MAX_DEPTH, PARAM_ROW
from symtape.graph.node import (
    ITEM,
    LEAF,
    PARAM,
    Array,
    Node,
    Params,
    build,
    constant,
    leaf,
    next_ident,
    placeholder,
    symbol,
)
from symtape.graph.shapes import Dim, Length, Shape
from symtape.graph.traverse import topological

Find: TypeAlias = Callable[[str], Any]

# What a rule for shapes may raise when it is given inputs or params that no graph of ours has.
_MISFITS = (
    TypeError,
    ValueError,
    LookupError,
    AttributeError,
    ArithmeticError,
    AssertionError,
    RecursionError,
    MemoryError,
)


def decode(
    document: dict[str, Any], arrays: Sequence[Array], find: Find, external: Sequence[Node] = ()
) -> tuple[tuple[Node, ...], tuple[Node, ...]]:
    """Outputs and inputs from a document of `encode`, which may come from a stranger.

    Raises
    ------
    DataFormError
    """
    names, tables = document.get("ops"), document.get("graphs")
    if not (isinstance(names, list) and isinstance(tables, list) and tables):
        raise DataFormError("the data form lacks its ops or graphs")
    reader = _Reader([find(_text(name)) for name in names], arrays)
    for k, table in enumerate(tables):
        last = k == len(tables) - 1
        outputs, inputs = reader.table(table, external if last else ())
        if last:
            return outputs, inputs
        reader.close(outputs, inputs)
    raise DataFormError("the data form has no graph")


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise DataFormError(f"the data form has {value!r} where a name was wanted")
    return value


def _numbers(value: Any, limit: int | None = None) -> list[int]:
    if not isinstance(value, list) or any(type(v) is not int for v in value):
        raise DataFormError("a column of the data form is not a list of integers")
    if limit is not None and any(not 0 <= v < limit for v in value):
        raise DataFormError("the data form names a position that does not exist")
    return value


class _Reader:
    """What the tables of one form share."""

    def __init__(self, ops: list[Any], arrays: Sequence[Array]) -> None:
        self.ops = ops
        self.arrays = arrays
        self.graphs: list[Graph] = []
        self.owners: dict[int, int] = {}

    def close(self, outputs: tuple[Node, ...], inputs: tuple[Node, ...]) -> None:
        """Enter a table as a closed graph, if it is one."""
        for k, node in enumerate(inputs):
            if node.op is not PARAM or node.params[0] != k:
                raise DataFormError("an input of a closed graph in the data form is not its placeholder")
        known = frozenset(inputs)
        if any(node.op is LEAF or (node.op is PARAM and node not in known) for node in topological(outputs)):
            raise DataFormError("a closed graph of the data form is not closed")
        self.graphs.append(interned(inputs, outputs))

    def table(self, table: Any, external: Sequence[Node]) -> tuple[tuple[Node, ...], tuple[Node, ...]]:
        """Nodes of one table."""
        if not isinstance(table, dict):
            raise DataFormError("a graph of the data form is not an object")
        codes, counts, flat = (_numbers(table.get(c)) for c in ("codes", "counts", "flat"))
        if len(codes) != len(counts) or any(c < 0 for c in counts) or sum(counts) != len(flat):
            raise DataFormError("the columns of the data form do not fit together")
        params = self.params(table.get("params"), len(codes))
        nodes: list[Node] = []
        start = 0
        for k, (code, count) in enumerate(zip(codes, counts, strict=True)):
            inputs = flat[start : start + count]
            start += count
            if any(not 0 <= i < k for i in inputs):
                raise DataFormError(f"row {k} of the data form reads a row that does not stand before it")
            if code < 0:
                nodes.append(self.special(code, params.get(k), external))
                continue
            if code >= len(self.ops):
                raise DataFormError(f"row {k} of the data form has an op that is not in its list")
            nodes.append(self.apply(self.ops[code], tuple([nodes[i] for i in inputs]), params.get(k)))
        outputs = _numbers(table.get("outputs"), len(nodes))
        inputs = _numbers(table.get("inputs"), len(nodes))
        return tuple(nodes[o] for o in outputs), tuple(nodes[i] for i in inputs)

    def params(self, entries: Any, rows: int) -> dict[int, Any]:
        """Params by row."""
        if not isinstance(entries, list):
            raise DataFormError("the params of the data form are not a list")
        found: dict[int, Any] = {}
        for entry in entries:
            if not (isinstance(entry, list) and len(entry) == 2 and type(entry[0]) is int and 0 <= entry[0] < rows):
                raise DataFormError("params of the data form belong to no row")
            found[entry[0]] = entry[1]
        return found

    def apply(self, op: Any, inputs: tuple[Node, ...], raw: Any) -> Node:
        """A node, if its op accepts what it is given."""
        if raw is not None and not isinstance(raw, list):
            raise DataFormError(f"the params of {op.name} in the data form are not a list")
        params: Params = () if raw is None else tuple(self.param(p, 0) for p in raw)
        if not inputs:
            raise DataFormError(f"{op.name} in the data form has no inputs")
        if op is ITEM:
            if len(inputs) != 1 or len(params) != 1 or type(params[0]) is not int:
                raise DataFormError("an item in the data form does not say of what")
            if inputs[0].op.results == 1 or not 0 <= params[0] < len(inputs[0].shape):
                raise DataFormError("an item in the data form is not among the results that it reads")
        elif any(i.op.results != 1 for i in inputs):
            raise DataFormError(f"{op.name} in the data form reads several results at once")
        try:
            if op is not ITEM:
                op.accept(inputs, params)
            return build(op, inputs, params)
        except _MISFITS as error:
            raise DataFormError(f"{op.name} in the data form does not fit its inputs: {error}") from error

    def special(self, code: int, row: Any, external: Sequence[Node]) -> Node:
        """A leaf, a constant, a placeholder, or a node kept elsewhere."""
        if code == EXTERNAL_ROW:
            if type(row) is not int or not 0 <= row < len(external):
                raise DataFormError("the data form refers to a node outside that is not given")
            return external[row]
        if not isinstance(row, dict):
            raise DataFormError("a leaf of the data form is not described")
        if code == CONST_ROW:
            return self.constant(row)
        if code == PARAM_ROW:
            return placeholder(as_length(row.get("position")), self.shape(row), as_dtype(row.get("dtype")))
        if code != LEAF_ROW:
            raise DataFormError(f"the data form has a row of the unknown kind {code}")
        name = row.get("name")
        if name is not None:
            _text(name)
        if "array" not in row:
            return symbol(name, self.shape(row), as_dtype(row.get("dtype")))
        owner = row.get("owner")
        if owner is not None:
            number = as_length(owner)
            owner = self.owners.get(number) or self.owners.setdefault(number, next_ident())
        return leaf(self.array(row).copy(), name, owner)

    def array(self, row: dict[str, Any]) -> Array:
        """An array of the form."""
        number = as_length(row.get("array"))
        if number >= len(self.arrays):
            raise DataFormError("the data form names an array that is not there")
        return self.arrays[number]

    def constant(self, row: dict[str, Any]) -> Node:
        """An implicit constant."""
        if "array" in row:
            return constant(self.array(row))
        if "float" in row:
            return constant(_float(row["float"]))
        value = row.get("scalar")
        if type(value) not in (bool, int):
            raise DataFormError("a constant of the data form has no value")
        try:
            return constant(value)
        except OverflowError as error:
            raise DataFormError(f"a constant of the data form is too large: {error}") from error

    def shape(self, row: dict[str, Any]) -> Shape:
        """Axis lengths: numbers or named."""
        raw = row.get("shape")
        if not isinstance(raw, list):
            raise DataFormError("a shape of the data form is not a list")
        return tuple(_dim(d["dim"]) if isinstance(d, dict) and "dim" in d else as_length(d) for d in raw)

    def param(self, raw: Any, depth: int) -> Any:
        """A param from JSON."""
        if raw is None or type(raw) in (bool, int, str):
            return raw
        if depth > MAX_DEPTH:
            raise DataFormError(f"a param of the data form nests deeper than {MAX_DEPTH} levels")
        if isinstance(raw, list):
            return tuple([self.param(p, depth + 1) for p in raw])
        if isinstance(raw, dict) and len(raw) == 1:
            ((kind, value),) = raw.items()
            if kind == "graph":
                number = as_length(value)
                if number >= len(self.graphs):
                    raise DataFormError("the data form uses a closed graph before it is described")
                return self.graphs[number]
            if kind == "dim":
                return _dim(value)
            if kind == "dtype":
                return as_dtype(value)
            if kind == "float":
                return _float(value)
        raise DataFormError("a param of the data form is of no known kind")


def _float(value: Any) -> float:
    try:
        return float.fromhex(_text(value))
    except (ValueError, OverflowError) as error:
        raise DataFormError(f"{value!r} in the data form is no number") from error


def _dim(terms: Any) -> Length:
    if not isinstance(terms, list):
        raise DataFormError("a named length of the data form is not a list of terms")
    total: Length = 0
    for term in terms:
        if not (isinstance(term, list) and len(term) == 2 and isinstance(term[0], list) and type(term[1]) is int):
            raise DataFormError("a named length of the data form has a term without names or factor")
        product: Length = term[1]
        for name in term[0]:
            if not _text(name).isidentifier():
                raise DataFormError(f"the data form names a length {name!r}, which is no identifier")
            product = product * Dim(name)
        total = total + product
    return total
