"""SciPy's functions that are written in Python with NumPy: windows, waveforms, statistics, quadrature."""

import inspect
import re

import numpy as np
import pytest
import scipy.constants
import scipy.integrate
import scipy.interpolate
import scipy.optimize
import scipy.signal
import scipy.special
import scipy.stats
from scipy.signal import windows

import symtape as st
from tests.others.calls import records, refused

X = np.array([1.3, 0.7, 0.8, 1.9])
T = np.array([0.1, 0.35, 0.8, 1.2])

# ------------------------------------------------------------------------------------------------------ test functions


@pytest.mark.parametrize("name", ["rosen", "rosen_der", "rosen_hess"])
def test_rosenbrock(name):
    records(getattr(scipy.optimize, name), X)


def test_rosenbrock_times_a_vector():
    records(lambda x: scipy.optimize.rosen_hess_prod(x, T), X)
    message, lines = refused(lambda p: scipy.optimize.rosen_hess_prod(X, p), T, "_optimize.py")
    assert re.search(r"takes a plain number out of.*test_scipy\.py:\d+", message)
    assert lines


def test_rosenbrock_is_minimized():
    res = st.minimize(scipy.optimize.rosen, X)
    assert res.success
    np.testing.assert_allclose(res.x, np.ones(4), atol=1e-6)
    np.testing.assert_allclose(st.hessian(scipy.optimize.rosen)(X), scipy.optimize.rosen_hess(X), rtol=1e-12)


# ------------------------------------------------------------------------------------------------------------- windows

#: Window and parameter to a value, for those that record.
RECORDED_WINDOWS = {
    ("gaussian", "std"): 1.3,
    ("general_gaussian", "p"): 1.3,
    ("general_gaussian", "sig"): 2.1,
    ("tukey", "alpha"): 0.43,
    ("exponential", "tau"): 2.1,
    ("exponential", "center"): 2.6,
}

#: Those that ask for plain numbers, to a value and what is said.
REFUSED_WINDOWS = {
    ("kaiser", "beta"): (5.3, r"np\.asarray\(x, dtype=float64\).*instead of scipy\.signal\.windows\.kaiser write"),
    ("kaiser_bessel_derived", "beta"): (5.3, r"instead of scipy\.signal\.windows\.kaiser_bessel_derived write"),
    ("general_cosine", "a"): (np.array([0.4, 0.5, 0.1]), r"np\.add\(out=...\)|general_cosine"),
    ("general_hamming", "alpha"): (0.4, r"general_hamming"),
    ("chebwin", "at"): (60.0, r"instead of scipy\.signal\.windows\.chebwin write"),
    ("taylor", "sll"): (30.0, r"scipy\.signal\.windows\.taylor computes with plain numbers"),
    ("taylor", "nbar"): (4.0, r"plain number|cannot be converted to an index|integer|object"),
    ("dpss", "NW"): (2.3, r"float takes a plain number.*instead of scipy\.signal\.windows\.dpss write"),
}
NO_NUMBERS = {"M", "sym", "xp", "device", "norm", "Kmax", "return_ratios", "window", "Nx", "fftbins"}
WINDOWS = {n: f for n in windows.__all__ if callable(f := getattr(windows, n)) and n != "get_window"}


def of_one(name, parameter):
    names = [p.name for p in inspect.signature(WINDOWS[name]).parameters.values() if p.default is p.empty]
    given = {"M": 8, **{p: v for (n, p), v in RECORDED_WINDOWS.items() if n == name and p in names}}
    length = {"exponential": {"sym": False}}.get(name, {}) if parameter == "center" else {}
    return lambda t: WINDOWS[name](**{**given, **length, parameter: t})


@pytest.mark.parametrize(("name", "parameter"), RECORDED_WINDOWS)
def test_windows_record(name, parameter):
    records(of_one(name, parameter), RECORDED_WINDOWS[name, parameter])


@pytest.mark.parametrize(("name", "parameter"), REFUSED_WINDOWS)
def test_windows_that_ask_for_numbers_say_so(name, parameter):
    value, said = REFUSED_WINDOWS[name, parameter]
    message, _ = refused(of_one(name, parameter), value, "_windows.py")
    assert re.search(said, message), message


def test_every_parameter_of_every_window_is_tried():
    parameters = {(n, p) for n, f in WINDOWS.items() for p in inspect.signature(f).parameters if p not in NO_NUMBERS}
    assert parameters == set(RECORDED_WINDOWS) | set(REFUSED_WINDOWS)


@pytest.mark.parametrize("name", WINDOWS)
def test_the_length_of_a_window_is_a_plain_number(name):
    needed = {
        n: v
        for (w, n), v in {**RECORDED_WINDOWS, **{k: v for k, (v, _) in REFUSED_WINDOWS.items()}}.items()
        if w == name
    }
    required = [
        p.name for p in inspect.signature(WINDOWS[name]).parameters.values() if p.default is p.empty and p.name != "M"
    ]
    message, _ = refused(lambda m: WINDOWS[name](m, **{p: needed[p] for p in required}), 8.0, "_windows.py")
    assert re.search(r"takes a plain number|index", message)


def test_windows_times_a_signal_record():
    signal = np.sin(np.arange(8.0))
    records(lambda x: np.sum(windows.hann(8) * x) ** 2, signal)


