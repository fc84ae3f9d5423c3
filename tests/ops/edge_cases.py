"""Inputs at the special points of a row: what to try an op on beside ordinary numbers.

A *case* is a set of inputs derived from those of a row. Cases of one shape differ in their numbers only (zeros, ties,
NaN, ...), so one compiled program serves them all; those that change shapes (empty, size 1) or dtypes are graphs of
their own.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from tests.ops.rows import Row

Arrays = list[np.ndarray]

LEAST = 5e-324  # the least denormal of double precision


@dataclass(frozen=True, slots=True)
class Case:
    """Inputs of a row at a special point.

    Attributes
    ----------
    point : str
        Which one.
    label : str
        Told apart from other cases of the point by this.
    arrays : list of ndarray
    """

    point: str
    label: str
    arrays: Arrays


def floating(arrays: Sequence[np.ndarray]) -> list[int]:
    """Which of the inputs are of floating dtype."""
    return [k for k, a in enumerate(arrays) if a.dtype.kind == "f"]


def _with(arrays: Arrays, changes: dict[int, np.ndarray]) -> Arrays:
    return [changes.get(k, a) for k, a in enumerate(arrays)]


def _planted(array: np.ndarray, *specials: float) -> np.ndarray:
    """The array with the numbers at its first elements, from the front and from the back by turns."""
    planted = array.copy()
    for k, number in enumerate(specials[: array.size]):
        planted.flat[-(k // 2) - 1 if k % 2 else k // 2] = number
    return planted


def numbers(arrays: Arrays) -> Iterator[Case]:
    """Cases of the same shapes and dtypes with special numbers in them."""
    found = [k for k in floating(arrays) if arrays[k].size]
    if not found:
        return
    least = {k: np.finfo(arrays[k].dtype).smallest_subnormal for k in found}
    yield Case("zeros", "", _with(arrays, {k: np.zeros_like(arrays[k]) for k in found}))
    yield Case("ties", "", _with(arrays, {k: np.full_like(arrays[k], arrays[k].flat[0]) for k in found}))
    yield Case("denormals", "all", _with(arrays, {k: np.full_like(arrays[k], 3 * least[k]) for k in found}))
    for k in found:
        a = arrays[k]
        yield Case("zeros", f"in {k}", _with(arrays, {k: _planted(a, 0.0, -0.0)}))
        yield Case("NaN", f"in {k}", _with(arrays, {k: _planted(a, np.nan)}))
        yield Case("infinities", f"in {k}", _with(arrays, {k: _planted(a, np.inf, -np.inf)}))
        yield Case("infinities", f"minus in {k}", _with(arrays, {k: _planted(a, -np.inf)}))
        yield Case("denormals", f"in {k}", _with(arrays, {k: _planted(a, least[k], -least[k])}))


def lengths(arrays: Arrays) -> Iterator[Case]:
    """Cases in which all axes of one length have length 0, or 1."""
    for n in sorted({n for a in arrays for n in a.shape}):
        for m, point in ((0, "empty"), (1, "size 1")):
            if n > m:
                short = [a[tuple(slice(m if length == n else None) for length in a.shape)] for a in arrays]
                yield Case(point, f"{n} to {m}", short)


def broadcasts(arrays: Arrays) -> Iterator[Case]:
    """Each argument of an elementwise op in turn smaller than the others, and larger."""
    if len(arrays) < 2 or not any(a.size for a in arrays):
        return
    whole = [np.resize(a, (2, 3)) for a in arrays]
    for k, a in enumerate(whole):
        for shape in ((), (2, 1)):
            yield Case("broadcasting", f"{k} of shape {shape}", _with(whole, {k: np.resize(a, shape)}))
    yield Case("broadcasting", "0 of more axes", _with(whole, {0: np.resize(whole[0], (2, 2, 3))}))


#: Views that hold the same numbers and do not lie in memory as a new array does.
LAYOUTS: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "negative strides": lambda a: np.flip(np.flip(a).copy()),
    "every other": lambda a: np.repeat(a[..., None], 2, axis=-1)[..., 0],
    "Fortran order": lambda a: a.copy(order="F"),
    "read-only": lambda a: _frozen(a.copy()),
}


def _frozen(a: np.ndarray) -> np.ndarray:
    a.flags.writeable = False
    return a


def views(arrays: Arrays) -> Iterator[Case]:
    """The same numbers in other places of memory."""
    for label, view in LAYOUTS.items():
        yield Case("negative strides" if label == "negative strides" else "layouts", label, [view(a) for a in arrays])


_ENDLESS_AT_INFINITY = (
    *("svd", "pinv", "lstsq", "matrix_rank", "constant_rank", "extreme_ratio", "inv_or_inf", "eigh", "eig", "expm"),
    *("svd_hermitian", "regular", "sqrtm", "logm", "hyp1f1"),
)
_LAPACK = {"infinities": "LAPACK may not come back from an infinite matrix"}
_CHECKED = {
    "NaN": "SciPy refuses what is not finite, where a graph's values are NaN",
    "infinities": "SciPy refuses what is not finite",
}
_OF_NOTHING = {"empty": "of nothing comes nothing, where SciPy trips"}
_NO_ROOT = dict.fromkeys(
    ("zeros", "ties", "denormals", "empty"), "singular, complex or empty: SciPy's own answers differ by release"
)
_AXES = {"empty": "SciPy trips over several axes without elements"}
_SPREAD = dict.fromkeys(("NaN", "infinities"), "a decomposition spreads them where minors do not")
_FIXED = dict.fromkeys(("empty", "size 1"), "a body is recorded for one shape")
_INNER = dict.fromkeys(
    ("empty", "size 1", "zeros", "ties", "denormals", "NaN", "infinities"),
    "a step inside derivatives of eigenvalues: what it is where they meet is the point of tests/ops/test_gaps.py",
)
_DIGITS = dict.fromkeys(
    ("zeros", "denormals", "infinities", "NaN", "ties"),
    "the reference is mpmath's, at points in the domain; tests/ops/test_special.py has the edges",
)
_ANY_BASIS = dict.fromkeys(("zeros", "ties", "denormals"), "of a space any basis may come")

_OPEN: dict[str, dict[str, str]] = {
    "astype-to integers": dict.fromkeys(("NaN", "infinities"), "C leaves open which integer that becomes"),
    "einsum-ij,k->k": {"infinities": "compiled code multiplies before it adds"},
    "log_less_digamma": {"zeros": "at a pole a fused operation turns inf - inf into inf"},
}

#: Where a row and its reference part, by the name of the op or of the row, with the reason.
UNLIKE: dict[str, dict[str, str]] = {
    **dict.fromkeys(_ENDLESS_AT_INFINITY, _LAPACK),
    **dict.fromkeys(("sqrtm", "logm"), _LAPACK | _NO_ROOT | _CHECKED),
    **dict.fromkeys(("softmax", "log_softmax"), _OF_NOTHING),
    "softmax_rest": _OF_NOTHING | {"infinities": "the reference adds before it takes away"},
    "regular": _INNER,
    "expit_slope": {"infinities": "the reference overflows"},
    "embed": dict.fromkeys(("empty", "size 1"), "its index asks for so many values"),
    "scatter_add": dict.fromkeys(("empty", "size 1"), "its index asks for so many values"),
    "linear_recurrence": {"empty": "the reference begins with an element"},
    "positions": dict.fromkeys(("empty", "size 1"), "the reference counts to three"),
    "length": dict.fromkeys(("empty", "size 1"), "the reference is eight"),
    "true_positions": dict.fromkeys(("empty", "size 1"), "a graph holds for so many true elements"),
    **dict.fromkeys(("logsumexp", "logsumexp-keepdims"), _AXES),
    **dict.fromkeys(("cholesky-cho_factor", "solve_triangular-cho_solve"), _CHECKED),
    **dict.fromkeys(("solve_triangular-lower", "solve_triangular-upper", "solve_triangular-transposed"), _CHECKED),
    "solve_triangular-square": _CHECKED,
    **dict.fromkeys(("cond", "custom_gradient"), _FIXED),
    **dict.fromkeys(("over_gaps", "alike", "where_apart", "confluent", "gap_limit", "gap_pole", "if_zero"), _INNER),
    **dict.fromkeys(("turn", "spread", "extreme_ratio"), _INNER | _LAPACK),
    **dict.fromkeys(("sinc_derivative", "exprel_derivative", "erfcx_integral", "x_over_expm1", "log_poch"), _DIGITS),
    **dict.fromkeys(("log_less_digamma", "log_ratio", "relative_excess", "dawsn_derivative", "sinhc"), _DIGITS),
    **dict.fromkeys(("ive_derivative", "kve_derivative", "log_gamma_density", "log_beta_density"), _DIGITS),
    "add_n": {"broadcasting": "adds terms of one shape"},
    "astype-to integers": _OPEN["astype-to integers"],
    "log_or_zero": {"zeros": "0 where the logarithm is infinite"},
    "divide_no_nan": {"zeros": "0 where the divisor is"},
    "hyp1f1": {"infinities": "SciPy adds terms for minutes"},
    "lambertw": {"infinities": "SciPy's value is complex", "denormals": "SciPy's value is complex"},
    "beside_lambertw": {"infinities": "SciPy's value is complex", "denormals": "SciPy's value is complex"},
    "argsort-quantile": {"empty": "NumPy trips over no elements; the quantile of nothing is NaN, as the median is"},
    "argsort-fractions": {
        "empty": "as argsort-quantile",
        **dict.fromkeys(
            ("NaN", "infinities", "denormals"), "NumPy looks at fractions before it begins; a graph's give NaN"
        ),
    },
    "power-literal 0.5": {"infinities": "of -inf NumPy before 2.3 takes the power, later the root"},
    "svd-norm-2": {"empty": "NumPy before 2.3 knows no norm of nothing"},
    "max-norm-inf": {"empty": "NumPy before 2.3 knows no norm of nothing"},
    "gather-grid": {"empty": "NumPy before 2.3 looks at no place where none is taken"},
    "scatter_set-constant": dict.fromkeys(
        ("empty", "size 1"), "NumPy before 2.3 looks at no place where none is taken"
    ),
    "convolve-stacks": {"empty": "the reference counts elements"},
    "eig-stack": dict.fromkeys(("zeros", "denormals"), "the matrix gets complex eigenvalues"),
    "svd_hermitian": _ANY_BASIS,
    "svd-cond-least": {"zeros": "the condition of nothing but zeros"},
    "inv_or_inf": dict.fromkeys(("zeros", "denormals", "ties", "infinities"), "infinite, told apart by NumPy later"),
    "lstsq-residuals": dict.fromkeys(("zeros", "ties", "denormals"), "how many residuals there are hangs on the rank"),
    "lstsq-stack": {"denormals": "below the cutoff of one and above that of the other"},
    "sqrtm-stack": {"empty": "the reference stacks"},
    "gather-toeplitz-stack": {"empty": "the reference stacks"},
    "einsum-ij,k->k": _OPEN["einsum-ij,k->k"],
    "einsum-onto-diagonal-of-three": dict.fromkeys(
        ("empty", "size 1", "NaN", "infinities"), "the reference multiplies with a matrix of three"
    ),
    "multiply-cross-axis": dict.fromkeys(
        ("empty", "size 1", "broadcasting"),
        "NumPy takes vectors in the plane, with a warning",
    ),
    **dict.fromkeys(("cofactor", "cofactor_along"), _SPREAD),
    "solve_triangular-stacks": dict.fromkeys(("denormals", "NaN", "infinities"), "the reference solves by elimination"),
}


def untouchable(row: Row) -> set[str]:
    """Points at which not even evaluated and compiled values are compared with each other."""
    if row.op in _ENDLESS_AT_INFINITY:
        return {"infinities"}
    return set(_OPEN.get(row.op, {}) | _OPEN.get(row.name, {}))


def unlike(row: Row) -> dict[str, str]:
    """Points at which the row's reference says something else or nothing, with the reason."""
    return UNLIKE.get(row.op, {}) | UNLIKE.get(row.name, {})


