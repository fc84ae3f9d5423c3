"""The recipe for a new operation, followed to the letter with one that NumPy does not have."""

import numpy as np
import pytest

import symtape as st
from symtape.compile.evaluate import evaluate
from symtape.formula.element import array_expression
from symtape.graph.node import symbol
from symtape.ops import registry
from symtape.ops.namespace import NODES
from symtape.tape.tensor import TENSORS
from symtape.testing import check_gradients


@pytest.fixture
def gudermannian():
    """Declare gd(x) = 2 arctan(tanh(x/2)), as step 1 says, and forget it afterwards."""
    op = registry.elementwise(
        "gudermannian",
        lambda x: 2 * np.arctan(np.tanh(x / 2)),
        lambda sp, x: 2 * sp.atan(sp.tanh(x / 2)),
        implements=("scipy.special.gudermannian",),
        arity=1,
    )
    yield op
    del registry._ops["gudermannian"], registry._functions["gudermannian"]
    for namespace in (NODES, TENSORS):
        namespace.__dict__.pop("gudermannian", None)


def test_one_declaration_is_enough(gudermannian):
    x = st.Variable(0.7, name="x")
    with st.GradientTape(persistent=True) as tape:
        y = TENSORS.gudermannian(x)
        dy_dx = tape.gradient(y, x)
    assert float(dy_dx) == pytest.approx(1 / np.cosh(0.7), rel=1e-14)  # the textbook's derivative
    assert float(tape.gradient(dy_dx, x)) == pytest.approx(-np.tanh(0.7) / np.cosh(0.7), rel=1e-13)
    assert y.equals("2*atan(tanh(x/2))")
    assert st.special.gudermannian(x).node is y.node  # offered under its full name
    check_gradients(TENSORS.gudermannian, np.array([-1.0, 0.2, 3.0]), order=2)

    compiled = st.function([x], [y, dy_dx])
    assert compiled(1.3) == pytest.approx([2 * np.arctan(np.tanh(0.65)), 1 / np.cosh(1.3)], rel=1e-14)
    batch = st.vmap(TENSORS.gudermannian)(np.array([0.0, 0.7]))
    np.testing.assert_allclose(batch, [0.0, float(y)], rtol=1e-15)

    s = symbol("s")
    assert str(array_expression(NODES.gudermannian(s))) == "2*atan(tanh(s/2))"
    (value,) = evaluate([NODES.gudermannian(s)], {s: np.float64(0.0)})
    assert value == 0.0


def test_a_second_declaration_of_a_name_is_refused(gudermannian):
    with pytest.raises(ValueError, match="an op named 'gudermannian' is declared already"):
        registry.elementwise("gudermannian", np.tanh, lambda sp, x: sp.tanh(x))
