"""The one list of what symtape can do: ops by name, and the functions that build with them.

A *function* is what a person calls: it has NumPy's signature, takes the namespace first and builds ops with it. NumPy dispatch, the public
names, the methods of tensors, the tables in the docs and the op table of the tests are all derived from here.
"""

from __future__ import annotations

import copyreg
import difflib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from symtape.errors import UnknownNameError
from symtape.graph.node import ITEM
from symtape.ops.element import elementwise_rule
from symtape.ops.op import LINEAR, Kind, Op, Rule, Rules

_ops: dict[str, Any] = {"item": ITEM}
_functions: dict[str, Function] = {}


@dataclass(frozen=True, slots=True, kw_only=True)
class Function:
    """A function with NumPy's signature that builds with a namespace.

    Attributes
    ----------
    name : str
        As ``B.name(...)``.
    implementation : callable
        ``implementation(B, *args, **kwargs)``.
    implements : tuple of str
        Full names of what it stands for, such as ``"numpy.sum"`` or ``"scipy.special.erf"``; tensors dispatch on these.
    op : Op or None
        The elementwise op that it applies, if it is no more than that.
    """

    name: str
    implementation: Callable[..., Any]
    implements: tuple[str, ...] = ()
    op: Op | None = None


def register(op: Op) -> Op:
    """Enter an op under its name; a second op of one name is an error."""
    if op.name in _ops:
        raise ValueError(f"an op named {op.name!r} is declared already")
    _ops[op.name] = op
    return op


def function(*implements: str, name: str | None = None) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Register a function of the namespace; the decorated callable takes the namespace ``B`` first."""

    def enter(implementation: Callable[..., Any]) -> Callable[..., Any]:
        own = name or implementation.__name__
        _enter(Function(name=own, implementation=implementation, implements=implements))
        return implementation

    return enter


def _enter(entry: Function) -> None:
    if entry.name in _functions:
        raise ValueError(f"a function named {entry.name!r} is registered already")
    _functions[entry.name] = entry


def elementwise(
    name: str,
    value: Callable[..., Any],
    formula: Rule | None = None,
    *,
    implements: tuple[str, ...] | None = None,
    partials: Mapping[int, Rule | None] | None = None,
    differentiable: bool = True,
    lowering: Any = None,
    arity: int | None = None,
    source: str = "",
) -> Op:
    """Declare an elementwise op and the function of the same name.

    Parameters
    ----------
    name : str
        NumPy's name.
    value : callable
        The NumPy or SciPy ufunc (or a thunk around one that imports it when called).
    formula : callable
        ``formula(sp, *arguments)``, sympy's expression over real placeholders.
    implements : tuple of str, optional
        Full names that dispatch here; ``numpy.<name>`` unless given.
    partials : mapping, optional
        Derivatives that replace sympy's, ``rule(B, y, *inputs)``; None where no gradient flows.
    differentiable : bool
        False for ops that are constant almost everywhere (floor, comparisons).
    lowering : object
        See `symtape.compile`.
    arity : int, optional
        Number of arguments, if ``value`` is no ufunc.

    Returns
    -------
    Op
    """
    op = Op(
        name=name,
        kind=Kind.ELEMENTWISE,
        value=value,
        formula=formula,
        partials=dict(partials or {}),
        differentiable=differentiable,
        lowering=lowering,
        source=source,
    )
    op.element = lambda at, inputs: elementwise_rule(op, [i.shape for i in inputs], len(at))
    register(op)
    count = arity if arity is not None else value.nin  # type: ignore[attr-defined]

    if count == 1:

        def apply(B: Any, x: Any) -> Any:
            return B.build(op, (B.lift(x),))

    elif count == 2:  # noqa: PLR2004

        def apply(B: Any, x1: Any, x2: Any) -> Any:  # type: ignore[misc]
            return B.build(op, (B.lift(x1), B.lift(x2)))

    else:

        def apply(B: Any, *args: Any) -> Any:  # type: ignore[misc]
            if len(args) != count:
                raise TypeError(f"{name} takes {count} arguments, got {len(args)}")
            return B.build(op, tuple(B.lift(a) for a in args))

    apply.__name__ = name
    names = (f"numpy.{name}",) if implements is None else implements
    _enter(Function(name=name, implementation=apply, implements=names, op=op))
    return op


def structural(
    name: str,
    kind: Kind,
    value: Callable[..., Any],
    infer: Callable[..., tuple[Any, Any]],
    *,
    vjp: Rules = None,
    jvp: Any = LINEAR,
    batch: Rule | None = None,
    element: Rule | None = None,
    pair: Rule | None = None,
    masks: bool = False,
    differentiable: bool = True,
    results: int = 1,
    lowering: Any = None,
    source: str = "",
) -> Op:
    """Declare an op that is not elementwise. The function that users call is registered apart, with `function`."""
    return register(
        Op(
            name=name,
            kind=kind,
            value=value,
            rule_infer=infer,
            vjp=vjp,
            jvp=jvp,
            batch=batch,
            element=element,
            pair=pair,
            masks=masks,
            differentiable=differentiable,
            results=results,
            lowering=lowering,
            source=source,
        )
    )


def op_named(name: str) -> Any:
    """The op of that name.

    Raises
    ------
    UnknownNameError
        Naming what comes near.
    """
    try:
        return _ops[name]
    except KeyError:
        near = difflib.get_close_matches(name, _ops, n=3)
        hint = f"; did you mean {', '.join(near)}?" if near else ""
        raise UnknownNameError(f"there is no op named {name!r}{hint}") from None


# An op is pickled and copied as its name.
copyreg.pickle(Op, lambda op: (op_named, (op.name,)))


def ops() -> Mapping[str, Any]:
    """All declared ops by name."""
    return _ops


def functions() -> Mapping[str, Function]:
    """All registered functions by name."""
    return _functions
