"""Each identity: what it makes, and that it changes no value, NaN and infinity included."""

import itertools

import numpy as np
import pytest

from symtape.autodiff.reverse import gradient
from symtape.compile.evaluate import evaluate
from symtape.graph.closed import trace
from symtape.graph.node import CONST, constant, leaf, symbol
from symtape.graph.traverse import topological
from symtape.ops.namespace import DERIVATIVES as D
from symtape.ops.namespace import NODES as B
from symtape.ops.simplify import IDENTITIES, exact_product, exact_quotient, exact_sum
from symtape.tape.derivatives import _Recorded
from symtape.tape.tensor import TENSORS, wrap

X, Y = symbol("x"), symbol("y")
V = symbol("v", (3,))
M = symbol("m", (2, 3))
C = symbol("c", dtype=bool)
TRUE, FALSE = constant(np.True_), constant(np.False_)

OWN_MODULES = ("symtape.ops.arithmetic_identities", "symtape.ops.layout_identities")

SPECIAL = [np.nan, np.inf, -np.inf, 0.0, -0.0, 1.0, -1.0, 2.5, -3.75, 1e300, 1e-300]


def written(node):
    """A node as text, constants by value."""
    if node.op is CONST:
        return f"{float(node.value):g}" if node.dtype.kind != "b" else str(bool(node.value))
    if not node.inputs:
        return node.params[1]
    more = [str(p) for p in node.params]
    return f"{node.op.name}({', '.join([written(i) for i in node.inputs] + more)})"


