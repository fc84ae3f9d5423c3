"""The operators of tensors: Python's signs for elementwise ops and the matrix product.

Each is one function around one op, with the shortest way from two operands to a recorded result. What is no operand
(text, None, a sympy expression) is left to Python, which asks the other side.
"""

from __future__ import annotations

import functools
import operator
import sys
import threading
from collections.abc import Callable
from types import CodeType
from typing import TYPE_CHECKING, Any

import numpy as np

from symtape.graph.source import describe, positions, user_frame
from symtape.ops.registry import functions

if TYPE_CHECKING:
    from symtape.ops.namespace import Namespace
    from symtape.tape.tensor import Tensor

Method = Callable[..., Any]

#: Comparisons that make a relation of sympy with a sympy expression.
_RELATIONS: dict[str, Callable[[Any, Any], Any]] = {
    "less": operator.lt,
    "less_equal": operator.le,
    "greater": operator.gt,
    "greater_equal": operator.ge,
}
_NUMBERS = (int, float, complex, np.ndarray, np.generic, list, tuple)


def is_operand(value: Any) -> bool:
    """Whether something other than a tensor may stand beside one in an expression."""
    if getattr(value, "__array_ufunc__", True) is None:  # NumPy's sign for: ask me
        return False
    return isinstance(value, _NUMBERS) or (hasattr(value, "__array__") and not sympy_value(value))


def sympy_value(value: Any) -> bool:
    """Whether something is a sympy object, which multiplies formulas; sympy is not loaded to find out."""
    sympy = sys.modules.get("sympy")
    return sympy is not None and isinstance(value, (sympy.Basic, sympy.MatrixBase))


_reader: list[Callable[[Any, Any], Any]] = []


def read_formulas_with(reader: Callable[[Any, Any], Any]) -> None:
    """Tell how a sympy expression is read as a tensor: ``reader(expression, dtype) -> Tensor or None``."""
    _reader[:] = [reader]


def on_tape(value: Any, dtype: Any = None) -> Any:
    """The tensor that a sympy expression is, if it is a number or a formula of living variables; else None.

    Parameters
    ----------
    value : sympy object
    dtype : numpy.dtype, optional
        Of what it stands beside: numbers that are worked out on the way take it.
    """
    return _reader[0](value, dtype) if _reader else None


def _among_formulas(sign: Callable[[Any, Any], Any], tensor: Tensor, other: Any, *, swapped: bool) -> Any:
    """The operation in sympy, where a foreign symbol leads away from the tape: beside an array element by element."""
    if tensor.shape and other.is_Matrix:
        raise TypeError(
            f"a sympy {type(other).__name__} stands beside a tensor of shape {tensor.shape}: bring it in with "
            "st.from_sympy(matrix); then @ is the matrix product, and * goes by elements"
        )

    def apply(element: Any) -> Any:
        return sign(other, element) if swapped else sign(element, other)

    by_elements = tensor.shape and not hasattr(other, "applyfunc")
    return tensor.expr.applyfunc(apply) if by_elements else apply(tensor.expr)


def binary(
    B: Namespace, name: str, sign: Callable[[Any, Any], Any], tensor: type[Tensor], apply_two: Method
) -> tuple[Method, Method]:
    """The method of a binary operator and its reflected one.

    Parameters
    ----------
    B : Namespace
        The tensors' own.
    name : str
        The function of the namespace.
    sign : callable
        The operator itself, for sympy expressions.
    tensor : type
        The class whose methods these are; instances of it need no lifting.
    apply_two : callable
        ``apply_two(op, a, b)``: applies an op to two tensors.
    """
    entry = functions()[name]
    lift, op, function = B.lift, entry.op, entry.implementation
    apply: Method = apply_two if op is not None else lambda op, a, b: function(B, a, b)

    def forward(self: Tensor, other: Any) -> Any:
        if type(other) is not tensor:
            if not (isinstance(other, tensor) or is_operand(other)):
                if not sympy_value(other):
                    return NotImplemented
                known = on_tape(other, self.dtype)
                if known is None:
                    return _among_formulas(sign, self, other, swapped=False)
                other = known
            other = lift(other)
        if type(self) is not tensor:
            self = lift(self)
        return apply(op, self, other)

    def reflected(self: Tensor, other: Any) -> Any:
        if type(other) is not tensor:
            if not (isinstance(other, tensor) or is_operand(other)):
                if not sympy_value(other):
                    return NotImplemented
                known = on_tape(other, self.dtype)
                if known is None:
                    return _among_formulas(sign, self, other, swapped=True)
                other = known
            other = lift(other)
        if type(self) is not tensor:
            self = lift(self)
        return apply(op, other, self)

    return forward, reflected


