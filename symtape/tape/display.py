"""How a tensor shows itself: its formula in sympy's terms and in LaTeX, its numbers elsewhere, its text."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from symtape.compile.evaluate import as_array, evaluate
from symtape.errors import FormulaTooLargeError, MissingValueError, NoFormulaError
from symtape.formula.element import array_expression
from symtape.formula.equality import Equality, equality
from symtape.formula.named import Formula, form
from symtape.graph.node import LEAF, PLACEHOLDER, SYMBOLIC, Node
from symtape.graph.shapes import is_known
from symtape.graph.traverse import ancestors, leaves
from symtape.tape.cuts import cut
from symtape.tape.meant import expression_of, given_values, node_of
from symtape.tape.sympy_face import SympyFace

if TYPE_CHECKING:
    from symtape.tape.tensor import Tensor

_SHORT_ELEMENTS = 4
_SHORT_TEXT = 60
_SHORT_NODES = 40
_SHORT_OPERATIONS = 60
_SHOWN_OPERATIONS = 500  # of a formula that a notebook shows by itself
#: What a tensor without a formula of its elements raises: it is shown line by line.
_WITHOUT_EXPRESSION = (FormulaTooLargeError, NoFormulaError, MissingValueError, np.linalg.LinAlgError, IndexError)


class Display(SympyFace):
    """Formulas and text of a tensor; a part of `Tensor`, which supplies ``node``."""

    __slots__ = ()

    node: Node

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
        return array_expression(self.node, {node_of(t): name for name, t in names.items()})

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
        return equality(self.expr, expression_of(other, leaves([self.node])))

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
        env = given_values(values or {}, leaves([self.node]))
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
        except _WITHOUT_EXPRESSION:
            return self.formula("named").latex()

    def _repr_latex_(self) -> str:
        import sympy

        try:
            shown = str(sympy.latex(array_expression(self.node, limit=_SHOWN_OPERATIONS)))
        except _WITHOUT_EXPRESSION:
            return self.formula("named")._repr_latex_()
        return f"$\\displaystyle {shown}$"

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


def _value_text(node: Node) -> str:
    try:
        (value,) = evaluate([node])
    except (np.linalg.LinAlgError, ValueError, IndexError) as error:
        return f"<{type(error).__name__}: {error}>"
    if np.ndim(value) == 0:
        return repr(np.asarray(value).item())
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
        text = str(array_expression(node, limit=_SHORT_OPERATIONS))
    except _WITHOUT_EXPRESSION:
        return None
    return text if len(text) <= _SHORT_TEXT else None
