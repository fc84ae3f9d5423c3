"""Graphs to compile: random ones, as machine-made models are."""

import random

import numpy as np

import symtape as st

INPUTS = 10


def random_graph(size: int, seed: int = 0):
    """A random scalar graph of ``size`` live operations with its gradient; some values are needed long after."""
    rng = random.Random(seed)
    leaves = [st.symbol(f"x{i}") for i in range(INPUTS)]
    with st.GradientTape() as tape:
        tape.watch(leaves)
        values, unused, operations = list(leaves), [], 0
        while operations + len(unused) < size:  # what is unused is added up at the end
            a = unused.pop(rng.randrange(len(unused))) if unused and rng.random() < 0.9 else rng.choice(values)
            kind = rng.randrange(6)
            if kind < 3:
                made = (np.sin, np.cos, np.tanh)[kind](a)
                operations += 1
            else:
                made = a * rng.choice(values) if kind == 3 else (a + rng.choice(values)) * 0.5
                operations += 1 if kind == 3 else 2
            values.append(made)
            unused.append(made)
        total = unused[0]
        for value in unused[1:]:
            total = total + value
    return leaves, total, tape.gradient(total, leaves)
