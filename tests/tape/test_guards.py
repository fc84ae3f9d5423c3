"""Decisions and cuts: what is noted, what warns, what is refused."""

import gc
import linecache
import math
import re
import textwrap
import threading
import warnings
import weakref

import numpy as np
import pytest
import sympy

import symtape as st
from symtape.errors import ConcreteValueError, GradientCutWarning, SymbolicTruthError
from symtape.tape import guards
from symtape.tape.recording import active_captures, capture
from symtape.tape.tensor import lift

# ------------------------------------------------------------------------------------------------------------ decisions


def test_a_branch_is_a_guard_with_its_line():
    x = st.Variable(3.0, name="x")
    with st.GradientTape() as tape:
        y = x**2 if x > 1 else x  # the line
    (guard,) = tape.guards
    assert guard.seen is True
    assert guard.how == "bool"
    assert guard.line.endswith("y = x**2 if x > 1 else x  # the line")
    assert guard.line.startswith(__file__)
    assert float(tape.gradient(y, x)) == 6.0


def test_assumptions_are_relations_that_held():
    x, y = st.Variable(3.0, name="x"), st.Variable(2.0, name="y")
    with st.GradientTape() as tape:
        bool(x > 1)
        bool(x < y)
        bool(x > 1)
        with pytest.warns(GradientCutWarning):
            int(x * 2)
        bool(x)
    X, Y = sympy.Symbol("x", real=True), sympy.Symbol("y", real=True)
    plain = [a.xreplace({s: sympy.Symbol(s.name, real=True) for s in a.free_symbols}) for a in tape.assumptions]
    assert plain[0] == (X > 1)
    assert plain[1] == (X >= Y)
    assert len(plain) == 4
    assert plain[3] == sympy.Ne(X, 0)
    assert all(a.subs({X: 3, Y: 2}) == sympy.true for a in plain)


@pytest.mark.parametrize(
    ("decide", "seen"),
    [
        (lambda x: bool(x > 2), True),
        (lambda x: bool(x < 2), False),
        (lambda x: bool(x), True),
        (lambda x: not x, True),
        (lambda x: (x > 2) and (x < 4), True),
        (lambda x: 2 <= x <= 4, True),
    ],
)
def test_the_condition_of_a_guard_holds_where_it_was_taken_and_fails_where_not(decide, seen):
    from symtape.compile.evaluate import evaluate

    x = st.Variable(3.0)
    with st.GradientTape() as tape:
        decide(x)
    for guard in tape.guards:
        assert guard.condition().dtype == bool
        assert evaluate([guard.condition()])[0]
    assert tape.guards[0].seen is seen


def test_an_integer_is_a_guard():
    from symtape.compile.evaluate import evaluate

    n, x = st.Variable(3, dtype=int), st.Variable(3.7)
    with st.GradientTape() as tape:
        assert list(range(n)) == [0, 1, 2]
        assert [10, 20, 30, 40][n] == 40
        with pytest.warns(GradientCutWarning):
            assert int(x) == 3
    assert [g.how for g in tape.guards] == ["int", "int", "int"]
    leaf = tape.guards[2].node
    assert evaluate([tape.guards[2].condition()], {leaf: np.float64(3.2)})[0]
    assert not evaluate([tape.guards[2].condition()], {leaf: np.float64(4.1)})[0]


def test_only_integers_are_an_index():
    with pytest.raises(TypeError, match="only integer scalar tensors can be converted to an index"):
        range(st.Variable(3.0))
    with pytest.raises(TypeError, match="only integer scalar tensors"):
        range(st.Variable([3], dtype=int))


def test_a_count_is_a_guard():
    from symtape.compile.evaluate import evaluate

    x = st.Variable([1.0, -1.0, 2.0])
    with st.GradientTape() as tape:
        assert guards.count(x > 0) == 2
    (guard,) = tape.guards
    assert evaluate([guard.condition()], {x.node: np.array([-1.0, 2.0, 3.0])})[0]
    assert not evaluate([guard.condition()], {x.node: np.array([1.0, 2.0, 3.0])})[0]


def test_implicit_constants_decide_without_a_guard():
    with st.GradientTape() as tape:
        assert guards.truth(lift(3.0) > 2)
        assert guards.truth(st.constant(3.0) > 2)
    assert len(tape.guards) == 1  # one made by the user is a leaf, which a program may be given anew


