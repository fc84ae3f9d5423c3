"""Ways by which a value may leave a tape: it records, leaves a guard, was asked for by name, or says so at the line."""

import array
import bisect
import collections
import copy
import ctypes
import decimal
import fractions
import functools
import heapq
import importlib
import io
import itertools
import json
import math
import operator
import pickle
import random
import re
import statistics
import struct

import numba
import numpy as np
import pandas as pd
import pytest
import scipy
import sympy

import symtape as st
from symtape.errors import ConcreteValueError, DTypeError, ImpureFunctionError
from tests.tape.lines import LINE, run, said_on

for _part in ("fft", "integrate", "interpolate", "linalg", "optimize", "sparse", "stats"):
    importlib.import_module(f"scipy.{_part}")

X = np.array([0.5, 1.5, 2.5])


class Interface:
    """An array of another library, which hands its numbers out."""

    def __init__(self, values):
        self.values = np.asarray(values)

    def __array__(self, dtype=None, copy=None):
        return np.array(self.values, dtype)


class Deferring(Interface):
    """One that wants to be asked first, as NumPy lets it."""

    __array_ufunc__ = None

    def __rmul__(self, other):
        return "asked"

    __radd__ = __rmul__


class Quantity(Interface):
    """A number with a unit, as in pint."""

    magnitude = property(lambda self: self.values)
    units = "m"


class AstropyLike(np.ndarray):
    """A number with a unit, as in astropy: a kind of ndarray."""

    value = property(lambda self: self.view(np.ndarray))
    unit = "m"


@numba.njit
def compiled_by_numba(a):
    return a * 2.0


def names():
    return {
        "np": np,
        "st": st,
        "X": X,
        "pd": pd,
        "scipy": scipy,
        "sympy": sympy,
        "rng": np.random.default_rng(0),
        "compiled_by_numba": compiled_by_numba,
        "Interface": Interface,
        "Deferring": Deferring,
        "Quantity": Quantity,
        "AstropyLike": AstropyLike,
        "io": io,
        **{m.__name__: m for m in (array, bisect, collections, copy, ctypes, decimal, fractions, functools, heapq)},
        **{m.__name__: m for m in (itertools, json, math, operator, pickle, random, statistics, struct)},
        "__name__": "user",
    }


# ----------------------------------------------------------------------------------------------------------- what warns

_FLOAT = "^float takes a plain number out of"
_ARRAY = r"^np\.asarray\(x, dtype=\w+\) takes a plain number out of"
_FILL = r"fill a = st\.zeros\(shape\)"

