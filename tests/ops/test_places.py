import numpy as np
import pytest

from symtape.graph.shapes import Dim
from symtape.ops.places import checked, common_shape, flat_positions

n = Dim("n")


def test_indices_are_counted_from_the_start():
    np.testing.assert_array_equal(checked(np.array([-1, 0, -3]), 0, 3), [2, 0, 0])
    np.testing.assert_array_equal(checked(np.array([-1, 7]), 0, n), [-1, 7])
    assert checked(np.zeros(0, np.uint8), 0, 0).dtype == np.intp
    for outside in (3, -4):
        with pytest.raises(IndexError, match=f"index {outside} is out of bounds for axis 1 with size 3"):
            checked(np.array([0, outside]), 1, 3)


def test_index_arrays_broadcast():
    assert common_shape([(2, 1), (3,), ()]) == (2, 3)
    assert common_shape([(n, 1), (3,)]) == (n, 3)
    with pytest.raises(IndexError, match=r"could not be broadcast together with shapes \(2,\) \(3,\)"):
        common_shape([(2,), (3,)])


def test_places_in_the_flattened_array():
    x = np.arange(60).reshape(3, 4, 5)
    i, j = np.array([[2], [-3]]), np.array([0, 4, -1])
    np.testing.assert_array_equal(flat_positions([i, j], (0, 2), 0, x.shape), np.moveaxis(x[i, :, j], -1, 2))
    np.testing.assert_array_equal(flat_positions([j], (2,), 2, x.shape), x[:, :, j])
    np.testing.assert_array_equal(flat_positions([np.array(1)], (1,), 1, x.shape), x[:, 1])
    np.testing.assert_array_equal(flat_positions([i, i], (0, 1), 0, x.shape), x[i, i])
