"""The bytes around a data form: a JSON document and arrays, numbered, measured and with a checksum.

Layout: 8 bytes of magic, the format's number (uint32), the SHA-256 of the rest, then the rest: the document's length
(uint64), the document (UTF-8), the arrays' bytes one after the other. Numbers are little-endian. Reading trusts
nothing: lengths are checked against what is there before anything is made, and nothing is made that is larger than a
multiple of the bytes given.
"""

from __future__ import annotations

import hashlib
import json
import re
import struct
from collections.abc import Sequence
from typing import Any, cast

import numpy as np

from symtape.errors import DataFormError
from symtape.graph.node import Array, DType

MAGIC = b"\x89symtape"
FORMAT = 1  #: the number of the format that is written, and the only one that is read
MAX_NESTING = 64  #: of lists and objects in the document

_HEAD = struct.Struct("<8sI32s")
_LENGTH = struct.Struct("<Q")
_STRINGS = re.compile(r'"(?:[^"\\]|\\.)*"')
_BRACKETS = re.compile(r"[\[\]{}]")
_DTYPE = re.compile(r"[<|][biuf](1|2|4|8|16)\Z")


def pack(document: dict[str, Any], arrays: Sequence[Array]) -> bytes:
    """Bytes of a document and its arrays.

    Parameters
    ----------
    document : dict
        JSON-able; the key ``"arrays"`` is taken.
    arrays : sequence of ndarray
        Real numbers, integers or booleans.

    Returns
    -------
    bytes

    Examples
    --------
    >>> document, arrays = unpack(pack({"a": 1}, [np.arange(3)]))
    >>> document["a"], arrays[0].tolist()
    (1, [0, 1, 2])
    """
    parts: list[bytes] = []
    listed: list[Any] = []
    for array in arrays:
        plain = np.asarray(array, order="C")
        plain = plain.astype(plain.dtype.newbyteorder("<"), copy=False)
        listed.append([plain.dtype.str, list(plain.shape)])
        parts.append(plain.tobytes())
    text = json.dumps({**document, "arrays": listed}, allow_nan=False, separators=(",", ":"), ensure_ascii=False)
    body = text.encode()
    rest = b"".join([_LENGTH.pack(len(body)), body, *parts])
    return _HEAD.pack(MAGIC, FORMAT, hashlib.sha256(rest).digest()) + rest


def unpack(data: bytes | bytearray | memoryview) -> tuple[dict[str, Any], list[Array]]:
    """Document and arrays from bytes; the arrays are read-only views of a copy.

    Raises
    ------
    DataFormError
        If the bytes are not what `pack` writes, with what is wrong.
    """
    view = memoryview(data).cast("B")
    if len(view) < _HEAD.size + _LENGTH.size:
        raise DataFormError(f"not a symtape data form: {len(view)} bytes are too few")
    magic, number, digest = _HEAD.unpack_from(view)
    if magic != MAGIC:
        raise DataFormError("not a symtape data form: it begins with other bytes")
    if number != FORMAT:
        raise DataFormError(f"the data form has format {number}; this version of symtape reads format {FORMAT}")
    rest = bytes(view[_HEAD.size :])
    if hashlib.sha256(rest).digest() != digest:
        raise DataFormError("the data form is damaged: its checksum does not match (truncated or altered)")
    (length,) = _LENGTH.unpack_from(rest)
    start = _LENGTH.size
    if length > len(rest) - start:
        raise DataFormError("the data form is truncated: its document is longer than the bytes that follow")
    document = _parse(rest[start : start + length])
    return document, _arrays(document.pop("arrays", []), rest, start + length)


def _parse(body: bytes) -> dict[str, Any]:
    try:
        text = body.decode()
        depth = 0
        for bracket in _BRACKETS.finditer(_STRINGS.sub("", text)):
            depth += 1 if bracket.group() in "[{" else -1
            if depth > MAX_NESTING:
                raise DataFormError(f"the data form nests deeper than {MAX_NESTING} levels")
        document = json.loads(text)
    except (UnicodeDecodeError, json.JSONDecodeError) as error:
        raise DataFormError(f"the document of the data form cannot be read: {error}") from error
    if not isinstance(document, dict):
        raise DataFormError("the document of the data form is not an object")
    return cast("dict[str, Any]", document)


def as_dtype(text: Any) -> DType:
    """A dtype of real numbers from its text in a document."""
    if not isinstance(text, str) or not _DTYPE.match(text):
        raise DataFormError(f"the data form names the dtype {text!r}; wanted real numbers, integers or booleans")
    try:
        return np.dtype(text)
    except TypeError as error:
        raise DataFormError(f"this machine has no dtype {text!r}") from error


def as_length(value: Any) -> int:
    """A non-negative integer from a document."""
    if type(value) is not int or value < 0:
        raise DataFormError(f"the data form has {value!r} where a length or a position was wanted")
    return value


def _arrays(listed: Any, rest: bytes, start: int) -> list[Array]:
    if not isinstance(listed, list):
        raise DataFormError("the data form's list of arrays is not a list")
    arrays: list[Array] = []
    for entry in listed:
        if not (isinstance(entry, list) and len(entry) == 2 and isinstance(entry[1], list)):
            raise DataFormError("an array of the data form lacks its dtype or shape")
        dtype = as_dtype(entry[0])
        shape = tuple(as_length(n) for n in entry[1])
        count = 1
        for n in shape:
            count *= n
        if count * dtype.itemsize > len(rest) - start:
            raise DataFormError(f"an array of shape {shape} is larger than what the data form holds")
        try:
            array = np.frombuffer(rest, dtype, count, start).reshape(shape)
        except ValueError as error:
            raise DataFormError(f"an array of the data form has the impossible shape {shape}") from error
        arrays.append(array.astype(dtype.newbyteorder("="), copy=False))
        start += count * dtype.itemsize
    if start != len(rest):
        raise DataFormError(f"the data form has {len(rest) - start} bytes more than its arrays")
    return arrays
