import numpy as np
import pytest
import sympy

import symtape as st
from symtape.formula.element import array_expression
from symtape.graph.node import leaf, symbol
from symtape.ops.namespace import NODES as B
from symtape.tape.meant import each, expression_of, given_values, node_of, substitutions, symbol_meant

x, y, twin = symbol("x"), symbol("y"), symbol("x")
v = symbol("v", (2,))


def test_node_of():
    variable = st.Variable(2.0)
    assert node_of(variable) is variable.node
    with pytest.raises(TypeError, match="wanted a tensor, got 3"):
        node_of(3)


def test_values_by_name_symbol_and_tensor():
    below = [x, y, v]
    assert given_values({"x": 1, "y": 2.5}, below) == {x: 1.0, y: 2.5}
    assert given_values({array_expression(x): 3}, below) == {x: 3.0}
    assert given_values({sympy.Symbol("y"): 3}, below) == {y: 3.0}
    (found,) = given_values({"v": [1, 2]}, below).values()
    assert found.dtype == np.float64
    other = st.Variable(1.0, name="elsewhere")
    assert given_values({other: 2.0}, below) == {}
    assert given_values({"x": st.constant(4.0)}, below) == {x: 4.0}


@pytest.mark.parametrize(
    ("values", "error", "message"),
    [
        ({"w": 1.0}, ValueError, "no leaf named 'w'; there are v, x, y"),
        ({"v": 1.0}, ValueError, r"the value of 'v' has shape \(\), wanted \(2,\)"),
        ({"x": 1j}, TypeError, "the value of .x. is complex"),
        ({"x": "1"}, TypeError, "the value of .x. has dtype <U1; wanted real numbers"),
        ({array_expression(v)[0]: 1.0}, TypeError, r"v\[0\] is one element: give the value of all of v"),
        ({3: 1.0}, TypeError, "wanted a tensor, got 3"),
    ],
)
def test_values_that_do_not_fit(values, error, message):
    with pytest.raises(error, match=message):
        given_values(values, [x, y, v])


def test_an_integer_leaf_takes_no_fraction():
    n = leaf(np.array(3), "n")
    assert given_values({"n": 4}, [n]) == {n: 4}
    with pytest.raises(TypeError, match="float64, wanted int64"):
        given_values({"n": 0.5}, [n])


def test_two_leaves_of_one_name():
    with pytest.raises(st.AmbiguousVariableError, match="2 leaves are named 'x'"):
        given_values({"x": 1.0}, [x, twin])
    assert given_values({"x_2": 1.0}, [x, twin]) == {twin: 1.0}
    with pytest.raises(st.AmbiguousVariableError, match="instead of a text"):
        expression_of("x**2", [x, twin])
    assert expression_of("x*x_2", [x, twin]) == array_expression(B.multiply(x, twin))


def test_all_versions_of_a_variable_take_the_value():
    old, new = leaf(np.float64(1.0), "w", 0), leaf(np.float64(2.0), "w", 0)
    assert given_values({"w": 3.0}, [old, new]) == {old: 3.0, new: 3.0}


def test_what_a_formula_is_compared_with():
    assert str(expression_of("2*x + sin(y)", [x, y])) == "2*x + sin(y)"
    assert str(expression_of("v[0]*v[1]", [v])) == "v[0]*v[1]"
    assert str(expression_of("2*v", [v])) == "[2*v[0], 2*v[1]]"
    assert expression_of(0.5, [x]) == sympy.Rational(1, 2)
    assert expression_of([1, 2], [v]) == sympy.Array([1, 2])
    assert expression_of(sympy.Symbol("x") ** 2, [x]) == array_expression(B.square(x))
    assert expression_of(sympy.Symbol("q") ** 2, [x]) == sympy.Symbol("q") ** 2
    assert expression_of(sympy.Array([sympy.Symbol("x")]), [x]) == sympy.Array([array_expression(x)])
    with pytest.raises(ValueError, match="zz"):
        expression_of("zz", [x])


def test_symbols_meant():
    expression = array_expression(B.add(B.sum(v), x))
    assert symbol_meant("x", expression) == array_expression(x)
    assert symbol_meant("v", expression) == array_expression(v)
    assert symbol_meant("v[1]", expression) == array_expression(v)[1]
    assert symbol_meant(3, expression) == 3
    with pytest.raises(ValueError, match="no leaf named 'q'; there are v, x"):
        symbol_meant("q", expression)
    with pytest.raises(ValueError, match="there are none"):
        symbol_meant("q", sympy.Integer(1))


def test_pairs_to_substitute():
    expression = array_expression(B.add(B.sum(v), x))
    s = array_expression(x)
    assert substitutions([s, 2], {}, expression) == [(s, 2)]
    assert substitutions([{s: 2}], {}, expression) == [(s, 2)]
    assert substitutions([], {"x": 2}, expression) == [(s, 2)]
    v0, v1 = array_expression(v)
    assert substitutions([], {"v": [1, 2]}, expression) == [(v0, 1), (v1, 2)]
    assert substitutions([], {"v": 7}, expression) == [(v0, 7), (v1, 7)]


def test_each():
    assert each(lambda e: e + 1, sympy.Integer(1)) == 2
    assert each(lambda e: e + 1, sympy.Array([1, 2])) == sympy.Array([2, 3])
