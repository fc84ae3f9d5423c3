"""Partial derivatives that sympy worked out before: a table shipped with the package, `partials.json`.

The first derivative in a process would otherwise import sympy, which takes longer than all the rest of a small script.
The table holds programs, op by op: a step is the name of a function and its operands, a register by its number (the
result first, then the inputs, then the steps), a literal as text. An op that is not in it is differentiated when it is
asked for. `symtape.ops.partials_table` writes the table; the tests compare it with what sympy says.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from symtape.ops.straight_line import Literal, Operand, Program, Writer

PATH: Final = Path(__file__).with_name("partials.json")


@functools.cache
def _table() -> Mapping[str, Any]:
    table: Mapping[str, Any] = json.loads(PATH.read_text(encoding="utf-8"))["partials"]
    return table


def kept(name: str, i: int) -> Program | None:
    """The program of an op's partial in its argument ``i``, if the table has it.

    Examples
    --------
    >>> [step.function for step in kept("sin", 0).steps]
    ['cos']
    >>> kept("an op of your own", 0)
    """
    entry = _table().get(name, {}).get(str(i))
    return None if entry is None else from_data(entry)


def to_data(program: Program) -> dict[str, Any]:
    """A program as plain JSON values."""
    return {
        "arguments": program.arguments,
        "steps": [[step.function, *map(_operand_to_data, step.operands)] for step in program.steps],
        "result": _operand_to_data(program.result),
    }


def from_data(data: Mapping[str, Any]) -> Program:
    """The program that `to_data` wrote down."""
    writer = Writer(data["arguments"])
    for function, *operands in data["steps"]:
        writer.step(function, *map(_operand_from_data, operands))
    return writer.program(_operand_from_data(data["result"]))


def _operand_to_data(operand: Operand) -> int | str:
    return repr(operand.value) if isinstance(operand, Literal) else operand


def _operand_from_data(operand: int | str) -> Operand:
    if isinstance(operand, int):
        return operand
    if operand in {"True", "False"}:
        return Literal.of(operand == "True")
    return Literal.of(int(operand) if operand.lstrip("-").isdigit() else float(operand))