WARNS = {
    # numbers of Python
    "float(s)": _FLOAT,
    "int(s)": "^int takes",
    "complex(s)": "^complex takes",
    "[float(v) for v in x]": _FLOAT,
    "list(map(math.sin, x))": _FLOAT,
    "'%f' % s": _FLOAT,
    "'%d' % s": "^int takes",
    "s.as_integer_ratio()": "^as_integer_ratio takes",
    "statistics.NormalDist(s, 1.0)": "statistics",
    "statistics.fmean(x)": r"np\.mean",
    "statistics.mean(x)": r"np\.mean",
    "statistics.variance(x)": r"np\.var",
    "ctypes.c_double(s)": _FLOAT,
    "struct.pack('d', s)": _FLOAT,
    "array.array('d', x)": _FLOAT,
    "a = array.array('d', [0.0]); a[0] = s": _FLOAT,
    "np.float64(s)": "^float takes.*astype",
    "np.bool_(s)": _ARRAY,
    "np.int64(s)": _ARRAY,
    # arrays of numbers
    "np.array([s, s], dtype=float)": _ARRAY,
    "np.array(x, dtype=complex)": _ARRAY,
    "np.asarray(x, float)": _ARRAY,
    "a = np.zeros(3); a[0] = s": f"{_FLOAT}.*{_FILL}",
    "a = np.zeros(3); a[0] += s": f"{_FLOAT}.*{_FILL}",
    "a = np.zeros(3); a[:] = x": f"{_ARRAY}.*{_FILL}",
    "a = np.zeros(3); a[:] = [s, s, s]": _FILL,
    "a = np.zeros(3); a[[0, 1]] = x[:2]": f"{_ARRAY}.*{_FILL}",
    "a = np.zeros(3, [('f', float)]); a['f'] = x": f"{_ARRAY}.*{_FILL}",
    "a = np.zeros(3); a.flat[0] = s": f"{_FLOAT}.*{_FILL}",
    "a = np.zeros(3); a.flat = x": _ARRAY,
    "a = np.zeros(3); a.fill(s)": r"st\.full",
    "a = np.zeros(3); a.put([0], s)": r"st\.zeros",
    "np.place(np.zeros(3), [True, False, False], [s])": _ARRAY,
    "np.fill_diagonal(np.eye(3), x)": _ARRAY,
    "rng.normal(s)": "draw outside",
    # pandas
    "pd.Series(x).astype(float)": _FLOAT,
    "pd.Series(x).mean()": _FLOAT,
    "a = pd.Series(X); a[0] = s": _FLOAT,
    "a = pd.Series(X); a.iloc[0] = s": _FLOAT,
    "a = pd.DataFrame({'a': X}); a.loc[0, 'a'] = s": _FLOAT,
    # SciPy, which calls functions of the user's
    "scipy.integrate.quad(lambda t: t * s, 0, 1)": "leggauss",
    "scipy.optimize.brentq(lambda t: t - s, 0, 2)": "Newton",
    "scipy.optimize.linprog(x)": r"instead of scipy\.optimize\.linprog write st\.minimize",
    # copies
    "copy.deepcopy(y)": r"^copy\.deepcopy takes.*x\.copy\(\)",
    "copy.deepcopy({'a': [y]})": r"^copy\.deepcopy takes",
}


@pytest.mark.parametrize("line", WARNS)
def test_a_number_taken_out_in_passing_warns_at_the_line(line):
    _, caught, filename = run(line, names())
    cuts = [w for w in caught if w.category is st.GradientCutWarning]
    assert cuts, "nothing was said"
    assert all((w.filename, w.lineno) == (filename, LINE) for w in cuts)
    assert re.search(WARNS[line], str(cuts[0].message)), str(cuts[0].message)
    assert f"{filename}:{LINE}: " in str(cuts[0].message)


#: Integers are guards there; C puts an error of its own in the place of ours; others call back, or draw.
ELSEWHERE = ("int(s)", "'%d' % s", "struct.pack('d', s)", "a = np.zeros(3); a.flat[0] = s")


@pytest.mark.parametrize(
    "line", [w for w in WARNS if w not in ELSEWHERE and not w.startswith(("scipy", "rng", "np.place", "pd"))]
)
def test_the_same_is_refused_while_a_function_is_recorded(line):
    """Under ``st.jit`` the number would be baked into compiled code."""
    body = line.replace("; ", "\n    ")
    text = f"def f(x, s):\n    y = x * s\n    {body}\n    return y\n"
    made = names()
    exec(compile(text, "/nowhere/leaks.py", "exec"), made)
    with pytest.raises((ConcreteValueError, TypeError, ValueError)) as caught:
        st.jit(made["f"])(X, 0.7)
    error = caught.value
    while error.__cause__ is not None:
        error = error.__cause__
    assert isinstance(error, ConcreteValueError), error
    assert "/nowhere/leaks.py:" in str(error)


@pytest.mark.parametrize("line", ["struct.pack('d', s)", "a = np.zeros(3); a.flat[0] = s"])
def test_an_error_that_took_the_place_of_ours_gets_it_as_a_note(line):
    made = names()
    exec(compile(f"def f(s):\n    {line}\n    return s\n", "/nowhere/leaks.py", "exec"), made)
    with pytest.raises((ValueError, struct.error)) as caught:
        st.jit(made["f"])(0.7)
    assert any(re.search(r"float took a number out of.*/nowhere/leaks\.py:2", n) for n in caught.value.__notes__)


# ---------------------------------------------------------------------------------------------------------- what raises

