import numpy as np
import pytest

import symtape as st


def test_the_chosen_branch_has_the_gradient():
    for value, expected, slope in ((4.0, 2.0, 0.25), (-3.0, 9.0, -6.0)):
        x = st.Variable(value)
        with st.GradientTape() as tape:
            y = st.cond(x > 0, np.sqrt, lambda t: t**2, x)
        assert y.item() == expected
        assert tape.gradient(y, x).item() == slope


def test_second_order():
    x = st.Variable(-3.0)
    with st.GradientTape(persistent=True) as tape:
        y = st.cond(x > 0, lambda t: t**3, lambda t: t**2 * x, x)
        first = tape.gradient(y, x)
    assert first.item() == 27.0
    assert tape.gradient(first, x).item() == -18.0


def test_only_the_chosen_branch_is_computed():
    singular = st.Variable(np.zeros((2, 2)))
    y = st.cond(np.sum(singular) > 0, lambda m: np.linalg.inv(m), lambda m: m + 1, singular)
    np.testing.assert_array_equal(y.numpy(), np.ones((2, 2)))


def test_structures_and_what_is_outside():
    x, k = st.Variable(2.0), st.Variable(3.0)
    with st.GradientTape(persistent=True) as tape:
        q = k * k
        found = st.cond(x > 0, lambda p: {"a": p["u"] * q, "b": None}, lambda p: {"a": p["u"] * x, "b": None}, {"u": x})
    assert found["b"] is None
    assert found["a"].item() == 18.0
    assert tape.gradient(found["a"], [x, k, q])[0].item() == 9.0
    assert tape.gradient(found["a"], k).item() == 12.0
    assert tape.gradient(found["a"], q).item() == 2.0


def test_in_transforms():
    def f(x):
        return st.cond(x > 1, lambda t: t**2, lambda t: 3 * t, x)

    assert st.grad(f)(2.0) == 4.0
    assert st.grad(f)(0.5) == 3.0
    np.testing.assert_array_equal(st.vmap(f)(np.array([0.0, 2.0])), [0.0, 4.0])
    np.testing.assert_array_equal(st.vmap(st.grad(f))(np.array([0.0, 2.0])), [3.0, 4.0])
    s = st.symbol("s")
    assert f(s).eval({s: 3.0}) == 9.0


def test_a_plain_truth_value_chooses_at_once():
    assert st.cond(True, lambda x: x, lambda x: 1 / 0, 5.0) == 5.0
    assert st.cond(np.bool_(False), lambda: 1 / 0, lambda: 7) == 7


@pytest.mark.parametrize(
    ("call", "kind", "words"),
    [
        (lambda x: st.cond(x > 0, np.sum, lambda t: t, x), ValueError, r"shape \(2,\), wanted one truth value"),
        (lambda x: st.cond(x[0] > 0, np.sum, lambda t: t, x), ValueError, r"shape \(\) where false_fun returns \(2,\)"),
        (lambda x: st.cond(x[0] > 0, lambda t: (t, t), lambda t: t, x), ValueError, "true_fun returns tuple"),
        (lambda x: st.cond(x[0] > 0, lambda t: t, lambda t: t if t[0] > 0 else -t, x), st.SymbolicTruthError, "where"),
        (lambda x: st.cond(x[0] > 0, lambda t: t, lambda t: t * float(t[0]), x), st.ConcreteValueError, r"st\.cond"),
    ],
)
def test_wrong_use_is_told(call, kind, words):
    with pytest.raises(kind, match=words):
        call(st.Variable([1.0, 2.0]))
