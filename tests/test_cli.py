import json
import math
import re
import subprocess
import sys

import pytest

from symtape.cli import main


def run(capsys, *arguments: str) -> tuple[int, str, str]:
    """Exit code, standard output and standard error of a command in this process."""
    try:
        code = main(arguments)
    except SystemExit as stop:
        code = stop.code
    captured = capsys.readouterr()
    return code, captured.out, captured.err


def test_diff_prints_exact_partial_derivatives(capsys):
    code, out, err = run(capsys, "diff", "x**2*y + sin(y)", "--wrt", "x,y")
    assert (code, err) == (0, "")
    assert out.splitlines() == ["d/dx = 2*x*y", "d/dy = x**2 + cos(y)"]


def test_diff_at_a_point_prints_numbers_too(capsys):
    code, out, _ = run(capsys, "diff", "x**2*y + sin(y)", "--wrt", "x,y", "--at", "x=3,y=2")
    assert code == 0
    assert out.splitlines() == [
        "d/dx = 2*x*y = 12.0",
        f"d/dy = x**2 + cos(y) = {9 + math.cos(2.0)!r}",
        f"value = {18 + math.sin(2.0)!r}",
    ]


def test_diff_takes_all_variables_by_default_and_prints_latex(capsys):
    code, out, _ = run(capsys, "diff", "a*b**2", "--latex")
    assert code == 0
    assert out.splitlines() == ["d/da = b^{2}", "d/db = 2 a b"]


def test_diff_json_has_the_documented_fields(capsys):
    code, out, _ = run(capsys, "diff", "x**2*y + sin(y)", "--wrt", "x,y", "--at", "x=3,y=2", "--latex", "--json")
    assert code == 0
    assert json.loads(out) == {
        "expression": "x**2*y + sin(y)",
        "variables": ["x", "y"],
        "derivatives": {"x": "2*x*y", "y": "x**2 + cos(y)"},
        "latex": {"x": "2 x y", "y": r"x^{2} + \cos{\left(y \right)}"},
        "at": {"x": 3.0, "y": 2.0},
        "value": 18 + math.sin(2.0),
        "gradient": {"x": 12.0, "y": 9 + math.cos(2.0)},
    }
    code, out, _ = run(capsys, "diff", "x**2", "--json")
    assert set(json.loads(out)) == {"expression", "variables", "derivatives"}


def test_a_formula_may_begin_with_a_minus(capsys):
    assert run(capsys, "diff", "-x**2")[1] == "d/dx = -2*x\n"
    assert run(capsys, "diff", "-x**2", "--at", "x=-1")[1].splitlines()[0] == "d/dx = -2*x = 2.0"


def test_where_no_gradient_flows_it_says_so(capsys):
    code, out, _ = run(capsys, "diff", "floor(x)*y", "--at", "x=1.5,y=2")
    assert code == 0
    assert out.splitlines() == ["d/dx = none: no gradient flows", "d/dy = floor(x) = 1.0", "value = 2.0"]
    assert json.loads(run(capsys, "diff", "floor(x)*y", "--json")[1])["derivatives"]["x"] is None


def test_numbers_that_json_does_not_have_are_texts(capsys):
    code, out, _ = run(capsys, "diff", "sqrt(x)", "--at", "x=0", "--json")
    assert code == 0
    assert json.loads(out)["gradient"] == {"x": "inf"}


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["diff", "x^2"], 1, r"symtape diff: cannot read 'x\^2' at column 1: .*\*\*"),
        (["diff", "sine(x)"], 1, r"no function named 'sine'; did you mean .*sin"),
        (["diff", ""], 1, "the expression is empty"),
        (["diff", "3 + 4"], 1, "contains no variable"),
        (["diff", "x**2", "--wrt", "z"], 1, r"--wrt names z, which 'x\*\*2' does not contain; it has x"),
        (["diff", "x*y", "--at", "x=3"], 1, "--at gives no value for y"),
        (["diff", "x*y", "--at", "x=3,y=2,z=1"], 1, "--at names z"),
        (["diff", "x*y", "--at", "x=three,y=2"], 2, "'three' is no number"),
        (["diff", "x*y", "--at", "x=3,x=2"], 2, "x is given twice"),
        (["diff", "x*y", "--at", "3"], 2, "no assignment"),
        (["diff", "x*y", "--wrt", "x y"], 2, "no name"),
        (["diff"], 2, "usage"),
        (["minimize", "x^2"], 1, r"symtape minimize: .*\*\*"),
        (["minimize", "4"], 1, "contains no variable"),
        (["minimize", "x**2", "--start", "y=1"], 1, "--start names y"),
        (["minimize", "x**2", "--start", "x=nan"], 1, "x"),
        (["frobnicate"], 2, "invalid choice"),
        ([], 2, "usage"),
    ],
)
def test_errors_go_to_the_standard_error_without_a_traceback(capsys, arguments, code, message):
    seen, out, err = run(capsys, *arguments)
    assert seen == code
    assert out == ""
    assert re.search(message, err)
    assert "Traceback" not in err