_NUMBERS = "computes with plain numbers"
_REAL = r"complex.*real and imaginary parts as two arrays"
_OUT = "a name instead"

RAISES = {
    # Python
    "memoryview(x)": "bytes-like object",
    "bytes(x)": "index",
    "np.frombuffer(x)": "bytes-like object",
    "range(s)": "only integer scalar tensors",
    "[1, 2, 3][s]": "only integer scalar tensors",
    "X[s]": "integers",
    "np.zeros(s)": "integers",
    "json.dumps([s])": "not JSON serializable",
    "fractions.Fraction(s)": "argument should be|Rational",
    "decimal.Decimal(s)": "Decimal",
    "s * decimal.Decimal(1)": "unsupported operand",
    "s * None": "unsupported operand",
    "s < 'a'": "not supported",
    "sympy.Float(s)": "mpf",
    # bytes and memory
    "x.tobytes()": r"x\.numpy\(\)",
    "x.ctypes": r"x\.numpy\(\)",
    "x.data": r"x\.numpy\(\)",
    "x.view(np.int64)": r"x\.astype",
    "np.from_dlpack(x)": "__dlpack__",
    # complex numbers
    "1j * s": _REAL,
    "s + 1j": _REAL,
    "s / (1 + 2j)": _REAL,
    "np.sqrt(s + 0j)": _REAL,
    "np.exp(1j * x)": _REAL,
    "np.complex128(1) * s": _REAL,
    "x * np.array([1j, 0, 0])": _REAL,
    "np.array([1j, 0, 0]) - x": _REAL,
    "np.where(x > 1, x, 1j)": _REAL,
    "x.astype(complex)": _REAL,
    "st.Variable(1j)": _REAL,
    "st.constant([1j])": _REAL,
    "st.Variable(1.0, dtype=complex)": _REAL,
    "st.symbol('c', dtype=complex)": _REAL,
    "np.fft.fft(x)": r"np\.cos and np\.sin",
    "scipy.fft.fft(x)": r"np\.cos and np\.sin",
    "np.emath.sqrt(s)": r"np\.sqrt",
    # units
    "s * Quantity(2.0)": r"has a unit.*x\.magnitude",
    "x + Quantity(X)": r"x\.magnitude",
    "np.add(x, Quantity(X))": r"x\.magnitude",
    "np.stack([s, Quantity(2.0)])": r"x\.magnitude",
    "np.where(x > 1, x, Quantity(X))": r"x\.magnitude",
    "x.at[0].set(Quantity(2.0))": r"x\.magnitude",
    "st.Variable(Quantity(X))": r"x\.magnitude",
    "st.constant(Quantity(X))": r"x\.magnitude",
    "s.assign(Quantity(2.0))": r"x\.magnitude",
    "x * X.view(AstropyLike)": r"x\.value",
    "st.constant(X.view(AstropyLike))": r"x\.value",
    "st.grad(lambda v: np.sum(v**2))(Quantity(X))": r"x\.magnitude",
    "st.jit(lambda v: v * 2)(Quantity(X))": r"x\.magnitude",
    "st.function([x], np.sum(x))(Quantity(X))": r"x\.magnitude",
    "st.minimize(lambda v: np.sum(v**2), Quantity(X))": r"x0 is|x\.magnitude",
    "st.curve_fit(lambda t, a: a * t, X, Quantity(X))": r"x\.magnitude",
    # other libraries
    "compiled_by_numba(s)": r"compiled by numba.*st\.jit.*st\.custom_vjp",
    "compiled_by_numba(x)": "compiled by numba",
    "scipy.linalg.solve(M, x)": _NUMBERS,
    "scipy.sparse.eye_array(3) @ x": _NUMBERS,
    "scipy.sparse.csr_array(np.eye(3)).dot(x)": _NUMBERS,
    "scipy.sparse.csr_array(M)": "csr_array|plain numbers",
    "scipy.interpolate.CubicSpline(X, x)": _NUMBERS,
    "scipy.stats.norm(s, 1.0).pdf(0.3)": _NUMBERS,
    "np.ma.array(x)": _NUMBERS,
    "np.ma.masked_array([s, s])": _NUMBERS,
    "np.isnan(np.asarray(x))": "taken apart into an object array",
    "scipy.special.ndtri(np.asarray(x))": r"scipy\.special\.ndtri computes.*st\.special\.ndtri",
    "rng.shuffle(x)": "in place",
    # results that are written into arrays
    "a = np.zeros(3); a += x": r"a = a \+ x",
    "a = np.zeros(3); a += s": r"a = a \+ x",
    "a = np.zeros(3); a @= M": r"a = a @ x",
    "np.add(X, x, out=np.zeros(3))": _OUT,
    "np.dot(M, x, out=np.zeros(3))": _OUT,
    "np.sum(M, axis=0, out=np.zeros(3))": _OUT,
    "np.einsum('ij,j->i', M, x, out=np.zeros(3))": _OUT,
    "np.concatenate([x], out=np.zeros(3))": _OUT,
    "np.copyto(np.zeros(3), x)": r"\.at\[index\]",
    "np.put(np.zeros(3), [0], s)": r"\.at\[index\]",
    "np.putmask(np.zeros(3), X > 1, x)": r"\.at\[index\]",
    "np.add.at(np.zeros(3), [0], s)": r"\.at\[index\]\.add",
    "np.full_like(X, s)": r"numpy\.full_like.*st\.full",
    "np.nan_to_num(X, nan=s)": r"numpy\.nan_to_num.*np\.where",
    "x[0] = 1.0": "in place",
    "part = y[1:]; part += 1": "write into the array",
}


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("line", RAISES)
def test_what_cannot_be_recorded_is_an_error_at_the_line(line):
    said = said_on(line, names())
    assert any(place == LINE and re.search(RAISES[line], message, re.DOTALL) for message, place in said), said


