"""Every op of the table: its formula and that of its derivative have the value of the code; so has the printed code.

The formulas are evaluated with 30 digits at the inputs of the row. An op without a formula says so.
"""

import re
import types
import zlib

import numpy as np
import pytest
import sympy

import symtape as st
from symtape.autodiff.reverse import gradient
from symtape.compile.evaluate import evaluate
from symtape.errors import FormulaTooLargeError, NoFormulaError
from symtape.formula.element import element_expression
from symtape.formula.named import named_form
from symtape.formula.spelling import _SPELLINGS, INFIX
from symtape.formula.symbols import element_symbol
from symtape.graph.node import CONST, leaf, symbol
from symtape.graph.traverse import topological
from symtape.ops.namespace import NODES
from symtape.ops.op import Kind, Op
from symtape.ops.registry import functions, op_named, ops
from symtape.ops.sympy_bridge import from_sympy
from symtape.tape.tensor import TENSORS
from tests.ops.rows import results
from tests.ops.test_op_table import ROWS

DIGITS = 30
ELEMENTS = 2  # of each result, drawn at random

#: Routines of LAPACK that have a formula where the matrix is small.
WITH_FORMULA = {"inv", "solve", "det", "slogdet", "cholesky", "cofactor", "solve_triangular"}
REFUSED = "has no formula by elements|which elements are read follows from|formula\\('named'\\)"
TOO_LARGE = {"solve-tensorsolve", "cofactor_along"}
BODIES = {"cond", "custom_gradient"}
#: Where the formula, computed as it stands, cancels or overflows, which is why the op is there.
CANCEL = {"sinc_derivative", "x_over_expm1", "erfcx-far", "log_ndtr-tails", "frexp_mantissa"}
#: Rows with NaN or infinity among their inputs.
FINITE = [row for row in ROWS if all(np.all(np.isfinite(a)) for a in row.draw(1))]


def recorded(row):
    """Leaves with the row's inputs, and the results with their gradients as nodes."""
    rng = np.random.default_rng(zlib.crc32(row.name.encode()))
    arrays = row.draw(1)
    leaves = [
        leaf(a.copy(), f"x{k}") if a.dtype.kind != "f" else symbol(f"x{k}", a.shape) for k, a in enumerate(arrays)
    ]
    outputs = results(row.call(NODES, *leaves))
    floats = [x for x in leaves if x.dtype.kind == "f"]
    found = list(outputs)
    for output in outputs:
        if output.dtype.kind == "f":
            weights = symbol(f"w{len(leaves)}", output.shape)
            leaves.append(weights)
            arrays.append(rng.integers(1, 9, output.shape) / 4)
            found += [g for g in gradient(output, floats, weights) if g is not None]
    return rng, arrays, leaves, found


def in_digits(expression, point):
    """The value of an expression, a truth value as 0 or 1."""
    expression = expression.xreplace(point)
    if expression in (sympy.true, sympy.false):
        return int(expression == sympy.true)
    expression = expression.replace(sympy.erfcinv, lambda z: sympy.erfinv(1 - z))  # which sympy does not evaluate
    return sympy.N(expression, DIGITS)


def brought_back(expression, point, kind):
    """The value of an expression that has come back into a graph."""
    names = {s: NODES.const(kind(point[s])) for s in expression.free_symbols}
    (value,) = evaluate([from_sympy(NODES, expression, names)])
    return float(value)


def without_formula(op):
    return isinstance(op, Op) and op.element is None and op.formula is None and op.kind is not Kind.CONTROL


def formula_or_error(node, at):
    try:
        return element_expression(node, at)
    except (NoFormulaError, FormulaTooLargeError) as error:
        return error


