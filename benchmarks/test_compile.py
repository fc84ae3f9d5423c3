"""Compiling: seconds for a random graph with its gradient; loading in a fresh process; imports."""

import os
import random
import subprocess
import sys
import time

import numpy as np
import pytest

import symtape as st

INPUTS = 10


def random_graph(size: int, seed: int = 0):
    """A random scalar graph of ``size`` operations, all of them live, some values long-lived."""
    rng = random.Random(seed)
    leaves = [st.symbol(f"x{i}") for i in range(INPUTS)]
    with st.GradientTape() as tape:
        tape.watch(leaves)
        values, unused = list(leaves), []
        while len(values) - INPUTS < size - 1:
            a = unused.pop(rng.randrange(len(unused))) if unused and rng.random() < 0.5 else rng.choice(values)
            kind = rng.randrange(6)
            if kind == 0:
                made = np.sin(a)
            elif kind == 1:
                made = np.cos(a)
            elif kind == 2:
                made = np.tanh(a)
            else:
                b = rng.choice(values)
                made = 0.5 * a + b * 0.5 if kind < 4 else a * b
            values.append(made)
            unused.append(made)
        total = unused[0]
        for value in unused[1:]:
            total = total + value
    return leaves, total, tape.gradient(total, leaves)


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


FRESH = """
import time; begin = time.perf_counter()
import numpy as np, symtape as st
f = st.load({path!r}); f(*np.linspace(0.1, 1.0, 10))
print(time.perf_counter() - begin)
"""


def test_load_in_a_fresh_process(benchmark, report, tmp_path):
    leaves, total, gradient = random_graph(10_000)
    path = str(tmp_path / "f.symtape")
    f = st.function(leaves, [total, gradient])
    f(*np.linspace(0.1, 1.0, INPUTS))
    st.save(path, f)

    def fresh():
        begin = time.perf_counter()
        subprocess.run([sys.executable, "-c", FRESH.format(path=path)], check=True, capture_output=True, env=os.environ)
        return time.perf_counter() - begin

    benchmark.pedantic(fresh, rounds=5, warmup_rounds=1)
    report(benchmark.stats.stats.median, "s from start", 0.8)


@pytest.mark.parametrize("module", ["numpy", "symtape"])
def test_import(benchmark, report, module):
    benchmark.pedantic(
        lambda: subprocess.run([sys.executable, "-c", f"import {module}"], check=True), rounds=10, warmup_rounds=1
    )
    report(benchmark.stats.stats.median * 1e3, "ms from start")
