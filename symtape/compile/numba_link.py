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
from symtape.compile.program import Program
from symtape.compile.runnable import KERNEL
from symtape.errors import AssumptionViolated, CompilationError, SingularMatrixError
from symtape.graph.node import DType

#: Straight-line operations up to which a kernel becomes part of the caller's module.
_LINKED: Final = 2000
#: Bytes of workspace that may stand on the caller's stack.
_STACK: Final = 4096


def numba_function(program: Program, names: Sequence[str], *, single: bool) -> Any:
    """An ``@njit`` function that computes what a program computes.

    Parameters
    ----------
    program : Program
    names : sequence of str
        Of the inputs, for messages.
    single : bool
        Whether the one result comes by itself and not in a tuple.

    Returns
    -------
    numba dispatcher
    """
    import numba

    namespace: dict[str, Any] = {
        "np": np,
        "kernel": _kernel_intrinsic(program),
        "AssumptionViolated": AssumptionViolated,
        "SingularMatrixError": SingularMatrixError,
        "CompilationError": CompilationError,
    }
    for k, (shape, dtype) in enumerate(program.input_types):
        namespace[f"converted{k}"] = _converter(dtype) if shape else numba.from_dtype(dtype)
    for k, (_, dtype) in enumerate(program.output_types):
        namespace[f"type{k}"] = numba.from_dtype(dtype)
    module = compile(_source(program, names, single), "<symtape function>", "exec")
    code = next(c for c in module.co_consts if isinstance(c, CodeType))
    dispatcher: Any = numba.njit(error_model="numpy", nogil=True)(FunctionType(code, namespace))
    dispatcher.symtape_program = program  # the code may call into it
    return dispatcher


def _source(program: Program, names: Sequence[str], single: bool) -> str:
    """The wrapper: checks and converts inputs, makes results, calls the kernel, raises what its status means."""
    count = len(program.input_types)
    lines = [f"def function({', '.join(f'x{k}' for k in range(count))}):"]
    for k, (shape, _) in enumerate(program.input_types):
        if shape:
            label = names[k] if names[k].isidentifier() else f"number {k}"
            lines.append(f"    if x{k}.shape != {shape!r}:")
            lines.append(f"        raise ValueError('the input {label} has another shape than {shape!r}')")
        lines.append(f"    a{k} = converted{k}(x{k})")
    results, place = [], 1
    for k, (shape, _) in enumerate(program.output_types):
        lines.append(f"    b{k} = np.empty({shape!r}, type{k})" if shape else f"    b{k} = type{k}(0)")
        results.append(f"b{k}" if shape else f"found[{place}]")
        place += not shape
    room = program.plan.workspace
    lines.append(
        f"    work = np.empty({room + 64 if room > _STACK else 0}, np.uint8)" if room > _STACK else "    work = 0"
    )
    given = "".join(f"a{k}, " for k in range(count))
    wanted = "".join(f"b{k}, " for k in range(len(program.output_types)))
    lines.append(f"    found = kernel(({given}), ({wanted}), work)")
    lines.append("    status = found[0]")
    lines.append("    if status != 0:")
    for number, (_, _, text) in enumerate(program.guards, 1):
        lines.append(f"        if status == {number}:")
        lines.append(f"            raise AssumptionViolated({text!r})")
    lines.append(f"        if status == {INDEX_STATUS}:")
    lines.append(
        "            raise IndexError('an index array of the compiled function holds an index outside its axis')"
    )
    lines.append(f"        if status == {CALLBACK_STATUS}:")
    lines.append("            raise SingularMatrixError('a matrix in the compiled function is singular')")
    lines.append("        raise CompilationError('the compiled function ended with an unknown status')")
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
        def as_it_is(array: Any) -> Any:
            return np.ascontiguousarray(array)

        def cast(array: Any) -> Any:
            return np.ascontiguousarray(array.astype(wanted))

        chosen = as_it_is if array.dtype == wanted else cast
        chosen.__annotations__.clear()
        return chosen

    for function in (converted, implementation):
        function.__annotations__.clear()  # numba compares signatures, annotations included
    overload(converted)(implementation)
    return converted


def _private(text: str, name: str) -> str:
    """The module with its kernel under a name of its own and everything else hidden, to be linked into another."""
    text = text.replace("define i32 @", "define internal i32 @").replace("define hidden i32 @", "define internal i32 @")
    text = text.replace(f"define internal i32 @{KERNEL}(", f"define i32 @{KERNEL}(")
    return text.replace(f"@{KERNEL}", f"@{name}").replace("@symtape.", f"@{name}.")


