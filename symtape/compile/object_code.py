"""From LLVM IR text to machine code in memory, through llvmlite alone: numba is never imported here.

Two steps that can stand in different processes: `compile_text` makes the bytes of an object file for this machine, and
`load` links such bytes into the process and finds the functions in them. An object file holds no address: what it
calls (libm, SciPy's C functions) is named, and `load` looks each name up before it links, since LLVM ends the process
when one is unknown.
"""

from __future__ import annotations

import ctypes
import os
import re
import sys
import threading
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

from symtape.compile.ufunc_loops import DATA, LOOP, address_of
from symtape.errors import CompilationError

#: Symbols that begin so are functions of scipy.special.cython_special: doubles and a flag that is 0 in, a double out;
#: or a double in and several written through pointers.
SPECIAL: Final = "symtape_special_"
#: Those whose first argument is an integer; some take optional arguments, of which there are none, as a pointer.
SPECIAL_OF_WHOLE: Final = "symtape_special_whole_"
_OF_DOUBLES: Final = re.compile(rb"double \((double, )+int __pyx_skip_dispatch\)|void \(double(, double \*)+\)")
_OF_WHOLE: Final = re.compile(
    rb"double \(Py_ssize_t, (double, )+int __pyx_skip_dispatch(, struct [^,]*\*__pyx_optional_args)?\)"
)

_LIBM: Final = {"darwin": ("libSystem.B.dylib",), "win32": ("ucrtbase.dll", "msvcrt.dll")}
_lock = threading.RLock()
if hasattr(os, "register_at_fork"):
    # LLVM's own locks, unlike ours, cannot be made anew in a child: no process forks while a thread of it compiles
    os.register_at_fork(before=_lock.acquire, after_in_parent=_lock.release, after_in_child=_lock.release)


@dataclass(frozen=True, slots=True)
class Machine:
    """What machine code depends on beside its source: part of every cache key."""

    triple: str
    cpu: str
    features: str
    llvm: str


@cache
def machine() -> Machine:
    """The processor of this process as LLVM sees it; the first call makes LLVM ready."""
    import llvmlite
    from llvmlite import binding

    binding.initialize_native_target()
    binding.initialize_native_asmprinter()
    for name in _LIBM.get(sys.platform, ("libm.so.6", "libm.so")):
        try:
            binding.load_library_permanently(name)
        except RuntimeError:
            continue  # musl, for one, has no libm of its own: the C library, always loaded, holds the functions
        break
    version = ".".join(map(str, binding.llvm_version_info))
    return Machine(
        triple=binding.get_process_triple(),
        cpu=binding.get_host_cpu_name(),
        features=binding.get_host_cpu_features().flatten(),
        llvm=f"{version} (llvmlite {llvmlite.__version__})",
    )


def _target_machine(level: int) -> Any:
    from llvmlite import binding

    host = machine()
    target = binding.Target.from_triple(host.triple)
    return target.create_target_machine(
        cpu=host.cpu, features=host.features, opt=level, reloc="default", codemodel="jitdefault", jit=True
    )


def compile_text(text: str, loops: str = "", *, optimize: bool, level: int = 2) -> bytes:
    """Machine code for a module in LLVM's text form.

    Parameters
    ----------
    text : str
        The module.
    loops : str
        A second module that is linked into the first; LLVM's passes run on it always.
    optimize : bool
        Whether they (inlining, vectorization) run on the first module too.
    level : int
        Their level, 0 to 3.

    Returns
    -------
    bytes
        An object file.

    Raises
    ------
    CompilationError
        If the text is not valid; the message shows the line.

    Examples
    --------
    >>> code = compile_text("define double @twice(double %x) { %y = fadd double %x, %x ret double %y }", optimize=True)
    >>> isinstance(code, bytes)
    True
    """
    with _lock:
        target = _target_machine(level if optimize else 1)
        module = _parsed(text, target)
        if loops:
            other = _parsed(loops, target)
            _run_passes(other, target, level)
            module.link_in(other)
        if optimize:
            _run_passes(module, target, level)
        return bytes(target.emit_object(module))


def _parsed(text: str, target: Any) -> Any:
    from llvmlite import binding

    try:
        module = binding.parse_assembly(text)
    except RuntimeError as error:
        raise CompilationError(_located(str(error), text)) from error
    module.triple = machine().triple
    module.data_layout = str(target.target_data)
    return module