def comparison(B: Namespace, name: str, tensor: type[Tensor]) -> Method:
    """The method of a comparison. Its result remembers the line, and the decision of which it is the second half."""
    op = functions()[name].op
    relation = _RELATIONS.get(name)

    def compare(self: Tensor, other: Any) -> Any:
        if not (isinstance(other, tensor) or is_operand(other)):
            return relation(self.expr, other) if relation and sympy_value(other) else NotImplemented
        result = B.build(op, (B.lift(self), B.lift(other)))
        frame = user_frame(1)
        result.code = frame.f_code
        result.lasti = frame.f_lasti
        if _decided.code is result.code and _decided.lasti < result.lasti:
            place = _place(result.code, _decided.lasti)
            if place is not None and _covers(place, _place(result.code, result.lasti)):
                result.half = _decided.lasti
        return result

    return compare


class _Decided(threading.local):
    """Where this thread last asked for the truth of a tensor."""

    code: CodeType | None = None
    lasti: int = 0


_decided = _Decided()


def decided_here(depth: int = 1) -> None:
    """Remember that Python took the truth of a tensor at the user's line."""
    frame = user_frame(depth + 1)
    _decided.code = frame.f_code
    _decided.lasti = frame.f_lasti


@functools.lru_cache(maxsize=1024)
def _place(code: CodeType, lasti: int) -> tuple[int, int, int, int] | None:
    first, last, left, right = positions(code, lasti)
    return None if first is None or last is None or left is None or right is None else (first, left, last, right)


def _covers(outer: tuple[int, int, int, int], inner: tuple[int, int, int, int] | None) -> bool:
    return inner is not None and outer[:2] <= inner[:2] and inner[2:] <= outer[2:]


def first_half(comparison: Tensor) -> str | None:
    """The line of the decision that Python took on the way to a comparison, and of which nothing is left in it.

    In ``0 <= x <= 1`` Python asks for the truth of the first comparison and gives the second, in ``a and b`` that of
    ``a``: the place of that question in the source contains the place of the second comparison.

    Returns
    -------
    str or None
        ``file:line: text``; None for a comparison that stands alone.
    """
    lasti = getattr(comparison, "half", None)
    return None if lasti is None else describe(comparison.code, lasti)


def logic(B: Namespace, name: str, bits: str, tensor: type[Tensor]) -> tuple[Method, Method]:
    """``&``, ``|``, ``^``: logic on booleans; on integers the function of bits, if there is one."""

    def apply(a: Any, b: Any) -> Any:
        a, b = B.lift(a), B.lift(b)
        if B.dtype(a).kind == "b" and B.dtype(b).kind == "b":
            return getattr(B, name)(a, b)
        if bits not in functions():
            raise TypeError(
                f"np.{bits} of {B.dtype(a)} and {B.dtype(b)} cannot be recorded; compare first: (x > 0) & (y > 0)"
            )
        return getattr(B, bits)(a, b)

    def forward(self: Tensor, other: Any) -> Any:
        return apply(self, other) if isinstance(other, tensor) or is_operand(other) else NotImplemented

    def reflected(self: Tensor, other: Any) -> Any:
        return apply(other, self) if is_operand(other) else NotImplemented

    return forward, reflected


def _pair(B: Namespace, tensor: type[Tensor], *, swapped: bool) -> Method:
    """``divmod``: quotient and remainder."""

    def apply(self: Tensor, other: Any) -> Any:
        if not (isinstance(other, tensor) or is_operand(other)):
            other = on_tape(other, self.dtype) if sympy_value(other) else None
            if other is None:
                return NotImplemented
        return B.divmod(other, self) if swapped else B.divmod(self, other)

    return apply


def unary(B: Namespace, name: str, tensor: type[Tensor]) -> Method:
    """The method of a unary operator."""
    entry = functions()[name]
    build, lift, op, function = B.build, B.lift, entry.op, entry.implementation

    def apply(self: Tensor) -> Any:
        x = self if type(self) is tensor else lift(self)
        return build(op, (x,)) if op is not None else function(B, x)

    return apply


#: Python's name of a binary operator to the function and the sign.
ARITHMETIC: dict[str, tuple[str, Callable[[Any, Any], Any]]] = {
    "add": ("add", operator.add),
    "sub": ("subtract", operator.sub),
    "mul": ("multiply", operator.mul),
    "truediv": ("divide", operator.truediv),
    "floordiv": ("floor_divide", operator.floordiv),
    "mod": ("remainder", operator.mod),
    "pow": ("power", operator.pow),
    "matmul": ("matmul", operator.matmul),
    "lshift": ("left_shift", operator.lshift),
    "rshift": ("right_shift", operator.rshift),
}
LOGIC: dict[str, tuple[str, str]] = {
    "and": ("logical_and", "bitwise_and"),
    "or": ("logical_or", "bitwise_or"),
    "xor": ("logical_xor", "bitwise_xor"),
}
COMPARISONS: dict[str, str] = {
    "lt": "less",
    "le": "less_equal",
    "gt": "greater",
    "ge": "greater_equal",
    "eq": "equal",
    "ne": "not_equal",
}
UNARY: dict[str, str] = {"neg": "negative", "pos": "positive", "abs": "absolute", "invert": "invert"}