# --------------------------------------------------------------------------------------------------------- what records

RECORDS = {
    # Python
    "sum(x)": None,
    "abs(s)": None,
    "pow(s, 2)": None,
    "divmod(s, 0.3)[1]": None,
    "max(s, 0.1)": None,
    "min(x)": None,
    "sorted(x)[1]": None,
    "heapq.nlargest(1, x)[0]": None,
    "math.prod(x)": None,
    "functools.reduce(operator.mul, x)": None,
    "list(itertools.accumulate(x))[-1]": None,
    "next(iter(x)) * 2": None,
    "[*x][1]": None,
    "dict(zip('abc', x))['b']": None,
    "{s: s * 2}[s]": None,
    "copy.copy(y)[1]": None,
    "sum(v * v for v in x)": None,
    "[v for v in x if v > 1][0]": None,
    "random.Random(0).gauss(s, 1.0)": None,
    # object arrays
    "np.array([s, s]).sum()": None,
    "np.array(x, dtype=object) ** 2": None,
    "np.asarray(x)[1] * 2": None,
    "np.sqrt(np.asarray(x))": None,
    "np.matmul(X, np.asarray(x))": None,
    # places
    "X[k] * s": None,
    "X[k:] * s": None,
    "[1.0, 2.0, 3.0][k] * s": None,
    "x[np.argsort(-x)]": None,
    # pandas
    "pd.Series(X) * x": None,
    "pd.Series(x).sum()": None,
    "pd.DataFrame({'a': x})['a'].sum()": None,
    "pd.Series(X).map(lambda v: v * s).sum()": None,
    # foreign arrays
    "x * Interface(X)": None,
    "Interface(X) + x": None,
    "np.add(x, Interface(X))": None,
    # sympy
    "sympy.lambdify(sympy.Symbol('q'), sympy.Symbol('q')**2)(s)": None,
    # NumPy's polynomials, and its loops over elements
    "np.polynomial.chebyshev.chebval(s, X)": None,
    "np.poly1d(X)(s)": None,
    "np.linspace(0, s, 3)": None,
    "np.interp(s, X, X**2)": None,
}


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("line", RECORDS)
def test_what_records_has_the_right_gradient(line):
    made = names()
    error, caught, _ = run(f"result = np.sum({line})", made)
    assert error is None, error
    assert not [w for w in caught if w.category is st.GradientCutWarning]
    gradients = made["tape"].gradient(made["result"], [made["x"], made["s"]], unconnected_gradients="zero")

    def value(x, s):
        plain = {**names(), "x": x, "s": s, "y": x * s, "k": 2, "M": 3 * np.eye(3) + 1}
        return float(np.sum(eval(line, plain)))

    h = 1e-6
    slope = (value(X, 0.7 + h) - value(X, 0.7 - h)) / (2 * h)
    np.testing.assert_allclose(gradients[1].numpy(), slope, rtol=1e-7, atol=1e-7)
    for e in np.eye(3):
        slope = (value(X + h * e, 0.7) - value(X - h * e, 0.7)) / (2 * h)
        np.testing.assert_allclose(gradients[0].numpy() @ e, slope, rtol=1e-7, atol=1e-7)


