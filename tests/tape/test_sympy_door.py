import numpy as np
import pytest
import sympy

import symtape as st

t, u = sympy.symbols("t u")


def test_from_sympy_records():
    x = st.Variable(0.5, name="x")
    with st.GradientTape() as tape:
        e = st.from_sympy(sympy.sin(t) ** 2, {"t": x})
    assert float(e) == pytest.approx(np.sin(0.5) ** 2)
    assert tape.gradient(e, x).equals("2*sin(x)*cos(x)")


def test_keys_may_be_symbols_and_values_arrays():
    e = st.from_sympy(t * u, {t: 2.0, u: np.arange(3.0)})
    assert e.shape == (3,)
    assert np.array_equal(e.numpy(), [0.0, 2.0, 4.0])


def test_own_symbols_find_their_variable():
    x, v = st.Variable(2.0, name="x"), st.Variable([1.0, 4.0], name="v")
    z = np.sum(v * x)
    with st.GradientTape() as tape:
        again = st.from_sympy(z.expr)
    gx, gv = tape.gradient(again, [x, v])
    assert float(gx) == 5.0
    assert np.array_equal(gv.numpy(), [2.0, 2.0])


def test_a_variable_that_is_gone_is_named():
    expression = st.Variable(2.0, name="gone").expr
    with pytest.raises(ValueError, match="gone"):
        st.from_sympy(expression)


def test_foreign_symbols_become_symbols():
    e = st.from_sympy(t**2 + t)
    assert str(e.expr) == "t**2 + t"
    with pytest.raises(TypeError, match="'t'"):
        float(e)


def test_a_function_without_op_is_named():
    with pytest.raises(st.errors.NoFormulaError, match=r"elliptic_pi, .* it has .*erf"):
        st.from_sympy(sympy.elliptic_pi(t, u))
    with pytest.raises(TypeError):
        st.from_sympy(sympy.Function("f")(t))


def test_a_name_that_does_not_occur_is_named():
    with pytest.raises(ValueError, match="'q'"):
        st.from_sympy(t, {"q": 1.0})
