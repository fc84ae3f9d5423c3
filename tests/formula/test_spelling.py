import numpy as np
import pytest

from symtape.autodiff.reverse import gradient
from symtape.formula.named import named_form
from symtape.formula.spelling import spelled
from symtape.graph.node import leaf, symbol
from symtape.graph.shapes import Dim
from symtape.ops.boxes import as_slices
from symtape.ops.namespace import NODES as B
from symtape.ops.registry import op_named
from tests.ops.random_indices import random_slice

n = Dim("n")
X = leaf(np.arange(60.0).reshape(3, 4, 5), "x")
V = leaf(np.arange(4.0) + 1, "v")
I = leaf(np.array([1, 2]), "i")


@pytest.mark.parametrize(
    ("node", "text"),
    [
        (B.getitem(X, 1), "x[1]"),
        (B.getitem(X, (-1, ..., 2)), "x[2, :, 2]"),
        (B.getitem(X, slice(None)), "x[:]"),
        (B.getitem(X, slice(None, None, -1)), "x[::-1]"),
        (B.getitem(X, (slice(1, None), slice(None, 3, 2))), "x[1:, ::2]"),
        (B.getitem(symbol("y", (n,)), slice(1, None)), "x[1:]"),
        (B.getitem(symbol("y", (n,)), slice(None, -1)), "x[:n - 1]"),
        (B.getitem(symbol("y", ()), ()), "x[()]"),
        (B.index_embed(V, slice(1, 5), (6,)), "zeros((6,)).at[1:5].set(x)"),
        (B.embed((B.getitem(V, 0), V), ((4,), ((0, 4, 1),)), (5,)), "zeros((5,)).at[4].set(x).at[:4].set(y)"),
        (B.index_set(V, 2, 0.5), "x.at[2].set(y)"),
        (B.getitem(X, I), "x[y]"),
        (B.getitem(X, (slice(None), I, I)), "x[:, y, z]"),
        (B.getitem(X, (I, slice(None), I)), "x[y, :, z]"),
        (B.gather(X, (I,), (1,), 0), None),
        (B.scatter_add(symbol("w", (2,)), (I,), (0,), 0, (5,)), "zeros((5,)).at[y].add(x)"),
        (B.index_set(V, I, symbol("w", (2,))), "x.at[z].set(y)"),
        (B.concatenate((V, V)), "concatenate((x, y))"),
        (B.concatenate((X, X), axis=2), "concatenate((x, y), axis=2)"),
        (B.stack((V,)), "stack((x,))"),
        (B.stack((V, V), axis=1), "stack((x, y), axis=1)"),
        (B.cumsum(V), "cumsum(x)"),
        (B.cumprod(X, axis=1), "cumprod(x, axis=1)"),
        (B.build(op_named("cumsum"), (V,), (0, True)), "flip(cumsum(flip(x)))"),
        (B.build(op_named("cumsum"), (X,), (1, True)), "flip(cumsum(flip(x, axis=1), axis=1), axis=1)"),
        (B.linear_recurrence(V, V), "linear_recurrence(x, y)"),
        (B.linear_recurrence(X, X, 1, True), "linear_recurrence(x, y, axis=1, reverse=True)"),
        (B.diag(V), "diag(x)"),
        (B.diag(V, -1), "diag(x, -1)"),
        (B.diagonal_matrix(X), "diagonal_matrix(x)"),
        (B.diagonal(B.getitem(X, 0)), "diagonal(x)"),
        (B.linalg_diagonal(X, offset=1), "linalg.diagonal(x, offset=1)"),
        (B.positions(symbol("y", (n, 2)), 0), "arange(x.shape[0])"),
        (B.build(op_named("length"), (X,), ((0, 1, 2),)), "size(x)"),
        (B.build(op_named("length"), (X,), ((0, 2),)), "x.shape[0] * x.shape[2]"),
        (B.build(op_named("true_positions"), (B.greater(V, 0),), (4, 1)), "flatnonzero(x)"),
        (B.sin(V), None),
    ],
    ids=lambda v: v if isinstance(v, str) else "",
)
def test_spellings(node, text):
    assert spelled(node, ["x", "y", "z"][: len(node.inputs)]) == text


def test_slices_read_as_numpy_reads_them():
    rng = np.random.default_rng(0)
    x = X.value
    for _ in range(100):
        node = B.getitem(X, tuple(random_slice(rng, k) for k in x.shape))
        np.testing.assert_array_equal(eval(spelled(node, ["x"])), x[as_slices(node.params[0])])


def test_names_of_functions_are_dressed_for_a_page():
    assert spelled(B.cumsum(V), ["x"], lambda name: f"<{name}>") == "<cumsum>(x)"
    assert r"y &= \operatorname{diag}(v)" in named_form([B.diag(V)], ["y"]).latex()


def test_the_gradient_of_unpacking_reads_as_a_person_would_write_it():
    a, b, c, d = (B.getitem(V, k) for k in range(4))
    (g,) = gradient(B.add(B.multiply(a, b), B.multiply(c, d)), [V])
    assert str(named_form([g], ["g"])).splitlines()[-1] == "g = stack((t0, t1, t2, t3))"
