"""SciPy's functions in compiled code: called by name, so that machine code on disk survives a restart."""

import json
import os
import pathlib
import subprocess
import sys

import numpy as np
import pytest
import scipy.special

from symtape.compile import lowering, ufunc_loops
from symtape.compile.library_calls import Callback
from symtape.compile.lowerings import LOWERINGS
from symtape.compile.options import Options
from symtape.compile.program import Program
from symtape.graph.node import symbol
from symtape.ops import registry
from symtape.ops.namespace import NODES as B
from symtape.ops.op import Kind

ROOT = pathlib.Path(__file__).parents[2]

PROGRAM = """
import json, sys
import numpy as np
import symtape as st
from symtape.compile import machine_code, object_code

if sys.argv[1] == "again":
    def refuse(*_, **__):
        raise AssertionError("compiled again")
    machine_code.compile_text = refuse

x = st.symbol("x", shape=(4,))
parts = [
    st.special.jv(1.5, x), st.special.gammainc(2.5, x), st.special.sici(x)[1], st.special.hyp2f1(0.5, 1.5, 2.5, -x),
    st.special.spherical_jn(2, x), st.special.eval_legendre(3, x), st.special.eval_hermite(4, x),
    st.special.kve(0.5, x), st.special.log_ndtr(-x), st.special.polygamma(1, x), st.special.zeta(2.5, x),
]
total = sum(np.sum(part) for part in parts)
f = st.function([x], [total, st.grad(lambda v: np.sum(st.special.jv(1.5, v) * st.special.spherical_jn(2, v)))(x)])
value, slope = f(np.array([0.3, 0.9, 1.7, 4.2]))
address = object_code._special_address("symtape_special_jv")
print(json.dumps([value.hex(), [s.hex() for s in slope.tolist()], str(address)]))
"""


def run(folder, which):
    environment = {**os.environ, "SYMTAPE_CACHE_DIR": str(folder), "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, which], capture_output=True, text=True, check=False, env=environment
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.slow
def test_machine_code_on_disk_survives_a_restart(tmp_path):
    folder = tmp_path / "cache"
    first = run(folder, "first")
    kept = {path.name: path.stat().st_mtime_ns for path in folder.iterdir()}
    assert kept
    second = run(folder, "again")  # raises if anything is compiled
    assert second[:2] == first[:2]
    assert {path.name for path in folder.iterdir()} == set(kept)
    for path in folder.iterdir():
        content = path.read_bytes()
        header = json.loads(content.split(b"\n", 2)[1])
        assert "symtape_special_jv" in header["header"]["symbols"]
        address = int(first[2]).to_bytes(8, "little")
        assert address not in content, "the place of a function in the process that compiled is in no file"


def called_back(node, leaves):
    program = Program(leaves, [node], options=Options(cache=False))
    return {e.op.name for e in program.plan.extra if isinstance(e, Callback)}


@pytest.mark.parametrize("name", ["spherical_jn", "spherical_yn", "spherical_in", "spherical_kn"])
def test_spherical_bessel_functions_of_both_signs(name):
    n, z = symbol("n", (6,), np.int64), symbol("z", (6,))
    node = getattr(B, name)(n, z)
    orders, points = np.array([0, 1, 2, 3, 4, 7]), np.array([-2.5, -1.3, 0.7, -4.0, 5.0, -6.5])
    program = Program([n, z], [node], options=Options(cache=False))
    assert called_back(node, [n, z]) == set()
    np.testing.assert_allclose(program(orders, points)[0], getattr(scipy.special, name)(orders, points), rtol=1e-13)


@pytest.mark.parametrize("name", ["eval_legendre", "eval_chebyt", "eval_chebyu", "eval_laguerre", "eval_hermite"])
@pytest.mark.parametrize("dtype", ["int64", "int32", "uint8"])
def test_polynomials_of_an_array_of_degrees(name, dtype):
    n, x = symbol("n", (4,), np.dtype(dtype)), symbol("x", (4,))
    node = getattr(B, name)(n, x)
    degrees, points = np.array([0, 1, 5, 40], dtype), np.array([0.3, -0.9, 0.99, 0.1])
    program = Program([n, x], [node], options=Options(cache=False))
    assert called_back(node, [n, x]) == set()
    np.testing.assert_array_equal(program(degrees, points)[0], getattr(scipy.special, name)(degrees, points))


def test_a_degree_that_is_no_integer_has_its_own_function():
    n, x = symbol("n"), symbol("x")
    node = B.eval_legendre(n, x)
    program = Program([n, x], [node], options=Options(cache=False))
    assert called_back(node, [n, x]) == set()
    assert program(np.array(2.5), np.array(0.3))[0] == pytest.approx(scipy.special.eval_legendre(2.5, 0.3), rel=1e-15)


def test_zeta_and_polygamma_call_the_loop_of_a_ufunc():
    s, q = symbol("s", (5,)), symbol("q", (5,))
    nodes = [B.zeta(s, q), B.polygamma(1, q), B.polygamma(4, q)]
    program = Program([s, q], nodes, options=Options(cache=False))
    assert not any(isinstance(e, Callback) for e in program.plan.extra)
    powers, points = np.array([2.0, 1.5, 30.0, 1.0, 4.0]), np.array([0.3, 1.0, 17.0, 2.0, -1.5])
    found = program(powers, points)
    for actual, expected in zip(
        found,
        (
            scipy.special.zeta(powers, points),
            scipy.special.polygamma(1, points),
            scipy.special.polygamma(4, points),
        ),
        strict=True,
    ):
        np.testing.assert_array_equal(actual, expected)


@pytest.fixture
def nothing_known_of_loops():
    """No memory of ufuncs and of lowerings that call them, before and afterwards."""
    memories = (ufunc_loops.loop_of_doubles, lowering.lowered_line, lowering._lowered)
    for memory in memories:
        memory.cache_clear()
    yield
    for memory in memories:
        memory.cache_clear()


def test_a_ufunc_that_looks_different_is_left_alone(monkeypatch, nothing_known_of_loops):
    monkeypatch.setattr(ufunc_loops._UFunc, "name", b"another", raising=False)
    assert ufunc_loops.loop_of_doubles("_zeta") is None
    q = symbol("q")
    assert called_back(B.zeta(2.5, q), [q]) <= {"hurwitz_zeta"}
    monkeypatch.undo()
    ufunc_loops.loop_of_doubles.cache_clear()
    assert ufunc_loops.loop_of_doubles("_zeta") is not None
    assert ufunc_loops.loop_of_doubles("add") is None


def test_which_special_functions_call_back_is_what_the_documentation_says():
    special = {e.op or registry.ops().get(e.name) for e in registry.functions().values() if is_special(e)} - {None}
    slow = {
        op.name for op in special if op.kind is Kind.ELEMENTWISE and op.lowering is None and op.name not in LOWERINGS
    }
    assert slow == {"lambertw"}
    text = (ROOT / "docs" / "compile.md").read_text(encoding="utf-8")
    assert "`lambertw` alone is called back into Python" in text


def is_special(entry):
    return any(name.startswith("scipy.special.") for name in entry.implements)
