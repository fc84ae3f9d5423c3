"""The one list of what symtape can do: ops by name, and the functions that build with them.

A *function* is what a person calls: it has NumPy's signature, takes the namespace first and builds ops with it. NumPy
dispatch, the public names, the methods of tensors, the tables in the docs and the op table of the tests are all derived
from here.
"""

from __future__ import annotations

import copyreg
import difflib
import functools
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from symtape.errors import UnknownNameError
from symtape.graph.node import ITEM
from symtape.ops.arguments import only_defaults
from symtape.ops.element import elementwise_rule
from symtape.ops.op import LINEAR, Kind, Op, Partial, Rule, Rules
from symtape.ops.params import Check

if TYPE_CHECKING:
    from symtape.ops.confluence import Confluence

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
    partials: Mapping[int, Partial] | None = None,
    differentiable: bool = True,
    truth: bool = False,
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
        Derivatives that replace sympy's: ``rule(B, y, *inputs)``, a number, or None where no gradient flows.
    differentiable : bool
        False for ops that are constant almost everywhere (floor, comparisons).
    truth : bool
        Whether the formula takes sympy's booleans as they are; else they become 0 and 1 before it sees them.
    lowering : object
        See `symtape.compile`.
    arity : int, optional
        Number of arguments, if ``value`` is no ufunc.

    Returns
    -------
    Op
    """
    op = elementwise_op(
        name,
        value,
        formula,
        partials=partials,
        differentiable=differentiable,
        truth=truth,
        lowering=lowering,
        source=source,
    )
    count = arity if arity is not None else value.nin  # type: ignore[attr-defined]

    if count == 1:

        def apply(B: Any, x: Any, out: Any = None) -> Any:
            only_defaults(name, out=out)
            return B.build(op, (B.lift(x),))

    elif count == 2:

        def apply(B: Any, x1: Any, x2: Any, /, out: Any = None) -> Any:  # type: ignore[misc]
            only_defaults(name, out=out)
            return B.build(op, (B.lift(x1), B.lift(x2)))

    else:

        def apply(B: Any, *args: Any, out: Any = None) -> Any:  # type: ignore[misc]
            if len(args) != count:
                raise TypeError(f"{name} takes {count} arguments, got {len(args)}")
            only_defaults(name, out=out)
            return B.build(op, tuple(B.lift(a) for a in args))

    apply.__name__ = name
    names = (f"numpy.{name}",) if implements is None else implements
    _enter(Function(name=name, implementation=apply, implements=names, op=op))
    return op


def elementwise_op(
    name: str,
    value: Callable[..., Any],
    formula: Rule | None = None,
    *,
    infer: Callable[..., tuple[Any, Any]] | None = None,
    partials: Mapping[int, Partial] | None = None,
    pair: Rule | None = None,
    jvp: Rules = None,
    differentiable: bool = True,
    truth: bool = False,
    params: tuple[Check, ...] = (),
    lowering: Any = None,
    source: str = "",
) -> Op:
    """Declare an elementwise op alone; the function that users call is registered apart, with `function`.

    Parameters
    ----------
    infer : callable, optional
        ``infer(inputs, *params) -> (shape, dtype)``, where NumPy's own answer on the inputs' dtypes is not enough.
    pair : rule, optional
        vjp on pairs of mask and value, for ops that make masks.
    jvp : rule, optional
        Where the partials do not tell it.
    params : tuple of check
        What the params may be: see `symtape.ops.params`.
    name, value, formula, partials, differentiable, truth, lowering, source
        See `elementwise`. With parameters, ``value(*arrays, *params)``, ``formula(sp, *arguments, *params)`` and
        ``rule(B, y, *inputs, *params)``.

    Returns
    -------
    Op
    """
    op = Op(
        name=name,
        kind=Kind.ELEMENTWISE,
        value=value,
        rule_infer=infer,
        formula=formula if truth or formula is None else of_numbers(formula),
        partials=dict(partials or {}) if not isinstance(partials, Everywhere) else partials,
        pair=pair,
        jvp=jvp,
        differentiable=differentiable,
        params=params,
        lowering=lowering,
        source=source,
    )
    op.element = lambda at, inputs, *params: elementwise_rule(op, [i.shape for i in inputs], len(at), params)
    return register(op)


class Everywhere(Mapping[int, Partial]):
    """The same partial derivative in every argument, for ops that take any number of them."""

    def __init__(self, rule: Partial) -> None:
        self.rule = rule

    def __getitem__(self, argument: int) -> Partial:
        return self.rule

    def __contains__(self, argument: object) -> bool:
        return True

    def __iter__(self) -> Iterator[int]:
        return iter(())

    def __len__(self) -> int:
        return 0


def of_numbers(formula: Rule) -> Rule:
    """A formula of numbers: a comparison among its arguments counts as 1 where it holds, else as 0, as in NumPy."""

    @functools.wraps(formula)
    def numeric(sp: Any, *arguments: Any) -> Any:
        return formula(sp, *[as_number(sp, a) for a in arguments])

    return numeric


def as_number(sp: Any, argument: Any) -> Any:
    """Comparisons and connectives of sympy as 0 and 1; anything else as it is."""
    if isinstance(argument, sp.logic.boolalg.Boolean) and not isinstance(argument, sp.Symbol):
        return sp.Piecewise((sp.Integer(1), argument), (sp.Integer(0), True))
    return argument


#: What every ufunc takes, and where it changes nothing.
UFUNC_KEYWORDS: Mapping[str, Any] = {
    "where": True,
    "casting": "same_kind",
    "order": "K",
    "subok": True,
    "signature": None,
    "sig": None,
    "dtype": None,
}


def ufunc_arguments(B: Any, name: str, inputs: tuple[Any, ...], keywords: Mapping[str, Any]) -> tuple[Any, ...]:
    """The inputs of a ufunc called with keywords: ``dtype`` converts them, the others must have NumPy's defaults."""
    changed = {k: v for k, v in keywords.items() if k in UFUNC_KEYWORDS and not _is_default(k, v)}
    dtype = changed.pop("dtype", None)
    only_defaults(name, **changed)
    if dtype is None or np.dtype(dtype) == bool:  # of a comparison it is the dtype of the result
        return inputs
    return tuple(B.astype(x, dtype) for x in inputs)


