import numpy as np
import pytest

from symtape.autodiff.forward import tangents
from symtape.autodiff.reverse import gradient
from symtape.compile.evaluate import evaluate
from symtape.errors import ShapeError
from symtape.graph.node import leaf, symbol
from symtape.graph.shapes import Dim
from symtape.graph.traverse import topological
from symtape.ops.namespace import NODES as B
from symtape.ops.scans import CUMPROD, CUMSUM
from tests.ops.against_numpy import agree, both_refuse, numbers, same

rng = np.random.default_rng(0)
X = rng.random((2, 3, 4)) - 0.4
n = Dim("n")


@pytest.mark.parametrize("name", ["cumsum", "cumprod"])
def test_scans(name):
    for axis in (None, 0, 1, -1):
        agree(name, X, axis=axis)
    agree(name, np.array(2.0))
    agree(name, np.array(2.0), axis=0)
    agree(name, np.zeros(0))
    agree(name, np.zeros((0, 2)), axis=1)
    agree(name, np.array([True, False, True]))
    agree(name, np.array([3, 2], "i1"))
    agree(name, np.array([100, 100], "i1"), dtype="i1")
    agree(name, X.astype("f4"), dtype="f8")
    both_refuse(name, X, axis=3)
    with pytest.raises(TypeError, match="out"):
        getattr(B, name)(leaf(X), out=np.zeros(24))


def test_accumulate_of_a_ufunc():
    for name, ufunc in (("add", np.add), ("multiply", np.multiply)):
        ours = getattr(B, f"{name}_accumulate")
        same(numbers([ours(leaf(X))])[0], ufunc.accumulate(X))
        same(numbers([ours(leaf(X), axis=-1)])[0], ufunc.accumulate(X, axis=-1))


def test_backwards():
    for op, scan in ((CUMSUM, np.cumsum), (CUMPROD, np.cumprod)):
        y = numbers([B.build(op, (leaf(X),), (1, True))])[0]
        same(y, np.flip(scan(np.flip(X, 1), 1), 1))


def test_the_gradient_of_a_running_sum_is_one_scan():
    x = leaf(X)
    (g,) = gradient(B.cumsum(x, axis=1), [x])
    assert [node.op.name for node in topological([g]) if node.inputs] == ["broadcast_to", "cumsum"]


def slow_recurrence(a, b, axis, reverse, previous):
    a, b = (np.moveaxis(m, axis, 0) for m in (a, b))
    if reverse:
        a, b = a[::-1], b[::-1]
    y = np.empty(b.shape)
    for k in range(len(b)):
        y[k] = b[k] if k == 0 else a[k - 1 if previous else k] * y[k - 1] + b[k]
    return np.moveaxis(y[::-1] if reverse else y, 0, axis)


@pytest.mark.parametrize("reverse", [False, True])
@pytest.mark.parametrize("previous", [False, True])
@pytest.mark.parametrize("shape", [(5,), (3, 4), (2, 3, 20), (1, 4), (0, 3), (40, 2, 3)])
def test_linear_recurrences(reverse, previous, shape):
    a, b = rng.random(shape), rng.random(shape)
    for axis in range(len(shape)):
        y = B.linear_recurrence(leaf(a), leaf(b), axis, reverse, previous)
        same(numbers([y])[0], slow_recurrence(a, b, axis, reverse, previous))


def test_a_factor_without_use_does_no_harm():
    a, b = np.array([np.inf, 2.0, np.nan]), np.array([0.0, 1.0, 3.0])
    same(numbers([B.linear_recurrence(leaf(a[:2]), leaf(b[:2]))])[0], np.array([0.0, 1.0]))
    same(numbers([B.linear_recurrence(leaf(a[1:]), leaf(b[1:]), previous=True)])[0], np.array([1.0, 5.0]))


def test_single_precision_stays():
    a = leaf(np.ones(4, "f4"))
    assert B.linear_recurrence(a, a).dtype == np.float32
    numbers([B.linear_recurrence(a, a)])


def test_recurrences_refuse_what_does_not_fit():
    with pytest.raises(ShapeError, match=r"one shape, got \(3,\) and \(4,\)"):
        B.linear_recurrence(leaf(np.ones(3)), leaf(np.ones(4)))


def derivative(f, x, order):
    node = leaf(np.array(x))
    y = f(node)
    level = [B.getitem(y, k) for k in range(len(x))]
    for _ in range(order):
        level = [B.getitem(gradient(z, [node])[0], k) for z in level for k in range(len(x))]
    return np.array(evaluate(level)).reshape((len(x),) * (order + 1))


def exact(x, order):
    out = np.zeros((len(x),) * (order + 1))
    for k, *at in np.ndindex(out.shape):
        if len(set(at)) == order and max(at) <= k:
            out[(k, *at)] = np.prod(np.delete(x[: k + 1], at))
    return out


@pytest.mark.parametrize("x", [[2.0, 3.0, 5.0], [2.0, 0.0, 5.0], [0.0, 0.0, 7.0], [0.0, 3.0, 0.0]])
@pytest.mark.parametrize("order", [1, 2, 3])
def test_derivatives_of_running_products_with_zeros(x, order):
    np.testing.assert_allclose(derivative(B.cumprod, x, order), exact(x, order))


def test_tangents_of_running_products_with_zeros():
    x = leaf(np.array([2.0, 0.0, 5.0, 0.0]))
    d = np.array([1.0, 10.0, 100.0, 1000.0])
    (t,) = tangents([B.cumprod(x)], [x], [B.const(d)])
    np.testing.assert_allclose(evaluate([t])[0], exact(x.value, 1) @ d)


def test_named_lengths():
    x = symbol("x", (n,))
    assert B.cumsum(x).shape == (n,)
    for name in ("cumsum", "cumprod"):
        (g,) = gradient(B.sum(getattr(B, name)(x)), [x])
        assert g.shape == (n,)