# ------------------------------------------------------------------------------------------- near the edges of one axis


def near(ties: Sequence[float]) -> tuple[list[float], list[tuple[str, object]], np.ndarray]:
    """Edges, and numbers at and near them.

    Returns
    -------
    edges : list of float
        Zero, one of either sign, the infinities, and the ties.
    labels : list
        Of each number the edge and 0 if it is that edge, else ``(side, k)`` for the k-th on its way from a side.
    numbers : ndarray
    """
    edges = list(dict.fromkeys([0.0, 1.0, -1.0, np.inf, -np.inf, *ties]))
    found = [((str(x), 0), x) for x in [*edges, -0.0, np.nan, LEAST, -LEAST]]
    for edge in edges:
        for side in (-1, 1):
            found += [((str(edge), (side, k)), x) for k, x in enumerate(_approach(edge, side))]
    labels, values = zip(*found, strict=True)
    return edges, list(labels), np.array(values)


def _approach(edge: float, side: int) -> list[float]:
    if np.isinf(edge):
        return [float(np.copysign(x, edge)) for x in (1e10, 1e100, 1e300)] if side * edge < 0 else []
    if edge == 0:
        return [side * x for x in (1e-10, 1e-100, 1e-200)]
    return [edge + side * x for x in (2.0**-20, 2.0**-28, 2.0**-36)]


