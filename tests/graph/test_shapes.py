"""Shape arithmetic: as NumPy's where lengths are numbers, and right where they are only named."""

import copy
import itertools
import pickle

import numpy as np
import pytest

from symtape.errors import ShapeError, UnboundDimensionError
from symtape.graph.shapes import (
    Dim,
    as_shape,
    broadcast,
    broadcast_two,
    is_known,
    kept,
    normalize_axes,
    normalize_axis,
    reduced,
    resolve_reshape,
    size,
)

n, m = Dim("n"), Dim("m")


def test_dims_are_polynomials():
    assert n + n == 2 * n
    assert (n + 1) * (n - 1) == n * n - 1
    assert n * m == m * n
    assert n - n == 0
    assert isinstance(n - n, int)
    assert (n + 3) - n == 3
    assert -n + 5 == 5 - n
    assert hash(n + m) == hash(m + n)
    assert n != m
    assert n != "n"


@pytest.mark.parametrize("a", [n + 1, 2 * n * m - 3, n * n + m])
@pytest.mark.parametrize("b", [n, m - 1, 3])
def test_binding_agrees_with_arithmetic_on_numbers(a, b):
    sizes = {"n": 5, "m": 7}

    def bound(length):
        return length.bind(sizes) if isinstance(length, Dim) else length

    for combine in (lambda x, y: x + y, lambda x, y: x - y, lambda x, y: x * y):
        assert bound(combine(a, b)) == combine(bound(a), bound(b))
    assert (n * m + n).bind({"n": 2}) == 2 * m + 2


def test_division_is_exact_or_refused():
    assert (6 * n * m) // (2 * n) == 3 * m
    assert (n * m + n) // n == m + 1
    assert 0 // n == 0
    for top, bottom in ((n, 2), (n + 1, n), (n, m), (n, 0), (5, n)):
        with pytest.raises(UnboundDimensionError, match="is bound"):
            top // bottom


@pytest.mark.parametrize("use", [int, bool, range, lambda d: d < 3, lambda d: d >= n, lambda d: [1, 2][d]])
def test_a_named_length_has_no_number(use):
    with pytest.raises(UnboundDimensionError, match="give n a size"):
        use(n)


@pytest.mark.parametrize("bad", ["", "2n", "n m", 3, None])
def test_the_name_of_a_dim_is_an_identifier(bad):
    with pytest.raises(ValueError, match="identifier"):
        Dim(bad)


def test_dims_print_and_pickle():
    assert [repr(d) for d in (n, -n, n + 1, 2 * n * n - m, n - 1)] == ["n", "-n", "n + 1", "2*n*n - m", "n - 1"]
    for d in (n, 2 * n * m - 1):
        assert pickle.loads(pickle.dumps(d)) == d
        assert copy.deepcopy(d) == d
    assert (n * m).names == {"n", "m"}


SHAPES = [(), (1,), (3,), (2, 3), (2, 1), (1, 3), (4, 2, 3), (0,), (2, 0), (1, 1, 1)]


@pytest.mark.parametrize(("a", "b"), list(itertools.product(SHAPES, SHAPES)))
def test_broadcasting_is_numpys(a, b):
    try:
        expected = np.broadcast_shapes(a, b)
    except ValueError:
        with pytest.raises(ShapeError, match="could not be broadcast"):
            broadcast_two(a, b)
    else:
        assert broadcast_two(a, b) == expected
        assert broadcast([a, b, ()]) == expected


def test_broadcasting_of_named_lengths():
    assert broadcast_two((n, 1), (2,)) == (n, 2)
    assert broadcast_two((n,), (n,)) == (n,)
    assert broadcast_two((1,), (n + 1,)) == (n + 1,)
    for other in ((2,), (m,), (n + 1,)):
        with pytest.raises(ShapeError):
            broadcast_two((n,), other)


def test_shapes_from_what_people_write():
    assert as_shape(3) == (3,)
    assert as_shape("n") == (n,)
    assert as_shape([2, "n", Dim("m") + 1, np.int64(4)]) == (2, n, m + 1, 4)
    assert as_shape(()) == ()
    with pytest.raises(ShapeError, match="negative"):
        as_shape((2, -1))
    for bad in (2.0, None, (2.5,), (True,), object()):
        with pytest.raises(TypeError):
            as_shape(bad)


def test_sizes_and_axes():
    assert size((2, n, 3)) == 6 * n
    assert is_known((2, 3))
    assert not is_known((2, n))
    assert reduced((2, n, 4), (0, 2)) == (n,)
    assert kept((2, n, 4), (0, 2)) == (1, n, 1)
    assert normalize_axes(None, 3) == (0, 1, 2)
    assert normalize_axes((-1, 0), 3) == (0, 2)
    assert normalize_axes(1, 3) == (1,)
    assert normalize_axis(np.int64(-3), 3) == 0
    with pytest.raises(ValueError, match="duplicate"):
        normalize_axes((0, -3), 3)
    for axis in (3, -4):
        with pytest.raises(np.exceptions.AxisError):
            normalize_axis(axis, 3)
    for axis in (1.0, True, "0"):
        with pytest.raises(TypeError):
            normalize_axis(axis, 3)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ((2, 6), (3, 4)),
        ((2, 6), (-1,)),
        ((2, 6), (4, -1)),
        ((0, 3), (0,)),
        ((0, 3), (5, -1)),
        ((), (1, 1)),
        ((6,), (2, -1, 3)),
    ],
)
def test_reshapes_are_numpys(old, new):
    assert resolve_reshape(old, new) == np.zeros(old).reshape(new).shape


@pytest.mark.parametrize(
    ("old", "new"),
    [((2, 6), (5,)), ((2, 6), (5, -1)), ((2, 6), (-1, -1)), ((2, 6), (-2, 6)), ((0,), (0, -1)), ((n, 2), (3,))],
)
def test_reshapes_that_do_not_fit_are_refused(old, new):
    with pytest.raises(ValueError):
        resolve_reshape(old, new)


def test_reshapes_of_named_lengths():
    assert resolve_reshape((n, 4), (-1, 2)) == (2 * n, 2)
    assert resolve_reshape((n, m), (n * m,)) == (n * m,)
    assert resolve_reshape((n, m), (-1, n)) == (m, n)