@pytest.mark.parametrize("decide", [bool, lambda s: 1 if s > 0 else 0, lambda s: 0 <= s <= 1, lambda s: s and 1])
def test_without_a_value_there_is_no_truth(decide):
    with pytest.raises(SymbolicTruthError, match=r"st\.where.*st\.between"):
        decide(st.symbol("s"))


def test_the_truth_of_an_array_is_ambiguous():
    with pytest.raises(ValueError, match="ambiguous"):
        bool(st.Variable([1.0, 2.0]))


# ------------------------------------------------------------------------------------------------------------- the log


def test_decisions_are_logged_with_the_leaves():
    x, y = st.Variable(3.0), st.Variable(4.0)
    start = (x * 1).ident
    if x * y > 1:
        z = x * 2
    later = z.ident
    bool(x > 2)
    for leaf in (x.node, y.node):
        (guard,) = guards.logged([leaf], before=later)
        assert guard.stamp > start
    assert [g.seen for g in guards.logged([x.node])] == [True, True]
    assert guards.logged([y.node], before=start) == []


def test_an_equal_decision_is_logged_once():
    x = st.Variable(3.0)
    for _ in range(5):
        bool(x > 1)
    assert len(guards.logged([x.node])) == 1


def test_the_log_belongs_to_its_thread():
    x = st.Variable(3.0)
    thread = threading.Thread(target=lambda: bool(x > 1))
    thread.start()
    thread.join()
    assert guards.logged([x.node]) == []


def test_the_log_keeps_nothing_alive():
    data = st.constant(np.ones(1000))
    v = st.Variable(3.0)
    bool(np.sum(data * v) > 1)
    leaf = weakref.ref(v.node)
    v.assign(4.0)
    gc.collect()
    assert leaf() is None
    assert guards.logged([data.node]) == []


# ------------------------------------------------------------------------------------------------- recording for reuse


def test_a_capture_collects_guards_once_and_keeps_them_from_the_log():
    x = st.Variable(3.0)
    with capture("st.jit") as here:
        for _ in range(3):
            bool(x > 1)
        bool(x > 2)
    assert [g.seen for g in here.guards] == [True, True]
    assert active_captures() == []
    assert guards.logged([x.node]) == []


@pytest.mark.parametrize(
    "take",
    [
        lambda x: float(x),
        lambda x: math.sin(x),
        lambda x: x.numpy(),
        lambda x: x.item(),
        lambda x: np.zeros(2).__setitem__(0, x),
        lambda x: np.asarray(x, dtype=float),
        lambda x: x.tolist(),
        lambda x: complex(x),
    ],
)
def test_a_number_taken_out_while_a_callable_is_recorded_is_an_error(take):
    x = st.Variable(3.0)
    with (
        pytest.raises(ConcreteValueError, match=r"st\.jit recorded the function for reuse") as error,
        capture("st.jit"),
    ):
        take(x * 2)
    assert __file__ in str(error.value)


def test_what_cannot_change_may_be_taken_out():
    x, c = st.Variable(3.0), st.Variable(4.0)
    with capture("st.jit", depends=lambda node: node is x.node):
        assert float(c) == 4.0
        with pytest.raises(ConcreteValueError):
            float(x)


def test_printing_is_allowed_while_a_callable_is_recorded():
    x = st.Variable(3.0)
    with capture("st.jit"):
        assert f"{x:.1f}" == "3.0"
        assert "3.0" in repr(x)


# ----------------------------------------------------------------------------------------------------------------- cuts


def cut_in(code, **names):
    """Run code as a file of its own; gives the warnings."""
    code = textwrap.dedent(code)
    filename = f"/nowhere/cut_{abs(hash(code)):x}.py"
    linecache.cache[filename] = (len(code), None, code.splitlines(keepends=True), filename)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        exec(compile(code, filename, "exec"), {"np": np, "st": st, "math": math, "__name__": "user", **names})
    return caught


