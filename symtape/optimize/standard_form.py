"""The problem as numbers: minimize f(x) over bounds on x and rows ``lower <= c(x) <= upper``.

Everything above this module (tensors, callables, SciPy's constraint dictionaries) is reduced to a `StandardForm`;
everything that solves, polishes and certifies works on one and knows no graph. Functions take a 1-D float64 vector
and give arrays or floats; derivatives are exact. Evaluations are counted here, since SciPy's result names them.
"""

from __future__ import annotations

import enum
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

Array: TypeAlias = npt.NDArray[np.float64]

#: Above this many unknowns no dense Hessian is formed: products with it serve instead.
DENSE_LIMIT = 1500


class Degree(enum.IntEnum):
    """What the graph says of a function of x: how it depends on x at most."""

    CONSTANT = 0
    AFFINE = 1
    QUADRATIC = 2
    GENERAL = 3


@dataclass(slots=True)
class Counts:
    """How often each function was evaluated."""

    value: int = 0
    gradient: int = 0
    hessian: int = 0
    product: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Residuals:
    """What an objective that is half a sum of squares is made of; steps and spectra are better had from these by QR.

    Attributes
    ----------
    joint : callable
        ``x -> (r, J)``, shapes (m,) and (m, n).
    bend : callable
        ``(x, r) -> sum_j r_j * Hessian of r_j``, shape (n, n).
    """

    joint: Callable[[Array], tuple[Array, Array]]
    bend: Callable[[Array, Array], Array]


@dataclass(slots=True, kw_only=True)
class Objective:
    """A scalar function of x with its exact derivatives.

    Attributes
    ----------
    function : callable
        ``x -> f``.
    function_and_gradient : callable
        ``x -> (f, g)`` with ``g`` of shape (n,), computed together.
    full_hessian : callable
        ``x -> H``, shape (n, n).
    hessian_product : callable
        ``(x, v) -> H v``, shape (n,).
    degree : Degree
    convex : bool
        True where the graph proves it (a sum of squares of affine terms); a quadratic is judged by its Hessian
        instead.
    exact : bool
        False where second derivatives are differences of first ones, and cost as many gradients.
    """

    function: Callable[[Array], float]
    function_and_gradient: Callable[[Array], tuple[float, Array]]
    full_hessian: Callable[[Array], Array]
    hessian_product: Callable[[Array, Array], Array]
    degree: Degree = Degree.GENERAL
    convex: bool = False
    exact: bool = True
    residuals: Residuals | None = None
    counts: Counts = field(default_factory=Counts)
    _at: Array | None = None
    _value: float = np.nan
    _gradient: Array | None = None
    _hessian_at: Array | None = None
    _hessian: Array | None = None

    def value(self, x: Array) -> float:
        """The objective at x; the gradient comes along and is kept, since it is wanted there next as a rule."""
        if self._at is None or not np.array_equal(self._at, x):
            self.counts.value += 1
            self.counts.gradient += 1
            value, self._gradient = self.function_and_gradient(x)
            self._value, self._at = float(value), np.array(x)
        return self._value

    def gradient(self, x: Array) -> Array:
        """The gradient at x, shape (n,)."""
        self.value(x)
        assert self._gradient is not None
        return self._gradient.copy()

    def value_only(self, x: Array) -> float:
        """The objective at x for a method that wants no gradient."""
        self.counts.value += 1
        return float(self.function(x))

    def value_and_gradient(self, x: Array) -> tuple[float, Array]:
        """Both, from one evaluation."""
        gradient = self.gradient(x)
        return self._value, gradient

    def hessian(self, x: Array) -> Array:
        """The Hessian at x, shape (n, n), made exactly symmetric; kept for the last x, so not to be written to."""
        if self._hessian is None or self._hessian_at is None or not np.array_equal(self._hessian_at, x):
            self.counts.hessian += 1
            matrix = self.full_hessian(x)
            self._hessian, self._hessian_at = 0.5 * (matrix + matrix.T), np.array(x)
        return self._hessian

    def hvp(self, x: Array, vector: Array) -> Array:
        """The product of the Hessian at x with a vector."""
        self.counts.product += 1
        return self.hessian_product(x, vector)


