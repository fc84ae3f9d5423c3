"""Arrays as sets: which of equal elements has the gradient, NaN, rows, guards."""

import numpy as np
import pytest

import symtape as st
from tests.ops.against_numpy import agree_as_tensors

TIES = np.array([2.0, 1.0, 2.0, 0.5, 1.0])


def test_the_first_of_equal_elements_has_the_gradient():
    x = st.Variable(TIES)
    with st.GradientTape() as tape:
        values, places = np.unique(x, return_index=True)
        y = np.sum(values * np.array([1.0, 10.0, 100.0]))
    np.testing.assert_array_equal(places.numpy(), [3, 1, 0])
    np.testing.assert_array_equal(tape.gradient(y, x).numpy(), [100.0, 10.0, 0.0, 1.0, 0.0])


@pytest.mark.parametrize(
    "x", [np.zeros(0), np.zeros((2, 0)), np.array([np.nan, 1.0, np.nan]), np.array(3.0), np.array([[0.0, -0.0]])]
)
@pytest.mark.parametrize("equal_nan", [True, False])
def test_of_nothing_of_nan_and_of_one(x, equal_nan):
    agree_as_tensors(np.unique, x, True, True, True, equal_nan=equal_nan)


def test_rows_and_columns():
    x = np.array([[1.0, 2.0, 1.0], [0.0, 5.0, 0.0], [1.0, 2.0, 1.0]])
    for axis in (0, 1, -1):
        agree_as_tensors(np.unique, x, True, False, True, axis=axis)


def test_empty_partners():
    nothing = np.zeros(0)
    for name in ("union1d", "setdiff1d", "setxor1d"):
        agree_as_tensors(getattr(np, name), TIES, nothing)
        agree_as_tensors(getattr(np, name), nothing, TIES)


def test_how_many_are_distinct_is_a_decision():
    f = st.jit(lambda x: np.unique(x, return_counts=True))
    for x in (TIES, TIES + 1, np.arange(5.0), np.zeros(5)):
        for ours, theirs in zip(f(x), np.unique(x, return_counts=True), strict=True):
            np.testing.assert_array_equal(ours, theirs)
    g = st.function([x := st.Variable(TIES)], np.unique(x))
    np.testing.assert_array_equal(g(TIES + 1), [1.5, 2.0, 3.0])
    with pytest.raises(ValueError, match="recorded"):
        g(np.arange(5.0))
