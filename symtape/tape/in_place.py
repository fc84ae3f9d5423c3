"""Writing into arrays: what a tensor refuses, and the tensors that may be filled.

A tensor made fresh (`np.zeros_like` and its kin, ``x.copy()``, `st.zeros`) may be filled: ``t[i] = v`` is
``t.at[i].set(v)``, kept under the name ``t``. What was computed from it before keeps the elements that it had then.
What NumPy would read through a slice of it later is read through here too; what NumPy would *write* through a slice,
a transpose or a reshape of another array is refused, since that array is an expression that does not change.
"""

from __future__ import annotations

import functools
import operator
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, cast

import numpy as np

from symtape.errors import ShapeError
from symtape.graph.node import next_ident
from symtape.graph.shapes import Shape, broadcast_two
from symtape.tape.numpy_protocol import call_function, call_ufunc, full_name
from symtape.tape.numpy_remedies import UPDATES
from symtape.tape.recording import refuse_change
from symtape.tape.tensor import TENSORS, Tensor, is_part, lift

#: Functions whose result NumPy would let one write into without changing anything else.
FRESH = frozenset(f"numpy.{name}" for name in ("zeros_like", "ones_like", "empty_like", "full_like", "copy"))

#: Functions of NumPy whose result shares memory with their first argument.
VIEWS = frozenset(
    f"numpy.{name}"
    for name in (
        *("reshape", "ravel", "transpose", "permute_dims", "matrix_transpose", "swapaxes", "moveaxis", "rollaxis"),
        *("squeeze", "expand_dims", "atleast_1d", "atleast_2d", "atleast_3d", "broadcast_to", "flip", "fliplr"),
        *("flipud", "rot90", "diagonal", "real", "split", "array_split", "hsplit", "vsplit", "dsplit", "unstack"),
        "lib.stride_tricks.sliding_window_view",
    )
)
_VIEW_METHODS = ("reshape", "ravel", "transpose", "swapaxes", "squeeze", "diagonal")
_VIEW_PROPERTIES = ("T", "mT", "real")

#: Functions that write into their first argument, to the function of the namespace that gives the result.
WRITERS = {
    "numpy.put_along_axis": "with_along_axis",
    "numpy.fill_diagonal": "with_diagonal",
    "numpy.put": "with_put",
    "numpy.putmask": "with_mask",
    "numpy.place": "with_placed",
    "numpy.copyto": "with_copied",
}


class _Indirect(Tensor):
    """A tensor that stands for another one: for the one that `read` gives at the moment."""

    __slots__ = ()

    fills: ClassVar[bool] = True

    if TYPE_CHECKING:  # what its kinds supply

        def read(self) -> Tensor: ...
        def _part(self, make: Callable[[Tensor], Tensor], write: Callable[[Any], None] | None = None) -> Any: ...
        def _put(self, index: Any, value: Any) -> None: ...

    node = property(lambda self: self.read().node)
    ident = property(lambda self: self.read().ident)
    op = property(lambda self: self.read().op)
    params = property(lambda self: self.read().params)
    inputs = property(lambda self: self.read().inputs)
    code = property(lambda self: self.read().code)
    lasti = property(lambda self: self.read().lasti)

    @property
    def outputs(self) -> tuple[Tensor]:  # type: ignore[override]
        """The tensor that it stands for, as a record of one result."""
        return (self.read(),)

    def __getitem__(self, index: Any) -> Tensor:
        now = self.read()
        part = now[index]
        if not is_part(part):
            return part
        return cast(Tensor, self._part(lambda whole: whole[index], lambda value: self._put(index, value)))

    def __iter__(self) -> Iterator[Tensor]:
        return (self[k] for k in range(len(self)))

    def __array_function__(
        self, function: Callable[..., Any], types: Sequence[type], args: Sequence[Any], keywords: dict[str, Any]
    ) -> Any:
        name = full_name(function)
        if name in VIEWS and args and args[0] is self:

            def view(whole: Tensor) -> Any:
                return call_function(TENSORS, function, (whole, *args[1:]), keywords)

            made = view(self.read())
            if not isinstance(made, (list, tuple)):
                return self._part(view)
            return type(made)([self._part(lambda whole, k=k: view(whole)[k]) for k in range(len(made))])
        if name in WRITERS and args and args[0] is self:
            self._put(..., getattr(TENSORS, WRITERS[name])(self.read(), *args[1:], **keywords))
            return None
        return _array_function(self, function, types, args, keywords)

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **keywords: Any) -> Any:
        if method == "at" and isinstance(inputs[0], _Indirect):
            _write_at(ufunc, *inputs)
            return None
        if all(t is None or isinstance(t, _Indirect) for t in keywords.get("out") or ()):
            return _write_out(ufunc, method, inputs, **keywords)
        return super().__array_ufunc__(ufunc, method, *inputs, **keywords)


