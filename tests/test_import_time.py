"""What loads what, each seen in a fresh process: heavy packages come with the first use, not with the import."""

import subprocess
import sys

import pytest

HEAVY = ("sympy", "numba", "llvmlite", "scipy", "matplotlib", "pandas", "tqdm")

RECORD = """
import numpy as np, symtape as st
x = st.Variable(3.0, name="x"); v = st.Variable(np.arange(3.0), name="v")
with st.GradientTape(persistent=True) as tape:
    z = x**2 * np.sum(v) + np.sin(x)
"""
EVALUATE = RECORD + "float(z); v.assign_add([1.0, 1.0, 1.0]); repr(v)\n"
GRADIENT = RECORD + "tape.gradient(z, [x, v])\n"
FORMULA = RECORD + "z.expr\n"
COMPILE = RECORD + "f = st.function([x, v], z); f(1.0, np.ones(3))\n"
SPECIAL = RECORD + "import symtape; float(st.special.erf(x))\n"


def loaded_by(code: str, tmp_path) -> set[str]:
    """Heavy packages in a process that has run the code."""
    report = f"\nimport sys\nprint(' '.join(name for name in {HEAVY!r} if name in sys.modules))"
    run = subprocess.run(
        [sys.executable, "-W", "error", "-c", code + report],
        capture_output=True,
        text=True,
        check=False,
        env={**__import__("os").environ, "SYMTAPE_CACHE_DIR": str(tmp_path)},
    )
    assert run.returncode == 0, run.stderr
    return set(run.stdout.split())


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("import symtape", set()),
        ("import symtape as st; st.GradientTape, st.Variable, st.symbol, st.constant", set()),
        ("import symtape as st, io; st.show_versions(io.StringIO())", set()),
        (RECORD, set()),
        (EVALUATE, set()),
        (GRADIENT, set()),
        (FORMULA, {"sympy"}),
        (SPECIAL, {"scipy"}),
    ],
    ids=["import", "names", "versions", "record", "evaluate", "gradient", "formula", "special function"],
)
def test_only_what_is_used_is_loaded(code, expected, tmp_path):
    assert loaded_by(code, tmp_path) == expected


@pytest.mark.slow
def test_compiled_code_from_the_cache_is_called_without_numba(tmp_path):
    """The first process compiles and fills the cache; the second loads the file and the object code."""
    path = tmp_path / "f.symtape"
    save = COMPILE + f"st.save({str(path)!r}, f)\n"
    assert "numba" not in loaded_by(RECORD, tmp_path)
    loaded_by(save, tmp_path)
    load = f"import numpy as np, symtape as st\nf = st.load({str(path)!r}); assert np.isfinite(f(1.0, np.ones(3)))\n"
    assert loaded_by(load, tmp_path) & {"numba", "sympy"} == set()
