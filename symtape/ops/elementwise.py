"""Arithmetic, powers and roots, and what moves between dtypes: the elementwise ops that the others lean on.

Exponentials and trigonometry stand in `transcendental`, comparisons and bits in `comparisons`, kinks and choices in
`choices`, rounding in `rounding`. Partial derivatives are sympy's unless a rule stands in the declaration.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from symtape.errors import ShapeError
from symtape.graph.node import CONST, WEAK, Node, check_real
from symtape.graph.shapes import Shape
from symtape.ops import params as param
from symtape.ops.arguments import only_defaults
from symtape.ops.op import Op
from symtape.ops.registry import Everywhere, elementwise, elementwise_op, function
from symtape.ops.sympy_functions import sympy_function as own

# --------------------------------------------------------------------------------------------------------- arithmetic

ADD = elementwise("add", np.add, lambda sp, x, y: x + y)
SUBTRACT = elementwise("subtract", np.subtract, lambda sp, x, y: x - y)
MULTIPLY = elementwise("multiply", np.multiply, lambda sp, x, y: x * y)
DIVIDE = elementwise("divide", np.divide, lambda sp, x, y: x / y, implements=("numpy.divide", "numpy.true_divide"))
NEGATIVE = elementwise("negative", np.negative, lambda sp, x: -x)
POSITIVE = elementwise("positive", np.positive, lambda sp, x: x)
SQUARE = elementwise("square", np.square, lambda sp, x: x**2, partials={0: lambda B, y, x: B.multiply(2, x)})
RECIPROCAL = elementwise("reciprocal", np.reciprocal, lambda sp, x: 1 / x)


def _add_n(*terms: Any) -> Any:
    total = np.add(terms[0], terms[1]) if len(terms) > 1 else np.array(terms[0])
    if isinstance(total, np.ndarray):
        for term in terms[2:]:
            total += term
        return total
    for term in terms[2:]:
        total = total + term
    return total


def _add_n_infer(inputs: tuple[Node, ...]) -> tuple[Shape, Any]:
    shape = inputs[0].shape
    for x in inputs:
        if x.shape != shape:
            raise ShapeError(f"add_n adds terms of one shape, got {shape} and {x.shape}; use np.add to broadcast")
    dtypes = {x.dtype for x in inputs}
    return shape, dtypes.pop() if len(dtypes) == 1 else np.result_type(*dtypes)


ADD_N = elementwise_op(
    "add_n",
    _add_n,
    lambda sp, *terms: sp.Add(*terms),
    infer=_add_n_infer,
    partials=Everywhere(1),
)


def _add_n_batch(B: Any, inputs: tuple[Any, ...], batched: tuple[bool, ...]) -> Any:
    length = next(B.shape(x)[0] for x, b in zip(inputs, batched, strict=True) if b)
    return B.build(
        ADD_N,
        tuple(x if b else B.broadcast_to(x, (length, *B.shape(x))) for x, b in zip(inputs, batched, strict=True)),
    )


ADD_N.batch = _add_n_batch


@function()
def add_n(B: Any, *terms: Any) -> Any:
    """The sum of one or more terms of one shape, added from the left."""
    lifted = tuple(B.lift(t) for t in terms)
    return lifted[0] if len(lifted) == 1 else B.build(ADD_N, lifted)


# Forms in which a zero wins over what is infinite: derivatives of powers at edge points are made of these, and of
# divide_no_nan in `roots`.

MULTIPLY_NO_NAN = elementwise(
    "multiply_no_nan",
    lambda x, y: np.where(y == 0, np.zeros((), np.result_type(x, y)), np.multiply(x, y))[()],
    lambda sp, x, y: x * y,
    implements=(),
    partials={0: lambda B, out, x, y: y, 1: lambda B, out, x, y: x},
    lowering="select(y == 0, 0, x * y)",
    arity=2,
)

LOG_OR_ZERO = elementwise(
    "log_or_zero",
    lambda x: np.log(np.where(x == 0, np.ones((), np.asarray(x).dtype), x))[()],
    lambda sp, x: sp.log(x),
    implements=(),
    partials={0: lambda B, out, x: B.divide_no_nan(1, x)},
    lowering="log(select(x == 0, 1, x))",
    arity=1,
)

# ---------------------------------------------------------------------------------------------------- powers and roots

#: Literal exponents that are multiplied out; compiled code does the same. Above, ``pow`` is faster or closer.
MULTIPLIED_OUT = range(-3, 9)


def multiplied_out(x: Any, n: int) -> Any:
    """``x**n`` by repeated squaring, for floats; a negative exponent is that power of the reciprocal."""
    if n < 0:
        x, n = 1 / x, -n
    result: Any = None
    while n:
        if n & 1:
            result = x if result is None else result * x
        n >>= 1
        if n:
            x = x * x
    return result if result is not None else np.ones_like(x)


def _power(x: Any, y: Any) -> Any:
    if (
        type(y) in (int, float)
        and y in MULTIPLIED_OUT
        and isinstance(x, (np.ndarray, np.generic))
        and x.dtype.kind == "f"
    ):
        return np.positive(x) if y == 1 else multiplied_out(x, int(y))
    if type(y) is float and y == 0.5 and isinstance(x, (np.ndarray, np.generic)) and x.dtype.kind == "f":
        return np.sqrt(x)  # as compiled code and newer releases of NumPy do; only -inf tells the difference
    return np.power(x, y)


def literal(B: Any, value: Any) -> Any:
    """The Python number of a value that is an implicit scalar constant, else None."""
    node = B.node(value)
    if node.op is not CONST or node.shape != ():
        return None
    return node.value if node.flags & WEAK else node.value.item()


def _power_in_base(B: Any, out: Any, x: Any, y: Any) -> Any:
    n = literal(B, y)
    if n is None:
        return B.multiply_no_nan(B.power(x, B.subtract(y, 1)), y)
    if isinstance(n, float) and n.is_integer() and abs(n) < 2**53:
        n = int(n)
    if n == 0 or n == 1:
        return int(n)
    return B.multiply(n, x if n == 2 else B.power(x, n - 1))


def _power_in_exponent(B: Any, out: Any, x: Any, y: Any) -> Any:
    base = literal(B, x)
    if base is not None and base > 0:
        return B.multiply(out, B.log(B.astype(x, B.dtype(out))))
    return B.multiply(out, B.log_or_zero(x))


POWER = elementwise(
    "power",
    _power,
    lambda sp, x, y: sp.Pow(x, y),
    implements=("numpy.power", "numpy.pow"),
    partials={0: _power_in_base, 1: _power_in_exponent},
    arity=2,
)


@function("numpy.float_power")
def float_power(B: Any, x1: Any, x2: Any, /, out: Any = None) -> Any:
    """``np.float_power``: a power in double precision, whatever comes in."""
    only_defaults("float_power", out=out)
    x1, x2 = B.lift(x1), B.lift(x2)
    return B.power(B.astype(x1, np.float64), x2 if literal(B, x2) is not None else B.astype(x2, np.float64))


SQRT = elementwise("sqrt", np.sqrt, lambda sp, x: sp.sqrt(x))
CBRT = elementwise("cbrt", np.cbrt, lambda sp, x: own("cbrt")(x))
HYPOT = elementwise(
    "hypot",
    np.hypot,
    lambda sp, x, y: sp.sqrt(x**2 + y**2),
    partials={
        0: lambda B, out, x, y: B.cosine_beside(x, y),
        1: lambda B, out, x, y: B.cosine_beside(y, x),
    },
)

# ------------------------------------------------------------------------------------- parts of a floating-point number


def _frexp_infer(inputs: tuple[Node, ...]) -> tuple[Shape, Any]:
    return inputs[0].shape, np.dtype(np.intc)


FREXP_MANTISSA: Op = elementwise_op(
    "frexp_mantissa",
    lambda x: np.frexp(x)[0],
    lambda sp, x: own("frexp_mantissa")(x),
    partials={0: lambda B, out, x: B.ldexp(1.0, B.negative(B.build(FREXP_EXPONENT, (x,))))},
)
FREXP_EXPONENT: Op = elementwise_op(
    "frexp_exponent",
    lambda x: np.frexp(x)[1],
    lambda sp, x: own("frexp_exponent")(x),
    infer=_frexp_infer,
    differentiable=False,
)
LDEXP = elementwise(
    "ldexp",
    np.ldexp,
    lambda sp, x, n: x * 2**n,
    partials={0: lambda B, out, x, n: B.ldexp(B.astype(1.0, B.dtype(out)), n), 1: None},
)


@function("numpy.frexp")
def frexp(B: Any, x: Any, /) -> tuple[Any, Any]:
    """``np.frexp``: mantissa, between 1/2 and 1, and exponent of two."""
    x = B.lift(x)
    return B.build(FREXP_MANTISSA, (x,)), B.build(FREXP_EXPONENT, (x,))


NEXTAFTER = elementwise("nextafter", np.nextafter, lambda sp, x, y: own("nextafter")(x, y), differentiable=False)
SPACING = elementwise("spacing", np.spacing, lambda sp, x: own("spacing")(x), differentiable=False)

# ------------------------------------------------------------------------------------------------ dtypes and gradients


def _astype_infer(inputs: tuple[Node, ...], dtype: str) -> tuple[Shape, Any]:
    return inputs[0].shape, np.dtype(dtype)


def _astype_formula(sp: Any, x: Any, dtype: str) -> Any:
    kind = np.dtype(dtype).kind
    if kind == "b":
        return sp.Ne(x, 0)
    return own("trunc")(x) if kind in "iu" and x.is_integer is not True and not x.is_number else x


ASTYPE = elementwise_op(
    "astype",
    lambda x, dtype: np.asarray(x).astype(dtype)[()],
    _astype_formula,
    infer=_astype_infer,
    partials={0: 1},
    params=(param.dtype,),
)


@function("numpy.astype")
def astype(B: Any, x: Any, dtype: npt.DTypeLike, /, *, copy: bool = True, device: Any = None) -> Any:
    """``np.astype``; an implicit constant is converted at once, and stays one."""
    only_defaults("astype", device=device)
    x = B.lift(x)
    target = np.dtype(dtype)
    check_real(target, "the dtype asked for")
    node = B.node(x)
    if node.dtype == target and not node.flags & WEAK:
        return x
    if literal(B, x) is not None:
        return B.const(np.asarray(node.value).astype(target))
    return B.build(ASTYPE, (x,), (target.name,))


STOP_GRADIENT = elementwise_op(
    "stop_gradient", lambda x: x, lambda sp, x: x, truth=True, differentiable=False, lowering="x"
)


@function()
def stop_gradient(B: Any, x: Any) -> Any:
    """The value itself, through which no gradient flows."""
    return B.build(STOP_GRADIENT, (B.lift(x),))


@function("numpy.conjugate")
def conjugate(B: Any, x: Any, /) -> Any:
    """``np.conjugate``: of a real number itself."""
    x = B.lift(x)
    return B.astype(x, np.int8) if B.dtype(x).kind == "b" else x


@function("numpy.real")
def real(B: Any, val: Any) -> Any:
    """``np.real``: of a real number itself."""
    return B.lift(val)


@function("numpy.imag")
def imag(B: Any, val: Any) -> Any:
    """``np.imag``: of real numbers zeros."""
    val = B.lift(val)
    return B.zeros(B.shape(val), B.dtype(val))


@function("numpy.modf")
def modf(B: Any, x: Any, /) -> tuple[Any, Any]:
    """``np.modf``: fractional and integral part, both with the sign of the number."""
    x = B.lift(x)
    if B.dtype(x).kind != "f":
        x = B.astype(x, np.modf(np.ones((), B.dtype(x)))[0].dtype)
    return B.build(MODF_FRACTION, (x,)), B.trunc(x)


MODF_FRACTION: Op = elementwise_op(
    "modf_fraction",
    lambda x: np.modf(x)[0],
    lambda sp, x: x - own("trunc")(x),
    partials={0: 1},
    lowering="copysign(select(absolute(x) == inf, 0, x - trunc(x)), x)",
)
