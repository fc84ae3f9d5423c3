import numpy as np
import pytest
import sympy

import symtape as st

t = sympy.Symbol("t")


@pytest.fixture
def xy():
    return st.Variable(3.0, name="x"), st.Variable(2.0, name="y")


def test_printers_of_sympy(xy):
    x, y = xy
    z = x / y
    assert sympy.latex(z) == r"\frac{x}{y}"
    assert sympy.pretty(z) == sympy.pretty(z.expr)
    assert sympy.sstr(z) == "x/y"
    assert sympy.srepr(z) == sympy.srepr(z.expr)
    assert sympy.mathml(z) == sympy.mathml(z.expr)
    assert sympy.mathml(z, printer="presentation") == sympy.mathml(z.expr, printer="presentation")
    assert sympy.latex([z, x]) == r"\left[ \frac{x}{y}, \  x\right]"
    assert sympy.sympify(z) == z.expr
    assert sympy.latex(st.Variable([1.0, 2.0], name="v")) == r"\left[\begin{matrix}v_{0} & v_{1}\end{matrix}\right]"


def test_it_multiplies_as_a_sympy_expression(xy):
    x, y = xy
    for mixed, text in (
        (sympy.sin(t) * y, "y*sin(t)"),
        (y - sympy.sin(t), "y - sin(t)"),
        (sympy.sin(t * x) / y, "sin(t*x)/y"),
        (t**x, "t**x"),
        (x**t, "x**t"),
        (sympy.I * x, "I*x"),
        (t < x, "x > t"),
        (x >= sympy.sin(t), "x >= sin(t)"),
    ):
        assert isinstance(mixed, sympy.Basic)
        assert str(mixed) == text


def test_a_formula_of_living_variables_stays_on_the_tape(xy):
    x, y = xy
    for mixed, text in (
        (sympy.sin(x) * y, "y*sin(x)"),
        (y * sympy.sin(x), "y*sin(x)"),
        (sympy.sin(x) + y, "y + sin(x)"),
        (sympy.sin(x) - y, "-y + sin(x)"),
        (y - sympy.sin(x), "y - sin(x)"),
        (sympy.sin(x) / y, "sin(x)/y"),
        (sympy.sin(x) ** y, "sin(x)**y"),
    ):
        assert isinstance(mixed, st.Tensor)
        assert str(mixed.expr) == text
    unknown = sympy.Function("h")(x.expr) * y  # no operation here: a formula, as before
    assert str(unknown) == "y*h(x)"


def test_a_number_of_sympy_stays_on_the_tape(xy):
    x, y = xy
    for mixed, text in (
        (sympy.pi * x, "pi*x"),
        (sympy.Integer(2) * (x * y), "2*x*y"),
        (x * y / sympy.Rational(1, 3), "3*x*y"),
        (x**sympy.S.Half, "sqrt(x)"),
        (x + sympy.Float("0.1", 30), "x + 0.1"),
        (sympy.sqrt(2) - x, "-x + sqrt(2)"),
        (np.maximum(x, sympy.pi), "Max(pi, x)"),
        (np.stack([x, sympy.sin(y)])[1], "sin(y)"),
        (divmod(sympy.Integer(7), x)[1], "Mod(7, x)"),
    ):
        assert isinstance(mixed, st.Tensor)
        assert str(mixed.expr) == text
    single = st.Variable(np.float32(2.0), name="single")
    for number in (sympy.pi, sympy.Rational(1, 3), sympy.sqrt(2), sympy.Integer(2), sympy.Float(0.1)):
        assert (number * single).dtype == (single + number).dtype == np.float32


def test_a_foreign_symbol_beside_an_array_makes_formulas_of_its_elements():
    v = st.Variable([1.0, 2.0], name="v")
    for mixed, text in (
        (v + t, "[t + v[0], t + v[1]]"),
        (t - v, "[t - v[0], t - v[1]]"),
        (t * v, "[t*v[0], t*v[1]]"),
        (v**t, "[v[0]**t, v[1]**t]"),
        (sympy.Array([1, t]) + v, "[v[0] + 1, t + v[1]]"),
    ):
        assert str(mixed) == text


def test_what_of_sympy_does_not_stand_beside_a_tensor():
    v = st.Variable([[1.0, 2.0], [3.0, 4.0]], name="v")
    for matrix in (
        sympy.Matrix([[1, 2], [3, 4]]),
        sympy.ImmutableMatrix([[1, t], [0, 1]]),
        sympy.MatrixSymbol("M", 2, 2),
    ):
        for operation in (lambda a, b: a @ b, lambda a, b: a * b, lambda a, b: a + b):
            with pytest.raises(TypeError, match=r"a sympy \w+ stands beside a tensor of shape \(2, 2\).*st.from_sympy"):
                operation(v, matrix)
    with pytest.raises(TypeError, match=r"the sympy Mul 2\*t stands beside tensors.*st.from_sympy"):
        np.multiply(v, 2 * t)
    with pytest.raises(TypeError, match="the sympy ImaginaryUnit I stands"):
        np.maximum(v, sympy.I)


