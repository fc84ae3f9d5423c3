"""Every example runs as a user would run it and asserts its own numbers; the lesson runs as the notebook it becomes."""

import os
import pathlib
import subprocess
import sys

import nbclient
import nbformat
import pytest

from symtape.notebook import to_ipynb

EXAMPLES = pathlib.Path(__file__).parent.parent / "examples"
PROGRAMS = sorted(path.name for path in EXAMPLES.glob("*.py"))

HEADINGS = [
    "1. Partial derivatives",
    "2. The chain rule",
    "3. Persistence",
    "4. Trainable state and `watch`",
    "5. Declaring tensors",
    "6. Basic operations",
    "7. Linear algebra",
    "8. Reshaping and broadcasting, and the shapes of gradients",
    "9. Finding a minimum",
    "10. Five questions",
]


def environment() -> dict[str, str]:
    """The process's own, with the package of this tree and no window for plots."""
    path = os.pathsep.join([str(EXAMPLES.parent), *filter(None, [os.environ.get("PYTHONPATH")])])
    return {**os.environ, "PYTHONPATH": path, "MPLBACKEND": "agg"}


def test_the_programs_are_found():
    assert PROGRAMS == ["logistic_regression.py", "nist_fit.py", "tour.py"]


@pytest.mark.slow
@pytest.mark.parametrize("name", PROGRAMS)
def test_program(name, tmp_path):
    picture = tmp_path / "picture.png"
    command = [sys.executable, "-W", "error", str(EXAMPLES / name), str(picture)]
    run = subprocess.run(command, capture_output=True, text=True, check=False, cwd=tmp_path, env=environment())
    assert run.returncode == 0, run.stderr
    assert run.stdout.strip()
    assert picture.exists() == (name != "tour.py")


def test_the_lesson_has_a_heading_for_each_subject():
    text = (EXAMPLES / "lesson.md").read_text(encoding="utf-8")
    assert [line.removeprefix("## ") for line in text.splitlines() if line.startswith("## ")] == HEADINGS


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:Proactor event loop:RuntimeWarning")
def test_the_lesson_runs_and_its_errors_are_the_announced_ones(tmp_path, monkeypatch):
    for name, value in environment().items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("MPLBACKEND", "module://matplotlib_inline.backend_inline")
    book = nbformat.reads(to_ipynb((EXAMPLES / "lesson.md").read_text(encoding="utf-8")), as_version=4)
    nbclient.NotebookClient(
        book, timeout=300, kernel_name="python3", resources={"metadata": {"path": tmp_path}}
    ).execute()
    errors, pictures = [], 0
    for cell in book.cells:
        outputs = cell.get("outputs", [])
        raised = [output["ename"] for output in outputs if output["output_type"] == "error"]
        announced = "raises-exception" in cell["metadata"].get("tags", [])
        assert bool(raised) == announced, cell["source"]
        errors += raised
        pictures += sum("image/png" in output.get("data", {}) for output in outputs)
        assert not [output for output in outputs if output.get("name") == "stderr"], cell["source"]
    assert errors == ["RuntimeError", "MissingValueError"]
    assert pictures == 1
