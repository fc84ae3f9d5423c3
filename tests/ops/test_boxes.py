import numpy as np
import pytest

from symtape.errors import ShapeError, UnboundDimensionError
from symtape.graph.shapes import Dim
from symtape.ops.boxes import (
    as_slices,
    basic_shape,
    check_basic,
    compose,
    disjoint,
    element_of,
    plain,
    reach,
    slice_of,
    whole,
)
from tests.ops.random_indices import random_slice

n = Dim("n")


def test_slices_as_numpy_reads_them():
    rng = np.random.default_rng(0)
    for _ in range(300):
        length = int(rng.integers(0, 7))
        s = random_slice(rng, length)
        part = slice_of(s, length)
        x = np.arange(length)
        np.testing.assert_array_equal(x[as_slices((part,))], x[s])
        assert basic_shape((part,)) == x[s].shape
        assert plain((length,), s) == (part,)
        check_basic((length,), (part,))


def test_slices_of_named_axes():
    assert slice_of(slice(None), n) == whole(n)
    assert slice_of(slice(1, -1), n) == (1, n - 2, 1)
    assert slice_of(slice(None, None, -1), n) == (n - 1, n, -1)
    assert slice_of(slice(-1, 0, -1), n) == (n - 1, n - 1, -1)
    assert slice_of(slice(None, n), n + 2) == (0, n, 1)
    assert slice_of(slice(0, 4, 3), n) == (0, 2, 3)
    assert slice_of(slice(4, 2), n) == (4, 0, 1)
    with pytest.raises(UnboundDimensionError):
        slice_of(slice(None, None, 3), n)
    with pytest.raises(TypeError, match="step of a slice must be a number"):
        slice_of(slice(None, None, n), n)


def test_elements():
    assert element_of(-1, 0, 5) == 4
    assert element_of(-1, 0, n) == n - 1
    assert element_of(7, 0, n) == 7
    with pytest.raises(IndexError, match="index 5 is out of bounds for axis 2 with size 5"):
        element_of(5, 2, 5)


def test_what_is_not_plain_is_left_to_the_parser():
    assert plain((3, 4), (1, slice(None))) == (1, (0, 4, 1))
    assert plain((3, 4), -1) == (2, (0, 4, 1))
    assert plain((3, 4), ()) == (whole(3), whole(4))
    for index in [3, (0, 0, 0), None, ..., [0], True, np.int64(1), slice(np.int64(1)), slice(None, None, 0)]:
        assert plain((3, 4), index) is None
    assert plain((n,), 0) is None


def test_a_box_that_leaves_the_array_is_refused_once_that_is_known():
    check_basic((n,), ((1, n - 1, 1),))
    with pytest.raises(ShapeError, match="3 elements from 0 in steps of 1 does not fit axis 0, which has length 2"):
        check_basic((2,), ((0, 3, 1),))
    with pytest.raises(ShapeError, match="-1 elements"):
        check_basic((0,), ((1, -1, 1),))
    with pytest.raises(ShapeError, match="does not fit"):
        check_basic((4,), ((1, 3, -1),))
    with pytest.raises(IndexError, match="out of bounds"):
        check_basic((2,), (2,))
    with pytest.raises(IndexError, match="2-dimensional, but 1"):
        check_basic((2, 2), (0,))


def test_reach():
    assert reach(3) == (3, 4)
    assert reach((1, 3, 2)) == (1, 6)
    assert reach((5, 3, -2)) == (1, 6)
    assert reach((0, n, 1)) is None
    assert reach(n) is None


def test_named_boxes_of_boxes():
    assert compose(((1, n - 1, 1),), ((1, n - 2, 1),)) == ((2, n - 2, 1),)
    assert compose(((n - 1, n, -1),), (0,)) == (n - 1,)


def test_boxes_that_lie_apart():
    assert disjoint(((0,), (2,), (1,)))
    assert disjoint((((0, 2, 1),), ((2, 3, 1),)))
    assert disjoint(((0, (0, 4, 1)), (1, (0, 4, 1))))
    assert not disjoint((((0, 3, 1),), (2,)))
    assert not disjoint((((0, 2, 2),), ((1, 2, 2),)))  # they interleave: not certain by their ranges
    assert not disjoint(((0,), (0,)))
    assert not disjoint((((0, n, 1),), (n - 1,)))
    assert disjoint(((0, n - 1), (1, n - 1)))
