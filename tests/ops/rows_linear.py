"""Rows of contractions, linear algebra, and ops with bodies."""

import numpy as np

from symtape.graph.closed import trace
from symtape.graph.node import symbol
from symtape.ops.determinants import COFACTOR_ALONG
from symtape.ops.namespace import NODES
from tests.ops.rows import (
    Row,
    fixed,
    integers,
    nonzero,
    positive,
    positive_definite,
    uniform,
    well_conditioned,
)

# ------------------------------------------------------------------------------------------------------- contractions


def matmul(label, *shapes, **more):
    return Row(
        "matmul",
        lambda B, a, b: B.matmul(a, b),
        [uniform(*s) for s in shapes],
        terms=lambda a, b: np.matmul(abs(a), abs(b)),
        label=label,
        **more,
    )


def einsum(text, *shapes, label="", **more):
    return Row(
        "einsum",
        lambda B, *x: B.einsum(text, *x),
        [uniform(*s) for s in shapes],
        reference=lambda *x: np.einsum(text, *x),
        terms=lambda *x: np.einsum(text, *map(abs, x)),
        label=label or text.replace(" ", ""),
        **more,
    )


def product(op, name, *shapes, label, call=None, **more):
    return Row(
        op,
        call or (lambda B, a, b: getattr(B, name)(a, b)),
        [uniform(*s) for s in shapes],
        terms=lambda *x: getattr(np, name)(*map(abs, x)) if call is None else call(_np, *map(abs, x)),
        label=f"{name}-{label}",
        **more,
    )


class _NumPy:
    def __getattr__(self, name):
        return getattr(np, name)


_np = _NumPy()

