"""The table of partials that ships with the package."""

import json
import subprocess
import sys

import pytest
import sympy

import symtape.ops  # noqa: F401 - declares the ops
from symtape.ops.kept_partials import PATH, from_data, kept, to_data
from symtape.ops.partials_table import derived_now
from symtape.ops.straight_line import Literal, Program, Writer

TABLE = json.loads(PATH.read_text(encoding="utf-8"))


@pytest.mark.skipif(sympy.__version__ != TABLE["sympy"], reason="another sympy may write the same derivative otherwise")
@pytest.mark.slow
def test_the_table_is_what_sympy_says():
    now = derived_now()
    for name, entries in TABLE["partials"].items():  # an op that is not in it is differentiated when it is asked for
        assert now.get(name) == entries, f"{name} has changed: run `python -m symtape.ops.partials_table`"


@pytest.mark.parametrize("value", [0, -3, 0.0, -0.0, 0.5, -1e300, float("inf"), float("-inf"), True, False])
def test_a_program_comes_back_as_it_was(value):
    writer = Writer(2)
    square = writer.step("multiply", 1, 1)
    program = writer.program(writer.step("add", square, Literal.of(value)))
    assert from_data(json.loads(json.dumps(to_data(program)))) == program
    alone = Program(2, (), Literal.of(value))
    assert from_data(json.loads(json.dumps(to_data(alone)))) == alone


def test_an_op_that_is_not_in_the_table_is_derived():
    assert kept("no such op", 0) is None
    assert kept("sin", 1) is None


FIRST_GRADIENT = """
import sys
import numpy as np
import symtape as st
x, y = st.Variable(1.5, name="x"), st.Variable([0.5, 2.0], name="y")
with st.GradientTape(persistent=True) as tape:
    z = np.sum(np.tanh(x * y) ** 2 + np.arctan2(y, x) / np.sqrt(1 + np.exp(-x)))
    g = tape.gradient(z, x)
tape.gradient(g, [x, y])
assert "sympy" not in sys.modules
"""


def test_a_first_gradient_imports_no_sympy():
    subprocess.run([sys.executable, "-c", FIRST_GRADIENT], check=True)
