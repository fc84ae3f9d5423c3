"""Where a leaf is found again by the identity that its sympy symbols carry: weakly, keeping nothing alive."""

from __future__ import annotations

import weakref
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from symtape.tape.tensor import Tensor

_leaves: weakref.WeakValueDictionary[int, Tensor] = weakref.WeakValueDictionary()


def remember(stamp: int, tensor: Tensor) -> None:
    """Enter a declared leaf."""
    _leaves[stamp] = tensor


def find(stamp: int) -> Tensor | None:
    """The leaf with that identity, if it still exists."""
    return _leaves.get(stamp)