CONTRACTIONS = [
    matmul("vector-vector", (4,), (4,)),
    matmul("matrix-vector", (3, 4), (4,)),
    matmul("vector-matrix", (4,), (4, 3)),
    matmul("matrix-matrix", (3, 4), (4, 2)),
    matmul("square-square", (3, 3), (3, 3)),
    matmul("stack-matrix", (2, 3, 4), (4, 2)),
    matmul("matrix-stack", (3, 4), (2, 4, 2)),
    matmul("stack-stack", (2, 3, 4), (2, 4, 2)),
    matmul("broadcast", (2, 1, 3, 4), (3, 4, 2)),
    matmul("stretched", (1, 3, 4), (2, 4, 2)),
    matmul("vector-stack", (4,), (2, 4, 3)),
    matmul("vector-deep", (4,), (2, 3, 4, 2)),
    matmul("stack-vector", (2, 3, 4), (4,)),
    matmul("deep-vector", (2, 2, 3, 4), (4,)),
    matmul("inner-one", (3, 1), (1, 2)),
    matmul("empty", (3, 0), (0, 2), order=1),
    Row(
        "matmul",
        lambda B, a, b: B.matmul(a, b),
        [integers(2, 3), integers(3, 2)],
        order=0,
        label="integers",
        dtypes=("float64",),
    ),
    einsum("ij,jk->ik", (2, 3), (3, 4)),
    einsum("ij,jk", (2, 3), (3, 4), label="implicit"),
    einsum("ba", (2, 3)),
    einsum("ii", (3, 3)),
    einsum("ii->i", (3, 3)),
    einsum("iij->ji", (3, 3, 2)),
    einsum("iii->i", (2, 2, 2)),
    einsum("ij->", (2, 3)),
    einsum("ij->j", (2, 3)),
    einsum("i,i->", (4,), (4,)),
    einsum("i,i->i", (4,), (4,)),
    einsum("i,j->ij", (2,), (3,)),
    einsum("i,j->ji", (2,), (3,)),
    einsum("ij,k->k", (2, 3), (2,)),
    einsum("i,->i", (3,), ()),
    einsum("ii,ij->j", (3, 3), (3, 2)),
    einsum("i,ij,j", (2,), (2, 3), (3,)),
    einsum("ij,jk,kl->il", (2, 3), (3, 2), (2, 2)),
    einsum("bij,bjk->bik", (2, 2, 3), (2, 3, 2)),
    einsum("...ij,jk->...ik", (2, 2, 3), (3, 2)),
    einsum("i...,...i->...", (2, 3), (3, 2)),
    einsum("...,...->...", (2, 3), (3,)),
    einsum("ij,ij->ij", (1, 3), (2, 3), label="stretched"),
    einsum("ii,i->i", (1, 1), (3,), label="stretched-diagonal"),
    Row(
        "einsum",
        lambda B, a, b: B.einsum(a, [0, 1], b, [1, 2], [2, 0]),
        [uniform(2, 3), uniform(3, 2)],
        label="interleaved",
    ),
    Row(
        "einsum",
        lambda B, a, b: B.einsum(a, [0, 1], b, [1, 2]),
        [uniform(2, 3), uniform(3, 2)],
        label="interleaved-implicit",
    ),
    Row(
        "einsum",
        lambda B, a: B.einsum(a, [Ellipsis, 1], [Ellipsis]),
        [uniform(2, 2, 3)],
        label="interleaved-ellipsis",
    ),
    Row(
        "einsum",
        lambda B, v: B.contract("a->aa", v),
        [uniform(3)],
        reference=np.diag,
        label="onto-diagonal",
    ),
    Row(
        "einsum",
        lambda B, v: B.contract("ab->bab", v),
        [uniform(2, 3)],
        reference=lambda v: np.einsum("ab,bc->bac", v, np.eye(3, dtype=v.dtype)),
        label="onto-diagonal-of-three",
    ),
    Row(
        "einsum",
        lambda B, a, b: B.einsum("ij,jk->ik", a, b),
        [integers(2, 3), integers(3, 2)],
        order=0,
        label="integers",
        dtypes=("float64",),
    ),
    product("matmul", "dot", (3,), (3,), label="vectors"),
    product("matmul", "dot", (2, 2, 3), (3, 2), label="stack"),
    product("multiply", "dot", (), (3,), label="scalar"),
    product("einsum", "dot", (2, 3), (2, 3, 2), label="stacks"),
    product("matmul", "inner", (3,), (3,), label="vectors"),
    product("matmul", "inner", (2, 3), (4, 3), label="matrices"),
    product("einsum", "inner", (2, 2, 3), (4, 3), label="stack"),
    product("matmul", "vdot", (2, 3), (3, 2), label="matrices", call=lambda B, a, b: B.vdot(a, b)),
    product("multiply", "outer", (2, 2), (3,), label="matrix"),
    product("matmul", "tensordot", (2, 3), (3, 4), label="matrices", call=lambda B, a, b: B.tensordot(a, b, 1)),
    product(
        "einsum",
        "tensordot",
        (2, 3, 4),
        (4, 3, 2),
        label="axes",
        call=lambda B, a, b: B.tensordot(a, b, ([1, 2], [1, 0])),
    ),
    product("multiply", "tensordot", (2, 3), (2,), label="outer", call=lambda B, a, b: B.tensordot(a, b, 0)),
    product("multiply", "kron", (2, 3), (3, 2), label="matrices"),
    product("multiply", "kron", (2,), (3, 2), label="ranks"),
    Row("multiply", lambda B, a, b: B.cross(a, b), [uniform(2, 3), uniform(3)], label="cross"),
    Row("multiply", lambda B, a, b: B.cross(a, b, axis=0), [uniform(3, 2), uniform(3, 2)], label="cross-axis"),
    Row("einsum", lambda B, a: B.trace(a), [uniform(3, 3)], label="trace"),
    Row("einsum", lambda B, a: B.trace(a, 1), [uniform(3, 4)], label="trace-offset"),
    Row("einsum", lambda B, a: B.trace(a, -1, 2, 0), [uniform(3, 2, 4)], label="trace-axes"),
    Row("einsum", lambda B, a: B.trace(a), [integers(2, 2)], order=0, label="trace-integers", dtypes=("float64",)),
    Row("einsum", lambda B, a: B.matrix_trace(a), [uniform(2, 3, 3)], label="matrix_trace"),
    product("einsum", "vecdot", (2, 3), (3,), label="stack"),
    Row(
        "einsum",
        lambda B, a, b: B.vecdot(a, b, axis=0),
        [uniform(3, 2), uniform(3, 2)],
        label="vecdot-axis",
    ),
    Row(
        "einsum",
        lambda B, a, b: B.matvec(a, b),
        [uniform(2, 2, 3), uniform(2, 3)],
        reference=lambda a, b: np.einsum("bij,bj->bi", a, b),
        label="matvec",
    ),
    Row(
        "einsum",
        lambda B, a, b: B.vecmat(a, b),
        [uniform(2, 2), uniform(2, 2, 3)],
        reference=lambda a, b: np.einsum("bi,bij->bj", a, b),
        label="vecmat",
    ),
]

