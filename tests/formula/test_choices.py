import pytest
import sympy
from sympy import And, Eq, Ne, Or, Piecewise

from symtape.formula.choices import choice_times, comparison, one_choice, plain_choice
from symtape.formula.reading import readable

x, y, z = sympy.symbols("x y z", real=True)


def masked(value, condition, otherwise=0):
    return Piecewise((value, condition), (otherwise, True))


def test_sums_without_two_choices_alike_are_left_alone():
    assert one_choice(sympy, (x, masked(y, x > 0)), readable) is None
    assert one_choice(sympy, (masked(x, x > 0), masked(y, y > 0)), readable) is None


@pytest.mark.parametrize("first", [x > 0, x <= 0])
def test_the_opposite_condition_is_the_same_choice(first):
    found = one_choice(sympy, (masked(y, first), masked(z, sympy.Not(first))), readable)
    assert found.subs(x, 1) == (y if first.subs(x, 1) else z)
    assert found.subs(x, -1) == (y if first.subs(x, -1) else z)
    assert found.args[0][1] == (x > 0)


def test_choices_of_three_cases():
    three = Piecewise((x, x < 0), (y, x < 1), (z, True))
    other = Piecewise((1, x < 0), (2, x < 1), (3, True))
    assert (
        str(one_choice(sympy, (three, other), readable)) == "Piecewise((x + 1, x < 0), (y + 2, x < 1), (z + 3, True))"
    )


def test_products_without_a_mask_are_left_alone():
    assert choice_times(sympy, (x, y), readable) is None
    assert choice_times(sympy, (x, masked(2, x > 0, 3)), readable) is None


def test_a_mask_takes_the_other_factors_in():
    assert choice_times(sympy, (x, y, masked(1, x > 0)), readable) == masked(x * y, x > 0)
    assert choice_times(sympy, (x, masked(0, x > 0, y)), readable) == Piecewise((0, x > 0), (x * y, True))


def test_what_a_case_makes_known():
    assert plain_choice(sympy, masked(masked(1, x > 0, 2), And(x > 0, y > 0)), readable) == masked(1, And(x > 0, y > 0))
    earlier = Piecewise((x, Or(x > 0, y > 0)), (masked(1, x > 0, 2), True))
    assert plain_choice(sympy, earlier, readable) == Piecewise((x, Or(x > 0, y > 0)), (2, True))


def test_masks_that_mask_nothing_are_dropped():
    assert plain_choice(sympy, masked(masked(x, Ne(y, 0)), Ne(y, 0)), readable) == masked(x, Ne(y, 0))
    inner = Piecewise((0, Eq(y, 0)), (masked(x, Ne(y, 0)), True))
    assert plain_choice(sympy, inner, readable) == Piecewise((0, Eq(y, 0)), (x, True))


def test_comparisons_of_masks():
    assert comparison(sympy, Ne(masked(3, x > 0), 0)) == (x > 0)
    assert comparison(sympy, Eq(masked(3, x > 0), 0)) == (x <= 0)
    for other in (Eq(masked(x, x > 0), 0), Eq(masked(1, x > 0), 1), Eq(x, 0)):
        assert comparison(sympy, other) is other
