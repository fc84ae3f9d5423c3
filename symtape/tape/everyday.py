"""What Python and other libraries ask of an array in passing: truth, numbers, length, text, iteration, conversion.

Asked for a truth, an index or the places to read in a plain array, a tensor answers and the answer becomes a guard.
Asked for a number, it gives the number and the gradient is cut, with a warning unless it was asked for by name. Asked
to become an ndarray, it gives an object array of element tensors, so that lists and NumPy's object loops go on
recording.
"""

from __future__ import annotations

import dis
import sys
from collections.abc import Iterator
from types import FrameType
from typing import TYPE_CHECKING, Any, ClassVar, cast

import numpy as np

from symtape.compile.evaluate import as_array, evaluate
from symtape.errors import ShapeError, SymbolicTruthError
from symtape.graph.node import PLACEHOLDER, SYMBOLIC, Array, Node
from symtape.graph.shapes import Dim, is_known, size
from symtape.tape import guards, remedies
from symtape.tape.operators import decided_here
from symtape.tape.taken_apart import remember

if TYPE_CHECKING:
    from symtape.tape.tensor import Tensor

#: How many element tensors an object array may have, made or taken.
ELEMENT_LIMIT = 10_000

# Packages that look at arrays to draw or compare them: they get numbers, silently, as from print.
_ONLOOKERS = frozenset({"matplotlib", "mpl_toolkits", "seaborn", "plotly", "IPython", "pytest", "_pytest"})

#: Instructions that index (``x[k]`` is a binary operator in later versions of Python).
_SUBSCRIPTS = frozenset({"BINARY_SUBSCR", "STORE_SUBSCR", "BINARY_OP", "BINARY_SLICE"})
#: Instructions that call.
_CALLS = frozenset({"CALL", "CALL_KW", "CALL_FUNCTION_EX", "PRECALL"})


def value_of(tensor: Any) -> Any:
    """The evaluated number or array of a tensor; read-only."""
    return evaluate((tensor.node,))[0]


