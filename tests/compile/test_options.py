import dataclasses

import pytest

from symtape.compile.options import Options


def test_options_are_frozen_and_compare_by_value():
    with pytest.raises(dataclasses.FrozenInstanceError):
        Options().contract = False
    assert Options() == Options(contract=True)
    assert hash(Options(unroll=3)) == hash(Options(unroll=3))


@pytest.mark.parametrize("name", ["contract", "cache"])
def test_switches_are_bools(name):
    with pytest.raises(TypeError, match=name):
        Options(**{name: 1})


@pytest.mark.parametrize(("name", "low"), [("unroll", -1), ("chunk", 9), ("optimize", -1), ("level", -1), ("level", 4)])
def test_numbers_have_bounds(name, low):
    with pytest.raises(ValueError, match=name):
        Options(**{name: low})
    with pytest.raises(TypeError, match=name):
        Options(**{name: 1.0})


def test_the_key_holds_what_changes_machine_code():
    assert Options(cache=False).key() == Options().key()
    assert Options(level=1).key() != Options().key()
