import numpy as np
import pytest
import sympy

import symtape as st


@pytest.fixture
def xy():
    return st.Variable(3.0, name="x"), st.Variable(2.0, name="y")


def test_the_lesson_in_formulas(xy):
    x, y = xy
    with st.GradientTape() as tape:
        z = x**2 * y + np.sin(y)
    dz_dx, dz_dy = tape.gradient(z, [x, y])
    assert float(dz_dx) == 12.0
    assert str(dz_dx.expr) == "2*x*y"
    assert dz_dy.equals("x**2 + cos(y)")
    assert dz_dx.latex() == "2 x y"
    assert dz_dx.eval({x: 1.0, y: 5.0}) == 10.0
    assert sympy.latex(dz_dx) == "2 x y"
    assert sympy.simplify(dz_dy) == dz_dy.expr


def test_in_terms_of(xy):
    x, _ = xy
    k = st.Variable(2.0, trainable=False, name="k")
    with st.GradientTape(persistent=True) as tape:
        q = np.exp(x**2)
        w = np.log(q) + k * q
    assert str(tape.gradient(w, q).in_terms_of(q=q)) == "k + 1/q"


def test_equals_takes_text_tensor_expression_number(xy):
    x, y = xy
    z = x * y + x
    assert z.equals(x * (y + 1))
    assert z.equals(z.expr)
    assert (x - x + 2).equals(2)
    different = z.equals("x*y")
    assert not different
    assert set(different.counterexample) == {"x", "y", "left", "right"}
    with pytest.raises(ValueError, match=r"\*\*"):
        z.equals("x^2")
    with pytest.raises(ValueError, match="zz"):
        z.equals("zz + x")


def test_equals_with_two_variables_of_one_name():
    a, b = st.Variable(1.0, name="x"), st.Variable(2.0, name="x")
    with pytest.raises(st.AmbiguousVariableError, match="'x'"):
        (a * b).equals("x**2")
    assert not (a * b).equals(a * a)


def test_eval_by_name_symbol_and_inner_tensor(xy):
    x, y = xy
    q = x * y
    z = q + y
    assert z.eval({"x": 1.0}) == 4.0
    assert z.eval({q: 10.0}) == 12.0
    (symbol,) = x.expr.free_symbols
    assert z.eval({symbol: 0.0}) == 2.0
    with pytest.raises(ValueError, match="nothere"):
        z.eval({"nothere": 1.0})
    with pytest.raises(ValueError, match="shape"):
        z.eval({x: [1.0, 2.0]})
    s = st.symbol("s")
    assert (s * x).eval({s: 2.0}) == 6.0
    with pytest.raises(TypeError, match="'s'"):
        (s * x).eval({x: 1.0})


def test_array_formula():
    v = st.Variable([1.0, 2.0], name="v")
    A = st.constant([[1.0, 2.0], [3.0, 4.0]])
    expression = (A @ v).expr
    assert isinstance(expression, sympy.NDimArray)
    assert [str(e) for e in expression] == ["v[0] + 2*v[1]", "3*v[0] + 4*v[1]"]
    assert str(np.sum(v * v).expr) == "v[0]**2 + v[1]**2"
    assert (v * 2).equals(v + v)
    assert not (v * 2).equals(np.sum(v))


def test_too_large_names_the_form_that_has_no_limit(xy):
    x, y = xy
    z = x
    for _ in range(200):
        z = np.sin(z) + y
    with pytest.raises(st.FormulaTooLargeError, match="named"):
        _ = z.expr
    assert len(z.formula("named").lines) == 400
    assert z.latex().startswith(r"\begin{aligned}")
    assert "formula" not in repr(z)


def test_deep_sharing_is_counted_as_a_tree(xy):
    x, _ = xy
    z = x
    for _ in range(40):
        z = z * z + 1
    with pytest.raises(st.FormulaTooLargeError):
        _ = z.expr


def test_named_form(xy):
    x, y = xy
    z = x**2 * y + np.sin(y)
    form = z.formula("named")
    assert str(form) == "t0 = x ** 2\nt1 = t0 * y\nt2 = sin(y)\nresult = t1 + t2"
    assert form.where == {"x": "scalar, float64", "y": "scalar, float64"}
    with pytest.raises(TypeError, match="'named'"):
        z.formula("matrix")


def test_repr_shows_name_shape_dtype_value_formula(xy):
    x, y = xy
    assert repr(x) == "<Variable x: shape=(), dtype=float64, value=3.0>"
    assert repr(x * y) == "<Tensor: shape=(), dtype=float64, value=6.0, formula=x*y>"
    s = st.symbol("s", shape=(3,))
    assert repr(s) == "<Tensor s: shape=(3,), dtype=float64>"
    assert "value=[" in repr(st.constant(np.zeros(3)))


def test_repr_of_a_value_that_cannot_be_had():
    singular = st.constant([[1.0, 2.0], [2.0, 4.0]])
    assert "SingularMatrixError" in repr(np.linalg.inv(singular))


def test_printers_of_sympy(xy):
    x, y = xy
    z = x / y
    assert sympy.pretty(z) == sympy.pretty(z.expr)
    assert sympy.sstr(z) == "x/y"
    assert sympy.mathml(z) == sympy.mathml(z.expr)
    assert z._repr_latex_() == r"$\displaystyle \frac{x}{y}$"
    assert sympy.sympify(z) == z.expr


def test_subs_and_diff(xy):
    x, y = xy
    z = x**2 * y
    assert str(z.subs(x=3)) == "9*y"
    assert str(z.subs({x: 3})) == "9*y"
    assert str(z.expr.subs(x, 3)) == "9*y"
    assert str(z.diff(x)) == "2*x*y"
    assert {s.name for s in z.free_symbols} == {"x", "y"}
    with pytest.raises(ValueError, match="no leaf named 'w'"):
        z.subs(w=1)


def test_unknown_lengths_have_no_elements():
    s = st.symbol("s", shape=("n",))
    with pytest.raises(TypeError, match="shape"):
        _ = s.expr
