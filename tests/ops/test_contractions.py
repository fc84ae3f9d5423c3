"""Contractions: NumPy's errors, plain forms, derivatives that read as they should."""

import numpy as np
import pytest

from symtape.autodiff.batching import batch_graph
from symtape.autodiff.reverse import gradient
from symtape.compile.evaluate import evaluate
from symtape.errors import ShapeError
from symtape.graph.node import constant, symbol
from symtape.graph.shapes import Dim
from symtape.graph.traverse import topological
from symtape.ops.namespace import DERIVATIVES, NODES


def leaf(*shape, dtype="f8"):
    return symbol(None, shape, dtype)


def ops(node):
    return [n.op.name for n in topological([node]) if n.inputs]


def values(node, **given):
    return evaluate([node], given["env"])[0]


def same_error(ours, numpys):
    """Both raise, and whoever catches NumPy's error catches ours."""
    with pytest.raises(Exception) as expected:
        numpys()
    with pytest.raises(expected.type):
        ours()


BAD_MATMUL = [((), (3,)), ((3,), ()), ((3,), (4,)), ((2, 3), (2, 3)), ((2, 3), (4,)), ((2, 2, 3), (3, 3, 2))]


@pytest.mark.parametrize(("a", "b"), BAD_MATMUL)
def test_matmul_refuses_what_numpy_refuses(a, b):
    same_error(lambda: NODES.matmul(leaf(*a), leaf(*b)), lambda: np.matmul(np.ones(a), np.ones(b)))


def test_matmul_names_the_shapes():
    with pytest.raises(ShapeError, match=r"\(2, 3\) and \(4, 5\) do not fit.*length 3.*second 4"):
        NODES.matmul(leaf(2, 3), leaf(4, 5))


BAD_EINSUM = [
    ("ij,jk", (2, 3)),
    ("ij", (2, 3), (3, 4)),
    ("ij", (3,)),
    ("i", (3, 3)),
    ("i,i", (3,), (4,)),
    ("ii", (2, 3)),
    ("ii->i", (1, 3)),
    ("i->ii", (3,)),
    ("i->j", (3,)),
    ("...i->i", (2, 3)),
    ("...->", (2, 3)),
    ("i.j", (2, 3)),
    ("....", (2, 3)),
    ("i$", (3,)),
    ("i->i->i", (3,)),
    ("i->i,", (3,)),
]


@pytest.mark.parametrize("bad", BAD_EINSUM, ids=lambda bad: bad[0])
def test_einsum_refuses_what_numpy_refuses(bad):
    text, *shapes = bad
    same_error(
        lambda: NODES.einsum(text, *[leaf(*s) for s in shapes]), lambda: np.einsum(text, *[np.ones(s) for s in shapes])
    )


@pytest.mark.parametrize("sublist", [[0, 60], [0, -1], [0]])
def test_einsum_refuses_bad_sublists(sublist):
    same_error(lambda: NODES.einsum(leaf(2, 3), sublist), lambda: np.einsum(np.ones((2, 3)), sublist))


def test_einsum_refuses_a_sublist_that_is_none():
    with pytest.raises(TypeError, match="sequence of integers"):
        NODES.einsum(leaf(2, 3), 5)
    with pytest.raises(TypeError, match="integer or an ellipsis"):
        NODES.einsum(leaf(2, 3), ["i", "j"])


def test_einsum_needs_an_operand():
    same_error(lambda: NODES.einsum("ij"), lambda: np.einsum("ij"))


def test_einsum_refuses_out():
    with pytest.raises(TypeError, match="cannot be recorded"):
        NODES.einsum("i", leaf(3), out=np.zeros(3))


def test_einsum_casts_as_it_is_told():
    node = NODES.einsum("i,i", leaf(3, dtype="f4"), leaf(3, dtype="f4"), dtype=np.float64)
    assert node.dtype == np.float64
    with pytest.raises(TypeError, match="rule 'safe'"):
        NODES.einsum("i,i", leaf(3), leaf(3), dtype=np.float32)
    assert NODES.einsum("i,i", leaf(3), leaf(3), dtype=np.float32, casting="unsafe").dtype == np.float32


def test_equal_contractions_are_one_node():
    a, b = leaf(2, 3), leaf(3, 4)
    assert NODES.einsum("ij,jk->ik", a, b) is NODES.einsum(" xy, yz -> xz", a, b)
    assert NODES.einsum("ij,jk->ik", a, b) is NODES.einsum(a, [7, 3], b, [3, 9], [7, 9], optimize=True)


