"""Functions of NumPy that ask about an array instead of computing with it: they answer at once, in plain Python.

What is asked of values (`allclose`, `array_equal`) is a decision and becomes a guard; what writes numbers out (`save`)
takes them as ``.numpy()`` does.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from symtape.ops.namespace import Namespace
from symtape.ops.subscripts import is_graph_value

Query = Callable[..., Any]

QUERIES: dict[str, Query] = {}


def _answers(*names: str) -> Callable[[Query], Query]:
    def enter(query: Query) -> Query:
        for name in names:
            QUERIES[f"numpy.{name}"] = query
        return query

    return enter


@_answers("shape")
def _shape(B: Namespace, a: Any) -> Any:
    return B.shape(B.lift(a))


@_answers("ndim")
def _ndim(B: Namespace, a: Any) -> int:
    return B.ndim(B.lift(a))


@_answers("size")
def _size(B: Namespace, a: Any, axis: Any = None) -> Any:
    shape = B.shape(B.lift(a))
    total: Any = 1
    for k in range(len(shape)) if axis is None else axis if isinstance(axis, tuple) else (axis,):
        total = total * shape[k]
    return total


@_answers("iscomplexobj")
def _iscomplexobj(B: Namespace, x: Any) -> bool:
    return False


@_answers("isrealobj")
def _isrealobj(B: Namespace, x: Any) -> bool:
    return True


@_answers("may_share_memory", "shares_memory")
def _shares_memory(B: Namespace, a: Any, b: Any, max_work: Any = None) -> bool:
    return False


def _dtype_of(B: Namespace, value: Any) -> Any:
    return B.dtype(B.lift(value)) if is_graph_value(value) else value


@_answers("result_type")
def _result_type(B: Namespace, *arrays_and_dtypes: Any) -> Any:
    return np.result_type(*[_dtype_of(B, a) for a in arrays_and_dtypes])


@_answers("common_type")
def _common_type(B: Namespace, *arrays: Any) -> Any:
    return np.common_type(*[np.empty(0, _dtype_of(B, a)) if is_graph_value(a) else a for a in arrays])


@_answers("min_scalar_type")
def _min_scalar_type(B: Namespace, a: Any, /) -> Any:
    return B.dtype(B.lift(a))


@_answers("can_cast")
def _can_cast(B: Namespace, from_: Any, to: Any, casting: Any = "safe") -> bool:
    return np.can_cast(_dtype_of(B, from_), _dtype_of(B, to), casting)


@_answers("array_repr")
def _array_repr(B: Namespace, arr: Any, *options: Any, **named: Any) -> str:
    return repr(arr)


@_answers("array_str", "array2string")
def _array_str(B: Namespace, a: Any, *options: Any, **named: Any) -> str:
    return str(a)


@_answers("einsum_path")
def _einsum_path(B: Namespace, *operands: Any, **options: Any) -> Any:
    shapes: list[Any] = [np.empty(B.shape(B.lift(o))) if is_graph_value(o) else o for o in operands]
    return np.einsum_path(*shapes, **options)


@_answers("diag_indices_from")
def _diag_indices_from(B: Namespace, arr: Any) -> Any:
    return np.diag_indices_from(np.empty(B.shape(B.lift(arr))))


@_answers("tril_indices_from")
def _tril_indices_from(B: Namespace, arr: Any, k: int = 0) -> Any:
    return np.tril_indices_from(np.empty(B.shape(B.lift(arr))), k)


@_answers("triu_indices_from")
def _triu_indices_from(B: Namespace, arr: Any, k: int = 0) -> Any:
    return np.triu_indices_from(np.empty(B.shape(B.lift(arr))), k)


@_answers("copy")
def _copy(B: Namespace, a: Any, order: str = "K", subok: bool = False) -> Any:
    return B.lift(a)


# ---------------------------------------------------------------------------------------- decisions: they become guards


@_answers("array_equal")
def _array_equal(B: Namespace, a1: Any, a2: Any, equal_nan: bool = False) -> bool:
    a, b = B.lift(a1), B.lift(a2)
    if B.shape(a) != B.shape(b):
        return False
    same = B.equal(a, b)
    if equal_nan:
        same = B.logical_or(same, B.logical_and(B.isnan(a), B.isnan(b)))
    return bool(B.all(same))


@_answers("array_equiv")
def _array_equiv(B: Namespace, a1: Any, a2: Any) -> bool:
    a, b = B.lift(a1), B.lift(a2)
    try:
        return bool(B.all(B.equal(a, b)))
    except ValueError:  # shapes that do not broadcast
        return False


@_answers("allclose")
def _allclose(B: Namespace, a: Any, b: Any, rtol: Any = 1e-05, atol: Any = 1e-08, equal_nan: bool = False) -> bool:
    return bool(B.all(B.isclose(a, b, rtol, atol, equal_nan)))


# ---------------------------------------------------------------------------------------------------------- numbers out


def _numbers(value: Any) -> Any:
    return value.numpy() if is_graph_value(value) else value


@_answers("save")
def _save(B: Namespace, file: Any, arr: Any, *options: Any, **named: Any) -> None:
    np.save(file, _numbers(arr), *options, **named)


@_answers("savetxt")
def _savetxt(B: Namespace, fname: Any, X: Any, *options: Any, **named: Any) -> None:
    np.savetxt(fname, _numbers(X), *options, **named)


def _saver(write: Callable[..., None]) -> Query:
    def save(B: Namespace, file: Any, *arrays: Any, **named: Any) -> None:
        write(file, *[_numbers(a) for a in arrays], **{k: _numbers(a) for k, a in named.items()})

    return save


QUERIES["numpy.savez"] = _saver(np.savez)
QUERIES["numpy.savez_compressed"] = _saver(np.savez_compressed)
