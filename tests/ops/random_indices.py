"""Random index expressions for arrays, of every kind that NumPy takes."""

from typing import Any

import numpy as np


def random_index(rng: np.random.Generator, shape: tuple[int, ...], *, unique: bool = False) -> tuple[Any, ...]:
    """An index for an array of the given shape; with ``unique`` it names no place twice."""
    kinds = rng.choice(["basic", "array", "mask", "mixed"], p=[0.3, 0.3, 0.2, 0.2])
    common = random_common(rng)
    entries: list[Any] = []
    axis = 0
    while axis < len(shape):
        n = shape[axis]
        choice = rng.random()
        if rng.random() < 0.15:
            entries.append(None)
        if choice < 0.2:
            entries.append(int(rng.integers(-n, n)))
        elif choice < 0.5 or kinds == "basic":
            entries.append(random_slice(rng, n))
        elif kinds in ("array", "mixed") and not (unique and any(isinstance(e, np.ndarray) for e in entries)):
            entries.append(random_array(rng, n, (min(common[-1], n),) if unique else common, unique=unique))
        elif kinds in ("mask", "mixed") and not any(isinstance(e, np.ndarray) for e in entries):
            rank = int(rng.integers(1, min(2, len(shape) - axis) + 1))
            entries.append(rng.random(shape[axis : axis + rank]) < 0.5)
            axis += rank - 1
        else:
            entries.append(slice(None))
        axis += 1
    keep = int(rng.integers(0, len(entries) + 1))
    if rng.random() < 0.3:
        entries = entries[:keep]
    elif rng.random() < 0.3:
        entries = [*entries[:keep], Ellipsis, *entries[keep:]]
    return tuple(entries)


def random_common(rng: np.random.Generator) -> tuple[int, ...]:
    return tuple(int(k) for k in rng.integers(1, 4, int(rng.integers(1, 3))))


def random_slice(rng: np.random.Generator, n: int) -> slice:
    start, stop = (None if rng.random() < 0.3 else int(rng.integers(-n - 1, n + 2)) for _ in range(2))
    step = None if rng.random() < 0.4 else int(rng.choice([-3, -2, -1, 1, 2, 3]))
    return slice(start, stop, step)


def random_array(rng: np.random.Generator, n: int, common: tuple[int, ...], *, unique: bool) -> np.ndarray:
    if unique:
        return rng.permutation(n)[: common[-1]] - n * int(rng.integers(0, 2))
    own = tuple(1 if rng.random() < 0.2 else k for k in common[int(rng.integers(0, len(common))) :])
    return rng.integers(-n, n, own)


def applies(x: np.ndarray, index: tuple[Any, ...]) -> bool:
    """Whether NumPy takes the index: random masks and arrays need not broadcast."""
    try:
        x[index]
    except IndexError:
        return False
    return True
