import ctypes
import gc
import math
import os
import subprocess
import sys
import threading

import pytest

from symtape.compile.object_code import SPECIAL, compile_text, load, machine, unresolved
from symtape.errors import CompilationError

TWICE = "define double @twice(double %x) { %y = fadd double %x, %x ret double %y }"
CALL = "declare double @NAME(double)\ndefine double @f(double %x) { %y = call double @NAME(double %x) ret double %y }"
UNARY = ctypes.CFUNCTYPE(ctypes.c_double, ctypes.c_double)


def call(text, name, argument, symbols=(), optimize=True):
    code = load(compile_text(text, optimize=optimize), [name], symbols)
    return UNARY(code.addresses[name])(argument)


@pytest.mark.parametrize("optimize", [True, False])
def test_text_becomes_a_function(optimize):
    assert call(TWICE, "twice", 21.0, optimize=optimize) == 42.0


def test_libm_is_found_without_numba():
    text = (
        "declare double @tanh(double)\ndefine double @f(double %x) { %y = call double @tanh(double %x) ret double %y }"
    )
    assert call(text, "f", 0.5, ["tanh"]) == math.tanh(0.5)


@pytest.mark.parametrize("name", ["sin", "exp", "log", "pow", "tanh", "atan2", "fmod", "cbrt", "sinf", "powf"])
def test_libm_symbols_resolve(name):
    assert unresolved([name]) == []


def test_intrinsics_become_libm_calls():
    assert call(CALL.replace("NAME", "llvm.sin.f64"), "f", 0.5) == math.sin(0.5)


@pytest.mark.parametrize("name", ["psi", "gamma", "gammaln", "erf", "erfc", "expit"])
def test_special_functions_of_scipy_are_linked_by_name(name):
    from scipy import special

    symbol = SPECIAL + name
    text = (
        f"declare double @{symbol}(double, i32)\n"
        f"define double @f(double %x) {{ %y = call double @{symbol}(double %x, i32 0) ret double %y }}"
    )
    assert call(text, "f", 2.5, [symbol]) == getattr(special, name)(2.5)


def test_a_missing_symbol_is_an_error_and_not_the_end_of_the_process():
    data = compile_text(CALL.replace("NAME", "nowhere"), optimize=False)
    with pytest.raises(CompilationError, match="nowhere"):
        load(data, ["f"], ["nowhere"])
    with pytest.raises(CompilationError, match="symtape_special_nowhere"):
        load(data, ["f"], [SPECIAL + "nowhere"])


def test_a_missing_function_is_an_error():
    with pytest.raises(CompilationError, match="thrice"):
        load(compile_text(TWICE, optimize=True), ["thrice"])


def test_a_bad_line_is_shown_with_the_comment_before_it():
    text = "define double @f(double %x) {\n; cube float64[]\n %y = fnord double %x\n ret double %y\n}"
    with pytest.raises(CompilationError, match=r"cube float64\[\].*line 3: %y = fnord"):
        compile_text(text, optimize=False)


def test_equal_names_in_two_programs_do_not_clash():
    first = load(compile_text(TWICE, optimize=True), ["twice"])
    second = load(compile_text(TWICE.replace("fadd", "fmul"), optimize=True), ["twice"])
    assert UNARY(first.addresses["twice"])(3.0) == 6.0
    assert UNARY(second.addresses["twice"])(3.0) == 9.0


def test_code_goes_with_its_owner():
    code = load(compile_text(TWICE, optimize=True), ["twice"])
    del code
    gc.collect()
    assert call(TWICE, "twice", 1.0) == 2.0


def test_machine_names_processor_and_versions():
    host = machine()
    assert host.cpu
    assert host.features
    assert "llvmlite" in host.llvm


def test_many_threads_compile_at_once():
    results = []

    def work(k):
        text = f"define double @f(double %x) {{ %y = fadd double %x, {k}.0 ret double %y }}"
        results.append((k, call(text, "f", 1.0)))

    threads = [threading.Thread(target=work, args=(k,)) for k in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(results) == [(k, 1.0 + k) for k in range(8)]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this platform")
def test_a_forked_child_compiles():
    source = (
        "import os, sys, ctypes\n"
        "from symtape.compile.object_code import compile_text, load\n"
        f"text = {TWICE!r}\n"
        "code = load(compile_text(text, optimize=True), ['twice'])\n"
        "pid = os.fork()\n"
        "again = load(compile_text(text, optimize=True), ['twice'])\n"
        "f = ctypes.CFUNCTYPE(ctypes.c_double, ctypes.c_double)\n"
        "good = f(code.addresses['twice'])(2.0) == 4.0 and f(again.addresses['twice'])(2.0) == 4.0\n"
        "if pid == 0: os._exit(0 if good else 3)\n"
        "_, status = os.waitpid(pid, 0)\n"
        "sys.exit(0 if good and status == 0 else 1)\n"
    )
    assert subprocess.run([sys.executable, "-c", source], check=False).returncode == 0


def test_numba_is_not_imported():
    source = (
        "import sys\n"
        "from symtape.compile.object_code import compile_text, load\n"
        f"load(compile_text({TWICE!r}, optimize=True), ['twice'])\n"
        "sys.exit('numba' in sys.modules or 'sympy' in sys.modules or 'scipy' in sys.modules)\n"
    )
    assert subprocess.run([sys.executable, "-c", source], check=False).returncode == 0
