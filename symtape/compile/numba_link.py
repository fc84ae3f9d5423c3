"""Programs as functions of numba: small kernels are linked into the caller's own module, where they are inlined.

An `@intrinsic` lays out the pointer tables on the stack and calls the kernel. A small kernel without data of its own
comes along as text, so numba's optimizer sees it and numba's cache may keep it. Any other is called at its address in
this process, which numba is told, so that it keeps no such code on disk.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from types import CodeType, FunctionType
from typing import Any, Final

import numpy as np

from symtape.compile.library_calls import CALLBACK_STATUS
from symtape.compile.loop_text import INDEX_STATUS
from symtape.compile.lower import KERNEL
from symtape.compile.program import Program
from symtape.errors import AssumptionViolated, CompilationError, SingularMatrixError
from symtape.graph.node import DType

#: Straight-line operations up to which a kernel becomes part of the caller's module.
_LINKED: Final = 2000


def numba_function(program: Program, names: Sequence[str], *, single: bool) -> Any:
    """An ``@njit`` function that computes what a program computes.

    Parameters
    ----------
    program : Program
    names : sequence of str
        Of the inputs.
    single : bool
        Whether the one result comes by itself and not in a tuple.

    Returns
    -------
    numba dispatcher
    """
    import numba

    kernel = _kernel_intrinsic(program)
    namespace = {
        "np": np,
        "kernel": kernel,
        "AssumptionViolated": AssumptionViolated,
        "SingularMatrixError": SingularMatrixError,
        "CompilationError": CompilationError,
    }
    text = _source(program, names, single)
    module = compile(text, "<symtape function>", "exec")
    code = next(c for c in module.co_consts if isinstance(c, CodeType))
    for k, (_, dtype) in enumerate(program.input_types):
        namespace[f"dtype{k}"] = numba.from_dtype(dtype)
        namespace[f"converted{k}"] = _converter(dtype)
    for k, (_, dtype) in enumerate(program.output_types):
        namespace[f"otype{k}"] = numba.from_dtype(dtype)
    function = FunctionType(code, namespace)
    dispatcher = numba.njit(error_model="numpy", nogil=True)(function)
    dispatcher.symtape_program = program  # the code calls into it
    return dispatcher


def _source(program: Program, names: Sequence[str], single: bool) -> str:
    """The wrapper: checks and copies inputs, makes results, calls the kernel, raises what its status means."""
    count = len(program.input_types)
    arguments = [f"x{k}" for k in range(count)]
    lines = [f"def function({', '.join(arguments)}):"]
    for k, (shape, _) in enumerate(program.input_types):
        if shape == ():
            lines.append(f"    a{k} = np.empty(1, dtype{k})")
            lines.append(f"    a{k}[0] = x{k}")
            continue
        wanted = ", ".join(map(str, shape)) + ("," if len(shape) == 1 else "")
        label = names[k] if names[k].isidentifier() else f"number {k}"
        lines.append(f"    if x{k}.shape != ({wanted}):")
        lines.append(f"        raise ValueError('the input {label} has another shape than ({wanted})')")
        lines.append(f"    a{k} = converted{k}(x{k})")
    for k, (shape, _) in enumerate(program.output_types):
        lines.append(f"    b{k} = np.empty({shape if shape else (1,)}, otype{k})")
    lines.append(f"    work = np.empty({program.kernel.workspace + 64}, np.uint8)")
    ins = "".join(f"a{k}, " for k in range(count))
    outs = "".join(f"b{k}, " for k in range(len(program.output_types)))
    lines.append(f"    status = kernel(({ins}), ({outs}), work)")
    lines.append("    if status != 0:")
    for number, (_, _, text) in enumerate(program.guards, 1):
        lines.append(f"        if status == {number}:")
        lines.append(f"            raise AssumptionViolated({text!r})")
    lines.append(f"        if status == {INDEX_STATUS}:")
    lines.append("            raise IndexError('an index array of the compiled function holds an index outside its axis')")
    lines.append(f"        if status == {CALLBACK_STATUS}:")
    lines.append("            raise SingularMatrixError('a matrix in the compiled function is singular')")
    lines.append("        raise CompilationError('the compiled function ended with an unknown status')")
    results = [f"b{k}[0]" if shape == () else f"b{k}" for k, (shape, _) in enumerate(program.output_types)]
    lines.append(f"    return {results[0] if single else '(' + ', '.join(results) + ',)'}")
    return "\n".join(lines) + "\n"


def _converter(dtype: DType) -> Any:
    """A function of numba that gives an array in C order with a dtype: the array itself where it is so already."""
    import numba
    from numba.extending import overload

    wanted = numba.from_dtype(dtype)

    def converted(array: Any) -> Any:
        return np.ascontiguousarray(array, dtype)

    def implementation(array: Any) -> Any:
        if array.dtype == wanted:
            return lambda array: np.ascontiguousarray(array)
        return lambda array: np.ascontiguousarray(array.astype(wanted))

    for function in (converted, implementation):
        function.__annotations__.clear()  # numba compares signatures with those of the lambdas
    overload(converted)(implementation)
    return converted


def _private(text: str, name: str) -> str:
    """The module with its kernel under a name of its own and everything else hidden, to be linked into another."""
    text = text.replace("define i32 @", "define internal i32 @").replace("define hidden i32 @", "define internal i32 @")
    text = text.replace(f"define internal i32 @{KERNEL}(", f"define i32 @{KERNEL}(")
    return text.replace(f"@{KERNEL}", f"@{name}").replace("@symtape.", f"@{name}.")


def _kernel_intrinsic(program: Program) -> Any:
    """The intrinsic ``kernel(inputs, outputs, work) -> int32``."""
    from llvmlite import binding, ir
    from numba import types
    from numba.core import cgutils
    from numba.extending import intrinsic

    whole = program.kernel.module.whole()
    linked = program.kernel.operations <= _LINKED and not program.kernel.extra
    name = f"symtape_{hashlib.sha256(whole.encode()).hexdigest()[:24]}"
    sizes = program.kernel.sizes or [0]
    addresses = program.extra_addresses
    address = program.kernel_address

    @intrinsic  # type: ignore[untyped-decorator]
    def kernel(typing_context: Any, inputs: Any, outputs: Any, work: Any) -> Any:
        del typing_context
        signature = types.int32(inputs, outputs, work)

        def generate(context: Any, builder: Any, sig: Any, arguments: Any) -> Any:
            pointer = ir.IntType(8).as_pointer()
            long = ir.IntType(64)
            tables = []
            for kind, value in zip(sig.args[:2], arguments[:2], strict=True):
                found = []
                for k, one in enumerate(kind.types):
                    array = context.make_array(one)(context, builder, builder.extract_value(value, k))
                    found.append(builder.bitcast(array.data, pointer))
                tables.append(found)
            for k, place in enumerate(addresses):
                dynamic = context.add_dynamic_addr(builder, place, info=f"symtape data {k}")
                tables[0].append(builder.bitcast(dynamic, pointer))
            laid = []
            for found in tables:
                table = cgutils.alloca_once(builder, pointer, size=ir.Constant(long, max(len(found), 1)))
                for k, one in enumerate(found):
                    builder.store(one, builder.gep(table, [ir.Constant(long, k)]))
                laid.append(builder.bitcast(table, pointer))
            room = context.make_array(sig.args[2])(context, builder, arguments[2])
            start = builder.ptrtoint(room.data, long)
            aligned = builder.and_(builder.add(start, ir.Constant(long, 63)), ir.Constant(long, -64))
            row = ir.ArrayType(long, len(sizes))
            table = cgutils.global_constant(builder.module, f"{name}.sizes", ir.Constant(row, list(sizes)))
            full = [*laid, builder.inttoptr(aligned, pointer), builder.bitcast(table, pointer)]
            kind = ir.FunctionType(ir.IntType(32), [pointer] * 4)
            if linked:
                library = context.codegen().create_library(f"{name}_library")
                library.add_llvm_module(binding.parse_assembly(_private(whole, name)))
                context.active_code_library.add_linking_library(library)
                function = cgutils.get_or_insert_function(builder.module, kind, name)
            else:
                dynamic = context.add_dynamic_addr(builder, address, info="symtape kernel")
                function = builder.bitcast(dynamic, kind.as_pointer())
            return builder.call(function, full)

        return signature, generate

    return kernel
