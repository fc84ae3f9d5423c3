"""Calls of the functions of `numpy.linalg`, in every mode and order and with leading batch dimensions.

What is read as symmetric, or as positive definite, is made so inside the call: a derivative along symmetric matrices
and a difference then mean the same.
"""

import numpy as np


def _symmetric(x):
    return x + np.swapaxes(x, -1, -2)


def _positive(x):
    return x @ np.swapaxes(x, -1, -2) + np.eye(x.shape[-1])


def norms(*orders, axis=None, keepdims=False):
    """Calls of ``norm`` with each order on a matrix, or on a stack along axes."""
    if axis is None:
        return [lambda q, order=order: np.linalg.norm(q, order, keepdims=keepdims) for order in orders]
    return [lambda c, order=order: np.linalg.norm(c, order, axis, keepdims) for order in orders]


_ORDERS = (1, -1, 2, -2, np.inf, -np.inf, "fro", "nuc")
_VECTOR_ORDERS = (1, 2, 3, 0.5, -1, -2, 2.5, np.inf, -np.inf)

#: Calls by the function's name in `numpy.linalg`.
CALLS = {
    # ---- systems of equations
    "inv": [lambda q: np.linalg.inv(q), lambda qs: np.linalg.inv(qs)],
    "solve": [
        lambda q, r: np.linalg.solve(q, r),
        lambda q, m: np.linalg.solve(q, m),
        lambda qs, c: np.linalg.solve(qs, c),
        lambda q, c: np.linalg.solve(q, c),
        lambda qs, m: np.linalg.solve(qs, m),
        lambda qs, r: np.linalg.solve(qs, r),
        lambda qs, one: np.linalg.solve(qs[:, None], one),
    ],
    "tensorsolve": [
        lambda c, v: np.linalg.tensorsolve(np.eye(6).reshape(2, 3, 2, 3) + 0.1 * np.sin(c[..., :1, None]), c[..., 0]),
        lambda q, r: np.linalg.tensorsolve(q, r),
        lambda qs: np.linalg.tensorsolve(
            np.eye(6).reshape(2, 3, 6) + 0.1 * qs.reshape(2, 9)[:, None, :6], np.ones((2, 3))
        ),
        lambda qs, u: np.linalg.tensorsolve(
            np.eye(6).reshape(6, 2, 3) + 0.1 * np.sin(qs[:, :, 0]), np.append(u, 1.0), axes=(1, 2)
        ),
    ],
    "tensorinv": [
        lambda qs: np.linalg.tensorinv(np.eye(6).reshape(6, 2, 3) + 0.1 * np.sin(qs[:, 0]), ind=1),
        lambda qs: np.linalg.tensorinv(np.eye(6).reshape(2, 3, 2, 3) + 0.1 * np.sin(qs[:, 0])),
    ],
    "lstsq": [
        lambda t, v: np.linalg.lstsq(t, v),
        lambda t, v: np.linalg.lstsq(t, v, rcond=1e-10),
        lambda t: np.linalg.lstsq(t, np.exp(t[:, :2])),
        lambda m, r: np.linalg.lstsq(m, r)[0],
        lambda q, r: np.linalg.lstsq(q, r)[0],
    ],
    "pinv": [
        lambda q: np.linalg.pinv(q),
        lambda t: np.linalg.pinv(t),
        lambda m: np.linalg.pinv(m),
        lambda c: np.linalg.pinv(c),
        lambda t: np.linalg.pinv(t, rcond=1e-8),
        lambda t: np.linalg.pinv(t, rtol=1e-8),
        lambda q: np.linalg.pinv(_symmetric(q), hermitian=True),
    ],
    # ---- determinants
    "det": [
        lambda q: np.linalg.det(q),
        lambda qs: np.linalg.det(qs),
        lambda s: np.linalg.det(np.reshape(s, (1, 1))),
        lambda r: np.linalg.det(np.outer(r, r)),
    ],
    "slogdet": [lambda q: np.linalg.slogdet(q), lambda qs: np.linalg.slogdet(-qs)],
    # ---- factors
    "cholesky": [
        lambda q: np.linalg.cholesky(_positive(q)),
        lambda qs: np.linalg.cholesky(_positive(qs)),
        lambda q: np.linalg.cholesky(_positive(q), upper=True),
    ],
    "qr": [
        lambda q: np.linalg.qr(q),
        lambda t: np.linalg.qr(t),
        lambda m: np.linalg.qr(m),
        lambda t: np.linalg.qr(t, mode="r"),
        lambda m: np.linalg.qr(m, mode="r"),
        lambda q: np.linalg.qr(q, "complete"),
        lambda m: np.linalg.qr(m, "complete"),
        lambda t: np.linalg.qr(t, "complete").R,
        lambda qs: np.linalg.qr(qs),
        lambda c: np.linalg.qr(c),
        lambda c: np.linalg.qr(np.swapaxes(c, 1, 2)),
    ],
    "svd": [
        lambda q: np.linalg.svd(q),
        lambda t: np.linalg.svd(t, full_matrices=False),
        lambda m: np.linalg.svd(m, full_matrices=False),
        lambda c: np.linalg.svd(c, full_matrices=False),
        lambda t: np.linalg.svd(t).S,
        lambda m: np.linalg.svd(m, compute_uv=False),
        lambda c: np.linalg.svd(c, compute_uv=False),
        lambda q: np.linalg.svd(_symmetric(q), hermitian=True),
        lambda q: np.linalg.svd(_symmetric(q), compute_uv=False, hermitian=True),
    ],
    "svdvals": [lambda t: np.linalg.svdvals(t), lambda c: np.linalg.svdvals(c)],
    # ---- spectra
    "eigh": [
        lambda q: np.linalg.eigh(_symmetric(q)),
        lambda q: np.linalg.eigh(_symmetric(q), "U"),
        lambda qs: np.linalg.eigh(_symmetric(qs)),
    ],
    "eigvalsh": [
        lambda q: np.linalg.eigvalsh(_symmetric(q)),
        lambda q: np.linalg.eigvalsh(_symmetric(q), UPLO="U"),
        lambda qs: np.linalg.eigvalsh(_symmetric(qs)),
    ],
    "eig": [lambda real: np.linalg.eig(real), lambda reals: np.linalg.eig(reals)],
    "eigvals": [lambda real: np.linalg.eigvals(real), lambda reals: np.linalg.eigvals(reals)],
    # ---- numbers of a matrix
    "cond": [
        *[lambda q, p=p: np.linalg.cond(q, p) for p in (None, 1, -1, 2, -2, np.inf, -np.inf, "fro", "nuc")],
        *[lambda qs, p=p: np.linalg.cond(qs, p) for p in (None, 1, 2, -2, np.inf, "fro", "nuc")],
        lambda t: np.linalg.cond(t),
    ],
    "matrix_rank": [
        lambda q: np.linalg.matrix_rank(q),
        lambda c: np.linalg.matrix_rank(c),
        lambda t: np.linalg.matrix_rank(t, tol=1e-3),
        lambda t: np.linalg.matrix_rank(t, rtol=1e-3),
        lambda q: np.linalg.matrix_rank(_symmetric(q), hermitian=True),
        lambda v: np.linalg.matrix_rank(v),
    ],
    "norm": [
        lambda v: np.linalg.norm(v),
        lambda c: np.linalg.norm(c),
        *[lambda v, p=p: np.linalg.norm(v, p) for p in (*_VECTOR_ORDERS, 0)],
        *norms(*_ORDERS),
        *norms(*_ORDERS, axis=(0, 2)),
        *norms(*_VECTOR_ORDERS, axis=1),
        *norms(1, 2, "nuc", axis=(-1, 0), keepdims=True),
        *norms(None, 3, axis=-1, keepdims=True),
        lambda q: np.linalg.norm(q, keepdims=True),
    ],
    "vector_norm": [
        lambda m: np.linalg.vector_norm(m),
        *[lambda m, p=p: np.linalg.vector_norm(m, ord=p) for p in _VECTOR_ORDERS],
        lambda c: np.linalg.vector_norm(c, axis=(0, 2), ord=3, keepdims=True),
        lambda m: np.linalg.vector_norm(m, axis=-1),
    ],
    "matrix_norm": [
        *[lambda c, p=p: np.linalg.matrix_norm(c, ord=p) for p in _ORDERS],
        lambda q: np.linalg.matrix_norm(q, keepdims=True),
    ],
    "trace": [
        lambda q: np.linalg.trace(q),
        lambda c: np.linalg.trace(c),
        lambda c: np.linalg.trace(c, offset=1),
        lambda m: np.linalg.trace(m, offset=-1, dtype=np.float32).astype(float) * 0,
    ],
    "diagonal": [lambda c: np.linalg.diagonal(c), lambda m: np.linalg.diagonal(m, offset=1)],
    # ---- products
    "matmul": [
        lambda q, m: np.linalg.matmul(q, m),
        lambda qs, c: np.linalg.matmul(qs, c),
        lambda q, c: np.linalg.matmul(q, c),
    ],
    "matrix_transpose": [lambda c: np.linalg.matrix_transpose(c)],
    "matrix_power": [
        *[lambda q, n=n: np.linalg.matrix_power(q, n) for n in (-3, -1, 0, 1, 2, 3, 5)],
        *[lambda qs, n=n: np.linalg.matrix_power(qs, n) for n in (-2, 0, 4)],
    ],
    "multi_dot": [
        lambda q, m: np.linalg.multi_dot([q, m]),
        lambda q, m, t: np.linalg.multi_dot([q, t.T, t, q]),
        lambda r, q, m: np.linalg.multi_dot((r, q, m)),
        lambda r, q: np.linalg.multi_dot([r, q, q, r]),
    ],
    "outer": [lambda v, w: np.linalg.outer(v, w)],
    "cross": [lambda q, m: np.linalg.cross(q, m[:, :3]), lambda c: np.linalg.cross(c, c[:, ::-1] ** 2, axis=1)],
    "tensordot": [
        lambda c, m: np.linalg.tensordot(c, m),
        lambda c, q: np.linalg.tensordot(c, q, axes=([1], [0])),
        lambda v, w: np.linalg.tensordot(v, w, axes=0),
    ],
    "vecdot": [
        lambda m, n: np.linalg.vecdot(m, n),
        lambda c, m: np.linalg.vecdot(c, m),
        lambda c: np.linalg.vecdot(c, c**2, axis=1),
    ],
}
