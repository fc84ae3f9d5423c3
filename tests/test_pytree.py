from collections import OrderedDict, defaultdict
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, NamedTuple

import pytest

from symtape.pytree import LEAF, flatten, transform


class Point(NamedTuple):
    x: Any
    y: Any


@dataclass(frozen=True)
class Model:
    weight: object
    bias: object
    tag: object = field(default=0, init=False)


TREES = [
    3,
    None,
    "text",
    [],
    [1, (2, [3])],
    {"b": 1, "a": {"c": 2}},
    Point(1, [2, 3]),
    OrderedDict(b=1, a=2),
    defaultdict(list, {"k": 1}),
    Model(1, (2, 3)),
    {("a", 1): [1], 2: ()},
]


@pytest.mark.parametrize("tree", TREES, ids=repr)
def test_unflatten_undoes_flatten(tree):
    leaves, structure = flatten(tree)
    again = structure.unflatten(leaves)
    assert again == tree
    assert type(again) is type(tree)
    assert structure.size == len(leaves) == len(list(structure.paths()))
    assert flatten(again)[1] == structure
    assert hash(flatten(again)[1]) == hash(structure)


def test_leaves_come_in_order_and_none_is_one():
    assert flatten({"b": [1, None], "a": Point(2, 3)})[0] == [1, None, 2, 3]


def test_a_defaultdict_keeps_its_factory():
    assert flatten(defaultdict(list, {"k": 1}))[1].unflatten([5])["new"] == []


def test_any_mapping_is_a_container():
    leaves, structure = flatten(MappingProxyType({"a": 1}))
    assert leaves == [1]
    assert structure.unflatten([2]) == {"a": 2}


def test_containers_may_be_leaves():
    leaves, structure = flatten([(1, 2), [3]], is_leaf=lambda t: isinstance(t, tuple))
    assert leaves == [(1, 2), 3]
    assert structure.unflatten("ab") == ["a", ["b"]]


def test_transform_keeps_the_nesting():
    assert transform(lambda v: v + 1, {"a": (1, [2])}) == {"a": (2, [3])}


def test_the_number_of_leaves_is_checked():
    with pytest.raises(ValueError, match="2 leaves, got 1"):
        flatten([1, 2])[1].unflatten([1])


def test_paths_name_positions_keys_and_fields():
    structure = flatten({"a": [1, Model(2, 3)]})[1]
    assert list(structure.paths()) == [("a", 0), ("a", 1, "weight"), ("a", 1, "bias")]


def test_match_finds_what_stands_at_the_leaves():
    structure = flatten({"a": 1, "b": (2, 3)})[1]
    assert structure.match({"b": ([4], "five"), "a": None}) == [None, [4], "five"]
    assert LEAF.match([1, 2]) == [[1, 2]]
    assert flatten(Model(1, 2))[1].match(Model("w", "b")) == ["w", "b"]
    assert flatten([1, 2])[1].match((3, 4)) == [3, 4]


@pytest.mark.parametrize(
    ("tree", "words"),
    [
        ({"a": 1}, r"the gradients has the keys \['a'\], wanted \['a', 'b'\]"),
        ({"a": 1, "b": (2,)}, r"the gradients\['b'\] has 1 entries, wanted 2"),
        ({"a": 1, "b": 2}, r"the gradients\['b'\] is a int, wanted a tuple of 2"),
        ([1, 2], "the gradients is a list, wanted a dict of 2"),
    ],
)
def test_match_names_the_place_that_does_not_fit(tree, words):
    structure = flatten({"a": 1, "b": (2, 3)})[1]
    with pytest.raises(ValueError, match=words):
        structure.match(tree, "the gradients")


def test_a_structure_shows_its_nesting():
    assert repr(flatten({"a": 1, "b": [2, 3]})[1]) == "dict(a: *, b: list(*, *))"


def test_a_builder_gives_what_unflatten_gives():
    class Point(NamedTuple):
        x: Any
        y: Any

    for tree in (1, [1, 2], (1, [2, 3], {"a": 4, "b": (5,)}), Point(1, [2, 3]), [], [[], (1,)]):
        leaves, structure = flatten(tree)
        values = [10 * leaf for leaf in leaves]
        assert structure.builder()(values) == structure.unflatten(values)
        assert structure.builder(2)([0, 0, *values]) == structure.unflatten(values)
