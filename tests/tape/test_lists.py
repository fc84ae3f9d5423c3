import numpy as np
import pytest
import scipy.special

import symtape as st
from symtape.tape.everyday import ELEMENT_LIMIT
from symtape.tape.tensor import lift


@pytest.fixture
def xy():
    return st.Variable(3.0, name="x"), st.Variable(2.0, name="y")


def slopes(build, x, y):
    """Value and both partial derivatives of a scalar built under a tape."""
    with st.GradientTape() as tape:
        z = lift(build(x, y))
    dx, dy = tape.gradient(z, [x, y])
    return [None if d is None else d.item() for d in (z, dx, dy)]


def total(*arrays):
    return np.sum(lift(arrays[0]))


LISTS = {
    "array": (lambda x, y: np.sum(np.array([x, y * y])), (7.0, 1.0, 4.0)),
    "nested array": (lambda x, y: np.sum(np.array([[x, 1.0], [2.0, y]]) * 2), (16.0, 2.0, 2.0)),
    "array of mixed parts": (lambda x, y: np.sum(np.array([x, 1, np.float64(2.0), y * y])), (10.0, 1.0, 4.0)),
    "sum": (lambda x, y: np.sum([x, y * y]), (7.0, 1.0, 4.0)),
    "builtin sum": (lambda x, y: sum([x, y * y]), (7.0, 1.0, 4.0)),
    "max": (lambda x, y: np.max([x, y * y]), (4.0, None, 4.0)),
    "min": (lambda x, y: np.min([x, y * y]), (3.0, 1.0, None)),
    "builtin max": (lambda x, y: max([x, y]), (3.0, 1.0, None)),
    "mean": (lambda x, y: np.mean([x, y]), (2.5, 0.5, 0.5)),
    "var": (lambda x, y: np.var([x, y]), (0.25, 0.5, -0.5)),
    "std": (lambda x, y: np.std([x, y]), (0.5, 0.5, -0.5)),
    "mean of columns": (lambda x, y: total(np.mean([[x, y], [y, 1.0]], axis=0)), (4.0, 0.5, 1.0)),
    "prod": (lambda x, y: np.prod([x, y, 2.0]), (12.0, 4.0, 6.0)),
    "norm": (lambda x, y: np.linalg.norm([x, y]), (13**0.5, 3 / 13**0.5, 2 / 13**0.5)),
    "dot": (lambda x, y: np.dot([x, y], [y, x]), (12.0, 4.0, 6.0)),
    "dot of an array": (lambda x, y: np.dot(np.array([x, y]), np.array([1.0, 2.0])), (7.0, 1.0, 2.0)),
    "matmul": (lambda x, y: np.sum(np.ones((3, 2)) @ np.array([x, y])), (15.0, 3.0, 3.0)),
    "diag": (lambda x, y: np.sum(lift(np.diag([x, y])) * [[1.0, 5.0], [5.0, 10.0]]), (23.0, 1.0, 10.0)),
    "concatenate": (lambda x, y: total(np.concatenate([[x], [y, 1.0]])), (6.0, 1.0, 1.0)),
    "stack": (lambda x, y: total(np.stack([x, y])), (5.0, 1.0, 1.0)),
    "hstack": (lambda x, y: total(np.hstack([x, y])), (5.0, 1.0, 1.0)),
    "block": (lambda x, y: total(np.block([[x, 1.0], [2.0, y]])), (8.0, 1.0, 1.0)),
    "outer": (lambda x, y: total(np.outer([x, y], [1.0, 2.0])), (15.0, 3.0, 3.0)),
    "einsum": (lambda x, y: np.einsum("i,i", np.array([x, y]), np.array([1.0, 2.0])), (7.0, 1.0, 2.0)),
    "cumsum": (lambda x, y: total(np.cumsum([x, y])), (8.0, 2.0, 1.0)),
    "cross": (lambda x, y: total(np.cross([x, 0.0, 0.0], [0.0, y, 0.0])), (6.0, 2.0, 3.0)),
    "exp": (lambda x, y: total(np.exp([x * 0, y * 0])), (2.0, 0.0, 0.0)),
    "sqrt of an object array": (lambda x, y: total(np.sqrt(np.array([x * 3, y * 2]))), (5.0, 0.5, 0.5)),
    "hypot": (lambda x, y: total(np.hypot([x, y], [4.0, 0.0])), (7.0, 0.6, 1.0)),
    "arctan2": (lambda x, y: total(np.arctan2([x], [y])), (np.arctan2(3, 2), 2 / 13, -3 / 13)),
    "maximum": (lambda x, y: total(np.maximum([x, y], 2.5)), (5.5, 1.0, None)),
    "abs": (lambda x, y: total(np.abs([-x, y])), (5.0, 1.0, 1.0)),
    "power": (lambda x, y: total(np.power([x, y], 2)), (13.0, 6.0, 4.0)),
    "comparison": (lambda x, y: np.sum(np.where(lift(np.array([x, y]) > 2.5), lift([x, y]), 0.0)), (3.0, 1.0, 0.0)),
    "clip": (lambda x, y: total(np.clip([x, y], 0.0, 2.5)), (4.5, None, 1.0)),
    "sort": (lambda x, y: np.sort([x, y])[0], (2.0, None, 1.0)),
    "trapezoid": (lambda x, y: np.trapezoid([x, y]), (2.5, 0.5, 0.5)),
    "st.stack": (lambda x, y: np.sum(st.stack([x, y])), (5.0, 1.0, 1.0)),
    "st.where": (lambda x, y: np.sum(st.where([True, False], [x, 0.0], [0.0, y])), (5.0, 1.0, 1.0)),
    "st.linalg.norm": (lambda x, y: st.linalg.norm([x, y]), (13**0.5, 3 / 13**0.5, 2 / 13**0.5)),
    "st.linalg.solve": (lambda x, y: np.sum(st.linalg.solve([[x, 0.0], [0.0, y]], [6.0, 4.0])), (4.0, -2 / 3, -1.0)),
    "list beside a tensor": (lambda x, y: np.sum(x * [1.0, y]), (9.0, 3.0, 3.0)),
    "vectors": (lambda x, y: np.sum(lift([lift([x, y]), lift([y, x])]) ** 2), (26.0, 12.0, 8.0)),
}


