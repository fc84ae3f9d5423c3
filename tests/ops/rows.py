"""What a row of the op table says: how to call an op, on what, and what is known about it.

Rows live in ``rows_<room>.py`` beside this file, each a list ``ROWS``; `test_op_table` collects them and runs every
check on every row. An op that is registered and has no row fails the suite.

A row in full::

    Row("sum", lambda B, x: B.sum(x, axis=0), [uniform(3, 4)])
    Row("arctanh", lambda B, x: B.arctanh(x), [uniform(5, low=-0.8, high=0.8)], special=[((1.0,), (np.inf,))])
    Row("slogdet", lambda B, a: B.slogdet(a), [well_conditioned(4)], agree=1e-12)

``call`` gets a namespace and values. With the namespace `NUMPY` it is NumPy's or SciPy's own function of the name that
ours implements, so it is its own reference; where ours implements nothing of the kind, ``reference`` says what is
right.
"""

import importlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from symtape.ops.registry import functions

Draw = Callable[[np.random.Generator], np.ndarray]


@dataclass(frozen=True, slots=True)
class Row:
    """One way to call an op.

    Attributes
    ----------
    op : str
        Name of the op that the row covers.
    call : callable
        ``call(B, *values)``, built of the functions of the namespace; a value or a tuple of values.
    inputs : sequence of draws
        Each makes an array out of a random generator. Stay 0.02 away from kinks and the ends of the domain: differences
        step that far.
    reference : callable, optional
        ``reference(*arrays)``; by default ``call`` with NumPy's own functions.
    order : int
        Up to which order derivatives are checked. 0 says that the op has none: then every gradient must be None (with
        ``wrt``: there may be gradients in these inputs, and they are not looked at).
    wrt : sequence of int, optional
        Inputs with a gradient; by default all of floating dtype. In the others the gradient must be None.
    tolerance : float
        Relative, of derivatives against differences.
    special : sequence of (point, partials)
        Elementwise, scalars: what the partial derivatives (None: no gradient) are at edge points.
    mp : callable, optional
        Elementwise: ``mp(mpmath, *arguments)``, the function in many digits; by default mpmath's of the op's name.
        False: there is none.
    agree : "ulp", "terms", "exact" or float
        How compiled code agrees with NumPy: 4 ulp; 8 eps times ``terms``; bit for bit; relative to the largest element.
        By default "ulp" for elementwise ops, "exact" for layout, else "terms"; 1e-14 where an elementwise op is one of
        several.
    terms : callable, optional
        ``terms(*arrays)``, the sum of the absolute values of the terms added up; by default the reference at the
        absolute values.
    dtypes : sequence of str
        Floating dtypes to try; inputs of floating dtype are cast to them.
    batch : bool
        Whether the batching rule is compared with a loop.
    edges : bool
        Elementwise: whether the compiled code is compared with NumPy on zeros, infinities, NaN, huge and tiny numbers,
        too.
    oracle : bool
        Whether the element rule is compared with the value, element by element; False where it would overflow.
    label : str
        Told apart from other rows of the op by this.
    """

    op: str
    call: Callable[..., Any]
    inputs: Sequence[Draw]
    reference: Callable[..., Any] | None = None
    order: int = 2
    wrt: Sequence[int] | None = None
    tolerance: float = 1e-7
    special: Sequence[tuple[tuple[float, ...], tuple[float | None, ...]]] = ()
    mp: Any = None
    agree: str | float | None = None
    terms: Callable[..., Any] | None = None
    dtypes: Sequence[str] = ("float64", "float32")
    batch: bool = True
    edges: bool = True
    oracle: bool = True
    label: str = field(default="", compare=False)

    @property
    def name(self) -> str:
        """The row's name in the output of pytest."""
        return f"{self.op}-{self.label}" if self.label else self.op

    def draw(self, seed: int = 0, dtype: str = "float64") -> list[np.ndarray]:
        """Fresh inputs."""
        rng = np.random.default_rng([seed, *self.name.encode()])
        arrays = [np.asarray(make(rng)) for make in self.inputs]
        return [a.astype(dtype) if a.dtype.kind == "f" else a for a in arrays]

    def expected(self, *arrays: np.ndarray) -> list[np.ndarray]:
        """What NumPy or SciPy says."""
        with np.errstate(all="ignore"):
            result = self.reference(*arrays) if self.reference is not None else self.call(NUMPY, *arrays)
        return [np.asarray(r) for r in results(result)]


def results(value: Any) -> list[Any]:
    """Several results as a list, one as a list of one."""
    return list(value) if isinstance(value, (tuple, list)) else [value]


class Reference:
    """A namespace of the very functions of NumPy and SciPy that ours say they implement."""

    @staticmethod
    def lift(value: Any) -> Any:
        return value

    const = lift

    @staticmethod
    def astype(x: Any, dtype: Any) -> Any:
        return np.asarray(x).astype(dtype)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        for full in functions()[name].implements:
            module, _, attribute = full.rpartition(".")
            if module.partition(".")[0] in ("numpy", "scipy"):
                return getattr(importlib.import_module(module), attribute)
        raise LookupError(f"{name} implements no function of NumPy or SciPy: its row needs a reference=")


NUMPY = Reference()


# ------------------------------------------------------------------------------------------------------------- inputs


def uniform(*shape: int, low: float = -1.0, high: float = 1.0) -> Draw:
    """Floats between ``low`` and ``high``."""
    return lambda rng: rng.uniform(low, high, shape)


def positive(*shape: int) -> Draw:
    """Floats between 0.5 and 2."""
    return uniform(*shape, low=0.5, high=2.0)


def distinct(*shape: int) -> Draw:
    """Floats that differ by at least 0.5 from each other and from 0, in random order and of both signs."""

    def make(rng: np.random.Generator) -> np.ndarray:
        count = int(np.prod(shape))
        grid = np.arange(count) - count // 2 + 0.5 + rng.uniform(-0.2, 0.2, count)
        return rng.permutation(grid).reshape(shape)

    return make


def nonzero(*shape: int) -> Draw:
    """Floats of both signs with absolute values between 0.5 and 2."""
    return lambda rng: rng.uniform(0.5, 2.0, shape) * rng.choice([-1.0, 1.0], shape)


def integers(*shape: int, low: int = -5, high: int = 6) -> Draw:
    """Integers from ``low`` up to but without ``high``."""
    return lambda rng: rng.integers(low, high, shape)


def booleans(*shape: int) -> Draw:
    """True and False."""
    return lambda rng: rng.random(shape) < 0.5


def fixed(value: Any) -> Draw:
    """Always the same array."""
    return lambda rng: np.array(value)


def well_conditioned(*shape: int) -> Draw:
    """Square matrices far from singular."""
    return lambda rng: rng.uniform(-1, 1, shape) + 2.0 * shape[-1] ** 0.5 * np.eye(shape[-1])


def positive_definite(*shape: int) -> Draw:
    """Symmetric positive definite matrices."""

    def make(rng: np.random.Generator) -> np.ndarray:
        a = rng.uniform(-1, 1, shape)
        return a @ np.swapaxes(a, -1, -2) + shape[-1] * np.eye(shape[-1])

    return make
