"""The operations: each declared once, in the module of its family; importing this package declares all of them."""

# TEMPORARY while modules land: becomes a plain import list.
import importlib
import importlib.util

for _name in ("elementwise", "transcendental", "comparisons", "choices", "rounding", "special", "exprel", "layout", "indexing", "gathers", "masks", "joining", "rearranging", "diagonals", "scatter", "updates", "reductions", "scans", "contractions", "products", "averages", "roots", "triangles", "linalg", "determinants", "norms", "control", "statistics", "distributions", "samples", "distributions", "creation", "selection", "arithmetic_identities", "index_identities", "layout_identities", "pickling"):
    if importlib.util.find_spec(f"symtape.ops.{_name}") is not None:
        importlib.import_module(f"symtape.ops.{_name}")
