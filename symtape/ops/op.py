"""What a declaration of an operation is: value, shape, derivatives, batching, element and formula in one place.

`Op` is final; the kinds of operation differ in which fields they fill, and the constructors `elementwise`,
`structural` and `library` below say which. Rules are plain functions. They build with a namespace ``B`` that is handed
to them, so they never import each other, and the same rule makes nodes, taped tensors or NumPy numbers.

Signatures of rules
-------------------
value
    ``value(*arrays, *params) -> array`` (a tuple of arrays for an op with several results).
infer
    ``infer(inputs, *params) -> (shape, dtype)`` with ``inputs`` a tuple of nodes.
vjp
    One rule per input, ``rule(B, g, y, *inputs, *params)``, or one callable for all, ``vjp(B, i, g, y, *inputs,
    *params)`` with ``i`` the number of the input. ``g`` is the cotangent of the result (a tuple that may hold None if
    there are several), ``y`` the result. A result None says that no gradient flows.
jvp
    One rule per input, ``rule(B, t, y, *inputs, *params)``, or one callable ``jvp(B, i, t, y, *inputs, *params)``: the
    contribution of the tangent ``t`` of input ``i``; `LINEAR` where the op itself, applied to the tangent in that
    place, is the rule. For an op with several results a rule gives a tuple.
batch
    ``batch(B, inputs, batched, *params) -> value``: the op over a new leading axis of those inputs for which
    ``batched`` is True.
element
    ``element(index, inputs, *params) -> Scalar``: see `symtape.ops.element`.
formula
    Elementwise: ``formula(sp, *arguments, *params) -> sympy expression`` with ``sp`` the sympy module. Library:
    ``formula(sp, *matrices, *params)`` on one sympy matrix of each input's stack (a vector is a column), for a matrix,
    an expression, or a tuple of them for an op with several results.
"""

from __future__ import annotations

import enum
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final, TypeAlias

import numpy as np

from symtape.errors import DTypeError
from symtape.graph.node import WEAK, DType, Node, Params
from symtape.graph.shapes import Shape, broadcast, broadcast_two
from symtape.ops.params import Check

if TYPE_CHECKING:
    from symtape.ops.confluence import Confluence

Rule: TypeAlias = Callable[..., Any]
#: A partial derivative: ``rule(B, y, *inputs, *params)``, a number, or None where no gradient flows.
Partial: TypeAlias = "Rule | float | None"
Rules: TypeAlias = "Rule | tuple[Rule | None, ...] | None"


class Kind(enum.Enum):
    """How an op relates elements of its result to elements of its inputs."""

    ELEMENTWISE = "elementwise"  #: a scalar function of broadcast elements
    LAYOUT = "layout"  #: an index map, no arithmetic
    INDEXED = "indexed"  #: told by its element rule: gathers, boxes, reductions
    SCAN = "scan"  #: cumulative along an axis
    SCATTER = "scatter"  #: writes at computed places; vjp of a gather
    LIBRARY = "library"  #: a routine by name: LAPACK, sorting
    CONTROL = "control"  #: has closed graphs among its parameters
    OPAQUE = "opaque"  #: a Python function of the user's, of which nothing is known


class _Linear:
    def __repr__(self) -> str:
        return "LINEAR"


class _StructuralZero:
    def __repr__(self) -> str:
        return "ZERO"


#: As the result of a vjp rule: connected, and known to be zero without any arithmetic. Travels through the sweep
#: without calling rules.
ZERO: Final[Any] = _StructuralZero()

#: As a jvp rule: the op is linear in that input, so the op itself maps the tangent.
LINEAR: Final[Any] = _Linear()

#: As the number of results: as many as `infer` gives shapes, told by the params (bodies). Greater than one, as for any
#: op with several.
SEVERAL: Final = 1 << 30


