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


def test_a_notebook_shows_the_formula_or_the_operations(xy):
    x, y = xy
    assert (x / y)._repr_latex_() == r"$\displaystyle \frac{x}{y}$"
    large = st.Variable(np.zeros(2000), name="v") * 2
    assert large._repr_latex_() == "$\\displaystyle \\begin{aligned}\n\\mathrm{result} &= v \\cdot 2\n\\end{aligned}$"
    singular = np.linalg.inv(st.constant([[1.0, 2.0], [2.0, 4.0]]))
    assert r"\operatorname{inv}" in singular.latex()
    assert r"\operatorname{sum}(s)" in np.sum(st.symbol("s", shape=("n",))).latex()


def test_two_variables_of_one_name_are_told_apart_where_both_stand(xy):
    x, _ = xy
    twin = st.Variable(4.0, name="x")
    assert str((x * twin).expr) == "x*x_2"
    assert repr(x * twin) == "<Tensor: shape=(), dtype=float64, value=12.0, formula=x*x_2>"
    assert (x * twin).latex() == "x x_{2}"
    assert str((x * twin).formula()) == "result = x * x_2"
    assert str(twin.expr) == str((twin + 0).expr) == "x"
    assert (x * twin).equals("x*x_2")


def test_versions_of_a_variable_are_told_apart(xy):
    x, _ = xy
    before = x**2
    x.assign(5.0)
    both = before + x
    assert str(both.expr) == "x + x_2**2"
    assert float(both) == 14.0
    assert str(both.expr.subs(x, 5)) == "x**2 + 5"


def test_a_mask_that_is_constant_picks_elements(xy):
    v = st.Variable([1.0, 2.0, 3.0], name="v")
    mask = st.constant([True, False, True], dtype=bool)
    assert str(v[mask].expr) == "[v[0], v[2]]"
    with pytest.raises(st.errors.NoFormulaError, match="floating-point variable"):
        _ = v[v > 1].expr
    assert "formula" not in repr(v[v > 1])


def test_eval_takes_tensors_and_refuses_what_does_not_fit(xy):
    x, y = xy
    assert (x * y).eval({x: st.constant(4.0)}) == 8.0
    assert (x * y).eval() == 6.0
    elsewhere = st.Variable(1.0, name="z")
    assert (x * y).eval({x: 1.0, elsewhere: 2.0}) == 2.0
    v = st.Variable([1.0, 2.0], name="v")
    assert np.array_equal((v * x).eval({v: [3, 4], "x": 2}), [6.0, 8.0])
    assert np.array_equal(v.numpy(), [1.0, 2.0])
    n = st.constant(3, dtype=int, name="n")
    with pytest.raises(TypeError, match="float64, wanted int64"):
        (n * 2).eval({n: 0.5})


def test_equals_compares_arrays_with_texts_and_lists():
    v = st.Variable([1.0, 2.0], name="v")
    assert (v * 2).equals("2*v")
    assert np.sum(v**2).equals("v[0]**2 + v[1]**2")
    found = (v * 2).equals([2.0, 4.0])
    assert found == False  # noqa: E712
    assert found.counterexample["at"] == (0,)
    assert (v > 0).equals(v >= 0) == False  # noqa: E712


def test_a_long_formula_is_not_in_the_text(xy):
    x, y = xy
    z = sum((np.sin(k * x) * y for k in range(1, 12)), start=x)
    assert "formula" not in repr(z)
    assert repr(z).startswith("<Tensor: shape=(), dtype=float64, value=")


def test_unknown_lengths_have_no_elements():
    s = st.symbol("s", shape=("n",))
    with pytest.raises(TypeError, match="the length n in a shape has no number yet"):
        _ = s.expr
