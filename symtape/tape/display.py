"""How a tensor shows itself: its text, its formula, and the face that it turns to sympy."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from symtape.compile.evaluate import as_array, evaluate
from symtape.errors import (
    AmbiguousVariableError,
    FormulaTooLargeError,
    MissingValueError,
    NoFormulaError,
    UnknownNameError,
)
from symtape.formula.element import array_expression
from symtape.formula.equality import Equality, equality
from symtape.formula.named import Formula, form
from symtape.formula.numbers import as_expression
from symtape.formula.symbols import label_of, stamp_of
from symtape.formula.text import parse
from symtape.graph.node import LEAF, PLACEHOLDER, SYMBOLIC, Node
from symtape.graph.shapes import is_known
from symtape.graph.traverse import ancestors, leaves
from symtape.ops.namespace import NODES
from symtape.tape.cuts import cut

if TYPE_CHECKING:
    from symtape.tape.tensor import Tensor

_SHORT_ELEMENTS = 4
_SHORT_TEXT = 60
_SHORT_NODES = 40


class Display:
    """Formulas and text of a tensor; a part of `Tensor`, which supplies ``node``."""

    __slots__ = ()

    node: Node

    #: Above sympy's own (10.0), so that ``sympy_expression * tensor`` asks the tensor.
    _op_priority = 20.0

    # ---- formulas

    @property
    def expr(self) -> Any:
        """The exact formula as a sympy expression: a scalar one, or an array of the elements' formulas.

        Its symbols are real and belong to the leaves: two variables of one name are different symbols.

        Raises
        ------
        FormulaTooLargeError
            Above 5,000 operations or a depth of 150; ``formula("named")`` has no limit.

        Examples
        --------
        >>> import symtape as st
        >>> x, y = st.Variable(3.0, name="x"), st.Variable(2.0, name="y")
        >>> (x**2 * y).expr
        x**2*y
        """
        return array_expression(self.node)

    def in_terms_of(self, **names: Tensor) -> Any:
        """The formula with inner tensors under a name.

        Parameters
        ----------
        **names : Tensor
            ``q=q`` writes the symbol ``q`` wherever that tensor occurs.

        Examples
        --------
        >>> import numpy as np, symtape as st
        >>> x = st.Variable(2.0, name="x")
        >>> q = np.exp(x)
        >>> (q**2 / x).in_terms_of(q=q)
        q**2/x
        """
        return array_expression(self.node, {_current(t): name for name, t in names.items()})

    def formula(self, form_name: str = "named") -> Formula:
        """The formula in a form: ``"named"``, the code itself, one line an operation.

        Raises
        ------
        NoFormulaError
            For an unknown form; lists those that exist.
        """
        found: Formula = form(form_name, self.node, "result")
        return found

    def equals(self, other: Any) -> Equality:
        """Whether the formula equals another one as a function of its variables.

        Parameters
        ----------
        other : str, Tensor, sympy expression or number
            In a text, names are those of the variables below this tensor.

        Returns
        -------
        Equality
            True or false; has ``counterexample``.

        Raises
        ------
        ValueError
            If a text cannot be read.

        Examples
        --------
        >>> import symtape as st
        >>> x = st.Variable(3.0, name="x")
        >>> (x * x + x).equals("x*(x + 1)")
        equal (symbolic)
        >>> bool((x * x).equals("x**3"))
        False
        """
        import sympy

        mine = self.expr
        theirs = _expression_of(other, self.node)
        if isinstance(mine, sympy.NDimArray) or isinstance(theirs, sympy.NDimArray):
            left, right = sympy.Array(mine), sympy.Array(theirs)
            if left.shape != right.shape:
                return Equality(False, "symbolic", {"left shape": left.shape, "right shape": right.shape})
            pairs = zip(sympy.flatten(left), sympy.flatten(right), strict=True)
            verdicts = [equality(a, b) for a, b in pairs]
            wrong = next((v for v in verdicts if not v), None)
            if wrong is not None:
                return wrong
            return Equality(True, "symbolic" if all(v.how == "symbolic" for v in verdicts) else "numeric")
        return equality(mine, theirs)

    def eval(self, values: Mapping[Any, Any] | None = None) -> Any:
        """The number with other values for some leaves; nothing is assigned.

        Parameters
        ----------
        values : mapping
            From a variable, symbol, inner tensor or the name of a leaf to its value.

        Returns
        -------
        float or ndarray

        Examples
        --------
        >>> import symtape as st
        >>> x, y = st.Variable(3.0, name="x"), st.Variable(2.0, name="y")
        >>> (2 * x * y).eval({x: 1.0, y: 5.0})
        10.0
        """
        env: dict[Node, Any] = {}
        below = leaves([self.node])
        for what, value in (values or {}).items():
            for node in _nodes_meant(what, below):
                given = np.asarray(value, dtype=node.dtype)
                if is_known(node.shape) and given.shape != node.shape:
                    raise ValueError(f"the value of {what!r} has shape {given.shape}, wanted {node.shape}")
                env[node] = given
        (found,) = evaluate([self.node], env)
        return found.item() if np.ndim(found) == 0 else as_array(found)

    def latex(self) -> str:
        r"""The formula in LaTeX; the named form where it is too large for one expression.

        Examples
        --------
        >>> import symtape as st
        >>> x = st.Variable(3.0, name="x")
        >>> (x**2 / 2).latex()
        '\\frac{x^{2}}{2}'
        """
        import sympy

        try:
            return str(sympy.latex(self.expr))
        except (FormulaTooLargeError, NoFormulaError, MissingValueError):
            return self.formula("named").latex()

    def _repr_latex_(self) -> str:
        return f"$\\displaystyle {self.latex()}$"

    # ---- the face turned to sympy

    def _sympy_(self) -> Any:
        return self.expr

    def _latex(self, printer: Any) -> str:
        return str(printer._print(self.expr))

    def _pretty(self, printer: Any) -> Any:
        return printer._print(self.expr)

    def _sympystr(self, printer: Any) -> str:
        return str(printer._print(self.expr))

    def _sympyrepr(self, printer: Any) -> str:
        return str(printer._print(self.expr))

    def _mathml_content(self, printer: Any) -> Any:
        return printer._print(self.expr)

    @property
    def free_symbols(self) -> set[Any]:
        """The sympy symbols of the formula."""
        return set(self.expr.free_symbols)

    def diff(self, *by: Any) -> Any:
        """``sympy.diff`` of the formula; variables stand for their symbols. On a tape, use ``tape.gradient``."""
        import sympy

        return sympy.diff(self.expr, *by)

    def subs(self, *pairs: Any, **named: Any) -> Any:
        """``sympy``'s substitution into the formula; keyword names are names of leaves.

        Examples
        --------
        >>> import symtape as st
        >>> x, y = st.Variable(3.0, name="x"), st.Variable(2.0, name="y")
        >>> (x**2 * y).subs(x=3), (x**2 * y).subs(y, 5)
        (9*y, 5*x**2)
        """
        expression = self.expr
        by_name: dict[str, list[Any]] = {}
        for symbol in expression.free_symbols:
            by_name.setdefault(symbol.name, []).append(symbol)
        swaps = []
        for name, value in named.items():
            found = by_name.get(name)
            if not found:
                raise UnknownNameError(
                    f"no leaf named {name!r} in {expression}; it has {', '.join(sorted(by_name)) or 'none'}"
                )
            if len(found) > 1:
                raise AmbiguousVariableError(
                    f"{len(found)} leaves are named {name!r}: substitute with the variable itself, "
                    ".subs(variable, value)"
                )
            swaps.append((found[0], as_expression(value)))
        result = expression.subs(swaps)
        return result.subs(*pairs) if pairs else result

    # ---- text

    def __repr__(self) -> str:
        cut(cast("Tensor", self), "print", silent=True, display=True)
        node = self.node
        kind = type(self).__name__
        name = node.params[1] if node.op is LEAF else None
        parts = [f"shape={node.shape}", f"dtype={node.dtype}"]
        if not node.flags & (SYMBOLIC | PLACEHOLDER):
            parts.append(f"value={_value_text(node)}")
        short = _short_formula(node)
        if short is not None:
            parts.append(f"formula={short}")
        return f"<{kind}{' ' + str(name) if name else ''}: {', '.join(parts)}>"

    __str__ = __repr__


def _current(tensor: Any) -> Node:
    node = getattr(tensor, "node", None)
    if not isinstance(node, Node):
        raise TypeError(f"wanted a tensor, got {tensor!r}")
    return node


def _nodes_meant(what: Any, below: list[Node]) -> list[Node]:
    """The nodes that a key of `eval` stands for."""
    if isinstance(what, str):
        found = [n for n in below if label_of(n) == what]
        if not found:
            raise UnknownNameError(
                f"no leaf named {what!r}; there are {', '.join(sorted({label_of(n) for n in below})) or 'none'}"
            )
        if len({stamp_of(n) for n in found}) > 1:
            raise AmbiguousVariableError(f"{len(found)} leaves are named {what!r}: use the variable itself as the key")
        return found
    stamp = getattr(what, "stamp", None)
    if stamp is not None:
        return [n for n in below if (stamp_of(n),) == stamp]
    node = _current(what)
    if node.op is LEAF:
        return [n for n in below if stamp_of(n) == stamp_of(node)]
    return [node]


def _expression_of(other: Any, node: Node) -> Any:
    """The sympy expression of what `equals` was given."""
    if isinstance(other, Display):
        return other.expr
    if isinstance(other, str):
        names: dict[str, Node] = {}
        for leaf in leaves([node]):
            label = label_of(leaf)
            if label in names and stamp_of(names[label]) != stamp_of(leaf):
                raise AmbiguousVariableError(
                    f"two leaves are named {label!r}: compare with an expression of the variables instead of a text"
                )
            names[label] = leaf
        return array_expression(NODES.lift(parse(other, names, NODES)))
    return as_expression(other)


def _value_text(node: Node) -> str:
    try:
        (value,) = evaluate([node])
    except (np.linalg.LinAlgError, ValueError, IndexError) as error:
        return f"<{type(error).__name__}: {error}>"
    if np.ndim(value) == 0:
        return repr(value.item())
    return np.array2string(np.asarray(value), separator=", ", threshold=20, edgeitems=3, prefix=" " * 8)


def _short_formula(node: Node) -> str | None:
    """The formula as text if it is short enough to be read in a line."""
    if not node.inputs or not is_known(node.shape):
        return None
    if int(np.prod([int(n) for n in node.shape])) > _SHORT_ELEMENTS:
        return None
    if sum(1 for _ in itertools.islice(ancestors(node), _SHORT_NODES + 1)) > _SHORT_NODES:
        return None
    try:
        text = str(array_expression(node))
    except (FormulaTooLargeError, NoFormulaError, MissingValueError, ValueError):
        return None
    return text if len(text) <= _SHORT_TEXT else None
