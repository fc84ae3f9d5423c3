"""What to write instead of functions that NumPy's protocols cannot catch: one table, by full name.

Those functions turn a tensor into numbers, or into an object array of its elements, before anything can be recorded.
A tensor that is asked for either looks at the user's line: which function is called there, and what stands in the table
for it. Names ending in ``.*`` stand for all functions below.
"""

from __future__ import annotations

import builtins
import itertools
import linecache
import re
import sys
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from types import FrameType, ModuleType
from typing import Any, Final

import numpy as np

from symtape.errors import ConcreteValueError, ObjectArrayWarning
from symtape.graph.node import Node
from symtape.graph.source import LIBRARIES, place, positions, user_frame
from symtape.ops.registry import functions
from symtape.tape.recording import active_captures

_OUTSIDE = "draw outside, and write location + scale*noise with the tensors"
_SCALARS = {
    **dict.fromkeys(("sin", "cos", "tan", "sinh", "cosh", "tanh", "exp", "exp2", "expm1", "log", "log2", "log10")),
    **dict.fromkeys(("log1p", "sqrt", "cbrt", "hypot", "degrees", "radians", "copysign", "fmod", "floor", "ceil")),
    **dict.fromkeys(("trunc", "isnan", "isinf", "isfinite", "isclose", "ldexp", "frexp", "modf", "remainder", "prod")),
    "asin": "arcsin",
    "acos": "arccos",
    "atan": "arctan",
    "atan2": "arctan2",
    "asinh": "arcsinh",
    "acosh": "arccosh",
    "atanh": "arctanh",
    "pow": "power",
    "fabs": "abs",
    "fsum": "sum",
    "dist": "linalg.norm",
}

_INTEGERS = ("int64", "int32", "int16", "int8", "uint64", "uint32", "uint16", "uint8", "bool")

_SERIES = {
    "polynomial": ("poly", "Polynomial"),
    "chebyshev": ("cheb", "Chebyshev"),
    "legendre": ("leg", "Legendre"),
    "laguerre": ("lag", "Laguerre"),
    "hermite": ("herm", "Hermite"),
    "hermite_e": ("herme", "HermiteE"),
}
_FITS = (
    *(f"numpy.polynomial.{module}.{short}fit" for module, (short, _) in _SERIES.items()),
    *(f"numpy.polynomial.{name}.fit" for _, name in _SERIES.values()),
)
_ROOTS = tuple(f"numpy.polynomial.{module}.{short}roots" for module, (short, _) in _SERIES.items())