class Operators:
    """What `attach` gives to tensors, for type checkers and readers."""

    __slots__ = ()

    if TYPE_CHECKING:

        def __add__(self, other: Any) -> Tensor: ...
        def __radd__(self, other: Any) -> Tensor: ...
        def __sub__(self, other: Any) -> Tensor: ...
        def __rsub__(self, other: Any) -> Tensor: ...
        def __mul__(self, other: Any) -> Tensor: ...
        def __rmul__(self, other: Any) -> Tensor: ...
        def __truediv__(self, other: Any) -> Tensor: ...
        def __rtruediv__(self, other: Any) -> Tensor: ...
        def __floordiv__(self, other: Any) -> Tensor: ...
        def __rfloordiv__(self, other: Any) -> Tensor: ...
        def __mod__(self, other: Any) -> Tensor: ...
        def __rmod__(self, other: Any) -> Tensor: ...
        def __divmod__(self, other: Any) -> tuple[Tensor, Tensor]: ...
        def __rdivmod__(self, other: Any) -> tuple[Tensor, Tensor]: ...
        def __pow__(self, other: Any) -> Tensor: ...
        def __rpow__(self, other: Any) -> Tensor: ...
        def __matmul__(self, other: Any) -> Tensor: ...
        def __rmatmul__(self, other: Any) -> Tensor: ...
        def __lshift__(self, other: Any) -> Tensor: ...
        def __rlshift__(self, other: Any) -> Tensor: ...
        def __rshift__(self, other: Any) -> Tensor: ...
        def __rrshift__(self, other: Any) -> Tensor: ...
        def __and__(self, other: Any) -> Tensor: ...
        def __rand__(self, other: Any) -> Tensor: ...
        def __or__(self, other: Any) -> Tensor: ...
        def __ror__(self, other: Any) -> Tensor: ...
        def __xor__(self, other: Any) -> Tensor: ...
        def __rxor__(self, other: Any) -> Tensor: ...
        def __lt__(self, other: Any) -> Tensor: ...
        def __le__(self, other: Any) -> Tensor: ...
        def __gt__(self, other: Any) -> Tensor: ...
        def __ge__(self, other: Any) -> Tensor: ...
        def __eq__(self, other: object) -> Tensor: ...  # type: ignore[override]
        def __ne__(self, other: object) -> Tensor: ...  # type: ignore[override]
        def __neg__(self) -> Tensor: ...
        def __pos__(self) -> Tensor: ...
        def __abs__(self) -> Tensor: ...
        def __invert__(self) -> Tensor: ...
        def __hash__(self) -> int: ...


def attach(B: Namespace, tensor: type[Tensor], apply_two: Method) -> None:
    """Give a class of tensors its operators, and a method for every elementwise function.

    NumPy's loops over object arrays call methods by the names of ufuncs (``exp``, ``hypot``): with them ``np.exp([x,
    y])`` records.
    """
    for sign, (name, python) in ARITHMETIC.items():
        forward, reflected = binary(B, name, python, tensor, apply_two)
        setattr(tensor, f"__{sign}__", forward)
        setattr(tensor, f"__r{sign}__", reflected)
    for sign, (name, bits) in LOGIC.items():
        forward, reflected = logic(B, name, bits, tensor)
        setattr(tensor, f"__{sign}__", forward)
        setattr(tensor, f"__r{sign}__", reflected)
    for sign, name in COMPARISONS.items():
        setattr(tensor, f"__{sign}__", comparison(B, name, tensor))
    for sign, name in UNARY.items():
        setattr(tensor, f"__{sign}__", unary(B, name, tensor))
    for sign, swapped in (("divmod", False), ("rdivmod", True)):
        setattr(tensor, f"__{sign}__", _pair(B, tensor, swapped=swapped))
    for name, entry in functions().items():
        if entry.op is not None and not hasattr(tensor, name):
            setattr(tensor, name, _method(B, name))


def _method(B: Namespace, name: str) -> Method:
    def method(self: Tensor, *others: Any) -> Any:
        return getattr(B, name)(self, *others)

    method.__name__ = name
    method.__doc__ = f"``np.{name}`` of the tensor."
    return method
