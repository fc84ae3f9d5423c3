import numpy as np
import pytest

import symtape as st
from symtape.compile.evaluate import evaluate
from symtape.errors import (
    AmbiguousVariableError,
    DTypeError,
    MissingValueError,
    NonFiniteError,
    ShapeError,
    UnusedVariableError,
)
from symtape.graph.traverse import substitute
from symtape.optimize.unknowns import given_parameters, listed, starting_values, unique_names

BY = "here"


def made():
    s = st.Variable(2.0, name="s")
    v = st.Variable(np.arange(3.0), name="v")
    M = st.Variable(np.arange(4.0).reshape(2, 2), name="M")
    expression = s * np.sum(v) + np.sum(M @ M)
    return s, v, M, expression, listed([s, v, M], [expression.node], BY)


def test_variables_of_any_shape_become_one_vector_and_come_back():
    _s, _v, M, expression, unknowns = made()
    assert unknowns.size == 8
    x = starting_values(unknowns, None, BY)
    np.testing.assert_array_equal(x, [2, 0, 1, 2, 0, 1, 2, 3])
    parts = unknowns.split(x)
    np.testing.assert_array_equal(parts[M.node], M.numpy())
    np.testing.assert_array_equal(unknowns.join(parts), x)
    assert [unknowns.label(i) for i in (0, 1, 3, 4, 7)] == ["s", "v[0]", "v[2]", "M[0, 0]", "M[1, 1]"]
    (flat,) = substitute([expression.node], unknowns.substitution())
    assert evaluate([flat], {unknowns.x: x})[0] == pytest.approx(float(expression))


def test_one_vector_is_the_flat_vector_itself():
    v = st.Variable(np.arange(3.0), name="v")
    unknowns = listed(v, [np.sum(v).node], BY)
    assert unknowns.substitution() == {v.node: unknowns.x}


@pytest.mark.parametrize(
    ("start", "expected"),
    [
        (lambda s, v, M: {"s": 7.0}, [7, 0, 1, 2, 0, 1, 2, 3]),
        (lambda s, v, M: {v: [4, 5, 6]}, [2, 4, 5, 6, 0, 1, 2, 3]),
        (lambda s, v, M: [1.0, [0, 0, 0], np.eye(2)], [1, 0, 0, 0, 1, 0, 0, 1]),
        (lambda s, v, M: np.arange(8.0), np.arange(8.0)),
    ],
)
def test_starts(start, expected):
    s, v, M, _, unknowns = made()
    np.testing.assert_array_equal(starting_values(unknowns, start(s, v, M), BY), expected)


@pytest.mark.parametrize(
    ("start", "kind", "words"),
    [
        ({"t": 1.0}, ValueError, "'t'.*s, v, M"),
        ({"v": [1.0, 2.0]}, ShapeError, r"start of v has shape \(2,\), wanted \(3,\)"),
        (np.zeros(5), ShapeError, r"shape \(5,\), wanted \(8,\)"),
        ({"v": [1.0, np.nan, 0.0]}, NonFiniteError, r"nan at v\[1\]"),
        ({"v": "zero"}, DTypeError, "v is 'zero'"),
    ],
)
def test_bad_starts(start, kind, words):
    with pytest.raises(kind, match=words):
        starting_values(made()[-1], start, BY)


def test_a_symbol_has_to_be_given_a_start():
    a = st.symbol("a")
    unknowns = listed([a], [(a**2).node], BY)
    with pytest.raises(MissingValueError, match="a has no value to start from"):
        starting_values(unknowns, None, BY)
    np.testing.assert_array_equal(starting_values(unknowns, {a: 3.0}, BY), [3.0])


def test_what_cannot_be_solved_for():
    x, y = st.Variable(1.0, name="x"), st.Variable(1.0, name="y")
    with pytest.raises(UnusedVariableError, match="contains the variable 'y'"):
        listed([x, y], [(x**2).node], BY)
    with pytest.raises(ValueError, match="listed twice"):
        listed([x, x], [(x**2).node], BY)
    with pytest.raises(TypeError, match="is an expression"):
        listed([x * 2], [(x * 2).node], BY)
    with pytest.raises(TypeError, match="wanted the variables"):
        listed(None, [(x**2).node], BY)
    with pytest.raises(TypeError, match=r"variables\[1\] is the float"):
        listed([x, 2.0], [(x**2).node], BY)
    k = st.Variable(3, dtype=int, name="k")
    with pytest.raises(DTypeError, match="k has dtype int"):
        listed([k], [(k * x).node], BY)


def test_two_versions_of_a_variable_are_ambiguous():
    x = st.Variable(1.0, name="x")
    first = x**2
    x.assign(2.0)
    second = first + x
    with pytest.raises(AmbiguousVariableError, match=r"2 versions of the variable 'x'.*test_unknowns"):
        listed([x], [second.node], BY)


def test_an_older_version_starts_from_the_current_value():
    x = st.Variable(1.0, name="x")
    expression = (x - 5) ** 2
    x.assign(3.0)
    unknowns = listed([x], [expression.node], BY)
    np.testing.assert_array_equal(starting_values(unknowns, None, BY), [3.0])


def test_names_are_unique():
    assert unique_names(["a", None, "a", "x1"]) == ["a", "x1_2", "a_2", "x1"]
    assert unique_names([None, None]) == ["x0", "x1"]


def test_parameters_are_found_by_tensor_and_by_name():
    x = st.Variable(1.0, name="x")
    k = st.Variable(np.ones(2), name="k")
    c = st.constant(3.0, name="c")
    outputs = [(np.sum(k) * x + c).node]
    unknowns = listed([x], outputs, BY)
    found = given_parameters({k: [1.0, 2.0], "c": 5.0}, unknowns, outputs, BY)
    assert [node for node, _, _ in found] == [k.node, c.node]
    for given, kind, words in (
        ({x: 2.0}, ValueError, "'x' is solved for"),
        ({"z": 2.0}, ValueError, "'z' in given stands nowhere.*c, k"),
        ({k: 2.0}, ShapeError, r"k has shape \(\), wanted \(2,\)"),
        ({k: [np.inf, 1.0]}, NonFiniteError, r"k\[0\]"),
    ):
        with pytest.raises(kind, match=words):
            given_parameters(given, unknowns, outputs, BY)
