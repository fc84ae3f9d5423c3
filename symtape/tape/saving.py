"""`st.save` and `st.load`: compiled functions and expressions as data, without any code.

The bytes are those of `symtape.graph.container`: a numbered format with a checksum, a JSON document, arrays. The
document holds a graph in the data form and, of a function, its inputs, nesting, guards and options. Whatever is read is
checked before it is used, so a file from a stranger can be wrong, never harmful. Black boxes are in a file by their
names, and only those are found that whoever reads it has defined.
"""

from __future__ import annotations

import os
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any, Final

from symtape import pytree
from symtape.compile.cards import recall
from symtape.compile.options import Options
from symtape.errors import DataFormError
from symtape.graph.container import pack, unpack
from symtape.graph.node import Node
from symtape.graph.serialize import decode, encode, own_name
from symtape.ops.registry import op_named
from symtape.tape.black_boxes import op_in_file
from symtape.tape.compiled_function import CompiledFunction
from symtape.tape.function_arguments import is_whole
from symtape.tape.function_form import Computation, Form
from symtape.tape.guards import Guard
from symtape.tape.tensor import Tensor, lift, restore

_DEPTH: Final = 40


def save(path: str | os.PathLike[str], value: Any) -> None:
    """Write a compiled function, or tensors in any nesting, to a file.

    Parameters
    ----------
    path : path-like
        By custom with the ending ``.symtape``. What stood there is replaced when all is written.
    value : CompiledFunction, tensor, or nested structure of tensors
        Named tuples come back as tuples, dataclasses as dicts.

    Examples
    --------
    >>> import os, tempfile, symtape as st
    >>> x = st.symbol("x")
    >>> path = os.path.join(tempfile.mkdtemp(), "square.symtape")
    >>> st.save(path, st.function([x], x**2))
    >>> st.load(path)(3.0)
    9.0
    """
    data = to_bytes(value)
    target = Path(path)
    aside = target.with_name(f".{target.name}.{os.getpid()}.part")
    try:
        aside.write_bytes(data)
        aside.replace(target)
    finally:
        aside.unlink(missing_ok=True)
    if isinstance(value, CompiledFunction):
        value.remember_as(data)


def load(path: str | os.PathLike[str]) -> Any:
    """Read what `save` wrote; safe on files from strangers.

    Parameters
    ----------
    path : path-like

    Returns
    -------
    CompiledFunction, tensor, or nested structure of tensors

    Raises
    ------
    ValueError
        `DataFormError`, if the file is truncated, altered, of another format, or holds no such thing.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> import symtape as st
    >>> x = st.symbol("x")
    >>> path = pathlib.Path(tempfile.mkdtemp(), "square.symtape")
    >>> st.save(path, st.function([x], x**2))
    >>> st.load(path)(3.0)
    9.0
    """
    return from_bytes(Path(path).read_bytes())


def to_bytes(value: Any) -> bytes:
    """The bytes that `save` writes."""
    if isinstance(value, CompiledFunction):
        return _function_bytes(value)
    found, structure = pytree.flatten(value, is_whole)
    if not found or not all(isinstance(v, Tensor) for v in found):
        raise TypeError(
            "st.save takes a compiled function or tensors (in lists, tuples or dicts), "
            f"got the {type(value).__name__} {value!r}"
        )
    document, arrays = encode([lift(v).node for v in found], name=_name_of)
    return pack({"kind": "tensors", "graph": document, "structure": _structure_form(structure)}, arrays)


def from_bytes(data: bytes) -> Any:
    """What `to_bytes` was given."""
    document, arrays = unpack(data)
    kind = document.get("kind")
    if kind == "tensors":
        outputs, _ = decode(_object(document.get("graph")), arrays, _op_of)
        structure = _structure(document.get("structure"))
        if structure.size != len(outputs):
            raise DataFormError("the nesting in the file does not fit its tensors")
        return structure.unflatten([restore(node) for node in outputs])
    if kind == "function":
        return _function(document, arrays, data)
    raise DataFormError(f"the file holds the unknown kind {kind!r}")


def _name_of(op: Any) -> str:
    """The name of an op in a file; of a black box, by which it is found where the file is read."""
    home = getattr(op, "home", None)
    if home is None:
        return own_name(op)
    box, part = home
    name: str = box.file_name(part)
    return name


def _op_of(name: str) -> Any:
    return op_in_file(name) or op_named(name)


# ----------------------------------------------------------------------------------------------------------- functions


def _function_bytes(function: CompiledFunction) -> bytes:
    computation, form = function.computation, function.form
    conditions = [node for node, _, _ in computation.guards]
    graph, arrays = encode([*computation.outputs, *conditions], computation.inputs, name=_name_of)
    document = {
        "kind": "function",
        "graph": graph,
        "outputs": len(computation.outputs),
        "guards": [text for _, _, text in computation.guards],
        "arguments": _structure_form(form.arguments),
        "results": _structure_form(form.results),
        "fixed": list(form.fixed),
        "names": list(form.names),
        "options": asdict(function.options),
    }
    return pack(document, arrays)