@pytest.mark.parametrize(("build", "expected"), LISTS.values(), ids=LISTS.keys())
def test_lists_and_object_arrays_record(build, expected, xy):
    found = slopes(build, *xy)
    for ours, theirs in zip(found, expected, strict=True):
        assert (ours is None) == (theirs is None)
        if theirs is not None:
            assert ours == pytest.approx(theirs, rel=1e-14)


def test_np_array_of_vectors_is_an_object_array_of_their_elements():
    v = st.Variable([1.0, 2.0])
    rows = np.array([v, v * 2])
    assert rows.dtype == object
    assert rows.shape == (2, 2)
    with st.GradientTape() as tape:
        z = np.sum(np.array([v, v * 2]) ** 2)
    np.testing.assert_array_equal(tape.gradient(z, v).numpy(), [10.0, 20.0])


def test_asarray_takes_a_tensor_apart():
    v = st.Variable([[1.0, 2.0]])
    elements = np.asarray(v)
    assert elements.shape == (1, 2)
    assert all(isinstance(e, st.Tensor) and e.shape == () for e in elements.flat)
    zero = np.asarray(st.Variable(3.0))
    assert zero.shape == ()
    assert isinstance(zero[()], st.Tensor)
    with pytest.raises(ValueError, match="no memory to share"):
        np.asarray(v, copy=False)


def test_every_door_takes_an_object_array_as_one_tensor(xy):
    pair = np.array(list(xy))
    assert (st.constant([1.0, 2.0]) * pair).shape == (2,)
    assert np.dot(st.constant([1.0, 2.0]), pair).item() == 7.0
    np.testing.assert_array_equal((pair + st.constant([1.0, 2.0])).numpy(), [4.0, 4.0])
    assert st.linalg.norm(pair).item() == pytest.approx(13**0.5)
    np.testing.assert_array_equal(np.concatenate([st.constant([0.0]), pair]).numpy(), [0.0, 3.0, 2.0])
    assert st.grad(lambda p: p[0] * p[1])(pair).shape == (2,)


def test_sizes_are_bounded_with_a_remedy():
    large = st.Variable(np.zeros(ELEMENT_LIMIT + 1))
    with pytest.raises(ValueError, match=r"10,001.*x\.numpy\(\)"):
        np.asarray(large)
    element = st.Variable(1.0)
    array = np.empty(ELEMENT_LIMIT + 1, object)
    array[:] = element
    with pytest.raises(ValueError, match=r"10,001.*np\.stack"):
        lift(array)


def test_lists_that_make_no_array(xy):
    x, _ = xy
    v = st.Variable([1.0, 2.0])
    with pytest.raises(ValueError, match="different shapes"):
        lift([x, v])
    mixed = np.empty(2, object)
    mixed[0], mixed[1] = x, v
    with pytest.raises(ValueError, match=r"shape \(2,\)"):
        lift(mixed)
    with pytest.raises(TypeError, match="dtype"):
        lift([x, "a"])
    with pytest.raises(TypeError, match="dtype"):
        lift([x, None])


def test_lists_without_tensors_are_constants():
    assert lift([1, 2]).dtype.kind == "i"
    assert lift([[1.0, 2.0]]).shape == (1, 2)
    assert lift(np.empty((0, 2), object)).shape == (0, 2)


def test_object_array_assignment_keeps_tensors(xy):
    x, y = xy
    box = np.empty(2, dtype=object)
    box[0], box[1] = x, y * y
    with st.GradientTape() as tape:
        z = np.sum(box * 2) + 0 * x
        z = z + box[0] ** 2
    assert z.item() == 23.0
    assert tape.gradient(z, x).item() == 8.0


def test_functions_that_cannot_go_through_lists_raise(xy):
    for call in (
        lambda: np.isfinite(np.array(list(xy))),
        lambda: np.linalg.solve([[xy[0], 1.0], [0.0, 1.0]], [1.0, 2.0]),
        lambda: scipy.special.erf([xy[0]]),
    ):
        with pytest.raises(TypeError):
            call()


def test_max_and_clip_of_lists_decide_by_guards(xy):
    x, y = xy
    tape = st.GradientTape()
    with tape:
        np.max([x, y])
    assert len(tape.guards) == 1
