"""Functions that NumPy's protocols cannot catch: a warning or an error names what to write instead, and the line."""

import cmath
import decimal
import fractions
import importlib
import math
import random
import re
import statistics

import numpy as np
import pytest
import scipy

import symtape as st
from symtape.tape.remedies import remedy_of
from symtape.tape.remedy_table import TABLE
from tests.tape.lines import LINE, said_on

for _part in (
    *("fft", "integrate", "interpolate", "linalg", "ndimage", "optimize", "signal", "sparse", "spatial.distance"),
    *("special", "stats"),
):
    importlib.import_module(f"scipy.{_part}")

X = np.array([0.5, 1.5, 2.5])
NAMES = {
    "np": np,
    "st": st,
    "scipy": scipy,
    "math": math,
    "cmath": cmath,
    "random": random,
    "statistics": statistics,
    "decimal": decimal,
    "fractions": fractions,
    "X": X,
    "A": np.ones((3, 3)),
    "rng": np.random.default_rng(0),
    "quad": scipy.integrate.quad,
    "norm": scipy.stats.norm,
    "CubicSpline": scipy.interpolate.CubicSpline,
}

#: A line to what its message says.
CASES = {
    "np.full(3, s)": r"st\.full\(shape, value\)",
    "np.full((2, 3), x)": r"st\.full",
    "np.full_like(X, s)": r"numpy\.full_like .* st\.full\(a\.shape, value\)",
    "np.arange(s)": r"np\.linspace\(start, stop, n\)",
    "np.arange(0, s, 0.5)": r"np\.arange\(n\)",
    "np.array(x, dtype=float)": r"np\.stack",
    "np.array([s, 1.0], dtype=float)": r"np\.stack",
    "np.asarray(x, dtype=float)": r"x\.numpy\(\)",
    "np.asanyarray(x, dtype=np.float32)": r"x\.astype",
    "np.asarray_chkfinite(x)": "an array already",
    "np.ascontiguousarray(x)": "no memory layout",
    "np.asfortranarray(x)": "no memory layout",
    "np.require(x)": "no memory layout",
    "np.fromiter(x, float)": r"np\.stack",
    "np.fromiter((v for v in x), float)": r"np\.stack",
    "np.vectorize(math.sin)(x)": r"st\.vmap",
    "np.vectorize(lambda t: t**2)(s)": r"st\.vmap",
    "np.frompyfunc(lambda t: t**2, 1, 1)(x)": r"st\.vmap",
    "np.apply_along_axis(np.sum, 0, x)": r"st\.vmap",
    "np.apply_over_axes(np.sum, x, [0])": r"st\.vmap",
    "np.float64(s)": r"astype\(np\.float64\)",
    "np.float32(s)": r"astype\(np\.float32\)",
    "np.random.normal(s, 1.0)": "noise",
    "np.random.uniform(0, s)": "noise",
    "np.random.poisson(s)": "noise",
    "rng.normal(s)": "noise",
    "random.expovariate(float(s))": "noise",
    "np.ma.array(x)": r"np\.where\(mask",
    "np.ma.masked_where(X > 1, x)": r"where=mask",
    "np.ma.masked_invalid(x)": r"where=mask",
    "np.fft.fft(x)": r"np\.cos",
    "np.fft.rfft(x)": r"np\.sin",
    "np.emath.sqrt(x)": r"np\.sqrt",
    "np.histogram(x, 'auto')": r"np\.histogram_bin_edges\(x\.numpy\(\), 'auto'\)",
    "np.where(x > 1)": r"np\.nonzero\(condition\)",
    "np.sort_complex(x)": r"np\.sort\(x\)",
    "np.packbits(x > 1)": r"2\*\*k\*bit",
    "np.linalg.qr(M, mode='raw')": "'reduced' or",
    "np.pad(x, 1, lambda *a: None)": r"np\.concatenate",
    "np.lib.stride_tricks.as_strided(x, (2, 2))": "sliding_window_view",
    "np.int32(s)": r"astype\(np\.int32\), through which no gradient flows",
    "np.full(3, s, dtype=float)": r"numpy\.full .* st\.full",
    "np.nditer(x)": "a loop over x",
    "np.bmat([[M, M]])": r"np\.block",
    "np.polynomial.polynomial.polyfit(X, x, 1)": r"np\.polyfit\(x, y, deg\)",
    "np.polynomial.legendre.legfit(X, x, 1)": r"np\.polyfit",
    "np.polynomial.Chebyshev.fit(X, x, 1)": r"np\.polyfit",
    "np.polynomial.polynomial.polyroots(x)": r"np\.roots\(c\[::-1\]\)",
    "np.polynomial.hermite_e.hermeroots(x)": r"np\.roots",
    "np.polynomial.polynomial.polyval(2.0, x)": r"np\.polyval\(c\[::-1\], x\)",
    "np.polynomial.Polynomial(x)": r"np\.polyval",
    "A.dot(x)": r"a @ x",
    "np.eye(3).dot(x)": r"np\.dot\(a, x\)",
    "np.zeros(3).fill(s)": r"st\.full",
    "np.zeros(3).put(0, s)": r"st\.zeros",
    "a = np.zeros(3); a[0] = s": r"st\.zeros",
    "a = np.zeros(3); a += x": r"a = a \+ x",
    "np.add.at(np.zeros(3), [0], s)": r"\.at\[index\]\.add",
    "np.sin(x, out=np.zeros(3))": "a name instead",
    "np.put(x, [0], 1.0)": r"x\.at\[index\]\.set",
    "np.copyto(np.zeros(3), x)": r"x\.at\[index\]\.set",
    "np.fill_diagonal(M, 0.0)": r"st\.zeros",
    **{
        f"math.{name}({arguments})": rf"np\.{numpys}\(\.\.\.\) instead of math\.{name}"
        for name, arguments, numpys in (
            *[(n, "s", n) for n in ("sin", "cos", "tan", "sinh", "cosh", "tanh", "exp", "expm1", "log", "log2")],
            *[(n, "s", n) for n in ("log10", "log1p", "sqrt", "cbrt", "exp2", "degrees", "radians", "isnan")],
            *[("asin", "s", "arcsin"), ("acos", "s", "arccos"), ("atan", "s", "arctan"), ("asinh", "s", "arcsinh")],
            *[("acosh", "2 + s", "arccosh"), ("atanh", "s", "arctanh"), ("atan2", "s, 1.0", "arctan2")],
            *[("pow", "s, 2", "power"), ("hypot", "s, 1.0", "hypot"), ("fabs", "s", "abs"), ("fsum", "x", "sum")],
            *[("dist", "[s], [0.0]", r"linalg\.norm"), ("fmod", "s, 0.5", "fmod"), ("copysign", "s, -1", "copysign")],
            *[("isclose", "s, 1.0", "isclose"), ("isfinite", "s", "isfinite"), ("modf", "s", "modf")],
        )
    },
    "math.gamma(s)": r"st\.special\.gamma",
    "math.lgamma(s)": r"st\.special\.gammaln",
    "math.erf(s)": r"st\.special\.erf",
    "math.erfc(s)": r"st\.special\.erfc",
    "cmath.exp(s)": "tensors are real",
    "statistics.mean(x)": r"np\.mean",
    "statistics.stdev(x)": r"np\.std",
    "statistics.median(np.asarray(x, float))": r"np\.median",
    "scipy.stats.norm.pdf(x)": r"st\.stats\.norm\.pdf",
    "scipy.stats.norm.logpdf(x, 0.0, 1.0)": r"st\.stats\.norm\.logpdf",
    "norm.cdf(x)": r"st\.stats\.norm\.cdf",
    "scipy.stats.zscore(x)": r"np\.std",
    "scipy.stats.linregress(X, x)": r"st\.curve_fit",
    "scipy.stats.gaussian_kde(x)": r"st\.stats\.norm\.pdf",
    "scipy.stats.skew(x)": r"st\.stats",
    "scipy.linalg.solve(M, x)": r"np\.linalg",
    "scipy.linalg.inv(M)": r"np\.linalg",
    "scipy.linalg.det(M)": r"np\.linalg",
    "scipy.linalg.eigh(M)": r"np\.linalg",
    "scipy.linalg.cholesky(M)": r"np\.linalg",
    "scipy.linalg.lu(M)": r"st\.linalg",
    "scipy.linalg.solve_triangular(M, x)": r"st\.linalg\.solve_triangular",
    "scipy.special.softmax(x)": r"st\.special\.softmax",
    "scipy.special.logsumexp(x)": r"st\.special\.logsumexp",
    "scipy.special.comb(s, 2)": r"st\.special",
    "scipy.integrate.quad(lambda t: t * s, 0, 1)": "leggauss",
    "quad(lambda t: t, 0, s)": "leggauss",
    "scipy.integrate.solve_ivp(lambda t, y: -s * y, (0, 1), [1.0])": "Runge-Kutta",
    "scipy.integrate.odeint(lambda y, t: -s * y, [1.0], [0, 1])": "Runge-Kutta",
    "scipy.integrate.cumulative_trapezoid(x)": r"np\.cumsum",
    "scipy.interpolate.CubicSpline(X, x)": r"np\.interp",
    "CubicSpline(X, X)(x)": r"np\.interp",
    "scipy.interpolate.interp1d(X, x)": r"np\.interp",
    "scipy.interpolate.PchipInterpolator(X, x)": r"np\.interp",
    "scipy.optimize.brentq(lambda t: t - s, 0, 2)": "Newton",
    "scipy.optimize.fsolve(lambda t: t - s, 0.1)": "Newton",
    "scipy.optimize.root(lambda t: t - s, 0.1)": "Newton",
    "scipy.optimize.minimize(lambda p: (p[0] - s)**2, [0.0])": r"st\.minimize",
    "scipy.signal.convolve(x, X)": r"np\.convolve",
    "scipy.signal.lfilter([1.0], [1.0, 0.5], x)": r"np\.convolve",
    "scipy.fft.fft(x)": r"np\.cos",
    "scipy.ndimage.gaussian_filter(x, 1.0)": r"np\.pad",
    "scipy.spatial.distance.cdist(M, M)": r"np\.linalg\.norm",
}


