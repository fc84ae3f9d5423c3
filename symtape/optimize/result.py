"""What a minimization returns: SciPy's result with names, a certificate, a history, and a way back to the variables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import scipy.optimize

from symtape.compile.evaluate import evaluate
from symtape.graph.node import Node
from symtape.graph.traverse import leaves
from symtape.optimize.certify import Certificate
from symtape.optimize.history import History
from symtape.optimize.method import Method
from symtape.optimize.standard_form import Array
from symtape.optimize.unknowns import Unknowns
from symtape.tape.tensor import Tensor
from symtape.tape.variable import Variable

_SHOWN = 8


class MethodName(str):
    """The name of a method; ``source`` is the paper to cite."""

    __slots__ = ("source",)
    source: str

    def __new__(cls, name: str, source: str = "") -> Self:
        """Make the name of a method."""
        made = super().__new__(cls, name)
        made.source = source
        return made

    def __reduce__(self) -> tuple[type[MethodName], tuple[str, str]]:
        return type(self), (str(self), self.source)


class Params(dict[str, Any]):
    """Values by name; a variable itself is a key as well.

    Scalars are floats, everything else arrays.
    """

    def __init__(self, values: Mapping[str, Any], tensors: Sequence[Tensor | None] = ()) -> None:
        super().__init__(values)
        self.tensors = tuple(tensors)

    def __missing__(self, key: Any) -> Any:
        for name, tensor in zip(self, self.tensors, strict=False):
            if tensor is not None and key is tensor:
                return self[name]
        raise KeyError(f"{key!r}; there are {', '.join(self)}")

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (dict(self), self.tensors)


@dataclass(frozen=True, slots=True)
class Solution:
    """The values that a solve gave and was given, tied to the tensors that the user knows.

    Attributes
    ----------
    found : tuple of (Tensor, ndarray)
        What was solved for.
    given : tuple of (Tensor, ndarray)
        Parameters whose values the caller overrode.
    """

    found: tuple[tuple[Tensor, Array], ...] = ()
    given: tuple[tuple[Tensor, Array], ...] = ()

    @classmethod
    def of(cls, unknowns: Unknowns, x: Array, parameters: Sequence[tuple[Node, Tensor, Array]]) -> Self:
        """The values of a flat vector and of parameters that were given."""
        found = [(i.tensor, x[i.place].reshape(i.shape)) for i in unknowns.items]
        return cls(
            tuple((tensor, value) for tensor, value in found if tensor is not None),
            tuple((tensor, value) for _, tensor, value in parameters),
        )

    def value(self, tensor: Tensor) -> Any:
        """The value of an expression at the solution: a float for shape (), else an array."""
        env: dict[Node, Any] = {}
        for node in leaves([tensor.node]):
            for known, value in (*self.found, *self.given):
                if node is known.node or (isinstance(known, Variable) and node.params[2] == known.ident):
                    env[node] = value.astype(node.dtype)
        number = np.array(evaluate([tensor.node], env)[0])
        return number if number.shape else number[()]

    def assign(self) -> None:
        """Give the variables their values."""
        symbols = [t for t, _ in self.found if not isinstance(t, Variable)]
        if symbols:
            raise TypeError(f"{symbols[0].node!r} is no st.Variable and takes no value; read it from .params")
        for tensor, value in self.found:
            assert isinstance(tensor, Variable)
            tensor.assign(value)


class OptimizeResult(scipy.optimize.OptimizeResult):  # type: ignore[misc]
    """The result of a minimization: a dict with attributes, as SciPy's, whose ``success`` follows from its certificate.

    Attributes
    ----------
    x : ndarray of shape (n,)
        The point, float64.
    fun : float
        The objective there.
    jac : ndarray of shape (n,)
        Its gradient.
    success : bool
        Whether the certificate's verdict is one of a minimum.
    message : str
        The verdict in words.
    solver_message : str
        What the solver said of itself.
    status : int
        0 for success.
    nit, nfev, njev, nhev : int
        Iterations; evaluations of the objective, of its gradient, of its Hessian or products with it.
    params : Params
        The values by name.
    method : MethodName
        The method that was used; ``method.source`` is the paper to cite.
    certificate : Certificate
        What was checked at x.
    history : History
        The iterates.

    Examples
    --------
    >>> import symtape as st
    >>> x, y = st.Variable(0.0, name="x"), st.Variable(0.0, name="y")
    >>> res = st.minimize((x - 1)**2 + (y + 2)**2, [x, y])
    >>> res.success, float(res.params["y"])
    (True, -2.0)
    >>> float(res.value(x + y))
    -1.0
    """

    @property
    def solution(self) -> Solution:
        """The values, tied to tensors."""
        found: Solution = self.__dict__.get("_solution", Solution())
        return found

    def value(self, tensor: Tensor) -> Any:
        """The value of an expression at the solution, with the parameters of this solve.

        Parameters
        ----------
        tensor : Tensor

        Returns
        -------
        float or ndarray
        """
        if not isinstance(tensor, Tensor):
            raise TypeError(f"wanted a tensor to evaluate at the solution, got {tensor!r}; numbers are in .params")
        return self.solution.value(tensor)

    def assign(self) -> Self:
        """Let the variables that were solved for take their values; until then they keep their own.

        Returns
        -------
        OptimizeResult
            Itself.
        """
        self.solution.assign()
        return self

    def _headline(self) -> tuple[str, str]:
        return "fun", f"{self.fun:.10g}"

    def _param_rows(self) -> list[tuple[str, str]]:
        return [(name, shown(value)) for name, value in self.params.items()]

    def _rows(self) -> list[tuple[str, str]]:
        """What is shown, line by line."""
        certificate: Certificate = self.certificate
        rows = [("success", str(self.success)), self._headline(), *self._param_rows()]
        rows.append(("method", f"{self.method}: {self.solver_message}"))
        rows.append(("counts", f"nit {self.nit}, nfev {self.nfev}, njev {self.njev}, nhev {self.nhev}"))
        return rows + certificate.rows()

    def __repr__(self) -> str:
        width = max(len(name) for name, _ in self._rows()) + 1
        return "\n".join([self.message, *(f"  {name:<{width}} {text}" for name, text in self._rows())])

    __str__ = __repr__


def shown(value: Any) -> str:
    """A short text of a float or an array."""
    if np.ndim(value) == 0:
        return f"{float(value):.10g}"
    return np.array2string(np.asarray(value), precision=6, threshold=_SHOWN, separator=", ")


def result_fields(
    x: Array,
    params: Params,
    certificate: Certificate,
    method: Method,
    solver_message: str,
    iterations: int,
    history: History,
    details: Mapping[str, Any],
) -> dict[str, Any]:
    """The fields that every result has, whatever was minimized."""
    return {
        **details,
        "message": certificate.sentence,
        "success": certificate.success,
        "status": 0 if certificate.success else 1 + list(type(certificate.verdict)).index(certificate.verdict),
        "x": x,
        "params": params,
        "nit": iterations,
        "method": MethodName(method.name, method.source),
        "solver_message": solver_message,
        "certificate": certificate,
        "history": history,
    }
