"""Every public name of scipy.special, with a tensor in each place: recorded, or refused; nothing is cut in silence."""

import inspect
import warnings

import numpy as np
import pytest
import scipy.special

import symtape as st
from symtape.errors import NotDifferentiableError
from symtape.ops.registry import functions

#: Argument numbers that are in the domain of each; elsewhere 0.3, 0.4, ...
NUMBERS = {
    "expn": (2, 0.3),
    "yn": (2, 0.3),
    "kn": (2, 0.3),
    "ndtri_exp": (-0.7,),
    "binom": (4.5, 1.3),
    "eval_sh_jacobi": (2, 1.5, 1.2, 0.3),
}
#: Places that are of whole numbers: what stands there has no slope.
WHOLE = {
    "expn": {0},
    "pdtr": {0},
    "pdtrc": {0},
    "round": {0},
    "gammasgn": {0},
    "eval_hermite": {0},
    "eval_hermitenorm": {0},
}
NAMES = [n for n in dir(scipy.special) if not n.startswith("_") and callable(getattr(scipy.special, n))]
UFUNCS = [n for n in NAMES if isinstance(getattr(scipy.special, n), np.ufunc)]
OTHERS = [n for n in NAMES if n not in UFUNCS and not isinstance(getattr(scipy.special, n), type) and n != "test"]
RECORDED = {n.removeprefix("scipy.special.") for e in functions().values() for n in e.implements}


def numbers(name, count):
    if name.startswith("eval_") and name not in NUMBERS:
        return (2, *[0.3 + 0.1 * k for k in range(count - 1)])
    return NUMBERS.get(name, tuple(0.3 + 0.1 * k for k in range(count)))


@pytest.mark.parametrize("name", [n for n in UFUNCS if n in RECORDED])
def test_a_ufunc_that_is_recorded_has_scipys_value_and_a_slope_or_says_why_not(name):
    ufunc = getattr(scipy.special, name)
    given = numbers(name, ufunc.nin)
    with np.errstate(all="ignore"):
        expected = ufunc(*given)
    assert hasattr(st.special, name)
    for place in range(ufunc.nin):
        if isinstance(given[place], int):
            continue
        x = st.Variable(given[place])
        with np.errstate(all="ignore"), st.GradientTape(persistent=True) as tape:
            found = ufunc(*given[:place], x, *given[place + 1 :])
        several = found if isinstance(found, tuple) else (found,)
        np.testing.assert_allclose(
            [f.numpy() for f in several], np.ravel(expected), rtol=4e-16 if name in functions() else 1e-14
        )
        try:
            slope = tape.gradient(several[0], x)
        except NotDifferentiableError:
            with pytest.raises(NotDifferentiableError, match=r"the derivative of .* has no closed form.*stop_gradient"):
                tape.gradient(several[0], x)
            continue
        assert (slope is None) == (place in WHOLE.get(name, ())), f"argument {place}"


@pytest.mark.parametrize("name", [n for n in UFUNCS if n not in RECORDED])
def test_a_ufunc_that_is_not_recorded_is_refused_by_name(name):
    ufunc = getattr(scipy.special, name)
    for place in range(ufunc.nin):
        given = [0.3 + 0.1 * k for k in range(ufunc.nin)]
        given[place] = st.Variable(given[place])
        with pytest.raises(
            TypeError, match=rf"{name} cannot be recorded on a tensor.*{__name__.rpartition('.')[2]}.*write"
        ):
            ufunc(*given)
    assert not hasattr(st.special, name)


def required(function):
    kinds = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    parameters = inspect.signature(function).parameters.values()
    return sum(p.default is p.empty and p.kind in kinds for p in parameters)


def is_recorded(value):
    parts = value if isinstance(value, (tuple, list)) else [value]
    return any(isinstance(p, st.Tensor) or getattr(getattr(p, "dtype", None), "kind", "") == "O" for p in parts)


@pytest.mark.parametrize("name", [n for n in OTHERS if n not in ("geterr", "seterr", "errstate")])
def test_a_function_in_python_records_or_says_so(name):
    """Through its ufuncs; an error, a warning, or a tensor comes back, never a number without a word."""
    function = getattr(scipy.special, name)
    count = required(function)
    for place in range(count):
        given: list = [2] * (count - 1) + [0.3]
        given[place] = st.Variable(0.3)
        with warnings.catch_warnings(record=True) as caught, np.errstate(all="ignore"), st.GradientTape():
            warnings.simplefilter("always")
            try:
                found = function(*given)
            except (TypeError, ValueError, ArithmeticError, LookupError, AttributeError):
                continue
        said = [w for w in caught if type(w.message).__module__.startswith("symtape")]
        assert is_recorded(found) or said, f"argument {place} of {name} gave {found!r}"


def test_most_ufuncs_that_have_a_slope_in_closed_form_are_recorded():
    assert len(RECORDED & set(UFUNCS)) > 105


COMPOSED = [
    ("radian", (10.0, 20.0, 30.0)),
    ("powm1", (1.0000001, 3.0)),
    ("powm1", (-2.0, 3.0)),
    ("chdtr", (3.0, 2.0)),
    ("chdtrc", (3.0, 2.0)),
    ("gdtr", (2.0, 3.0, 0.5)),
    ("gdtrc", (2.0, 3.0, 0.5)),
    ("pdtr", (3.7, 2.0)),
    ("pdtrc", (3.7, 2.0)),
    ("fdtr", (3.0, 5.0, 0.7)),
    ("fdtrc", (3.0, 5.0, 0.7)),
    ("eval_chebyc", (3, 0.4)),
    ("eval_chebys", (3, 0.4)),
    ("eval_sh_jacobi", (3, 2.0, 1.5, 0.4)),
    ("comb", (10.0, 3.0)),
    ("comb", (10.0, 11.0)),
    ("perm", (10.0, 3.0)),
    ("perm", (3.0, 4.0)),
    ("multigammaln", (4.5, 3)),
    ("jve", (1.5, 0.7)),
    ("yve", (1.5, 0.7)),
    ("round", (2.5,)),
]


@pytest.mark.parametrize(("name", "given"), COMPOSED)
def test_functions_made_of_others(name, given):
    assert getattr(st.special, name)(*given) == pytest.approx(getattr(scipy.special, name)(*given), rel=1e-14)


def test_numbers_of_combinations_with_repetition():
    assert st.special.comb(5.0, 3.0, repetition=True) == scipy.special.comb(5, 3, repetition=True)
    with pytest.raises(TypeError, match="exact"):
        st.special.comb(5.0, 3.0, exact=True)
    with pytest.raises(ValueError, match="positive integer"):
        st.special.multigammaln(4.5, 0)
