"""symtape: record expressions on a tape, read their exact derivatives, compile them, minimize them.

Names are loaded when they are first used, so that ``import symtape`` costs little more than ``import numpy``.
"""

from __future__ import annotations

import difflib
import importlib
import importlib.util
from typing import Any

#: Public name -> where it lives. ``tests/test_public_names.py`` pins this table.
_PUBLIC: dict[str, str] = {
    "AmbiguousVariableError": "symtape.errors",
    "AssumptionViolated": "symtape.errors",
    "ConcreteValueError": "symtape.errors",
    "FormulaTooLargeError": "symtape.errors",
    "GradientCutWarning": "symtape.errors",
    "GradientTape": "symtape.tape.gradient_tape",
    "ImpureFunctionError": "symtape.errors",
    "Problem": "symtape.optimize.problem",
    "SymbolicTruthError": "symtape.errors",
    "Tensor": "symtape.tape.tensor",
    "Variable": "symtape.tape.variable",
    "__version__": "symtape.versions",
    "between": "symtape.optimize.constraints",
    "black_box": "symtape.tape.black_boxes",
    "check_gradients": "symtape.testing",
    "cond": "symtape.tape.branch",
    "constant": "symtape.tape.variable",
    "curve_fit": "symtape.optimize.fitting",
    "custom_gradient": "symtape.tape.custom",
    "custom_jvp": "symtape.tape.own_rules",
    "custom_vjp": "symtape.tape.own_rules",
    "errors": "symtape.errors",
    "from_sympy": "symtape.tape.sympy_door",
    "full": "symtape.tape.filled",
    "function": "symtape.tape.compiled",
    "grad": "symtape.tape.transforms",
    "hessian": "symtape.tape.jacobians",
    "hvp": "symtape.tape.transforms",
    "jacfwd": "symtape.tape.jacobians",
    "jacobian": "symtape.tape.jacobians",
    "jacrev": "symtape.tape.jacobians",
    "jit": "symtape.tape.compiled",
    "jvp": "symtape.tape.transforms",
    "least_squares": "symtape.optimize.fitting",
    "linalg": "symtape.tape.functions",
    "load": "symtape.tape.compiled",
    "minimize": "symtape.optimize.problem",
    "register_elementwise": "symtape.tape.own_elementwise",
    "save": "symtape.tape.compiled",
    "show_versions": "symtape.versions",
    "special": "symtape.tape.functions",
    "stack": "symtape.tape.functions",
    "stats": "symtape.tape.functions",
    "stop_gradient": "symtape.tape.custom",
    "symbol": "symtape.tape.variable",
    "symbols": "symtape.tape.variable",
    "value_and_grad": "symtape.tape.transforms",
    "vjp": "symtape.tape.transforms",
    "vmap": "symtape.tape.vectorize",
    "where": "symtape.tape.functions",
    "zeros": "symtape.tape.filled",
}

#: TensorFlow's and PyTorch's names for what NumPy calls otherwise.
_NUMPY_SPELLING: dict[str, str] = {
    "cast": "astype",
    "concat": "concatenate",
    "divide_no_nan": "divide",
    "gather": "take",
    "matvec": "matmul",
    "mm": "matmul",
    "norm": "linalg.norm",
    "pow": "power",
    "range": "arange",
    "reduce_all": "all",
    "reduce_any": "any",
    "reduce_max": "max",
    "reduce_mean": "mean",
    "reduce_min": "min",
    "reduce_prod": "prod",
    "reduce_std": "std",
    "reduce_sum": "sum",
    "reduce_variance": "var",
    "tensor_scatter_nd_update": "put_along_axis",
    "unsqueeze": "expand_dims",
}

__all__ = sorted(_PUBLIC)  # noqa: PLE0605 (built from the table)


def __getattr__(name: str) -> Any:
    module = _PUBLIC.get(name)
    if module is None:
        raise AttributeError(f"module 'symtape' has no attribute {name!r}{_hint(name)}")
    loaded = importlib.import_module(module)
    value = loaded if module == f"{__name__}.{name}" else getattr(loaded, name)
    globals()[name] = value
    return value


def _hint(name: str) -> str:
    """What to write instead: our word for it, NumPy's or SciPy's name for it, or a public name that is near."""
    if name.startswith("_") or importlib.util.find_spec(f"{__name__}.{name}") is not None:
        return ""  # Python asks for the modules of the package, too, before it loads them
    ours = importlib.import_module("symtape.tape.foreign_names").in_package(name)
    if ours is not None:
        return f"; here it is {ours}"
    numpy = importlib.import_module("numpy")
    numpy_name = _NUMPY_SPELLING.get(name, name)
    root = numpy_name.partition(".")[0]
    if hasattr(numpy, root):
        return f"; NumPy's functions record themselves on tensors: write np.{numpy_name}"
    for offered in ("special", "linalg", "stats"):
        if name in dir(__getattr__(offered)):
            return f"; write st.{offered}.{name}"
    near = difflib.get_close_matches(name, _PUBLIC, n=3)
    return f"; did you mean {', '.join(near)}?" if near else ""


def __dir__() -> list[str]:
    return __all__
