"""Random graphs over every op: evaluation, compiled code, forward, reverse, batches, tapes, files and sympy agree.

Ops are dealt into hands, and hypothesis draws graphs in which each op of a hand occurs, so that how often an op is
tested does not depend on chance. ``python -m tests.random_graphs.long_run`` does the same for as long as one likes.
"""

import random
from collections import Counter

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as some

from symtape.graph.node import symbol
from symtape.graph.traverse import topological
from symtape.ops.namespace import NODES
from symtape.ops.registry import op_named, ops
from tests.ops.test_op_table import ELSEWHERE
from tests.random_graphs.cases import Case, DisagreementError
from tests.random_graphs.checks import CHECKS, batch, compiled, examine, forward_and_reverse, second_order
from tests.random_graphs.drawing import DEPTH, draw_graph, rows_by_op, scalar_rows
from tests.random_graphs.formulas import against_sympy
from tests.random_graphs.long_run import drawn, hand
from tests.random_graphs.recipes import fitted, ways
from tests.random_graphs.shrinking import shrunk

TIMES = 20  # how often each op occurs at least
HAND = 10
SCALAR_HAND = 3

quietly = settings(
    derandomize=True,
    database=None,
    deadline=None,
    max_examples=TIMES,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.large_base_example],
)


def hands(names, size):
    """The names in hands of that size."""
    deck = sorted(names)
    random.Random(1).shuffle(deck)
    return [deck[k : k + size] for k in range(0, len(deck), size)]