@pytest.mark.parametrize(
    ("line", "remedy"),
    [
        ("y = float(x)", r"write x\.numpy\(\)"),
        ("y = math.sin(x)", r"np\.sin\(\.\.\.\) instead of math\.sin"),
        ("y = math.atan2(x, 1.0)", r"np\.arctan2\(\.\.\.\)"),
        ("a = np.zeros(2); a[0] = x", r"\.at\[i\]\.set"),
        ("y = np.asarray(x, dtype=float)", r"or x\.numpy\(\)"),
        ("y = int(x)", "keep it a tensor"),
        ("y = complex(x)", "keep it a tensor"),
    ],
)
def test_a_cut_warns_at_the_users_line_with_the_remedy(line, remedy):
    caught = cut_in(f"x = st.Variable(3.0)\nwith st.GradientTape() as tape:\n    {line}\n")
    assert [w.category for w in caught] == [GradientCutWarning]
    assert caught[0].lineno == 3
    assert caught[0].filename.startswith("/nowhere/cut_")
    assert re.search(remedy, str(caught[0].message))
    assert line in str(caught[0].message)


def test_a_cut_warns_once_a_line_and_tape():
    code = """
        x = st.Variable(3.0)
        for k in range(3):
            with st.GradientTape() as tape:
                for j in range(4):
                    float(x)
                float(x * 2)
        """
    caught = cut_in(code)
    assert len(caught) == 6  # two lines on three tapes


def test_the_default_filter_shows_a_line_once():
    code = """
        import warnings
        x = st.Variable(3.0)
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("default")
            for k in range(3):
                with st.GradientTape() as tape:
                    float(x)
        found.extend(caught)
        """
    found = []
    cut_in(code, found=found)
    assert len(found) == 1


@pytest.mark.parametrize(
    "line",
    [
        "y = x.numpy()",
        "y = (x * 2).item()",
        "y = f'{x:.3f}'",
        "y = str(x), repr(x)",
        "y = x.tolist()",
        "y = float(c)",
        "y = float(c * 2)",
        "with tape.stop_recording(): y = float(x)",
    ],
)
def test_deliberate_and_unconnected_cuts_are_silent(line):
    code = f"x, c = st.Variable(3.0), st.constant(2.0)\nwith st.GradientTape() as tape:\n    x * 1\n    {line}\n"
    assert cut_in(code) == []


def test_without_a_tape_nothing_warns():
    assert cut_in("x = st.Variable(3.0)\nfloat(x); math.sin(x * 2); int(x)") == []


def test_deliberate_cuts_are_logged():
    x = st.Variable(3.0)
    with st.GradientTape() as tape:
        q = x * x
        q.numpy()
        q.item()
        str(q)
        f"{q:.2f}"
    assert [(c.call, c.silent) for c in tape.cuts] == [
        (".numpy()", True),
        (".item()", True),
        ("print", True),
        ("format", True),
    ]
    assert {c.ident for c in tape.cuts} == {q.ident}


def test_a_warning_raised_as_an_error_leaves_all_unchanged():
    x = st.Variable(3.0)
    out = np.zeros(2)
    with st.GradientTape(persistent=True) as tape:
        q = x * x
        with warnings.catch_warnings():
            warnings.simplefilter("error", GradientCutWarning)
            with pytest.raises(GradientCutWarning):
                float(q)
            with pytest.raises((GradientCutWarning, ValueError)):
                out[0] = q
        assert tape.cuts == []
        assert tape.warned == set()
        np.testing.assert_array_equal(out, [0.0, 0.0])
        with pytest.warns(GradientCutWarning):
            float(q)
    assert len(tape.cuts) == 1
    assert float(tape.gradient(q, x)) == 6.0


def test_elements_that_decide_a_shape_are_one_guard():
    x = st.Variable([0.0, 1.0, 2.0, 0.0])
    with st.GradientTape() as tape:
        y = np.trim_zeros(x)
    (assumption,) = tape.assumptions
    assert "Variable" not in str(assumption)
    f = st.function([x], y)
    np.testing.assert_array_equal(f(np.array([0.0, 5.0, 6.0, 0.0])), [5.0, 6.0])
    with pytest.raises(st.errors.AssumptionViolated, match=r"had the elements \(False, True, True, False\)"):
        f(np.array([3.0, 5.0, 6.0, 0.0]))
    g = st.jit(np.trim_zeros)
    np.testing.assert_array_equal(g(np.array([0.0, 5.0, 6.0, 0.0])), [5.0, 6.0])
    np.testing.assert_array_equal(g(np.array([3.0, 5.0, 6.0, 0.0])), [3.0, 5.0, 6.0])