@pytest.mark.parametrize("row", FINITE, ids=lambda row: row.name)
def test_formula_has_the_value_of_the_code(row):
    rng, arrays, leaves, found = recorded(row)
    point = {
        element_symbol(x, at): sympy.Float(float(a[at]), 2 * DIGITS)
        if a.dtype.kind == "f"
        else sympy.Integer(int(a[at]))
        for x, a in zip(leaves, arrays, strict=True)
        for at in np.ndindex(*a.shape)
    }
    kind = int if all(a.dtype.kind in "iub" for a in arrays) else float
    values = evaluate(found, dict(zip(leaves, arrays, strict=True)))
    refused = row.name in TOO_LARGE or any(without_formula(node.op) for node in topological(found))
    for node, value in zip(found, values, strict=True):
        scale = max(1.0, float(np.max(np.abs(value), initial=0)))
        tolerance = 1e-6 if row.label == "to single" else 1e-12 * scale
        places = list(np.ndindex(*node.shape))
        for k in rng.permutation(len(places))[:ELEMENTS]:
            at = places[k]
            expression = formula_or_error(node, at)
            if isinstance(expression, Exception):
                assert refused, expression
                assert re.search(REFUSED, str(expression))
                continue
            assert abs(in_digits(expression, point) - float(value[at])) <= tolerance, expression
            if row.op not in CANCEL and row.name not in CANCEL:
                assert abs(brought_back(expression, point, kind) - float(value[at])) <= 1e3 * tolerance, expression


def applied(op):
    """An op that has no spelling, called with its inputs and then its parameters."""

    def call(*args):
        inputs = tuple(TENSORS.lift(a) for a in args if isinstance(a, (st.Tensor, float, list)))
        return TENSORS.build(op, inputs, args[len(inputs) :])

    return call


def printed_bare(op):
    """Whether an op is printed under its own name with its own parameters, as no function takes them."""
    if op.name not in functions():
        return True
    return isinstance(op, Op) and op.kind is not Kind.ELEMENTWISE and op.name not in {*INFIX, *_SPELLINGS}


def helpers():
    """What the named form's functions are called, over tensors."""
    names = {name: getattr(TENSORS, name) for name in functions()}
    names |= {name: applied(op) for name, op in ops().items() if printed_bare(op)}
    names |= {"zeros": lambda shape: st.constant(np.zeros(shape)), "ones": lambda shape: st.constant(np.ones(shape))}
    names |= {"arange": np.arange, "array": np.array, "size": np.size, "eye": np.eye, "inf": np.inf, "nan": np.nan}
    names["confluent"] = lambda body, operands: operands[0]  # eigenvalues of the rows are apart
    return names | {"linalg": types.SimpleNamespace(diagonal=np.linalg.diagonal)}


@pytest.mark.parametrize("row", [row for row in ROWS if row.op not in BODIES], ids=lambda row: row.name)
def test_named_form_is_the_code(row):
    _, arrays, leaves, found = recorded(row)
    env = dict(zip(leaves, arrays, strict=True))
    names = [f"out{k}" for k in range(len(found))]
    form = named_form(found, names)
    scope = helpers() | {x.params[1]: st.constant(a, dtype=a.dtype) for x, a in zip(leaves, arrays, strict=True)}
    long = [n.value for n in topological(found) if n.op is CONST and np.size(n.value) > 6]
    scope |= {f"c{k}": value for k, value in enumerate(long)}
    for line in form.lines:
        name, body, _ = line.name.partition("(")
        scope[name] = eval(line.text, scope) if not body else None
    for name, expected in zip(names, evaluate(found, env), strict=True):
        np.testing.assert_allclose(st.constant(0.0) + scope[name], expected, rtol=1e-12, atol=1e-12)


def test_short_constants_are_arrays_where_a_list_would_not_do():
    x, c, mask = st.Variable([1.0, 2.0], name="x"), np.array([1, 2]), np.array([True, False])
    k = st.symbol("k", dtype=np.int64)
    cases = [
        (c * x, "array([1, 2]) * x"),
        (TENSORS.add_n(x, TENSORS.lift(c), x), "x + array([1, 2]) + x"),
        (TENSORS.lift(c)[k], "array([1, 2])[k]"),
        (np.negative(TENSORS.lift(c)), "-array([1, 2])"),
        (TENSORS.lift(np.array([[1, 2]])).T, "array([[1, 2]]).T"),
        (np.where(mask, x, 0.0), "where([True, False], x, 0.0)"),
    ]
    for tensor, text in cases:
        assert str(tensor.formula("named")) == f"result = {text}"


def test_the_table_has_what_is_told_apart_here():
    assert len(FINITE) > 200
    assert {row.name for row in FINITE} >= TOO_LARGE
    assert not any(without_formula(op_named(name)) for name in WITH_FORMULA)