def _function(document: dict[str, Any], arrays: Any, content: bytes) -> CompiledFunction:
    names, fixed = _list(document.get("names")), _list(document.get("fixed"))
    if any(type(t) is not str for t in names) or any(type(k) is not int for k in fixed):
        raise DataFormError("the names or places in the file are of the wrong kind")
    arguments, results = _structure(document.get("arguments")), _structure(document.get("results"))
    if arguments.kind not in (list, dict) or any(not 0 <= k < results.size for k in fixed):
        raise DataFormError("the nesting in the file is not that of a function")
    form = Form(arguments=arguments, results=results, fixed=tuple(fixed), names=tuple(names))
    options = _options(document.get("options"))
    ready = recall(content, options)
    if ready is None:
        return CompiledFunction(form, _computation(document, arrays, form), options, content)
    # a card is written only after the file with this digest was read and compiled: its graph is made when it is needed
    return CompiledFunction(form, lambda: _computation(document, arrays, form), options, content, ready)


def _computation(document: dict[str, Any], arrays: Any, form: Form) -> Computation:
    nodes, inputs = decode(_object(document.get("graph")), arrays, _op_of)
    texts, count = _list(document.get("guards")), document.get("outputs")
    if type(count) is not int or count < 0 or count + len(texts) != len(nodes):
        raise DataFormError("the outputs and guards in the file do not fit its graph")
    if any(type(t) is not str for t in texts):
        raise DataFormError("the guards in the file are of the wrong kind")
    outputs, conditions = nodes[:count], nodes[count:]
    if any(n.op.results != 1 for n in (*nodes, *inputs)) or len(set(inputs)) != len(inputs):
        raise DataFormError("the inputs or outputs in the file are none")
    if any(n.shape != () or n.dtype.kind != "b" for n in conditions):
        raise DataFormError("a guard in the file is no truth value")
    if form.arguments.size != len(inputs) or len(form.names) != len(inputs):
        raise DataFormError("the nesting in the file does not fit its inputs")
    if form.results.size != count + len(form.fixed):
        raise DataFormError("the nesting in the file does not fit its outputs")
    return Computation(
        inputs=inputs,
        outputs=outputs,
        guards=tuple((node, True, text) for node, text in zip(conditions, texts, strict=True)),
        decisions=tuple(_decision(node) for node in conditions),
    )


def _decision(condition: Node) -> Guard:
    """The guard of a condition that was read from a file: it stands nowhere in a source."""
    code = _decision.__code__
    return Guard(condition, True, "bool", condition.code or code, condition.lasti, 0, 0)


def _options(value: Any) -> Options:
    given = _object(value)
    known = {f.name for f in fields(Options)}
    try:
        return Options(**{k: v for k, v in given.items() if k in known})
    except (TypeError, ValueError) as error:
        raise DataFormError(f"the options in the file are not valid: {error}") from error


# ------------------------------------------------------------------------------------------------------------- nesting


def _structure_form(structure: pytree.Structure, depth: int = 0) -> Any:
    """A nesting as JSON: null for a leaf, ``[kind, keys, children]`` for a container."""
    if depth > _DEPTH:
        raise TypeError(f"st.save takes structures of up to {_DEPTH} levels")
    if structure.kind is None:
        return None
    children = [_structure_form(c, depth + 1) for c in structure.children]
    if structure.keys:
        if any(type(k) not in (str, int, bool, float) for k in structure.keys):
            raise TypeError(f"st.save takes dicts with text or numbers as keys, got {structure.keys}")
        return ["dict", list(structure.keys), children]
    if issubclass(structure.kind, dict):
        return ["dict", [], []]
    return ["list" if issubclass(structure.kind, list) else "tuple", [], children]


def _structure(form: Any, depth: int = 0) -> pytree.Structure:
    if form is None:
        return pytree.LEAF
    if depth > _DEPTH or not (isinstance(form, list) and len(form) == 3):
        raise DataFormError("the nesting in the file cannot be read")
    kind = {"dict": dict, "list": list, "tuple": tuple}.get(form[0]) if isinstance(form[0], str) else None
    keys, children = _list(form[1]), _list(form[2])
    if kind is None or len(keys) != (len(children) if kind is dict else 0):
        raise DataFormError("the nesting in the file cannot be read")
    if any(type(k) not in (str, int, bool, float) for k in keys) or len(set(keys)) != len(keys):
        raise DataFormError("the keys in the file cannot be those of a dict")
    return pytree.Structure(kind, tuple(keys), tuple(_structure(c, depth + 1) for c in children))


def _object(value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise DataFormError("a part of the file is missing")
    return value


def _list(value: Any) -> list[Any]:
    if not isinstance(value, list):
        raise DataFormError("a list in the file is missing")
    return value
