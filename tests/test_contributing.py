"""The recipe for a new operation, followed to the letter: the diffs are applied to a copy of the tree."""

import pathlib
import re
import shutil
import subprocess
import sys

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


# ------------------------------------------------------------------------------------------------------- the two diffs

TREE = pathlib.Path(__file__).parents[1]
DIFFS = re.findall(r"```diff\n(.*?)```", (TREE / "CONTRIBUTING.md").read_text(encoding="utf-8"), re.DOTALL)


def files_of(diff):
    """The files that a diff changes, each with its hunks: lines that begin with a blank or a plus."""
    files = {}
    for line in diff.splitlines():
        if line.startswith("+++ b/"):
            hunks = files[line.removeprefix("+++ b/")] = []
        elif line.startswith("@@"):
            hunks.append([])
        elif not line.startswith("--- a/"):
            hunks[-1].append(line)
    return files


def applied(text, hunk):
    """A text with the lines of a hunk that it lacks."""
    assert all(line[:1] in (" ", "+") for line in hunk), "the diffs add lines and take none away"
    old = "".join(f"{line[1:]}\n" for line in hunk if line[0] == " ")
    assert text.count(old) == 1, f"where the lines belong is not found, or not in one place: {old}"
    return text.replace(old, "".join(f"{line[1:]}\n" for line in hunk))


def test_a_diff_is_a_declaration_and_a_row():
    assert len(DIFFS) == 2
    for diff in DIFFS:
        declaration, rows = files_of(diff)
        assert re.fullmatch(r"symtape/ops/\w+\.py", declaration)
        assert re.fullmatch(r"tests/ops/rows_\w+\.py", rows)
        (hunk,) = files_of(diff)[rows]
        assert sum(line.startswith("+") for line in hunk) == 1


@pytest.mark.slow
def test_the_diffs_are_all_it_takes(tmp_path):
    for part in ("symtape", "tests"):
        shutil.copytree(TREE / part, tmp_path / part, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(TREE / "pyproject.toml", tmp_path)
    for diff in DIFFS:
        for name, hunks in files_of(diff).items():
            path = tmp_path / name
            text = path.read_text(encoding="utf-8")
            for hunk in hunks:
                text = applied(text, hunk)
            path.write_text(text, encoding="utf-8")
    checks = [
        "tests/ops/test_op_table.py",
        "tests/formula/test_rows.py",
        "-k",
        "cotdg or circulant or every_op or every_row",
    ]
    found = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *checks],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert found.returncode == 0, found.stdout + found.stderr
    assert int(re.search(r"(\d+) passed", found.stdout)[1]) > 20
    assert "skipped" not in found.stdout
