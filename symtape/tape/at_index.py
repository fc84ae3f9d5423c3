"""``x.at[index].set(value)``: what would be an assignment into an array, as a new tensor. The names are JAX's."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

if TYPE_CHECKING:
    from symtape.ops.namespace import Namespace
    from symtape.tape.tensor import Tensor


@dataclass(frozen=True, slots=True)
class At:
    """``x.at``: to be indexed as the array itself."""

    tensor: Tensor
    namespace: Namespace

    def __getitem__(self, index: Any) -> Places:
        return Places(self.tensor, self.namespace, index)

    def __setitem__(self, index: Any, value: Any) -> None:
        raise TypeError("x.at[index] gives a new tensor: write x = x.at[index].set(value)")


@dataclass(frozen=True, slots=True)
class Places:
    """``x.at[index]``: places in a tensor, to be read or replaced. Each method gives a new tensor like ``x``."""

    tensor: Tensor
    namespace: Namespace
    index: Any

    def _call(self, name: str, *operands: Any) -> Tensor:
        return cast("Tensor", getattr(self.namespace, name)(self.tensor, self.index, *operands))

    def get(self) -> Tensor:
        """``x[index]``."""
        return self._call("index_get")

    def set(self, value: Any) -> Tensor:
        """As after ``x[index] = value``; where the index names a place twice the last value stays."""
        return self._call("index_set", value)

    def add(self, value: Any) -> Tensor:
        """As after ``np.add.at(x, index, value)``: values for one place add up."""
        return self._call("index_add", value)

    def subtract(self, value: Any) -> Tensor:
        """As after ``np.subtract.at(x, index, value)``."""
        return self._call("index_add", self.namespace.negative(value))

    def multiply(self, value: Any) -> Tensor:
        """As after ``np.multiply.at(x, index, value)``."""
        return self._call("index_multiply", value)

    mul = multiply

    def divide(self, value: Any) -> Tensor:
        """As after ``np.divide.at(x, index, value)``."""
        return self._call("index_divide", value)

    def power(self, value: Any) -> Tensor:
        """As after ``np.power.at(x, index, value)``."""
        return self._call("index_power", value)

    def min(self, value: Any) -> Tensor:
        """As after ``np.minimum.at(x, index, value)``."""
        return self._call("index_min", value)

    def max(self, value: Any) -> Tensor:
        """As after ``np.maximum.at(x, index, value)``."""
        return self._call("index_max", value)

    def apply(self, function: Callable[[Any], Any]) -> Tensor:
        """The selected elements become ``function(elements)``, as ``ufunc.at`` of one argument does it."""
        return self._call("index_apply", function)
