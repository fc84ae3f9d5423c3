"""What an operation costs on the tape: recording, differentiating, evaluating; and a step of a training loop."""

import gc
import time
import tracemalloc

import numpy as np
import pytest

import symtape as st

SIZES = (1_000, 10_000, 100_000)


def chain(size: int):
    """A recorded chain of ``size`` operations of two kinds."""
    x = st.Variable(0.5, name="x")
    with st.GradientTape(persistent=True) as tape:
        z = x
        for _ in range(size // 2):
            z = z * 0.999 + x
    return x, z, tape


@pytest.mark.parametrize("size", SIZES)
def test_recording(benchmark, report, size):
    benchmark.pedantic(chain, (size,), rounds=5, warmup_rounds=1)
    report(benchmark.stats.stats.min / size * 1e6, "us an op", 4.0 if size <= 10_000 else 8.0)


@pytest.mark.parametrize("size", SIZES)
def test_gradient(benchmark, report, size):
    def setup():
        x, z, tape = chain(size)
        return (tape, z, x), {}

    benchmark.pedantic(lambda tape, z, x: tape.gradient(z, x), setup=setup, rounds=5)
    report(benchmark.stats.stats.min / size * 1e6, "us an op", 15.0)


@pytest.mark.parametrize("size", SIZES)
def test_lazy_evaluation(benchmark, report, size):
    def setup():
        _, z, _ = chain(size)
        return (z,), {}

    benchmark.pedantic(float, setup=setup, rounds=5)
    report(benchmark.stats.stats.min / size * 1e6, "us an op")


def training_loop():
    """A function that takes a number of steps of gradient descent in two variables."""
    w, b = st.Variable(0.1, name="w"), st.Variable(0.0, name="b")
    X = np.linspace(-1.0, 1.0, 50)
    Y = 3 * X + 2

    def steps(count):
        for _ in range(count):
            with st.GradientTape() as tape:
                loss = np.mean((w * X + b - Y) ** 2)
            dw, db = tape.gradient(loss, [w, b])
            w.assign_sub(0.1 * dw)
            b.assign_sub(0.1 * db)

    return steps


def test_training_step_of_two_variables(benchmark, report):
    benchmark.pedantic(training_loop(), (100,), rounds=10, warmup_rounds=1)
    report(benchmark.stats.stats.median / 100 * 1e6, "us a step", 300.0)


def test_ten_thousand_steps_cost_as_the_first_thousand(benchmark, report):
    """A long loop neither slows down nor fills the memory: its last 1,000 steps against the first; what it kept."""
    step, settle = training_loop(), 1_000
    begin = time.process_time()
    step(settle)
    first = time.process_time() - begin
    tracemalloc.start()
    step(8_000)
    gc.collect()
    kept = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    begin = time.process_time()
    benchmark.pedantic(step, (settle,), rounds=1)
    report((time.process_time() - begin) / first, "of the first", 1.2)
    benchmark.extra_info["kept_bytes"] = kept
