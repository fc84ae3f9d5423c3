"""What of sympy's stands for arrays: matrices, matrix expressions, arrays and expressions of arrays.

Each becomes the operation that it is written as. What has no operation but is known by its elements (a companion
matrix, a matrix of a function of the indices) is made of them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import cache
from typing import Any, TypeAlias

import numpy as np

from symtape.errors import NoFormulaError, ShapeError
from symtape.ops.namespace import Namespace
from symtape.ops.sympy_refusals import refusal
from symtape.tape.sympy_names import Names, length
from symtape.tape.tensor import TENSORS, lift

_B: Namespace = TENSORS
_MOST_ELEMENTS = 10_000

#: ``number(expression, known={})``: a scalar expression as a tensor, some of its symbols mapped beforehand.
Number: TypeAlias = Callable[..., Any]


def is_array(e: Any) -> bool:
    """Whether an object of sympy's is a matrix, an array, or an expression of such."""
    import sympy

    if isinstance(e, (sympy.MatrixBase, sympy.MatrixExpr, sympy.NDimArray)) or type(e).__name__ in _rules():
        return True
    return isinstance(e, sympy.Sum) and is_array(e.function)


class ArrayReader:
    """Reads arrays of one expression.

    Parameters
    ----------
    names : Names
    number : callable
        How a scalar expression is read; ``number(expression, {symbol: tensor})`` with some symbols known.
    terms : callable
        ``terms(sum)``: the terms of a sum over known ranges.
    """

    def __init__(self, names: Names, number: Number, terms: Callable[[Any], list[Any]]) -> None:
        import sympy

        self.sp = sympy
        self.names = names
        self.number = number
        self.terms = terms

    def read(self, e: Any) -> Any:
        """The tensor of a matrix or an array of sympy's.

        Raises
        ------
        NoFormulaError
            If it has no operation here and is not known by its elements.
        """
        sp = self.sp
        if isinstance(e, (sp.MatrixBase, sp.NDimArray)):
            return self._of_elements([e[at] for at in np.ndindex(*map(int, e.shape))], tuple(map(int, e.shape)))
        if isinstance(e, sp.Sum):
            return self.fold(_B.add, self.terms(e))
        rule = next((_rules()[c.__name__] for c in type(e).__mro__ if c.__name__ in _rules()), None)
        if rule is None:
            raise refusal(e)
        return rule(self, e)

    def any(self, e: Any) -> Any:
        """An array or a number."""
        return self.read(e) if is_array(e) else self.number(e)

    def _of_elements(self, elements: list[Any], shape: tuple[int, ...]) -> Any:
        if not elements:
            return lift(np.zeros(shape))
        if len(elements) > _MOST_ELEMENTS:
            raise NoFormulaError(f"{len(elements):,} elements are more than {_MOST_ELEMENTS:,}: map a MatrixSymbol")
        read = [self.number(element) for element in elements]
        return _B.reshape(_B.stack(read), shape) if shape else read[0]

    def written_out(self, e: Any) -> Any:
        """A matrix expression that is known by its elements."""
        if length(e, 0) * length(e, 1) > _MOST_ELEMENTS:
            raise NoFormulaError(f"{e} has more than {_MOST_ELEMENTS:,} elements: map a MatrixSymbol")
        return self.read(e.as_explicit())

    def fold(self, operation: Callable[[Any, Any], Any], parts: Iterable[Any]) -> Any:
        """Parts joined from the left."""
        first, *others = [self.any(part) for part in parts]
        for other in others:
            first = operation(first, other)
        return first

    # ---- elements

    def element(self, array: Any, places: Iterable[Any], whole: Any) -> Any:
        """One element, at places that sympy numbers from 0."""
        numbers = []
        for place in places:
            if not place.is_Integer:
                raise NoFormulaError(f"the place {place} in {whole} is no integer: give it a number with .subs(...)")
            numbers.append(int(place))
        if len(numbers) != len(array.shape):
            raise ShapeError(f"{whole} has {len(numbers)} indices, but what it stands for has shape {array.shape}")
        if not all(0 <= k < n for k, n in zip(numbers, array.shape, strict=True)):
            raise IndexError(f"{whole} is outside of what it stands for, which has shape {array.shape}")
        return array[tuple(numbers)]

    # ---- rules of more than a line

    def power(self, e: Any) -> Any:
        """A power of a matrix."""
        if e.exp == self.sp.S.Half:
            return _B.sqrtm(self.read(e.base))
        if not e.exp.is_Integer:
            raise NoFormulaError(f"the exponent of {e} must be an integer or 1/2")
        return _B.matrix_power(self.read(e.base), int(e.exp))

    def elementwise(self, function: Any, e: Any) -> Any:
        """A Lambda of one variable applied to each element."""
        (variable,) = function.variables
        return self.number(function.expr, {variable: self.read(e)})

    def blocks(self, e: Any) -> Any:
        """A matrix of matrices."""
        grid = e.blocks
        rows = [_B.concatenate([self.read(grid[i, j]) for j in range(grid.cols)], axis=1) for i in range(grid.rows)]
        return _B.concatenate(rows, axis=0)

    def part(self, e: Any) -> Any:
        """A part of a matrix, with steps; sympy leaves the last one out where it is shorter than the others."""
        places = []
        for axis, (start, _, step) in enumerate((e.rowslice, e.colslice)):
            places.append(slice(int(start), int(start) + length(e, axis) * int(step), int(step)))
        return self.read(e.parent)[tuple(places)]

    def traced(self, e: Any, groups: Any, *, kept: bool) -> Any:
        """Axes of one group run together: summed over, or kept as one axis at the end."""
        array = self.any(e.expr)
        labels = list(range(len(array.shape)))
        for group in groups:
            for axis in group:
                labels[int(axis)] = int(group[0])
        bound = {int(axis) for group in groups for axis in group}
        out = [k for k in labels if k not in bound]
        ends = [int(group[0]) for group in groups] if kept else []
        return _B.einsum(array, labels, [*out, *ends])


