"""The function that `st.function` gives: a compiled graph behind the call that its user would write.

Arrays in, arrays out (Python numbers for shape ()); with tensors among the arguments the graph is done again on them,
so that tapes see it. The program is compiled at the first call that needs it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final

import numpy as np

from symtape.compile.cards import remember
from symtape.compile.numba_link import numba_function
from symtape.compile.options import Options
from symtape.compile.program import Program
from symtape.compile.runnable import Runnable
from symtape.errors import ShapeError
from symtape.graph.node import Array
from symtape.graph.quantities import without_units
from symtape.graph.shapes import is_known
from symtape.tape.bind_lengths import bound, lengths
from symtape.tape.function_form import Computation, Form
from symtape.tape.replay import assume, replay
from symtape.tape.tensor import Tensor, lift

#: Types of arguments that go to the program as they are.
_PLAIN: Final = frozenset({np.ndarray, float, int, np.float64})


class CompiledFunction:
    """A compiled function of arrays.

    Made by `symtape.function` or `symtape.load`, never by calling this class.

    Parameters
    ----------
    form : Form
    computation : Computation or callable
        What is computed, or a function that makes it when it is first needed.
    options : Options
    saved : bytes, optional
        The file that the function was loaded from.
    ready : Runnable, optional
        Its program, if the cache has it.
    """

    def __init__(
        self,
        form: Form,
        computation: Computation | Callable[[], Computation],
        options: Options,
        saved: bytes | None = None,
        ready: Runnable | None = None,
    ) -> None:
        self.form = form
        self.options = options
        self._source = computation
        self._saved = saved
        self._programs: dict[tuple[Any, ...], Program] = {}
        children = form.arguments.children
        self._flat = not form.arguments.keys and all(c.kind is None for c in children)
        self._program: Runnable | None = ready
        self._fast: Any = ready.numbers if ready is not None and self._flat else None
        if ready is not None:
            self._shapes: list[Any] = [shape for _, shape, _ in ready.plan.inputs]
        else:
            self._shapes = [node.shape for node in self.computation.inputs]
        self._known = all(is_known(shape) for shape in self._shapes)
        self._scalar = bool(self._shapes) and all(shape == () for shape in self._shapes)
        self._finish: Any = form.rebuild if form.fixed or not form.results.size else form.results.builder()

    @property
    def computation(self) -> Computation:
        """What the function computes."""
        if not isinstance(self._source, Computation):
            self._source = self._source()
        return self._source

    # ------------------------------------------------------------------------------------------------- calls

    def __call__(self, *args: Any, out: Any = None, **kwargs: Any) -> Any:
        """Compute the outputs.

        Parameters
        ----------
        *args
            One per input, nested as the inputs were given. With scalar inputs only, arrays broadcast.
        out : ndarray or nested structure of them, optional
            Where the results go; None in it asks for a fresh array.

        Returns
        -------
        array, float, or nested structure
            As the outputs were given.
        """
        fast = self._fast
        if fast is None or out is not None or kwargs:
            return self._general(args, kwargs, out)
        if not _PLAIN.issuperset(map(type, args)):
            return self._general(args, kwargs, out)
        try:
            return self._finish(fast(*args))
        except ShapeError:
            if not self._scalar:
                raise
        return self._general(args, kwargs, out)  # scalar inputs broadcast

    def _general(self, args: Sequence[Any], kwargs: dict[str, Any], out: Any) -> Any:
        values = self._matched(args, kwargs)
        if any(isinstance(v, Tensor) for v in values):
            if out is not None:
                raise TypeError(
                    "out= takes arrays, and there are tensors among the arguments: their results are tensors"
                )
            return self._replayed(values)
        arrays = [np.asarray(without_units(v)) for v in values]
        if any(a.dtype == object for a in arrays):
            return self._replayed([lift(v) for v in values])
        targets = None if out is None else self._targets(out)
        if self._scalar and any(a.ndim for a in arrays):
            results = self._broadcast(arrays, None, False)
            return self.form.rebuild(results if targets is None else _written(results, targets))
        program = self._program_for(arrays)
        if targets is None:
            return self._finish(program.numbers(*arrays))
        return self.form.rebuild(program(*arrays, out=targets))

    def _matched(self, args: Sequence[Any], kwargs: dict[str, Any]) -> list[Any]:
        names = self.form.names
        top = self.form.arguments
        if top.keys:
            return top.match(args[0] if len(args) == 1 and not kwargs else kwargs, "the arguments")
        if kwargs:
            unknown = sorted(set(kwargs) - set(names))
            if unknown or not self._flat:
                raise TypeError(
                    f"the function has no argument {', '.join(unknown or kwargs)}; its inputs are {', '.join(names)}"
                )
            rest = names[len(args) :]
            if set(rest) != set(kwargs):
                raise TypeError(
                    f"the function takes {', '.join(names)}, got {len(args)} positional and {', '.join(kwargs)}"
                )
            args = [*args, *[kwargs[name] for name in rest]]
        if len(args) != len(top.children):
            raise TypeError(f"the function takes {len(top.children)} inputs ({', '.join(names)}), got {len(args)}")
        return top.match(list(args), "the arguments")

    def _targets(self, out: Any) -> list[Array | None]:
        if self.form.results.kind is None:
            return [out]
        found = self.form.results.match(out, "out")
        return [t for k, t in enumerate(found) if k not in self.form.fixed]

    def _replayed(self, values: Sequence[Any]) -> Any:
        s = self.computation
        tensors = [lift(v) for v in values]
        for node, tensor, name in zip(s.inputs, tensors, self.form.names, strict=True):
            if is_known(node.shape) and tensor.node.shape != node.shape:
                raise ShapeError(f"the input {name!r} has shape {tensor.node.shape}, wanted {node.shape}")
        given = dict(zip(s.inputs, tensors, strict=True))
        assume(s.decisions, given)
        return self.form.rebuild(replay(s.outputs, given))

    # ------------------------------------------------------------------------------------------------- programs

    def _program_for(self, arrays: Sequence[Array]) -> Runnable:
        """The program for the shapes of these arrays."""
        if not self._known:
            return self._bound([a.shape for a in arrays])
        if self._program is None:
            self._program = self._made()
            self._fast = self._program.numbers if self._flat else None
        return self._program

    def _made(self) -> Program:
        """The program, from the graph."""
        s = self.computation
        program = Program(s.inputs, s.outputs, guards=s.guards, options=self.options)
        if self._saved is not None:
            remember(self._saved, program)
        return program

    def _bound(self, shapes: Sequence[tuple[int, ...]]) -> Program:
        key = tuple(shapes)
        found = self._programs.get(key)
        if found is None:
            s = self.computation
            known: dict[str, int] = {}
            for node, shape, name in zip(s.inputs, shapes, self.form.names, strict=True):
                lengths(f"the input {name!r}", node.shape, shape, known)
            conditions = [node for node, _, _ in s.guards]
            inputs, nodes = bound(s.inputs, [*s.outputs, *conditions], known)
            checks = [
                (node, value, text) for node, (_, value, text) in zip(nodes[len(s.outputs) :], s.guards, strict=True)
            ]
            found = Program(inputs, nodes[: len(s.outputs)], guards=checks, options=self.options)
            self._programs[key] = found
        return found

    @property
    def ir(self) -> str:
        """The program in LLVM's text form."""
        return self._one_program("its text form").ir

    @property
    def numba(self) -> Any:
        """The function for calls from compiled code of numba.

        Takes the inputs one by one, numbers for shape () and arrays otherwise, and returns the results likewise: one
        value, or a tuple of them. A small function is inlined into its caller.

        Examples
        --------
        >>> import numba, symtape as st
        >>> x = st.symbol("x")
        >>> fast = st.function([x], x**2).numba
        >>> numba.njit(lambda n: fast(n) + 1.0)(3.0)
        10.0
        """
        program = self._one_program("a function for numba")
        single = self.form.results.kind is None
        return numba_function(program, list(self.form.names), single=single)

    def _one_program(self, what: str) -> Program:
        if not self._known:
            raise ShapeError(f"{what} needs known shapes, and the inputs have named lengths: {self!r}")
        if not isinstance(self._program, Program):  # not made yet, or recalled without its graph
            self._program = self._made()
            self._fast = self._program.numbers if self._flat else None
        return self._program

    # ------------------------------------------------------------------------------------------------- batches

    def batch(self, *args: Any, threads: int | None = None, on_violation: str = "raise") -> Any:
        """The function over leading axes of its inputs, on all cores.

        Parameters
        ----------
        *args
            An input of its declared rank is shared by all points; the leading axes of those of higher rank are
            broadcast against each other.
        threads : int, optional
            By default as many as the process may use, where it pays.
        on_violation : {"raise", "nan"}
            What happens where an input does not take the branches that were taken when the function was recorded: an
            error that names the row, or NaN in the results of that row.

        Returns
        -------
        array or nested structure of arrays
            Results with the batch's axes in front.

        Examples
        --------
        >>> import numpy as np, symtape as st
        >>> v = st.symbol("v", shape=(2,))
        >>> st.function([v], np.sum(v**2)).batch(np.array([[3.0, 4.0], [1.0, 0.0]]))
        array([25.,  1.])
        """
        if on_violation not in ("raise", "nan"):
            raise ValueError(f"on_violation is 'raise' or 'nan', got {on_violation!r}")
        arrays = [np.asarray(without_units(v)) for v in self._matched(args, {})]
        return self.form.rebuild(self._broadcast(arrays, threads, on_violation == "nan"))

    def _broadcast(self, arrays: Sequence[Array], threads: int | None, nan_rows: bool) -> list[Any]:
        """Results over the batch axes of the arrays."""
        own = [len(shape) for shape in self._shapes]
        for a, rank, shape, name in zip(arrays, own, self._shapes, self.form.names, strict=True):
            if a.ndim < rank or (is_known(shape) and a.shape[a.ndim - rank :] != shape):
                raise ShapeError(f"the input {name!r} has shape {a.shape}, wanted {shape} behind the axes of the batch")
        leads = [a.shape[: a.ndim - rank] for a, rank in zip(arrays, own, strict=True)]
        try:
            lead = np.broadcast_shapes(*leads)
        except ValueError as error:
            raise ShapeError(f"the axes of the batch do not fit together: {', '.join(map(str, leads))}") from error
        count = int(np.prod(lead, dtype=np.int64))
        laid = []
        for a, first in zip(arrays, leads, strict=True):
            if first:
                shape = a.shape[len(first) :]
                whole = (
                    a
                    if first == lead
                    else np.broadcast_to(a, lead + shape)
                    if len(first) == len(lead)
                    else _lined_up(a, first, lead)
                )
                laid.append(whole.reshape((count, *shape)))
            else:
                laid.append(a)
        shapes = [a.shape[len(first) :] for a, first in zip(arrays, leads, strict=True)]
        program = self._program_for(()) if self._known else self._bound(shapes)
        results = program.rows(laid, count, threads=threads, nan_rows=nan_rows)
        return [r.reshape(lead + r.shape[1:]) for r in results]

    # ------------------------------------------------------------------------------------------------- everyday

    def __reduce__(self) -> tuple[Any, ...]:
        return restore, (self.computation, self.form, self.options)

    def remember_as(self, content: bytes) -> None:
        """Let the cache find the program by the bytes that the function was saved as."""
        if isinstance(self._program, Program):
            remember(content, self._program)

    def __repr__(self) -> str:
        if isinstance(self._program, Runnable):
            types = [(shape, dtype) for _, shape, dtype in self._program.plan.inputs], self._program.plan.outputs
        else:
            s = self.computation
            types = [(n.shape, n.dtype) for n in s.inputs], tuple((n.shape, n.dtype) for n in s.outputs)  # type: ignore[misc]
        inputs = ", ".join(f"{name}: {_type(*t)}" for name, t in zip(self.form.names, types[0], strict=True))
        return f"<st.function ({inputs}) -> {', '.join(_type(*t) for t in types[1])}>"


def restore(computation: Computation, form: Form, options: Options) -> CompiledFunction:
    """A function from a pickle."""
    return CompiledFunction(form, computation, options)


def _lined_up(a: Array, first: tuple[int, ...], lead: tuple[int, ...]) -> Array:
    """An array over the whole batch, whose own batch axes are the last ones of it."""
    shape = a.shape[len(first) :]
    return np.broadcast_to(a.reshape((*[1] * (len(lead) - len(first)), *first, *shape)), lead + shape)


def _type(shape: Any, dtype: Any) -> str:
    return f"{dtype}[{', '.join(map(str, shape))}]"


def _written(results: Sequence[Array], targets: Sequence[Array | None]) -> list[Array]:
    found: list[Array] = []
    for k, (result, target) in enumerate(zip(results, targets, strict=True)):
        if target is None:
            found.append(result)
            continue
        if target.shape != result.shape:
            raise ShapeError(f"out[{k}] has shape {target.shape}, wanted {result.shape}")
        target[...] = result
        found.append(target)
    return found
