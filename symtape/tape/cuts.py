"""Cuts: numbers taken out of a tensor, through which no gradient flows.

Tapes log them for `explain`. Those that nobody asked for by name (``float``, ``math.sin``, assignment into an ndarray)
warn; and while a callable is recorded for reuse every cut is an error, since its number would be baked into compiled
code.
"""

from __future__ import annotations

import linecache
import re
import warnings
from dataclasses import dataclass
from types import CodeType, FrameType
from typing import TYPE_CHECKING, cast

from symtape.errors import ConcreteValueError, GradientCutWarning
from symtape.graph.source import line_number, place, user_frame
from symtape.tape.recording import active_tapes, captures_of, every_tape
from symtape.tape.remedies import called_on_line

if TYPE_CHECKING:
    from symtape.tape.tensor import Tensor


@dataclass(eq=False, frozen=True, slots=True)
class Cut:
    """A number taken out of a tensor that a tape tracked.

    Attributes
    ----------
    ident : int
        Identity of the tensor.
    call : str
        What took it, as it is written: ``"float"``, ``".numpy()"``, ``"print"``.
    code, lasti
        The user's line.
    silent : bool
        Whether it was asked for by name.
    display : bool
        Whether it was for people to read.
    """

    ident: int
    call: str
    code: CodeType
    lasti: int
    silent: bool
    display: bool


def current(tensor: Tensor) -> Tensor:
    """The tensor itself; of a variable the version that is read, which marks it as watched."""
    read = getattr(tensor, "read", None)
    return tensor if read is None else cast("Tensor", read())


def cut(tensor: Tensor, call: str, *, silent: bool = False, display: bool = False) -> None:
    """A number is about to be taken out of a tensor: to be called before it is computed.

    Parameters
    ----------
    tensor : Tensor
    call : str
        What takes it, as people write it: ``"float"``, ``".numpy()"``, ``"print"``, ``"np.asarray(x, dtype=float)"``.
    silent : bool
        Asked for by name (``.numpy()``, ``.item()``, ``print``): logged for `explain`, no warning.
    display : bool
        For people to read (``print``, ``format``, ``repr``): allowed while a callable is recorded.

    Warns
    -----
    GradientCutWarning
        Once per line per tape, where a recording tape tracks the tensor.

    Raises
    ------
    ConcreteValueError
        While a callable is recorded for reuse and the tensor may change between calls.
    """
    captures = captures_of(tensor.node)
    if captures and not display:
        node = tensor.node
        for c in reversed(captures):
            if c.depends(node):
                frame = user_frame(2)
                c.refusal = (
                    f"{call} took a number out of {node!r} while {c.name} recorded the function for reuse: later "
                    f"calls would reuse that number ({place(frame)}); {_remedy(call, frame, recording=True)}"
                )
                raise ConcreteValueError(c.refusal)
    if active_tapes() or every_tape():
        announce(current(tensor), call, silent=silent, display=display)


def announce(tensor: Tensor, call: str, *, silent: bool = False, display: bool = False) -> None:
    """Log a cut on the tapes that track the tensor, warn first: a warning raised as an error leaves all unchanged."""
    own = active_tapes()
    tapes = [tape for tape in own if tensor.ident in tape.producer]
    # What a tape of another thread is recording may have been handed to this one; variables are everybody's.
    tapes += [t for t in every_tape() if t.recording and t not in own and t.producer.get(tensor.ident) is not None]
    if not tapes:
        return
    frame = user_frame(3)
    code, lasti = frame.f_code, frame.f_lasti
    if not silent:
        line = line_number(code, lasti)
        where = place(frame)
        fresh = [tape for tape in tapes if where not in tape.warned]
        if fresh:
            warnings.warn_explicit(
                f"{call} takes a plain number out of {tensor.node!r}: no gradient flows through what is computed from "
                f"it ({where}); {_remedy(call, frame, recording=False)}",
                GradientCutWarning,
                code.co_filename,
                line,
                module=str(frame.f_globals.get("__name__", "<unknown>")),
                registry=frame.f_globals.setdefault("__warningregistry__", {}),
            )
            for tape in fresh:
                tape.warned.add(where)
    entry = Cut(tensor.ident, call, code, lasti, silent, display)
    for tape in tapes:
        tape.cuts.append(entry)


_ASSIGNMENT = re.compile(r"\]\s*[-+*/@%&|^]?=(?!=)")
_SCIPY_CALL = re.compile(r"\b(?:scipy|stats|special|optimize|integrate|interpolate|linalg)\.[\w.]+")


def _remedy(call: str, frame: FrameType, *, recording: bool) -> str:
    """What to write instead, judged by the user's line."""
    known = called_on_line(frame)
    if known is not None and known.name.startswith("math."):
        return f"write {known.remedy}"
    if known is not None:
        meant = ", or x.numpy() where plain numbers are meant" if known.name.startswith("numpy.as") else ""
        return f"instead of {known.name} write {known.remedy}{meant}"
    text = linecache.getline(frame.f_code.co_filename, line_number(frame.f_code, frame.f_lasti))
    if _ASSIGNMENT.search(text) and (call in {"float", "int"} or call.startswith("np.asarray")):
        return (
            "fill a = st.zeros(shape) instead, build the array with np.stack([...]), or set elements with "
            "x.at[i].set(value)"
        )
    if _SCIPY_CALL.search(text):
        return (
            "SciPy computes with plain numbers: write it with NumPy, use st.special, st.stats, st.linalg, or make it "
            "an st.black_box with a vjp"
        )
    if recording:
        return "keep it a tensor, and write st.where for choices; pass plain numbers as arguments that stay fixed"
    return "keep it a tensor, or write x.numpy() where a plain number is meant"
