"""What elementwise ops are made of: per op one line of the lowering language, as data.

A line is an expression in the op's arguments ``x, y, z`` over the functions of `scalar_functions`, written with
Python's operators where there is one (``~`` and comparisons make truth values), ``select(condition, a, b)`` and
numbers; ``t = ...; `` before it names what is used more than once. The arguments are converted to one type first: that
of the result, or, where the result is a truth value, the type that NumPy would compare in. ``x: truth;`` before the
line leaves an argument out of that and takes it as a truth value, ``x: whole;`` leaves it an integer if it is one.
``fold`` before a line in ``x, y`` says that the op takes any number of arguments and folds them from the left.

`lowering.py` reads the lines. An op may carry a line of its own in its declaration (``lowering=``), or a function from
its params to a line, which is used first.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import Final

#: Lines by the name of the op. An op on a type that a function in its line lacks is not lowered but called back.
LOWERINGS: Final = MappingProxyType(
    {
        "add": "x + y",
        "add_n": "fold x + y",
        "subtract": "x - y",
        "multiply": "x * y",
        "divide": "x / y",
        "true_divide": "x / y",
        "negative": "-x",
        "positive": "x",
        "square": "x * x",
        "reciprocal": "1 / x",
        "power": "pow(x, y)",
        "float_power": "pow(x, y)",
        "absolute": "absolute(x)",
        "abs": "absolute(x)",
        "fabs": "absolute(x)",
        "sqrt": "sqrt(x)",
        "cbrt": "cbrt(x)",
        "exp": "exp(x)",
        "exp2": "exp2(x)",
        "expm1": "expm1(x)",
        "log": "log(x)",
        "log2": "log2(x)",
        "log10": "log10(x)",
        "log1p": "log1p(x)",
        "logaddexp": "select(x == y, x + 0.6931471805599453, select(isnan(x - y), x - y,"
        " fmax(x, y) + log1p(exp(-absolute(x - y)))))",
        "logaddexp2": "select(x == y, x + 1, select(isnan(x - y), x - y,"
        " fmax(x, y) + 1.4426950408889634 * log1p(exp2(-absolute(x - y)))))",
        "sin": "sin(x)",
        "cos": "cos(x)",
        "tan": "tan(x)",
        "arcsin": "arcsin(x)",
        "arccos": "arccos(x)",
        "arctan": "arctan(x)",
        "arctan2": "arctan2(x, y)",
        "sinh": "sinh(x)",
        "cosh": "cosh(x)",
        "tanh": "tanh(x)",
        "arcsinh": "arcsinh(x)",
        "arccosh": "arccosh(x)",
        "arctanh": "arctanh(x)",
        "hypot": "hypot(x, y)",
        "sinc": "sin(select(x == 0, 1e-20, x) * 3.141592653589793) / (select(x == 0, 1e-20, x) * 3.141592653589793)",
        "deg2rad": "x * 0.017453292519943295",
        "radians": "x * 0.017453292519943295",
        "rad2deg": "x * 57.29577951308232",
        "degrees": "x * 57.29577951308232",
        "sign": "select(isnan(x), x, select(x > 0, 1, select(x < 0, -1, 0)))",
        "heaviside": "select(isnan(x), x, select(x == 0, y, select(x < 0, 0, 1)))",
        "copysign": "copysign(x, y)",
        "nextafter": "nextafter(x, y)",
        "maximum": "maximum(x, y)",
        "minimum": "minimum(x, y)",
        "fmax": "fmax(x, y)",
        "fmin": "fmin(x, y)",
        "clip": "minimum(maximum(x, y), z)",
        "floor": "floor(x)",
        "ceil": "ceil(x)",
        "trunc": "trunc(x)",
        "rint": "rint(x)",
        "fmod": "c_remainder(x, y)",
        "remainder": "remainder(x, y)",
        "mod": "remainder(x, y)",
        "floor_divide": "floor_divide(x, y)",
        "greater": "x > y",
        "greater_equal": "x >= y",
        "less": "x < y",
        "less_equal": "x <= y",
        "equal": "x == y",
        "not_equal": "x != y",
        "logical_and": "both(truth(x), truth(y))",
        "logical_or": "either(truth(x), truth(y))",
        "logical_xor": "differ(truth(x), truth(y))",
        "logical_not": "~truth(x)",
        "bitwise_and": "bit_and(x, y)",
        "bitwise_or": "bit_or(x, y)",
        "bitwise_xor": "bit_xor(x, y)",
        "invert": "invert(x)",
        "isnan": "isnan(x)",
        "isfinite": "~isnan(exact_subtract(x, x))",
        "isinf": "absolute(x) == inf",
        "signbit": "copysign(1, x) < 0",
        "where": "x: truth; select(x, y, z)",
        "select": "x: truth; select(x, y, z)",
        "astype": "x",
        "erf": "erf(x)",
        "erfc": "erfc(x)",
        "gamma": "gamma(x)",
        "gammaln": "gammaln(x)",
        "digamma": "psi(x)",
        "psi": "psi(x)",
        "expit": "1 / (1 + exp(-x))",
        "softplus": "maximum(x, 0) + log1p(exp(-absolute(x)))",
    }
)

#: Functions of the language that are lines of it themselves, in ``x, y, z``; floating types only.
COMPOSED: Final = MappingProxyType(
    {
        # Python's remainder: the sign of the divisor, and a zero with that sign
        "remainder": "select(c_remainder(x, y) == 0, copysign(0, y),"
        " select(differ(y < 0, c_remainder(x, y) < 0), c_remainder(x, y) + y, c_remainder(x, y)))",
        # the quotient that goes with it, rounded to the integer that it is but for rounding
        "floor_divide": "select(y == 0, x / y, whole(exact_subtract(exact_subtract(x, c_remainder(x, y)) / y,"
        " select(both(c_remainder(x, y) != 0, differ(y < 0, c_remainder(x, y) < 0)), 1, 0)), x / y))",
        "whole": "select(x == 0, copysign(0, y), select(exact_subtract(x, floor(x)) > 0.5, floor(x) + 1, floor(x)))",
    }
)
