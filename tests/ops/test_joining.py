import numpy as np
import pytest

from symtape.autodiff.reverse import gradient
from symtape.compile.evaluate import evaluate
from symtape.errors import DTypeError, ShapeError, UnboundDimensionError, UnknownNameError
from symtape.graph.node import leaf, symbol
from symtape.graph.shapes import Dim
from symtape.ops.namespace import NODES as B
from tests.ops.against_numpy import agree, both_refuse, numbers, same

rng = np.random.default_rng(0)
A, C = rng.random((2, 3)), rng.random((2, 3))
V, W = rng.random(3), rng.random(3)
S = np.array(2.5)
n = Dim("n")


def test_concatenate():
    agree("concatenate", (A, C))
    agree("concatenate", [A, C, A], axis=-1)
    agree("concatenate", (V, W, np.zeros(0)))
    agree("concatenate", (A, V), axis=None)
    agree("concatenate", (S, A), axis=None)
    agree("concatenate", (V, np.array([1, 2])))
    agree("concatenate", (V.astype("f4"), W))
    agree("concatenate", (V, W), dtype="f4")
    agree("concatenate", A)


def test_concatenate_refuses():
    both_refuse("concatenate", (S, S), match="zero-dimensional")
    both_refuse("concatenate", (A, V), match="index 0 has 2 dimension.* index 1 has 1")
    both_refuse("concatenate", (A, C[:, :2]), match="dimension 1, .* size 3 .* size 2")
    both_refuse("concatenate", (A, C), axis=2)
    both_refuse("concatenate", (), match="need at least one array")
    with pytest.raises(TypeError, match="casting"):
        B.concatenate((A, C), casting="unsafe")


def test_the_ops_themselves_refuse_mixed_dtypes():
    from symtape.ops.joining import CONCATENATE, STACK

    with pytest.raises(DTypeError, match="float64, int64"):
        B.build(CONCATENATE, (leaf(V), leaf(np.arange(3))), (0,))
    with pytest.raises(DTypeError, match="stack needs inputs of one dtype"):
        B.build(STACK, (leaf(V), leaf(np.arange(3))), (0,))


def test_stack():
    for axis in (0, 1, 2, -1, -3):
        agree("stack", (A, C), axis=axis)
    agree("stack", [S, S])
    agree("stack", (S, np.array(1)))
    agree("stack", [2.0, S])
    agree("stack", A)
    both_refuse("stack", (A, V), match="same shape")
    both_refuse("stack", (A, C), axis=3)
    both_refuse("stack", [], match="need at least one array to stack")


def test_kin_of_stack():
    for name in ("vstack", "hstack", "dstack", "column_stack"):
        agree(name, (A, C))
        agree(name, (V, W))
        agree(name, [S, np.array(1.0)])
    agree("column_stack", (V, rng.random((3, 2))))
    agree("vstack", (A, V))
    agree("hstack", (V, W), dtype="f4")
    both_refuse("vstack", (A, V[:2]))
    both_refuse("hstack", (A, rng.random((3, 3))))


def test_append():
    agree("append", A, V)
    agree("append", A, C, axis=1)
    agree("append", V, 2.0)
    both_refuse("append", A, V, axis=0)


def test_block():
    agree("block", [[A, C], [C, A]])
    agree("block", [A, C])
    agree("block", [V, S, W])
    agree("block", [[np.eye(2), A[:, :1]], [A[:1, :2], 1.0]])
    agree("block", [[[A]]])
    agree("block", A)
    both_refuse("block", [[A], C], match="mismatched")
    both_refuse("block", [[A], []], match="empty")
    both_refuse("block", [(A, C)], match="tuple")
    both_refuse("block", [[A, V]])


def test_tile():
    for reps in (2, (2,), (2, 1), (2, 1, 3), (1, 0), ()):
        agree("tile", A, reps)
    agree("tile", S, 3)
    agree("tile", V, (2, 2))
    with pytest.raises(TypeError, match="count of repetitions"):
        B.tile(leaf(A), 1.5)


