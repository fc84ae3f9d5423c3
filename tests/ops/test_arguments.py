import numpy as np
import pytest

from symtape.ops.arguments import as_integer, is_missing, only_defaults


def test_defaults_pass():
    only_defaults("sum", out=None, subok=False, where=np._NoValue)


@pytest.mark.parametrize(
    ("name", "value", "remedy"),
    [("out", np.zeros(1), "give it a name"), ("casting", "unsafe", "astype"), ("x", 1, "leave")],
)
def test_other_values_are_refused_with_a_remedy(name, value, remedy):
    with pytest.raises(TypeError, match=rf"np\.sum\({name}=\.\.\.\).*{remedy}"):
        only_defaults("sum", **{name: value})


def test_missing():
    assert is_missing(None)
    assert is_missing(np._NoValue)
    assert not is_missing(0)


def test_integers():
    assert as_integer(np.int8(3), "k") == 3
    assert type(as_integer(True, "k")) is int
    with pytest.raises(TypeError, match=r"k must be an integer, got 2\.0"):
        as_integer(2.0, "k")
