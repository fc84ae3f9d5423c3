"""Black boxes: Python functions of arrays, with derivatives that their authors state, as operations of the graph.

The function may be a simulation, a table, a routine of another language: nothing in it is recorded. It is one
operation, which evaluation calls and compiled code calls back.
"""

from __future__ import annotations

import functools
import sys
import types
import warnings
from collections.abc import Callable, Mapping, Sequence
from typing import Any, overload

from symtape.compile.evaluate import remember
from symtape.errors import SlowCallbackWarning, UnknownNameError
from symtape.graph.node import LEAF, Node
from symtape.graph.source import describe, line_number, user_frame
from symtape.graph.traverse import leaves, substitute
from symtape.ops.op import Op
from symtape.ops.opaque import Routine
from symtape.ops.opaque_params import NUMBER, Arguments, filled, input_places, moving
from symtape.ops.opaque_rules import Rule, bare, directions, entries, gradients
from symtape.tape.black_box_calls import bind, checked_rule, declared, has_tensor, seen
from symtape.tape.callable_arguments import Spec
from symtape.tape.record_callable import record
from symtape.tape.recording import nothing_recording
from symtape.tape.tensor import TENSORS, Tensor, apply, lift

_FILE_NAME = "black box"  # how the names of black boxes begin in files


class BlackBox:
    """A Python function of arrays as an operation; see `black_box`."""

    def __init__(
        self,
        function: Callable[..., Any],
        vjp: Callable[..., Any] | None,
        jvp: Callable[..., Any] | None,
        recorded_rules: bool,
        shape: Any,
        name: str | None,
    ) -> None:
        functools.update_wrapper(self, function)
        self.function = function
        self.shape = shape
        self.label = name or str(getattr(function, "__name__", type(function).__name__))
        if name is not None or getattr(self, "__qualname__", None) is None:
            self.__qualname__, self.__module__ = self.label, str(user_frame(3).f_globals.get("__name__"))
        self._told = False

        def rule(given: Callable[..., Any] | None, part: str) -> Rule | None:
            recorded = recorded_rules or isinstance(given, BlackBox)
            return None if given is None else _rule(given, part, self.label, recorded)

        self._routine = Routine(self.label, self, self._call, rule(vjp, "vjp"), rule(jvp, "jvp"), self._warn)

    def _call(self, args: Sequence[Any], kwargs: dict[str, Any]) -> Any:
        with nothing_recording():
            return self.function(*args, **kwargs)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """The function's result; with a tensor among the arguments, one operation on it."""
        if not has_tensor(args, kwargs):
            return self.function(*args, **kwargs)
        return self._recorded(args, kwargs, self.shape)

    def as_rule(self, shapes: Sequence[Any]) -> Callable[..., Any]:
        """The box as a rule, which returns arrays of shapes that are known."""
        if self.shape is not None or not shapes:
            return self
        shape = shapes[0] if len(shapes) == 1 else list(shapes)
        return lambda *args, **kwargs: self._recorded(args, kwargs, shape)

    def _recorded(self, args: Sequence[Any], kwargs: Mapping[str, Any], shape: Any) -> Any:
        bound = bind(self.label, self.function, args, kwargs)
        value = None
        if shape is None:
            results, several, value = seen(self.label, self._call, bound)
        else:
            results, several = declared(self.label, shape, bound)
        op = self._routine.ops["one" if len(results) == 1 else "several"]
        out = apply(op, bound.inputs, (bound.arguments, results, ()))
        if value is not None:
            node = out.node if len(results) == 1 else out[0].node.inputs[0]
            remember(node, value[0] if len(results) == 1 else value)
        return (out,) if several and len(results) == 1 else out

    def __get__(self, instance: Any, owner: type | None = None) -> Any:
        return self if instance is None else types.MethodType(self, instance)

    def __repr__(self) -> str:
        return f"<black box {self.label}>"

    def _warn(self, node: Node) -> None:
        """Say once that compiled code calls back; a warning raised as an error is raised again the next time."""
        if self._told:
            return
        code = node.code
        assert code is not None
        warnings.warn_explicit(
            f"{self.label} is a black box: compiled code calls back into Python for it, which is slow there "
            f"({describe(code, node.lasti)})",
            SlowCallbackWarning,
            code.co_filename,
            line_number(code, node.lasti),
        )
        self._told = True

    # ---- copies, pickles and files

    def __copy__(self) -> BlackBox:
        return self

    def __deepcopy__(self, memo: dict[int, Any]) -> BlackBox:
        return self

    def __reduce__(self) -> str:
        return self._home()[1]

    def reduce(self, part: str) -> tuple[Any, ...]:
        """How the op of a part is pickled."""
        return op_of, (self, part)

    def file_name(self, part: str) -> str:
        """What stands for the op of a part in files."""
        return " ".join((_FILE_NAME, part, *self._home()))

    def _home(self) -> tuple[str, str]:
        """Module and name by which others find this black box.

        Raises
        ------
        TypeError
            If they would not find it.
        """
        module, name = self.__module__, self.__qualname__
        if find(module, name) is not self:
            raise TypeError(
                f"the black box {self.label} cannot be saved or pickled: nobody would find it as {name!r} in the "
                f"module {module!r}; define it with @st.black_box at the top of a module"
            )
        return module, name


