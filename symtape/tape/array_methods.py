"""The methods and properties of an ndarray, on tensors: each is the NumPy function of the same name."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any, ClassVar, cast

import numpy as np

from symtape.graph.node import DType, Node
from symtape.graph.shapes import Length, Shape, size
from symtape.tape.flat import FlatView
from symtape.tape.foreign_names import in_tensor

if TYPE_CHECKING:
    from symtape.tape.tensor import Tensor

# Where np.mean, np.var and np.std of lists and object arrays are written.
_NUMPY_METHODS = "numpy._core._methods"


#: What an ndarray tells of its memory, and a tensor has not.
ABOUT_MEMORY = frozenset(
    (
        *("base", "byteswap", "ctypes", "data", "dump", "dumps", "flags", "getfield", "setfield", "setflags"),
        *("strides", "to_device", "tobytes", "tofile", "tostring", "itemset", "newbyteorder"),
    )
)


class ArrayMethods:
    """A part of `Tensor`, which supplies ``node`` and the namespace ``_B``."""

    __slots__ = ()

    node: Node
    _B: ClassVar[Any]

    if not TYPE_CHECKING:  # a type checker is to tell of a name that is not there

        def __getattr__(self, name: str) -> Any:
            text = f"{type(self).__name__!r} object has no attribute {name!r}"
            here = in_tensor(name)
            if name in ABOUT_MEMORY:
                text += f": a tensor is an expression and has no memory of its own; its values have, x.numpy().{name}"
            elif here is not None:
                text += f"; here it is {here}"
            raise AttributeError(text, name=name, obj=self)

    # ---- what an array is

    @property
    def shape(self) -> Shape:
        """Axis lengths: ints, or `Dim` where a length is only named."""
        return self.node.shape

    @property
    def dtype(self) -> DType:
        """Dtype of the elements."""
        if sys._getframe(1).f_globals.get("__name__") == _NUMPY_METHODS:
            # The mean of a list of tensors is to be a tensor; what has a dtype NumPy makes a number: dtype.type(sum/n).
            raise AttributeError("dtype")
        return self.node.dtype

    @property
    def ndim(self) -> int:
        """Number of axes."""
        return len(self.node.shape)

    @property
    def size(self) -> Length:
        """Number of elements."""
        return size(self.node.shape)

    @property
    def itemsize(self) -> int:
        """Bytes of an element."""
        return self.node.dtype.itemsize

    @property
    def nbytes(self) -> Length:
        """Bytes of the value."""
        return size(self.node.shape) * self.node.dtype.itemsize

    @property
    def T(self) -> Tensor:  # noqa: N802 (NumPy's name)
        """The axes in reverse order."""
        return cast("Tensor", self._B.transpose(self))

    @property
    def mT(self) -> Tensor:  # noqa: N802 (NumPy's name)
        """The last two axes swapped."""
        return cast("Tensor", self._B.matrix_transpose(self))

    @property
    def real(self) -> Tensor:
        """The tensor itself: tensors are real."""
        return cast("Tensor", self._B.lift(self))

    @property
    def imag(self) -> Tensor:
        """Zeros, since tensors are real."""
        return cast("Tensor", self._B.imag(self))

    @property
    def flat(self) -> FlatView:
        """The elements one after the other; read and written by index too."""
        return FlatView(self._B, cast("Tensor", self))

    @property
    def device(self) -> str:
        """Where the values are computed."""
        return "cpu"

    # ---- shape

    def reshape(self, *shape: Any, order: str = "C", copy: bool | None = None) -> Tensor:
        """``np.reshape``; the shape as one tuple or as several lengths."""
        target = shape[0] if len(shape) == 1 and isinstance(shape[0], (tuple, list)) else shape
        return cast("Tensor", self._B.reshape(self, target, order=order))

    def ravel(self, order: str = "C") -> Tensor:
        """``np.ravel``."""
        return cast("Tensor", self._B.ravel(self, order))

    def flatten(self, order: str = "C") -> Tensor:
        """One axis, in the given order."""
        return cast("Tensor", self._B.flatten(self, order))

    def transpose(self, *axes: Any) -> Tensor:
        """``np.transpose``; the axes as one tuple or as several ints."""
        order = axes[0] if len(axes) == 1 and (axes[0] is None or isinstance(axes[0], (tuple, list))) else axes or None
        return cast("Tensor", self._B.transpose(self, order))

    def swapaxes(self, axis1: int, axis2: int) -> Tensor:
        """``np.swapaxes``."""
        return cast("Tensor", self._B.swapaxes(self, axis1, axis2))

    def squeeze(self, axis: Any = None) -> Tensor:
        """``np.squeeze``."""
        return cast("Tensor", self._B.squeeze(self, axis))

    def repeat(self, repeats: Any, axis: int | None = None) -> Tensor:
        """``np.repeat``."""
        return cast("Tensor", self._B.repeat(self, repeats, axis))

    def diagonal(self, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Tensor:
        """``np.diagonal``."""
        return cast("Tensor", self._B.diagonal(self, offset, axis1, axis2))

    def astype(self, dtype: Any, copy: bool = True) -> Tensor:
        """The elements converted to a dtype."""
        return cast("Tensor", self._B.astype(self, np.dtype(dtype)))

    def copy(self, order: str = "C") -> Tensor:
        """The tensor itself, which nobody can write to; of a variable its current version."""
        return cast("Tensor", self._B.lift(self))

    # ---- elements

    def take(self, indices: Any, axis: int | None = None, out: Any = None, mode: str = "raise") -> Tensor:
        """``np.take``."""
        return cast("Tensor", self._B.take(self, indices, axis, out, mode))

    def compress(self, condition: Any, axis: int | None = None, out: Any = None) -> Tensor:
        """``np.compress``."""
        return cast("Tensor", self._B.compress(condition, self, axis, out))

    def nonzero(self) -> tuple[Any, ...]:
        """``np.nonzero``."""
        return cast("tuple[Any, ...]", self._B.nonzero(self))

    def sort(self, axis: int = -1) -> None:
        """Refused: it would change the tensor in place."""
        raise TypeError("a tensor cannot be sorted in place; write np.sort(x), which gives a sorted copy")

    def argsort(self, axis: Any = -1, kind: Any = None, order: Any = None, *, stable: Any = None) -> Tensor:
        """``np.argsort``."""
        return cast("Tensor", self._B.argsort(self, axis, kind, order, stable=stable))

    def argpartition(self, kth: Any, axis: Any = -1, kind: str = "introselect", order: Any = None) -> Tensor:
        """``np.argpartition``."""
        return cast("Tensor", self._B.argpartition(self, kth, axis, kind, order))

    def searchsorted(self, v: Any, side: str = "left", sorter: Any = None) -> Tensor:
        """``np.searchsorted``."""
        return cast("Tensor", self._B.searchsorted(self, v, side, sorter))

    def choose(self, choices: Any, out: Any = None, mode: str = "raise") -> Tensor:
        """``np.choose``."""
        return cast("Tensor", self._B.choose(self, choices, out, mode))

    def fill(self, value: Any) -> None:
        """Refused: it would change the tensor in place."""
        raise TypeError("a tensor cannot be filled in place; write np.full_like(x, value), or x.at[...].set(value)")

    def partition(self, kth: Any, axis: int = -1, kind: str = "introselect", order: Any = None) -> None:
        """Refused: it would change the tensor in place."""
        raise TypeError("a tensor cannot be partitioned in place; write np.partition(x, kth), which gives a copy")

    def put(self, indices: Any, values: Any, mode: str = "raise") -> None:
        """Refused: it would change the tensor in place."""
        raise TypeError("a tensor cannot be changed in place; write x.at[np.unravel_index(i, x.shape)].set(values)")

    def resize(self, *new_shape: Any, refcheck: bool = True) -> None:
        """Refused: it would change the tensor in place."""
        raise TypeError("a tensor cannot be resized in place; write np.resize(x, shape), or x.reshape(shape)")

    def view(self, dtype: Any = None, type: Any = None) -> None:
        """Refused: it would read the bytes of the values as something else."""
        raise TypeError("a tensor has no bytes that could be viewed as another dtype; x.astype(dtype) converts it")

    # ---- reductions and scans

    def sum(self, axis: Any = None, dtype: Any = None, out: Any = None, **options: Any) -> Tensor:
        """``np.sum``."""
        return cast("Tensor", self._B.sum(self, axis, dtype, out, **options))

    def prod(self, axis: Any = None, dtype: Any = None, out: Any = None, **options: Any) -> Tensor:
        """``np.prod``."""
        return cast("Tensor", self._B.prod(self, axis, dtype, out, **options))

    def mean(self, axis: Any = None, dtype: Any = None, out: Any = None, **options: Any) -> Tensor:
        """``np.mean``."""
        return cast("Tensor", self._B.mean(self, axis, dtype, out, **options))

    def var(self, axis: Any = None, dtype: Any = None, out: Any = None, ddof: float = 0, **options: Any) -> Tensor:
        """``np.var``."""
        return cast("Tensor", self._B.var(self, axis, dtype, out, ddof, **options))

    def std(self, axis: Any = None, dtype: Any = None, out: Any = None, ddof: float = 0, **options: Any) -> Tensor:
        """``np.std``."""
        return cast("Tensor", self._B.std(self, axis, dtype, out, ddof, **options))

    def max(self, axis: Any = None, out: Any = None, **options: Any) -> Tensor:
        """``np.max``."""
        return cast("Tensor", self._B.max(self, axis, out, **options))

    def min(self, axis: Any = None, out: Any = None, **options: Any) -> Tensor:
        """``np.min``."""
        return cast("Tensor", self._B.min(self, axis, out, **options))

    def any(self, axis: Any = None, out: Any = None, **options: Any) -> Tensor:
        """``np.any``."""
        return cast("Tensor", self._B.any(self, axis, out, **options))

    def all(self, axis: Any = None, out: Any = None, **options: Any) -> Tensor:
        """``np.all``."""
        return cast("Tensor", self._B.all(self, axis, out, **options))

    def argmax(self, axis: Any = None, out: Any = None, **options: Any) -> Tensor:
        """``np.argmax``."""
        return cast("Tensor", self._B.argmax(self, axis, out, **options))

    def argmin(self, axis: Any = None, out: Any = None, **options: Any) -> Tensor:
        """``np.argmin``."""
        return cast("Tensor", self._B.argmin(self, axis, out, **options))

    def cumsum(self, axis: Any = None, dtype: Any = None, out: Any = None) -> Tensor:
        """``np.cumsum``."""
        return cast("Tensor", self._B.cumsum(self, axis, dtype, out))

    def cumprod(self, axis: Any = None, dtype: Any = None, out: Any = None) -> Tensor:
        """``np.cumprod``."""
        return cast("Tensor", self._B.cumprod(self, axis, dtype, out))

    def ptp(self, axis: Any = None, out: Any = None, keepdims: bool = False) -> Tensor:
        """``np.ptp``: the largest minus the smallest element."""
        return cast("Tensor", self._B.ptp(self, axis, out, keepdims))

    def trace(self, offset: int = 0, axis1: int = 0, axis2: int = 1, dtype: Any = None, out: Any = None) -> Tensor:
        """``np.trace``."""
        return cast("Tensor", self._B.trace(self, offset, axis1, axis2, dtype, out))

    # ---- elementwise and products

    def clip(self, min: Any = None, max: Any = None, out: Any = None) -> Tensor:
        """``np.clip``."""
        return cast("Tensor", self._B.clip(self, min, max, out))

    def round(self, decimals: int = 0, out: Any = None) -> Tensor:
        """``np.round``."""
        return cast("Tensor", self._B.round(self, decimals, out))

    def conj(self) -> Tensor:
        """The tensor itself: tensors are real."""
        return cast("Tensor", self._B.lift(self))

    conjugate = conj

    def dot(self, b: Any, out: Any = None) -> Tensor:
        """``np.dot``."""
        return cast("Tensor", self._B.dot(self, b, out))
