"""Functions of SciPy that cython_special has not: the inner loop of their ufunc, called on one element.

A ufunc's C structure, which NumPy documents (``PyUFuncObject``), holds for each signature the address of a loop and of
what the loop is given as data. Both are linked by name, as other C functions are. What is read is compared with what
Python says of the ufunc, and a structure that looks different is left alone.
"""

from __future__ import annotations

import ctypes
from functools import cache
from typing import Any, Final

#: Symbols of a loop and of its data begin so.
LOOP: Final = "symtape_loop_"
DATA: Final = "symtape_data_"


class _UFunc(ctypes.Structure):
    _fields_ = (
        ("head", ctypes.c_byte * object.__basicsize__),
        ("inputs", ctypes.c_int),
        ("outputs", ctypes.c_int),
        ("arguments", ctypes.c_int),
        ("identity", ctypes.c_int),
        ("functions", ctypes.POINTER(ctypes.c_void_p)),
        ("data", ctypes.POINTER(ctypes.c_void_p)),
        ("count", ctypes.c_int),
        ("reserved", ctypes.c_int),
        ("name", ctypes.c_char_p),
    )


@cache
def loop_of_doubles(name: str) -> tuple[int, int] | None:
    """Addresses of the loop over doubles of a ufunc in scipy.special, and of its data; None if they are not known.

    Examples
    --------
    >>> loop_of_doubles("no_such_function") is None
    True
    """
    from scipy.special import _ufuncs

    ufunc: Any = getattr(_ufuncs, name, None)
    if ufunc is None or object.__basicsize__ != ctypes.sizeof(ctypes.c_void_p) * 2:
        return None
    seen = _UFunc.from_address(id(ufunc))
    told = (ufunc.nin, ufunc.nout, ufunc.nargs, ufunc.ntypes, ufunc.__name__.encode())
    if told != (seen.inputs, seen.outputs, seen.arguments, seen.count, seen.name):
        return None
    signature = "d" * ufunc.nin + "->d"
    if signature not in ufunc.types:
        return None
    place = ufunc.types.index(signature)
    function = seen.functions[place]
    return None if function is None else (int(function), int(seen.data[place] or 0))


def address_of(symbol: str) -> int | None:
    """What stands behind a symbol of this module, or None."""
    found = loop_of_doubles(symbol.removeprefix(LOOP).removeprefix(DATA))
    return None if found is None else found[0] if symbol.startswith(LOOP) else found[1]


def caller(name: str, arity: int) -> tuple[str, tuple[str, ...]]:
    """The name of a function of doubles that calls the loop once, and the texts that define it."""
    own = f"symtape_ufunc_{name}"
    given = ", ".join(f"double %x{k}" for k in range(arity))
    rooms = "".join(f" %p{k} = alloca double\n" for k in range(arity + 1))
    stores = "".join(f" store double %x{k}, ptr %p{k}\n" for k in range(arity))
    table = "".join(
        f" %a{k} = getelementptr ptr, ptr %args, i64 {k}\n store ptr %p{k}, ptr %a{k}\n" for k in range(arity + 1)
    )
    text = (
        f"define internal double @{own}({given}) nounwind willreturn noinline {{\n{rooms}"
        f" %args = alloca ptr, i64 {arity + 1}\n %steps = alloca i64, i64 {arity + 1}\n %length = alloca i64\n"
        f"{stores}{table} call void @llvm.memset.p0.i64(ptr %steps, i8 0, i64 {8 * (arity + 1)}, i1 false)\n"
        f" store i64 1, ptr %length\n"
        f" call void @{LOOP}{name}(ptr %args, ptr %length, ptr %steps, ptr @{DATA}{name})\n"
        f" %r = load double, ptr %p{arity}\n ret double %r\n}}"
    )
    declared = (
        f"declare void @{LOOP}{name}(ptr, ptr, ptr, ptr) nounwind willreturn",
        f"@{DATA}{name} = external global i8",
        "declare void @llvm.memset.p0.i64(ptr, i8, i64, i1)",
    )
    return own, (*declared, text)
