"""What a process needs to call a function that another process compiled, without its graph: kept beside the code.

A card stands in the cache folder under the digest of the file that the function was saved in. So a function that is
loaded from that file is called without making its graph or text first, in a few milliseconds whatever its size.
"""

from __future__ import annotations

import hashlib
from typing import Any, Final

import numpy as np

from symtape.compile import cache
from symtape.compile.library_calls import Callback
from symtape.compile.machine_code import kept_code
from symtape.compile.options import Options
from symtape.compile.program import Program
from symtape.compile.runnable import Plan, Runnable

#: Bytes of constant arrays that a card may hold.
_LIMIT: Final = 1 << 22


def _name(content: bytes, options: Options) -> str:
    return cache.key("card " + hashlib.sha256(content).hexdigest(), options)


def remember(content: bytes, program: Program) -> None:
    """Keep the card of a program whose function was saved as these bytes; one that calls back into Python has none."""
    plan = program.plan
    arrays = [e for e in plan.extra if not isinstance(e, Callback)]
    if not program.options.cache or len(arrays) < len(plan.extra) or sum(a.nbytes for a in arrays) > _LIMIT:
        return
    header: dict[str, Any] = {
        "code": program.key,
        "inputs": [[name, list(shape), dtype.str] for name, shape, dtype in plan.inputs],
        "outputs": [[list(shape), dtype.str] for shape, dtype in plan.outputs],
        "messages": list(plan.messages),
        "sizes": list(plan.sizes),
        "workspace": plan.workspace,
        "extra": [[list(a.shape), a.dtype.str] for a in arrays],
        "operations": plan.operations,
    }
    cache.write(_name(content, program.options), header, b"".join(a.tobytes() for a in arrays))


def recall(content: bytes, options: Options) -> Runnable | None:
    """The program of the function that was saved as these bytes, if its card and its code are in the cache."""
    found = cache.read(_name(content, options)) if options.cache else None
    if found is None:
        return None
    header, data = found
    code = kept_code(header["code"])
    if code is None:
        return None
    extra, start = [], 0
    for shape, text in header["extra"]:
        dtype = np.dtype(text)
        count = int(np.prod(shape, dtype=np.int64))
        extra.append(np.frombuffer(data, dtype, count, start).reshape(shape))
        start += count * dtype.itemsize
    plan = Plan(
        inputs=tuple((name, tuple(shape), np.dtype(text)) for name, shape, text in header["inputs"]),
        outputs=tuple((tuple(shape), np.dtype(text)) for shape, text in header["outputs"]),
        messages=tuple(header["messages"]),
        sizes=tuple(header["sizes"]),
        workspace=header["workspace"],
        extra=tuple(extra),
        operations=header["operations"],
    )
    return Runnable(plan, code)
