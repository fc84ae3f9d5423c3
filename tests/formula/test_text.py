import math

import numpy as np
import pytest

from symtape.compile.evaluate import evaluate
from symtape.errors import ExpressionSyntaxError
from symtape.formula.text import MAX_DEPTH, MAX_LENGTH, free_names, function_names, parse
from symtape.graph.node import symbol
from symtape.ops.namespace import NODES


def value(text: str, **at: float) -> float:
    """Read a text, then the number of the graph at a point."""
    names = {name: symbol(name) for name in at}
    node = parse(text, names, NODES)
    (result,) = evaluate([node], {names[name]: np.asarray(number, float) for name, number in at.items()})
    return float(result)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("x**2*y + sin(y)", 9.0 * 2.0 + math.sin(2.0)),
        ("-x**2", -9.0),
        ("+x - -y", 5.0),
        ("2**-x", 0.125),
        ("x / y / 2", 0.75),
        ("7 // 2 * x + 7 % 4", 12.0),
        ("x % y", 1.0),
        ("x // y", 1.0),
        ("exp(log(x))", 3.0),
        ("ln(x)", math.log(3.0)),
        ("Abs(-x) + abs(-y)", 5.0),
        ("asin(y/4) + arcsin(y/4)", 2 * math.asin(0.5)),
        ("atan2(x, y)", math.atan2(3.0, 2.0)),
        ("max(x, y, 5)", 5.0),
        ("Min(x, y, 5)", 2.0),
        ("where(x > y, x, y)", 3.0),
        ("where(logical_and(x > 5, y > 0), 1, 2)", 2.0),
        ("pi*x + E*y", math.pi * 3 + math.e * 2),
        ("1.5e-3*x", 0.0045),
        (" \n x", 3.0),
        ("(x\n+ y)", 5.0),
    ],
)
def test_what_is_read_means_what_it_says(text, expected):
    assert value(text, x=3.0, y=2.0) == pytest.approx(expected, rel=1e-15)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2**70", 2.0**70),
        ("2**-1", 0.5),
        ("2**-2000", 0.0),
        ("3**2000", math.inf),
        ("9**9**9", math.inf),
        ("10**20 + 1", 1e20),
        ("9223372036854775807 + 9223372036854775807", 2.0**64),
        ("6/3", 2.0),
        ("1/3", 1 / 3),
        ("1/0", math.inf),
        ("7 // 2", 3.0),
        ("-7 % 3", 2.0),
        ("1e999", math.inf),
        ("1" + "0" * 400, math.inf),
    ],
)
def test_constants_are_numbers_not_machine_integers(text, expected):
    assert value(text) == expected


def test_elements_of_arrays_are_read():
    matrix = symbol("A", (2, 2))
    (value,) = evaluate(
        [parse("A[0, 1] - 2*A[-1, 0]", {"A": matrix}, NODES)], {matrix: np.array([[1.0, 2.0], [3.0, 4.0]])}
    )
    assert value == -4.0
    with pytest.raises(ExpressionSyntaxError, match=r"cannot read 'A\[2, 0\]'.*out of bounds"):
        parse("A[2, 0]", {"A": matrix}, NODES)


def test_names_may_hide_constants():
    assert value("pi + E", pi=1.0, E=2.0) == 3.0


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("x^2", r"cannot read 'x\^2' at column 1: \^ is no power here; write \*\* for a power: x\*\*2$"),
        ("(y + x)^2", r"write \*\* for a power: \(y \+ x\)\*\*2$"),
        ("sine(x)", r"no function named 'sine'; did you mean .*sin"),
        ("qqqq(x)", r"no function named 'qqqq'; known are .*arcsin"),
        ("z + 1", r"'z' at column 1: there is no variable of that name; known are x, y"),
        ("sin + 1", r"sin is a function; give it its arguments, as in sin\(x\)"),
        ("x(2)", r"x is a variable and cannot be called"),
        ("x y", r"cannot read 'x y' at column \d"),
        ("", "empty"),
        ("  \n", "empty"),
        ("x +", "cannot read"),
        ("(x", "cannot read"),
        ("0 <= x <= 1", r"one comparison at a time; join two with logical_and"),
        ("x > 0 and y > 0", "logical_and"),
        ("not x", "only numbers"),
        ("sin(x, y, 1)", r"'sin\(x, y, 1\)' at column 1"),
        ("sin(x=1)", "positional arguments only"),
        ("sin(*x)", "only numbers"),
        ("x.real", "only numbers"),
        ("x.__class__.__bases__", "only numbers"),
        ("x[0]", "x has 0 axes, and 1 places are given"),
        ("z[0]", "only numbers"),
        ("x[y]", "only whole numbers stand between brackets"),
        ("x[0:1]", "only whole numbers"),
        ("x[True]", "only whole numbers"),
        ("x[0][1]", "only numbers"),
        ("__import__('os')", "no function named '__import__'"),
        ("open('f')", "no function named 'open'"),
        ("(lambda: 1)()", "only numbers"),
        ("'text'", "only numbers"),
        ("f'{x}'", "only numbers"),
        ("None", "only numbers"),
        ("...", "only numbers"),
        ("1j", "only numbers"),
        ("[x, y]", "only numbers"),
        ("[x for x in y]", "only numbers"),
        ("x if y else 1", "only numbers"),
        ("(x := 3)", "only numbers"),
        ("x @ y", "only numbers"),
        ("x << 2", "only numbers"),
        ("~x", "only numbers"),
        ("x = 3", "cannot read"),
        ("import os", "cannot read"),
        ("x; y", "cannot read"),
        ("x\0", "cannot read"),
        ("sum(x)", "no function named 'sum'"),
    ],
)
def test_what_is_not_read_is_an_error_that_says_why(text, message):
    names = {"x": symbol("x"), "y": symbol("y")}
    with pytest.raises(ExpressionSyntaxError, match=message):
        parse(text, names, NODES)


@pytest.mark.parametrize(
    "text",
    [
        "x + " * (MAX_LENGTH // 4) + "x",
        "+".join(["x"] * (MAX_DEPTH + 1)),
        "(" * 150 + "-" * 600 + "x" + ")" * 150,
        "-" * 19_000 + "x",
        "(" * 9_000 + "x" + ")" * 9_000,
        "x**" * 6_000 + "x",
    ],
)
def test_size_is_bounded(text):
    with pytest.raises(ExpressionSyntaxError, match=r"characters|too large|nested|cannot read"):
        parse(text, {"x": symbol("x")}, NODES)


def test_a_long_sum_within_the_bounds_is_read():
    assert value("+".join(["x"] * 400), x=0.5) == 200.0
    assert value("max(" + ",".join(["x"] * 2_000) + ")", x=0.5) == 0.5


def test_a_text_of_another_type_is_a_type_error():
    with pytest.raises(TypeError, match="an expression is a str, got int"):
        parse(3, {}, NODES)


def test_free_names_come_in_the_order_of_reading():
    assert free_names("b*sin(a) + pi*b + (\nc)") == ("b", "a", "c")
    assert free_names("1 + 2") == ()
    with pytest.raises(ExpressionSyntaxError):
        free_names("a b")


def test_every_function_named_can_be_read():
    names = {name: symbol(name) for name in "abcd"}
    for function in function_names():
        for count in (1, 2, 3, 4):
            try:
                node = parse(f"{function}({', '.join('abcd'[:count])})", names, NODES)
            except ExpressionSyntaxError:
                continue
            assert node.shape == ()
            break
        else:
            pytest.fail(f"{function} takes neither one nor two, three or four arguments")