def find(module: str, name: str) -> Any:
    """What stands under a name in a module that has been imported; nothing is imported or run to find it."""
    found: Any = sys.modules.get(module)
    for part in name.split("."):
        found = None if found is None else vars(found).get(part) if hasattr(found, "__dict__") else None
    return found


def op_of(box: BlackBox, part: str) -> Op:
    """The op of a part of a black box."""
    return box._routine.ops[part]  # noqa: SLF001 (of this module)


def op_in_file(name: str) -> Op | None:
    """The op that a name in a file stands for; None if it is that of no black box.

    Raises
    ------
    UnknownNameError
        If the black box does not exist in this process.
    """
    if not name.startswith(f"{_FILE_NAME} "):
        return None
    part, module, qualified = [*name.removeprefix(f"{_FILE_NAME} ").split(" "), "", ""][:3]
    box = find(module, qualified)
    if not isinstance(box, BlackBox) or part not in box._routine.ops:  # noqa: SLF001 (of this module)
        raise UnknownNameError(
            f"the file calls the black box {qualified!r} of the module {module!r}, which does not exist here: import "
            f"{module} first, if you trust the file to call it"
        )
    return op_of(box, part)


# --------------------------------------------------------------------------------------------------------------- rules


def _rule(function: Callable[..., Any], part: str, label: str, recorded: bool) -> Rule:
    if not callable(function):
        raise TypeError(f"the {part} of {label} is no function: {function!r}")

    def apart(*args: Any, **kwargs: Any) -> Any:
        with nothing_recording():
            return function(*args, **kwargs)

    return Rule(apart, functools.partial(_record_rule, function, part, label) if recorded else None)


def _record_rule(
    function: Callable[..., Any],
    part: str,
    label: str,
    slots: Sequence[Node],
    ys: Sequence[Node],
    xs: Sequence[Any],
    arguments: Arguments,
) -> list[Node]:
    """What a rule does to nodes: one gradient for each input that can move, or one tangent for each result."""
    by = f"the {part} of {label}"
    places = input_places(arguments)
    free = moving(arguments, [x.dtype if p != NUMBER else None for x, p in zip(xs, places, strict=True)])
    nodes = [*slots, *ys, *[x for x, p in zip(xs, places, strict=True) if p != NUMBER]]
    wanted = [xs[k] for k in free] if part == "vjp" else list(ys)
    if isinstance(function, BlackBox) and len(wanted) == (len(arguments[0]) if part == "vjp" else len(ys)):
        function = function.as_rule([Spec(n.shape, n.dtype) for n in wanted])

    def run(*tensors: Tensor) -> list[Tensor]:
        inner = iter(tensors[len(slots) + len(ys) :])
        args, kwargs = filled(arguments, [x if p == NUMBER else next(inner) for x, p in zip(xs, places, strict=True)])
        given, y = tensors[: len(slots)], bare(tensors[len(slots) : len(slots) + len(ys)])
        if part == "vjp":
            found = gradients(function(bare(given), y, *args, **kwargs), arguments, free, label)
        else:
            returned = function(directions(arguments, xs, free, given), y, *args, **kwargs)
            found = entries(returned, len(ys), len(ys), by, f"a tangent for each of the {len(ys)} results")
        return [_fitted(g, node, by) for g, node in zip(found, wanted, strict=True)]

    recorded = record(run, [Spec(n.shape, n.dtype) for n in nodes], by=by, pure=False, names=_rule_names(nodes))
    given = dict(zip(recorded.inputs, nodes, strict=True))
    outside = next((n for n in leaves(recorded.outputs) if n.op is LEAF and n not in given), None)
    if outside is not None:
        raise TypeError(f"{by} uses {outside!r} from outside: make it an argument of {label}")
    return list(substitute(recorded.outputs, given))


