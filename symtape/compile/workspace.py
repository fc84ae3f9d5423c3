"""Room for intermediate arrays: a place is given back when the last node that needs it is done, and used again."""

from __future__ import annotations

import bisect
from typing import Final

ALIGNMENT: Final = 64


class Workspace:
    """Hands out byte ranges of one block of memory, first fit, and joins what is given back.

    Examples
    --------
    >>> room = Workspace()
    >>> a, b = room.take(100), room.take(10)
    >>> room.give(a)
    >>> room.take(64) == a, room.size
    (True, 192)
    """

    __slots__ = ("_free", "_taken", "size")

    def __init__(self) -> None:
        self.size = 0
        self._free: list[tuple[int, int]] = []  # (start, length), sorted, no two of them touch
        self._taken: dict[int, int] = {}

    def take(self, nbytes: int) -> int:
        """The start of a free range of at least ``nbytes``."""
        length = max(ALIGNMENT, -(-nbytes // ALIGNMENT) * ALIGNMENT)
        for k, (start, free) in enumerate(self._free):
            if free >= length:
                if free == length:
                    del self._free[k]
                else:
                    self._free[k] = (start + length, free - length)
                break
        else:
            start = self.size
            if self._free and sum(self._free[-1]) == self.size:
                start, _ = self._free.pop()
            self.size = start + length
        self._taken[start] = length
        return start

    def give(self, start: int) -> None:
        """Give a range back."""
        length = self._taken.pop(start)
        k = bisect.bisect(self._free, (start, 0))
        if k < len(self._free) and self._free[k][0] == start + length:
            length += self._free.pop(k)[1]
        if k and sum(self._free[k - 1]) == start:
            start, before = self._free.pop(k - 1)
            length += before
            k -= 1
        self._free.insert(k, (start, length))
