import numpy as np
import pytest

from symtape.graph.node import leaf, symbol
from symtape.graph.shapes import Dim
from symtape.ops.boxes import whole
from symtape.ops.namespace import NODES as B
from symtape.ops.subscripts import is_graph_value, parse

n = Dim("n")


def test_a_basic_index_is_one_step():
    steps = parse(B, (3, 4), (slice(1, None), -1))
    assert steps.basic == ((1, 2, 1), 3)
    assert (steps.arrays, steps.shape, steps.widened) == ((), None, None)
    assert steps.gathered == (2,)


def test_axes_are_added_by_a_reshape_at_the_end():
    steps = parse(B, (3, 4), (None, slice(None), None))
    assert steps.basic is None
    assert steps.shape == (1, 3, 1, 4)


def test_index_arrays_side_by_side_stay_in_place_and_others_go_first():
    i = np.array([0, 1])
    assert parse(B, (3, 4, 5), (slice(None), i, i)).at == 1
    apart = parse(B, (3, 4, 5), (i, slice(None), i))
    assert (apart.at, apart.axes, apart.gathered) == (0, (0, 2), (2, 4))
    assert parse(B, (3, 4, 5), (slice(None), i, None, i)).at == 0
    assert parse(B, (3, 4, 5), (slice(None), i, ..., i)).at == 0


def test_an_int_beside_index_arrays_is_one_of_them():
    steps = parse(B, (3, 4, 5), (0, slice(None), np.array([1, 2])))
    assert [a.shape for a in steps.arrays] == [(), (2,)]
    assert steps.gathered == (2, 4)


def test_an_int_beside_scalars_of_the_graph_stays_an_int():
    steps = parse(B, (3, 4), (symbol("i", (), np.int64), 1))
    assert steps.basic == (whole(3), 1)
    assert len(steps.arrays) == 1
    assert steps.gathered == ()


def test_a_mask_becomes_the_places_at_which_it_is_true():
    steps = parse(B, (2, 3), np.array([[True, False, True], [False, True, False]]))
    np.testing.assert_array_equal(steps.arrays, [[0, 0, 1], [0, 2, 1]])
    assert parse(B, (2, 3), True).widened == (1, 2, 3)


def test_a_constant_mask_of_the_graph_is_known():
    (places,) = parse(B, (3,), B.const(np.array([True, False, True]))).arrays
    np.testing.assert_array_equal(places, [0, 2])


def test_lengths_by_name():
    steps = parse(B, (n, 3), (slice(None), [0, 2]))
    assert steps.gathered == (n, 2)
    assert parse(B, (n, 3), n - 1).basic == (n - 1, whole(3))


def test_lists_with_values_of_the_graph_are_no_constants():
    with pytest.raises(TypeError):
        parse(B, (3,), [symbol("i", (), np.int64), 0])


def test_what_stands_for_a_node():
    assert is_graph_value(leaf(np.zeros(2)))
    assert not is_graph_value(np.zeros(2))
    assert not is_graph_value("node")
