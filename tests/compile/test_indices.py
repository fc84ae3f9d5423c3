import itertools

import numpy as np
import pytest

from symtape.compile.indices import Divided, Linear, Modulo, bounds, contiguous, flat, linear
from symtape.errors import UnboundDimensionError
from symtape.graph.shapes import Dim
from symtape.ops.element import Gather, index
from symtape.ops.layout import reshape_map


def value(form, at):
    """The number that a form stands for."""
    total = form.constant
    for atom, factor in form.terms:
        if isinstance(atom, int):
            total += factor * at[atom]
        elif isinstance(atom, Divided):
            total += factor * (value(atom.of, at) // atom.by)
        else:
            total += factor * (value(atom.of, at) % atom.by)
    return total


@pytest.mark.parametrize(
    ("source", "target"), [((6, 5), (2, 3, 5)), ((4, 6), (3, 8)), ((2, 3, 4), (24,)), ((5, 4), (2, 10))]
)
def test_a_reshape_of_contiguous_memory_is_no_work(source, target):
    at = reshape_map(source, target, index(len(target)))
    form = flat([linear(a, target) for a in at], contiguous(source))
    assert form == flat([Linear(0, ((k, 1),)) for k in range(len(target))], contiguous(target))


def test_forms_are_worth_what_the_expressions_are():
    i, j, k = index(3)
    extents = (4, 5, 6)
    expressions = [
        (2 * i + j) // 3,
        (7 * i + 5 * j + k) % 6,
        ((6 * j + k) // 5) % 4 * 3 + i,
        (i * -1 + 3) * 2,
        (k + (i * -2)) // 4,
        ((i * 30 + j * 6 + k) // 6) % 5,
        i * 12 + 7,
    ]
    grid = list(itertools.product(*map(range, extents)))
    for expression in expressions:
        form = linear(expression, extents)
        low, high = bounds(form, extents)
        source = repr(expression)
        for at in grid:
            plain = dict(zip(("i0", "i1", "i2"), at, strict=True))
            expected = int(eval(source, {}, plain))
            assert value(form, at) == expected, (source, at)
            assert low <= expected <= high


def test_what_divides_out_is_divided():
    i, j = index(2)
    assert linear((4 * i + j) // 4, (3, 4)) == Linear(0, ((0, 1),))
    assert linear((4 * i + j) % 4, (3, 4)) == Linear(0, ((1, 1),))
    assert linear((4 * i + j) // 4, (3, 5)).terms[-1] == (Divided(Linear(0, ((1, 1),)), 4), 1)
    assert linear((4 * i + j) % 4, (3, 5)) == Linear(0, ((Modulo(Linear(0, ((1, 1),)), 4), 1),))


def test_an_index_over_one_value_is_that_value():
    i, j = index(2)
    assert linear(i * 7 + j, (1, 3)) == Linear(0, ((1, 1),))


def test_gathers_stay_and_numbers_of_numpy_are_numbers():
    (i,) = index(1)
    form = linear(Gather(1, (i,), np.int64(9)) * 2 + np.int64(3), (4,))
    assert form.constant == 3
    assert not form.is_affine


def test_a_named_length_has_no_loop():
    (i,) = index(1)
    with pytest.raises(UnboundDimensionError, match="n"):
        linear(i * Dim("n"), (4,))


def test_strides_of_axes_of_length_one_are_none():
    assert contiguous((3, 1, 2)) == (2, 0, 1)
    assert contiguous(()) == ()