#: Full name to what to write instead.
TABLE: Final[dict[str, str]] = {
    # ---- NumPy: what makes arrays, which hold numbers and no expressions
    "numpy.full": "st.full(shape, value), or np.full_like(x, value)",
    "numpy.arange": "start + step*np.arange(n), or np.linspace(start, stop, n)",
    "numpy.array": "np.stack([...]) of tensors, or x itself, which is an array already; x.astype(dtype) converts it",
    "numpy.asarray": "x itself, which is an array already; x.astype(dtype) converts it",
    "numpy.asanyarray": "x itself, which is an array already; x.astype(dtype) converts it",
    "numpy.asarray_chkfinite": "x itself, which is an array already; np.isfinite(x) asks",
    "numpy.ascontiguousarray": "x itself: tensors have no memory layout",
    "numpy.asfortranarray": "x itself: tensors have no memory layout",
    "numpy.require": "x itself: tensors have no memory layout",
    "numpy.matrix": "x itself and the operator @",
    "numpy.asmatrix": "x itself and the operator @",
    "numpy.fromiter": "np.stack([...]) of the elements",
    "numpy.vectorize": "st.vmap(f)(x), or f(x) with NumPy functions and np.where",
    "numpy.frompyfunc": "st.vmap(f)(x), or f(x) with NumPy functions and np.where",
    "numpy.bmat": "np.block([[a, b], [c, d]])",
    "numpy.float64": "x itself, or x.astype(np.float64)",
    **{f"numpy.{t}": f"x.astype(np.{t})" for t in ("float32", "float16", "longdouble")},
    **{f"numpy.{t}": f"x.astype(np.{t}), through which no gradient flows" for t in _INTEGERS},
    **{f"numpy.{t}": "x itself: tensors are real" for t in ("complex128", "complex64", "clongdouble")},
    "numpy.nditer": "a loop over x itself, or NumPy functions on the whole of it",
    **dict.fromkeys(_FITS, "np.polyfit(x, y, deg), whose highest power comes first"),
    **dict.fromkeys(_ROOTS, "np.roots(c[::-1]) of the coefficients of powers"),
    "numpy.lib.stride_tricks.as_strided": "np.lib.stride_tricks.sliding_window_view(x, n), or x[index]",
    "numpy.polynomial.*": "np.polyval(c[::-1], x), whose highest power comes first",
    "numpy.random.*": _OUTSIDE,
    "numpy.ma.*": "np.where(mask, a, b), or the reductions with where=mask",
    "numpy.fft.*": "sums of np.cos and np.sin, or a matrix product: the result is complex, and tensors are real",
    "numpy.emath.*": "the function of NumPy itself: tensors are real",
    # ---- methods of arrays that meet a tensor
    "numpy.ndarray.dot": "a @ x, or np.dot(a, x)",
    "numpy.ndarray.fill": "st.full(shape, value)",
    "numpy.ndarray.put": "a = st.zeros(shape); a[index] = value, or x.at[index].set(value)",
    "numpy.ndarray.itemset": "a = st.zeros(shape); a[index] = value, or x.at[index].set(value)",
    "numpy.ndarray.clip": "np.clip(a, low, high)",
    "numpy.ndarray.searchsorted": "np.searchsorted(a, x)",
    "numpy.ndarray.choose": "np.choose(a, [x, y])",
    # ---- Python's own
    **{f"math.{name}": f"np.{numpys or name}(...) instead of math.{name}(...)" for name, numpys in _SCALARS.items()},
    "math.gamma": "st.special.gamma(...) instead of math.gamma(...)",
    "math.lgamma": "st.special.gammaln(...) instead of math.lgamma(...)",
    "math.erf": "st.special.erf(...) instead of math.erf(...)",
    "math.erfc": "st.special.erfc(...) instead of math.erfc(...)",
    "math.*": "the function of NumPy that does it",
    "cmath.*": "real and imaginary part apart: tensors are real",
    "statistics.mean": "np.mean(x)",
    "statistics.fmean": "np.mean(x)",
    "statistics.median": "np.median(x)",
    "statistics.stdev": "np.std(x, ddof=1)",
    "statistics.pstdev": "np.std(x)",
    "statistics.variance": "np.var(x, ddof=1)",
    "statistics.pvariance": "np.var(x)",
    "statistics.*": "the function of NumPy that does it",
    "copy.deepcopy": "x itself, which does not change, or x.copy()",
    "random.*": _OUTSIDE,
    "decimal.Decimal": "x itself",
    "fractions.Fraction": "x itself",
    # ---- SciPy
    "scipy.special.*": "st.special, where the functions of scipy.special stand under their own names",
    "scipy.linalg.norm": "np.linalg.norm(x)",
    "scipy.linalg.*": "np.linalg, or st.linalg, where functions of scipy.linalg stand under their own names",
    "scipy.stats.zscore": "(x - np.mean(x))/np.std(x)",
    "scipy.stats.gaussian_kde": "np.mean(st.stats.norm.pdf(at[:, None], x, width), axis=1)",
    "scipy.stats.linregress": "st.curve_fit, or np.cov",
    "scipy.stats.*": "st.stats, where distributions stand under SciPy's names, or NumPy's mean, var, cov",
    "scipy.integrate.quad": "np.sum(weights*f(nodes)) with the nodes of np.polynomial.legendre.leggauss(n)",
    "scipy.integrate.dblquad": "a sum over the nodes of np.polynomial.legendre.leggauss(n) in both directions",
    "scipy.integrate.fixed_quad": "np.sum(weights*f(nodes)) with the nodes of np.polynomial.legendre.leggauss(n)",
    "scipy.integrate.quad_vec": "np.sum(weights*f(nodes)) with the nodes of np.polynomial.legendre.leggauss(n)",
    "scipy.integrate.solve_ivp": "the steps of a Runge-Kutta method in a loop, which records",
    "scipy.integrate.odeint": "the steps of a Runge-Kutta method in a loop, which records",
    "scipy.integrate.cumulative_trapezoid": "np.cumsum(dx*(y[1:] + y[:-1])/2)",
    "scipy.integrate.*": "np.trapezoid(y, x)",
    "scipy.interpolate.CubicSpline": "the coefficients by np.linalg.solve and np.searchsorted, or np.interp(x, xp, fp)",
    "scipy.interpolate.*": "np.interp(x, xp, fp)",
    "scipy.optimize.minimize": "st.minimize, whose result is found again by res.params",
    "scipy.optimize.minimize_scalar": "st.minimize",
    "scipy.optimize.least_squares": "st.least_squares",
    "scipy.optimize.curve_fit": "st.curve_fit",
    "scipy.optimize.brentq": "a few steps of Newton's method in a loop, which record",
    "scipy.optimize.fsolve": "a few steps of Newton's method in a loop, which record",
    "scipy.optimize.root": "a few steps of Newton's method in a loop, which record",
    "scipy.optimize.root_scalar": "a few steps of Newton's method in a loop, which record",
    "scipy.optimize.newton": "a few steps of Newton's method in a loop, which record",
    "scipy.signal.convolve": "np.convolve(a, v)",
    "scipy.signal.fftconvolve": "np.convolve(a, v)",
    "scipy.signal.correlate": "np.correlate(a, v, 'full')",
    "scipy.signal.lfilter": "the recursion in a loop, or np.convolve with the impulse response",
    "scipy.fft.*": "sums of np.cos and np.sin, or a matrix product: the result is complex, and tensors are real",
    "scipy.ndimage.*": "np.convolve along each axis, or np.pad and slices",
    "scipy.signal.windows.*": "the formula of the window: a*np.cos(...), np.i0, np.exp",
    "scipy.signal.*": "its formula with functions of NumPy",
    "scipy.sparse.*": "a dense matrix, or x[rows]*values added up with .at[columns].add",
    "scipy.spatial.transform.*": "the matrix written out: np.stack of np.cos and np.sin",
    "scipy.spatial.*": "np.linalg.norm(a[:, None] - b, axis=-1)",
    "scipy.*": "its formula with functions of NumPy, of st.special, st.stats and st.linalg",
}