@dataclass(slots=True, kw_only=True)
class Rows:
    """A block of constraints ``lower <= c(x) <= upper``; equal limits make equations.

    Attributes
    ----------
    label : str
        How the block is named in certificates and messages; a row of several is ``label[i]``.
    lower, upper : ndarray
        Shape (m,), infinite where there is no limit.
    function : callable
        ``x -> c``, shape (m,).
    full_jacobian : callable
        ``x -> J``, shape (m, n).
    weighted_hessian : callable
        ``(x, w) -> sum_j w_j * Hessian of c_j``, shape (n, n).
    weighted_product : callable
        ``(x, w, v)``: that matrix times v, shape (n,).
    degree : Degree
    """

    label: str
    lower: Array
    upper: Array
    function: Callable[[Array], Array]
    full_jacobian: Callable[[Array], Array]
    weighted_hessian: Callable[[Array, Array], Array]
    weighted_product: Callable[[Array, Array, Array], Array]
    degree: Degree = Degree.GENERAL
    _at: Array | None = None
    _value: Array | None = None

    @property
    def size(self) -> int:
        """Number of rows."""
        return int(self.lower.size)

    def value(self, x: Array) -> Array:
        """The rows' values at x, shape (m,)."""
        if self._value is None or self._at is None or not np.array_equal(self._at, x):
            self._value, self._at = self.function(x), np.array(x)
        return self._value.copy()

    def jacobian(self, x: Array) -> Array:
        """Derivatives of the rows in x, shape (m, n)."""
        return self.full_jacobian(x)


@dataclass(slots=True, kw_only=True)
class StandardForm:
    """A whole problem in numbers.

    Attributes
    ----------
    objective : Objective
    lower, upper : ndarray
        Bounds on x, shape (n,), infinite where there is none.
    rows : tuple of Rows
    label : callable
        The name of coordinate ``i`` of x, such as ``v[2]``.
    """

    objective: Objective
    lower: Array
    upper: Array
    rows: tuple[Rows, ...] = ()
    label: Callable[[int], str] = lambda i: f"x[{i}]"

    @property
    def size(self) -> int:
        """Number of unknowns."""
        return int(self.lower.size)

    @property
    def bounded(self) -> bool:
        """Whether any coordinate has a bound."""
        return bool(np.any(np.isfinite(self.lower)) or np.any(np.isfinite(self.upper)))

    @property
    def constrained(self) -> bool:
        """Whether there are rows beside the bounds."""
        return bool(self.rows)

    @property
    def dense(self) -> bool:
        """Whether dense second derivatives are formed."""
        return self.size <= DENSE_LIMIT

    def clip(self, x: Array) -> Array:
        """The nearest point within the bounds."""
        return np.clip(x, self.lower, self.upper)

    def row_values(self, x: Array) -> Array:
        """The values of all rows, one block after the other, shape (m,)."""
        return np.concatenate([block.value(x) for block in self.rows]) if self.rows else np.zeros(0)

    def row_jacobian(self, x: Array) -> Array:
        """The derivatives of all rows, shape (m, n)."""
        return np.concatenate([block.jacobian(x) for block in self.rows]) if self.rows else np.zeros((0, self.size))

    def row_limits(self) -> tuple[Array, Array]:
        """Lower and upper limits of all rows, each of shape (m,)."""
        if not self.rows:
            return np.zeros(0), np.zeros(0)
        return np.concatenate([b.lower for b in self.rows]), np.concatenate([b.upper for b in self.rows])

    def row_label(self, i: int) -> str:
        """The name of row ``i`` of all rows."""
        for block in self.rows:
            if i < block.size:
                return block.label if block.size == 1 else f"{block.label}[{i}]"
            i -= block.size
        raise IndexError(i)

    def row_degrees(self) -> npt.NDArray[Any]:
        """The `Degree` of each row, shape (m,)."""
        return np.array([int(block.degree) for block in self.rows for _ in range(block.size)], dtype=int)

    def lagrangian_hessian(self, x: Array, multipliers: Array) -> Array:
        """The Hessian of ``f - sum_j multipliers_j * c_j``, shape (n, n)."""
        matrix = self.objective.hessian(x)
        start = 0
        for block in self.rows:
            weights = multipliers[start : start + block.size]
            start += block.size
            if block.degree > Degree.AFFINE and np.any(weights):
                correction = block.weighted_hessian(x, weights)
                matrix = matrix - 0.5 * (correction + correction.T)
        return matrix

    def lagrangian_product(self, x: Array, multipliers: Array, vector: Array) -> Array:
        """That Hessian times a vector, without forming it; shape (n,)."""
        result = self.objective.hvp(x, vector)
        start = 0
        for block in self.rows:
            weights = multipliers[start : start + block.size]
            start += block.size
            if block.degree > Degree.AFFINE and np.any(weights):
                result = result - block.weighted_product(x, weights, vector)
        return result