def _write_out(
    ufunc: np.ufunc, method: str, inputs: Sequence[Any], *, out: Sequence[_Indirect | None] = (), **keywords: Any
) -> Any:
    """A ufunc that writes into tensors which may be filled; where ``where`` is False they keep their elements."""
    mask = keywords.pop("where", True) if out and method == "__call__" else True
    made = call_ufunc(TENSORS, ufunc, method, inputs, keywords)
    results = list(made) if isinstance(made, tuple) else [made]
    for k, target in enumerate(out):
        if target is not None:
            new = results[k] if mask is True else TENSORS.where(mask, results[k], target.read())
            _replace(target, new, f"np.{ufunc.__name__}")
            results[k] = target
    return tuple(results) if isinstance(made, tuple) else results[0]


def _write_at(ufunc: np.ufunc, target: _Indirect, index: Any, *values: Any) -> None:
    places = target.read().at[index]
    own = UPDATES.get(ufunc.__name__) if len(values) == 1 else None
    new = places.apply(lambda old: ufunc(old, *values)) if own is None else getattr(places, own)(values[0])
    target._put(..., new)  # noqa: SLF001 (of this module)


def _fits(shape: Shape, into: Shape) -> bool:
    try:
        return broadcast_two(shape, into) == into
    except ShapeError:
        return False


def _replace(target: _Indirect, value: Any, what: str) -> None:
    """All elements anew, under NumPy's rules for results that are written into an array."""
    new = lift(value)
    if not _fits(new.shape, target.shape):
        raise ValueError(
            f"{what}: non-broadcastable output operand with shape {target.shape} doesn't match the broadcast shape "
            f"{new.shape}"
        )
    if not np.can_cast(new.dtype, target.dtype, "same_kind"):
        raise TypeError(
            f"{what}: cannot cast the result from {new.dtype} to {target.dtype}, in which the array was made; make it "
            "with dtype=float"
        )
    target._put(..., new)  # noqa: SLF001 (of this module)