#: Functions of SciPy that go on with the object array of a tensor's elements, or ask for its class only.
_RECORDING = frozenset(
    f"scipy.{name}"
    for name in (
        *("optimize.rosen", "optimize.rosen_der", "optimize.rosen_hess", "optimize.rosen_hess_prod"),
        *("integrate.simpson", "integrate.trapezoid", "linalg.norm", "special.factorial", "special.perm"),
        *("constants.convert_temperature", "constants.lambda2nu", "constants.nu2lambda", "signal.chirp"),
        *("stats.circmean", "stats.expectile", "stats.gmean", "stats.hmean", "stats.kstat", "stats.kstatvar"),
        *("stats.median_abs_deviation", "stats.rankdata", "stats.sem", "stats.tmean", "stats.variation"),
    )
)

#: Functions that go on with an object array, one tensor an element: right, and slow.
_SLOW = frozenset(
    (
        *("numpy.full", "numpy.arange", "numpy.matrix", "numpy.asmatrix", "numpy.require", "numpy.ascontiguousarray"),
        *("numpy.nditer", "numpy.bmat"),
        *("numpy.asfortranarray", "numpy.asarray_chkfinite", "numpy.ndarray.dot", "numpy.ndarray.clip"),
        *("scipy.special.softmax", "scipy.integrate.cumulative_trapezoid", "scipy.signal.convolve"),
    )
)