def test_an_array_that_wants_to_be_asked_first_is_asked():
    x = st.Variable(X)
    assert x * Deferring(X) == "asked"
    assert x + Deferring(X) == "asked"


# ---------------------------------------------------------------------------------------------- decisions and questions

GUARDS = {
    "if s > 0.1: pass": "bool",
    "while s > 1.0: pass": "bool",
    "assert s > 0.1": "bool",
    "bool(s)": "bool",
    "s and 1": "bool",
    "max(x)": "bool",
    "sorted(x)": "bool",
    "s in [1.0, 2.0]": "bool",
    "0.5 in x": "bool",
    "bisect.bisect([0.1, 0.9], s)": "bool",
    "X[k]": "int",
    "X[k:]": "int",
    "range(k)": "int",
    "'a' * k": "int",
    "np.zeros(k)": "int",
    "np.roll(X, k)": "int",
    "math.factorial(k)": "int",
    "operator.index(k)": "int",
    "np.allclose(x, X)": "bool",
    "np.array_equal(x, X)": "bool",
}


@pytest.mark.parametrize("line", GUARDS)
def test_a_decision_is_kept_with_its_line(line):
    made = names()
    error, caught, filename = run(line, made)
    assert error is None, error
    assert caught == []
    guards = made["tape"].guards
    assert guards
    assert guards[0].how == GUARDS[line]
    assert f"{filename}:{LINE}: " in guards[0].line


MEANT = {
    "s.item()": ".item()",
    "s.numpy()": ".numpy()",
    "y.tolist()": ".tolist()",
    "f'{s:.3f}'": "format",
    "str(y)": "print",
    "pickle.dumps(y)": "pickle",
    "s.assign(s * 2)": ".assign()",
    "st.Variable(y)": "st.Variable",
    "np.save(io.BytesIO(), y)": ".numpy()",
}


@pytest.mark.parametrize("line", MEANT)
def test_what_is_asked_for_by_name_is_silent_and_kept_for_explain(line):
    made = names()
    error, caught, filename = run(line, made)
    assert error is None, error
    assert caught == []
    cuts = made["tape"].cuts
    assert cuts[0].call == MEANT[line]
    assert (cuts[0].code.co_filename, cuts[0].silent) == (filename, True)


def test_a_question_takes_nothing_out():
    for line in ("hash(s)", "s is None", "s == None", "isinstance(s, float)", "len(x)", "x.shape", "x.dtype", "id(s)"):
        made = names()
        error, caught, _ = run(line, made)
        assert error is None, line
        assert caught == []
        assert made["tape"].cuts == []


# ---------------------------------------------------------------------------------- side effects of a recorded function


@pytest.mark.parametrize("by", ["jit", "minimize", "curve_fit"])
def test_a_tensor_made_outside_is_not_filled_inside(by):
    buffer = st.zeros(3)

    def f(x):
        buffer[0] = x[0] ** 2
        return np.sum(buffer + x**2)

    call = {
        "jit": lambda: st.jit(f)(X),
        "minimize": lambda: st.minimize(f, X),
        "curve_fit": lambda: st.curve_fit(lambda t, a: f(a * t) * t, X, X, p0=[1.0]),
    }[by]
    with pytest.raises(
        ImpureFunctionError, match=rf"fills a tensor.*{re.escape(__file__)}:\d+: buffer\[0\] = .*inside the"
    ):
        call()
    np.testing.assert_array_equal(buffer.numpy(), np.zeros(3))


