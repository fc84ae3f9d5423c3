"""Writing into arrays: tensors that may be filled, what is read through their slices, and what is refused."""

import copy

import numpy as np
import pytest
import scipy.optimize

import symtape as st

X = np.array([1.3, 0.7, 0.8, 1.9, 1.2])


def rosen_der(x):
    """As it is printed in SciPy's documentation."""
    xm = x[1:-1]
    xm_m1 = x[:-2]
    xm_p1 = x[2:]
    der = np.zeros_like(x)
    der[1:-1] = 200 * (xm - xm_m1**2) - 400 * (xm_p1 - xm**2) * xm - 2 * (1 - xm)
    der[0] = -400 * x[0] * (x[1] - x[0] ** 2) - 2 * (1 - x[0])
    der[-1] = 200 * (x[-1] - x[-2] ** 2)
    return der


def test_rosen_der_records():
    x = st.Variable(X, name="x")
    with st.GradientTape() as tape:
        der = rosen_der(x)
    np.testing.assert_allclose(der.numpy(), scipy.optimize.rosen_der(X))
    np.testing.assert_allclose(tape.jacobian(der, x).numpy(), scipy.optimize.rosen_hess(X), rtol=1e-12, atol=1e-10)
    np.testing.assert_allclose(st.jacobian(rosen_der)(X), scipy.optimize.rosen_hess(X), rtol=1e-12, atol=1e-10)
    np.testing.assert_allclose(st.jit(rosen_der)(X), scipy.optimize.rosen_der(X))
    stack = np.stack([X, X[::-1]])
    np.testing.assert_allclose(st.vmap(rosen_der)(stack), [scipy.optimize.rosen_der(v) for v in stack])


def both(f, *arrays):
    """The function of tensors gives what it gives of arrays, and its derivative is right."""
    expected = f(*[a.copy() for a in arrays])
    np.testing.assert_allclose(f(*[st.constant(a) for a in arrays]).numpy(), expected, rtol=1e-14, atol=1e-14)
    st.check_gradients(f, *arrays, order=2, rtol=1e-7)


def operators(x):
    y = x.copy()
    y += x[0]
    y *= 2.0
    y -= 1
    y /= 3
    y **= 2
    y[1:] += x[:-1]
    y[::2] *= x[1]
    return y


def recursion(x):
    y = np.empty_like(x)
    y[0] = x[0]
    for k in range(1, len(x)):
        y[k] = np.sin(y[k - 1]) + x[k]
    return y


def rows(x):
    y = np.zeros_like(x, shape=(3, 5))
    y[0] = x
    y[1] = y[0] * 2 + x[0]
    y[2, 1:3] = y[1, 2:4]
    return y


def aliases(x):
    y = np.zeros_like(x)
    z, part, turned = y, y[1:], y.reshape(5, 1).T
    y[2] = x[0] ** 2
    part += 1.0
    return z + np.sum(part) + turned


def through_functions(x):
    y = np.full_like(x, 2.0)
    np.multiply(x, x, out=y)
    np.add.at(y, [0, 0, 3], x[:3])
    np.copyto(y, 7.0, where=np.array([False, False, False, False, True]))
    np.put(y, [1], x[4])
    np.putmask(y, np.array([False, True, True, False, False]), y * 3)
    m = np.zeros_like(x, shape=(5, 5))
    np.fill_diagonal(m, x)
    np.put_along_axis(m, np.array([[1], [2], [0], [4], [3]]), y[:, None], 1)
    np.place(m, np.eye(5) > 0, [1.0, 2.0])
    m.sort(axis=1)
    return m * x


def growing(x):
    total = 0.0
    y = x * 2
    for k in range(3):
        total += x[k] ** 2
        y += total
    return y


def iterated(x):
    y = np.zeros_like(x, shape=(3, 5))
    y[0] = x
    for k, row in enumerate(y):
        if k < 2:
            y[k + 1] = row * x
    return y


@pytest.mark.parametrize("f", [operators, recursion, rows, aliases, through_functions, growing, iterated])
def test_as_numpy(f):
    both(f, X)


def test_made_by_request():
    x = st.Variable(3.0)
    with st.GradientTape() as tape:
        t = st.zeros((2, 2))
        t[0, 1] = x**2
        u = st.full(2, x)
        u[0] *= 2
        y = np.sum(t) + np.sum(u)
    assert t.numpy().tolist() == [[0.0, 9.0], [0.0, 0.0]]
    assert u.numpy().tolist() == [6.0, 3.0]
    assert float(tape.gradient(y, x)) == 9.0
    assert st.zeros(3, dtype=int).dtype == np.int64


def test_what_was_computed_before_keeps_its_elements():
    x = st.Variable(X)
    y = x.copy()
    z = y * 2
    y.fill(1.0)
    np.testing.assert_array_equal(z.numpy(), 2 * X)
    np.testing.assert_array_equal(x.numpy(), X)
    np.testing.assert_array_equal(y.numpy(), np.ones(5))


def test_copies_part_ways():
    y = st.zeros(2)
    z, deep = copy.copy(y), copy.deepcopy(y)
    y[0] = 1.0
    assert z.numpy()[0] == deep.numpy()[0] == 0.0