@some.composite
def graphs(draw, names, **options):
    """Recipes in which each of the ops occurs."""

    def pick(n):
        return draw(some.integers(0, n - 1)) if n > 1 else 0

    dtype = ("float64", "float32")[pick(3) // 2]
    return draw_graph(pick, names, draw(some.integers(0, 2**16)), dtype, **options)


HANDS = hands(rows_by_op(), HAND)


@pytest.mark.slow
@pytest.mark.parametrize("names", HANDS, ids=lambda names: names[0])
def test_all_roads_to_a_number_agree(names):
    seen = Counter()
    cases = []

    @quietly
    @given(graphs(names), some.integers(0, len(CHECKS)))
    def check(recipe, which):
        case = examine(recipe, CHECKS[which : which + 1])
        seen.update({n.op.name for n in topological(case.outputs)})
        if which == len(CHECKS):
            cases.append(case)

    check()
    if cases:
        compiled(cases, unroll=32 * (HANDS.index(names) % 2))
    assert {name: seen[name] for name in names if seen[name] < TIMES} == {}


@pytest.mark.slow
@pytest.mark.parametrize("names", hands(scalar_rows(), SCALAR_HAND), ids=lambda names: names[0])
def test_derivatives_are_those_of_sympy(names):
    counts = Counter()

    @settings(quietly, max_examples=3)
    @given(graphs(names, rows=scalar_rows(), shapes=((),)))
    def check(recipe):
        counts.update(against_sympy(recipe).counts)

    check()
    assert counts["compared with sympy"] > 0


def test_every_op_is_dealt():
    assert {name for names in HANDS for name in names} == ops().keys() - ELSEWHERE
    assert sum(any(getattr(op_named(n), "results", 1) > 1 for n in names) for names in HANDS) > 1, "items are read"


# ------------------------------------------------------------------------------------------------------ what is drawn


def test_what_is_drawn():
    recipes = [drawn(7, number) for number in range(150)]
    arrays = [a for r in recipes for step in r.steps for a in (*step.inputs, *step.results)]
    assert {a.dtype.kind for a in arrays} >= set("fib")
    assert {a.dtype for a in arrays} >= {np.dtype("f4"), np.dtype("f8")}
    assert min(a.size for a in arrays) == 0
    assert {a.ndim for a in arrays} >= {0, 1, 2, 3}
    assert any(1 in a.shape for a in arrays)
    assert max(map(depth, recipes)) == DEPTH
    used = [Counter(f.source for step in r.steps for f in step.feeds) for r in recipes]
    assert sum(max(u.values()) > 1 for u in used) > 100, "values are shared"
    assert all(len(r.outputs) >= 1 for r in recipes)


def depth(recipe):
    depths = [0] * len(recipe.leaves)
    for step in recipe.steps:
        depths += [1 + max(depths[f.source] for f in step.feeds)] * len(step.results)
    return max(depths)


def test_a_number_makes_the_same_graph_again():
    assert str(drawn(3, 5)) == str(drawn(3, 5))
    assert str(drawn(3, 5)) != str(drawn(3, 6))


def test_a_deck_is_dealt_evenly():
    dealt = Counter(name for number in range(25) for name in hand("abcdefgh", 1, number, 5))
    assert max(dealt.values()) - min(dealt.values()) <= 1


@pytest.mark.parametrize("want", [(), (3,), (0,), (2, 3), (3, 2), (1, 3)], ids=str)
@pytest.mark.parametrize("have", [(), (3,), (0,), (2, 3), (1, 1), (7,)], ids=str)
def test_values_are_fitted_to_any_shape(have, want):
    x = symbol("x", have)
    assert ways(have, want)
    for way in ways(have, want):
        assert fitted(NODES, x, way, have, want).shape == want


# ------------------------------------------------------------------------------------- wrong derivatives are found out


@pytest.fixture
def wrong(monkeypatch):
    """Spoils an op, and gives recipes with it."""

    def spoil(name, **fields):
        op = op_named(name)
        for field, value in fields.items():
            monkeypatch.setattr(op, field, value)
        monkeypatch.setattr(op, "partial_programs", {})
        return [draw_graph(random.Random(k).randrange, [name, "sin", "sum", "multiply"], k) for k in range(12)]

    return spoil


def found(recipes, *checks):
    wrongs = 0
    for recipe in recipes:
        try:
            examine(recipe, checks)
        except DisagreementError:
            wrongs += 1
    return wrongs


def test_a_wrong_partial_is_found(wrong):
    recipes = wrong("exp", partials={0: lambda B, y, x: B.multiply(y, 1 + 1e-5)})
    assert found(recipes) >= 4


def test_a_wrong_vjp_is_found(wrong):
    op = op_named("cumsum")
    rule = op.vjp
    spoiled = lambda B, i, g, y, *rest: B.multiply(
        1 + 1e-8, (rule[i] if isinstance(rule, tuple) else lambda *a: rule(B, i, *a[1:]))(B, g, y, *rest)
    )
    assert found(wrong("cumsum", vjp=spoiled)) >= 4


def test_a_wrong_second_derivative_is_found(wrong):
    recipes = wrong("sinh", partials={0: lambda B, y, x: B.add(B.cosh(x), B.multiply(1e-4, B.stop_gradient(B.sin(x))))})
    assert found(recipes, second_order) >= 4


def test_a_wrong_batch_is_found(wrong):
    op = op_named("cumprod")
    rule = op.batch
    recipes = wrong("cumprod", batch=lambda *a: a[0].multiply(1 + 1e-9, rule(*a)))
    assert found(recipes) == 0
    assert found(recipes, batch) >= 4


def test_a_lost_gradient_is_found(wrong):
    recipes = wrong("arcsinh", partials={0: None})
    assert found(recipes) >= 3


def test_shrinking_keeps_what_fails(wrong):
    wrong("exp", partials={0: 1.5})
    recipe = draw_graph(random.Random(4).randrange, ["exp", "sin", "matmul", "cumsum", "inv"], 4)

    def failure(r):
        try:
            forward_and_reverse(Case.of(r))
        except DisagreementError as error:
            return str(error)
        return None

    small, why = shrunk(recipe, failure)
    assert len(small.steps) == 1
    assert len(recipe.steps) == 5
    assert "first order" in why
