"""What to write instead of a function of NumPy that cannot be recorded."""

from __future__ import annotations

import difflib

from symtape.ops.registry import functions

_COMPLEX = "its result is complex and tensors are real; write sums of np.cos and np.sin, or a matrix product"
_BY_VALUE = "the shape of its result depends on values; write np.where(mask, a, b), or x[mask] with an array as mask"
_IN_PLACE = (
    "it writes into its argument, and only tensors made fresh may be filled (np.zeros_like(x), x.copy(), st.zeros); "
    "else write x = x.at[index].set(value)"
)
_POLYNOMIAL = "write the polynomial out, c[0]*x**2 + c[1]*x + c[2], or np.polyval(c, x)"
_DISTRIBUTION = "random numbers and histograms have no derivative here; draw them outside and pass them as an array"

#: Names without ``np.`` to what to write instead.
_REMEDIES: dict[str, str] = {
    **dict.fromkeys(
        [
            "unique",
            "unique_all",
            "unique_counts",
            "unique_inverse",
            "unique_values",
            "union1d",
            "intersect1d",
            "setdiff1d",
            "setxor1d",
        ],
        _BY_VALUE,
    ),
    **dict.fromkeys(("copyto", "place", "put", "putmask", "fill_diagonal", "put_along_axis"), _IN_PLACE),
    **dict.fromkeys(("polydiv", "polyfit", "roots"), _POLYNOMIAL),
    **dict.fromkeys(("histogram", "histogram2d", "histogramdd", "histogram_bin_edges"), _DISTRIBUTION),
    **dict.fromkeys(("apply_along_axis", "apply_over_axes"), "write st.vmap(f)(x), or the function with axis="),
    "vectorize": "write st.vmap(f)(x)",
    "bitwise_and": "compare first: (x > 0) & (y > 0)",
}


def remedy(name: str) -> str:
    """The message for a function that is not recorded, given as it is written: ``np.linalg.eig``."""
    short = name.removeprefix("np.")
    text = _REMEDIES.get(short)
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
_AT = {
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
        own = f"x = x.at[index].{_AT[ufunc]}(value)" if ufunc in _AT else f"x = x.at[index].apply(np.{ufunc})"
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