# ------------------------------------------------------------------------------------------------------ linear algebra


def library(op, call, inputs, label="", **more):
    more = {"agree": 1e-12, "tolerance": 1e-6} | more
    return Row(op, call, inputs, label=label, **more)


def symmetric(B, x):
    return B.add(x, B.swapaxes(x, -1, -2))


def singular(*shape):
    """Square matrices of rank one less than full."""

    def make(rng):
        a = rng.uniform(-1, 1, shape)
        u, s, vt = np.linalg.svd(a)
        s[..., -1] = 0
        return (u * s[..., None, :]) @ vt

    return make


def cofactors(a):
    """By minors, in Python."""
    a = np.asarray(a)
    n = a.shape[-1]
    out = np.empty_like(a)
    for place in np.ndindex(a.shape):
        rows = [k for k in range(n) if k != place[-2]]
        columns = [k for k in range(n) if k != place[-1]]
        minor = a[place[:-2]][np.ix_(rows, columns)]
        out[place] = (-1) ** (place[-2] + place[-1]) * np.linalg.det(minor)
    return out


def cofactors_along(t, a):
    """By minors in which one row after another is that of the direction."""
    out = np.zeros_like(a)
    for row in range(a.shape[-1]):
        mixed = a.copy()
        mixed[..., row, :] = t[..., row, :]
        found = cofactors(mixed)
        found[..., row, :] = 0  # whose minors do not have that row
        out += found
    return out