def test_a_tensor_made_inside_is_filled_and_gradients_of_one_made_outside_go_through():
    def inside(x):
        buffer = st.zeros(3)
        buffer[0] = x[0] ** 2
        return np.sum(buffer * x)

    assert st.jit(inside)(X) == X[0] ** 3
    np.testing.assert_allclose(st.grad(inside)(X), [3 * X[0] ** 2, 0, 0])
    buffer = st.zeros(3)
    x = st.Variable(X)
    with st.GradientTape() as tape:
        buffer[1] = x[1] ** 2
        y = np.sum(buffer * x)
    np.testing.assert_allclose(tape.gradient(y, x).numpy(), [0, 3 * X[1] ** 2, 0])


@pytest.mark.parametrize("value", [3.0, lambda x: x])
@pytest.mark.parametrize("method", ["assign", "assign_add", "assign_sub"])
def test_a_variable_is_not_assigned_to_inside(method, value):
    v = st.Variable(1.0, name="counter")

    @st.jit
    def f(x):
        getattr(v, method)(value(x) if callable(value) else value)
        return x * v

    with pytest.raises((ImpureFunctionError, ConcreteValueError), match=r"counter|assign"):
        f(2.0)
    assert v.item() == 1.0


def test_a_copy_in_depth_is_refused_inside():
    """It had the gradient of a constant, without a word."""
    with pytest.raises(ConcreteValueError, match=r"copy\.deepcopy"):
        st.grad(lambda x: np.sum(copy.deepcopy(x) * x))(X)


def test_an_array_changed_afterwards_changes_no_expression():
    small, large = np.ones(3), np.ones(100)
    x, w = st.Variable(X), st.Variable(np.ones(100))
    with st.GradientTape() as tape:
        y = np.sum(x * small) + np.sum(w * large)
        constant = st.constant(small)
        small[:] = 7.0
        large[:] = 7.0
    for g in tape.gradient(y, [x, w]):
        assert np.all(g.numpy() == 1.0)
    assert np.all(constant.numpy() == 1.0)


def test_generators_and_classes_record():
    def terms(x):
        for k in range(3):
            yield x[k] ** (k + 1)

    st.check_gradients(lambda x: sum(terms(x)), X)


# ------------------------------------------------------------------------------------------------------- real libraries


def test_quantities_of_pint():
    pint = pytest.importorskip("pint", reason="pint is in the extra 'test'")
    unit = pint.UnitRegistry().meter
    x = st.Variable(X, name="x")
    calls = (lambda: x * (X * unit), lambda: x + 2.0 * unit, lambda: st.constant(X * unit), lambda: x @ (X * unit))
    for call in calls:
        with pytest.raises(DTypeError, match=r"meter has a unit.*x\.magnitude"):
            call()
    with st.GradientTape(persistent=True) as tape:
        length = np.sum((X * unit) * x)  # pint is asked first, and keeps its unit around the tensor
    assert length.units == unit
    np.testing.assert_array_equal(tape.gradient(length.magnitude, x).numpy(), X)
    with pytest.raises(TypeError, match="target must be a tensor"):
        tape.gradient(length, x)


def test_numbers_with_uncertainties():
    uncertainties = pytest.importorskip("uncertainties", reason="lmfit, in the extra 'test', brings it")
    with pytest.raises(TypeError, match="unsupported operand"):
        st.Variable(1.0) * uncertainties.ufloat(1.0, 0.1)


def test_arrays_of_dask():
    dask = pytest.importorskip("dask.array", reason="dask is in the extra 'distributed'")
    x = st.Variable(X)
    with st.GradientTape() as tape:
        y = np.sum(x * dask.from_array(X))
    np.testing.assert_array_equal(tape.gradient(y, x).numpy(), X)
