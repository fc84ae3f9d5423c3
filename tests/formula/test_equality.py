import pytest
import sympy

from symtape.formula.equality import equality

x, y = sympy.symbols("x y", real=True)


def test_equal_symbolically():
    found = equality(sympy.sin(x) ** 2 + sympy.cos(x) ** 2, sympy.Integer(1))
    assert found
    assert found.how == "symbolic"
    assert found.counterexample is None
    assert repr(found) == "equal (symbolic)"


def test_different_with_counterexample():
    found = equality(x * y, x + y)
    assert not found
    point = found.counterexample
    assert point["left"] == pytest.approx(point["x"] * point["y"])
    assert point["right"] == pytest.approx(point["x"] + point["y"])
    assert point["left"] != point["right"]
    assert "not equal" in repr(found)


def test_equal_only_by_numbers():
    left = sympy.Piecewise((x, x > 0), (-x, True))
    found = equality(left, sympy.Max(x, -x))
    assert found


def test_domains_that_never_meet_are_an_error():
    with pytest.raises(ValueError, match="could not be compared"):
        equality(sympy.log(-1 - x**2), sympy.log(-2 - x**2))


def test_constants():
    assert equality(sympy.sqrt(2) ** 2, sympy.Integer(2))
    assert not equality(sympy.Integer(2), sympy.Integer(3))