ARITHMETIC = [
    ("one times", lambda N: N.multiply(1.0, X), "x"),
    ("times one", lambda N: N.multiply(X, 1), "x"),
    ("times minus one", lambda N: N.multiply(X, -1.0), "negative(x)"),
    ("constants", lambda N: N.multiply(2.0, 0.75), "1.5"),
    ("constant twice", lambda N: N.multiply(3, N.multiply(2, X)), "multiply(6, x)"),
    ("constant twice, behind", lambda N: N.multiply(N.multiply(X, 2), 3), "multiply(6, x)"),
    ("constant times quotient", lambda N: N.multiply(2.0, N.divide(0.5, X)), "divide(1, x)"),
    ("constant times negative", lambda N: N.multiply(2.0, N.negative(X)), "multiply(-2, x)"),
    ("negative times", lambda N: N.multiply(N.negative(X), Y), "negative(multiply(x, y))"),
    ("negative times negative", lambda N: N.multiply(N.negative(X), N.negative(Y)), "multiply(x, y)"),
    ("inexact constants stay", lambda N: N.multiply(0.1, N.multiply(0.1, X)), "multiply(0.1, multiply(0.1, x))"),
    ("zero times stays", lambda N: N.multiply(0.0, X), "multiply(0, x)"),
    ("by one", lambda N: N.divide(X, 1), "x"),
    ("by minus one", lambda N: N.divide(X, -1.0), "negative(x)"),
    ("exact quotient", lambda N: N.divide(3.0, 2.0), "1.5"),
    ("inexact quotient stays", lambda N: N.divide(1.0, 3.0), "divide(1, 3)"),
    ("constant by zero stays", lambda N: N.divide(1.0, 0.0), "divide(1, 0)"),
    ("multiple by constant", lambda N: N.divide(N.multiply(3.0, X), 2.0), "multiply(1.5, x)"),
    ("quotient by constant", lambda N: N.divide(N.divide(3.0, X), 2.0), "divide(1.5, x)"),
    ("constant by multiple", lambda N: N.divide(1.0, N.multiply(2.0, X)), "divide(0.5, x)"),
    ("multiple by inexact stays", lambda N: N.divide(N.multiply(1.0, X), 3.0), "divide(x, 3)"),
    ("negative by", lambda N: N.divide(N.negative(X), Y), "negative(divide(x, y))"),
    ("by negative", lambda N: N.divide(X, N.negative(Y)), "negative(divide(x, y))"),
    ("x by x stays", lambda N: N.divide(X, X), "divide(x, x)"),
    ("double negative", lambda N: N.negative(N.negative(X)), "x"),
    ("negative difference", lambda N: N.negative(N.subtract(X, Y)), "subtract(y, x)"),
    ("negative multiple", lambda N: N.negative(N.multiply(2.0, X)), "multiply(-2, x)"),
    ("negative quotient", lambda N: N.negative(N.divide(2.0, X)), "divide(-2, x)"),
    ("negative constant", lambda N: N.negative(2.0), "-2"),
    ("power one", lambda N: N.power(X, 1), "x"),
    ("power zero", lambda N: N.power(X, 0), "1"),
    ("even power of negative", lambda N: N.power(N.negative(X), 2), "power(x, 2)"),
    ("odd power of negative stays", lambda N: N.power(N.negative(X), 3), "power(negative(x), 3)"),
    ("plus zero", lambda N: N.add(X, 0), "x"),
    ("zero plus", lambda N: N.add(0.0, X), "x"),
    ("constants added", lambda N: N.add(0.5, 2), "2.5"),
    ("inexact sum stays", lambda N: N.add(0.1, 0.2), "add(0.1, 0.2)"),
    ("plus negative", lambda N: N.add(X, N.negative(Y)), "subtract(x, y)"),
    ("negative plus", lambda N: N.add(N.negative(X), Y), "subtract(y, x)"),
    ("equal terms", lambda N: N.add(X, X), "multiply(2, x)"),
    ("multiples", lambda N: N.add(N.multiply(2, X), N.multiply(3, X)), "multiply(5, x)"),
    (
        "opposite multiples stay",
        lambda N: N.add(N.multiply(2, X), N.multiply(-1.5, X)),
        "add(multiply(2, x), multiply(-1.5, x))",
    ),
    ("minus zero", lambda N: N.subtract(X, 0), "x"),
    ("zero minus", lambda N: N.subtract(0, X), "negative(x)"),
    ("minus negative", lambda N: N.subtract(X, N.negative(Y)), "add(x, y)"),
    ("negative minus", lambda N: N.subtract(N.negative(X), Y), "negative(add(x, y))"),
    ("x minus x stays", lambda N: N.subtract(X, X), "subtract(x, x)"),
    (
        "sum of sums",
        lambda N: N.add_n(N.add_n(X, Y, N.sin(X)), N.add(Y, N.cos(X))),
        "add_n(x, multiply(2, y), sin(x), cos(x))",
    ),
    ("sum with zeros", lambda N: N.add_n(X, N.zeros(()), Y), "add(x, y)"),
    ("sum of zeros", lambda N: N.add_n(N.zeros(()), N.zeros(()), N.zeros(())), "0"),
    ("sum of equal terms", lambda N: N.add_n(X, N.multiply(2, X), X), "multiply(4, x)"),
    ("sum with one negative", lambda N: N.add_n(X, N.negative(Y), N.zeros(())), "subtract(x, y)"),
]

CHOICES = [
    ("dead branch", lambda N: N.where(TRUE, X, Y), "x"),
    ("other dead branch", lambda N: N.where(FALSE, X, Y), "y"),
    ("equal branches", lambda N: N.where(C, X, X), "x"),
    ("equal numbers", lambda N: N.where(C, 1.0, np.float64(1.0)), "1"),
    ("zeros of two signs stay", lambda N: N.where(C, 0.0, -0.0), "select(c, 0, -0)"),
    ("negated", lambda N: N.where(N.logical_not(C), X, Y), "select(c, y, x)"),
    ("same predicate in the first", lambda N: N.where(C, N.where(C, X, Y), 2.0), "select(c, x, 2)"),
    ("same predicate in the second", lambda N: N.where(C, X, N.where(C, 2.0, Y)), "select(c, x, y)"),
    ("not not", lambda N: N.logical_not(N.logical_not(C)), "c"),
    ("not true", lambda N: N.logical_not(TRUE), "False"),
    ("and true", lambda N: N.logical_and(C, TRUE), "c"),
    ("and false", lambda N: N.logical_and(FALSE, C), "False"),
    ("or true", lambda N: N.logical_or(C, TRUE), "True"),
    ("or false", lambda N: N.logical_or(C, FALSE), "c"),
    ("and itself", lambda N: N.logical_and(C, C), "c"),
]

