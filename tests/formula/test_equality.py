import pytest
import sympy

from symtape.formula.equality import equality
from symtape.formula.numbers import number
from symtape.formula.symbols import leaf_symbol

x, y = sympy.symbols("x y", real=True)


def test_equal_symbolically():
    found = equality(sympy.sin(x) ** 2 + sympy.cos(x) ** 2, sympy.Integer(1))
    assert found
    assert found.how == "symbolic"
    assert found.counterexample is None
    assert repr(found) == "equal (symbolic)"
    assert (found == True) is True  # noqa: E712
    assert (found == False) is False  # noqa: E712
    assert found != 1


def test_different_with_counterexample():
    found = equality(x * y, x + y)
    assert not found
    point = found.counterexample
    assert point["left"] == pytest.approx(point["x"] * point["y"])
    assert point["right"] == pytest.approx(point["x"] + point["y"])
    assert point["left"] != point["right"]
    assert "not equal" in repr(found)


def test_equal_only_by_numbers():
    assert equality(sympy.Piecewise((x, x > 0), (-x, True)), sympy.Max(x, -x))


@pytest.mark.parametrize(
    ("left", "right"),
    [
        (sympy.gamma(x + 1), x * sympy.gamma(x)),
        (sympy.atan(x) + sympy.atan(1 / x), sympy.sign(x) * sympy.pi / 2),
        (sympy.log(sympy.exp(x) + 1) - x, sympy.log(1 + sympy.exp(-x))),
        ((x + y) ** 30, sympy.expand((x + y) ** 30)),
    ],
)
def test_equal_in_whatever_way(left, right):
    assert equality(left, right)


def test_a_small_difference_is_found():
    assert not equality(sympy.sin(x), sympy.sin(x) + sympy.Rational(1, 10**20))
    assert not equality(x, x + sympy.Rational(1, 10**12) * sympy.exp(-(x**2)))


def test_doubles_are_equal_within_rounding():
    assert equality(number(0.1) * 3 * x, number(0.3) * x)
    assert equality(number(0.1) * 3 * x, number(0.3) * x).how == "numeric"
    assert not equality(number(0.3) * x, number(0.3000001) * x)


def test_domains_that_never_meet_are_an_error():
    with pytest.raises(ValueError, match="could not be compared"):
        equality(sympy.log(-1 - x**2), sympy.log(-2 - x**2))


def test_points_outside_of_a_domain_say_nothing():
    assert equality(sympy.log(x * y), sympy.log(x) + sympy.log(y))
    assert not equality(sympy.log(x**2), sympy.log(x))


def test_constants():
    assert equality(sympy.sqrt(2) ** 2, sympy.Integer(2))
    assert not equality(sympy.Integer(2), sympy.Integer(3))
    assert equality(sympy.sin(1) ** 2, 1 - sympy.cos(1) ** 2)


def test_truth_values():
    assert equality(x > y, y < x).how == "symbolic"
    assert equality(sympy.And(x > 0, y > 0), sympy.Not(sympy.Or(x <= 0, y <= 0)))
    found = equality(x > y, x >= y)
    assert not found
    assert found.counterexample["x"] == found.counterexample["y"]
    assert (found.counterexample["left"], found.counterexample["right"]) == (False, True)
    assert equality(x > 0, sympy.Piecewise((1, x > 0), (0, True)))
    assert not equality(x > 0, x)


def test_arrays():
    left = sympy.Array([x, x + y])
    assert equality(left, sympy.Array([x, y + x]))
    found = equality(left, sympy.Array([x, x - y]))
    assert found.counterexample["at"] == (1,)
    assert not equality(left, x)
    assert equality(left, sympy.Array([x])).counterexample == {"left shape": (2,), "right shape": (1,)}


def test_leaves_of_one_name_are_numbered_in_the_counterexample():
    a, b = leaf_symbol("x", (1,)), leaf_symbol("x", (2,))
    assert set(equality(a, b).counterexample) == {"x", "x_2", "left", "right"}
