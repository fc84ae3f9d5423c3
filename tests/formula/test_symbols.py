import pickle
import subprocess
import sys

import numpy as np
import pytest
import sympy

from symtape.formula.symbols import (
    element_symbol,
    is_leaf_symbol,
    leaf_names,
    leaf_symbol,
    name_symbol,
    older_versions,
    printed_names,
)
from symtape.graph.node import leaf, symbol

a, b = (leaf_symbol("x", (stamp,)) for stamp in (3, 8))
v = [leaf_symbol("v", (5, k)) for k in range(12)]


def test_two_leaves_of_one_name_are_different_symbols():
    left, right = (element_symbol(leaf(np.float64(1.0), "x")) for _ in range(2))
    assert str(left) == str(right) == "x"
    assert left != right
    assert len({left, right}) == 2
    assert sympy.simplify(left - right) != 0


def test_a_symbol_is_equal_to_another_of_its_leaf():
    node = leaf(np.ones(2), "x")
    assert element_symbol(node, (1,)) == element_symbol(node, (1,))
    assert hash(element_symbol(node, (1,))) == hash(element_symbol(node, (1,)))
    assert element_symbol(node, (1,)) != element_symbol(node, (0,))


def test_versions_of_one_variable_share_a_symbol():
    first, second = leaf(np.float64(1.0), "x", 17), leaf(np.float64(2.0), "x", 17)
    assert element_symbol(first) == element_symbol(second)
    assert older_versions([second]) == {}
    older = older_versions([second, first])
    assert list(older) == [first]
    assert element_symbol(first, (), older[first]) != element_symbol(second)


def test_symbols_are_real_and_unlike_those_of_sympy():
    s = element_symbol(symbol("v", (3,)), (1,))
    assert s.is_real
    assert str(s) == "v[1]"
    assert is_leaf_symbol(s)
    assert not is_leaf_symbol(sympy.Symbol("v"))
    assert s != sympy.Symbol("v[1]", real=True)


def test_a_leaf_without_name_gets_one():
    assert str(element_symbol(leaf(np.float64(1.0), None, 12))) == "v12"


def test_pickles_find_their_leaf_in_the_same_process_only():
    assert pickle.loads(pickle.dumps(a * b)) == a * b
    program = "import sys, pickle; from symtape.formula.symbols import leaf_symbol; "
    program += "sys.stdout.buffer.write(pickle.dumps(leaf_symbol('x', (3,))))"
    foreign = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True).stdout
    other = pickle.loads(foreign)
    assert str(other) == "x"
    assert other != a


# ------------------------------------------------------------------------------------------------------ names in print


@pytest.mark.parametrize(
    ("expression", "text"),
    [
        (a, "x"),
        (b, "x"),
        (b**2 + 1, "x**2 + 1"),
        (a * b, "x*x_2"),
        (b - sympy.sin(a), "x_2 - sin(x)"),
        (b * leaf_symbol("x_2", (9,)) * a, "x*x_3*x_2"),
        (a * sympy.Symbol("x"), "x*x_2"),
        (v[0] * leaf_symbol("v", (6, 0)), "v[0]*v_2[0]"),
        (a * leaf_symbol("x", (-2,)), "x*x_2"),
    ],
)
def test_names_are_numbered_where_they_would_be_ambiguous(expression, text):
    assert str(expression) == repr(expression) == text


def test_every_printer_tells_leaves_apart():
    product = a * b
    assert sympy.latex(product) == "x x_{2}"
    assert sympy.pretty(product, use_unicode=False) == "x*x_2"
    assert sympy.pycode(product) == sympy.ccode(product) == "x*x_2"
    assert sympy.srepr(product) == "Mul(Symbol('x', real=True), Symbol('x_2', real=True))"
    assert sympy.mathml(a) == "<ci>x</ci>"
    assert str(sympy.Array([a, b])) == "[x, x_2]"
    assert sympy.latex([a, b]) == r"\left[ x, \  x_{2}\right]"
    assert sympy.latex({a: b}) == r"\left\{ x : x_{2}\right\}"


def test_what_is_made_of_them_prints_anew():
    both = a * b
    assert str(both.subs(a, 1)) == "x"
    assert str(sympy.diff(both, a)) == "x"
    assert str(2 * both) == "2*x*x_2"


def test_order_in_print_is_that_of_indices():
    assert str(sum(v)) == " + ".join(f"v[{k}]" for k in range(12))
    assert str(sympy.pi * a) == "pi*x"
    assert str(a + sympy.Symbol("t")) == "t + x"


def test_latex():
    assert sympy.latex(leaf_symbol("alpha", (1,))) == r"\alpha"
    assert sympy.latex(leaf_symbol("A", (1, 0, 2)) ** 2) == "A_{0, 2}^{2}"
    assert sympy.latex(leaf_symbol("x_1", (1, 0))) == "{x_{1}}_{0}"
    assert sympy.latex(a, symbol_names={a: "X"}) == "X"


def test_names_of_leaves():
    first, second = leaf(np.float64(1.0), "x", 0), leaf(np.float64(2.0), "x", 0)
    other = leaf(np.float64(2.0), "x")
    names = leaf_names([first, second, other])
    assert [names[n] for n in (second, other, first)] == ["x", "x_2", "x_3"]
    assert leaf_names([first]) == {first: "x"}


def test_names_of_symbols():
    t = sympy.Symbol("x")
    assert printed_names([a, b, t]) == {a: "x_2", b: "x_3", t: "x"}
    assert printed_names([v[3]]) == {v[3]: "v[3]"}


def test_given_names():
    assert name_symbol("q", ()) == sympy.Symbol("q", real=True)
    assert str(name_symbol("q", (2, 0))) == "q[2, 0]"


def test_sympy_is_loaded_with_the_first_formula_only():
    program = "import sys, numpy as np, symtape as st; x = st.Variable(2.0); float(np.sin(x)); "
    program += "import symtape.formula.symbols, symtape.formula.element; sys.exit('sympy' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