class Everyday:
    """A part of `Tensor`, which supplies ``node`` and the namespace ``_B``."""

    __slots__ = ()

    node: Node
    _B: ClassVar[Any]

    #: Above those of pandas, so that ``series * tensor`` asks the tensor.
    __pandas_priority__ = 10_000
    __array_priority__ = 1_000.0

    # ---- decisions

    def __bool__(self) -> bool:
        remedies.before_numbers(self.node, sys._getframe(1))
        answer = guards.truth(self._tensor)
        decided_here()
        return answer

    def __int__(self) -> int:
        remedies.before_numbers(self.node, sys._getframe(1))
        return guards.integer(self._tensor, "int")

    def __index__(self) -> int:
        return guards.integer(self._tensor, "index")

    def __contains__(self, item: Any) -> bool:
        return bool(self._B.any(self._tensor == item))

    # ---- numbers

    @property
    def _tensor(self) -> Tensor:
        return cast("Tensor", self)

    def __float__(self) -> float:
        remedies.before_numbers(self.node, sys._getframe(1))
        self._one_element("float")
        guards.cut(self._tensor, "float", silent=_looked_at(sys._getframe(1)))
        return float(np.asarray(value_of(self)).item())

    def as_integer_ratio(self) -> tuple[int, int]:
        """Two integers whose quotient is the value, as of a float. No gradient flows through them."""
        self._one_element("float")
        guards.cut(self._tensor, "as_integer_ratio")
        return float(np.asarray(value_of(self)).item()).as_integer_ratio()

    def __complex__(self) -> complex:
        self._one_element("complex")
        guards.cut(self._tensor, "complex")
        return complex(np.asarray(value_of(self)).item())

    def _one_element(self, what: str) -> None:
        if size(self.node.shape) != 1:
            raise TypeError(
                f"only a tensor with one element can be converted to a Python {what}, got the shape {self.node.shape}"
            )

    def numpy(self) -> Array:
        """The value as a fresh array; of shape () too. No gradient flows through it.

        Examples
        --------
        >>> import symtape as st
        >>> st.Variable([1.0, 2.0]).numpy()
        array([1., 2.])
        """
        guards.cut(self._tensor, ".numpy()", silent=True)
        return as_array(value_of(self))

    to_numpy = numpy

    def item(self, *at: Any) -> Any:
        """One element as a Python number, as ``ndarray.item``. No gradient flows through it."""
        guards.cut(self._tensor, ".item()", silent=True)
        return np.asarray(value_of(self)).item(*at)

    def tolist(self) -> Any:
        """The value as nested lists of Python numbers. No gradient flows through it."""
        guards.cut(self._tensor, ".tolist()", silent=True)
        return np.asarray(value_of(self)).tolist()

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Array:
        """Numbers where a dtype asks for them or an onlooker draws or compares; else an object array of elements."""
        if copy is False:
            raise ValueError(
                "a tensor has no memory to share: np.asarray(x, copy=None) makes an array of its elements, "
                "x.numpy() of numbers"
            )
        numbers = dtype is not None and np.dtype(dtype) != object
        looked_at = _looked_at(sys._getframe(1))
        if numbers or looked_at:
            call = f"np.asarray(x, dtype={np.dtype(dtype)})" if numbers else "np.asarray"
            guards.cut(self._tensor, call, silent=looked_at)
            return np.array(value_of(self), dtype=dtype)
        if self.node.dtype.kind in "iub" and _runs(sys._getframe(1), _SUBSCRIPTS):
            return self._as_places()
        remedies.before_elements(self.node)
        remember()
        return elements(self._tensor)

    def _as_places(self) -> Array:
        """The places that the tensor picks out of a plain array; that they stay the same becomes a guard."""
        if self.node.flags & (SYMBOLIC | PLACEHOLDER):
            raise SymbolicTruthError(
                f"{self.node!r} indexes a plain array and has no value here; index a tensor instead: write "
                "st.constant(x)[k]"
            )
        return np.array(self._B.known(self))

    @property
    def _numba_type_(self) -> None:
        """What numba asks of an argument whose type it does not know."""
        raise TypeError(remedies.compiled_elsewhere())

    # ---- as a sequence

    def __len__(self) -> int:
        if not self.node.shape:
            raise TypeError("len() of a tensor without axes (shape ())")
        return int(self.node.shape[0])

    def __iter__(self) -> Iterator[Tensor]:
        shape = self.node.shape
        if not shape:
            raise TypeError("iteration over a tensor without axes (shape ())")
        frame = sys._getframe(1)
        if _runs(frame, _CALLS):  # a function iterates, not a loop on the line
            remedies.before_numbers(self.node, frame)
        if isinstance(shape[0], Dim):
            raise ShapeError(f"cannot iterate over an axis whose length is only named: {shape[0]}")
        x = self._B.lift(self)
        if len(shape) > 1:
            x.viewed = True
        return iter([self._B.getitem(x, k) for k in range(shape[0])])

    def __reversed__(self) -> Iterator[Tensor]:
        return reversed(list(self))

    # ---- text and rounding

    def __format__(self, spec: str) -> str:
        if not spec:
            return str(self)
        guards.cut(self._tensor, "format", silent=True, display=True)
        value = np.asarray(value_of(self))
        return format(value.item() if value.ndim == 0 else value, spec)

    def __round__(self, ndigits: int | None = None) -> Tensor:
        return cast("Tensor", self._B.round(self, 0 if ndigits is None else ndigits))

    def __floor__(self) -> Tensor:
        return cast("Tensor", self._B.astype(self._B.floor(self), np.int64))

    def __ceil__(self) -> Tensor:
        return cast("Tensor", self._B.astype(self._B.ceil(self), np.int64))

    def __trunc__(self) -> Tensor:
        return cast("Tensor", self._B.astype(self._B.trunc(self), np.int64))


def _runs(frame: FrameType, instructions: frozenset[str]) -> bool:
    """Whether the instruction that runs in a frame is one of them."""
    return dis.opname[frame.f_code.co_code[frame.f_lasti]] in instructions


def _looked_at(frame: FrameType | None) -> bool:
    """Whether an onlooker asks, itself or through masked arrays."""
    while frame is not None:
        name = str(frame.f_globals.get("__name__", ""))
        if not name.startswith("numpy.ma."):
            return name.partition(".")[0] in _ONLOOKERS or name.startswith("numpy.testing")
        frame = frame.f_back
    return False


def elements(tensor: Tensor) -> Array:
    """An object array of the tensor's elements, each a tensor.

    Raises
    ------
    ShapeError
        Above `ELEMENT_LIMIT` elements, or where a length is only named.
    """
    x = tensor._B.lift(tensor)  # noqa: SLF001 (of the same house)
    shape = x.node.shape
    if not is_known(shape):
        raise ShapeError(f"cannot take a tensor of shape {shape} apart: an axis length is only named; keep it whole")
    count = cast(int, size(shape))
    if count > ELEMENT_LIMIT:
        raise ShapeError(
            f"np.asarray of a tensor takes it apart into elements, up to {ELEMENT_LIMIT:,} of them; this one has "
            f"{count:,} (shape {shape}): "
            "keep it whole and use NumPy functions on the tensor itself, or write x.numpy() where numbers are meant"
        )
    x.viewed = True
    result = np.empty(shape, object)
    if not shape:
        result[()] = x
        return result
    for at in np.ndindex(*cast("tuple[int, ...]", shape)):
        result[at] = x[at]
    return result
