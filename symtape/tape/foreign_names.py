"""What people type by habit from other packages, and what it is here: for the errors that say that it is not there.

Two tables: names asked of the package, ``st.lambdify``, and names asked of a tensor, ``x.backward``. What is NumPy's
under the same or another name, and what is SciPy's special functions, needs no entry.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

_ONE_GRADIENT = "tape.gradient(z, x) of tensors, st.grad(f) of a function"
_EXPRESSION = "sympy.{name}(z), which takes tensors, or z.expr"
_LOOP = "a loop of Python's, which is unrolled, or np.cumsum and np.cumprod"
_FIT = 'st.curve_fit(f, x, y, p0={"a": 1.0}), where parameters are the arguments of f'

#: Names that other packages have for themselves, to what one writes here. ``{name}`` stands for the name.
IN_PACKAGE: Final[Mapping[str, str]] = {
    # TensorFlow, PyTorch
    **dict.fromkeys(("convert_to_tensor", "as_tensor", "tensor", "array"), "st.constant(value)"),
    "placeholder": "st.symbol(name, shape)",
    "Parameter": "st.Variable(value)",
    "identity": "the tensor itself",
    "no_grad": "`with tape.stop_recording():`, or st.stop_gradient(x)",
    "math": "NumPy's functions: np.sin(x)",
    "nn": "NumPy's functions and st.special: np.maximum(x, 0), st.special.softmax(x)",
    "relu": "np.maximum(x, 0)",
    "softplus": "np.logaddexp(x, 0)",
    "sigmoid": "st.special.expit(x)",
    "one_hot": "np.eye(n)[indices]",
    "clip_by_value": "np.clip(x, low, high)",
    "boolean_mask": "x[mask]",
    "map_fn": "st.vmap(f)(x)",
    "vectorized_map": "st.vmap(f)(x)",
    **dict.fromkeys(("py_function", "numpy_function", "pure_callback", "primitive"), "st.black_box(f, vjp=...)"),
    **dict.fromkeys(("keras", "optim", "optimizers"), "st.minimize(loss, [x])"),
    # JAX, autograd
    **dict.fromkeys(("tf", "jnp", "numpy", "anp"), "NumPy itself: its functions record on tensors"),
    "lax": "st.cond, np.where, and loops of Python's",
    **dict.fromkeys(("scan", "fori_loop", "while_loop"), _LOOP),
    **dict.fromkeys(("tree", "tree_util", "tree_map"), "left out: arguments and results nest as they are"),
    "elementwise_grad": "st.vmap(st.grad(f))",
    "linearize": "st.jvp(f, (x,), (t,))",
    "make_jaxpr": 'f(st.symbol("x")).formula("named")',
    "checkpoint": "the function itself: there is no memory to trade",
    "value_and_gradient": "st.value_and_grad(f)",
    "random": "numpy.random, outside of what is recorded: hand the numbers in",
    # SymPy
    "Symbol": "st.symbol(name)",
    **dict.fromkeys(("gradient", "diff", "derivative", "Derivative"), _ONE_GRADIENT),
    "lambdify": "st.function([x, y], z)",
    **dict.fromkeys(("simplify", "factor", "expand", "latex", "integrate", "series", "limit", "solve"), _EXPRESSION),
    "nsolve": "st.least_squares(f, x0)",
    "Matrix": "st.constant(rows), and st.stack for a matrix of tensors",
    **dict.fromkeys(("MatrixSymbol", "IndexedBase"), "st.symbol(name, shape)"),
    "Piecewise": "np.where(condition, a, b)",
    "Function": "st.function([x, y], z), or st.black_box for a function of which nothing is known",
    # CasADi
    **dict.fromkeys(("MX", "SX"), "st.symbol(name, shape)"),
    "if_else": "np.where(condition, a, b)",
    "mtimes": "a @ b",
    **dict.fromkeys(("horzcat", "vertcat"), "st.stack for scalars, np.hstack and np.vstack for arrays"),
    "sumsqr": "np.sum(x**2)",
    **dict.fromkeys(("nlpsol", "qpsol", "Opti"), "st.minimize(f, [x], subject_to=[...]), or st.Problem"),
    "rootfinder": "st.least_squares(f, x0)",
    # lmfit
    **dict.fromkeys(("Model", "Parameters", "fit"), _FIT),
}

_TAPE = "tape.gradient(z, x), where z was computed inside of `with st.GradientTape() as tape:`"
_VARIABLE = (
    "a method of variables, and this tensor was computed: x += 1 binds the name to another tensor, x.assign_add(1) "
    "changes the variable"
)
_METHOD = "sympy.{name}(x), or x.expr.{name}()"

#: Names that other packages' tensors and expressions have.
IN_TENSOR: Final[Mapping[str, str]] = {
    **dict.fromkeys(("backward", "grad", "gradient", "jacobian", "hessian"), _TAPE),
    "requires_grad": "x.trainable of a variable; anything else is followed after tape.watch(x)",
    "detach": "st.stop_gradient(x), or x.numpy() for the numbers",
    "clone": "x.copy()",
    **dict.fromkeys(("cpu", "cuda", "to", "block_until_ready"), "left out: there is one place for tensors"),
    "get_shape": "x.shape",
    "dim": "x.ndim",
    "numel": "x.size",
    **dict.fromkeys(("assign", "assign_add", "assign_sub", "trainable"), _VARIABLE),
    **dict.fromkeys(("evalf", "n", "evaluate"), "x.eval({symbol: value}), or x.expr.evalf()"),
    **dict.fromkeys(("simplify", "factor", "expand", "series", "limit", "integrate"), _METHOD),
    **dict.fromkeys(("args", "atoms", "func", "has", "replace", "xreplace", "doit", "coeff"), "x.expr.{name}"),
    "lambdify": "st.function([symbol], x)",
}


def in_package(name: str) -> str | None:
    """What ``st.name`` is here; None if that is not known."""
    found = IN_PACKAGE.get(name)
    return None if found is None else found.replace("{name}", name)


def in_tensor(name: str) -> str | None:
    """What ``x.name`` is here, of a tensor; None if that is not known."""
    found = IN_TENSOR.get(name)
    return None if found is None else found.replace("{name}", name)