def test_a_kaiser_window_written_out():
    def kaiser(beta, n=7):
        ratio = np.linspace(-1, 1, n)
        return np.i0(beta * np.sqrt(1 - ratio**2)) / np.i0(beta)

    np.testing.assert_allclose(kaiser(5.3), windows.kaiser(7, 5.3))
    records(kaiser, 5.3)


# ----------------------------------------------------------------------------------------------------------- waveforms


@pytest.mark.parametrize("method", ["linear", "quadratic", "logarithmic", "hyperbolic"])
def test_chirp(method):
    records(lambda t: scipy.signal.chirp(t, 0.5, 1.5, 2.0, method), T)
    for k in range(3):
        arguments = [0.5, 1.5, 2.0]

        def of_one(p, k=k, arguments=arguments):
            return scipy.signal.chirp(T, *arguments[:k], p, *arguments[k + 1 :], method=method)

        message, _ = refused(of_one, arguments[k], "_waveforms.py")
        assert re.search("float takes a plain number out", message)


def test_gausspulse_and_sweep():
    records(lambda t: scipy.signal.gausspulse(t, 2.0, 0.5), T)
    records(lambda fc: scipy.signal.gausspulse(T, fc, 0.5), 2.0)
    records(lambda bw: scipy.signal.gausspulse(T, 2.0, bw), 0.5)
    records(lambda t: scipy.signal.sweep_poly(t, [1.0, 0.5]), T)
    records(lambda p: scipy.signal.sweep_poly(T, p), np.array([1.0, 0.5]))


@pytest.mark.parametrize("name", ["sawtooth", "square"])
def test_waves_with_jumps(name):
    for function, at in (
        (lambda t: getattr(scipy.signal, name)(t, 0.6), T),
        (lambda w: getattr(scipy.signal, name)(T, w), 0.6),
    ):
        message, _ = refused(function, at, "_waveforms.py")
        assert (
            f"scipy.signal.{name} computes with plain numbers" in message or f"of scipy.signal.{name} write" in message
        )


# --------------------------------------------------------------------------------------------------- special functions


@pytest.mark.parametrize("name", ["jvp", "yvp", "ivp", "kvp"])
def test_derivatives_of_bessel_functions(name):
    records(lambda z: getattr(scipy.special, name)(1, z, 2), X)


@pytest.mark.parametrize("name", ["sinc", "erfcinv", "exprel"])
def test_special_functions_of_one_argument(name):
    records(getattr(scipy.special, name), T)


def test_polynomials_and_permutations():
    records(scipy.special.legendre(3), T)
    records(lambda x: scipy.special.assoc_laguerre(x, 2), X)
    records(lambda n: scipy.special.perm(n, 2.0), 4.5)


@pytest.mark.parametrize(
    ("name", "arguments"),
    [("comb", (2,)), ("diric", (3,)), ("multigammaln", (2,)), ("zeta", ()), ("logsumexp", ()), ("log_softmax", ())],
)
def test_functions_that_compute_with_numbers_are_named(name, arguments):
    message, _ = refused(lambda x: getattr(scipy.special, name)(x, *arguments), X + 1, "scipy")
    assert re.search(rf"scipy\.special\.{name}.*st\.special", message)


def test_what_stands_behind_a_function_is_not_named_in_its_place():
    message, _ = refused(lambda x: scipy.special.polygamma(1, x), X, "scipy")
    assert "scipy.special.polygamma computes" in message
    assert "st.special.polygamma" in message


# ---------------------------------------------------------------------------------------------------------- statistics


@pytest.mark.parametrize(
    "name", ["gmean", "hmean", "sem", "tmean", "variation", "kstat", "kstatvar", "circmean", "rankdata"]
)
def test_statistics(name):
    records(getattr(scipy.stats, name), X)


def test_a_median_of_deviations():
    records(scipy.stats.median_abs_deviation, X)


@pytest.mark.parametrize("name", ["zscore", "skew", "kurtosis", "gstd", "entropy", "iqr", "mode", "describe", "tvar"])
def test_statistics_that_compute_with_numbers_are_named(name):
    message, _ = refused(getattr(scipy.stats, name), X, "scipy")
    assert re.search(rf"scipy\.stats\.{name}\b|taken apart|Tensor", message), message


# ------------------------------------------------------------------------------------- quadrature, interpolation, units


@pytest.mark.parametrize("name", ["trapezoid", "simpson"])
def test_quadrature_of_samples(name):
    rule = getattr(scipy.integrate, name)
    records(lambda y: rule(y, dx=0.1), X)
    records(lambda y: rule(y, x=T), X)


def test_quadrature_of_functions():
    records(lambda a: scipy.integrate.fixed_quad(lambda x: np.sin(a * x), 0, 1)[0], 1.3)
    records(scipy.integrate.romb, np.array([1.3, 0.7, 0.8, 1.9, 1.0]))


@pytest.mark.filterwarnings("ignore:.lagrange. is deprecated:DeprecationWarning")
def test_interpolation():
    records(lambda y: scipy.interpolate.lagrange(T, y)(0.3), X)


def test_units():
    records(lambda t: scipy.constants.convert_temperature(t, "Celsius", "Fahrenheit"), X)
    records(scipy.constants.lambda2nu, X)
    records(scipy.constants.nu2lambda, X)