LAYOUT = [
    ("reshape to itself", lambda N: N.reshape(M, (2, 3)), "m"),
    ("reshape twice", lambda N: N.reshape(N.reshape(M, (6,)), (3, 2)), "reshape(m, (3, 2))"),
    ("there and back", lambda N: N.reshape(N.reshape(M, (6,)), (2, 3)), "m"),
    ("transpose twice", lambda N: N.transpose(N.transpose(M)), "m"),
    ("transpose to itself", lambda N: N.transpose(M, (0, 1)), "m"),
    ("broadcast to itself", lambda N: N.broadcast_to(V, (3,)), "v"),
    ("broadcast twice", lambda N: N.broadcast_to(N.broadcast_to(X, (3,)), (2, 3)), "broadcast_to(x, (2, 3))"),
    ("reshape of one number", lambda N: N.reshape(N.broadcast_to(X, (2, 3)), (6,)), "broadcast_to(x, (6,))"),
    ("transpose of one number", lambda N: N.transpose(N.broadcast_to(X, (2, 3))), "broadcast_to(x, (3, 2))"),
    ("broadcast in a product", lambda N: N.multiply(N.broadcast_to(X, (3,)), V), "multiply(x, v)"),
    ("broadcast in a difference", lambda N: N.subtract(M, N.broadcast_to(V, (2, 3))), "subtract(m, v)"),
    ("broadcast one times", lambda N: N.multiply(N.broadcast_to(1.0, (2, 3)), V), "broadcast_to(v, (2, 3))"),
    ("negative of broadcast", lambda N: N.negative(N.broadcast_to(X, (3,))), "broadcast_to(negative(x), (3,))"),
    ("sum of sum", lambda N: N.sum(N.sum(M, axis=1)), "sum(m, (0, 1))"),
    ("sum over nothing", lambda N: N.sum(M, axis=()), "m"),
    ("sum of negative", lambda N: N.sum(N.negative(V)), "negative(sum(v, (0,)))"),
    ("sum of repeated", lambda N: N.sum(N.broadcast_to(X, (2, 3))), "multiply(6, x)"),
    ("sum of repeated rows", lambda N: N.sum(N.broadcast_to(V, (2, 3)), axis=0), "multiply(2, v)"),
    (
        "sum of partly repeated stays",
        lambda N: N.sum(N.broadcast_to(V, (2, 3))),
        "sum(broadcast_to(v, (2, 3)), (0, 1))",
    ),
    (
        "sum of repeated keeps the rest",
        lambda N: N.sum(N.broadcast_to(X, (2, 3)), axis=1),
        "broadcast_to(multiply(3, x), (2,))",
    ),
]

EVERY = pytest.mark.parametrize(
    ("name", "make", "simple"),
    [*ARITHMETIC, *CHOICES, *LAYOUT],
    ids=[row[0] for row in [*ARITHMETIC, *CHOICES, *LAYOUT]],
)


@EVERY
def test_what_an_identity_makes(name, make, simple):
    assert written(make(D)) == simple


@EVERY
def test_an_identity_changes_no_value(name, make, simple):
    plain, short = make(B), make(D)
    assert plain.shape == short.shape
    assert plain.dtype == short.dtype
    for x, y in itertools.product(SPECIAL, SPECIAL):
        for c in (True, False):
            env = {X: x, Y: y, C: c, V: np.array([x, y, 2.0]), M: np.array([[x, y, 0.5], [y, x, -1.0]])}
            env = {k: np.asarray(v) for k, v in env.items()}
            a, b = evaluate([plain, short], env)
            np.testing.assert_allclose(b, a, rtol=1e-15)


def test_what_a_user_records_stays_as_it_is():
    for namespace, value in ((B, X), (TENSORS, wrap(X))):
        node = namespace.node(namespace.add(namespace.multiply(1.0, value), 0.0))
        assert written(node) == "add(multiply(1, x), 0)"