LINALG = [
    library("inv", lambda B, a: B.inv(a), [well_conditioned(3, 3)]),
    library("inv", lambda B, a: B.inv(a), [well_conditioned(2, 2, 2)], "stack"),
    library("solve", lambda B, a, b: B.solve(a, b), [well_conditioned(3, 3), uniform(3)], "vector"),
    library("solve", lambda B, a, b: B.solve(a, b), [well_conditioned(3, 3), uniform(3, 2)], "matrix"),
    library("solve", lambda B, a, b: B.solve(a, b), [well_conditioned(3, 3), uniform(3, 3)], "square"),
    library("solve", lambda B, a, b: B.solve(a, b), [well_conditioned(2, 3, 3), uniform(3)], "stack-vector"),
    library("solve", lambda B, a, b: B.solve(a, b), [well_conditioned(2, 3, 3), uniform(3, 2)], "stack-matrix"),
    library("solve", lambda B, a, b: B.solve(a, b), [well_conditioned(3, 3), uniform(2, 3, 2)], "matrix-stack"),
    library("solve", lambda B, a, b: B.solve(a, b), [well_conditioned(2, 1, 2, 2), uniform(3, 2, 1)], "broadcast"),
    library(
        "solve",
        lambda B, a, b: B.tensorsolve(a, b),
        [lambda rng: (rng.uniform(-1, 1, (6, 6)) + 5 * np.eye(6)).reshape(2, 3, 6), uniform(2, 3)],
        "tensorsolve",
    ),
    library(
        "inv",
        lambda B, a: B.tensorinv(a, 1),
        [lambda rng: (rng.uniform(-1, 1, (4, 4)) + 5 * np.eye(4)).reshape(4, 2, 2)],
        "tensorinv",
    ),
    library("det", lambda B, a: B.det(a), [well_conditioned(4, 4)]),
    library("det", lambda B, a: B.det(a), [uniform(2, 3, 3)], "stack"),
    library("det", lambda B, a: B.det(a), [uniform(2, 2)], "two"),
    library("det", lambda B, a: B.det(a), [uniform(1, 1)], "one", order=1),
    library("det", lambda B, a: B.det(a), [singular(3, 3)], "singular", dtypes=("float64",)),
    library("det", lambda B, a: B.det(a), [singular(5, 5)], "singular-five", dtypes=("float64",)),
    library("cofactor", lambda B, a: B.cofactor(a), [well_conditioned(4, 4)], reference=cofactors),
    library("cofactor", lambda B, a: B.cofactor(a), [uniform(2, 3, 3)], "three", reference=cofactors),
    library("cofactor", lambda B, a: B.cofactor(a), [uniform(2, 2)], "two", reference=cofactors),
    library("cofactor", lambda B, a: B.cofactor(a), [singular(3, 3)], "singular-three", reference=cofactors),
    library(
        "cofactor_along",
        lambda B, t, a: B.build(COFACTOR_ALONG, (t, a)),
        [uniform(4, 4), well_conditioned(4, 4)],
        reference=cofactors_along,
    ),
    library("slogdet", lambda B, a: B.slogdet(a), [well_conditioned(3, 3)]),
    library("slogdet", lambda B, a: B.slogdet(a), [well_conditioned(2, 2, 2)], "stack"),
    library(
        "cholesky",
        lambda B, a: B.cholesky(symmetric(B, a)),
        [positive_definite(3, 3)],
        reference=lambda a: np.linalg.cholesky(a + a.T),
    ),
    library(
        "cholesky",
        lambda B, a: B.cholesky(symmetric(B, a)),
        [positive_definite(2, 2, 2)],
        "stack",
        reference=lambda a: np.linalg.cholesky(a + a.swapaxes(1, 2)),
    ),
    library(
        "cholesky",
        lambda B, a: B.cholesky(symmetric(B, a), upper=True),
        [positive_definite(3, 3)],
        "upper",
        reference=lambda a: np.linalg.cholesky(a + a.T).T,
    ),
    library(
        "solve_triangular",
        lambda B, a, b: B.solve_triangular(a, b, lower=True),
        [well_conditioned(3, 3), uniform(3)],
        "lower",
    ),
    library(
        "solve_triangular", lambda B, a, b: B.solve_triangular(a, b), [well_conditioned(3, 3), uniform(3, 2)], "upper"
    ),
    library(
        "solve_triangular", lambda B, a, b: B.solve_triangular(a, b), [well_conditioned(3, 3), uniform(3, 3)], "square"
    ),
    library(
        "solve_triangular",
        lambda B, a, b: B.solve_triangular(a, b, "T", lower=True),
        [well_conditioned(3, 3), uniform(3, 2)],
        "transposed",
    ),
    library(
        "solve_triangular",
        lambda B, a, b: B.solve_triangular(a, b, lower=True),
        [well_conditioned(2, 2, 2), uniform(3, 1, 2, 1)],
        "stacks",
        reference=lambda a, b: np.linalg.solve(np.tril(a), b),
    ),
    Row("triangle", lambda B, a: B.tril(a), [uniform(3, 3)], label="tril"),
    Row("triangle", lambda B, a: B.triu(a, 1), [uniform(2, 3, 4)], label="triu"),
    Row("triangle", lambda B, a: B.tril(a, -1), [uniform(4, 3)], label="below"),
    Row("triangle", lambda B, a: B.triu(a, -2), [uniform(4, 3)], label="above"),
    Row("triangle", lambda B, a: B.tril(a), [uniform(3)], label="of-a-vector"),
    library("matmul", lambda B, a: B.matrix_power(a, 5), [uniform(2, 2)], "matrix_power"),
    library("inv", lambda B, a: B.matrix_power(a, -2), [well_conditioned(2, 2)], "matrix_power"),
    library(
        "matmul", lambda B, a, b, c: B.multi_dot([a, b, c]), [uniform(2, 3), uniform(3, 4), uniform(4, 2)], "multi_dot"
    ),
    library(
        "matmul",
        lambda B, a, b, c: B.multi_dot([a, b, c]),
        [uniform(3), uniform(3, 2), uniform(2)],
        "multi_dot-vectors",
    ),
    Row(
        "root",
        lambda B, x: B.root(x),
        [positive(4)],
        reference=np.sqrt,
        mp=lambda mp, x: mp.sqrt(x),
        special=[((0.0,), (0.0,))],
    ),
    Row(
        "divide_no_nan",
        lambda B, x, y: B.divide_no_nan(x, y),
        [uniform(4), nonzero(4)],
        reference=np.divide,
        mp=lambda mp, x, y: x / y,
        special=[((2.0, 0.0), (0.0, 0.0)), ((0.0, 0.0), (0.0, 0.0))],
        edges=False,
    ),
    Row("norm", lambda B, x: B.norm(x), [uniform(4)], label="norm", agree=1e-14),
    Row(
        "norm",
        lambda B, x: B.norm(x, axis=(0, 1), keepdims=True),
        [uniform(3, 2)],
        label="norm-matrix",
        agree=1e-14,
        mp=False,
    ),
    Row("max", lambda B, x: B.norm(x, np.inf, axis=1), [nonzero(3, 4)], label="norm-inf"),
    Row("power", lambda B, x: B.norm(x, 3), [nonzero(4)], label="norm-3", agree=1e-14, mp=False),
    Row("root", lambda B, x: B.std(x, axis=0, ddof=1), [uniform(5, 2)], label="std", agree=1e-14, mp=False),
]