#: Not taken to their edges, with the reason.
ENDLESS = {
    "hyp1f1": "SciPy adds terms for minutes at large arguments",
    **dict.fromkeys(
        ("log_poch", "log_less_digamma", "polygamma", "hurwitz_zeta"),
        "SciPy's zeta function counts up from large negative arguments, one by one",
    ),
}

#: Ops whose derivative is the formula's, and may be finite, where the value is NaN, as with JAX and TensorFlow.
BY_FORMULA = frozenset(
    {
        "spence",
        "arctanh",
        "boxcox",
        "cosine_beside",
        "eval_chebyu",
        "exp1",
        "expn",
        "frexp_mantissa",
        "heaviside",
        "log",
        "log10",
        "log1mexp",
        "log1p",
        "log2",
        "log_beta_density",
        "log_gamma_density",
        "log_or_zero",
        "log_ratio",
        "logit",
        "power",
        "pseudo_huber",
        "relative_excess",
        "xlog1py",
        "xlogy",
    }
)

#: Ops whose derivative is NaN at a finite edge although it has a limit there: it is a difference of infinities.
NAN_AT_POLES = frozenset(
    {
        "ellipkm1",
        "log_beta_density",
        "log_gamma_density",
        "beside_lambertw",
        "beta",
        "betaln",
        "boxcox1p",
        "ellipk",
        "ellipkinc",
        "gammaln",
        "k0e",
        "k1e",
        "kve",
        "lambertw",
        "power",
        "y1",
        "yv",
    }
)

