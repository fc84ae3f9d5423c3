"""Straight-line programs over the functions of a namespace: what a sympy expression becomes, once, to be run often."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import numpy as np

from symtape.graph.node import DType
from symtape.ops import registry


@dataclass(frozen=True, slots=True)
class Literal:
    """A number in a program; compared by type and sign too, so that 0, 0.0, -0.0 and False stay apart."""

    value: Any
    text: str

    @staticmethod
    def of(value: Any) -> Literal:
        """The literal of a Python number."""
        return Literal(value, f"{type(value).__name__} {value!r}")


Operand: TypeAlias = "int | Literal"


@dataclass(frozen=True, slots=True)
class Step:
    """A function of the namespace on registers and literals.

    Attributes
    ----------
    function : str
    operands : tuple of int or Literal
    constant : bool
        Whether nothing but literals stands below it.
    op : Op or None
        The op that the function applies, if it does no more than that.
    """

    function: str
    operands: tuple[Operand, ...]
    constant: bool
    op: Any


@dataclass(frozen=True, slots=True)
class Program:
    """A straight line of steps over numbered registers: the arguments first, then each step's result.

    Attributes
    ----------
    arguments : int
    steps : tuple of Step
    result : int or Literal
    """

    arguments: int
    steps: tuple[Step, ...]
    result: Operand

    @property
    def number(self) -> Any:
        """The result, if it is a plain number, else None."""
        return self.result.value if isinstance(self.result, Literal) else None

    def run(self, B: Any, values: Sequence[Any], dtype: DType) -> Any:
        """The program's result, built with a namespace; numbers computed from literals alone get ``dtype``."""
        registers = list(values)
        typed = dtype.kind == "f" and dtype != np.float64
        for step in self.steps:
            if step.op is not None and not (step.constant and typed):
                lifted = [registers[o] if type(o) is int else B.lift(o.value) for o in step.operands]  # type: ignore[union-attr]
                registers.append(B.build(step.op, tuple(lifted)))
                continue
            operands = [registers[o] if isinstance(o, int) else o.value for o in step.operands]
            if step.constant and typed:
                operands = [np.asarray(o, dtype) if isinstance(o, (int, float)) else o for o in operands]
            if step.op is not None:
                registers.append(B.build(step.op, tuple([B.lift(o) for o in operands])))
            else:
                registers.append(getattr(B, step.function)(*operands))
        return registers[self.result] if isinstance(self.result, int) else B.const(self.result.value)


@dataclass(slots=True)
class Writer:
    """A program while it is written: steps in order, equal steps once.

    Attributes
    ----------
    arguments : int
        They stand in the first registers.
    steps : list of Step

    Examples
    --------
    >>> writer = Writer(1)
    >>> square = writer.step("multiply", 0, 0)
    >>> writer.step("add", square, Literal.of(1)), writer.step("multiply", 0, 0)
    (2, 1)
    """

    arguments: int
    steps: list[Step] = field(default_factory=list)
    _numbered: dict[tuple[str, tuple[Operand, ...]], int] = field(default_factory=dict)

    def step(self, function: str, *operands: Operand) -> int:
        """The register of a function applied to operands."""
        key = (function, operands)
        register = self._numbered.get(key)
        if register is None:
            constant = all(
                isinstance(o, Literal) or (o >= self.arguments and self.steps[o - self.arguments].constant)
                for o in operands
            )
            register = self._numbered[key] = self.arguments + len(self.steps)
            entry = registry.functions().get(function)
            op = entry.op if entry is not None else registry.op_named(function)
            self.steps.append(Step(function, operands, constant, op))
        return register

    def program(self, result: Operand) -> Program:
        """The finished program."""
        return Program(self.arguments, tuple(self.steps), result)