# -------------------------------------------------------------------------------------------------------- with bodies


def body(function, *shapes):
    """A closed graph over float64 inputs."""
    return trace(function, *[symbol(None, s) for s in shapes])


_YES = body(lambda x, y: (NODES.multiply(NODES.sin(x), y), NODES.sum(x)), (3,), ())
_NO = body(lambda x, y: (NODES.exp(x), NODES.multiply(y, y)), (3,), ())
_SQUARE = body(lambda x, y: NODES.multiply(x, NODES.multiply(y, y)), (3,), (3,))
_GRADIENT = body(
    lambda x, y, g: (
        NODES.multiply(g, NODES.multiply(y, y)),
        NODES.multiply(NODES.multiply(2.0, g), NODES.multiply(x, y)),
    ),
    (3,),
    (3,),
    (3,),
)


def _cond(predicate):
    return Row(
        "cond",
        lambda B, x, y, p: B.cond(p, _YES, _NO, (x, y)),
        [uniform(3), uniform(), fixed(predicate)],
        reference=lambda x, y, p: (np.sin(x) * y, np.sum(x)) if p else (np.exp(x), y * y),
        dtypes=("float64",),
        label=str(predicate).lower(),
        agree=1e-14,
    )


BODIES = [
    _cond(predicate=True),
    _cond(predicate=False),
    Row(
        "custom_gradient",
        lambda B, x, y: B.custom_gradient(_SQUARE, _GRADIENT, (x, y)),
        [uniform(3), uniform(3)],
        reference=lambda x, y: x * (y * y),
        dtypes=("float64",),
        agree=1e-14,
    ),
    Row(
        "tie",
        lambda B, x, y: B.tie(B.multiply(x, x), B.sin(y)),
        [uniform(3), uniform(2)],
        reference=lambda x, y: x * x,
    ),
    Row(
        "tie",
        lambda B, x, y: B.tie(B.multiply(x, x), B.sin(y)),
        [uniform(3), uniform(3)],
        reference=lambda x, y: x * x,
        label="equal shapes",
    ),
]

ROWS = [*CONTRACTIONS, *LINALG, *BODIES]