def _kernel_intrinsic(program: Program) -> Any:
    """The intrinsic ``kernel(inputs, outputs, work) -> (status, results of shape ())``."""
    from numba import types
    from numba.extending import intrinsic

    linker = _Linker(program)

    def kernel(typing_context: Any, inputs: Any, outputs: Any, work: Any) -> Any:
        del typing_context
        numbers = [kind for kind in outputs.types if not isinstance(kind, types.Array)]
        signature = types.Tuple([types.int32, *numbers])(inputs, outputs, work)  # type: ignore[no-untyped-call]

        def generate(context: Any, builder: Any, sig: Any, arguments: Any) -> Any:
            given = linker.pointers(context, builder, sig.args[0], arguments[0])
            wanted = linker.pointers(context, builder, sig.args[1], arguments[1])
            status = linker.call(context, builder, given, wanted, (sig.args[2], arguments[2]))
            loaded = [
                linker.loaded(context, builder, kind, p)
                for kind, p in zip(sig.args[1].types, wanted, strict=True)
                if not isinstance(kind, types.Array)
            ]
            return context.make_tuple(builder, sig.return_type, [status, *loaded])

        return signature, generate

    kernel.__annotations__.clear()
    return intrinsic(kernel)


class _Linker:
    """Builds the call of one program's kernel in a module of numba."""

    def __init__(self, program: Program) -> None:
        self.text = program.ir
        self.linked = program.plan.operations <= _LINKED and not program.plan.extra
        self.name = f"symtape_{hashlib.sha256(self.text.encode()).hexdigest()[:24]}"
        self.sizes = list(program.plan.sizes) or [0]
        self.workspace = program.plan.workspace
        self.extra = program.extra_addresses
        self.address = program.kernel_address

    def pointers(self, context: Any, builder: Any, kind: Any, values: Any) -> list[Any]:
        """The address of each entry of a tuple: of an array's data, or of a number, which is put on the stack."""
        from llvmlite import ir
        from numba import types
        from numba.core import cgutils

        found = []
        for k, one in enumerate(kind.types):
            value = builder.extract_value(values, k)
            if isinstance(one, types.Array):
                data = context.make_array(one)(context, builder, value).data
            else:
                data = cgutils.alloca_once_value(builder, context.get_value_as_data(builder, one, value))  # type: ignore[no-untyped-call]
            found.append(builder.bitcast(data, ir.IntType(8).as_pointer()))
        return found

    @staticmethod
    def loaded(context: Any, builder: Any, kind: Any, pointer: Any) -> Any:
        """The number that stands at an address."""
        data = builder.bitcast(pointer, context.get_data_type(kind).as_pointer())
        return context.unpack_value(builder, kind, data)

    def call(self, context: Any, builder: Any, given: list[Any], wanted: list[Any], work: tuple[Any, Any]) -> Any:
        """The status of the kernel, called with tables of these pointers."""
        from llvmlite import ir
        from numba.core import cgutils

        pointer, long = ir.IntType(8).as_pointer(), ir.IntType(64)
        for k, place in enumerate(self.extra):
            address = context.add_dynamic_addr(builder, place, info=f"symtape data {k}")
            given = [*given, builder.bitcast(address, pointer)]
        full = []
        for entries in (given, wanted):
            length = ir.Constant(long, max(len(entries), 1))
            table = cgutils.alloca_once(builder, pointer, size=length)  # type: ignore[no-untyped-call]
            for k, one in enumerate(entries):
                builder.store(one, builder.gep(table, [ir.Constant(long, k)]))
            full.append(builder.bitcast(table, pointer))
        kind, value = work
        if self.workspace > _STACK:
            room = context.make_array(kind)(context, builder, value).data
        else:
            room = cgutils.alloca_once(builder, ir.IntType(8), size=ir.Constant(long, self.workspace + 64))  # type: ignore[no-untyped-call]
        start = builder.and_(builder.add(builder.ptrtoint(room, long), ir.Constant(long, 63)), ir.Constant(long, -64))
        row = ir.Constant(ir.ArrayType(long, len(self.sizes)), list(self.sizes))
        sizes = cgutils.global_constant(builder.module, f"{self.name}.sizes", row)  # type: ignore[no-untyped-call]
        full += [builder.inttoptr(start, pointer), builder.bitcast(sizes, pointer)]
        return builder.call(self.function(context, builder, pointer), full)

    def function(self, context: Any, builder: Any, pointer: Any) -> Any:
        """The kernel: linked into the module, or at its address."""
        from llvmlite import binding, ir
        from numba.core import cgutils

        kind = ir.FunctionType(ir.IntType(32), [pointer] * 4)
        if not self.linked:
            address = context.add_dynamic_addr(builder, self.address, info="symtape kernel")
            return builder.bitcast(address, kind.as_pointer())
        library = context.codegen().create_library(f"{self.name}_library")
        library.add_llvm_module(binding.parse_assembly(_private(self.text, self.name)))
        context.active_code_library.add_linking_library(library)
        return cgutils.get_or_insert_function(builder.module, kind, self.name)  # type: ignore[no-untyped-call]
