import numpy as np
import pytest
import sympy
from sympy import ITE, Abs, Add, Eq, Heaviside, Max, Min, Mul, Ne, Piecewise, exp, sign, sqrt

from symtape.formula.numbers import number
from symtape.formula.reading import readable
from symtape.ops.sympy_functions import sympy_function

x, y, z = sympy.symbols("x y z", real=True)
isnan = sympy_function("isnan")


def masked(value, condition, otherwise=0):
    return Piecewise((value, condition), (otherwise, True))


CASES = [
    # sums
    (masked(2 * x, x > 0) + masked(-1, x <= 0), "Piecewise((2*x, x > 0), (-1, True))"),
    (masked(x, x > 0) + 3 * masked(y, x > 0) + z, "z + Piecewise((x + 3*y, x > 0), (0, True))"),
    (masked(x, x > 0) + masked(y, y > 0), "Piecewise((x, x > 0), (0, True)) + Piecewise((y, y > 0), (0, True))"),
    (Add(x / (x + y), y / (x + y)), "1"),
    (x / (x + y) + z / (x + y) + 1, "1 + (x + z)/(x + y)"),
    ((x - y) / sqrt(x + y) - (y - x) / sqrt(x + y), "2*(x - y)/sqrt(x + y)"),
    ((x - y) ** 2 + (y - x) ** 2, "2*(x - y)**2"),
    (x * (y + z) - exp(x) * (y + z), "(x - exp(x))*(y + z)"),
    (1 - exp(x) / (exp(x) + exp(y)), "exp(y)/(exp(x) + exp(y))"),
    (1 - 1 / (1 + exp(-x)), "exp(-x)/(1 + exp(-x))"),
    (1 - x / (x + y), "-x/(x + y) + 1"),
    (1 - x**2, "1 - x**2"),
    # products
    (Mul(y, masked(1, x > 0)), "Piecewise((y, x > 0), (0, True))"),
    (Mul(y, masked(1, x > 0), masked(z, x > 0)), "Piecewise((y*z, x > 0), (0, True))"),
    (Mul(masked(1, x > 0), masked(1, y > 0)), "Piecewise((1, (x > 0) & (y > 0)), (0, True))"),
    (Mul(y, masked(1, x > 0, 2)), "y*Piecewise((1, x > 0), (2, True))"),
    (sign(x) * Abs(x), "x"),
    (3 * x**2 * sign(x), "3*x*Abs(x)"),
    (sign(x) * Abs(x) ** 2 * y, "x*y*Abs(x)"),
    (x * x ** (x - 1), "x**x"),
    (x * x ** (y - 2), "x**(y - 1)"),
    (x * x**y, "x*x**y"),
    ((x - 1) / (1 - x), "-1"),
    ((x - 1) ** 2 / (1 - x), "1 - x"),
    (-2 * x * (200 * y - 200 * x**2), "-400*x*(-x**2 + y)"),
    # choices
    (masked(masked(x, x > 0, y), x > 0), "Piecewise((x, x > 0), (0, True))"),
    (masked(0, Eq(x, 0), masked(1, Eq(x, 0), 1 / x)), "Piecewise((0, Eq(x, 0)), (1/x, True))"),
    (masked(masked(x, x > 0) + masked(y, y > 0), (x > 0) | (y > 0)), None),
    (masked(1, isnan(x), x), "x"),
    (masked(1, isnan(1 / x), x), "Piecewise((1, isnan(1/x)), (x, True))"),
    (masked(1, Eq(x, Max(x, y))), "Piecewise((1, x >= y), (0, True))"),
    (masked(1, Ne(x, Min(x, y))), "Piecewise((1, x > y), (0, True))"),
    (masked(1, Eq(x, Max(x, y, z))), "Piecewise((1, Eq(x, Max(x, y, z))), (0, True))"),
    # comparisons
    (Ne(masked(1, x > 0), 0), "x > 0"),
    (Eq(masked(0, x > 0, 2), 0), "x > 0"),
    (Eq(masked(1, x > 0), 1), "Eq(Piecewise((1, x > 0), (0, True)), 1)"),
    (Heaviside(x), "Heaviside(x)"),
]


@pytest.mark.parametrize(("expression", "text"), CASES, ids=lambda v: str(v)[:60])
def test_reads_as_a_person_would_write_it(expression, text):
    found = readable(expression)
    assert str(found) == (text or "Piecewise((x, x > 0), (0, True)) + Piecewise((y, y > 0), (0, True))")


@pytest.mark.parametrize("expression", [e for e, _ in CASES if isinstance(e, sympy.Expr)], ids=lambda e: str(e)[:60])
def test_the_value_stays_the_same(expression):
    rng = np.random.default_rng(0)
    for values in rng.normal(size=(8, 3)):
        point = {s: sympy.Float(v, 30) for s, v in zip((x, y, z), values, strict=True)}
        before, after = (sympy.N(e.xreplace(point), 20) for e in (expression, readable(expression)))
        if before.is_extended_real and before.is_finite:
            assert abs(before - after) < 1e-15 * max(1, abs(before))


def test_the_share_of_a_tie_is_left_out():
    extreme = Max(x, y, z)
    masks = [readable(masked(1, Eq(a, extreme))) for a in (x, y, z)]
    share = Piecewise((2 / Add(*masks), Eq(y, extreme)), (0, True))
    assert str(readable(share)) == "Piecewise((2, Eq(y, Max(x, y, z))), (0, True))"
    others = Piecewise((2 / Add(*masks[:2]), Eq(y, extreme)), (0, True))
    assert readable(others).has(masks[0])


def test_known_conditions_reach_logic_too():
    inner = Piecewise((1, ITE(x > 0, y > 0, z > 0)), (2, True))
    assert str(readable(masked(inner, x > 0))) == "Piecewise((1, (x > 0) & (y > 0)), (2, x > 0), (0, True))" or (
        str(readable(masked(inner, x > 0))) == "Piecewise((Piecewise((1, y > 0), (2, True)), x > 0), (0, True))"
    )


def test_it_comes_to_rest():
    for expression, _ in CASES:
        once = readable(expression)
        assert readable(once) == once


def test_numbers_and_symbols_stay():
    for expression in (x, number(0.1), sympy.pi, sympy.true, x > y):
        assert readable(expression) is expression
