import pickle

import numpy as np
import pytest
import sympy

from symtape.formula.numbers import as_expression, number
from symtape.formula.symbols import element_symbol, is_leaf_symbol, leaf_symbol
from symtape.graph.node import leaf, symbol


def test_two_leaves_of_one_name_are_different_symbols():
    a, b = leaf(np.float64(1.0), "x"), leaf(np.float64(2.0), "x")
    left, right = element_symbol(a, ()), element_symbol(b, ())
    assert str(left) == str(right) == "x"
    assert left != right
    assert left == element_symbol(a, ())
    assert hash(left) == hash(element_symbol(a, ()))
    assert sympy.simplify(left - right) != 0


def test_versions_of_one_variable_share_a_symbol():
    a, b = leaf(np.float64(1.0), "x", 17), leaf(np.float64(2.0), "x", 17)
    assert element_symbol(a, ()) == element_symbol(b, ())


def test_symbols_are_real_and_survive_pickle():
    s = element_symbol(symbol("v", (3,)), (1,))
    assert s.is_real
    assert str(s) == "v[1]"
    assert pickle.loads(pickle.dumps(s)) == s
    assert is_leaf_symbol(s)
    assert not is_leaf_symbol(sympy.Symbol("v"))
    assert s != sympy.Symbol("v[1]", real=True)


def test_a_symbol_without_name_gets_one():
    assert str(element_symbol(leaf(np.float64(1.0), None, 12), ())) == "v12"


def test_the_double_of_pi_is_pi():
    assert number(np.pi) is sympy.pi
    assert number(np.nextafter(np.pi, 0)) is not sympy.pi


@pytest.mark.parametrize("value", [0.1, 1e-300, 1.7976931348623157e308, np.e, 5e-324, -2.5e-7, 1 / 3])
def test_a_double_prints_as_repr_and_reads_back(value):
    text = str(number(value))
    assert text == repr(value)
    assert float(text) == value
    assert float(number(value)) == value


@pytest.mark.parametrize(
    ("value", "text"), [(0.5, "1/2"), (2.0, "2"), (-0.75, "-3/4"), (3 / 1024, "3/1024"), (999999.0, "999999")]
)
def test_short_binary_fractions_are_rationals(value, text):
    assert str(number(value)) == text


def test_long_binary_fractions_are_doubles():
    assert not number(2.0**-11).is_Rational
    assert not number(1e6).is_Rational


def test_special_numbers():
    assert number(float("inf")) is sympy.oo
    assert number(-np.inf) is -sympy.oo
    assert number(np.nan) is sympy.nan
    assert number(np.bool_(True)) is sympy.true
    assert number(np.int64(-3)) == -3


def test_latex_of_a_double():
    assert sympy.latex(number(1e-7)) == r"1 \cdot 10^{-7}"
    assert sympy.latex(number(0.1)) == "0.1"
    assert str(leaf_symbol("x", (1,)) * number(0.1)) == "0.1*x"


def test_a_text_is_never_read_as_code():
    for text in ("x", "__import__('os').getcwd()"):
        with pytest.raises(TypeError, match="text"):
            as_expression(text)
        with pytest.raises(TypeError, match="text"):
            as_expression([1, [text]])
    with pytest.raises(TypeError, match="wanted a sympy expression or a number, got <object"):
        as_expression(object())
    assert as_expression(np.array([[1, 2.5]])) == sympy.Array([[1, sympy.Rational(5, 2)]])
    assert as_expression(2) == sympy.Integer(2)
