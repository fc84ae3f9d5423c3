"""Writes `numpy.md`: what becomes of every public function of NumPy that is called with tensors.

Run ``python docs/numpy_page.py`` from the root of the repository. A test compares the page with what this gives.
"""

import sys
import types
import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))

import symtape as st  # noqa: E402
from symtape import pytree  # noqa: E402
from symtape.ops import registry  # noqa: E402
from symtape.ops.op import flow  # noqa: E402
from symtape.tape.callable_arguments import is_whole  # noqa: E402
from symtape.tape.in_place import WRITERS  # noqa: E402
from symtape.tape.numpy_queries import QUERIES  # noqa: E402
from symtape.tape.numpy_remedies import own_remedy, remedy  # noqa: E402
from symtape.tape.remedy_table import SLOW, TABLE  # noqa: E402
from tests.ops.calls import ARRAYS, CALLS  # noqa: E402

TARGET = ROOT / "docs" / "numpy.md"

#: Functions that take no array of numbers: they make arrays, read and write files, set options, describe NumPy.
PLAIN = frozenset(
    (
        *("bartlett", "base_repr", "binary_repr", "blackman", "broadcast_shapes", "datetime_data", "diag_indices"),
        *("empty", "eye", "format_float_positional", "format_float_scientific", "from_dlpack", "frombuffer"),
        *("fromfile", "fromregex", "fromstring", "genfromtxt", "get_include", "get_printoptions", "getbufsize"),
        *("geterr", "geterrcall", "hamming", "hanning", "identity", "indices", "info", "isdtype", "isfortran"),
        *("isscalar", "issubdtype", "iterable", "load", "loadtxt", "mask_indices", "mintypecode", "nested_iters"),
        *("ones", "printoptions", "promote_types", "row_stack", "set_printoptions", "setbufsize", "seterr"),
        *("seterrcall", "show_config", "show_runtime", "test", "tri", "tril_indices", "triu_indices", "typename"),
        *("zeros", "geterrobj", "seterrobj", "disp", "safe_eval", "find_common_type", "issctype", "obj2sctype"),
    )
)
#: Types that are asked about, iterated with or caught, and are no functions of numbers.
PLAIN_TYPES = frozenset(
    (
        *("broadcast", "busdaycalendar", "dtype", "errstate", "finfo", "flatiter", "iinfo", "memmap", "ndarray"),
        *("ndenumerate", "ndindex", "recarray", "record", "ufunc", "LinAlgError"),
    )
)
#: Types that compute with what they are given.
_COMPUTING_TYPES = frozenset(("poly1d", "vectorize", "matrix", "nditer"))
_IN_PLACE_METHODS = frozenset(("fill", "partition", "put", "sort"))
#: Functions that make an object array of element tensors.
_BY_ELEMENTS = (SLOW | {"numpy.array", "numpy.asarray", "numpy.asanyarray"}) - {"numpy.nditer"}
_PLAIN_TEXT = "makes or describes plain arrays: no tensor among its arguments"


_VERSION = ".".join(np.__version__.split(".")[:2])


def callables(module: types.ModuleType) -> list[str]:
    """The public names of what can be called in a module."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # names on their way out
        return sorted(name for name in dir(module) if not name.startswith("_") and callable(getattr(module, name)))


def public(module: types.ModuleType) -> list[str]:
    """The names of a module's functions, and of the types that compute."""
    return [
        name for name in callables(module) if not isinstance(getattr(module, name), type) or name in _COMPUTING_TYPES
    ]


def registered() -> dict[object, registry.Function]:
    """Functions of NumPy that tensors dispatch on, and what they are here."""
    found: dict[object, registry.Function] = {}
    for entry in registry.functions().values():
        for full in entry.implements:
            thing: object = np
            for part in full.split(".")[1:]:
                thing = getattr(thing, part, None)
            if full.startswith("numpy.") and thing is not None:
                found[thing] = entry
    return found


def gradient_flows(call: Callable[..., object]) -> bool:
    """Whether a gradient comes back from a call of the table."""
    names = call.__code__.co_varnames[: call.__code__.co_argcount]
    leaves = [st.Variable(ARRAYS[name], dtype=ARRAYS[name].dtype) for name in names]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with st.GradientTape() as tape:
            results = [r for r in pytree.flatten(call(*leaves), is_whole)[0] if isinstance(r, st.Tensor)]
        floats = [r for r in results if r.dtype.kind == "f"]
        return bool(floats) and any(g is not None for g in tape.gradient(floats, leaves))


def gradient_of(name: str, entry: registry.Function) -> str:
    """What the table says of the gradient."""
    calls = CALLS.get(name, [])
    op = entry.op or registry.ops().get(entry.name)
    if calls:
        flows = any(gradient_flows(call) for call in calls)
    else:
        flows = op is None or (op.differentiable and any(flow(op, i) for i in range(2 if op.vjp is None else 1)))
    return "yes" if flows else "none: constant between jumps"