def test_minimize_finds_the_minimum(capsys):
    code, out, err = run(capsys, "minimize", "(x-1)**2 + (y+2)**2")
    assert (code, err) == (0, "")
    values = dict(re.findall(r"^(\w+) = (\S+)$", out, re.MULTILINE))
    assert float(values["x"]) == pytest.approx(1.0, abs=1e-9)
    assert float(values["y"]) == pytest.approx(-2.0, abs=1e-9)
    assert float(values["value"]) == pytest.approx(0.0, abs=1e-12)
    assert "minimum" in out.splitlines()[-1].lower()


def test_minimize_json_has_the_documented_fields(capsys):
    code, out, _ = run(capsys, "minimize", "(1-x)**2 + 100*(y-x**2)**2", "--start", "x=-1.2,y=1", "--json")
    report = json.loads(out)
    assert code == 0
    assert set(report) == {
        *("expression", "start", "at", "value", "success", "verdict", "message", "method", "iterations"),
        "gradient_norm",
    }
    assert report["start"] == {"x": -1.2, "y": 1.0}
    assert report["at"]["x"] == pytest.approx(1.0, abs=1e-6)
    assert report["success"] is True
    assert report["gradient_norm"] < 1e-5
    assert report["iterations"] > 1


def test_minimize_of_an_unbounded_function_does_not_claim_success(capsys):
    code, out, _ = run(capsys, "minimize", "x**3", "--start", "x=-1", "--json")
    assert code == 1
    assert json.loads(out)["success"] is False
    code, out, _ = run(capsys, "minimize", "-x**2 - y**2", "--start", "x=1")
    assert code == 1


def test_lesson_writes_a_notebook_and_overwrites_only_on_demand(capsys, tmp_path):
    path = tmp_path / "lesson.ipynb"
    code, out, _ = run(capsys, "lesson", str(path))
    assert code == 0
    assert str(path) in out
    book = json.loads(path.read_text(encoding="utf-8"))
    assert book["nbformat"] == 4
    assert sum(cell["cell_type"] == "code" for cell in book["cells"]) > 20
    path.write_text("mine", encoding="utf-8")
    code, out, err = run(capsys, "lesson", str(path))
    assert code == 1
    assert "--force" in err
    assert path.read_text(encoding="utf-8") == "mine"
    assert run(capsys, "lesson", str(path), "--force")[0] == 0
    assert run(capsys, "lesson", str(tmp_path / "no" / "such" / "folder.ipynb"))[0] == 1


def test_versions(capsys):
    code, out, _ = run(capsys, "versions")
    assert code == 0
    assert {"symtape", "python", "numpy", "scipy", "sympy", "numba", "llvmlite"} <= {
        line.split()[0] for line in out.splitlines()
    }
    code, out, _ = run(capsys, "--version")
    assert (code, out.split()[0]) == (0, "symtape")


@pytest.mark.slow
def test_tour_prints_every_section_with_true_numbers(capsys):
    code, out, err = run(capsys, "tour")
    assert (code, err) == (0, "")
    for number in range(1, 6):
        assert re.search(rf"^{number}\. ", out, re.MULTILINE)
    assert "dz/dx = 2*x*y = 12.0" in out
    assert f"dz/dy = x**2 + cos(y) = {9 + math.cos(2.0)!r}" in out
    assert "dq/dx = 2*x = 6.0" in out
    assert "dp/dq = 2*q = 18.0" in out
    assert re.search(r"[\d.]+ microseconds a call", out)
    assert re.search(r"minimum", out)
    rows = re.findall(r"^\s+(b1|b2|std\. error|sum of sq\.)\s+(\S+)\s+(\S+)$", out, re.MULTILINE)
    assert len(rows) == 5
    for _, ours, certified in rows:
        assert float(ours) == pytest.approx(float(certified), rel=1e-6)


def test_the_module_runs_as_a_program():
    result = subprocess.run(
        [sys.executable, "-W", "error", "-m", "symtape", "diff", "x^2"], capture_output=True, text=True, check=False
    )
    assert result.returncode == 1
    assert result.stdout == ""
    assert "Traceback" not in result.stderr
    assert "**" in result.stderr
