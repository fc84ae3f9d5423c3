import importlib.metadata
import io
import pathlib
import re
import tomllib

import symtape as st
from symtape import versions

ROOT = pathlib.Path(__file__).parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]


def test_what_is_installed_is_listed_without_importing_it():
    out = io.StringIO()
    st.show_versions(out)
    listed = dict(line.split(maxsplit=1) for line in out.getvalue().splitlines())
    assert listed["symtape"] == st.__version__
    for name in ("numpy", "scipy", "sympy", "numba", "llvmlite"):
        assert listed[name] == importlib.metadata.version(name)
    assert listed["python"].startswith("3.")


def test_what_is_missing_is_said(monkeypatch):
    def nothing(name):
        raise importlib.metadata.PackageNotFoundError(name)

    monkeypatch.setattr(importlib.metadata, "version", nothing)
    found = versions.versions()
    assert found["numba"] == "missing"
    assert "matplotlib" not in found


def test_every_requirement_is_listed_and_has_a_plain_lower_bound_only():
    required = {}
    for requirement in PROJECT["dependencies"]:
        match = re.fullmatch(r"([a-z]+)>=([\d.]+)", requirement)
        assert match, f"{requirement} must read name>=version"
        required[match[1]] = match[2]
    assert required.keys() <= versions.versions().keys()


def test_the_extras_are_those_that_the_package_knows():
    assert set(PROJECT["optional-dependencies"]) == {
        *("plot", "progress", "uno", "ipopt", "distributed", "rigorous"),
        *("docs", "test", "lint", "bench"),
    }
    assert PROJECT["scripts"] == {"symtape": "symtape.cli:main"}