def kind_of(module: types.ModuleType, name: str, known: dict[object, registry.Function]) -> str | None:
    """What becomes of a public name of NumPy: how it is recorded, or that it is refused; None: nobody thought of it."""
    thing = getattr(module, name)
    prefix = "" if module is np else f"{module.__name__.removeprefix('numpy.')}."
    if thing in known:
        return "recorded"
    if CALLS.get(prefix + name):
        return "parts"
    if f"numpy.{name}" in WRITERS:
        return "writer"
    if _named(thing, name) in QUERIES:
        return "query"
    if isinstance(thing, type) and issubclass(thing, np.generic):
        return "refused" if _named(thing, name) in TABLE else "plain"
    if f"numpy.{name}" in _BY_ELEMENTS:
        return "elements"
    if remedy_for(thing, name) is not None:
        return "refused"
    return "plain" if name in (PLAIN_TYPES if isinstance(thing, type) else PLAIN) else None


def _named(thing: object, name: str) -> str:
    return f"{getattr(thing, '__module__', 'numpy')}.{getattr(thing, '__name__', name)}"


def remedy_for(thing: object, name: str) -> str | None:
    """What the error or the warning says to write instead, where something is said of this name."""
    return TABLE.get(_named(thing, name)) or TABLE.get(f"numpy.{name}") or own_remedy(name)


def row(full: str, module: types.ModuleType, name: str, known: dict[object, registry.Function]) -> str:
    """One line of the table."""
    thing = getattr(module, name)
    kind = kind_of(module, name, known)
    if kind == "recorded":
        entry = known[thing]
        summary = (entry.implementation.__doc__ or "").strip().split("\n")[0]
        note = summary.partition("``")[2].partition("``")[2].strip(" ,:;.") if summary.startswith("``") else ""
        return f"| `{full}` | recorded | {gradient_of(name, entry)} | {note} |"
    if kind == "parts":
        return f"| `{full}` | recorded | {'yes' if any(map(gradient_flows, CALLS[name])) else 'none'} | by its parts |"
    if kind == "writer":
        return f"| `{full}` | fills a tensor made fresh | yes | other tensors refuse: `x.at[index].set(value)` |"
    if kind == "query":
        return f"| `{full}` | answers at once | | |"
    if kind == "plain":
        return f"| `{full}` | {_PLAIN_TEXT} | | |"
    text = (remedy_for(thing, name) or remedy(full).partition(": ")[2]).replace("|", "\\|")
    if kind == "elements":
        return f"| `{full}` | by its elements | yes | {text} |"
    return f"| `{full}` | not recorded | | {text} |"


def page() -> str:
    """The whole page."""
    known = registered()
    lines = [
        "# NumPy's functions",
        "",
        "<!-- written by docs/numpy_page.py: do not edit -->",
        "",
        f"Every public function of NumPy {_VERSION}, called with tensors. *Recorded*: value, shape and dtype are",
        "NumPy's, and a gradient flows where the table says so; the calls behind this table stand in",
        "`tests/ops/calls` and are compared with NumPy and with differences. *Answers at once*: in plain",
        "Python, of values with a guard. *By its elements*: an object array of tensors, which goes on recording, one",
        "element after the other; the last column is faster. *Not recorded*: an error or a warning names the line and",
        "what to write instead, which is what the last column says.",
        "",
    ]
    for title, module, prefix in (("numpy", np, "np"), ("numpy.linalg", np.linalg, "np.linalg")):
        lines += [f"## {title}", "", "| function | with tensors | gradient | note |", "|---|---|---|---|"]
        lines += [row(f"{prefix}.{name}", module, name, known) for name in public(module)]
        lines.append("")
    lines += ["## Methods of ufuncs", "", "| method | with tensors |", "|---|---|"]
    methods = sorted(
        full.replace("numpy.", "np.", 1)
        for entry in registry.functions().values()
        for full in entry.implements
        if full.startswith("numpy.") and full.endswith((".reduce", ".accumulate", ".reduceat"))
    )
    lines += [f"| `{name}` | recorded |" for name in methods]
    lines += ["| `ufunc.outer` | recorded, of every ufunc of two arguments |"]
    lines += ["| `ufunc.at` | fills a tensor made fresh; else `x.at[index].add(value)` and its kin |", ""]
    lines += ["## Methods and attributes of arrays", "", "| of an array | of a tensor |", "|---|---|"]
    for name in sorted(n for n in dir(np.ndarray) if not n.startswith("_")):
        text = "yes" if hasattr(st.Tensor, name) else f"no: `x.numpy().{name}`"
        text = "of a tensor made fresh; others refuse" if name in _IN_PLACE_METHODS else text
        lines.append(f"| `{name}` | {'no: tensors have no bytes' if name == 'view' else text} |")
    lines += [
        "",
        "## What NumPy's protocols cannot catch",
        "",
        "These take numbers out of a tensor, or take it apart into elements, before anything can be recorded. A",
        "warning or an error names the line and what to write instead.",
        "",
        "| function | instead |",
        "|---|---|",
    ]
    lines += [f"| `{name}` | {text} |" for name, text in sorted(TABLE.items())]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    TARGET.write_text(page(), encoding="utf-8")
