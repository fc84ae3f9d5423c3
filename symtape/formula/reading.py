"""Rewritings that make a formula read as a person would write it.

sympy puts expressions into a normal form of its own but leaves some as the rules of differentiation made them: sums of
choices under one condition, masks times factors, ``x*x**(n - 1)``. Each rewriting here looks at one expression and its
arguments only, and keeps the value wherever the expression is a real number. What is about conditions stands in
`symtape.formula.choices`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from symtape.formula.choices import choice_times, comparison, one_choice, plain_choice


def readable(expression: Any) -> Any:
    """An equal expression that reads better.

    Examples
    --------
    >>> import sympy
    >>> x = sympy.Symbol("x", real=True)
    >>> readable(sympy.Piecewise((2*x, x > 0), (0, True)) + sympy.Piecewise((0, x > 0), (-1, True)))
    Piecewise((2*x, x > 0), (-1, True))
    >>> readable(x**2 * sympy.sign(x)), readable(x * x**(x - 1))
    (x*Abs(x), x**x)
    """
    import sympy

    if isinstance(expression, sympy.Add):
        return _sum(sympy, expression)
    if isinstance(expression, sympy.Mul):
        return _product(sympy, expression)
    if isinstance(expression, sympy.Piecewise):
        return plain_choice(sympy, expression, readable)
    if isinstance(expression, (sympy.Eq, sympy.Ne)):
        return comparison(sympy, expression)
    return expression


# --------------------------------------------------------------------------------------------------------------- sums


def _sum(sp: Any, e: Any) -> Any:
    for found in (
        one_choice(sp, e.args, readable),
        _over_one_denominator(sp, e.args),
        _with_one_sign(sp, e.args),
        _common_factor(sp, e.args),
    ):
        if found is not None:
            return readable(found)
    return _complement(sp, e)


def _over_one_denominator(sp: Any, terms: Sequence[Any]) -> Any:
    """``a/(x + y) + b/(x + y)`` as ``(a + b)/(x + y)``."""
    groups: dict[frozenset[Any], list[Any]] = {}
    for term in terms:
        below = frozenset(f for f in sp.Mul.make_args(term) if _is_denominator(sp, f))
        groups.setdefault(below, []).append(term)
    if all(len(group) == 1 for below, group in groups.items() if below):
        return None
    found = []
    for below, group in groups.items():
        if not below or len(group) == 1:
            found.extend(group)
        else:
            above = [sp.Mul(*[f for f in sp.Mul.make_args(term) if f not in below]) for term in group]
            found.append(readable(sp.Mul(readable(sp.Add(*above)), *below)))
    return sp.Add(*found)


def _is_denominator(sp: Any, factor: Any) -> bool:
    if not (factor.is_Pow and factor.exp.is_number and factor.exp.is_negative):
        return False
    return bool(factor.base.is_Add or (isinstance(factor.base, sp.Abs) and factor.base.args[0].is_Add))


def _with_one_sign(sp: Any, terms: Sequence[Any]) -> Any:
    """``(x - y)**2 + (y - x)**2`` as ``2*(x - y)**2``."""
    squares: dict[Any, Any] = {}
    replaced = {}
    for power in [f for term in terms for f in sp.Mul.make_args(term) if f.is_Pow and f.base.is_Add]:
        if power.exp.is_Integer and power.exp % 2 == 0:
            if -power.base in squares:
                replaced[power] = squares[-power.base] ** power.exp
            else:
                squares[power.base] = power.base
    return sp.Add(*[sp.Mul(*[replaced.get(f, f) for f in sp.Mul.make_args(t)]) for t in terms]) if replaced else None


def _common_factor(sp: Any, terms: Sequence[Any]) -> Any:
    """``a*(x + y) - b*(x + y)`` as ``(a - b)*(x + y)``."""
    factors = [[f for f in sp.Mul.make_args(term) if f.is_Add] for term in terms]
    common = [f for f in factors[0] if all(f in others for others in factors[1:])]
    if not common:
        return None
    rest = [sp.Mul(*[f for f in sp.Mul.make_args(term) if f not in common]) for term in terms]
    return sp.Mul(readable(sp.Add(*rest)), *common)


def _complement(sp: Any, e: Any) -> Any:
    """``1 - exp(a)/(exp(a) + exp(b))`` as ``exp(b)/(exp(a) + exp(b))``: what a share of positive terms leaves."""
    if len(e.args) != 2 or sp.S.One not in e.args:
        return e
    share = 1 - e
    for factor in sp.Mul.make_args(share):
        if factor.is_Pow and factor.exp == -1 and factor.base.is_Add:
            above, below = share * factor.base, factor.base
            if above in below.args and all(t.is_positive for t in below.args):
                return (below - above) / below
    return e


# ----------------------------------------------------------------------------------------------------------- products


def _product(sp: Any, e: Any) -> Any:
    chosen = choice_times(sp, e.args, readable)
    if chosen is not None:
        return chosen
    for rewritten in (_without_sign, _joined_powers, _cancelled, _without_content):
        factors = rewritten(sp, e.args)
        if factors is not None:
            return readable(sp.Mul(*factors))
    return e


def _without_sign(sp: Any, factors: Sequence[Any]) -> list[Any] | None:
    """``sign(x)*Abs(x)`` as ``x``, ``sign(x)*x**n`` as ``x**(n - 1)*Abs(x)``."""
    for factor in factors:
        if not isinstance(factor, sp.sign):
            continue
        (x,) = factor.args
        for other in factors:
            base, exponent = other.as_base_exp()
            if exponent.is_Integer and exponent > 0 and base in (x, sp.Abs(x)):
                rest = [f for f in factors if f not in (factor, other)]
                return [*rest, base ** (exponent - 1), sp.Abs(x) if base == x else x]
    return None


def _cancelled(sp: Any, factors: Sequence[Any]) -> list[Any] | None:
    """``(x - 1)/(1 - x)`` as ``-1``: whole powers of a sum and of its negative as one."""
    bases = {base: exponent for base, exponent in (f.as_base_exp() for f in factors) if base.is_Add}
    for base, exponent in bases.items():
        if exponent.is_Integer and -base in bases:
            rest = [f for f in factors if f != base**exponent]
            return [*rest, (-1) ** exponent, (-base) ** exponent]
    return None


def _without_content(sp: Any, factors: Sequence[Any]) -> list[Any] | None:
    """``x*(2*y - 2)`` as ``2*x*(y - 1)``: the number that all terms of a factor have in common before the product."""
    if sum(not f.is_Number for f in factors) < 2:
        return None
    for factor in factors:
        if factor.is_Add:
            content, rest = factor.primitive()
            if content != 1:
                return [content, rest, *[f for f in factors if f != factor]]
    return None


def _joined_powers(sp: Any, factors: Sequence[Any]) -> list[Any] | None:
    """``x*x**(n - 1)`` as ``x**n``: powers of one base as one, where that makes the number in the exponent smaller."""
    for power in factors:
        base, exponent = power.as_base_exp()
        number = exponent.as_coeff_Add()[0]
        if exponent.is_Number or number == 0 or base.is_number:
            continue
        for other in factors:
            its_base, its_exponent = other.as_base_exp()
            if its_base == base and its_exponent.is_Number and abs(number + its_exponent) < abs(number):
                return [*[f for f in factors if f not in (power, other)], base ** (exponent + its_exponent)]
    return None
