"""All of `lmfit.lineshapes`, in x and in each parameter."""

import inspect
import re

import numpy as np
import pytest

import symtape as st
from tests.others.calls import records, refused

lineshapes = pytest.importorskip("lmfit.lineshapes", reason="lmfit is in the extra 'test'")

FILE = "lineshapes.py"
FUNCTIONS = {
    name: function
    for name, function in inspect.getmembers(lineshapes, inspect.isfunction)
    if function.__module__ == lineshapes.__name__
}
FORMS = {
    "step": ("linear", "atan", "erf", "logistic"),
    "rectangle": ("linear", "atan", "erf", "logistic"),
    "thermal_distribution": ("bose", "maxwell", "fermi"),
}
X = np.array([0.3, 0.85, 1.3, 1.9])
VALUES = {
    "x": X,
    "y": 0.45,
    "value": 1.3,
    "amplitude": 1.3,
    "center": 0.6,
    "centerx": 0.6,
    "centery": 0.4,
    "center1": 0.5,
    "center2": 1.4,
    "sigma": 0.7,
    "sigma1": 0.7,
    "sigma2": 0.6,
    "sigma_r": 0.9,
    "sigmax": 0.7,
    "sigmay": 0.8,
    "gamma": 0.8,
    "fraction": 0.4,
    "beta": 1.7,
    "expon": 1.6,
    "skew": 0.4,
    "q": 1.2,
    "kt": 0.9,
    "decay": 0.8,
    "exponent": 1.5,
    "frequency": 1.1,
    "shift": 0.3,
    "slope": 1.2,
    "intercept": 0.4,
    "a": 0.5,
    "b": 1.2,
    "c": 0.7,
}

#: Functions and their parameters to the line that leaves the real numbers, takes one out, or writes into an argument.
REFUSED = {
    ("not_zero", "value"): "return float(",
    **dict.fromkeys([("voigt", p) for p in ("x", "center", "sigma", "gamma")], r"1j\*gamma"),
    **dict.fromkeys([("skewed_voigt", p) for p in ("x", "center", "sigma", "gamma")], r"1j\*gamma"),
    **dict.fromkeys([("pearson4", p) for p in ("expon", "skew")], r"skew \* 0\.5j"),
    **dict.fromkeys([("thermal_distribution", p) for p in ("x", "amplitude", "center")], r"tiny\*1j"),
    **dict.fromkeys([(f, "kt") for f in ("thermal_distribution", "bose", "fermi")], "return float("),
    ("exponential", "decay"): "return float(",
    **dict.fromkeys([("dho", "x"), ("dho", "gamma"), ("bose", "x"), ("bose", "center")], r"\[where\("),
    ("lognormal", "x"): r"x\[where\(x <= tiny\)\] = tiny",
}
REFUSED = {key: line.replace("float(", r"float\(") for key, line in REFUSED.items()}


def cases():
    for name, function in FUNCTIONS.items():
        parameters = [p for p in inspect.signature(function).parameters if p != "form"]
        for form in FORMS.get(name, (None,)):
            for parameter in parameters:
                yield pytest.param(name, parameter, form, id="-".join(filter(None, (name, parameter, form))))


def of_one(name, parameter, form):
    """The function of one of its parameters, the others fixed."""
    names = [p for p in inspect.signature(FUNCTIONS[name]).parameters if p not in ("form", parameter)]

    def function(t):
        fixed = {p: X.copy() if p == "x" else VALUES[p] for p in names}
        return FUNCTIONS[name](**fixed, **{parameter: t}, **({} if form is None else {"form": form}))

    return function


@pytest.mark.parametrize(("name", "parameter", "form"), list(cases()))
def test_records_or_names_the_line(name, parameter, form):
    function = of_one(name, parameter, form)
    line = REFUSED.get((name, parameter))
    if line is None:
        records(function, VALUES[parameter])
        return
    message, lines = refused(function, VALUES[parameter], FILE)
    assert any(map(re.compile(line).search, lines)), (message, lines)
    if "float" in line:
        assert "called from" in message
        assert "test_lmfit.py" in message
    if "where" in line and name != "lognormal":
        assert "np.where(condition, a, b)" in message
    if "j" in line:
        assert "real and imaginary parts" in message


def test_what_is_refused_exists():
    for name, parameter in REFUSED:
        assert parameter in inspect.signature(FUNCTIONS[name]).parameters


@pytest.mark.slow
def test_a_sum_of_lines_is_fitted():
    def model(x, a, b, c, slope):
        return (
            lineshapes.gaussian(x, a, b, c) + lineshapes.lorentzian(x, 0.5, 1.0, c) + lineshapes.linear(x, slope, 0.1)
        )

    x = np.linspace(-2, 3, 40)
    y = model(x, 1.5, 0.4, 0.6, 0.2)
    fit = st.curve_fit(model, x, y, p0=[1.2, 0.5, 0.8, 0.1])
    np.testing.assert_allclose(fit.popt, [1.5, 0.4, 0.6, 0.2], rtol=1e-8)


def test_models_take_numbers_and_say_so():
    models = pytest.importorskip("lmfit.models")
    model = models.GaussianModel()
    message, lines = refused(lambda a: model.eval(x=X, amplitude=a, center=0.5, sigma=0.8), 1.3, "model.py")
    assert any("np.asarray" in line for line in lines)
    assert "called from" in message
    records(lambda a: model.func(X, a, 0.5, 0.8), 1.3)
