"""What people type by habit from other packages ends in an error that says what it is here."""

import re

import numpy as np
import pytest

import symtape as st
from symtape.tape.foreign_names import IN_PACKAGE, IN_TENSOR


@pytest.mark.parametrize("name", sorted(IN_PACKAGE))
def test_a_name_of_another_package_says_what_it_is_here(name):
    with pytest.raises(AttributeError, match=f"module 'symtape' has no attribute '{name}'; here it is ") as caught:
        getattr(st, name)
    assert "{name}" not in str(caught.value)


@pytest.mark.parametrize("name", sorted(IN_TENSOR))
def test_a_name_of_other_tensors_says_what_it_is_here(name):
    x = st.Variable(3.0, name="x")
    with pytest.raises(AttributeError, match=f"'Tensor' object has no attribute '{name}'; here it is ") as caught:
        getattr(x + 1, name)
    assert (caught.value.name, "{name}" in str(caught.value)) == (name, False)
    assert not hasattr(x + 1, name)


def test_what_they_name_exists():
    x = st.Variable(3.0, name="x")
    with st.GradientTape() as tape:
        pass
    homes = {"st": st, "np": np, "x": x, "tape": tape}
    for text in (*IN_PACKAGE.values(), *IN_TENSOR.values()):
        for home, path in re.findall(r"\b(st|np|x|tape)\.((?:\w+\.)*\w+)", text):
            found = homes[home]
            for part in path.split("."):
                if part == "expr":
                    break
                found = getattr(found, part)


@pytest.mark.parametrize(
    ("name", "there"), [("erf", "special"), ("gammaln", "special"), ("expm", "linalg"), ("expon", "stats")]
)
def test_functions_of_scipy_stand_in_a_package(name, there):
    with pytest.raises(AttributeError, match=f"no attribute '{name}'; write st.{there}.{name}$"):
        getattr(st, name)


def test_an_unknown_name_is_an_ordinary_error():
    x = st.Variable(3.0)
    with pytest.raises(AttributeError, match=r"^'Variable' object has no attribute 'nonsense'$"):
        x.nonsense
    assert getattr(x, "nonsense", None) is None


def test_tensors_where_functions_are_wanted():
    x = st.Variable(3.0)
    for transform, remedy in (
        (st.grad, r"st.grad takes a function, .* tape.gradient\(y, x\)"),
        (st.hvp, r"tape.gradient\(y, x\)"),
        (st.jacrev, r"tape.jacobian\(y, x\)"),
        (st.hessian, r"tape.hessian\(y, x\)"),
        (st.jit, r"st.function\(\[x\], y\) compiles tensors"),
        (st.vmap, "tensors have all of NumPy's axes"),
    ):
        with pytest.raises(TypeError, match=remedy):
            transform(x**2)


def test_what_is_made_otherwise():
    with pytest.raises(TypeError, match=r"start from st.Variable, st.constant or st.symbol"):
        st.Tensor(3.0)
    x = st.Variable([3.0, 4.0])
    with pytest.raises(TypeError, match=r"write x = x.at\[index\].set\(value\)"):
        x.at[0] = 1.0
