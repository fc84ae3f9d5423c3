import math

import numpy as np
import pytest
import sympy
from hypothesis import given
from hypothesis.strategies import floats

from symtape.compile.evaluate import evaluate
from symtape.formula.numbers import as_expression, number
from symtape.formula.symbols import leaf_symbol
from symtape.formula.text import parse
from symtape.ops.namespace import NODES

x = leaf_symbol("x", (1,))


@pytest.mark.parametrize("value", [0.1, 1e-300, 1.7976931348623157e308, np.e, 5e-324, -2.5e-7, 1 / 3, 0.1 + 0.2])
def test_a_double_prints_as_repr_and_reads_back(value):
    text = str(number(value))
    assert text == repr(float(value))
    assert float(text) == value
    assert float(number(value)) == value


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.5, "1/2"), (2.0, "2"), (-0.75, "-3/4"), (3 / 1024, "3/1024"), (999999.0, "999999"), (-0.0, "0")],
)
def test_short_binary_fractions_are_rationals(value, text):
    assert str(number(value)) == text


def test_long_binary_fractions_are_doubles():
    assert not number(2.0**-11).is_Rational
    assert not number(1e6).is_Rational
    assert str(number(1e6)) == "1000000.0"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (math.pi, "pi"),
        (-2 * math.pi, "-2*pi"),
        (math.pi / 2, "pi/2"),
        (2 * math.pi / 3, "2*pi/3"),
        (math.pi / 180, "pi/180"),
        (math.nextafter(math.pi, 4), "3.1415926535897936"),
        (13 * math.pi, repr(13 * math.pi)),
    ],
)
def test_familiar_multiples_of_pi(value, text):
    assert str(number(value)) == text
    assert eval(text, {"pi": math.pi}) == value


@given(floats(allow_nan=False, allow_infinity=False))
def test_every_double_is_read_back_from_its_text(value):
    (back,) = evaluate([parse(str(number(value)), {}, NODES)])
    assert float(back) == value


def test_special_numbers():
    assert number(float("inf")) is sympy.oo
    assert number(-np.inf) is -sympy.oo
    assert number(np.nan) is sympy.nan
    assert number(np.bool_(True)) is sympy.true
    assert number(np.int64(-3)) == -3
    assert str(number(np.float32(0.1))) == repr(float(np.float32(0.1)))


def test_arithmetic_keeps_all_digits():
    assert str(number(0.1) * x * 3) == "0.30000000000000004*x"
    assert str(number(0.1) + sympy.Rational(1, 3)) == repr(0.1 + 1 / 3)
    assert str(x / number(0.3)) == f"{1 / 0.3!r}*x"
    assert str(number(0.1) ** 2 - number(0.7)) == repr(0.1**2 - 0.7)
    assert number(0.1) * 10 == 1
    assert (number(0.1) * 10).is_Integer
    assert str(abs(-number(0.1))) == "0.1"


def test_printing_of_doubles():
    assert sympy.latex(number(1e-7)) == r"1 \cdot 10^{-7}"
    assert sympy.latex(number(0.1)) == "0.1"
    assert str(number(0.1) * x) == "0.1*x"
    assert sympy.srepr(number(0.1)) == "Float('0.1', 17)"
    assert "<cn>0.1</cn>" in sympy.mathml(number(0.1))
    assert "<mn>0.1</mn>" in sympy.mathml(number(0.1), printer="presentation")


def test_a_text_is_never_read_as_code():
    for text in ("x", "__import__('os').getcwd()"):
        with pytest.raises(TypeError, match="text"):
            as_expression(text)
        with pytest.raises(TypeError, match="text"):
            as_expression([1, [text]])
    with pytest.raises(TypeError, match="wanted a sympy expression or a number, got <object"):
        as_expression(object())


def test_what_stands_for_an_expression():
    assert as_expression(np.array([[1, 2.5]])) == sympy.Array([[1, sympy.Rational(5, 2)]])
    assert as_expression(2) == sympy.Integer(2)
    assert as_expression(True) is sympy.true
    assert as_expression(np.array(0.1)) == number(0.1)
    assert as_expression(x + 1) == x + 1