def test_letters_keep_their_order_in_an_implicit_result():
    rng = np.random.default_rng(1)
    a = rng.random((2, 3))
    x = leaf(2, 3)
    for text in ("ba", "Ab", "bA", "aB"):
        np.testing.assert_array_equal(evaluate([NODES.einsum(text, x)], {x: a})[0], np.einsum(text, a))
    for sublist in ([1, 0], [26, 0], [0, 26], [51, 3]):
        np.testing.assert_array_equal(evaluate([NODES.einsum(x, sublist)], {x: a})[0], np.einsum(a, sublist))


def test_booleans_and_small_integers_stay_what_they_are():
    for dtype in ("?", "i1", "i4"):
        a = np.array([[1, 0, 1], [1, 1, 0]], dtype)
        for text in ("ij->", "ij->j", "ij,ij->i"):
            arrays = [a] * (1 + text.count(","))
            expected = np.einsum(text, *arrays)
            (ours,) = evaluate([NODES.einsum(text, *[constant(x) for x in arrays])])
            assert ours.dtype == expected.dtype
            np.testing.assert_array_equal(ours, expected)


def test_large_contractions_go_through_a_path():
    rng = np.random.default_rng(2)
    a, b, c = rng.random((30, 40)), rng.random((40, 50)), rng.random((50, 20))
    (ours,) = evaluate([NODES.einsum("ij,jk,kl->il", constant(a), constant(b), constant(c))])
    np.testing.assert_allclose(ours, a @ b @ c, rtol=1e-12)


def test_zeros_off_a_diagonal_are_exact():
    v = leaf(3)
    (g,) = gradient(NODES.einsum("ii->i", NODES.einsum("a,b->ab", v, v)), [v])
    assert np.isfinite(evaluate([g], {v: np.array([1.0, 2.0, 3.0])})[0]).all()
    embedded = NODES.contract("a->aa", v)
    (value,) = evaluate([embedded], {v: np.array([np.inf, np.nan, 1.0])})
    off = value[~np.eye(3, dtype=bool)]
    np.testing.assert_array_equal(off, np.zeros(6))


# --------------------------------------------------------------------------------------- derivatives that read well


def test_the_gradient_of_least_squares_is_the_textbooks():
    A, b, v = leaf(5, 3), leaf(5), leaf(3)
    residual = NODES.subtract(NODES.matmul(A, v), b)
    (g,) = gradient(NODES.sum(NODES.square(residual)), [v])
    assert g.op.name == "matmul"
    assert g.inputs[0].op.name == "transpose"
    assert g.inputs[0].inputs == (A,)
    assert "einsum" not in ops(g)


def test_contractions_that_are_products_of_matrices_are_written_so():
    a, b, v = leaf(2, 3), leaf(3, 4), leaf(3)
    for text, operands, expected in [
        ("ab,bc->ac", (a, b), ["matmul"]),
        ("ab,bc->ca", (a, b), ["transpose", "transpose", "matmul"]),
        ("ab,b->a", (a, v), ["matmul"]),
        ("b,ab->a", (v, a), ["matmul"]),
        ("a,a->", (v, v), ["matmul"]),
        ("a,b->ab", (v, v), ["reshape", "multiply"]),
        ("ab->ba", (a,), ["transpose"]),
        ("ab->a", (a,), ["sum"]),
        ("ab->", (a,), ["sum"]),
        ("ab,ab->a", (a, a), ["einsum"]),
        ("a->aa", (v,), ["einsum"]),
    ]:
        assert ops(NODES.contract(text, *operands)) == expected, text


@pytest.mark.parametrize(
    "text", ["ab,bc->ac", "ab,bc->ca", "a,ab->b", "ab,cb->ca", "a,b->ba", "ab,b->ba", "abc->ca", "ab,a->"]
)
def test_contract_means_einsum(text):
    rng = np.random.default_rng(3)
    lengths = {"a": 2, "b": 3, "c": 4}
    terms = text.split("->")[0].split(",")
    arrays = [rng.random([lengths[c] for c in term]) for term in terms]
    leaves = [leaf(*x.shape) for x in arrays]
    (ours,) = evaluate([NODES.contract(text, *leaves)], dict(zip(leaves, arrays, strict=True)))
    np.testing.assert_allclose(ours, np.einsum(text, *arrays), rtol=1e-14)


