"""Rows of matrix factorizations, matrix functions, and what tells where their derivatives exist."""

import numpy as np
import scipy.linalg

from symtape.graph.closed import interned
from symtape.graph.node import placeholder
from symtape.ops.confluence import CONFLUENT, GAP_LIMIT, GAP_POLE, IF_ZERO, where_apart
from symtape.ops.gaps import alike, over_gaps
from symtape.ops.regularity import constant_rank, regular
from tests.ops.rows import Row, fixed, positive_definite, uniform, well_conditioned


def library(op, call, inputs, label="", **more):
    more = {"agree": 1e-11, "tolerance": 1e-6} | more
    return Row(op, call, inputs, label=label, **more)


def apart(*shape):
    """Matrices whose singular values are about 1, 2, 3, ..."""

    def make(rng):
        *lead, m, n = shape
        k = min(m, n)
        u, _, vt = np.linalg.svd(rng.uniform(-1, 1, shape), full_matrices=False)
        s = np.arange(1, k + 1) + rng.uniform(-0.2, 0.2, (*lead, k))
        return (u * s[..., None, :]) @ vt

    return make


def real_spectrum(*shape):
    """Matrices with eigenvalues of about 1, -2, 3, ... and well conditioned eigenvectors."""

    def make(rng):
        n = shape[-1]
        v = rng.uniform(-1, 1, shape) + 2 * np.eye(n)
        w = np.arange(1, n + 1) * (-1.0) ** np.arange(n) + rng.uniform(-0.2, 0.2, shape[:-1])
        return (v * w[..., None, :]) @ np.linalg.inv(v)

    return make


def symmetric(B, x):
    return B.add(x, B.swapaxes(x, -1, -2))


def plain(x):
    return x + np.swapaxes(x, -1, -2)


def gaps_reference(what):
    def reference(x, a, b, asked):
        y = x / (b[..., None, :] - a[..., :, None])
        return np.where(np.eye(*x.shape[-2:], dtype=bool) & (what != "zeros"), 0, y).astype(x.dtype)

    return reference


def gaps(what, *inputs, label=""):
    return library(
        "over_gaps",
        lambda B, *values: over_gaps(B, *map(B.lift, values), what),
        [*inputs, fixed(np.ones(inputs[-1](np.random.default_rng(0)).shape, dtype=bool))],
        label or what.replace(" ", "-"),
        reference=np.errstate(all="ignore")(gaps_reference(what)),
    )


def nothing_to_run(usual):
    place = placeholder(0, usual.shape, usual.dtype)
    return interned((place,), (place,) * 4)


def divided(x, gap):
    return np.divide(x, gap, out=np.zeros_like(x), where=gap != 0)


def directions(k):
    step = ((np.sqrt(5) - 1) / 2, np.sqrt(2) - 1)[k]
    return lambda w: np.broadcast_to(0.5 + np.arange(1, w.shape[-1] + 1) * step % 1, w.shape).astype(w.dtype)


def steps(*shape, first=0.0):
    """Numbers about 1 apart along the last axis."""
    return lambda rng: first + np.arange(shape[-1]) + rng.uniform(-0.2, 0.2, shape)


def singular(B, x, full):
    return B.svd(x, full_matrices=full)


SPECTRA = [
    library("eigh", lambda B, a: B.eigh(symmetric(B, a)), [apart(3, 3)], reference=lambda a: np.linalg.eigh(plain(a))),
    library(
        "eigh",
        lambda B, a: B.eigh(symmetric(B, a), "U"),
        [apart(2, 2, 2)],
        "upper-stack",
        reference=lambda a: np.linalg.eigh(plain(a), "U"),
    ),
    library(
        "eigh",
        lambda B, a: B.eigvalsh(symmetric(B, a)),
        [apart(3, 3)],
        "values",
        reference=lambda a: np.linalg.eigvalsh(plain(a)),
    ),
    library("eig", lambda B, a: B.eig(a), [real_spectrum(3, 3)]),
    library("eig", lambda B, a: B.eig(a), [real_spectrum(2, 2, 2)], "stack"),
    library("eig", lambda B, a: B.eigvals(a), [real_spectrum(3, 3)], "values"),
]

