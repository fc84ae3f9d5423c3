"""Compiling: seconds for a random graph with its gradient; loading in a fresh process; imports."""

import os
import statistics
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest
from graphs import INPUTS, random_graph

import symtape as st

try:
    import resource
except ImportError:  # Windows
    resource = None


@pytest.mark.parametrize("size", [1_000, 10_000, 100_000])
def test_compilation_to_the_first_result(benchmark, report, size):
    point = np.linspace(0.1, 1.0, INPUTS)
    seeds = iter(range(100))

    def setup():
        return random_graph(size, next(seeds)), {}

    def compile_and_call(leaves, total, gradient):
        st.function(leaves, [total, gradient])(*point)

    st.function([x := st.symbol("x")], np.sin(x))(1.0)  # the compiler itself is loaded before the clock starts
    benchmark.pedantic(compile_and_call, setup=setup, rounds=2 if size < 100_000 else 1)
    limits = {10_000: 3.0, 100_000: 30.0}
    report(benchmark.stats.stats.min, "s", limits.get(size))
    benchmark.extra_info["us_an_op"] = benchmark.stats.stats.min / size * 1e6


def test_compilation_on_a_small_stack(benchmark, report):
    """100,000 operations with their gradient, recorded, compiled and called on a thread with 512 kB of stack."""

    def work():
        leaves, total, gradient = random_graph(100_000)
        st.function(leaves, [total, gradient])(*np.linspace(0.1, 1.0, INPUTS))
        done.append(True)

    def on_a_thread():
        thread = threading.Thread(target=work)
        thread.start()
        thread.join()

    done: list[bool] = []
    before = threading.stack_size(512 * 1024)
    try:
        benchmark.pedantic(on_a_thread, rounds=1)
    finally:
        threading.stack_size(before)
    assert done
    report(benchmark.stats.stats.min, "s", 30.0)
    if resource is not None:
        benchmark.extra_info["peak_kB"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


LOAD = """
import numpy as np, symtape as st
st.load({path!r})(*np.linspace(0.1, 1.0, 10))
"""
RECORD = """
import sys
sys.path.insert(0, {folder!r})
import numpy as np, symtape as st
from graphs import random_graph
leaves, total, gradient = random_graph(10_000)
st.function(leaves, [total, gradient])(*np.linspace(0.1, 1.0, 10))
"""


@pytest.mark.parametrize(("code", "limit"), [(LOAD, 0.8), (RECORD, 1.5)], ids=["load", "record again"])
def test_a_fresh_process_with_a_full_cache(benchmark, report, tmp_path, code, limit):
    """From the start of the process to its first result; 10,000 operations with their gradient."""
    leaves, total, gradient = random_graph(10_000)
    path = str(tmp_path / "f.symtape")
    f = st.function(leaves, [total, gradient])
    f(*np.linspace(0.1, 1.0, INPUTS))
    st.save(path, f)
    program = code.format(path=path, folder=str(Path(__file__).parent)) + "import time; print(time.time())\n"
    until_result = []

    def fresh():
        begin = time.time()
        run = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, env=os.environ)
        until_result.append(float(run.stdout) - begin)

    benchmark.pedantic(fresh, rounds=5, warmup_rounds=1)
    report(statistics.median(until_result), "s from start", limit)


@pytest.mark.parametrize("module", ["numpy", "symtape"])
def test_import(benchmark, report, module):
    benchmark.pedantic(
        lambda: subprocess.run([sys.executable, "-c", f"import {module}"], check=True), rounds=10, warmup_rounds=1
    )
    report(benchmark.stats.stats.median * 1e3, "ms from start")