# ------------------------------------------------------------------------------------------------------ named lengths


def test_named_lengths_pass_through():
    n, m = Dim("n"), Dim("m")
    A, x = leaf(n, m), leaf(m)
    y = NODES.matmul(A, x)
    assert y.shape == (n,)
    gA, gx = gradient(NODES.sum(y), [A, x])
    assert gA.shape == (n, m)
    assert gx.shape == (m,)
    assert NODES.einsum("ij,kj->ik", A, leaf(3, m)).shape == (n, 3)
    assert NODES.kron(leaf(n), leaf(2)).shape == (2 * n,)
    with pytest.raises(ShapeError):
        NODES.matmul(A, leaf(n))


def test_traces_of_named_lengths():
    n = Dim("n")
    A = leaf(n, n)
    (g,) = gradient(NODES.trace(A), [A])
    assert g.shape == (n, n)
    with pytest.raises(ShapeError, match="known length"):
        NODES.trace(A, 1)


# --------------------------------------------------------------------------------------------------- errors of products

BAD_PRODUCTS = [
    ("dot", ((2, 3), (2, 3))),
    ("dot", ((3,), (2, 2, 3))),
    ("inner", ((2, 3), (3, 2))),
    ("vdot", ((2,), (3,))),
    ("trace", ((3,),)),
    ("vecdot", ((3,), (2, 1))),
    ("vecdot", ((), (3,))),
    ("cross", ((4,), (4,))),
    ("tensordot", ((2, 3), (3, 2))),
]


@pytest.mark.parametrize(("name", "shapes"), BAD_PRODUCTS, ids=str)
def test_products_refuse_what_numpy_refuses(name, shapes):
    same_error(
        lambda: getattr(NODES, name)(*[leaf(*s) for s in shapes]),
        lambda: getattr(np, name)(*[np.ones(s) for s in shapes]),
    )


def test_tensordot_refuses_bad_axes():
    a, b = leaf(2, 3), leaf(3, 2)
    for axes in (3, -1, ([0, 1], [0]), ([0, 0], [1, 1]), ([0], [0]), ([2], [0])):
        with pytest.raises(ValueError):
            NODES.tensordot(a, b, axes)


def test_matvec_and_vecmat_do_not_broadcast_inner_axes():
    with pytest.raises(ShapeError):
        NODES.matvec(leaf(2, 2, 3), leaf(2, 1))
    with pytest.raises(ShapeError):
        NODES.vecmat(leaf(2, 1), leaf(2, 3, 2))
    with pytest.raises(ShapeError, match="stack of matrices"):
        NODES.matvec(leaf(3), leaf(3))
    with pytest.raises(ShapeError, match="stack of matrices"):
        NODES.vecmat(leaf(3), leaf(3))


def test_outer_of_linalg_takes_vectors_only():
    with pytest.raises(ValueError, match="one-dimensional"):
        NODES.vector_outer(leaf(2, 2), leaf(3))


# ---------------------------------------------------------------------------------------------------------- batching


@pytest.mark.parametrize("flags", [(True, False), (False, True), (True, True)])
@pytest.mark.parametrize(
    ("a", "b"),
    [
        ((4,), (4,)),
        ((3, 4), (4,)),
        ((4,), (4, 3)),
        ((3, 4), (4, 2)),
        ((2, 3, 4), (4,)),
        ((4,), (2, 4, 3)),
        ((2, 3, 4), (4, 2)),
        ((3, 4), (2, 4, 2)),
        ((1, 3, 4), (5, 4, 2)),
        ((5, 1, 3, 4), (2, 4, 2)),
    ],
    ids=str,
)
def test_batched_matmul_is_a_loop(a, b, flags):
    rng = np.random.default_rng(4)
    x, y = leaf(*a), leaf(*b)
    arrays = [rng.random((6, *s) if f else s) for s, f in zip((a, b), flags, strict=True)]
    stand_ins = [leaf(*v.shape) if f else None for v, f in zip(arrays, flags, strict=True)]
    (batch,) = batch_graph([NODES.matmul(x, y)], [x, y], stand_ins, B=DERIVATIVES)
    env = {n or own: v for n, own, v in zip(stand_ins, (x, y), arrays, strict=True)}
    rows = [np.matmul(*[v[k] if f else v for v, f in zip(arrays, flags, strict=True)]) for k in range(6)]
    np.testing.assert_allclose(evaluate([batch], env)[0], np.stack(rows), rtol=1e-13)
