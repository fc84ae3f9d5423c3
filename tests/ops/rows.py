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


@dataclass(frozen=True, slots=True)
class Domain:
    """Arrays that an op is called on: drawn on their own, or as a smooth image of any array between -1 and 1.

    Attributes
    ----------
    shape : tuple of int
    make : callable
        ``make(rng, shape)`` draws an array.
    image : callable
        ``image(B, u, x)``: a point of the domain that follows ``u``, where ``x`` is an array that was drawn. ``u`` is
        of floats between -1 and 1, or of integers or truth values where the domain is of those.
    holds : callable, optional
        ``holds(array)``: whether numbers that came from elsewhere are in the domain.
    free : bool
        Whether its arrays may be of any shape.
    """

    shape: tuple[int, ...]
    make: Callable[[np.random.Generator, tuple[int, ...]], np.ndarray]
    image: Callable[[Any, Any, np.ndarray], Any]
    holds: Callable[[np.ndarray], bool] = field(default=lambda array: False)
    free: bool = True

    def __call__(self, rng: np.random.Generator) -> np.ndarray:
        return self.make(rng, self.shape)


def near(B: Any, u: Any, x: np.ndarray) -> Any:
    """The image in the domain of a draw that is no `Domain`: rows stay farther from what is not smooth than this."""
    return B.add(x, B.multiply(0.015, u))


def uniform(*shape: int, low: float = -1.0, high: float = 1.0) -> Domain:
    """Floats between ``low`` and ``high``."""
    return Domain(
        shape,
        lambda rng, s: rng.uniform(low, high, s),
        lambda B, u, x: B.add((low + high) / 2, B.multiply((high - low) / 2, u)),
        lambda a: bool(np.all((a >= low) & (a <= high))),
    )


def positive(*shape: int) -> Domain:
    """Floats between 0.5 and 2."""
    return uniform(*shape, low=0.5, high=2.0)


def distinct(*shape: int) -> Domain:
    """Floats that differ by at least 0.5 from each other and from 0, in random order and of both signs."""

    def make(rng: np.random.Generator, s: tuple[int, ...]) -> np.ndarray:
        count = int(np.prod(s))
        grid = np.arange(count) - count // 2 + 0.5 + rng.uniform(-0.2, 0.2, count)
        return rng.permutation(grid).reshape(s)

    return Domain(shape, make, lambda B, u, x: B.add(np.floor(x) + x.dtype.type(0.5), B.multiply(0.2, u)))


def nonzero(*shape: int) -> Domain:
    """Floats of both signs with absolute values between 0.5 and 2."""
    return Domain(
        shape,
        lambda rng, s: rng.uniform(0.5, 2.0, s) * rng.choice([-1.0, 1.0], s),
        lambda B, u, x: B.multiply(np.sign(x), B.add(1.25, B.multiply(0.75, u))),
        lambda a: bool(np.all((np.abs(a) >= 0.5) & (np.abs(a) <= 2))),
    )


def integers(*shape: int, low: int = -5, high: int = 6) -> Domain:
    """Integers from ``low`` up to but without ``high``."""
    return Domain(
        shape, lambda rng, s: rng.integers(low, high, s), lambda B, u, x: B.add(low, B.remainder(u, high - low))
    )


def booleans(*shape: int) -> Domain:
    """True and False."""
    return Domain(shape, lambda rng, s: rng.random(s) < 0.5, lambda B, u, x: u)


def fixed(value: Any) -> Draw:
    """Always the same array."""
    return lambda rng: np.array(value)


def well_conditioned(*shape: int) -> Domain:
    """Square matrices far from singular."""

    def shift(s: tuple[int, ...]) -> np.ndarray:
        return 2.0 * s[-1] ** 0.5 * np.eye(s[-1])

    return Domain(
        shape,
        lambda rng, s: rng.uniform(-1, 1, s) + shift(s),
        lambda B, u, x: B.add(u, shift(x.shape).astype(x.dtype)),
        free=False,
    )


def positive_definite(*shape: int) -> Domain:
    """Symmetric positive definite matrices."""

    def make(rng: np.random.Generator, s: tuple[int, ...]) -> np.ndarray:
        a = rng.uniform(-1, 1, s)
        return a @ np.swapaxes(a, -1, -2) + s[-1] * np.eye(s[-1])

    return Domain(
        shape,
        make,
        lambda B, u, x: B.add(B.matmul(u, B.swapaxes(u, -1, -2)), x.shape[-1] * np.eye(x.shape[-1], dtype=x.dtype)),
        free=False,
    )