def told(line):
    return said_on(line, {**NAMES, "__name__": "user"})


@pytest.mark.parametrize("line", CASES)
def test_the_replacement_and_the_line_are_named(line):
    said = told(line)
    assert said, "nothing was said"
    assert any(re.search(CASES[line], message) and place == LINE for message, place in said), said


def test_more_than_sixty_functions_are_in_the_table_and_tested():
    assert len(TABLE) > 60
    assert len(CASES) > 100


def test_names_resolve_from_the_nearest_entry():
    assert remedy_of("numpy.random.normal") == TABLE["numpy.random.*"]
    assert remedy_of("scipy.stats.norm.logpdf") == "st.stats.norm.logpdf(...)"
    assert remedy_of("numpy.sin") is None
    assert remedy_of("mine.sin") is None


def test_a_call_over_several_lines_is_read_whole():
    said = told("math.sin(\n        s\n    )")
    assert any("np.sin(...) instead of math.sin" in message for message, _ in said)


def test_what_records_elements_goes_on():
    x = st.Variable(X)
    with st.GradientTape() as tape:
        y = scipy.optimize.rosen(x)
    np.testing.assert_allclose(tape.gradient(y, x).numpy(), scipy.optimize.rosen_der(X))


def test_a_function_of_the_users_own_that_bears_such_a_name_is_not_meant():
    said = told("norm = np.sum; norm(x)")
    assert said == []