class FillableTensor(_Indirect):
    """A tensor made fresh, whose elements may be set: ``t[i] = v`` is ``t.at[i].set(v)`` on this object.

    Made by `np.zeros_like`, `np.empty_like`, `np.ones_like`, `np.full_like` of a tensor, by ``x.copy()``, `st.zeros`
    and `st.full`.

    Examples
    --------
    >>> import numpy as np, symtape as st
    >>> x = st.Variable([1.0, 2.0, 3.0], name="x")
    >>> with st.GradientTape() as tape:
    ...     y = np.zeros_like(x)
    ...     y[1:] = x[:-1] ** 2
    ...     y[0] = 10 * x[2]
    >>> y.numpy(), tape.gradient(y, x).numpy()
    (array([30.,  1.,  4.]), array([ 2.,  4., 10.]))
    """

    if TYPE_CHECKING:
        __slots__ = ("_born", "_now")
        _now: Tensor
        _born: int
    else:  # slots of a tensor that are hidden here, so that a tensor can become one that may be filled
        __slots__ = ()
        _now = Tensor.__dict__["inputs"]
        _born = Tensor.__dict__["lasti"]

    def read(self) -> Tensor:
        """The tensor with the elements that it has now."""
        return self._now

    def _part(self, make: Callable[[Tensor], Tensor], write: Callable[[Any], None] | None = None) -> PartTensor:
        return _part_of(self, make, write)

    def _put(self, index: Any, value: Any) -> None:
        refuse_change(self._born, "fills a tensor")
        self._now = self._now.at[index].set(value)

    def put(self, indices: Any, values: Any, mode: str = "raise") -> None:
        """``np.put``: values at places of the flattened array."""
        self._put(..., TENSORS.with_put(self._now, indices, values, mode))

    def partition(self, kth: Any, axis: int = -1, kind: str = "introselect", order: Any = None) -> None:
        """``np.partition`` along an axis, in place."""
        self._put(..., TENSORS.partition(self._now, kth, axis, kind, order))

    def __setitem__(self, index: Any, value: Any) -> None:
        self._put(index, value)

    def fill(self, value: Any) -> None:
        """All elements become the value."""
        self._put(..., value)

    def sort(self, axis: int = -1) -> None:
        """In order along an axis, in place."""
        self._put(..., TENSORS.sort(self._now, axis))

    def __copy__(self) -> FillableTensor:
        return fillable(self._now)

    def __deepcopy__(self, memo: Any) -> FillableTensor:
        return fillable(self._now)


class PartTensor(_Indirect):
    """A slice, transpose or reshape of a `FillableTensor`: it shows what stands there now, as NumPy's views do."""

    __slots__ = ("_make", "_seen", "_shown", "_whole", "_write")

    _whole: _Indirect
    _make: Callable[[Tensor], Tensor]
    _write: Callable[[Any], None] | None
    _seen: Tensor
    _shown: Tensor

    def read(self) -> Tensor:
        """The part of what the whole is now."""
        now = self._whole.read()
        if now is not self._seen:
            self._shown = self._make(now)
            self._seen = now
        return self._shown

    def _part(self, make: Callable[[Tensor], Tensor], write: Callable[[Any], None] | None = None) -> PartTensor:
        return _part_of(self, make, write)

    def _put(self, index: Any, value: Any) -> None:
        if self._write is None:
            raise TypeError(
                "a transpose or reshape of an array cannot be written into; write into the array itself, by its own "
                "indices"
            )
        self._write(self.read().at[index].set(value))

    def __setitem__(self, index: Any, value: Any) -> None:
        raise TypeError(
            "a slice, transpose or reshape of an array cannot be changed in place: write into the array itself, "
            "a[1:][0] = v as a[1] = v, or take part.copy() first"
        )


_CARRIED = ("node", "ident", "op", "params", "inputs", "code", "lasti", "half")


def twin(tensor: Tensor) -> Tensor:
    """Another tensor of the same identity, which stays as it is when the first is written into."""
    made = object.__new__(Tensor)
    for name in _CARRIED:
        if hasattr(tensor, name):
            setattr(made, name, getattr(tensor, name))
    return made


def fillable(tensor: Tensor) -> FillableTensor:
    """A tensor of its own with these elements, which may be filled."""
    made = object.__new__(FillableTensor)
    made._now = twin(tensor) if type(tensor) is Tensor else tensor
    made._born = next_ident()
    return made


def _part_of(
    whole: _Indirect, make: Callable[[Tensor], Tensor], write: Callable[[Any], None] | None = None
) -> PartTensor:
    part = object.__new__(PartTensor)
    part._whole = whole
    part._make = make
    part._write = write
    part._seen = whole.read()
    part._shown = make(part._seen)
    return part


# --------------------------------------------------------------------------------------------------- in-place operators