@pytest.mark.parametrize(
    "part", [lambda x: x[1:], lambda x: x.T, lambda x: x.reshape(5, 1), lambda x: x.ravel(), lambda x: x[None]]
)
@pytest.mark.parametrize("make", [st.Variable, lambda x: st.constant(x) * 1.0, lambda x: np.zeros_like(st.constant(x))])
def test_parts_are_not_written_into(part, make):
    with pytest.raises(TypeError, match="in place"):
        part(make(X))[0] = 1.0


@pytest.mark.parametrize(
    "part",
    [
        lambda x: x[1:],
        lambda x: x.T,
        lambda x: x.reshape(5, 1),
        lambda x: np.ravel(x),
        lambda x: np.split(x, 5)[0],
        lambda x: np.swapaxes(x.reshape(5, 1), 0, 1),
    ],
)
@pytest.mark.parametrize("make", [st.Variable, lambda x: st.constant(x) * 1.0])
def test_in_place_operators_refuse_parts(part, make):
    v = part(make(X))
    with pytest.raises(TypeError, match=r"write x = x \+ y"):
        v += 1
    with pytest.raises(TypeError, match=r"write x = x \* y"):
        v *= 2


def test_in_place_operators_leave_sources_alone():
    x = st.constant(X) * 1.0
    assert x.real is not None
    x += 1  # it is no part of anything
    np.testing.assert_array_equal(x.numpy(), X + 1)


def test_transposes_of_a_fillable_tensor_refuse_in_place_operators():
    y = st.zeros((2, 3))
    turned = y.T
    with pytest.raises(TypeError, match="by its own indices"):
        turned += 1


def test_results_must_fit():
    y = st.zeros(3, dtype=int)
    with pytest.raises(TypeError, match="cannot cast"):
        y += 0.5
    z = st.zeros(3)
    with pytest.raises(ValueError, match="non-broadcastable"):
        z += np.ones((2, 3))
    with pytest.raises(IndexError):
        z[3] = 1.0


def test_other_tensors_say_what_may_be_filled():
    x = st.Variable(X)
    with pytest.raises(TypeError, match="zeros_like"):
        x[0] = 1.0
    with pytest.raises(TypeError, match="zeros_like"):
        st.constant(X)[0] = 1.0


def test_ufuncs_write_into_what_was_made_fresh_whoever_is_asked_first():
    v = st.Variable([2.0, -1.0, 4.0])
    with st.GradientTape() as tape:
        q = np.zeros_like(v)
        same = np.divide(1.0, v, out=q, where=v > 0)
        whole, rest = np.divmod(v, 3.0, out=(None, np.zeros_like(v)))
        total = np.sum(v, out=np.zeros_like(v[0]))
    assert same is q
    np.testing.assert_array_equal(q.numpy(), [0.5, 0.0, 0.25])
    np.testing.assert_array_equal(tape.gradient([q, rest, total], v).numpy(), [-0.25 + 2, 2, -1 / 16 + 2])
    np.testing.assert_array_equal(whole.numpy(), [0, -1, 1])


def test_results_that_do_not_fit_are_not_written():
    v = st.Variable([2.0, -1.0])
    with pytest.raises(ValueError, match="non-broadcastable output operand"):
        np.add(v, np.ones((3, 1)), out=np.zeros_like(v))
    with pytest.raises(TypeError, match="cannot cast the result"):
        np.sin(v, out=np.zeros_like(v, dtype=int))
    with pytest.raises(TypeError, match=r"out=\.\.\., where=mask\).*np\.where\(mask, np\.add"):
        np.add(v, 1.0, out=np.zeros(2), where=[True, False])
    with pytest.raises(TypeError, match=r"np\.add\(where=\.\.\.\)"):
        np.add(v, 1.0, where=[True, False])


def test_flat_is_read_and_written_by_index():
    v = st.Variable([[1.0, 2.0], [3.0, 4.0]])
    with st.GradientTape() as tape:
        t = v.copy()
        t.flat[[0, 3]] = t.flat[1] ** 2
        t.flat[2:3] = 7.0
    np.testing.assert_array_equal(t.numpy(), [[4.0, 2.0], [7.0, 4.0]])
    np.testing.assert_array_equal(tape.gradient(t, v).numpy(), [[0.0, 9.0], [0.0, 0.0]])
    assert [float(x) for x in t.flat] == [4.0, 2.0, 7.0, 4.0]
    assert next(v.flat).item() == 1.0
    with pytest.raises(TypeError, match="cannot be changed in place"):
        v.flat[0] = 1.0


@pytest.mark.parametrize(
    "change", [lambda x: x.partition(1), lambda x: x.put([0], 1.0), lambda x: x.resize(4), lambda x: x.view()]
)
def test_methods_that_write_are_refused_with_a_remedy(change):
    with pytest.raises(TypeError, match=r"a tensor .*; (write )?(np\.|x\.)"):
        change(st.Variable([3.0, 1.0]))


def test_methods_that_write_into_what_was_made_fresh():
    v = st.Variable([3.0, 1.0, 2.0])
    with st.GradientTape() as tape:
        t = v.copy()
        t.partition(0)
        t.put([2], 5 * v[0])
        first = t[0]
    np.testing.assert_array_equal(t.numpy(), [1.0, *np.partition(v.numpy(), 0)[1:2], 15.0])
    assert tape.gradient(first, v).numpy().tolist() == [0.0, 1.0, 0.0]
