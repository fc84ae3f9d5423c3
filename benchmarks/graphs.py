"""Graphs to compile: random ones, as machine-made models are."""

import random

import numpy as np

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