SINGULAR_VALUES = [
    *[
        library(
            "svd",
            lambda B, a: singular(B, a, full=False),
            [apart(*shape)],
            "thin-" + "-".join(map(str, shape)),
            reference=lambda a: np.linalg.svd(a, full_matrices=False),
        )
        for shape in [(3, 3), (4, 2), (2, 4), (2, 3, 2)]
    ],
    library("svd", lambda B, a: B.svd(a), [apart(3, 2)], "full-tall"),
    library("svd", lambda B, a: B.svd(a), [apart(2, 3)], "full-wide"),
    library("svd", lambda B, a: B.svdvals(a), [apart(3, 2)], "values"),
    library("svd", lambda B, a: B.svd(a, compute_uv=False), [apart(2, 3)], "without-vectors"),
    library(
        "svd_hermitian",
        lambda B, a: B.svd(symmetric(B, a), hermitian=True),
        [apart(3, 3)],
        reference=lambda a: np.linalg.svd(plain(a), hermitian=True),
    ),
    library("svd", lambda B, a: B.norm(a, "nuc"), [apart(3, 2)], "norm-nuc"),
    library("svd", lambda B, a: B.norm(a, 2, axis=(0, 2)), [apart(2, 2, 3)], "norm-2"),
    library("svd", lambda B, a: B.norm(a, -2, keepdims=True), [apart(3, 3)], "norm-least"),
    library("extreme_ratio", lambda B, a: B.condition_number(a), [apart(3, 3)], "cond"),
    library(
        "extreme_ratio",
        lambda B, s: B.extreme_ratio(B.lift(s)),
        [lambda rng: np.array([3.0, 2.0, 1.0]) + rng.uniform(-0.2, 0.2, (2, 3))],
        reference=lambda s: s[..., 0] / s[..., -1],
    ),
    library("svd", lambda B, a: B.condition_number(a, -2), [apart(2, 3, 2)], "cond-least"),
    library("inv_or_inf", lambda B, a: B.condition_number(a, 1), [well_conditioned(2, 2)], "cond-1"),
    library("inv_or_inf", lambda B, a: B.condition_number(a, "fro"), [well_conditioned(2, 2, 2)], "cond-fro"),
]

TRIANGULAR = [
    *[
        library("qr", lambda B, a: B.qr(a), [apart(*shape)], "-".join(map(str, shape)))
        for shape in [(3, 3), (4, 2), (2, 4), (2, 3, 2)]
    ],
    library("qr", lambda B, a: B.qr(a, "r"), [apart(3, 2)], "r"),
    library("qr", lambda B, a: B.qr(a, "complete"), [apart(3, 2)], "complete"),
    library(
        "cholesky",
        lambda B, a: B.cho_factor(symmetric(B, a))[0],
        [positive_definite(3, 3)],
        "cho_factor",
        reference=lambda a: scipy.linalg.cho_factor(plain(a))[0],
    ),
    library(
        "solve_triangular",
        lambda B, a, b: B.cho_solve(B.cho_factor(symmetric(B, a), lower=True), b),
        [positive_definite(2, 2), uniform(2)],
        "cho_solve",
        reference=lambda a, b: scipy.linalg.cho_solve(scipy.linalg.cho_factor(plain(a), lower=True), b),
    ),
]

RANKS = [
    library("pinv", lambda B, a: B.pinv(a), [apart(3, 3)]),
    library("pinv", lambda B, a: B.pinv(a), [apart(4, 2)], "tall"),
    library("pinv", lambda B, a: B.pinv(a, rtol=None), [apart(2, 2, 3)], "wide-stack"),
    library(
        "pinv",
        lambda B, a: B.pinv(symmetric(B, a), hermitian=True),
        [apart(2, 2)],
        "hermitian",
        reference=lambda a: np.linalg.pinv(plain(a), hermitian=True),
    ),
    library(
        "lstsq",
        lambda B, a, b: B.lstsq(a, b)[0],
        [apart(4, 2), uniform(4)],
        reference=lambda a, b: np.linalg.lstsq(a, b)[0],
    ),
    library(
        "lstsq",
        lambda B, a, b: B.lstsq(a, b)[:2],
        [apart(4, 2), uniform(4, 2)],
        "residuals",
        reference=lambda a, b: np.linalg.lstsq(a, b)[:2],
    ),
    library(
        "lstsq",
        lambda B, a, b: B.lstsq(a, b)[0],
        [apart(2, 3), uniform(2)],
        "wide",
        reference=lambda a, b: np.linalg.lstsq(a, b)[0],
    ),
    library(
        "lstsq",
        lambda B, a, b: B.lstsq(a, b)[0],
        [apart(2, 3, 2), uniform(3, 1)],
        "stack",
        reference=lambda a, b: np.linalg.pinv(a) @ b,
    ),
    library("matrix_rank", lambda B, a: B.matrix_rank(a), [apart(3, 2)], order=0),
    library("matrix_rank", lambda B, a: B.matrix_rank(a, 2.5), [apart(2, 4, 3)], "tol", order=0),
    library("matrix_rank", lambda B, a: B.matrix_rank(a, rtol=0.5), [apart(4, 4)], "rtol", order=0),
]

FUNCTIONS = [
    library("expm", lambda B, a: B.expm(a), [uniform(3, 3)]),
    library("expm", lambda B, a: B.expm(a), [uniform(2, 2, 2)], "stack"),
    library("sqrtm", lambda B, a: B.sqrtm(a), [well_conditioned(3, 3)]),
    library(
        "sqrtm",
        lambda B, a: B.sqrtm(a),
        [positive_definite(2, 2, 2)],
        "stack",
        reference=lambda a: np.stack([scipy.linalg.sqrtm(x) for x in a]),
    ),
    library("logm", lambda B, a: B.logm(a), [well_conditioned(3, 3)], dtypes=("float64",)),
    library("logm", lambda B, a: B.logm(a), [positive_definite(2, 2, 2)], "stack", dtypes=("float64",)),
]

