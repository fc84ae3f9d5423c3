import numpy as np
import pytest

from symtape.errors import MissingValueError, NoFormulaError
from symtape.formula.index_numbers import IndexNumbers, length, places
from symtape.graph.node import leaf, symbol
from symtape.graph.shapes import Dim
from symtape.ops.element import Gather, index
from symtape.ops.namespace import NODES as B

i, j = index(2)


@pytest.mark.parametrize(
    ("expression", "number"),
    [(i, 7), (i + j, 10), (2 * i - 1, 13), ((i + j) // 4, 2), ((i * -1) % 4, 1), (5, 5), (j + i * -2, -11)],
    ids=str,
)
def test_numbers_of_index_expressions(expression, number):
    assert IndexNumbers().of(expression, {0: 7, 1: 3}, B.const(0.0)) == number


def test_gathers_count_from_the_end_too():
    node = B.getitem(symbol("v", (3,)), leaf(np.array([2, -1, 3]), "k"))
    numbers = IndexNumbers()
    assert [numbers.of(Gather(1, (i,), 3), {0: k}, node) for k in (0, 1)] == [2, 2]
    with pytest.raises(IndexError, match="index 3 is out of bounds for an axis of length 3"):
        numbers.of(Gather(1, (i,), 3), {0: 2}, node)


def test_tables_are_worked_out_of_integers_alone():
    k = leaf(np.array([1, 2]), "k")
    np.testing.assert_array_equal(IndexNumbers().table(B.add(B.multiply(k, 2), 1)), [3, 5])
    rounded = B.astype(B.floor(B.const(np.array([1.5]))), int)
    np.testing.assert_array_equal(IndexNumbers().table(rounded), [1])
    with pytest.raises(NoFormulaError, match="has no value"):
        IndexNumbers().table(B.add(symbol("n", (), int), 1))
    with pytest.raises(NoFormulaError, match="floating-point variable"):
        IndexNumbers().table(B.astype(leaf(np.array(1.5), "x"), int))


def test_lengths_and_places():
    assert list(places((2, 1))) == [(0, 0), (1, 0)]
    assert list(places(())) == [()]
    assert list(places((3, 0))) == []
    assert length(4) == 4
    with pytest.raises(MissingValueError, match="the length n in a shape has no number yet"):
        length(Dim("n"))