def _product(a: Any, b: Any) -> Any:
    return _B.matmul(a, b) if len(a.shape) == 2 and len(b.shape) == 2 else _B.multiply(a, b)


def _outer(a: Any, b: Any) -> Any:
    return _B.tensordot(a, b, axes=0)


def _constant(value: Callable[..., Any]) -> Callable[[ArrayReader, Any], Any]:
    return lambda reader, e: lift(value(tuple(length(e, k) for k in range(len(e.shape)))))


@cache
def _rules() -> dict[str, Callable[[ArrayReader, Any], Any]]:
    """What each class becomes."""
    return {
        "MatrixSymbol": lambda r, e: r.names.array(e, e.name, e.shape),
        "MatAdd": lambda r, e: r.fold(_B.add, e.args),
        "MatMul": lambda r, e: r.fold(_product, e.args),
        "MatPow": ArrayReader.power,
        "Inverse": lambda r, e: _B.inv(r.read(e.arg)),
        "Transpose": lambda r, e: _B.transpose(r.read(e.arg)),
        "Adjoint": lambda r, e: _B.transpose(r.read(e.arg)),
        "HadamardProduct": lambda r, e: r.fold(_B.multiply, e.args),
        "HadamardPower": lambda r, e: _B.power(r.read(e.base), r.any(e.exp)),
        "KroneckerProduct": lambda r, e: r.fold(_B.kron, e.args),
        "ElementwiseApplyFunction": lambda r, e: r.elementwise(e.function, e.expr),
        "BlockMatrix": ArrayReader.blocks,
        "MatrixSlice": ArrayReader.part,
        "DiagMatrix": lambda r, e: _B.diagflat(r.read(e.args[0])),
        "DiagonalMatrix": lambda r, e: _B.multiply(r.read(e.arg), np.eye(length(e, 0), length(e, 1))),
        "DiagonalOf": lambda r, e: _B.reshape(_B.diagonal(r.read(e.arg)), (length(e, 0), 1)),
        "Identity": _constant(lambda shape: np.eye(*shape)),
        "ZeroMatrix": _constant(np.zeros),
        "OneMatrix": _constant(np.ones),
        **dict.fromkeys(
            ("CompanionMatrix", "DFT", "FunctionMatrix", "MatrixPermute", "PermutationMatrix"), ArrayReader.written_out
        ),
        # sympy.tensor.array.expressions
        "ArraySymbol": lambda r, e: r.names.array(e, str(e.name), e.shape),
        "ZeroArray": _constant(np.zeros),
        "OneArray": _constant(np.ones),
        "ArrayAdd": lambda r, e: r.fold(_B.add, e.args),
        "ArrayTensorProduct": lambda r, e: r.fold(_outer, e.args),
        "ArrayContraction": lambda r, e: r.traced(e, e.contraction_indices, kept=False),
        "ArrayDiagonal": lambda r, e: r.traced(e, e.diagonal_indices, kept=True),
        "PermuteDims": lambda r, e: _B.transpose(r.any(e.expr), tuple(e.permutation.array_form)),
        "Reshape": lambda r, e: _B.reshape(r.any(e.expr), tuple(length(e, k) for k in range(len(e.shape)))),
        "ArrayElementwiseApplyFunc": lambda r, e: r.elementwise(e.function, e.expr),
    }