PATTERNS = [
    Row("gather", lambda B, c, r: B.toeplitz(c, r), [uniform(3), uniform(4)], label="toeplitz"),
    Row(
        "gather",
        lambda B, c: B.toeplitz(c),
        [uniform(2, 3)],
        lambda c: np.stack([scipy.linalg.toeplitz(row) for row in c]),  # SciPy takes stacks since 1.17
        label="toeplitz-stack",
    ),
    Row(
        "concatenate",
        lambda B, a, b, c: B.block_diag(a, b, c),
        [uniform(2, 3), uniform(2), uniform()],
        label="block_diag",
    ),
    Row("concatenate", lambda B, a, b: B.block_diag(a, b), [uniform(2, 2, 2), uniform(1, 3)], label="block_diag-stack"),
]

EXISTENCE = [
    gaps("eigenvalues", uniform(3, 3), steps(3), steps(3)),
    gaps("eigenvalues", uniform(2, 3, 3), steps(2, 3), steps(2, 3), label="stack"),
    gaps("singular values", uniform(3, 3), steps(3), steps(3)),
    gaps("pairs", uniform(3, 3), steps(3, first=-4), steps(3, first=1)),
    gaps("zeros", uniform(2, 3), fixed(np.zeros(2)), steps(3, first=1)),
    *[
        library("regular", lambda B, a, what=what: regular(B, B.lift(a), what), [draw], what, reference=lambda a: a)
        for what, draw in [
            ("triangle", well_conditioned(3, 3)),
            ("eigenvectors", well_conditioned(2, 3, 3)),
            ("nonsingular", well_conditioned(3, 3)),
            ("complement", uniform(3, 1)),
        ]
    ],
    library(
        "alike",
        lambda B, g, w: alike(B, B.lift(g), B.lift(w), "eigenvalues"),
        [uniform(2, 3), steps(2, 3)],
        reference=lambda g, w: g,
        wrt=[0],
    ),
    library(
        "where_apart",
        lambda B, g, w: where_apart(B, B.lift(g), B.lift(w), "eigenvalues", 1, 1),
        [uniform(2, 3, 3), steps(2, 3)],
        reference=lambda g, w: g,
        wrt=[0],
    ),
    library(
        "confluent",
        lambda B, usual, w: B.build(
            CONFLUENT, (B.lift(usual), B.lift(w), B.lift(usual)), (nothing_to_run(usual), "singular values", True, 1, 1)
        ),
        [uniform(2, 3, 3), steps(2, 3, first=1)],
        reference=lambda usual, w: usual,
        wrt=[0],
    ),
    library(
        "gap_limit",
        lambda B, x, slope, a, d: B.build(
            GAP_LIMIT, (x, slope, a, a, d, d, B.const(np.ones((1, 1)))), ("eigenvalues",)
        ),
        [uniform(3, 3), uniform(3, 3), fixed(np.array([1.0, 2.0, 4.0])), steps(3)],
        reference=lambda x, slope, a, d: divided(x, a[None, :] - a[:, None]),
        order=0,
        dtypes=("float64",),
    ),
    library(
        "gap_limit",
        lambda B, slope, s, d: B.build(
            GAP_LIMIT,
            (B.subtract(slope, slope), slope, s, s, B.subtract(d, d), d, B.const(np.ones((1, 1)))),
            ("zeros",),
        ),
        [uniform(3, 3), fixed(np.zeros(3)), steps(3, first=1)],
        "at-zero",
        reference=lambda slope, s, d: slope / d,
        order=0,
        dtypes=("float64",),
    ),
    library(
        "gap_pole",
        lambda B, x, a, d: B.build(GAP_POLE, (x, a, a, d, d), ("eigenvalues",)),
        [uniform(3, 3), fixed(np.array([1.0, 1.0, 4.0])), steps(3)],
        reference=lambda x, a, d: divided(x, d[None, :] - d[:, None]) * (a[None, :] == a[:, None]),
        order=0,
    ),
    library(
        "if_zero",
        lambda B, x, whole: B.build(IF_ZERO, (x, whole)),
        [lambda rng: np.array([1.0, 1e-12, 0.0]), fixed(np.ones(1))],
        reference=lambda x, whole: np.where(np.abs(x) > 0.1, np.nan, 0.0).astype(x.dtype),
        order=0,
    ),
    *[
        library("spread", lambda B, w, k=k: B.spread(w, k), [steps(2, 3)], str(k), reference=directions(k), order=0)
        for k in (0, 1)
    ],
    library(
        "turn",
        lambda B, w: B.turn(w, "singular values"),
        [steps(2, 3, first=1)],
        reference=lambda w: np.broadcast_to(np.eye(3, dtype=w.dtype), (2, 3, 3)),
        order=0,
    ),
    library(
        "constant_rank",
        lambda B, a: constant_rank(B, B.lift(a), B.lift(1e-6)),
        [apart(2, 3, 2)],
        reference=lambda a: a,
    ),
]

ROWS = [*SPECTRA, *SINGULAR_VALUES, *TRIANGULAR, *RANKS, *FUNCTIONS, *PATTERNS, *EXISTENCE]
