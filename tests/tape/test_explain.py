"""`tape.explain`: one test a reason, each with the line that is named, in a file and in a notebook's cell.

The lines are found by the comment ``# here`` that stands on them.
"""

import linecache
import math
import textwrap
import warnings

import numpy as np
import pytest

import symtape as st
from symtape.errors import GradientCutWarning
from symtape.tape.explain import REASONS

CASES = {
    "not watched": """
        c = st.constant(2.0, name="c")  # here
        with st.GradientTape(persistent=True) as tape:
            y = c * 3
        source, target = c, y
    """,
    "not watched/symbol": """
        s = st.symbol("s")  # here
        with st.GradientTape(persistent=True) as tape:
            y = s * 3
        source, target = s, y
    """,
    "not watched/accessed": """
        v = st.Variable(2.0, name="v")  # here
        with st.GradientTape(persistent=True, watch_accessed_variables=False) as tape:
            y = v * 3
        source, target = v, y
    """,
    "not watched/late": """
        c = st.constant(2.0, name="c")
        with st.GradientTape(persistent=True) as tape:
            y = c * 3  # here
            tape.watch(c)
        source, target = c, y
    """,
    "not watched/inside": """
        c = st.constant(2.0, name="c")
        with st.GradientTape(persistent=True) as tape:
            q = c * 5  # here
            y = q * 3
        source, target = q, y
    """,
    "trainable=False": """
        k = st.Variable(2.0, trainable=False, name="k")  # here
        x = st.Variable(3.0, name="x")
        with st.GradientTape(persistent=True) as tape:
            w = np.log(x) + k * x
        source, target = k, w
    """,
    "outside the block": """
        x = st.Variable(3.0, name="x")
        with st.GradientTape(persistent=True) as tape:
            q = x * x
        y = q * 2.5  # here
        source, target = x, y
    """,
    "outside the block/before": """
        x = st.Variable(3.0, name="x")
        q = x * 7.25  # here
        with st.GradientTape(persistent=True) as tape:
            y = q * 2
        source, target = x, y
    """,
    "outside the block/source": """
        x = st.Variable(3.0, name="x")
        q = x * 9.125  # here
        with st.GradientTape(persistent=True) as tape:
            y = q * x
        source, target = q, y
    """,
    "stop_recording": """
        x = st.Variable(3.0, name="x")
        with st.GradientTape(persistent=True) as tape:
            q = x * x
            with tape.stop_recording():
                y = q * x  # here
        source, target = x, y
    """,
    "stop_recording/on the way": """
        x, w = st.Variable(3.0, name="x"), st.Variable(2.0, name="w")
        with st.GradientTape(persistent=True) as tape:
            with tape.stop_recording():
                q = np.sin(x)
                x * w
            tape.watch(w)
            x * w
            with tape.stop_recording():
                q = np.sin(x)  # here
            y = q * w
        source, target = x, y
    """,
    "stop_gradient": """
        x = st.Variable(3.0, name="x")
        with st.GradientTape(persistent=True) as tape:
            q = x * x
            s = st.stop_gradient(q)  # here
            y = s * 2
        source, target = x, y
    """,
    "integer": """
        n = st.Variable(3, dtype=np.int64, name="n")  # here
        with st.GradientTape(persistent=True) as tape:
            y = n * 2.0
        source, target = n, y
    """,
    "integer/conversion": """
        x = st.Variable(3.5, name="x")
        with st.GradientTape(persistent=True) as tape:
            n = x.astype(int)  # here
            y = n * 2.0
        source, target = x, y
    """,
    "integer/target": """
        x = st.Variable([3.5, 1.0], name="x")
        with st.GradientTape(persistent=True) as tape:
            y = np.argmax(x)  # here
        source, target = x, y
    """,
    "op without gradient": """
        x = st.Variable(3.5, name="x")
        with st.GradientTape(persistent=True) as tape:
            q = x * 2
            f = np.floor(q)  # here
            y = f * 3
        source, target = x, y
    """,
    "op without gradient/comparison": """
        x = st.Variable(3.5, name="x")
        with st.GradientTape(persistent=True) as tape:
            y = (x > 2) * 3.0  # here
        source, target = x, y
    """,
    "cut": """
        x = st.Variable(3.0, name="x")
        with st.GradientTape(persistent=True) as tape:
            q = x * x
            c = math.sin(q)  # here
            y = x * 0 + c
            z = st.constant(c) * 2
        source, target = q, z
    """,
    "cut/numpy": """
        x = st.Variable(3.0, name="x")
        with st.GradientTape(persistent=True) as tape:
            q = x * x
            c = q.numpy()  # here
            z = st.constant(c) * 2
        source, target = x, z
    """,
    "cut/assign": """
        x, v = st.Variable(3.0, name="x"), st.Variable(3.0, name="v")
        with st.GradientTape(persistent=True) as tape:
            v.assign(x * x)  # here
            z = v * 2
        source, target = x, z
    """,
    "rebound": """
        x = st.Variable(3.0, name="x")
        with st.GradientTape(persistent=True) as tape:
            y = x + 1
        x = x + 1  # here
        with st.GradientTape(persistent=True) as tape:
            y = x + 1
        source, target = x, y
    """,
    "rebound/augmented": """
        x = st.Variable(3.0, name="x")
        x += 1  # here
        with st.GradientTape(persistent=True) as tape:
            y = x * 2
        source, target = x, y
    """,
    "rebound/inside": """
        x = st.Variable(3.0, name="x")
        with st.GradientTape(persistent=True) as tape:
            y = x * 2
            x = x - 0.5 * y  # here
        source, target = x, y
    """,
    "does not depend": """
        x, z = st.Variable(3.0, name="x"), st.Variable(4.0, name="z")
        with st.GradientTape(persistent=True) as tape:
            y = x * 2  # here
            z * 3
        source, target = z, y
    """,
    "inner gradient taken outside": """
        x = st.Variable(3.0, name="x")
        with st.GradientTape(persistent=True) as tape:
            with st.GradientTape() as inner:
                y = x**3
        g = inner.gradient(y, x)  # here
        source, target = x, g
    """,
    "inner gradient taken outside/used": """
        x = st.Variable(3.0, name="x")
        with st.GradientTape() as inner:
            y = x**3
        g = inner.gradient(y, x)  # here
        with st.GradientTape(persistent=True) as tape:
            z = g * 2
        source, target = x, z
    """,
    "another variable of the same name": """
        w = st.Variable(3.0, name="w")  # here
        v = st.Variable(4.0, name="w")
        with st.GradientTape(persistent=True) as tape:
            y = w * 2
        source, target = v, y
    """,
    "inside a rewritten stable form": """
        x = st.Variable(3.0, name="x")
        with st.GradientTape(persistent=True) as tape:
            with st.GradientTape() as inner:
                e = np.exp(x)
                y = np.log(1 + e)  # here
            g = inner.gradient(y, x)
        source, target = e, g
    """,
    "NaN": """
        x = st.Variable(0.0, name="x")
        with st.GradientTape(persistent=True) as tape:
            q = x * 2
            r = q / q  # here
            y = r + x
        source, target = x, y
    """,
    "NaN/backward": """
        x = st.Variable(0.0, name="x")
        with st.GradientTape(persistent=True) as tape:
            q = np.sqrt(x)  # here
            y = q * q
        source, target = x, y
    """,
    "not None": """
        x = st.Variable(3.0, name="x")
        with st.GradientTape(persistent=True) as tape:
            q = np.sin(x)  # here
            y = q * 2
        source, target = x, y
    """,
}

