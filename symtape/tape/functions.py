"""Functions for which NumPy's protocols do not ask a tensor: those of SciPy, and NumPy's own on lists and arrays.

`special`, `linalg` and `stats` are made from the registry: a function that implements ``scipy.special.erf`` stands here
as ``st.special.erf``. Arrays in, arrays out; with a tensor among the arguments, tensors out.
"""

from __future__ import annotations

import difflib
import functools
from collections.abc import Callable
from typing import Any

from symtape import pytree
from symtape.compile.evaluate import evaluate
from symtape.ops.registry import Function, functions
from symtape.tape.callable_arguments import is_whole
from symtape.tape.functional import number
from symtape.tape.tensor import TENSORS, Tensor, lift


class Offered:
    """Functions under a common name, made from the registry when they are asked for.

    Parameters
    ----------
    name : str
        As people write it: ``"st.special"``.
    roots : tuple of str
        Packages whose functions are offered: ``("scipy.special",)``.
    extra : tuple of str
        Registered functions that no package has.
    doc : str
    """

    def __init__(self, name: str, roots: tuple[str, ...], extra: tuple[str, ...] = (), doc: str = "") -> None:
        self._name = name
        self._roots = roots
        self._extra = extra
        self.__doc__ = doc

    def __dir__(self) -> list[str]:
        return sorted({path.partition(".")[0] for path in self._entries()})

    def _entries(self) -> dict[str, Function]:
        """What is offered, by the name below the package."""
        found = {name: functions()[name] for name in self._extra}
        for entry in functions().values():
            for full in entry.implements:
                for root in self._roots:
                    if full.startswith(f"{root}."):
                        found[full[len(root) + 1 :]] = entry
        return found

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        entries = self._entries()
        if name in entries:
            made: Any = offer(entries[name], f"{self._name}.{name}")
        elif any(path.startswith(f"{name}.") for path in entries):
            made = Offered(f"{self._name}.{name}", tuple(f"{root}.{name}" for root in self._roots))
        else:
            near = difflib.get_close_matches(name, dir(self), n=3, cutoff=0.4)
            hint = f"; did you mean {', '.join(near)}?" if near else ""
            raise AttributeError(f"{self._name} has no function {name!r}{hint}; it has {', '.join(dir(self))}")
        self.__dict__[name] = made
        return made

    def __call__(self, *_: Any, **__: Any) -> Any:
        """Refuse to freeze a distribution."""
        methods = ", ".join(f"{self._name}.{name}" for name in dir(self))
        raise TypeError(
            f"{self._name} is no function: give the arguments to one of {methods}, parameters of a distribution "
            "after x, as in st.stats.norm.logpdf(x, loc, scale)"
        )

    def __repr__(self) -> str:
        return f"<{self._name}: {', '.join(dir(self))}>"


def offer(entry: Function, name: str) -> Callable[..., Any]:
    """A registered function as people call it."""

    @functools.wraps(entry.implementation, assigned=("__doc__",), updated=())
    def offered(*args: Any, **kwargs: Any) -> Any:
        result = entry.implementation(TENSORS, *args, **kwargs)
        if _has_tensor((args, kwargs)):
            return result
        leaves, structure = pytree.flatten(result, is_whole)
        return structure.unflatten([number(v) for v in evaluate([lift(leaf).node for leaf in leaves])])

    offered.__name__ = name.rpartition(".")[2]
    offered.__qualname__ = name.removeprefix("st.")
    offered.__module__ = "symtape"
    return offered


def _has_tensor(tree: Any) -> bool:
    leaves = pytree.flatten(tree, is_whole)[0]
    return any(isinstance(leaf, Tensor) or getattr(getattr(leaf, "dtype", None), "kind", "") == "O" for leaf in leaves)


special = Offered(
    "st.special",
    ("scipy.special",),
    ("softplus",),
    """Special functions, under SciPy's names and with their signatures.

    Examples
    --------
    >>> import symtape as st
    >>> x = st.Variable(0.0, name="x")
    >>> with st.GradientTape() as tape:
    ...     y = st.special.erf(x)
    >>> tape.gradient(y, x).expr
    2*exp(-x**2)/sqrt(pi)
    >>> st.special.softmax([0.0, 0.0])
    array([0.5, 0.5])
    """,
)

linalg = Offered(
    "st.linalg",
    ("numpy.linalg", "scipy.linalg"),
    (),
    """Linear algebra, under NumPy's and SciPy's names and with their signatures; lists of tensors are matrices here.

    Examples
    --------
    >>> import symtape as st
    >>> x = st.Variable(2.0, name="x")
    >>> st.linalg.det([[x, 1.0], [1.0, x]]).numpy()
    array(3.)
    """,
)

stats = Offered(
    "st.stats",
    ("scipy.stats",),
    (),
    """Probability distributions, under SciPy's names: densities, their logarithms and distribution functions.

    Examples
    --------
    >>> import symtape as st
    >>> mu = st.Variable(0.0, name="mu")
    >>> with st.GradientTape() as tape:
    ...     y = st.stats.norm.logpdf(3.0, mu, 1.0)
    >>> float(tape.gradient(y, mu))
    3.0
    """,
)


def where(condition: Any, x: Any, y: Any) -> Any:
    """``np.where`` of anything that stands for an array: lists of tensors, too.

    Parameters
    ----------
    condition, x, y
        They broadcast; elements of ``x`` where ``condition`` is True, else of ``y``. No gradient flows through the side
        not taken, not even a NaN.

    Returns
    -------
    Tensor, or ndarray if no tensor is among the arguments

    Examples
    --------
    >>> import numpy as np, symtape as st
    >>> x = st.Variable([0.0, 4.0], name="x")
    >>> with st.GradientTape() as tape:
    ...     y = np.sum(st.where(x > 0, np.sqrt(x), 0.0))
    >>> tape.gradient(y, x).numpy()
    array([0.  , 0.25])
    """
    return offer(functions()["where"], "st.where")(condition, x, y)


def stack(arrays: Any, axis: int = 0) -> Any:
    """``np.stack`` of anything that stands for arrays: scalars and lists of tensors, too.

    Parameters
    ----------
    arrays : sequence of Tensor or array_like
        Of the same shape.
    axis : int
        Where the new axis stands.

    Returns
    -------
    Tensor, or ndarray if no tensor is among the arguments

    Examples
    --------
    >>> import symtape as st
    >>> x, y = st.Variable(3.0), st.Variable(2.0)
    >>> st.stack([x, y, 1.0]).numpy()
    array([3., 2., 1.])
    """
    return offer(functions()["stack"], "st.stack")(arrays, axis)
