"""The face that a tensor turns to sympy: it prints, multiplies and is differentiated there as its formula."""

from __future__ import annotations

from typing import Any

from symtape.graph.node import LEAF, Node
from symtape.tape.meant import each, substitutions, symbol_meant


class SympyFace:
    """What sympy asks of an object; a part of `Tensor`, which supplies ``node`` and ``expr``."""

    __slots__ = ()

    node: Node
    expr: Any

    #: Above sympy's own (10.0), so that ``sympy_expression * tensor`` asks the tensor.
    _op_priority = 20.0

    @property
    def _diff_wrt(self) -> bool:
        """Whether sympy may differentiate and integrate in it."""
        return self.node.op is LEAF and self.node.shape == ()

    def _sympy_(self) -> Any:
        return self.expr

    def _printed(self, printer: Any, **options: Any) -> Any:
        return printer._print(self.expr, **options)

    _latex = _pretty = _sympystr = _sympyrepr = _mathml_content = _mathml_presentation = _printed

    @property
    def free_symbols(self) -> set[Any]:
        """The sympy symbols of the formula.

        Examples
        --------
        >>> import symtape as st
        >>> (st.Variable(3.0, name="x") * 2).free_symbols
        {x}
        """
        return set(self.expr.free_symbols)

    def diff(self, *by: Any) -> Any:
        """``sympy.diff`` of the formula. On a tape, use ``tape.gradient``.

        Parameters
        ----------
        *by : Tensor, str, sympy expression, int or tuple
            As for ``sympy.diff``: what to differentiate in, each followed by how often. Variables stand for their
            symbols, names for those of the formula's leaves.

        Examples
        --------
        >>> import symtape as st
        >>> x, y = st.Variable(3.0, name="x"), st.Variable(2.0, name="y")
        >>> (x**3 * y).diff(x, 2), (x**3 * y).diff("y")
        (6*x*y, x**3)
        """
        import sympy

        expression = self.expr

        def meant(what: Any) -> Any:
            if isinstance(what, tuple):
                return tuple(meant(w) for w in what)
            return symbol_meant(what, expression)

        return sympy.diff(expression, *[meant(what) for what in by])

    def subs(self, *pairs: Any, **named: Any) -> Any:
        """``sympy``'s substitution into the formula; keyword names are names of leaves.

        Parameters
        ----------
        *pairs
            As for sympy: an old and a new expression, or a mapping or pairs of such. Tensors stand for their formulas,
            names for the leaves of this one; an array takes an array.
        **named : number or expression
            By the name of the leaf.

        Examples
        --------
        >>> import symtape as st
        >>> x, y = st.Variable(3.0, name="x"), st.Variable(2.0, name="y")
        >>> (x**2 * y).subs(x=3), (x**2 * y).subs(y, 5)
        (9*y, 5*x**2)
        """
        expression = self.expr
        swaps = substitutions(pairs, named, expression)
        return each(lambda e: e.subs(swaps), expression)
