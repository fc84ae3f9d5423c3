"""Where a tensor was last taken apart into an object array of its elements, for errors that come of it.

Such an array goes on recording in loops of Python, while a function compiled in C refuses it, in words that say nothing
of tensors, and asks nobody before it does. So the place is remembered, and a tape, or whatever records a callable, adds
it as a note to the error on its way out.
"""

from __future__ import annotations

import re
import threading
from types import CodeType

from symtape.errors import SymtapeError
from symtape.graph.node import next_ident
from symtape.graph.source import describe, outer_frame, user_frame

#: What NumPy and SciPy say where they meet an object array.
_REFUSAL = re.compile(
    r"\bufunc\b|\bobject\b|ObjectDType|dtype\('O'\)|no callable|Tensor|\breal (?:dtype|numbers)|numeric"
)


class _Last(threading.local):
    """The latest place in this thread."""

    stamp = 0
    lines: tuple[tuple[CodeType, int], ...] = ()


_last = _Last()


def remember() -> None:
    """A tensor is being taken apart on the user's line."""
    frame = user_frame(2)
    outer = outer_frame(frame)
    _last.stamp = next_ident()
    _last.lines = tuple((f.f_code, f.f_lasti) for f in (frame, outer) if f is not None)


def annotate(error: BaseException, since: int) -> None:
    """Add to an error about an object array where a tensor was taken apart.

    Parameters
    ----------
    error : exception
    since : int
        Place in time: what was taken apart before has nothing to do with it.
    """
    if (
        not isinstance(error, (TypeError, ValueError, AttributeError))
        or isinstance(error, SymtapeError)
        or _last.stamp <= since
        or not _REFUSAL.search(str(error))
    ):
        return
    where = ", called from ".join(describe(*line) for line in _last.lines)
    _last.stamp = 0
    error.add_note(
        f"A tensor was taken apart into an object array of its elements ({where}), which functions compiled in C do "
        "not take: hand them the tensor itself, where they are recorded, or write x.numpy() where plain numbers are "
        "meant."
    )