_AUGMENTED = {
    "add": ("+", operator.add),
    "sub": ("-", operator.sub),
    "mul": ("*", operator.mul),
    "truediv": ("/", operator.truediv),
    "floordiv": ("//", operator.floordiv),
    "mod": ("%", operator.mod),
    "pow": ("**", operator.pow),
    "matmul": ("@", operator.matmul),
    "lshift": ("<<", operator.lshift),
    "rshift": (">>", operator.rshift),
    "and": ("&", operator.and_),
    "or": ("|", operator.or_),
    "xor": ("^", operator.xor),
}


def _refusing(sign: str) -> Callable[[Tensor, Any], Any]:
    """``x += y`` of a tensor that does not change gives a new one a name, unless NumPy would write through it."""

    def augmented(self: Tensor, other: Any) -> Any:
        if is_part(self):
            raise TypeError(
                f"x {sign}= y of a slice, transpose or reshape would write into the array that it is a part of, and "
                f"tensors do not change; write x = x {sign} y, or a = a.at[index].set(a[index] {sign} y)"
            )
        return NotImplemented  # Python goes on with the operator itself

    return augmented


def _writing(sign: str, combine: Callable[[Any, Any], Any]) -> Callable[[_Indirect, Any], Any]:
    def augmented(self: _Indirect, other: Any) -> Any:
        _replace(self, combine(self.read(), other), f"{sign}=")
        return self

    return augmented


# -------------------------------------------------------------------------------------- what shares memory, what is new


def _marked(result: Any, source: Any) -> Any:
    """What NumPy would have made a view refuses in-place operators; the source itself does not."""
    for part in result if isinstance(result, (list, tuple)) else (result,):
        if type(part) is Tensor and part is not lift(source):
            part.shares = True
            if type(source) is Tensor:
                source.viewed = True
    return result


def _sharing(plain: Callable[..., Any]) -> tuple[Callable[..., Any], Callable[..., Any]]:
    """A method whose result is a view in NumPy: of tensors, and of tensors that may be filled."""

    @functools.wraps(plain)
    def of_tensor(self: Tensor, *args: Any, **keywords: Any) -> Any:
        return _marked(plain(self, *args, **keywords), self)

    @functools.wraps(plain)
    def of_changing(self: _Indirect, *args: Any, **keywords: Any) -> Any:
        return self._part(lambda whole: plain(whole, *args, **keywords))

    return of_tensor, of_changing


def _copying(plain: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(plain)
    def method(self: Tensor, *args: Any, **keywords: Any) -> Any:
        return fillable(lift(plain(self, *args, **keywords)))

    return method


def _array_function(
    self: Tensor, function: Callable[..., Any], types: Sequence[type], args: Sequence[Any], keywords: dict[str, Any]
) -> Any:
    name = full_name(function)
    target = keywords.get("out")
    if isinstance(target, _Indirect):
        rest = {k: v for k, v in keywords.items() if k != "out"}
        _replace(target, call_function(TENSORS, function, args, rest), name.replace("numpy", "np", 1))
        return target
    result = call_function(TENSORS, function, args, keywords)
    if name in VIEWS:
        return _marked(result, args[0] if args else None)
    return fillable(lift(result)) if name in FRESH else result


def attach() -> None:
    """Give tensors the difference between views and copies."""
    for name in _VIEW_METHODS:
        of_tensor, of_changing = _sharing(getattr(Tensor, name))
        setattr(Tensor, name, of_tensor)
        setattr(_Indirect, name, of_changing)
    for name in _VIEW_PROPERTIES:
        of_tensor, of_changing = _sharing(getattr(Tensor, name).fget)
        setattr(Tensor, name, property(of_tensor))
        setattr(_Indirect, name, property(of_changing))
    for name in ("copy", "flatten"):
        setattr(Tensor, name, _copying(getattr(Tensor, name)))
    Tensor.__array_function__ = _array_function  # type: ignore[method-assign]
    for name, (sign, combine) in _AUGMENTED.items():
        setattr(Tensor, f"__i{name}__", _refusing(sign))
        setattr(_Indirect, f"__i{name}__", _writing(sign, combine))