EXPECTS_CUT = {"cut"}


def run(code, filename):
    """Run a case as the file or cell of that name; gives its names and the marked line."""
    code = textwrap.dedent(code)
    linecache.cache[filename] = (len(code), None, code.splitlines(keepends=True), filename)
    names = {"np": np, "st": st, "math": math, "__name__": "__main__"}
    exec(compile(code, filename, "exec"), names)  # the case as a user would run it
    marked = [k for k, line in enumerate(code.splitlines(), 1) if line.endswith("# here")]
    return names, marked[0], code.splitlines()[marked[0] - 1].strip()


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("kind", ["file", "cell"])
def test_each_reason_is_told_with_its_line(name, kind, tmp_path):
    reason = name.partition("/")[0]
    filename = str(tmp_path / "case.py") if kind == "file" else f"<ipython-input-1-{abs(hash(name)):x}>"
    with warnings.catch_warnings():
        if reason in EXPECTS_CUT:
            warnings.simplefilter("ignore", GradientCutWarning)
        names, line, text = run(CASES[name], filename)
    found = names["tape"].explain(names["target"], names["source"])
    assert found.reason == reason
    assert (found.filename, found.line, found.code) == (filename, line, text)
    assert f"{filename}:{line}: {text}" in str(found)
    if reason != "not None":
        assert "What to do: " in str(found)