#: Functions that ask for elements and would do with them what cuts the gradient, or goes wrong.
REFUSED = (
    *("numpy.vectorize", "numpy.frompyfunc", "numpy.fromiter", "numpy.ma", "numpy.lib.stride_tricks.as_strided"),
    *_FITS,
    *_ROOTS,
    *("scipy", "statistics", "decimal", "fractions"),
)


@dataclass(frozen=True, slots=True)
class Found:
    """A function called on a line, and what to write instead."""

    name: str
    remedy: str


def remedy_of(name: str) -> str | None:
    """What the table says of a full name."""
    exact = TABLE.get(name)
    if exact is not None:
        return exact
    package, _, rest = name.partition(".")
    if package == "scipy" and any(name in entry.implements for entry in functions().values()):
        return f"st.{rest}(...)"
    while "." in name:
        name = name.rpartition(".")[0]
        below = TABLE.get(f"{name}.*")
        if below is not None:
            return below
    return None


def before_elements(node: Node) -> None:
    """The tensor of a node is about to be taken apart into an object array: to be called first.

    Warns
    -----
    ObjectArrayWarning
        Where the function called on the user's line goes on with such an array, slowly.

    Raises
    ------
    TypeError
        Where it does not; a ConcreteValueError while a callable is recorded for reuse.
    """
    frame = user_frame(2)
    found = called_on_line(frame)
    if found is None:
        return
    where = place(frame)
    if found.name in _SLOW or (found.name.startswith("numpy.polynomial.") and not is_refused(found)):
        warnings.warn_explicit(
            f"{found.name} takes a tensor apart and works on one element after the other ({where}); write "
            f"{found.remedy}",
            ObjectArrayWarning,
            frame.f_code.co_filename,
            frame.f_lineno,
            module=str(frame.f_globals.get("__name__", "<unknown>")),
            registry=frame.f_globals.setdefault("__warningregistry__", {}),
        )
    elif is_refused(found):
        _refuse(node, found, where)


def before_numbers(node: Node, frame: FrameType) -> None:
    """One element after the other is about to be taken out of a tensor in a frame: to be called first.

    Raises
    ------
    TypeError
        Where ``np.fromiter`` takes one number after the other; a ConcreteValueError while a callable is recorded for
        reuse. Other functions of the table ask for an array, and meet `before_elements`.
    """
    if "fromiter" not in frame.f_code.co_names:
        return
    found = called_on_line(frame)
    if found is not None and is_refused(found):
        _refuse(node, found, place(frame))


def _refuse(node: Node, found: Found, where: str) -> None:
    for capture in active_captures():
        if capture.depends(node):
            raise ConcreteValueError(f"while {capture.name} recorded the function: {refusal(found, where)}")
    raise TypeError(refusal(found, where))


def is_refused(found: Found) -> bool:
    """Whether nothing good comes of handing elements to the function.

    What calls a function of the user's (scipy.optimize, scipy.integrate) asks its result for a number, and that warns.
    """
    if found.name.startswith(("scipy.optimize.", "scipy.integrate.")):
        return False
    return any(found.name == root or found.name.startswith(f"{root}.") for root in REFUSED)


def refusal(found: Found, where: str) -> str:
    """The message of the error."""
    return (
        f"{found.name} computes with plain numbers and cannot be recorded on a tensor ({where}); write "
        f"{found.remedy}, or x.numpy() in its argument where plain numbers are meant"
    )


def foreign_ufunc(name: str) -> str:
    """The message where a ufunc of another package is asked for that is not recorded, behind a function or directly."""
    frame = user_frame(2)
    found = called_on_line(frame)
    if found is not None and is_refused(found) and found.name.rpartition(".")[2] != name:
        return refusal(found, place(frame))
    return (
        f"{name} cannot be recorded on a tensor ({place(frame)}): write it with functions that are recorded, "
        "or x.numpy() in its argument where plain numbers are meant"
    )


