"""Functions with derivative rules of their own, named and meant as JAX's: `custom_jvp`, `custom_vjp`.

Both become one operation with two bodies, as `st.custom_gradient` makes it. A rule that pushes tangents forward is
linear in them; the rule that pulls gradients back is read off it.

A rule often calls the function that it is the rule of. Inside of the rule such a call has the rule again, so that
second derivatives have it too; below `_LEVELS` of them the function runs as it is written.
"""

from __future__ import annotations

import functools
import inspect
import threading
from collections.abc import Callable, Sequence
from typing import Any

from symtape import pytree
from symtape.autodiff.reverse import pullback
from symtape.graph.node import symbol
from symtape.graph.traverse import substitute
from symtape.ops.namespace import DERIVATIVES
from symtape.tape.custom import custom_gradient
from symtape.tape.tensor import Tensor, lift, wrap

_LEVELS = 3  #: how often a rule stands inside of itself: derivatives up to this order go by the rule


class _Within(threading.local):
    """How many calls of a rule the thread is in."""

    levels = 0

    def __enter__(self) -> None:
        self.levels += 1

    def __exit__(self, *_: object) -> None:
        self.levels -= 1


class _WithRule:
    """What both have in common: a function, and the positions of arguments that the rule takes as they are."""

    def __init__(self, fun: Callable[..., Any], nondiff_argnums: Sequence[int] = ()) -> None:
        if not callable(fun):
            raise TypeError(f"{self._name()} decorates a function, got {fun!r}")
        functools.update_wrapper(self, fun)  # type: ignore[arg-type]
        self.fun = fun
        self.nondiff_argnums = tuple(sorted(nondiff_argnums))
        self._within = _Within()

    @classmethod
    def _name(cls) -> str:
        return "st.custom_vjp" if cls is CustomVjp else "st.custom_jvp"

    def _split(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[tuple[Any, ...], list[Any], list[Any]]:
        """All arguments by position, those that the rule takes as they are, and the others."""
        if kwargs:
            bound = inspect.signature(self.fun).bind(*args, **kwargs)
            bound.apply_defaults()
            if bound.kwargs:
                raise TypeError(f"{self._name()}: {', '.join(bound.kwargs)} cannot be given by position")
            args = bound.args
        fixed = [args[k] for k in self.nondiff_argnums]
        return args, fixed, [a for k, a in enumerate(args) if k not in self.nondiff_argnums]

    def _whole(self, args: tuple[Any, ...], moving: Sequence[Any]) -> list[Any]:
        """All arguments, with new ones in the places of those that are differentiated."""
        rest = iter(moving)
        return [a if k in self.nondiff_argnums else next(rest) for k, a in enumerate(args)]


class CustomVjp(_WithRule):
    """A function with a rule that pulls gradients back; see `custom_vjp`."""

    _rules: tuple[Callable[..., Any], Callable[..., Any]] | None = None

    def defvjp(self, fwd: Callable[..., Any], bwd: Callable[..., Any]) -> None:
        """Give the rule.

        Parameters
        ----------
        fwd : callable
            ``fwd(*args) -> (result, residuals)``.
        bwd : callable
            ``bwd(*fixed, residuals, cotangent) -> tuple``, one gradient for each differentiated argument, None for one
            without. ``fixed`` are the arguments of ``nondiff_argnums``.
        """
        self._rules = (fwd, bwd)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """The function at its arguments, with the rule as its derivative."""
        if self._rules is None:
            raise AttributeError(
                f"no VJP is defined for {self.fun.__name__}: call {self.fun.__name__}.defvjp(fwd, bwd)"
            )
        fwd, bwd = self._rules
        if self._within.levels >= _LEVELS:
            return self.fun(*args, **kwargs)
        args, fixed, moving = self._split(args, kwargs)

        def with_gradient(*inner: Any) -> Any:
            with self._within:
                pair = fwd(*self._whole(args, inner))
            if not (isinstance(pair, tuple) and len(pair) == 2):
                raise TypeError(
                    f"the forward rule of {self.fun.__name__} must return (result, residuals), got {pair!r}"
                )
            out, residuals = pair
            structure = pytree.flatten(out)[1]

            def pull(*upstream: Any) -> Any:
                with self._within:
                    found = bwd(*fixed, residuals, structure.unflatten(list(upstream)))
                if not isinstance(found, (tuple, list)) or len(found) != len(inner):
                    raise TypeError(
                        f"the backward rule of {self.fun.__name__} must return a tuple of {len(inner)} gradients, "
                        f"got {found!r}"
                    )
                return tuple(found)

            return out, pull

        return custom_gradient(with_gradient)(*moving)


class CustomJvp(_WithRule):
    """A function with a rule that pushes tangents forward; see `custom_jvp`."""

    _rule: Callable[..., Any] | None = None

    def defjvp(self, jvp: Callable[..., Any]) -> Callable[..., Any]:
        """Give the rule: ``jvp(*fixed, primals, tangents) -> (result, its tangent)``, linear in the tangents."""
        self._rule = jvp
        return jvp

    def defjvps(self, *jvps: Callable[..., Any] | None) -> None:
        """Give a rule for each argument, ``jvp(tangent, result, *primals)``, or None for one without derivative."""

        def rule(primals: Sequence[Any], tangents: Sequence[Any]) -> Any:
            out = self.fun(*primals)
            parts = [j(t, out, *primals) for j, t in zip(jvps, tangents, strict=True) if j is not None]
            return out, functools.reduce(lambda a, b: a + b, parts) if parts else 0.0 * out

        if self.nondiff_argnums:
            raise TypeError("defjvps knows no nondiff_argnums: give one rule with defjvp")
        self._rule = rule

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """The function at its arguments, with the rule as its derivative."""
        rule = self._rule
        if rule is None:
            raise AttributeError(f"no JVP is defined for {self.fun.__name__}: call {self.fun.__name__}.defjvp(rule)")
        if self._within.levels >= _LEVELS:
            return self.fun(*args, **kwargs)
        args, fixed, moving = self._split(args, kwargs)

        def with_gradient(*inner: Any) -> Any:
            leaves, structure = pytree.flatten(list(inner))
            directions = [_direction(leaf) for leaf in leaves]
            tangents = structure.unflatten([t if isinstance(t, Tensor) else None for t in directions])
            with self._within:
                pair = rule(*fixed, tuple(inner), tuple(tangents))
            if not (isinstance(pair, tuple) and len(pair) == 2):
                raise TypeError(f"the rule of {self.fun.__name__} must return (result, tangent), got {pair!r}")
            out, moved = pair
            changes = [lift(t).node for t in pytree.flatten(moved)[0]]

            def pull(*upstream: Any) -> Any:
                wrt = [t.node for t in directions if t is not None]
                pulled = pullback(changes, [lift(u).node for u in upstream], wrt)
                still = {
                    t: DERIVATIVES.zeros(t.shape, t.dtype) for t in wrt
                }  # of a linear rule nothing of them is left
                found = iter([None if p is None else wrap(substitute([p], still)[0]) for p in pulled])
                return structure.unflatten([None if t is None else next(found) for t in directions])

            return out, pull

        return custom_gradient(with_gradient)(*moving)


def _direction(leaf: Any) -> Tensor | None:
    """A tangent to be read off a rule, for an argument of floats."""
    value = lift(leaf)
    return wrap(symbol("tangent", value.shape, value.dtype)) if value.dtype.kind == "f" else None


def custom_vjp(fun: Callable[..., Any], nondiff_argnums: Sequence[int] = ()) -> CustomVjp:
    """Give a function a rule of its own for gradients, as ``jax.custom_vjp``.

    Parameters
    ----------
    fun : callable
    nondiff_argnums : sequence of int
        Positions of arguments that the rule gets as they are.

    Returns
    -------
    CustomVjp
        The function; its method ``defvjp(fwd, bwd)`` takes the rule.

    Examples
    --------
    >>> import numpy as np, symtape as st
    >>> @st.custom_vjp
    ... def clipped(x):
    ...     return x**2
    >>> clipped.defvjp(lambda x: (x**2, x), lambda x, g: (np.clip(2 * x * g, -1, 1),))
    >>> st.grad(clipped)(3.0), st.grad(clipped)(0.25)
    (1.0, 0.5)
    """
    return CustomVjp(fun, nondiff_argnums)


def custom_jvp(fun: Callable[..., Any], nondiff_argnums: Sequence[int] = ()) -> CustomJvp:
    """Give a function a rule of its own for directional derivatives, as ``jax.custom_jvp``.

    Gradients follow from the rule, which is linear in the tangents.

    Parameters
    ----------
    fun : callable
    nondiff_argnums : sequence of int
        Positions of arguments that the rule gets as they are.

    Returns
    -------
    CustomJvp
        The function; its methods ``defjvp(rule)`` and ``defjvps(*rules)`` take the rule.

    Examples
    --------
    >>> import numpy as np, symtape as st
    >>> @st.custom_jvp
    ... def log1pexp(x):
    ...     return np.logaddexp(x, 0.0)
    >>> @log1pexp.defjvp
    ... def rule(primals, tangents):
    ...     (x,), (t,) = primals, tangents
    ...     return log1pexp(x), t / (1 + np.exp(-x))
    >>> st.grad(log1pexp)(0.0)
    0.5
    """
    return CustomJvp(fun, nondiff_argnums)
