"""Choices made plain: sums, products and nestings of ``Piecewise`` under the same conditions as one.

The rules of differentiation send a cotangent through a mask and add up what comes back; a person writes the cases. The
value stays the same wherever it is a real number, with one exception: elements that tie for an extreme share its
derivative in the code, and the formula tells it where there is no tie.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

from symtape.ops.sympy_functions import sympy_function

#: The value and the condition of each case, in order; the last condition is True.
Cases: TypeAlias = list[tuple[Any, Any]]
Read: TypeAlias = Callable[[Any], Any]


def plain_choice(sp: Any, e: Any, readable: Read) -> Any:
    """A choice with what is known in each case put in, and with nothing that it does not need."""
    cases = [(value, _plain_condition(sp, c)) for value, c in e.args]
    cases = _with_facts(sp, cases, readable)
    if len(cases) == 2 and cases[1][1] == sp.true:
        (value, c), (other, _) = cases
        if isinstance(value, sp.Piecewise) and other == 0:
            inner = [tuple(pair) for pair in value.args]
            if len(inner) == 2 and inner[1] == (0, sp.true):
                cases = [(inner[0][0], sp.And(c, inner[0][1])), cases[1]]
        for kept, left_out, holds in ((value, other, False), (other, value, True)):
            if left_out == 0 and kept != 0 and _under(sp, kept, _facts(sp, c, holds), readable) == 0:
                return kept
    found = sp.Piecewise(*[(value, _short_condition(sp, c)) for value, c in cases])
    return found if found == e or not isinstance(found, sp.Piecewise) else plain_choice(sp, found, readable)


def one_choice(sp: Any, terms: Sequence[Any], readable: Read) -> Any:
    """The sum of terms, choices under the same conditions added up case by case; None if no two are."""
    choices: list[Cases] = []
    rest: list[Any] = []
    joined = False
    for term in terms:
        cases = _cases(sp, term)
        if cases is None:
            rest.append(term)
            continue
        for known in choices:
            matched = _matched(sp, cases, known)
            if matched is not None and matched is not cases and _is_plainer(sp, cases[0][1]):
                known[:], matched = [(known[1][0], cases[0][1]), (known[0][0], sp.true)], cases
            if matched is not None:
                known[:] = [(sp.Add(e, own), c) for (e, c), (own, _) in zip(known, matched, strict=True)]
                joined = True
                break
        else:
            choices.append(cases)
    if not joined:
        return None
    return sp.Add(*rest, *[readable(sp.Piecewise(*[(readable(e), c) for e, c in cases])) for cases in choices])


def choice_times(sp: Any, factors: Sequence[Any], readable: Read) -> Any:
    """A product that contains a mask, or several choices under the same conditions, as one choice; else None."""
    choices = [f for f in factors if isinstance(f, sp.Piecewise)]
    for place, choice in enumerate(choices):
        cases: Cases = [tuple(pair) for pair in choice.args]
        for other in choices[place + 1 :]:
            matched = _matched(sp, [tuple(pair) for pair in other.args], cases)
            if matched is not None:
                product = [(sp.Mul(e, own), c) for (e, c), (own, _) in zip(cases, matched, strict=True)]
                rest = [f for f in factors if f not in (choice, other)]
                return readable(sp.Mul(*rest, readable(sp.Piecewise(*product))))
        if len(cases) > 1 and sum(e != 0 for e, _ in cases) == 1:
            rest = [f for f in factors if f != choice]
            return readable(sp.Piecewise(*[(readable(sp.Mul(e, *rest)) if e != 0 else e, c) for e, c in cases]))
    return None


def comparison(sp: Any, e: Any) -> Any:
    """Whether a mask of numbers is zero, as its condition; anything else as it is."""
    mask, number = e.args
    if isinstance(number, sp.Piecewise):
        mask, number = number, mask
    if number != 0 or not isinstance(mask, sp.Piecewise) or len(mask.args) != 2 or mask.args[1][1] != sp.true:
        return e
    (value, condition), (other, _) = mask.args
    if not (value.is_number and other.is_number) or (value == 0) == (other == 0):
        return e
    return condition if (value != 0) == isinstance(e, sp.Ne) else sp.Not(condition)


# ------------------------------------------------------------------------------------------------ cases of two choices


def _cases(sp: Any, term: Any) -> Cases | None:
    """The cases of a choice or of a number times one."""
    if isinstance(term, sp.Piecewise):
        return [tuple(pair) for pair in term.args]
    if isinstance(term, sp.Mul) and len(term.args) == 2 and term.args[0].is_Number:
        number, choice = term.args
        if isinstance(choice, sp.Piecewise):
            return [(number * e, c) for e, c in choice.args]
    return None


def _matched(sp: Any, cases: Cases, known: Cases) -> Cases | None:
    """Cases in the order of another choice with the same conditions; two cases may stand the other way round."""
    conditions = [c for _, c in known]
    if [c for _, c in cases] == conditions:
        return cases
    if len(cases) == len(known) == 2 and conditions[1] == cases[1][1] == sp.true:
        (a, c), (b, _) = cases
        if sp.Not(c) == conditions[0]:
            return [(b, conditions[0]), (a, sp.true)]
    return None


def _is_plainer(sp: Any, c: Any) -> bool:
    """Whether a condition rather than its opposite is what a person would have written."""
    return isinstance(c, (sp.Gt, sp.Lt, sp.Eq))


# ----------------------------------------------------------------------------------------------------------- conditions


def _plain_condition(sp: Any, c: Any) -> Any:
    """A condition in which no real number is asked whether it is one."""
    isnan = sympy_function("isnan")
    return c.xreplace({q: sp.false for q in c.atoms(isnan) if q.args[0].is_real}) if c.has(isnan) else c


def _short_condition(sp: Any, c: Any) -> Any:
    """``Eq(x, Max(x, y))`` as ``x >= y``."""
    if isinstance(c, (sp.And, sp.Or)):
        return c.func(*[_short_condition(sp, a) for a in c.args])
    if isinstance(c, (sp.Eq, sp.Ne)):
        for x, extreme in (c.args, c.args[::-1]):
            if isinstance(extreme, (sp.Max, sp.Min)) and len(extreme.args) == 2 and x in extreme.args:
                (other,) = (a for a in extreme.args if a != x)
                holds = sp.Ge(x, other) if isinstance(extreme, sp.Max) else sp.Le(x, other)
                return holds if isinstance(c, sp.Eq) else sp.Not(holds)
    return c


def _facts(sp: Any, condition: Any, holds: bool) -> dict[Any, Any]:
    """What is true and what is false where a condition holds, or where it does not."""
    known: dict[Any, Any] = {}
    stack = [(condition, holds)]
    while stack:
        c, true = stack.pop()
        if isinstance(c, sp.Not):
            stack.append((c.args[0], not true))
        elif isinstance(c, sp.And if true else sp.Or):
            stack.extend((a, true) for a in c.args)
        elif c not in (sp.true, sp.false):
            known[c] = sp.true if true else sp.false
            known[sp.Not(c)] = sp.false if true else sp.true
    return known


def _under(sp: Any, e: Any, facts: dict[Any, Any], readable: Read) -> Any:
    """An expression where some conditions are known."""
    if not (facts and e.args and e.has(sp.Piecewise, sp.ITE)):
        return e
    used = {c: value for c, value in facts.items() if e.has(c)}
    return readable(e.xreplace(used)) if used else e


def _with_facts(sp: Any, cases: Cases, readable: Read) -> Cases:
    """Each case where its own condition holds and those before it do not."""
    before: dict[Any, Any] = {}
    found: Cases = []
    for value, condition in cases:
        shared = _without_ties(sp, value, condition, readable)
        known = _under(sp, shared, before | _facts(sp, condition, True), readable)
        found.append((readable(known), condition))
        before |= _facts(sp, condition, False)
    return found


def _without_ties(sp: Any, value: Any, condition: Any, readable: Read) -> Any:
    """A share ``g/count`` of an extreme's derivative as ``g``: where a derivative exists, one element is extreme."""
    quotients = [p for p in value.atoms(sp.Pow) if p.exp == -1] if isinstance(condition, sp.Eq) else []
    if not quotients:
        return value
    for x, extreme in (condition.args, condition.args[::-1]):
        if isinstance(extreme, (sp.Max, sp.Min)) and x in extreme.args:
            masks = {readable(sp.Piecewise((1, sp.Eq(a, extreme)), (0, True))) for a in extreme.args}
            return value.xreplace({p: sp.Integer(1) for p in quotients if set(p.base.args) == masks})
    return value