def test_every_identity_is_tried_in_these_tests():
    tried = {"cond"}  # below
    for _, make, _ in [*ARITHMETIC, *CHOICES, *LAYOUT]:
        tried |= {n.op.name for n in topological([make(B)])}
    own = {name for name, rule in IDENTITIES.items() if rule.__module__ in OWN_MODULES}
    assert tried >= own
    assert {"multiply", "reshape", "select"} <= own


def test_single_precision_stays():
    x = symbol("x", dtype=np.float32)
    ones = np.ones((), np.float32)
    assert D.multiply(ones, x) is x
    assert D.multiply(np.float64(1.0), x).dtype == np.float64
    assert D.add_n(x, D.zeros((), np.float32), x).dtype == np.float32
    assert D.multiply(3.0, D.multiply(np.float32(0.5), x)).dtype == np.float32
    third = np.float32(1 / 3)
    assert D.multiply(third, D.multiply(third, x)).dtype == np.float32


def test_results_are_no_longer_weak():
    x = symbol("x", dtype=np.float32)
    for make in (lambda N: N.multiply(1.0, 2.0), lambda N: N.negative(2.0), lambda N: N.power(2.0, 1)):
        assert D.multiply(make(D), x).dtype == B.multiply(make(B), x).dtype == np.float64


def test_shapes_of_a_scalar_identity_broadcast():
    assert D.add(D.zeros((2, 3)), V).shape == (2, 3)
    assert D.power(V, 0).shape == (3,)
    assert D.where(TRUE, X, V).shape == (3,)


def test_a_constant_predicate_chooses_a_body():
    yes = trace(lambda a: B.sin(a), X)
    no = trace(lambda a: B.cos(a), X)
    (value,) = D.cond(True, yes, no, (X,))
    assert written(value) == "sin(x)"
    (value,) = D.cond(False, yes, no, (X,))
    assert written(value) == "cos(x)"
    (value,) = D.cond(C, yes, no, (X,))
    assert value.op.name == "item"


def test_tensors_of_one_node_stay_apart():
    """x + y is not 2*x if x and y are different tensors that share a node."""
    shared = leaf(np.array(2.0))
    recorded = _Recorded()
    a, b = wrap(shared), wrap(shared)
    assert recorded.node(recorded.add(a, a)).op.name == "multiply"
    assert recorded.node(recorded.add(a, b)).op.name == "add"
    mask = wrap(C)
    assert recorded.node(recorded.where(mask, a, b)).op.name == "select"


def test_long_sums_cost_linear_work():
    """Terms of a sum that grows step by step are not flattened again and again."""
    calls = 0

    class Counting(type(D)):
        def made_by(self, value):
            nonlocal calls
            calls += 1
            return super().made_by(value)

    counting = Counting()
    total = X
    for k in range(200):
        total = counting.add_n(total, symbol(f"a{k}"), symbol(f"b{k}"))
    assert calls < 200 * 80


def test_exactness_is_asked_exactly():
    assert exact_product(0.5, 3) == 1.5
    assert exact_product(0.1, 3) is None
    assert exact_product(1e200, 1e200) is None
    assert exact_product(2**40, 2**40) is None
    assert exact_sum(1e16, 1.0) is None
    assert exact_sum(0.25, 0.5) == 0.75
    assert exact_quotient(1, 4) == 0.25
    assert exact_quotient(1, 3) is None
    assert exact_quotient(1, 0) is None


def test_derivatives_are_small():
    """The example of the lesson: 2*x*y and x**2 + cos(y)."""
    z = B.add(B.multiply(B.power(X, 2), Y), B.sin(Y))
    dx, dy = gradient(z, [X, Y])
    assert written(dx) == "multiply(y, multiply(2, x))"
    assert sorted(n.op.name for n in topological([dy]) if n.inputs) == ["add", "cos", "power"]
    third = z
    for _ in range(3):
        (third,) = gradient(B.power(X, 4) if third is z else third, [X])
    assert written(third) == "multiply(24, x)"
