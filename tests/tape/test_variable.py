"""Variables, constants and symbols as leaves: what they take, what assigning does."""

import copy
import math

import numpy as np
import pytest

import symtape as st
from symtape.errors import ConcreteValueError, DTypeError, ShapeError


def test_a_variable_copies_what_it_is_given():
    given = np.array([1.0, 2.0])
    v = st.Variable(given, name="v")
    given[0] = 9.0
    np.testing.assert_array_equal(v.numpy(), [1.0, 2.0])
    v.numpy()[0] = 9.0
    np.testing.assert_array_equal(v.numpy(), [1.0, 2.0])


def test_a_constant_may_take_an_array_over():
    given = np.array([1.0, 2.0])
    c = st.constant(given, copy=False)
    assert np.shares_memory(c.node.value, given)
    with pytest.raises(ValueError, match="read-only"):
        given[0] = 3.0


@pytest.mark.parametrize(
    ("given", "dtype", "expected"),
    [
        (3, None, np.float64),
        (True, None, np.bool_),
        (np.float32(3), None, np.float32),
        (3, np.float32, np.float32),
        (3, int, np.int64),
        ([1, 2], None, np.float64),
        (3.7, np.float32, np.float32),
    ],
)
def test_dtypes(given, dtype, expected):
    assert st.Variable(given, dtype=dtype).dtype == expected
    assert st.constant(given, dtype=dtype).dtype == expected


def test_a_tensor_gives_its_value():
    x = st.Variable([1.0, 2.0])
    v = st.Variable(x * 2)
    w = st.Variable([x[0], 5.0])
    np.testing.assert_array_equal(v.numpy(), [2.0, 4.0])
    np.testing.assert_array_equal(w.numpy(), [1.0, 5.0])
    assert v.node.inputs == ()


@pytest.mark.parametrize("bad", [1j, "three", [None], object()])
def test_what_is_no_real_number_is_refused(bad):
    with pytest.raises(TypeError):
        st.Variable(bad, name="v")


def test_a_ragged_list_is_refused():
    with pytest.raises(ValueError, match="inhomogeneous"):
        st.Variable([[1.0, 2.0], [3.0]])


def test_a_name_in_the_place_of_trainable_is_refused():
    with pytest.raises(TypeError, match="a name goes by keyword"):
        st.Variable(3.0, "x")
    with pytest.raises(TypeError, match="must be a str"):
        st.Variable(3.0, name=3)
    with pytest.raises(TypeError, match="must be a str"):
        st.constant(3.0, name=3)


def test_a_symbol_needs_a_name():
    for bad in (None, "", 3):
        with pytest.raises(TypeError, match="a symbol needs a name"):
            st.symbol(bad)
    assert [t.node.params[1] for t in st.symbols("a, b c")] == ["a", "b", "c"]
    assert st.symbols(["u", "v"], shape=2)[1].shape == (2,)


def test_a_symbol_has_no_number():
    s = st.symbol("s", shape=(2,))
    with pytest.raises(TypeError, match="no value"):
        (s * 2).numpy()
    with pytest.raises(TypeError):
        float(st.symbol("t"))


# ----------------------------------------------------------------------------------------------------------- assigning


def test_assigning_gives_a_new_version():
    v = st.Variable([1.0, 2.0], name="v")
    before = v * 1
    assert v.assign([3.0, 4.0]) is v
    np.testing.assert_array_equal(v.numpy(), [3.0, 4.0])
    np.testing.assert_array_equal(before.numpy(), [1.0, 2.0])
    np.testing.assert_array_equal(v.assign_add([1.0, 1.0]).numpy(), [4.0, 5.0])
    np.testing.assert_array_equal(v.assign_sub(st.constant([1.0, 1.0])).numpy(), [3.0, 4.0])
    np.testing.assert_array_equal(v.assign_add(1.0).numpy(), [4.0, 5.0])


def test_assigning_keeps_shape_and_dtype():
    v = st.Variable([1.0, 2.0], name="v", dtype=np.float32)
    v.assign(np.array([1, 2]))
    v.assign_add(np.float64(0.5))
    assert v.dtype == np.float32
    with pytest.raises(ShapeError, match=r"assign: the variable 'v' has shape \(2,\), got a value of shape \(3,\)"):
        v.assign(np.ones(3))
    with pytest.raises(ShapeError, match="assign_add"):
        v.assign_add(np.ones((2, 2)))
    n = st.Variable(3, dtype=int, name="n")
    with pytest.raises(DTypeError, match="'n' has dtype int64, got a value of dtype float64"):
        n.assign(2.5)
    with pytest.raises(DTypeError):
        v.assign(np.array([1j, 2j]))
    np.testing.assert_array_equal(v.numpy(), np.array([1.5, 2.5], np.float32))


def test_an_overflow_while_assigning_is_silent():
    v = st.Variable(1e308)
    v.assign_add(1e308)
    assert math.isinf(float(v))


def test_assigning_a_tensor_drops_its_graph():
    x, v = st.Variable(3.0), st.Variable(0.0)
    v.assign(x * x)
    x.assign(5.0)
    assert float(v) == 9.0


def test_names_of_tensorflow_for_reading():
    v = st.Variable(3.0)
    with st.GradientTape() as tape:
        y = v.value() * v.read_value()
    assert float(tape.gradient(y, v)) == 6.0


def test_assigning_a_traced_tensor_in_a_recorded_function_is_refused():
    from symtape.tape.record_callable import record

    v = st.Variable(0.0)
    with pytest.raises(ConcreteValueError, match=r"\.assign\(\)"):
        record(lambda x: v.assign(x) * 2, (1.0,), by="st.jit")
    assert float(v) == 0.0


# -------------------------------------------------------------------------------------------------------------- copies


def test_a_copy_is_a_variable_of_its_own():
    x = st.Variable([1.0, 2.0], name="x", trainable=False)
    for other in (copy.copy(x), copy.deepcopy(x)):
        assert isinstance(other, st.Variable)
        assert (other.name, other.trainable, other.dtype) == ("x", False, np.float64)
        assert other.ident != x.ident
        other.assign([5.0, 5.0])
        np.testing.assert_array_equal(x.numpy(), [1.0, 2.0])


def test_what_is_copied_together_stays_connected():
    x = st.Variable(3.0, name="x")
    z = x * x
    both = copy.deepcopy({"x": x, "z": z})
    assert both["x"].ident != x.ident
    assert both["z"].node.inputs == (both["x"].node, both["x"].node)
    assert both["z"].eval({both["x"]: 5.0}) == 25.0
    assert copy.copy(z) is z


def test_truth_values_stay_truth_values():
    mask = st.constant([True, False, True])
    assert mask.dtype == bool
    assert np.array_equal(st.constant([1.0, 2.0, 3.0])[mask].numpy(), [1.0, 3.0])
    assert st.constant([1, 2]).dtype == np.float64