#: Ops whose derivative leans on a function of SciPy's that is NaN at denormals.
NAN_AT_DENORMALS = frozenset(
    {
        "beside_lambertw",
        "beta",
        "i0e",
        "i1",
        "iv",
        "k0",
        "k0e",
        "k1e",
        "kve",
        "lambertw",
        "log_beta_density",
        "log_gamma_density",
        "poch",
        "spherical_in",
        "spherical_jn",
        "yv",
    }
)

#: What was agreed on elsewhere: the row's ``special`` says it.
AGREED = frozenset({"frexp_mantissa", "heaviside", "select"})


#: By what is odd of a partial derivative, the ops of which it is known.
KNOWN = {
    "where the value is NaN": BY_FORMULA,
    "NaN": NAN_AT_POLES,
    "at denormals": NAN_AT_DENORMALS,
    "beside the limit": AGREED,
    "at -0.0": frozenset({"ellipkm1"}),  # NaN at 0, a pole
    "without a limit": frozenset(),
}


# ---------------------------------------------------------------------------------------------------- what cannot apply

#: Points that cannot apply to an op, or at which none of its rows can be compared, with the reason.
SPARED: dict[str, dict[str, str]] = {
    "gather": {"repeated": "beside what is gathered there are whole numbers"},
    "argsort": {"repeated": "it gives whole numbers; what is sorted by them is one input"},
    "confluent": {"repeated": "a matrix and its eigenvalues differ in shape"},
    "where_apart": {"repeated": "a matrix and its eigenvalues differ in shape"},
    "cond": {"repeated": "what the branches are given differs in shape"},
    "embed": {"repeated": "a part does not have the shape of another, but in the identity"},
}