@dataclass(eq=False, slots=True, kw_only=True, repr=False)
class Op:
    """An operation, declared once.

    Attributes
    ----------
    name : str
        Unique; the name in files, in `formula("named")` and in the op table.
    kind : Kind
    value, rule_infer, vjp, jvp, batch, element, formula
        See the module's docstring.
    partials : mapping of int to rule
        Elementwise: partial derivatives that replace those of ``sympy.diff`` (kinks, forms that overflow): ``rule(B,
        y, *inputs, *params)``, a number, or None for an argument without gradient.
    pair : rule
        vjp on a cotangent pair, ``pair(B, i, (mask, g), y, *inputs, *params) -> (mask, g)``: for ops such as `select`
        that make masks.
    vjp_together, jvp_together : rule
        Instead of a rule per input: ``vjp_together(B, needed, g, y, *inputs, *params)`` gives a list with a
        contribution per input (None where it is not needed), ``jvp_together(B, tangents, y, *inputs, *params)`` takes
        a tangent or None per input and gives the result's (a tuple for several results). For ops whose derivatives
        share their work (bodies).
    masks : bool
        Whether a structural-zero mask travels through the vjp as the value does (layout, indexing, scatter, sums).
    adds : bool
        Whether that vjp adds up elements of the cotangent (of a broadcast, a gather): what the mask leaves out must be
        0 before it comes into the sum.
    results : int
        Number of results, or `SEVERAL`; an op with more than one has tuples of shapes and dtypes.
    params : tuple of check
        What the params may be, one check each (see `symtape.ops.params`): asked where a file is read.
    lowering : object
        What the compiler emits; data that `symtape.compile` understands.
    confluence : Confluence or None
        Of an op with eigenvalues or singular values among its results: what is needed to take
        limits where they are equal (see `symtape.ops.confluence`).
    spelling : rule
        How the named form writes it, ``spelling(node, arguments, name) -> str``, where its name and its params do not
        tell (see `symtape.formula.spelling`).
    called_back : callable
        Is told of each node for which compiled code calls back.
    home : tuple
        Of an op that stands in no list: the object of the user's that it belongs to, and which part it is there (see
        `symtape.ops.opaque`).
    source : str
        Paper and equation of a rule that is not elementary.
    """

    name: str
    kind: Kind
    value: Callable[..., Any]
    rule_infer: Callable[..., tuple[Any, Any]] | None = None
    vjp: Rules = None
    jvp: Rules = None
    batch: Rule | None = None
    element: Rule | None = None
    formula: Rule | None = None
    partials: Mapping[int, Partial] = field(default_factory=dict)
    pair: Rule | None = None
    vjp_together: Rule | None = None
    jvp_together: Rule | None = None
    masks: bool = False
    adds: bool = False
    differentiable: bool = True
    results: int = 1
    params: tuple[Check, ...] = ()
    lowering: Any = None
    confluence: Confluence | None = None
    spelling: Rule | None = None
    called_back: Callable[[Node], None] | None = None
    home: tuple[Any, str] | None = None
    source: str = ""
    table: dict[Any, Any] = field(default_factory=dict)
    partial_programs: dict[Any, Any] = field(default_factory=dict)
    dtypes: dict[tuple[DType, DType], DType] = field(default_factory=dict)

    def infer(self, inputs: tuple[Node, ...], params: Params) -> tuple[Any, Any]:
        """Shape and dtype of the result, or the error that NumPy would raise."""
        if self.rule_infer is not None:
            return self.rule_infer(inputs, *params)
        if len(inputs) == 2:
            a, b = inputs
            left, right = a.shape, b.shape
            shape: Shape = left if left == right or right == () else broadcast_two(left, right)
            if not (params or (a.flags | b.flags) & WEAK):
                known = self.dtypes.get((a.dtype, b.dtype))
                if known is None:
                    known = self.dtypes[a.dtype, b.dtype] = result_dtype(self, inputs)
                return shape, known
        else:
            shape = broadcast([i.shape for i in inputs])
        return shape, result_dtype(self, inputs, params)

    def accept(self, inputs: Sequence[Node], params: Params) -> None:
        """Refuse inputs and params of a stranger's that no function of ours would build with.

        Raises
        ------
        ValueError
        """
        if len(params) != len(self.params) or not all(
            check(p, inputs) for check, p in zip(self.params, params, strict=True)
        ):
            raise ValueError(f"the params {params} are none that {self.name} can have")
        if isinstance(self.value, np.ufunc) and len(inputs) != self.value.nin:
            raise ValueError(f"{self.name} takes {self.value.nin} inputs, got {len(inputs)}")

    def __copy__(self) -> Op:
        return self

    def __deepcopy__(self, memo: dict[int, Any]) -> Op:
        return self

    def __repr__(self) -> str:
        return f"<op {self.name}>"


_dtypes: dict[tuple[Any, ...], DType] = {}


def result_dtype(op: Op, inputs: Sequence[Node], params: Params = ()) -> DType:
    """NumPy's result dtype of an elementwise op (NEP 50), asked of NumPy once per combination of dtypes."""
    key = (op, params, *[type(i.value) if i.flags & WEAK else i.dtype for i in inputs])
    found = _dtypes.get(key)
    if found is None:
        samples = [type(i.value)(1) if i.flags & WEAK else np.ones((), i.dtype) for i in inputs]
        try:
            with np.errstate(all="ignore"):
                found = np.asarray(op.value(*samples, *params)).dtype
        except TypeError as error:
            kinds = ", ".join(str(i.dtype) for i in inputs)
            raise DTypeError(f"{op.name} does not take ({kinds}): {error}; convert with .astype(float)") from error
        _dtypes[key] = found
    return found


@lru_cache(maxsize=4096)
def takes(op: Op, dtypes: tuple[DType, ...], params: Params = ()) -> bool:
    """Whether an elementwise op takes inputs of some dtypes.

    Examples
    --------
    >>> from symtape.ops.registry import op_named
    >>> takes(op_named("ldexp"), (np.dtype(float), np.dtype(int))), takes(op_named("ldexp"), (np.dtype(float),) * 2)
    (True, False)
    """
    with np.errstate(all="ignore"):
        try:
            op.value(*[np.ones((), d) for d in dtypes], *params)
        except TypeError:
            return False
    return True


def vjp_rule(op: Op, i: int) -> Rule | None:
    """The vjp rule of input ``i`` as ``rule(B, g, y, *inputs, *params)``, or None if no gradient flows there."""
    return _rule_of(op.vjp, i)


def jvp_rule(op: Op, i: int) -> Any:
    """The jvp rule of input ``i`` as ``rule(B, t, y, *inputs, *params)``, `LINEAR`, or None."""
    return LINEAR if op.jvp is LINEAR else _rule_of(op.jvp, i)


def _rule_of(rules: Any, i: int) -> Rule | None:
    if rules is None:
        return None
    if isinstance(rules, tuple):
        rule: Rule | None = rules[i]
        return rule
    return lambda B, cotangent, y, *rest: rules(B, i, cotangent, y, *rest)


def flow(op: Op, i: int) -> bool:
    """Whether a gradient can flow from the result of ``op`` to its input ``i``."""
    if not op.differentiable:
        return False
    if op.pair is not None or op.vjp_together is not None:
        return True
    if op.kind is Kind.ELEMENTWISE and op.vjp is None:
        return not (i in op.partials and op.partials[i] is None)
    return _rule_of(op.vjp, i) is not None
