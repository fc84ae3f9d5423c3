import numpy as np
import pytest

from symtape.autodiff.reverse import gradient
from symtape.compile.evaluate import evaluate
from symtape.errors import ShapeError, SymbolicTruthError, UnboundDimensionError
from symtape.graph.node import leaf, symbol
from symtape.graph.shapes import Dim
from symtape.graph.traverse import topological
from symtape.ops.element import index as indices
from symtape.ops.indexing import box_at
from symtape.ops.namespace import NODES as B
from tests.ops.against_numpy import numbers, same
from tests.ops.oracle import by_element
from tests.ops.random_indices import applies, random_index, random_slice

X = np.arange(60.0).reshape(3, 4, 5)
n = Dim("n")


@pytest.mark.parametrize("seed", range(40))
def test_every_mixture_that_numpy_takes(seed):
    rng = np.random.default_rng(seed)
    for _ in range(25):
        shape = tuple(int(k) for k in rng.integers(1, 5, int(rng.integers(1, 5))))
        x = rng.random(shape)
        at = random_index(rng, shape)
        if applies(x, at):
            same(numbers([B.getitem(leaf(x), at)])[0], x[at])
            graph = tuple(leaf(e) if isinstance(e, np.ndarray) and e.dtype.kind == "i" else e for e in at)
            same(numbers([B.getitem(leaf(x), graph)])[0], x[at])
        else:
            with pytest.raises(IndexError):
                B.getitem(leaf(x), at)


@pytest.mark.parametrize(
    "at",
    [
        0,
        -1,
        np.int64(2),
        (),
        ...,
        None,
        (None, 1, None),
        slice(None),
        (slice(5, 0, -2), ..., 0),
        [0, 2],
        [],
        ([0, 1], [1, 2]),
        (0, slice(None), [1, 2]),
        ([1, 2], slice(None), 0),
        (slice(None), [1, 2], [0, 1]),
        (slice(None), 0, [1, 2]),
        (slice(None), [[0], [1]], [2, 3, 4]),
        ([0, 1], None, [1, 2]),
        (np.array(1), np.array(2)),
        True,
        False,
        (True, 1),
        (0, False),
        ([0, 1], True),
        (np.array(True), [0, 2]),
        np.ones((3, 4), bool),
        np.arange(60).reshape(3, 4, 5) % 7 == 0,
        ([True, False, True], 0),
        (slice(None), [True, False, True, False], [0, 1]),
        np.array([1, 0], np.uint8),
    ],
    ids=repr,
)
def test_forms(at):
    same(numbers([B.getitem(leaf(X), at)])[0], X[at])


@pytest.mark.parametrize(
    ("at", "match"),
    [
        (3, "index 3 is out of bounds for axis 0 with size 3"),
        (-4, "index -4 is out of bounds"),
        ((0, 0, 0, 0), "too many indices for array: array is 3-dimensional, but 4 were indexed"),
        ((..., 0, ...), "single ellipsis"),
        ([0, 3], "index 3 is out of bounds"),
        ((0, [0, -5]), "index -5 is out of bounds for axis 1"),
        (([0, 1], [0, 1, 2]), "could not be broadcast"),
        ([True, False], "boolean index did not match"),
        (np.ones((3, 5), bool), "along axis 1; size of axis is 4"),
        (1.0, "must be of integer"),
        ([0.5], "must be of integer"),
        ("a", "must be of integer"),
    ],
)
def test_refused(at, match):
    with pytest.raises(IndexError):
        X[at]
    with pytest.raises(IndexError, match=match):
        B.getitem(leaf(X), at)


def test_slices_refuse_what_is_no_bound():
    with pytest.raises(ValueError, match="slice step cannot be zero"):
        B.getitem(leaf(X), slice(None, None, 0))
    with pytest.raises(TypeError, match=r"must be integers or None.*1\.5"):
        B.getitem(leaf(X), slice(1.5))


def test_an_index_in_the_graph_is_an_input():
    x, i = symbol("x", (5,)), symbol("i", (), np.int64)
    y = B.getitem(x, i)
    assert y.shape == ()
    assert i in y.inputs
    values = np.arange(5.0)
    for k in (0, 3, -2):
        assert evaluate([y], {x: values, i: np.asarray(k)})[0] == values[k]
    with pytest.raises(IndexError):
        evaluate([y], {x: values, i: np.asarray(5)})


def test_an_index_in_the_graph_must_hold_integers():
    with pytest.raises(IndexError, match="float64"):
        B.getitem(leaf(X), symbol("i", (2,)))


def test_a_mask_without_value_cannot_decide_a_shape():
    with pytest.raises(SymbolicTruthError, match=r"np\.where"):
        B.getitem(leaf(X), symbol("m", (3,), np.bool_))