@pytest.mark.parametrize(
    "make",
    [
        lambda x, s: np.full(3, s),
        lambda x, s: np.arange(s, s + 3),
        lambda x, s: np.array([s, 2 * s]),
        lambda x, s: np.asarray(x),
        lambda x, s: np.asanyarray(x),
        lambda x, s: np.asarray_chkfinite(x),
        lambda x, s: np.ascontiguousarray(x),
        lambda x, s: np.asfortranarray(x),
        lambda x, s: np.require(x),
        lambda x, s: np.asmatrix(x),
        lambda x, s: np.matrix(x),
        lambda x, s: np.bmat([[x[None], x[None]]]),
    ],
)
@pytest.mark.filterwarnings("ignore::symtape.errors.ObjectArrayWarning", "ignore::symtape.errors.GradientCutWarning")
@pytest.mark.filterwarnings("ignore::PendingDeprecationWarning")
def test_what_goes_on_with_elements_records_with_the_right_gradient(make):
    x, s = st.Variable(X), st.Variable(0.7)

    def squares(x, s):
        return np.sum(np.asarray(make(x, s)) ** 2)

    with st.GradientTape() as tape:
        y = squares(x, s)
    assert float(y) == pytest.approx(squares(X, 0.7))
    found = tape.gradient(y, [x, s], unconnected_gradients="zero")
    slopes = [squares(X + 0.5, 0.7) - squares(X - 0.5, 0.7), squares(X, 1.2) - squares(X, 0.2)]  # of a parabola
    np.testing.assert_allclose([np.sum(g.numpy()) for g in found], slopes, atol=1e-12)
    assert any(slopes)
