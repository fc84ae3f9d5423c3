import numpy as np
import pytest

from symtape.autodiff.reverse import gradient
from symtape.compile.evaluate import evaluate
from symtape.errors import AssumptionViolated, SymbolicTruthError
from symtape.graph.node import leaf, symbol
from symtape.graph.traverse import topological
from symtape.ops.masks import TRUE_POSITIONS
from symtape.ops.namespace import NODES, Nodes
from tests.ops.against_numpy import numbers, same


class Counting(Nodes):
    """Nodes whose masks are counted by their values, as a tape counts them."""

    def count_true(self, mask):
        return int(np.count_nonzero(evaluate([mask])[0]))


B = Counting()
X = np.random.default_rng(0).integers(-2, 3, (3, 4)).astype(float)
M = X > 0


@pytest.mark.parametrize(
    "at",
    [
        lambda m: m,
        lambda m: (m, None),
        lambda m: (None, m),
        lambda m: (..., m),
    ],
)
def test_a_mask_in_the_graph_reads_as_a_known_one(at):
    same(numbers([B.getitem(leaf(X), at(leaf(M)))])[0], X[at(M)])
    stacked = np.stack([X, 2 * X], axis=-1)
    if at(1) == 1:
        same(numbers([B.getitem(leaf(stacked), leaf(M))])[0], stacked[M])
        same(numbers([B.getitem(leaf(stacked), (leaf(M), 1))])[0], stacked[M, 1])
        same(numbers([B.getitem(leaf(stacked), (leaf(M), [1]))])[0], stacked[M, [1]])
        same(numbers([B.getitem(leaf(X), (slice(None), leaf(M[0])))])[0], X[:, M[0]])
        same(
            numbers([B.getitem(leaf(stacked), (leaf(M[:, 0]), slice(None), [0, 1, 1][: M[:, 0].sum()]))])[0],
            stacked[M[:, 0], :, [0, 1, 1][: M[:, 0].sum()]],
        )


def test_scalars_of_truth_in_the_graph():
    for truth in (True, False):
        same(numbers([B.getitem(leaf(X), leaf(np.array(truth)))])[0], X[np.array(truth)])


def test_shapes_that_do_not_match():
    with pytest.raises(IndexError, match="axis 1; size of axis is 4"):
        B.getitem(leaf(X), leaf(np.ones((3, 3), bool)))


def test_writing_and_gradients():
    x, m = leaf(X), leaf(M)
    v = leaf(np.arange(float(M.sum())))
    wanted = X.copy()
    wanted[M] = v.value
    y = B.index_set(x, m, v)
    same(numbers([y])[0], wanted)
    gx, gv = gradient(B.sum(B.multiply(y, y)), [x, v])
    np.testing.assert_array_equal(evaluate([gx])[0], np.where(M, 0, 2 * X))
    np.testing.assert_array_equal(evaluate([gv])[0], 2 * v.value)
    assert "equal" not in {node.op.name for node in topological([gv])}  # places of a mask differ: no search for winners
    (g,) = gradient(B.sum(B.sqrt(B.getitem(x, m))), [x])
    np.testing.assert_allclose(evaluate([g])[0], np.where(M, 0.5 / np.sqrt(np.where(M, X, 1.0)), 0.0))
    same(numbers([B.index_multiply(x, m, v)])[0], np.where(M, 1.0, X) * np.where(M, 0.0, 1.0) + _placed(X[M] * v.value))


def _placed(values):
    out = np.zeros(X.shape)
    out[M] = values
    return out


def test_positions():
    for x in (X, X[0], X > 0, np.zeros((2, 0))):
        for ours, theirs in zip(B.nonzero(leaf(x)), np.nonzero(x), strict=True):
            same(numbers([ours])[0], theirs)
        same(numbers([B.flatnonzero(leaf(x))])[0], np.flatnonzero(x))
        same(numbers([B.argwhere(leaf(x))])[0], np.argwhere(x))
    with pytest.raises(ValueError, match="0d"):
        B.nonzero(leaf(np.array(1.0)))
    with pytest.raises(TypeError, match=r"np\.where\(condition, a, b\).*np\.nonzero\(condition\)"):
        B.where(leaf(M))
    with pytest.raises(ValueError, match="both or neither"):
        B.where(leaf(M), leaf(X))


def test_compress_and_extract():
    for condition in ([True, False, True], np.array([0, 1]), leaf(np.array([True, False, True]))):
        known = condition if not hasattr(condition, "op") else condition.value
        same(numbers([B.compress(condition, leaf(X), axis=0)])[0], np.compress(known, X, axis=0))
    same(numbers([B.compress(leaf(M.ravel()), leaf(X))])[0], np.compress(M.ravel(), X))
    same(numbers([B.extract(leaf(M), leaf(X))])[0], np.extract(M, X))
    same(numbers([B.extract(M, leaf(X))])[0], np.extract(M, X))
    with pytest.raises(ValueError, match="1-d"):
        B.compress(M, leaf(X))
    with pytest.raises(IndexError, match="out of bounds"):
        B.compress([False] * 3 + [True], leaf(X), axis=0)


def test_another_number_of_true_elements_is_a_violated_assumption():
    m = symbol("m", (3,), np.bool_)
    positions = NODES.build(TRUE_POSITIONS, (m,), (2, 1))
    assert evaluate([positions], {m: np.array([True, False, True])})[0].tolist() == [0, 2]
    with pytest.raises(AssumptionViolated, match=r"has 1 true elements, .* recorded with 2"):
        evaluate([positions], {m: np.array([True, False, False])})


def test_without_a_value_the_number_is_not_known():
    m = symbol("m", (3,), np.bool_)
    with pytest.raises(SymbolicTruthError, match=r"np\.where"):
        NODES.getitem(leaf(X[:, 0]), m)
    with pytest.raises(SymbolicTruthError):
        NODES.nonzero(m)
