"""Partials of elementwise ops as programs."""

import pytest

from symtape.errors import DeclarationError
from symtape.graph.node import symbol
from symtape.graph.traverse import topological
from symtape.ops.namespace import NODES as B
from symtape.ops.op import Kind, Op
from symtape.ops.partials import partial
from symtape.ops.registry import op_named, ops

X, Y = symbol("x"), symbol("y")


def names(node):
    return sorted(n.op.name for n in topological([node]) if n.inputs)


@pytest.mark.parametrize(
    ("name", "more"),
    [
        ("exp", []),
        ("tanh", ["power", "subtract"]),
        ("tan", ["add", "power"]),
        ("sqrt", ["divide"]),
        ("reciprocal", ["negative", "power"]),
    ],
)
def test_the_output_stands_for_the_expression_itself(name, more):
    y = getattr(B, name)(X)
    slope = partial(op_named(name), 0)(B, y, X)
    assert names(slope) == sorted([*more, name])


def test_constant_partials_are_numbers():
    assert partial(op_named("add"), 1) == 1
    assert partial(op_named("subtract"), 1) == -1
    assert partial(op_named("sign"), 0) == 0
    assert partial(op_named("add_n"), 12345) == 1
    assert partial(op_named("floor"), 0) is None
    assert partial(op_named("ldexp"), 1) is None


def test_parameters_reach_the_rule():
    y = B.polygamma(2, X)
    slope = partial(y.op, 0, y.params)(B, y, X)
    assert slope.op.name == "polygamma"
    assert slope.params == (3,)


def test_a_partial_is_derived_once(monkeypatch):
    op = Op(name="once", kind=Kind.ELEMENTWISE, value=None, formula=lambda sp, x: sp.sin(x) * x)
    first = partial(op, 0)
    monkeypatch.setattr(op, "formula", None)
    assert partial(op, 0) is first


@pytest.mark.parametrize(
    ("formula", "what"),
    [
        (lambda sp, x: sp.sign(x), "DiracDelta"),
        (lambda sp, x: sp.Function("f")(x), "Derivative"),
        (lambda sp, x: sp.floor(x), "Subs|Derivative"),
        (lambda sp, x: sp.I * x, "I"),
    ],
)
def test_a_partial_that_is_no_function_is_refused(formula, what):
    op = Op(name="odd", kind=Kind.ELEMENTWISE, value=None, formula=formula)
    with pytest.raises(
        DeclarationError, match=f"the derivative of odd in its argument 0 is .*(?:{what}).*: declare a rule"
    ):
        partial(op, 0)


def test_an_op_without_formula_wants_a_rule():
    with pytest.raises(DeclarationError, match="odd has no formula: declare its partial 0"):
        partial(Op(name="odd", kind=Kind.ELEMENTWISE, value=None), 0)


def test_every_declared_partial_can_be_had():
    from symtape.ops.sympy_bridge import arguments_of

    for op in ops().values():
        if getattr(op, "kind", None) is not Kind.ELEMENTWISE or not op.differentiable or op.pair is not None:
            continue
        given = ("float64",) if op.name == "astype" else (1,) * len(op.params)  # all others have an order
        for i in range(arguments_of(op.formula) - len(given)):
            slope = partial(op, i, given)
            assert slope is None or callable(slope) or slope in (-1, 0, 1) or op.name in ("deg2rad", "rad2deg")
