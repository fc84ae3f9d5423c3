"""Checks of derivatives against differences, for the tests of symtape and for those of its users."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from symtape import pytree
from symtape.errors import DerivativeMismatchError, DTypeError
from symtape.tape.callable_arguments import is_whole
from symtape.tape.tensor import Tensor, lift
from symtape.tape.transforms import jvp, vjp

Array = npt.NDArray[Any]

#: Weights of the central difference of order eight at the points 1, 2, 3, 4 steps away.
_WEIGHTS = (4 / 5, -1 / 5, 4 / 105, -1 / 280)
_NOISE = 1e-9  # of a difference, relative to the size of the function
_ELEMENTS = 200  # looked at one by one for the message
_ORDINALS = {1: "first", 2: "second", 3: "third"}


def difference(f: Callable[..., float], at: Sequence[Array], along: Sequence[Array], *, step: float = 2e-3) -> float:
    """The derivative of a scalar function in a direction, by a central difference of order eight.

    Parameters
    ----------
    f : callable
        ``f(*arrays) -> float``.
    at, along : sequence of ndarray
        The point and the direction, one array per argument.
    step : float
        ``f`` is asked up to four steps away on either side. The default leaves an error of about 1e-13 times the size
        of ``f``.

    Returns
    -------
    float

    Examples
    --------
    >>> import numpy as np
    >>> from symtape.testing import difference
    >>> slope = difference(lambda x: float(x**3), [np.array(2.0)], [np.array(1.0)])
    >>> abs(slope - 12) < 1e-10
    True
    """
    total = 0.0
    for k, weight in enumerate(_WEIGHTS, 1):
        ahead = f(*[x + k * step * d for x, d in zip(at, along, strict=True)])
        behind = f(*[x - k * step * d for x, d in zip(at, along, strict=True)])
        total += weight * (ahead - behind)
    return total / step


def check_gradients(
    fun: Callable[..., Any], *args: Any, order: int = 2, rtol: float = 1e-6, step: float = 2e-3, seed: int = 0
) -> None:
    """Check the derivatives of a function: reverse mode, forward mode and differences must agree.

    For each order and each array among the arguments a random direction is tried; if it tells of an error, the elements
    are looked at one by one for the message.

    Parameters
    ----------
    fun : callable
        Of arrays and nested structures of them; gives the like.
    *args
        Where to check. What is no float is passed on as it is.
    order : int
        Up to which order of derivative.
    rtol : float
        How far reverse mode and difference may be apart, relative to the larger.
    step : float
        Of the differences, relative to ``1 + abs(x)``; ``fun`` must be smooth within four steps.
    seed : int
        Of the random directions.

    Raises
    ------
    DerivativeMismatchError
        An AssertionError that names order, argument, element and the numbers that disagree.
    DTypeError
        If a floating argument is not of double precision.

    Examples
    --------
    >>> import numpy as np
    >>> import symtape as st
    >>> st.check_gradients(lambda x: np.sum(np.sin(x) * x), np.array([0.3, 1.2]))
    """
    if order < 1:
        raise ValueError(f"check_gradients checks orders from 1 on, got order={order}")
    leaves, structure = pytree.flatten(args, is_whole)
    values = [x.numpy() if isinstance(x, Tensor) else x for x in leaves]
    moving = [k for k, x in enumerate(values) if np.asarray(x).dtype.kind == "f"]
    if not moving:
        raise TypeError(f"check_gradients needs a float among the arguments to differentiate in, got {args!r}")
    if any(np.asarray(values[k]).dtype != np.float64 for k in moving):
        raise DTypeError(
            "check_gradients needs double precision, since differences lose half of the digits; pass float64"
        )
    names = [_name(path) for k, path in enumerate(structure.paths()) if k in moving]
    at = [np.array(values[k]) for k in moving]

    def flat(*arrays: Any) -> list[Any]:
        filled = list(values)
        for k, array in zip(moving, arrays, strict=True):
            filled[k] = array
        results = [_whole(r) for r in pytree.flatten(fun(*structure.unflatten(filled)), is_whole)[0]]
        return [r for r in results if np.dtype(getattr(r, "dtype", type(r))).kind == "f"]

    rng = np.random.default_rng(seed)
    level: Callable[..., Any] = flat
    for n in range(1, order + 1):
        weights = _check_level(level, at, names, n, rtol, step, rng)
        level = _pulled(level, weights)


def _whole(result: Any) -> Any:
    """A result as one array: tensors that stand in an object array are stacked."""
    return lift(result) if isinstance(result, np.ndarray) and result.dtype == object else result


def _pulled(level: Callable[..., Any], weights: list[Array]) -> Callable[..., Any]:
    """The gradient of the weighted sum of the results, as a function."""
    return lambda *arrays: list(vjp(level, *arrays)[1](weights))


def _name(path: tuple[Any, ...]) -> str:
    return f"argument {path[0]}" + "".join(f"[{key!r}]" for key in path[1:])


def _check_level(
    level: Callable[..., Any],
    at: list[Array],
    names: list[str],
    n: int,
    rtol: float,
    step: float,
    rng: np.random.Generator,
) -> list[Array]:
    """Compare the derivatives of one function; gives the weights that its results were added up with."""
    results, pull = vjp(level, *at)
    outputs = [np.asarray(r) for r in results]
    if not all(np.all(np.isfinite(o)) for o in outputs):
        raise DerivativeMismatchError("the function is not finite at the point where its derivatives are to be checked")
    weights = [np.asarray(rng.uniform(0.5, 1.5, o.shape) * rng.choice([-1.0, 1.0], o.shape), o.dtype) for o in outputs]
    size = sum(float(np.sum(np.abs(w * o))) for w, o in zip(weights, outputs, strict=True))
    pulled = [np.asarray(g) for g in pull(weights)]

    def total(*arrays: Array) -> float:
        return float(sum(np.sum(w * r) for w, r in zip(weights, level(*arrays), strict=True)))

    def compare(k: int, direction: Array) -> tuple[float, float, float, bool]:
        along = [direction if j == k else np.zeros_like(x) for j, x in enumerate(at)]
        back = float(np.sum(pulled[k] * direction))
        forth = float(sum(np.sum(w * t) for w, t in zip(weights, jvp(level, at, along)[1], strict=True)))
        slope = difference(total, at, along, step=step)
        allowed = rtol * max(abs(back), abs(forth), abs(slope)) + _NOISE * (1 + size)
        return back, forth, slope, abs(back - slope) <= allowed and abs(back - forth) <= allowed

    for k, x in enumerate(at):
        scale = 1 + np.abs(x)
        *found, good = compare(k, np.asarray(rng.uniform(-1, 1, x.shape) * scale, x.dtype))
        if good:
            continue
        place = ""
        for index in np.ndindex(x.shape) if x.size <= _ELEMENTS else ():
            unit = np.zeros_like(x)
            unit[index] = 1
            *one, good = compare(k, unit)
            if not good:
                found, place = one, f" at element {index}" if index else ""
                break
        back, forth, slope = found
        raise DerivativeMismatchError(
            f"the {_ORDINALS.get(n, f'{n}th')} derivative in {names[k]}{place} is wrong: "
            f"reverse mode gives {back:.8g}, forward mode {forth:.8g}, a difference {slope:.8g}"
        )
    return weights
