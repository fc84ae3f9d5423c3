"""Powers with a small literal exponent as multiplications: faster than ``pow``, and as exact for so few of them."""

from __future__ import annotations

from collections.abc import Callable

from symtape.compile.arguments import Constant
from symtape.compile.ir_types import ScalarType, literal
from symtape.compile.module_text import ModuleText
from symtape.ops.elementwise import MULTIPLIED_OUT


def power_lines(
    base: str, exponent: object, kind: ScalarType, module: ModuleText, name: Callable[[], str]
) -> list[str] | None:
    """Instructions for ``base ** exponent``; the last one is without its result's name. None if ``pow`` has to do it.

    Parameters
    ----------
    base : str
        Operand.
    exponent : Constant or anything
        Only a `Constant` is a literal.
    kind : ScalarType
    module : ModuleText
    name : callable
        Makes fresh operands.
    """
    if not isinstance(exponent, Constant) or isinstance(exponent.value, bool) or kind.family != "f":
        return None
    number = float(exponent.value)  # type: ignore[arg-type]
    if number == 0.5:  # as NumPy does
        module.declare(f"declare {kind.register} @llvm.sqrt.{kind.suffix}({kind.register})")
        return [f"call {kind.register} @llvm.sqrt.{kind.suffix}({kind.register} {base})"]
    if number not in MULTIPLIED_OUT:
        return None
    n = int(number)
    one = literal(1.0, kind)
    lines: list[str] = []

    def multiplied(a: str, b: str) -> str:
        result = name()
        lines.append(f"{result} = fmul {module.flags} {kind.register} {a}, {b}")
        return result

    if n < 0:
        inverse = name()
        lines.append(f"{inverse} = fdiv {kind.register} {one}, {base}")
        base, n = inverse, -n
    if n == 0:
        return [f"fsub {kind.register} {one}, {literal(0.0, kind)}"]
    result: str | None = None
    square = base
    while True:
        if n & 1:
            result = square if result is None else multiplied(result, square)
        n >>= 1
        if not n:
            break
        square = multiplied(square, square)
    if not lines:
        return [f"fsub {kind.register} {base}, {literal(0.0, kind)}"]
    lines[-1] = lines[-1].partition(" = ")[2]
    return lines