def compiled_elsewhere() -> str:
    """The message where a tensor is handed to a function that numba compiled."""
    frame = user_frame(2)
    return (
        "a function compiled by numba takes numbers and arrays, and cannot be recorded on a tensor "
        f"({place(frame)}); write it with NumPy functions and let st.jit compile it, state "
        "its derivative with st.custom_vjp, or write x.numpy() where plain numbers are meant"
    )


_CALLED = re.compile(r"(?<![\w.)\]])([A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*)\s*\(")
_METHOD = re.compile(r"[)\]]\.([A-Za-z_]\w*)\s*\(")


def called_on_line(frame: FrameType) -> Found | None:
    """What a user's line calls and the table knows: the function that is running, or else the first that is written."""
    written = [*_written_on(_statement(frame), frame)]
    entered = _entered(frame)
    if entered is None:
        return next((Found(n, remedy) for n in written if n not in _RECORDING and (remedy := remedy_of(n))), None)
    last = entered.rpartition(".")[2]
    name = next((n for n in written if n.rpartition(".")[2] == last and remedy_of(n)), entered)
    remedy = remedy_of(name)
    return None if remedy is None or name in _RECORDING else Found(name, remedy)


def _written_on(text: str, frame: FrameType) -> Iterator[str]:
    """Full names of the functions that are called in a text, then of the methods of what is called or indexed there."""
    for match in _CALLED.finditer(text):
        name = _full_name(match.group(1).split("."), frame)
        if name is not None:
            yield name
    for match in _METHOD.finditer(text):
        yield f"numpy.ndarray.{match.group(1)}"


def _entered(user: FrameType) -> str | None:
    """Full name of the function of SciPy or the standard library that the user's frame called and that is running."""
    running: FrameType | None = sys._getframe(1)
    called: list[FrameType] = []
    while running is not None and running is not user:
        called.append(running)
        running = running.f_back
    for frame in reversed(called):
        package, *path = str(frame.f_globals.get("__name__", "")).split(".")
        if package not in LIBRARIES - {"symtape", "numpy", "pandas", "sympy", "numba"}:
            return None
        home = ".".join([package, *itertools.takewhile(lambda part: not part.startswith("_"), path)])
        name, owner = frame.f_code.co_name, frame.f_locals.get("self")
        if owner is not None and "." in frame.f_code.co_qualname:
            own = _name_of(owner)
            return own if name.startswith("__") else f"{own}.{name}"
        if callable(getattr(sys.modules.get(home), name, None)):
            return f"{home}.{name}"
    return None


def _statement(frame: FrameType) -> str:
    """The text of the call that runs in a frame, on one line or on several."""
    first, last, _, _ = positions(frame.f_code, frame.f_lasti)
    first = frame.f_lineno if first is None else first
    last = first if last is None else last
    return "".join(linecache.getline(frame.f_code.co_filename, k) for k in range(first, last + 1))


_ABSENT = object()


def _full_name(path: list[str], frame: FrameType) -> str | None:
    """The full name of what a dotted name means in a frame: attributes are looked up in modules alone."""
    root, *rest = path
    found: Any = _ABSENT
    for names in (frame.f_locals, frame.f_globals, vars(builtins)):
        if root in names:
            found = names[root]
            break
    if found is _ABSENT:
        return None
    name = found.__name__ if isinstance(found, ModuleType) else _name_of(found)
    for part in rest:
        if isinstance(found, ModuleType):
            found = found.__dict__.get(part, _ABSENT)
            name = found.__name__ if isinstance(found, ModuleType) else f"{name}.{part}"
        else:
            name = f"{name}.{part}"
    return name


def _name_of(found: Any) -> str:
    """Module and name of a function, a class, a distribution or an array, as people import it."""
    if isinstance(found, np.ndarray):
        return "numpy.ndarray"
    named = getattr(found, "__name__", None) or getattr(found, "name", None)
    home = getattr(found, "__module__", None) or type(found).__module__
    if not isinstance(named, str):
        named, home = type(found).__name__, type(found).__module__
    public = str(home).split(".")
    private = next((k for k, part in enumerate(public) if part.startswith("_")), len(public))
    return ".".join([*public[:private], named])