def test_functions_of_sympy_take_it(xy):
    x, y = xy
    z = x**2 * y
    assert str(sympy.diff(z, x)) == "2*x*y"
    assert str(sympy.diff(z, x, 2, y)) == "2"
    assert str(sympy.integrate(z, x)) == "x**3*y/3"
    assert str(sympy.integrate(z, (x, 0, 1))) == "y/3"
    assert sympy.solve(x + y - 1, x) == [1 - y.expr]
    assert sympy.limit(np.sin(x) / x, x, 0) == 1
    assert str(sympy.factor(x**2 - 1)) == "(x - 1)*(x + 1)"
    assert sympy.lambdify([x.expr, y.expr], z.expr)(3, 2) == 18
    assert sympy.simplify(np.sin(x) ** 2 + np.cos(x) ** 2) == 1


def test_an_expression_substitutes_a_tensor(xy):
    x, y = xy
    expression = (x**2 * y).expr
    assert str(expression.subs(x, 3)) == "9*y"
    assert expression.subs({x: 3, y: 2}) == 18
    assert str(sympy.sin(t).subs(t, x * y)) == "sin(x*y)"


def test_symbols_are_real_and_belong_to_the_leaf(xy):
    x, _ = xy
    (symbol,) = x.free_symbols
    assert symbol.is_real
    assert symbol == x.expr
    assert symbol != st.Variable(3.0, name="x").expr
    assert {s.name for s in (st.Variable([1.0, 2.0], name="v") * x).free_symbols} == {"v[0]", "v[1]", "x"}
    x.assign(5.0)
    assert x.expr == symbol


# ---------------------------------------------------------------------------------------------------------------- subs


def test_subs(xy):
    x, y = xy
    z = x**2 * y
    for found in (z.subs(x=3), z.subs(x, 3), z.subs("x", 3), z.subs({x: 3}), z.subs([(x, 3)]), z.subs({"x": 3})):
        assert str(found) == "9*y"
    assert z.subs(x=2, y=0.5) == 2
    assert str(z.subs(x=y)) == "y**3"
    assert str(z.subs(x, t + 1)) == "y*(t + 1)**2"
    assert str(z.subs({x: y, y: x})) == "x**3"  # one after the other, as in sympy
    assert str(z.subs()) == "x**2*y"
    assert str((x * 2).subs(x=0.1)) == "0.2"


def test_subs_of_arrays():
    v = st.Variable([1.0, 2.0], name="v")
    w = np.sum(v**2)
    assert w.subs(v=[3, 4]) == w.subs(v, np.array([3.0, 4.0])) == w.subs("v", [3, 4]) == 25
    assert w.subs(v, 2) == 8
    assert (v * 2).subs(v=[5, 6]) == sympy.Array([10, 12])
    assert str((v * 2).subs(v, v + 1)) == "[2*v[0] + 2, 2*v[1] + 2]"
    with pytest.raises(ValueError, match="broadcast"):
        w.subs(v=[1, 2, 3])


def test_what_subs_refuses(xy):
    x, y = xy
    z = x * y
    with pytest.raises(ValueError, match="no leaf named 'w'; there are x, y"):
        z.subs(w=1)
    with pytest.raises(TypeError, match="is a text"):
        z.subs(x="y")
    with pytest.raises(TypeError, match="is a text"):
        z.subs(x, "__import__('os')")
    with pytest.raises(TypeError, match="got 3 arguments"):
        z.subs(x, 1, 2)
    twin = st.Variable(1.0, name="x")
    with pytest.raises(st.AmbiguousVariableError, match=r"2 leaves are named 'x'.*subs\(variable, value\)"):
        (x * twin).subs(x=1)
    assert str((x * twin).subs(x_2=5)) == "5*x"
    assert str((x * twin).subs(twin, 5)) == "5*x"


def test_diff(xy):
    x, y = xy
    z = x**3 * y
    assert str(z.diff(x)) == str(z.diff("x")) == "3*x**2*y"
    assert str(z.diff(x, 2)) == str(z.diff((x, 2))) == str(z.diff(x, x)) == "6*x*y"
    assert str(z.diff(x, y)) == "3*x**2"
    v = st.Variable([1.0, 2.0], name="v")
    assert str(np.sum(v**2).diff(v)) == str(np.sum(v**2).diff("v")) == "[2*v[0], 2*v[1]]"
    with pytest.raises(ValueError, match="no leaf named 'q'"):
        z.diff("q")


def test_a_formula_where_a_tensor_is_wanted_names_the_way_onto_the_tape(xy):
    x, y = xy
    with st.GradientTape() as tape:
        formula = sympy.exp(x * y)
    with pytest.raises(TypeError, match=r"the sympy expression exp\(x\*y\), which no tape sees: .*st.from_sympy"):
        tape.gradient(formula, x)
    for minimizer in (st.minimize, st.least_squares):
        with pytest.raises(TypeError, match=r"wanted a callable or a tensor, st.from_sympy\(expression\)"):
            minimizer(formula, x)
