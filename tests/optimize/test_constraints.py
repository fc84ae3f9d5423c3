import numpy as np
import pytest

import symtape as st
from symtape.errors import ConstraintError
from symtape.graph.traverse import ancestors
from symtape.optimize.constraints import as_sequence, constraint_nodes, read_comparison


@pytest.fixture
def x():
    return st.Variable(np.array([1.0, 2.0]), name="x")


def read(tensor, *unknowns):
    nodes = {u.node for u in unknowns}
    return read_comparison(tensor.node, "c", lambda node: any(n in nodes for n in ancestors(node)))


def limits(comparison):
    return tuple(None if side is None else np.asarray(side.value) for side in (comparison.lower, comparison.upper))


def test_the_side_without_unknowns_becomes_the_limit(x):
    (row,) = read(x[0] <= 4.0, x)
    assert row.lower is None
    assert row.upper is not None
    (row,) = read(x[0] <= 4.0, x)
    assert (row.lower is None, row.upper is None) == (True, False)
    (row,) = read(x[0] >= 1.0, x)
    assert (row.lower is None, row.upper is None) == (False, True)
    (row,) = read(x[0] == 1.0, x)
    assert row.lower is row.upper


def test_two_sides_with_unknowns_are_compared_by_their_difference(x):
    (row,) = read(x[0] <= x[1], x)
    assert row.expression.shape == (1,)
    assert row.lower is None


def test_comparisons_broadcast(x):
    (row,) = read(x[0] <= np.array([1.0, 2.0, 3.0]), x)
    assert row.expression.shape == (3,)
    assert row.upper.shape == (3,)


def test_conjunctions_are_several_constraints(x):
    assert len(read((x[0] >= 0) & (x[1] <= 2), x)) == 2
    assert len(read(st.between(x, 0, 1), x)) == 2
    assert len(read(np.all(x >= 0), x)) == 1


@pytest.mark.parametrize(
    ("compare", "sign"), [(lambda x: x < 1, "<"), (lambda x: x > 1, ">"), (lambda x: x != 1, "!=")]
)
def test_open_comparisons_raise_and_name_the_closed_ones(x, compare, sign):
    with pytest.raises(ConstraintError, match=f"comparison with {sign} .*write <=, >= or =="):
        read(compare(x), x)


def test_what_is_no_comparison_raises(x):
    with pytest.raises(ConstraintError, match="is no comparison"):
        read(x[0] - 1, x)
    k = st.Variable(1.0, name="k")
    with pytest.raises(ConstraintError, match="depends on nothing that is solved for"):
        read(k <= 2, x)


def test_a_plain_bool_is_a_type_error_that_names_its_position(x):
    with pytest.raises(TypeError, match=r"subject_to\[1\] is the plain bool True"):
        constraint_nodes([x[0] >= 0, bool(x.shape)])
    with pytest.raises(TypeError, match=r"subject_to\[0\] is of type float"):
        constraint_nodes([1.5])


def test_a_chained_comparison_is_seen(x):
    y = st.Variable(1.0, name="y")
    with pytest.raises(ConstraintError, match=r"st\.between"):
        constraint_nodes([0 <= y <= 5])
    assert len(constraint_nodes([y <= 5])) == 1


def test_a_comparison_may_be_used_in_an_if_and_here(x):
    y = st.Variable(1.0, name="y")
    condition = y <= 5
    if condition:
        assert constraint_nodes([condition]) == [condition.node]


def test_between_is_a_boolean_elsewhere(x):
    np.testing.assert_array_equal(st.between(x, 0, 1.5).numpy(), [True, False])
    np.testing.assert_array_equal(np.where(st.between(x, 0, 1.5), x, 0.0).numpy(), [1.0, 0.0])
    np.testing.assert_array_equal(st.between(np.arange(4), 1, 2), [False, True, True, False])
    with pytest.raises(ValueError, match="nothing lies between 2 and 1"):
        st.between(x, 2, 1)


def test_one_constraint_is_a_list_of_one(x):
    condition = x[0] <= 1
    assert as_sequence(condition) == [condition]
    assert as_sequence(()) == []
    assert as_sequence(None) == []
