"""The table of stable forms: what people write, and an equal form that neither overflows nor cancels.

A form says by which operation its pattern ends, how it is recognised from there (see `stable_patterns`), and of which
steps its other form is made.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import reduce
from typing import Any, TypeAlias

from symtape.autodiff import stable_patterns as pattern
from symtape.autodiff.pattern_parts import Maker, Match

#: ``step(name, inputs, params=())`` applies the op of that name.
Step: TypeAlias = Callable[..., Any]


@dataclass(frozen=True, slots=True)
class StableForm:
    """One row of the table.

    Attributes
    ----------
    pattern : str
        As people write it.
    last : tuple of str
        Names of the ops that may end it.
    needs : tuple of str
        Names of ops of which one stands in every such pattern.
    form : str
        What stands in its place.
    match : callable
        ``match(record, maker) -> Match or None``.
    make : callable
        ``make(step, match) -> value``.
    """

    pattern: str
    last: tuple[str, ...]
    needs: tuple[str, ...]
    form: str
    match: Callable[[Any, Maker], Match | None]
    make: Callable[[Step, Match], Any]


# ------------------------------------------------------------------------------------------------------ the other forms


def _apply(name: str, params: tuple[Any, ...] = ()) -> Callable[[Step, Match], Any]:
    return lambda step, match: step(name, match.operands, params)


def _negated(name: str) -> Callable[[Step, Match], Any]:
    return lambda step, match: step("negative", (step(name, match.operands),))


def _along(name: str) -> Callable[[Step, Match], Any]:
    return lambda step, match: step(name, match.operands, (match.facts,))


def _folded(name: str) -> Callable[[Step, Match], Any]:
    return lambda step, match: reduce(lambda a, b: step(name, (a, b)), match.operands)


def _times(step: Step, x: Any, factor: int) -> Any:
    """``factor*x`` for 1, -1, 2 and -2."""
    if abs(factor) == 2:
        x = step("add", (x, x))
    return x if factor > 0 else step("negative", (x,))


def _sigmoid(step: Step, match: Match) -> Any:
    return step("expit", (_times(step, match.operands[0], match.facts),))


def _log_sigmoid(step: Step, match: Match) -> Any:
    return step("negative", (step("softplus", (_times(step, match.operands[0], -match.facts),)),))


def _log_one_minus(step: Step, match: Match) -> Any:
    return step("log1p", (step("negative", match.operands),))


def _log_sum_exp(step: Step, match: Match) -> Any:
    axes, shape = match.facts
    found = step("logsumexp", match.operands, (axes,))
    return found if found.node.shape == shape else step("reshape", (found,), (shape,))


_EXP = ("exp",)
_SIGMOIDS = ("exp", "tanh", "expit")

#: Every stable form there is; of several that fit, the first is taken.
FORMS: tuple[StableForm, ...] = (
    StableForm("log(1 + exp(x))", ("log",), _EXP, "softplus(x)", pattern.log_one_plus_exp, _apply("softplus")),
    StableForm("log1p(exp(x))", ("log1p",), _EXP, "softplus(x)", pattern.log1p_exp, _apply("softplus")),
    StableForm(
        "maximum(x, 0) + log1p(exp(-abs(x)))",
        ("add",),
        ("absolute",),
        "softplus(x)",
        pattern.softplus_by_parts,
        _apply("softplus"),
    ),
    StableForm("log(1 - exp(x))", ("log",), _EXP, "log1mexp(x)", pattern.log_one_minus_exp, _apply("log1mexp")),
    StableForm("log1p(-exp(x))", ("log1p",), _EXP, "log1mexp(x)", pattern.log1p_minus_exp, _apply("log1mexp")),
    StableForm("log(-expm1(x))", ("log",), ("expm1",), "log1mexp(x)", pattern.log_minus_expm1, _apply("log1mexp")),
    StableForm("log(1/(1 + exp(-x)))", ("log",), _SIGMOIDS, "-softplus(-x)", pattern.log_sigmoid, _log_sigmoid),
    StableForm(
        "log1p(-1/(1 + exp(-x)))", ("log1p",), _SIGMOIDS, "-softplus(x)", pattern.log1p_minus_sigmoid, _log_sigmoid
    ),
    StableForm("log(sum(exp(x)))", ("log",), _EXP, "logsumexp(x)", pattern.log_sum_exp, _log_sum_exp),
    StableForm("log(exp(x) + exp(y))", ("log",), _EXP, "logaddexp(x, y)", pattern.log_of_exps, _folded("logaddexp")),
    StableForm(
        "log(exp(x)/sum(exp(x)))",
        ("log",),
        ("exp", "softmax"),
        "log_softmax(x)",
        pattern.log_softmax,
        _along("log_softmax"),
    ),
    StableForm("log(1 + x)", ("log",), ("add",), "log1p(x)", pattern.log_one_plus, _apply("log1p")),
    StableForm("log(1 - x)", ("log",), ("subtract",), "log1p(-x)", pattern.log_one_minus, _log_one_minus),
    StableForm("exp(x) - 1", ("subtract", "add"), _EXP, "expm1(x)", pattern.exp_minus_one, _apply("expm1")),
    StableForm("1 - exp(x)", ("subtract",), _EXP, "-expm1(x)", pattern.one_minus_exp, _negated("expm1")),
    StableForm("1 - cos(x)", ("subtract",), ("cos",), "versine(x)", pattern.one_minus_cos, _apply("versine")),
    StableForm("cos(x) - 1", ("subtract",), ("cos",), "-versine(x)", pattern.cos_minus_one, _negated("versine")),
    StableForm(
        "x/(exp(x) - 1)",
        ("divide",),
        ("exp", "expm1"),
        "x_over_expm1(x)",
        pattern.over_exp_minus_one,
        _apply("x_over_expm1", (0,)),
    ),
    StableForm(
        "x/(1 - exp(-x))",
        ("divide",),
        ("exp", "expm1"),
        "x_over_expm1(-x)",
        pattern.over_one_minus_exp,
        _apply("x_over_expm1", (0,)),
    ),
    StableForm(
        "1/(1 + exp(-x))",
        ("divide", "reciprocal", "power"),
        _EXP,
        "expit(x)",
        pattern.sigmoid_by_reciprocal,
        _sigmoid,
    ),
    StableForm("exp(x)/(1 + exp(x))", ("divide",), _EXP, "expit(x)", pattern.sigmoid_by_quotient, _sigmoid),
    StableForm("(1 + tanh(x))/2", ("divide", "multiply"), ("tanh",), "expit(2*x)", pattern.sigmoid_by_tanh, _sigmoid),
    StableForm("1 - 1/(1 + exp(-x))", ("subtract",), _SIGMOIDS, "expit(-x)", pattern.one_less_sigmoid, _sigmoid),
    StableForm("exp(x)/sum(exp(x))", ("divide",), _EXP, "softmax(x)", pattern.exp_over_sum, _along("softmax")),
    StableForm(
        "sqrt(x*x + y*y)", ("sqrt", "power"), ("add",), "hypot(x, y)", pattern.root_of_squares, _folded("hypot")
    ),
)


def table() -> str:
    """The forms as a table for the documentation.

    Examples
    --------
    >>> print(table().splitlines()[2])
    | `log(1 + exp(x))` | `softplus(x)` |
    """
    rows = [f"| `{form.pattern}` | `{form.form}` |" for form in FORMS]
    return "\n".join(["| written | differentiated as |", "|---|---|", *rows]) + "\n"