def test_every_reason_has_a_case():
    assert {name.partition("/")[0] for name in CASES} == set(REASONS)


def test_the_answer_agrees_with_the_gradient(tmp_path):
    for k, (name, code) in enumerate(CASES.items()):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            names, _, _ = run(code, str(tmp_path / f"case_{k}.py"))
            g = names["tape"].gradient(names["target"], names["source"])
        reason = name.partition("/")[0]
        if reason == "NaN":
            assert np.isnan(g.numpy()), name
        else:
            assert (g is None) == (reason != "not None"), name


def test_in_a_notebook(tmp_path):
    IPython = pytest.importorskip("IPython")
    shell = IPython.core.interactiveshell.InteractiveShell.instance()
    try:
        shell.run_cell("import numpy as np, symtape as st")
        shell.run_cell("k = st.Variable(2.0, trainable=False, name='k')\nx = st.Variable(3.0)")
        shell.run_cell(
            "with st.GradientTape(persistent=True) as tape:\n    q = np.floor(x)\n    y = q * k\n"
            "why, how = tape.explain(y, x), tape.explain(y, k)"
        )
        why, how = shell.user_ns["why"], shell.user_ns["how"]
    finally:
        IPython.core.interactiveshell.InteractiveShell.clear_instance()
    assert (why.reason, why.line, why.code) == ("op without gradient", 2, "q = np.floor(x)")
    assert (how.reason, how.line) == ("trainable=False", 1)
    assert how.code == "k = st.Variable(2.0, trainable=False, name='k')"


def test_a_tape_that_is_used_up_still_explains():
    x, z = st.Variable(3.0, name="x"), st.Variable(4.0, name="z")
    with st.GradientTape() as tape:
        y = x * 2
    assert tape.gradient(y, z) is None
    assert tape.explain(y, z).reason == "does not depend"
    assert "'z'" in tape.explain(y, z).text


def test_a_custom_gradient_of_none_is_an_op_without_gradient():
    @st.custom_gradient
    def first_only(a, b):
        return a * b, lambda upstream: (upstream * b, None)

    a, b = st.Variable(2.0), st.Variable(3.0)
    with st.GradientTape(persistent=True) as tape:
        y = first_only(a, b)
    assert float(tape.gradient(y, a)) == 3.0
    assert tape.gradient(y, b) is None
    assert tape.explain(y, b).reason == "op without gradient"


def test_symbols_without_a_value_are_explained_too():
    s = st.symbol("s")
    with st.GradientTape(persistent=True) as tape:
        tape.watch(s)
        y = np.sqrt(s) * s
    assert tape.explain(y, s).reason == "not None"


def test_what_was_only_printed_is_no_cut(capsys):
    x, z = st.Variable(3.0, name="x"), st.Variable(4.0, name="z")
    with st.GradientTape(persistent=True) as tape:
        print(f"{x * 2:.1f}", x)
        y = z * 2
    assert tape.explain(y, x).reason == "does not depend"
    assert "printed" in tape.explain(y, x).text


@pytest.mark.parametrize("pair", [(1.0, None), (None, 1.0)])
def test_explain_takes_tensors(pair):
    x = st.Variable(3.0)
    with st.GradientTape() as tape:
        y = x * 2
    target, source = (y if pair[0] is None else pair[0]), (x if pair[1] is None else pair[1])
    with pytest.raises(TypeError, match="explain takes two tensors"):
        tape.explain(target, source)
