"""How a ufunc of `scipy.special` becomes an op.

Its value comes from SciPy when it is first needed, its compiled code from SciPy's C function of the same name. Where a
derivative has no closed form, asking for it is an error that says so.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from symtape.errors import NotDifferentiableError
from symtape.ops.op import Op, Partial
from symtape.ops.registry import elementwise


def scipy_value(name: str) -> Callable[..., Any]:
    """A function of scipy.special that imports it at the first call."""

    def value(*arguments: Any) -> Any:
        import scipy.special

        return getattr(scipy.special, name)(*arguments)

    value.__name__ = name
    return value


def scipy_function(
    name: str,
    formula: Callable[..., Any],
    *partials: Partial,
    also: tuple[str, ...] = (),
    compiled: str | None = "own",
    source: str = "",
) -> Op:
    """Declare a ufunc of scipy.special as an op, and the function of its name.

    Parameters
    ----------
    name : str
        SciPy's name.
    formula : callable
        ``formula(sp, *arguments)``.
    *partials : rule, number or None
        One for each argument: ``rule(B, y, *inputs)``.
    also : tuple of str
        Full names of the same function elsewhere.
    compiled : str, optional
        The line of the lowering language; by default SciPy's C function of that name, None for a call back into Python.
    source : str
        Where the derivatives stand.

    Returns
    -------
    Op
    """
    arity = len(partials)
    own = f"{name}({', '.join('xyzw'[:arity])})"
    return elementwise(
        name,
        scipy_value(name),
        formula,
        implements=(f"scipy.special.{name}", *also),
        partials=_by_number(partials),
        lowering=own if compiled == "own" else compiled,
        arity=arity,
        source=source,
    )


def _by_number(partials: tuple[Partial, ...]) -> Mapping[int, Partial]:
    return dict(enumerate(partials))


def no_closed_form(function: str, argument: str) -> Callable[..., Any]:
    """The partial derivative in an argument in which there is no formula: an error that says so when it is asked for.

    Examples
    --------
    >>> no_closed_form("jv", "its order v")(None)
    Traceback (most recent call last):
    ...
    symtape.errors.NotDifferentiableError: the derivative of jv in its order v has no closed form; hold that argument \
fixed: give it as a number, or as st.stop_gradient(...)
    """

    def rule(*_: Any) -> Any:
        raise NotDifferentiableError(
            f"the derivative of {function} in {argument} has no closed form; hold that argument fixed: give it as a "
            "number, or as st.stop_gradient(...)"
        )

    return rule
