"""What to write instead of a function of NumPy that cannot be recorded."""

from __future__ import annotations

import difflib

from symtape.ops.registry import functions

_COMPLEX = "its result is complex and tensors are real; write sums of np.cos and np.sin, or a matrix product"
_IN_PLACE = (
    "it writes into its argument, and only tensors made fresh may be filled (np.zeros_like(x), x.copy(), st.zeros); "
    "else write x = x.at[index].set(value)"
)

#: Names without ``np.`` to what to write instead.
_REMEDIES: dict[str, str] = {
    **dict.fromkeys(("copyto", "place", "put", "putmask", "fill_diagonal", "put_along_axis"), _IN_PLACE),
    **dict.fromkeys(("apply_along_axis", "apply_over_axes"), "write st.vmap(f)(x), or the function with axis="),
    "vectorize": "write st.vmap(f)(x)",
    **dict.fromkeys(("packbits", "unpackbits"), "write sums of 2**k*bit, or (i >> k) & 1"),
    **dict.fromkeys(
        ("isnat", "is_busday", "busday_count", "busday_offset", "datetime_as_string"),
        "dates are counted outside, in an array",
    ),
    "sort_complex": "write np.sort(x): tensors are real",
    "in1d": "write np.isin(x, values)",
}


def own_remedy(name: str) -> str | None:
    """What to write instead of a function, given without ``np.``, that NumPy hands on to tensors; None: not known."""
    return _REMEDIES.get(name)


def remedy(name: str) -> str:
    """The message for a function that is not recorded, given as it is written: ``np.linalg.eig``."""
    short = name.removeprefix("np.")
    text = own_remedy(short)
    if text is None and short.startswith("fft."):
        text = _COMPLEX
    if text is None and short.startswith("lib.scimath."):
        text = f"tensors are real; write np.{short.rpartition('.')[2]}"
    if text is None and short.endswith("(vectorized)"):
        text = _REMEDIES["vectorize"]
    if text is None:
        known = {n.removeprefix("numpy.") for entry in functions().values() for n in entry.implements}
        near = difflib.get_close_matches(short, sorted(known), n=3, cutoff=0.75)
        near_text = f"near it are {', '.join(f'np.{n}' for n in near)}; " if near else ""
        text = (
            f"{near_text}write it with functions that are recorded, or x.numpy() in its argument where a plain number "
            "is meant"
        )
    return f"{name} cannot be recorded on a tensor: {text}"


_SIGNS = {
    "add": "+",
    "subtract": "-",
    "multiply": "*",
    "divide": "/",
    "floor_divide": "//",
    "remainder": "%",
    "power": "**",
    "matmul": "@",
    "logical_and": "&",
    "bitwise_and": "&",
    "logical_or": "|",
    "bitwise_or": "|",
}
#: Ufuncs to the methods of ``x.at[index]`` that do what their ``at`` does.
UPDATES = {
    "add": "add",
    "subtract": "subtract",
    "multiply": "multiply",
    "divide": "divide",
    "power": "power",
    "minimum": "min",
    "maximum": "max",
}


def written_in_place(full: str, ufunc: str, method: str, *, masked: bool = False) -> str:
    """The message where a ufunc would write into an array: ``out=``, ``a += tensor``, ``np.add.at``.

    ``masked``: only where a mask holds (``where=``).
    """
    if method == "at":
        own = f"x = x.at[index].{UPDATES[ufunc]}(value)" if ufunc in UPDATES else f"x = x.at[index].apply(np.{ufunc})"
        return (
            f"np.{full} would write into its first argument; tensors do not change, and an array holds no "
            f"expressions: write {own}"
        )
    if masked:
        return (
            f"np.{full}(out=..., where=mask) would write into an array, which holds numbers and no expressions: write "
            f"np.where(mask, np.{full}(...), otherwise), or give a tensor made fresh, out=np.zeros_like(x)"
        )
    sign = _SIGNS.get(ufunc)
    augmented = f"; instead of a {sign}= x write a = a {sign} x" if sign else ""
    return (
        f"np.{full}(out=...) would write the result into an array, which holds numbers and no expressions, and the "
        "gradient would be lost: "
        f"give the result a name instead{augmented}"
    )
