"""Polynomials."""

import numpy as np

CALLS = {
    "polyval": [
        lambda v, s: np.polyval(v, s),
        lambda v, m: np.polyval(v, m),
        lambda m: np.polyval([1.0, 0.0, -2.0], m),
        lambda v: np.polyval(v, [0.5, 1.5]),
    ],
    "polyadd": [lambda v, w: np.polyadd(v, w[:3]), lambda v: np.polyadd([1.0, 2.0], v), lambda s: np.polyadd(s, 1.0)],
    "polysub": [lambda v, w: np.polysub(v[:2], w), lambda v: np.polysub(v, [1.0])],
    "polymul": [lambda v, w: np.polymul(v, w), lambda v: np.polymul([1.0, 2.0], v), lambda v, s: np.polymul(v, s)],
    "polyder": [lambda v: np.polyder(v), lambda v: np.polyder(v, 2), lambda v: np.polyder(v, 0)],
    "polyint": [
        lambda v: np.polyint(v),
        lambda v, s: np.polyint(v, 2, [s, 1.0]),
        lambda v: np.polyint(v, 3, k=2.0),
        lambda v: np.polyint(v, m=0),
    ],
    "polydiv": [
        lambda v, r: np.polydiv(v, r),
        lambda v, s: np.polydiv(v, s),
        lambda r, v: np.polydiv(r, v),
        lambda s: np.polydiv(s * np.array([1.0, 1.0, -2.0]), [1.0, 2.0]),
        lambda v: np.polydiv(v, [1, -2, 3]),
        lambda v, w: np.polydiv(v, w),
    ],
    "poly": [
        lambda v: np.poly(v),
        lambda q: np.poly(q + q.T),
        lambda empty: np.poly(empty),
    ],
    "poly1d": [
        lambda v, s: np.poly1d(v)(s),
        lambda v, r: np.poly1d(v, r=True)(r),
        lambda v, w, s: (np.poly1d(v) * np.poly1d(w[:2]) + 2.0)(s),
        lambda v, s: np.poly1d(v).deriv()(s) - np.poly1d(v).integ()(s),
    ],
    "roots": [
        lambda r: np.sort(np.roots(np.poly(r))),
        lambda s: np.roots([1.0, -3.0 - s, 2.0, 0.0]),
        lambda s: np.roots(np.stack([0.0 * s, s, -2.0 * s])),
        lambda p: np.roots(p[:2]),
        lambda s: np.roots([2.0, 1.0, 0.0]) * s,
    ],
    "polyfit": [
        lambda v, w: np.polyfit(v, w, 2),
        lambda v, w, p: np.polyfit(v, w, 1, w=p),
        lambda v, t: np.polyfit(v, t, 2),
        lambda v, t, p: np.polyfit(v, t, 2, w=p, cov=True),
        lambda v, w: np.polyfit(v, w, 3, full=True)[:2],
        lambda v, w: np.polyfit(v, w, 1, cov=True),
        lambda v, w: np.polyfit(v, w, 2, cov="unscaled"),
        lambda w: np.polyfit(range(5), w, 1, rcond=1e-12),
    ],
}
