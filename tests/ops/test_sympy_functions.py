"""sympy functions of ours: numbers, digits, derivatives, printers."""

import pickle

import numpy as np
import pytest
import sympy as sp

from symtape.ops import sympy_functions
from symtape.ops.sympy_functions import sympy_function

x, y = sp.symbols("x y", real=True)

POINTS = {
    1: [(-8.0,), (-2.5,), (-1.5,), (-0.5,), (0.5,), (1.5,), (2.25,), (27.0,)],
    2: [(7.5, 2.0), (-7.5, 2.0), (7.5, -2.0), (-7.5, -2.0), (1.0, 3.0)],
}


def reference(name):
    import scipy.special

    return getattr(np, name, None) or getattr(scipy.special, name)


WITH_TERMS = [name for name, spec in sympy_functions._SPECS.items() if spec.terms is not None and "shift" not in name]


@pytest.mark.parametrize("name", WITH_TERMS)
def test_numbers_are_those_of_numpy(name):
    function = sympy_function(name)
    count = sympy_functions._SPECS[name].arguments
    for point in POINTS[count]:
        expected = reference(name)(*point)
        exact = function(*[sp.Rational(p) for p in point])
        if sympy_functions._SPECS[name].truth:
            assert bool(exact) == bool(expected)
        else:
            assert float(exact) == pytest.approx(float(expected), rel=1e-14)
            symbols = (x, y)[:count]
            unevaluated = function(*symbols).subs(
                dict(zip(symbols, [sp.sqrt(2) + p for p in map(sp.Rational, point)], strict=True))
            )
            moved = [float(np.sqrt(2) + p) for p in point]
            assert float(unevaluated.evalf()) == pytest.approx(float(reference(name)(*moved)), rel=1e-12)


@pytest.mark.parametrize(
    ("name", "point"),
    [
        ("cbrt", (-1.7,)),
        ("gammaln", (1.7,)),
        ("fmod", (7.3, 2.2)),
        ("fmax", (1.2, 0.3)),
        ("fmin", (1.2, 0.3)),
        ("copysign", (-1.2, 0.3)),
    ],
)
def test_derivatives_are_those_of_the_terms(name, point):
    symbols = (x, y)[: len(point)]
    expression = sympy_function(name)(*symbols)
    h = 1e-6
    for k, s in enumerate(symbols):
        exact = float(expression.diff(s).subs(dict(zip(symbols, point, strict=True))).evalf())
        ahead = [p + h * (j == k) for j, p in enumerate(point)]
        behind = [p - h * (j == k) for j, p in enumerate(point)]
        slope = (float(reference(name)(*ahead)) - float(reference(name)(*behind))) / (2 * h)
        assert exact == pytest.approx(slope, rel=1e-8, abs=1e-8)


def test_a_function_without_derivative_says_so():
    with pytest.raises(sp.core.function.ArgumentIndexError):
        sympy_function("spacing")(x).fdiff()


def test_printers():
    cbrt = sympy_function("cbrt")
    assert str(cbrt(x)) == "cbrt(x)"
    assert sp.latex(cbrt(x)) == r"\sqrt[3]{x}"
    assert sp.latex(cbrt(x) ** 2) == r"\left(\sqrt[3]{x}\right)^{2}"
    assert sp.latex(sympy_function("bitwise_and")(x, y)) == r"\operatorname{bitwise\_and}\left(x, y\right)"
    assert sp.lambdify(x, cbrt(x))(-8.0) == -2.0
    assert sp.lambdify(x, cbrt(x), "mpmath")(-8) == -2
    assert sp.pretty(cbrt(x))


@pytest.mark.parametrize("modules", ["numpy", "mpmath"])
def test_printed_functions_stand_among_other_factors(modules):
    cbrt, fmod = sympy_function("cbrt"), sympy_function("fmod")
    expression = fmod(x, 2) * cbrt(x).diff(x) - cbrt(x) ** 2
    assert float(sp.lambdify(x, expression, modules)(-7.5)) == pytest.approx(float(expression.subs(x, -7.5)))


def test_what_mpmath_has_not_is_left_to_the_caller():
    mantissa = sympy_function("frexp_mantissa")
    assert sp.lambdify(x, mantissa(x), [{"frexp_mantissa": lambda v: v + 1}, "mpmath"])(2) == 3


def test_expressions_pickle():
    expression = sympy_function("cbrt")(x) + sympy_function("copysign")(x, y)
    assert pickle.loads(pickle.dumps(expression)) == expression
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        sympy_functions.nothing


def test_truths_stand_in_conditions():
    case = sp.Piecewise((0, sympy_function("isnan")(x)), (x, True))
    assert case.subs(x, 3) == 3


def test_integers_are_rounded_already():
    trunc = sympy_function("trunc")
    assert trunc(trunc(x)) == trunc(x)
    assert trunc(sp.floor(x)) == sp.floor(x)
    assert sympy_function("cbrt")(x).is_integer is None


def test_real_values_are_known_to_be_real():
    assert sympy_function("cbrt")(x).is_extended_real
    assert sympy_function("cbrt")(sp.pi).rewrite(sp.Abs) == sp.pi ** sp.Rational(1, 3)
