# ruff: noqa: E501, F401, I001, ICN001
# fmt: off
# A table in the form of functions, one line a problem: kept as it is written.
"""The record a problem is kept in, and the registry.

Every function takes `(x, np)`: `x` a 1-D array-like, `np` the array namespace (numpy, autograd.numpy, jax.numpy, or a shim).
Conventions: minimise `f`; `eq(x, np) == 0`; `ineq(x, np) >= 0`; `lb <= x <= ub` (None: no bound at all).
`res(x, np)` is given for least-squares problems, `f` is then the plain sum of squares (no factor 1/2).
`fstar` is the published optimum (exact where a closed form is known), `xstar` a published or closed-form minimiser or None.
`also` lists other published local minima. `tol` is the accuracy of the published digits.
"""
import math
import numpy


class Problem:
    def __init__(self, name, collection, x0, f=None, res=None, lb=None, ub=None, eq=None, ineq=None,
                 fstar=None, xstar=None, also=(), cutest=None, cutest_args=(), note="", tol=1e-6, sense="local"):
        self.name, self.collection = name, collection
        self.x0 = numpy.array(x0, dtype=float)
        self.n = self.x0.size
        self.res = res
        self.f = f if f is not None else (lambda x, np, _r=res: np.sum(_r(x, np) ** 2))
        self.lb = None if lb is None else numpy.broadcast_to(numpy.array(lb, dtype=float), (self.n,)).copy()
        self.ub = None if ub is None else numpy.broadcast_to(numpy.array(ub, dtype=float), (self.n,)).copy()
        if self.lb is not None and self.ub is None:
            self.ub = numpy.full(self.n, numpy.inf)
        if self.ub is not None and self.lb is None:
            self.lb = numpy.full(self.n, -numpy.inf)
        self.eq, self.ineq = eq, ineq
        self.fstar = fstar
        self.xstar = None if xstar is None else numpy.array(xstar, dtype=float)
        self.also = tuple(also)
        self.cutest, self.cutest_args = cutest, tuple(cutest_args)
        self.note, self.tol, self.sense = note, tol, sense

    @property
    def kind(self):
        if self.eq or self.ineq:
            return "constrained"
        return "unconstrained" if self.lb is None else "bounds"

    # plain numpy evaluation
    def fun(self, x):
        return float(self.f(numpy.asarray(x, float), numpy))

    def violation(self, x):
        x = numpy.asarray(x, float)
        v = 0.0
        if self.lb is not None:
            v = max(v, float(numpy.max(self.lb - x)), float(numpy.max(x - self.ub)))
        if self.eq:
            v = max(v, float(numpy.max(numpy.abs(self.eq(x, numpy)))))
        if self.ineq:
            v = max(v, float(numpy.max(-self.ineq(x, numpy))))
        return max(v, 0.0)


class Collection(dict):
    def __init__(self, name):
        self.name = name

    def add(self, name, x0, **kw):
        """Decorator on the objective; or call with f=... / res=... given directly."""
        if "f" in kw or "res" in kw:
            self[name] = Problem(name, self.name, x0, **kw)
            return self[name]

        def deco(f):
            self[name] = Problem(name, self.name, x0, f=f, **kw)
            return f
        return deco
