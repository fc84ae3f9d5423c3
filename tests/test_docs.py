"""The documentation runs: consoles of the pages, the programs of the README, and Sphinx without a warning."""

import doctest
import pathlib
import re
import shlex
import subprocess
import sys

import numpy as np
import pytest

from symtape.cli import main

ROOT = pathlib.Path(__file__).parent.parent
PAGES = sorted(path.name for path in (ROOT / "docs").glob("*.md"))
FLAGS = doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS


def blocks(path: pathlib.Path, language: str) -> list[tuple[int, str]]:
    """Fenced blocks of a language with the line in which each begins."""
    text = path.read_text(encoding="utf-8")
    found = re.finditer(rf"^```{language}\n(.*?)^```", text, re.DOTALL | re.MULTILINE)
    return [(text.count("\n", 0, match.start(1)), match[1]) for match in found]


def test_pages_with_consoles_are_found():
    assert {"quickstart.md", "semantics.md", "tape.md", "formulas.md", "compile.md", "optimize.md", "fits.md"} <= set(
        PAGES
    )


@pytest.mark.parametrize("name", [name for name in PAGES if blocks(ROOT / "docs" / name, "pycon")])
def test_consoles_show_what_happens(name):
    """All consoles of a page are one session."""
    path, space = ROOT / "docs" / name, {}
    runner = doctest.DocTestRunner(optionflags=FLAGS)
    report: list[str] = []
    for line, text in blocks(path, "pycon"):
        test = doctest.DocTestParser().get_doctest(text, space, name, str(path), line)
        runner.run(test, out=report.append, clear_globs=False)
        space.update(test.globs)
    assert runner.failures == 0, "".join(report)


@pytest.mark.parametrize("name", [name for name in PAGES if blocks(ROOT / "docs" / name, "console")])
def test_commands_print_what_is_shown(name, capsys):
    for _, text in blocks(ROOT / "docs" / name, "console"):
        for session in re.split(r"^\$ ", text, flags=re.MULTILINE)[1:]:
            command, _, expected = session.partition("\n")
            program, *arguments = shlex.split(command)
            assert program == "symtape"
            main(arguments)
            shown = capsys.readouterr()
            assert shown.out + shown.err == expected or not expected


@pytest.mark.slow
def test_the_programs_of_the_readme_run_in_order():
    """In one session, with data for the fit."""
    X = np.linspace(0.0, 800.0, 40)
    space = {"X": X, "Y": 239.0 * (1 - np.exp(-5.5e-4 * X)) + 0.1 * np.cos(X)}
    for line, text in blocks(ROOT / "README.md", "python"):
        exec(compile("\n" * line + text, "README.md", "exec"), space)
    assert float(space["dz_dx"]) == 12.0
    assert space["res"].success
    assert abs(space["fit"].params["b1"] - 239.0) < 5.0


def test_the_readme_shows_both_commands_and_names_files_that_exist():
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    install, tests = text.index("pip install . && symtape tour"), text.index("pip install '.[test]' && pytest")
    assert install < tests < text.index("## The tour") < text.index("## Where to go next")
    for target in re.findall(r"\]\((?!http)([^)]+)\)", text):
        assert (ROOT / target).exists(), target
    assert ".[test]" in (ROOT / ".ci" / "run").read_text(encoding="utf-8")


@pytest.mark.slow
def test_sphinx_builds_every_page_without_a_warning(tmp_path):
    command = [sys.executable, "-m", "sphinx", "-n", "-W", "--keep-going", "-q", "-d", str(tmp_path / "trees")]
    run = subprocess.run(
        [*command, str(ROOT / "docs"), str(tmp_path / "html")], capture_output=True, text=True, check=False
    )
    assert run.returncode == 0, run.stderr
    for page in ("index", "semantics", "generated/api", "generated/operations", "generated/lesson"):
        assert (tmp_path / "html" / f"{page}.html").stat().st_size > 2_000