def test_equal_indices_make_one_node():
    x = leaf(X)
    assert B.getitem(x, (slice(None), -1)) is B.getitem(x, (..., 3, slice(None, None, None)))
    assert B.getitem(x, slice(2, 100)) is B.getitem(x, slice(-1, None))


def test_boxes_read_and_write_the_same_places():
    rng = np.random.default_rng(5)
    for _ in range(60):
        shape = tuple(int(k) for k in rng.integers(1, 6, 2))
        x = leaf(rng.random(shape))
        at = tuple(int(rng.integers(-k, k)) if rng.random() < 0.3 else random_slice(rng, k) for k in shape)
        y = B.getitem(x, at)
        v = leaf(rng.random(y.shape))
        e = B.index_embed(v, at, shape)
        s = B.set_slice(x, v, y.params[0])
        wanted = np.zeros(shape)
        wanted[at] = v.value
        same(numbers([e])[0], wanted)
        replaced = x.value.copy()
        replaced[at] = v.value
        same(numbers([s])[0], replaced)
        for node in (y, e, s):
            values = [i.value for i in node.inputs]
            by_rule = by_element(node.op, node.inputs, node.params, values, node.shape, node.dtype)
            np.testing.assert_array_equal(by_rule, numbers([node])[0])


def test_a_box_that_takes_all_has_no_bounds():
    assert box_at(((0, 4, 1), (0, n, 1)), (4, n), indices(2)) == ((), indices(2))


def test_box_ops_refuse_what_does_not_fit():
    x = leaf(np.zeros(4))
    with pytest.raises(ShapeError, match=r"shape \(3,\) does not fit an index that selects \(2,\)"):
        B.embed((leaf(np.zeros(3)),), (((0, 2, 1),),), (4,))
    with pytest.raises(ShapeError, match="does not fit axis 0, which has length 4"):
        B.slice_box(x, ((2, 3, 1),))
    with pytest.raises(ShapeError, match="does not fit"):
        B.set_slice(x, leaf(np.zeros(1)), ((0, 2, 1),))
    with pytest.raises(IndexError, match="out of bounds"):
        B.slice_box(x, (4,))
    with pytest.raises(IndexError, match="only ints and slices"):
        B.index_embed(x, [0, 1, 2, 3], (4,))


def test_the_gradient_of_reading_all_elements_apart():
    x = leaf(np.array([2.0, 3.0, 5.0]))
    a, b, c = (B.getitem(x, k) for k in range(3))
    (g,) = gradient(B.multiply(B.multiply(a, b), c), [x])
    np.testing.assert_array_equal(evaluate([g])[0], [15.0, 10.0, 6.0])


def test_named_lengths():
    x = symbol("x", (n, 3))
    assert B.getitem(x, slice(1, None)).shape == (n - 1, 3)
    assert B.getitem(x, slice(None, -1)).shape == (n - 1, 3)
    assert B.getitem(x, slice(2, -2)).shape == (n - 4, 3)
    assert B.getitem(x, slice(None, None, -1)).shape == (n, 3)
    assert B.getitem(x, slice(None, 2)).shape == (2, 3)
    assert B.getitem(x, slice(-2, None)).shape == (2, 3)
    assert B.getitem(x, (-1, None)).shape == (1, 3)
    assert B.getitem(x, (slice(None), [0, 1, 1])).shape == (n, 3)
    assert B.getitem(x, symbol("i", (n,), np.int64)).shape == (n, 3)
    assert B.getitem(symbol("y", (2 * n,)), slice(1, None, 2)).shape == (n,)
    with pytest.raises(UnboundDimensionError, match="n"):
        B.getitem(x, slice(None, None, 2))


def test_gradients_with_named_lengths():
    x = symbol("x", (n,))
    d = B.subtract(B.getitem(x, slice(1, None)), B.getitem(x, slice(None, -1)))
    (g,) = gradient(B.sum(B.multiply(d, d)), [x])
    assert g.shape == (n,)


def test_masks_of_cotangents_go_with_the_values():
    x = leaf(np.array([-1.0, 0.0, 4.0]))
    y = B.getitem(x, slice(None, None, -1))
    chosen = B.where(B.greater(y, 0), B.sqrt(y), B.const(np.zeros(3)))
    (g,) = gradient(B.sum(chosen), [x])
    np.testing.assert_array_equal(evaluate([g])[0], [0.0, 0.0, 0.25])


def test_reading_costs_one_node():
    x = leaf(X)
    for at in (1, (slice(None), 2), (..., 0), [0, 1]):
        assert len([node for node in topological([B.getitem(x, at)]) if node.inputs]) == 1
