"""``x.flat``: the elements of a tensor one after the other, read and, where the tensor may be filled, written."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, cast

from symtape.ops.namespace import Namespace

if TYPE_CHECKING:
    from symtape.tape.tensor import Tensor


class FlatView:
    """The flattened tensor, as ``ndarray.flat`` shows it: an iterator that is also read and written by index.

    Examples
    --------
    >>> import symtape as st
    >>> x = st.constant([[1.0, 2.0], [3.0, 4.0]])
    >>> x.flat[[0, 3]].numpy(), len(x.flat), [float(v) for v in x.flat]
    (array([1., 4.]), 4, [1.0, 2.0, 3.0, 4.0])
    """

    __slots__ = ("_B", "_elements", "_tensor")

    def __init__(self, B: Namespace, tensor: Tensor) -> None:
        self._B = B
        self._tensor = tensor
        self._elements: Iterator[Tensor] | None = None

    def _line(self) -> Tensor:
        return cast("Tensor", self._B.ravel(self._tensor))

    def __len__(self) -> int:
        return len(self._line())

    def __iter__(self) -> FlatView:
        return self

    def __next__(self) -> Tensor:
        if self._elements is None:
            self._elements = iter(self._line())
        return next(self._elements)

    def __getitem__(self, index: Any) -> Tensor:
        return self._line()[index]

    def __setitem__(self, index: Any, value: Any) -> None:
        self._tensor[...] = self._B.reshape(self._line().at[index].set(value), self._B.shape(self._tensor))