def _rule_names(nodes: Sequence[Node]) -> list[str]:
    return [f"x{k}" for k in range(len(nodes))]


def _fitted(found: Any, node: Node, by: str) -> Tensor:
    if found is None:
        zeros: Tensor = TENSORS.zeros(node.shape, node.dtype)
        return zeros
    given = checked_rule(lift(found), node, by)
    return given if given.dtype == node.dtype else TENSORS.astype(given, node.dtype)


# ---------------------------------------------------------------------------------------------------------- the public


@overload
def black_box(
    function: Callable[..., Any],
    *,
    vjp: Callable[..., Any] | None = None,
    jvp: Callable[..., Any] | None = None,
    recorded_rules: bool = False,
    shape: Any = None,
    name: str | None = None,
) -> BlackBox: ...
@overload
def black_box(
    function: None = None,
    *,
    vjp: Callable[..., Any] | None = None,
    jvp: Callable[..., Any] | None = None,
    recorded_rules: bool = False,
    shape: Any = None,
    name: str | None = None,
) -> Callable[[Callable[..., Any]], BlackBox]: ...
def black_box(
    function: Callable[..., Any] | None = None,
    *,
    vjp: Callable[..., Any] | None = None,
    jvp: Callable[..., Any] | None = None,
    recorded_rules: bool = False,
    shape: Any = None,
    name: str | None = None,
) -> BlackBox | Callable[[Callable[..., Any]], BlackBox]:
    """Make a Python function of arrays an operation of the graph, with derivatives that you state.

    Parameters
    ----------
    function : callable
        Gets NumPy arrays (scalars of NumPy for shape ()) and returns an array of any shape, or a tuple of several.
        It must be pure: of equal arguments it returns equal results, and all that it depends on is among them. Python
        numbers, text and whatever else is no array reaches it as it is.
    vjp : callable, optional
        ``vjp(g, y, *args)`` with the gradient ``g`` of the result, the result ``y`` and the arguments, defaults
        included; returns one gradient for each argument, None for one without. For a function with several results
        ``g`` and ``y`` are tuples.
    jvp : callable, optional
        ``jvp(tangents, y, *args)`` with a list of one tangent for each argument, None for one that is no float; returns
        the tangent of the result. One of the two rules suffices: the other is made of it, by calling it once for each
        element of a result (or of the arguments).
    recorded_rules : bool
        How the rules are written. False: they are black boxes as the function is, get arrays and return arrays, and a
        second derivative is refused. True: they are written with functions that record, get tensors and return tensors,
        so there are derivatives of any order. A rule that is a black box itself, with rules of its own, counts as
        recorded.
    shape : tuple, array, list or callable, optional
        Of the result: lengths (of float64), an array like it (``np.empty(3, np.float32)``), a list of these for
        several results, or a function that gets the arguments, of which it may use shapes and dtypes, and returns one
        of these. Without it the function is called once to see, when it is recorded.
    name : str, optional
        For formulas and messages; the function's own by default.

    Returns
    -------
    callable
        With tensors among the arguments, one operation; else the call of the function itself.

    Warns
    -----
    SlowCallbackWarning
        Once, when it is compiled: compiled code calls back into Python.

    Examples
    --------
    >>> import numpy as np, symtape as st
    >>> def slope(g, y, x):
    ...     return g * np.cos(x)
    >>> @st.black_box(vjp=slope)
    ... def wave(x):
    ...     return np.sin(x)
    >>> x = st.Variable([0.0, 1.0], name="x")
    >>> with st.GradientTape() as tape:
    ...     y = np.sum(wave(x) ** 2)
    >>> tape.gradient(y, x).numpy()
    array([0.        , 0.90929743])
    >>> y.formula()
    t0 = wave(x)
    t1 = t0 ** 2
    result = sum(t1)

    A rule that records has derivatives of its own:

    >>> wave = st.black_box(np.sin, vjp=slope, recorded_rules=True, shape=())
    >>> round(st.grad(st.grad(wave))(0.5), 6)
    -0.479426
    """
    if function is None:
        return functools.partial(black_box, vjp=vjp, jvp=jvp, recorded_rules=recorded_rules, shape=shape, name=name)
    if not callable(function):
        raise TypeError(f"st.black_box makes a function an operation, got {function!r}; rules are given by keyword")
    return BlackBox(function, vjp, jvp, recorded_rules, shape, name)