def _is_default(keyword: str, value: Any) -> bool:
    plain = UFUNC_KEYWORDS[keyword]
    return isinstance(value, type(plain)) and bool(value == plain)


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
    formula: Rule | None = None,
    pair: Rule | None = None,
    vjp_together: Rule | None = None,
    jvp_together: Rule | None = None,
    masks: bool = False,
    adds: bool = False,
    differentiable: bool = True,
    results: int = 1,
    params: tuple[Check, ...] = (),
    lowering: Any = None,
    confluence: Confluence | None = None,
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
            formula=formula,
            pair=pair,
            vjp_together=vjp_together,
            jvp_together=jvp_together,
            masks=masks,
            adds=adds,
            differentiable=differentiable,
            results=results,
            params=params,
            lowering=lowering,
            confluence=confluence,
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


def _reduce_op(op: Op) -> tuple[Any, ...]:
    """An op is pickled as its name, one that stands in no list by the object that it belongs to."""
    if op.home is None:
        return op_named, (op.name,)
    home, part = op.home
    reduced: tuple[Any, ...] = home.reduce(part)
    return reduced


copyreg.pickle(Op, _reduce_op)


def ops() -> Mapping[str, Any]:
    """All declared ops by name."""
    return _ops


def functions() -> Mapping[str, Function]:
    """All registered functions by name."""
    return _functions


def forget(name: str) -> None:
    """Take the op and the function of a name out of the lists: for what users enter, and enter anew."""
    _ops.pop(name, None)
    _functions.pop(name, None)
