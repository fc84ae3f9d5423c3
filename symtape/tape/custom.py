"""Gradients that people state themselves: `stop_gradient` and `custom_gradient`, both as nodes of the graph.

A function with a gradient of its own is recorded for reuse, its result and its gradient alike, and becomes one
operation with two bodies. So it can be compiled, batched and differentiated again, and saved like any other.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from symtape import pytree
from symtape.errors import ShapeError
from symtape.graph.closed import close
from symtape.graph.node import LEAF, Node, symbol
from symtape.graph.traverse import topological
from symtape.tape.record_callable import record
from symtape.tape.recording import active_captures
from symtape.tape.replay import assume
from symtape.tape.tensor import TENSORS, Tensor, lift, wrap
from symtape.tape.variable import Variable

_BY = "st.custom_gradient"


def stop_gradient(x: Any) -> Any:
    """The value of ``x`` through which no gradient flows.

    Parameters
    ----------
    x : Tensor or nested structure of tensors
        What is no tensor comes back as it is.

    Returns
    -------
    Tensor or nested structure of tensors

    Examples
    --------
    >>> import symtape as st
    >>> x = st.Variable(3.0)
    >>> with st.GradientTape() as tape:
    ...     y = x * st.stop_gradient(x)
    >>> float(tape.gradient(y, x))
    3.0
    """

    def stopped(t: Any) -> Any:
        is_tensor = isinstance(t, Tensor) or (isinstance(t, np.ndarray) and t.dtype == object)
        return TENSORS.stop_gradient(lift(t)) if is_tensor else t

    return pytree.transform(stopped, x)


def custom_gradient(function: Callable[..., Any]) -> Callable[..., Any]:
    """Give a function the gradient that it states itself.

    Parameters
    ----------
    function : callable
        Takes tensors and returns ``(y, grad)``: its result, one tensor or several, and a function that takes one
        upstream gradient for each of them and returns one gradient for each argument, None for one without. Keyword
        arguments are handed on as they are. If the function uses trainable variables, ``grad`` must take a keyword
        argument ``variables``, and returns the gradients of the arguments and a list of those of the variables.

    Returns
    -------
    callable
        Takes the same arguments and returns ``y``.

    Examples
    --------
    >>> import numpy as np, symtape as st
    >>> @st.custom_gradient
    ... def log1pexp(x):
    ...     e = np.exp(x)
    ...     return np.log(1 + e), lambda upstream: upstream * (1 - 1 / (1 + e))
    >>> x = st.Variable(100.0)
    >>> with st.GradientTape() as tape:
    ...     y = log1pexp(x)
    >>> float(tape.gradient(y, x))
    1.0
    """

    @functools.wraps(function)
    def decorated(*args: Any, **kwargs: Any) -> Any:
        arguments, structure = pytree.flatten(args)
        tensors = [lift(a) for a in arguments]
        run = _Run(function, structure, kwargs)
        recorded = record(run, tensors, by=_BY, pure=False)
        results, gradients = run.split(recorded.outputs)
        inputs = [*recorded.inputs, *[v.node for v in run.variables]]
        known = {*inputs, *run.upstream}
        more = [n for n in topological([*results, *gradients]) if n.op is LEAF and n not in known]
        primal, _ = close(results, [*inputs, *more])
        gradient, _ = close(gradients, [*inputs, *more, *run.upstream])
        operands = [*tensors, *[v.read() for v in run.variables], *[wrap(n) for n in more]]
        flows = [*[f is not None for f in run.gradients], *[False] * len(more)]
        assume(recorded.guards, recorded.given(tensors))
        if not operands:
            return run.nesting.unflatten([wrap(n) for n in results])
        return run.nesting.unflatten(TENSORS.custom_gradient(primal, gradient, operands, flows))

    return decorated


@dataclass(slots=True)
class _Run:
    """The user's function as `record` calls it: with tensors of its own, for the result and the gradients at once."""

    function: Callable[..., Any]
    structure: pytree.Structure
    kwargs: dict[str, Any]
    nesting: pytree.Structure = pytree.LEAF
    variables: Sequence[Variable] = ()
    upstream: Sequence[Node] = ()
    gradients: Sequence[Tensor | None] = ()

    def __call__(self, *inner: Tensor) -> Any:
        returned = self.function(*self.structure.unflatten(inner), **self.kwargs)
        if not (isinstance(returned, tuple) and len(returned) == 2 and callable(returned[1])):
            raise TypeError(
                f"a function under st.custom_gradient must return (result, gradient function), got {returned!r}"
            )
        value, grad = returned
        found, self.nesting = pytree.flatten(value)
        results = [lift(y) for y in found]
        used = active_captures()[-1].reads.values()
        self.variables = [v for v in used if isinstance(v, Variable) and v.trainable]
        self.upstream = [symbol("upstream", y.shape, y.dtype) for y in results]
        self.gradients = self._checked(grad, inner)
        return results, list(self.gradients)

    def _checked(self, grad: Callable[..., Any], inner: Sequence[Tensor]) -> list[Tensor | None]:
        """What the gradient function returns, one entry for each argument, then for each variable."""
        upstream = [wrap(n) for n in self.upstream]
        takes = _takes_variables(grad)
        if self.variables and not takes:
            names = ", ".join(repr(v.name) for v in self.variables)
            raise TypeError(
                "If using @custom_gradient with a function that uses variables, then grad_fn must accept a 'variables' "
                f"keyword argument; this one uses {names}: pass them as arguments, or add variables=None"
            )
        if not self.variables:
            return self._counted(grad(*upstream), inner)
        both = grad(*upstream, variables=list(self.variables))
        if not (isinstance(both, tuple) and len(both) == 2):
            raise TypeError(
                "the gradient function takes 'variables', so it must return (gradients of the arguments, list of "
                f"gradients of the variables), got {both!r}"
            )
        return self._counted(both[0], inner) + self._counted(both[1], [v.read() for v in self.variables])

    def _counted(self, gradients: Any, of: Sequence[Tensor]) -> list[Tensor | None]:
        found = pytree.flatten(gradients)[0]
        if len(found) != len(of):
            raise ValueError(
                f"custom_gradient function expected to return {len(of)} gradients, but returned {len(found)} instead."
            )
        result: list[Tensor | None] = []
        for k, (g, x) in enumerate(zip(found, of, strict=True)):
            if g is None or x.dtype.kind != "f":
                result.append(None)
                continue
            given = lift(g)
            if given.shape != x.shape:
                raise ShapeError(f"gradient {k} under st.custom_gradient has shape {given.shape}, wanted {x.shape}")
            result.append(given if given.dtype == x.dtype else TENSORS.astype(given, x.dtype))
        return result

    def split(self, outputs: Sequence[Node]) -> tuple[Sequence[Node], Sequence[Node]]:
        """Results and gradients among the recorded outputs."""
        count = len(self.upstream)
        return outputs[:count], outputs[count:]


def _takes_variables(grad: Callable[..., Any]) -> bool:
    try:
        parameters = inspect.signature(grad).parameters.values()
    except (TypeError, ValueError):
        return False
    return any(p.name == "variables" or p.kind is inspect.Parameter.VAR_KEYWORD for p in parameters)
