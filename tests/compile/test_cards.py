import numpy as np
import pytest

from symtape.compile import cards, machine_code
from symtape.compile.cards import recall, remember
from symtape.compile.options import Options
from symtape.compile.program import Program
from symtape.errors import AssumptionViolated, ShapeError
from symtape.graph.node import leaf, symbol
from symtape.ops.namespace import NODES as B


@pytest.fixture(autouse=True)
def place(tmp_path, monkeypatch):
    monkeypatch.setenv("SYMTAPE_CACHE_DIR", str(tmp_path))
    monkeypatch.setattr(machine_code, "_live", {})  # as in a new process
    return tmp_path


def make(options=None):
    x, y = symbol("x", (100,)), symbol("y")
    data = leaf(np.linspace(0.0, 1.0, 100))
    guards = [(B.greater(y, 0.0), True, "y was positive")]
    outputs = [B.sum(B.multiply(B.multiply(x, data), 0.123)), B.multiply(B.add(x, data), y)]
    return Program([x, y], outputs, guards=guards, options=options or Options())


def test_a_card_is_all_that_a_call_needs():
    program = make()
    remember(b"content", program)
    again = recall(b"content", Options())
    given = (np.arange(100.0), 2.0)
    for ours, theirs in zip(again(*given), program(*given), strict=True):
        np.testing.assert_array_equal(ours, theirs)
    with pytest.raises(AssumptionViolated, match="y was positive"):
        again(given[0], -1.0)
    with pytest.raises(ShapeError, match="the input 'x'"):
        again(np.zeros(3), 1.0)
    (total, moved) = again.rows([np.ones((4, 100)), 1.0], 4)
    assert total.shape == (4,)
    assert moved.shape == (4, 100)


def test_the_code_is_read_from_the_cache(monkeypatch):
    remember(b"content", make())
    monkeypatch.setattr(machine_code, "_live", {})
    monkeypatch.setattr(machine_code, "compile_text", None)
    again = recall(b"content", Options())
    assert again(np.ones(100), 1.0)[0] == pytest.approx(50.0 * 0.123, rel=1e-14)


def test_without_card_or_code_there_is_nothing(place, monkeypatch):
    assert recall(b"content", Options()) is None
    program = make()
    remember(b"content", program)
    assert recall(b"other", Options()) is None
    assert recall(b"content", Options(level=1)) is None
    assert recall(b"content", Options(cache=False)) is None
    monkeypatch.setattr(machine_code, "_live", {})
    (place / f"{program.key}.symtape-code").unlink()
    assert recall(b"content", Options()) is None


def test_programs_that_call_back_or_hold_much_data_have_no_card(monkeypatch):
    a = symbol("a", (2, 2))
    remember(b"content", Program([a], [B.inv(a)]))
    assert recall(b"content", Options()) is None
    monkeypatch.setattr(cards, "_LIMIT", 10)
    remember(b"content", make())
    assert recall(b"content", Options()) is None
    monkeypatch.undo()
    remember(b"content", make(Options(cache=False)))
    assert recall(b"content", Options()) is None
