"""The iterates of a minimization, as a method passed them: whole while they are few, thinned when they are many."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

from symtape.optimize.standard_form import Array

_BYTES = 32 * 2**20


@dataclass(frozen=True, slots=True)
class Iterate:
    """One iterate.

    Attributes
    ----------
    iteration : int
        Its number, from 0 for the start.
    x : ndarray of shape (n,)
    fun : float
        The objective there.
    """

    iteration: int
    x: Array
    fun: float


@dataclass(slots=True)
class History:
    """Iterates from the start to the returned point.

    Above 32 MB every second one is dropped, and from then on only every second is kept; the numbers of the
    iterations tell.

    Examples
    --------
    >>> import numpy as np
    >>> from symtape.optimize.history import History
    >>> history = History()
    >>> history.add(np.zeros(2), 5.0)
    >>> history.add(np.ones(2), 1.0)
    >>> history.x.shape, history.fun, len(history)
    ((2, 2), array([5., 1.]), 2)
    """

    iterates: list[Iterate] = field(default_factory=list)
    count: int = 0
    stride: int = 1

    def add(self, x: Array, fun: float) -> None:
        """Append an iterate; an ``x`` equal to the last one is not a new one."""
        if self.iterates and np.array_equal(self.iterates[-1].x, x):
            return
        if self.count % self.stride == 0:
            self.iterates.append(Iterate(self.count, np.array(x), float(fun)))
            if len(self.iterates) * x.nbytes > _BYTES and len(self.iterates) > 2:
                self.iterates = self.iterates[::2]
                self.stride *= 2
        self.count += 1

    @property
    def x(self) -> Array:
        """All kept iterates, shape (k, n)."""
        return np.array([iterate.x for iterate in self.iterates])

    @property
    def fun(self) -> Array:
        """The objective at them, shape (k,)."""
        return np.array([iterate.fun for iterate in self.iterates])

    def __len__(self) -> int:
        return len(self.iterates)

    def __iter__(self) -> Iterator[Iterate]:
        return iter(self.iterates)

    def __getitem__(self, k: int) -> Iterate:
        return self.iterates[k]

    def __repr__(self) -> str:
        if not self.iterates:
            return "<History: empty>"
        first, last = self.iterates[0], self.iterates[-1]
        return f"<History: {self.count} iterates, from f = {first.fun:.6g} to {last.fun:.6g}>"
