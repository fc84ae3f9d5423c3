"""What to write instead of functions that NumPy's protocols cannot catch: the table, by full name, and what it is for.

Names ending in ``.*`` stand for all functions below.
"""

from __future__ import annotations

from typing import Final

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
    "numpy.full_like": "st.full(a.shape, value)",
    "numpy.nan_to_num": "np.where(np.isnan(a), value, a)",
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
    "scipy.integrate.solve_ivp": "the steps of a Runge-Kutta method in a loop, which records, or st.black_box",
    "scipy.integrate.odeint": "the steps of a Runge-Kutta method in a loop, which records, or st.black_box",
    "scipy.integrate.cumulative_trapezoid": "np.cumsum(dx*(y[1:] + y[:-1])/2)",
    "scipy.integrate.*": "np.trapezoid(y, x)",
    "scipy.interpolate.CubicSpline": "the coefficients by np.linalg.solve and np.searchsorted, or np.interp(x, xp, fp)",
    "scipy.interpolate.*": "np.interp(x, xp, fp), or st.black_box",
    "scipy.optimize.minimize": "st.minimize, whose result is found again by res.params",
    "scipy.optimize.minimize_scalar": "st.minimize",
    "scipy.optimize.least_squares": "st.least_squares",
    "scipy.optimize.curve_fit": "st.curve_fit",
    "scipy.optimize.brentq": "a few steps of Newton's method in a loop, which record",
    "scipy.optimize.fsolve": "a few steps of Newton's method in a loop, which record",
    "scipy.optimize.root": "a few steps of Newton's method in a loop, which record",
    "scipy.optimize.root_scalar": "a few steps of Newton's method in a loop, which record",
    "scipy.optimize.newton": "a few steps of Newton's method in a loop, which record",
    "scipy.optimize.*": "st.minimize, st.least_squares or st.curve_fit of the whole problem",
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
RECORDING = frozenset(
    f"scipy.{name}"
    for name in (
        *("optimize.rosen", "optimize.rosen_der", "optimize.rosen_hess", "optimize.rosen_hess_prod"),
        *("integrate.simpson", "integrate.trapezoid", "linalg.norm", "special.factorial", "special.perm"),
        *("constants.convert_temperature", "constants.lambda2nu", "constants.nu2lambda", "signal.chirp"),
        *("stats.circmean", "stats.gmean", "stats.hmean", "stats.kstat", "stats.kstatvar"),
        *("stats.median_abs_deviation", "stats.rankdata", "stats.sem", "stats.tmean", "stats.variation"),
    )
)

#: Functions that go on with an object array, one tensor an element: right, and slow.
SLOW = frozenset(
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