def test_repeat():
    for axis in (None, 0, 1, -1):
        agree("repeat", A, 2, axis=axis)
    same(numbers([B.repeat(leaf(A), [1, 0, 2], axis=1)])[0], np.repeat(A, [1, 0, 2], axis=1))
    same(numbers([B.repeat(leaf(A), np.array([3]), axis=0)])[0], np.repeat(A, [3], axis=0))
    both_refuse("repeat", A, -1, match="negative")
    both_refuse("repeat", A, [1, 2], axis=1, match="one count or one per element")
    with pytest.raises(TypeError, match="integers, got float64"):
        B.repeat(leaf(A), 1.5)
    both_refuse("repeat", A, 1, axis=2)


@pytest.mark.parametrize("mode", ["constant", "edge", "reflect", "symmetric", "wrap"])
@pytest.mark.parametrize("width", [1, (1, 2), ((0, 2), (1, 0)), ((3, 3), (4, 4)), {1: (1, 2)}])
def test_pad(mode, width):
    full = width
    if isinstance(width, dict):
        full = ((0, 0), (1, 2))  # the form is younger than NumPy 2.0
    same(numbers([B.pad(leaf(A), width, mode=mode)])[0], np.pad(A, full, mode=mode))


def test_pad_with_values():
    agree("pad", A, 1, constant_values=2.0)
    agree("pad", A, ((1, 0), (2, 2)), constant_values=((1, 2), (0, 4)))
    agree("pad", np.arange(3), 1, constant_values=7)
    x, c = leaf(V), leaf(np.array(3.0))
    y = B.pad(x, (1, 2), constant_values=c)
    same(numbers([y])[0], np.pad(V, (1, 2), constant_values=3.0))
    assert evaluate(gradient(B.sum(y), [c]))[0] == 3.0


def test_pad_refuses():
    both_refuse("pad", A, -1, match="negative")
    both_refuse("pad", A, 1.5, match="integral")
    both_refuse("pad", A, (1, 2, 3), match="pad_width")
    both_refuse("pad", A, 1, mode="edge", constant_values=1, match="unsupported keyword")
    with pytest.raises(UnknownNameError, match="constant, edge, empty"):
        B.pad(leaf(A), 1, mode="mirror")
    with pytest.raises(UnknownNameError, match="odd"):
        B.pad(leaf(A), 1, mode="reflect", reflect_type="skew")
    with pytest.raises(ValueError, match="yields no value"):
        B.pad(leaf(A), 1, mode="maximum", stat_length=0)
    with pytest.raises(TypeError, match=r"np\.concatenate"):
        B.pad(leaf(A), 1, mode=lambda *arguments: None)


def test_gradients_come_apart_as_the_parts_did():
    x, y = leaf(V), leaf(A)
    joined = B.concatenate((B.ravel(y), x))
    weights = B.const(np.arange(9.0))
    gx, gy = gradient(B.sum(B.multiply(weights, joined)), [x, y])
    np.testing.assert_array_equal(evaluate([gx])[0], [6.0, 7.0, 8.0])
    np.testing.assert_array_equal(evaluate([gy])[0], [[0.0, 1.0, 2.0], [3.0, 4.0, 5.0]])


def test_a_part_of_lower_precision_gets_a_gradient_of_its_own_precision():
    x = leaf(V.astype("f4"))
    (g,) = gradient(B.sum(B.concatenate((x, leaf(W)))), [x])
    assert g.dtype == np.float32


def test_named_lengths():
    x = symbol("x", (n,))
    assert B.concatenate((x, x, leaf(V))).shape == (2 * n + 3,)
    assert B.stack((x, x), axis=1).shape == (n, 2)
    assert B.tile(x, (2, 3)).shape == (2, 3 * n)
    assert B.repeat(x, 2).shape == (2 * n,)
    assert B.pad(x, 1).shape == (n + 2,)
    (g,) = gradient(B.sum(B.concatenate((leaf(V), x))), [x])
    assert g.shape == (n,)
    with pytest.raises(ShapeError, match="n"):
        B.stack((x, leaf(V)))
    with pytest.raises(UnboundDimensionError, match="n has no number yet"):
        B.pad(x, 1, mode="edge")
    with pytest.raises(TypeError, match="one tensor"):
        B.concatenate(x)
