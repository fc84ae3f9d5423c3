"""The public names, pinned: a change here is a change of the interface and wants a line in the changelog."""

import functools
import importlib

import numpy as np
import pytest

import symtape as st

NAMES = (
    *("GradientTape", "Tensor", "Variable", "constant", "symbol", "symbols", "custom_gradient", "stop_gradient"),
    *("custom_jvp", "custom_vjp", "register_elementwise", "black_box"),
    *("special", "linalg", "stats", "where", "stack", "cond", "zeros", "full"),
    *("from_sympy", "function", "jit", "save", "load"),
    *("grad", "value_and_grad", "jacobian", "jacfwd", "jacrev", "hessian", "jvp", "vjp", "hvp", "vmap"),
    *("Problem", "between", "curve_fit", "least_squares", "minimize"),
    *("AmbiguousVariableError", "AssumptionViolated", "ConcreteValueError", "FormulaTooLargeError"),
    *("GradientCutWarning", "ImpureFunctionError", "SymbolicTruthError", "errors"),
    *("check_gradients", "show_versions", "__version__"),
)


def test_the_public_names_are_these():
    assert sorted(st.__all__) == sorted(NAMES)
    assert dir(st) == sorted(st.__all__)


@pytest.mark.parametrize("name", NAMES)
def test_each_name_loads_and_keeps_its_meaning(name):
    first = getattr(st, name)
    assert first is not None
    assert getattr(st, name) is first, "a module loaded meanwhile must not take the name"
    home = getattr(first, "__module__", None)
    if home is not None and home.startswith("symtape"):
        importlib.import_module(home)
        assert getattr(st, name) is first


def test_star_import_gives_the_public_names():
    space = {}
    exec("from symtape import *", space)
    assert set(NAMES) <= space.keys()


@pytest.mark.parametrize(
    ("name", "spelling"),
    [("sin", "np.sin"), ("matmul", "np.matmul"), ("reduce_sum", "np.sum"), ("norm", "np.linalg.norm")],
)
def test_a_name_of_another_package_leads_to_numpys(name, spelling):
    with pytest.raises(AttributeError, match=rf"no attribute '{name}'.*write {spelling}$"):
        getattr(st, name)


def test_every_spelling_named_exists():
    for spelling in st._NUMPY_SPELLING.values():
        assert functools.reduce(getattr, spelling.split("."), np)


def test_a_name_that_is_not_there_is_an_attribute_error_with_a_hint():
    with pytest.raises(AttributeError, match=r"no attribute 'minimise'.*did you mean.*minimize"):
        _ = st.minimise
    assert not hasattr(st, "_repr_html_")


def test_every_public_thing_has_a_docstring_with_an_example():
    lacking = []
    for name in NAMES:
        thing = getattr(st, name)
        if name.startswith("__") or name == "errors" or (isinstance(thing, type) and issubclass(thing, Exception)):
            continue
        if ">>>" not in (thing.__doc__ or ""):
            lacking.append(name)
    assert lacking == []