def _run_passes(module: Any, target: Any, level: int) -> None:
    from llvmlite import binding

    if level == 0:
        return
    options = binding.create_pipeline_tuning_options(speed_level=level)
    options.loop_vectorization = level > 1
    options.slp_vectorization = level > 1
    builder = binding.create_pass_builder(target, options)
    builder.getModulePassManager().run(module, builder)


def _located(message: str, text: str) -> str:
    """LLVM's message with the line of the text that it is about and the comment before it, which names the node."""
    found = re.search(r":(\d+):\d+: error: (.*)", message)
    if found is None:
        return f"LLVM refused the generated code: {message.strip()}"
    lines = text.splitlines()
    row = min(int(found[1]), len(lines)) - 1
    comment = next((line.strip("; ") for line in reversed(lines[: row + 1]) if line.startswith(";")), "the module")
    return f"LLVM refused the code generated for {comment}: {found[2]}, in line {row + 1}: {lines[row].strip()}"


class LoadedCode:
    """Machine code that is part of this process for as long as this object lives.

    Attributes
    ----------
    addresses : dict of str to int
        Where each function that was asked for starts.
    """

    __slots__ = ("__weakref__", "_engine", "addresses")

    def __init__(self, engine: Any, addresses: dict[str, int]) -> None:
        self._engine = engine
        self.addresses = addresses


def load(data: bytes, names: Iterable[str], symbols: Iterable[str] = ()) -> LoadedCode:
    """Link an object file into the process.

    Parameters
    ----------
    data : bytes
        From `compile_text`, on a machine with the same processor. Nothing checks it here: the caller has a checksum.
    names : iterable of str
        The functions that are wanted.
    symbols : iterable of str
        What the code calls and does not contain.

    Returns
    -------
    LoadedCode

    Raises
    ------
    CompilationError
        If a symbol or a function is not there.

    Examples
    --------
    >>> import ctypes
    >>> data = compile_text("define double @twice(double %x) { %y = fadd double %x, %x ret double %y }", optimize=True)
    >>> code = load(data, ["twice"])
    >>> ctypes.CFUNCTYPE(ctypes.c_double, ctypes.c_double)(code.addresses["twice"])(4.0)
    8.0
    """
    from llvmlite import binding

    missing = unresolved(symbols)
    if missing:
        raise CompilationError(f"no such C function in this process: {', '.join(missing)}")
    with _lock:
        engine = binding.create_mcjit_compiler(binding.parse_assembly(""), _target_machine(1))
        engine.add_object_file(binding.ObjectFileRef.from_data(data))
        engine.finalize_object()
        addresses = {name: engine.get_function_address(name) for name in names}
    lost = [name for name, address in addresses.items() if not address]
    if lost:
        raise CompilationError(f"the object file has no function {', '.join(lost)}")
    return LoadedCode(engine, addresses)


def unresolved(symbols: Iterable[str]) -> list[str]:
    """Make the named C functions known to LLVM; returns those that do not exist.

    Examples
    --------
    >>> unresolved(["tanh", "no_such_function"])
    ['no_such_function']
    """
    from llvmlite import binding

    machine()
    missing = []
    for name in symbols:
        if binding.address_of_symbol(name) is not None:
            continue
        address = None
        if name.startswith(SPECIAL):
            address = _special_address(name)
        elif name.startswith((LOOP, DATA)):
            address = address_of(name)
        if address is None:
            missing.append(name)
        else:
            binding.add_symbol(name, address)
    return missing


def _special_address(symbol: str) -> int | None:
    """Address of a function that SciPy offers to C code, in the version of the types that its symbol says, or None."""
    from scipy.special import cython_special

    whole = symbol.startswith(SPECIAL_OF_WHOLE)
    name, signature = symbol.removeprefix(SPECIAL_OF_WHOLE if whole else SPECIAL), _OF_WHOLE if whole else _OF_DOUBLES
    api = ctypes.pythonapi
    title = ctypes.PYFUNCTYPE(ctypes.c_char_p, ctypes.py_object)(("PyCapsule_GetName", api))
    pointer = ctypes.PYFUNCTYPE(ctypes.c_void_p, ctypes.py_object, ctypes.c_char_p)(("PyCapsule_GetPointer", api))
    kinds = ("", *(f"__pyx_fuse_{k}" for k in range(4)), *(f"__pyx_fuse_{k}_1" for k in range(3)))
    for spelling in (kind + name for kind in kinds):
        capsule = cython_special.__pyx_capi__.get(spelling)
        if capsule is not None and signature.fullmatch(title(capsule)):
            return int(pointer(capsule, title(capsule)))
    return None
