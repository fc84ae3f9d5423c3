"""The operations: each declared once, in the module of its family; importing this package declares all of them."""

# TEMPORARY while modules land: becomes a plain import list.
import importlib
import importlib.util

for _name in ("elementwise", "special", "layout", "indexing", "scatter", "reductions", "scans", "contractions", "products", "averages", "divisions", "factorizations", "norms", "linalg", "control", "statistics", "pickling"):
    if importlib.util.find_spec(f"symtape.ops.{_name}") is not None:
        importlib.import_module(f"symtape.ops.{_name}")
