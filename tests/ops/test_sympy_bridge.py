"""From sympy: forms, every function, and what is refused."""

import math

import numpy as np
import pytest
import sympy as sp

from symtape.compile.evaluate import evaluate
from symtape.errors import NoFormulaError, UnknownNameError
from symtape.graph.node import CONST, symbol
from symtape.ops.namespace import NODES as B
from symtape.ops.sympy_bridge import arguments_of, from_sympy, functions_by_class, translate
from symtape.ops.sympy_functions import sympy_function

x, y, z = sp.symbols("x y z", real=True)
X, Y, Z = symbol("x"), symbol("y"), symbol("z")
NAMES = {"x": X, "y": Y, "z": Z}


def written(node):
    if node.op is CONST:
        return f"{node.value!r}" if not hasattr(node.value, "dtype") else f"{node.value.item()!r}"
    if not node.inputs:
        return node.params[1]
    more = [str(p) for p in node.params]
    return f"{node.op.name}({', '.join([written(i) for i in node.inputs] + more)})"


def value(expression, **numbers):
    node = from_sympy(B, expression, NAMES)
    return float(evaluate([node], {NAMES[k]: np.asarray(v) for k, v in numbers.items()})[0])


@pytest.mark.parametrize(
    ("expression", "text"),
    [
        (x + 1, "add(x, 1)"),
        (x - 1, "subtract(x, 1)"),
        (1 - y**2, "subtract(1, power(y, 2))"),
        (-x - y, "negative(add(x, y))"),
        (2 * x * y, "multiply(multiply(2, x), y)"),
        (-x * y, "negative(multiply(x, y))"),
        (-3 * x, "multiply(-3, x)"),
        (x / 2, "multiply(0.5, x)"),
        (x / 3, "divide(x, 3)"),
        (2 * x / 3, "divide(multiply(2, x), 3)"),
        (x / y, "divide(x, y)"),
        (1 / (3 * x), "divide(1, multiply(3, x))"),
        (-1 / x, "divide(-1, x)"),
        (x**3, "power(x, 3)"),
        (x**-2, "divide(1, power(x, 2))"),
        (sp.sqrt(x), "sqrt(x)"),
        (1 / sp.sqrt(x), "divide(1, sqrt(x))"),
        (x ** sp.Rational(1, 3), "power(x, divide(1, 3))"),
        (x**0.3, "power(x, 0.3)"),
        (x**y, "power(x, y)"),
        (2**x, "power(2, x)"),
        (sp.exp(-x), "exp(negative(x))"),
        (sp.log(2) * x, "multiply(x, log(2))"),
        (sp.exp(x) + sp.exp(y) + 1, "add(add(exp(x), exp(y)), 1)"),
        (sp.Abs(x), "absolute(x)"),
        (sp.Max(x, 0), "relu(x)"),
        (sp.Max(x, y), "maximum(x, y)"),
        (sp.Piecewise((x, x > 0), (y, True)), "select(greater(x, 0), x, y)"),
        (sp.Piecewise((x, x > 0), (y, y > 1), (z, True)), "select(greater(x, 0), x, select(greater(y, 1), y, z))"),
        (sp.Piecewise((x, x > 0)), "select(greater(x, 0), x, nan)"),
        (sp.ITE(x > 0, y > 0, z > 0), "select(greater(x, 0), greater(y, 0), greater(z, 0))"),
        (sp.And(x > 0, y > 0, z > 0), None),
        (sp.Not(sp.Eq(x, y)), "not_equal(x, y)"),
        (sp.pi * x, f"multiply({math.pi!r}, x)"),
        (sp.E * x, f"multiply({math.e!r}, x)"),
        (sp.oo, "inf"),
        (-sp.oo, "-inf"),
        (sp.nan, "nan"),
        (sp.true, "True"),
        (sp.Integer(3), "3"),
        (sp.Float(0.1), "0.1"),
        (sp.Rational(3, 8), "0.375"),
        (3, "3"),
        (0.25, "0.25"),
    ],
    ids=str,
)
def test_what_a_person_would_write(expression, text):
    node = from_sympy(B, expression, NAMES)
    if text is not None:
        assert written(node) == text


@pytest.mark.parametrize(
    ("function", "point"),
    [
        *[
            (f, 0.7)
            for f in (sp.sin, sp.cos, sp.tan, sp.asin, sp.acos, sp.atan, sp.sinh, sp.cosh, sp.tanh, sp.asinh, sp.atanh)
        ],
        *[
            (f, 1.3)
            for f in (
                sp.sec,
                sp.csc,
                sp.cot,
                sp.sech,
                sp.csch,
                sp.coth,
                sp.asec,
                sp.acsc,
                sp.acot,
                sp.acsch,
                sp.acoth,
                sp.acosh,
            )
        ],
        (sp.asech, 0.4),
        *[
            (f, 1.7)
            for f in (
                sp.exp,
                sp.log,
                sp.sqrt,
                sp.cbrt,
                sp.gamma,
                sp.loggamma,
                sp.digamma,
                sp.trigamma,
                sp.erf,
                sp.erfc,
                sp.factorial,
            )
        ],
        *[
            (f, -2.6)
            for f in (
                sp.Abs,
                sp.sign,
                sp.floor,
                sp.ceiling,
                sp.frac,
                sp.sinc,
                sp.re,
                sp.im,
                sp.conjugate,
                sp.Heaviside,
                sp.acot,
            )
        ],
        (sp.sinc, 0.0),
        (lambda t: sp.polygamma(3, t), 1.2),
        (lambda t: sp.polygamma(0, t), 1.2),
        (lambda t: sp.Heaviside(t, sp.Rational(1, 4)), 0.0),
        (lambda t: sp.atan2(t, -1), 0.4),
        (lambda t: sp.Mod(t, 2), -0.7),
        (lambda t: sp.binomial(t, 2), 4.5),
        (lambda t: sp.beta(t, 2), 1.5),
        (lambda t: sp.Min(t, 1, 2 * t), 0.4),
        (lambda t: sp.Max(t, 1, 2 * t), 0.4),
        (lambda t: sp.Pow(t, sp.Rational(-2, 3)), 1.9),
        (lambda t: sp.GoldenRatio * t, 1.0),
        (lambda t: sp.Piecewise((1, sp.Or(t < 0, t > 1)), (2, sp.And(t > 0.2, t < 0.4)), (3, True)), 0.3),
        (lambda t: sp.Piecewise((1, sp.Xor(t < 0, t > -1)), (2, True)), 0.3),
    ],
    ids=str,
)
def test_every_function_has_the_value_that_sympy_gives_it(function, point):
    unevaluated = sp.Symbol("x")  # a plain symbol, so that sympy keeps re and conjugate
    expression = function(unevaluated)
    expected = float(sp.re(sp.N(expression.subs(unevaluated, sp.Float(point, 30)), 30)))
    assert value(expression, x=point) == pytest.approx(expected, rel=1e-13, abs=1e-13)


@pytest.mark.parametrize(
    "name", ["cbrt", "rint", "trunc", "copysign", "fmax", "fmin", "fmod", "gammaln", "isnan", "signbit"]
)
def test_functions_of_ours_come_back(name):
    arguments = (x, y)[: len(sympy_function(name).nargs.args and tuple(range(sympy_function(name).nargs.args[0])))]
    node = from_sympy(B, sympy_function(name)(*arguments), NAMES)
    assert node.op.name == name


def test_the_table_is_read_off_the_formulas():
    table = functions_by_class()
    assert table["sin"] == ("sin", (0,))
    assert table["atan2"] == ("arctan2", (0, 1))
    assert table["StrictGreaterThan"] == ("greater", (0, 1))
    assert table["log"] == ("log", (0,))
    assert table["Abs"] == ("absolute", (0,))


@pytest.mark.parametrize(
    ("expression", "name", "remedy"),
    [
        (sp.elliptic_pi(x, y), "elliptic_pi", "it has .*sin"),
        (sp.mathieuc(x, y, x), "mathieuc", "it has .*sin"),
        (sp.hyper((x, y), (z, z + 1), y), "hyper", "hyperexpand"),
        (sp.Function("f")(x), "f", "undefined: map its name to a function"),
        (sp.Integral(sp.Function("g")(x), (x, 0, 1)), "Integral", r"\.doit\(\)"),
        (sp.Derivative(sp.Function("g")(x), x), "Derivative", r"\.doit\(\)"),
        (sp.I * x, "ImaginaryUnit", "real and imaginary part"),
        (sp.zoo, "ComplexInfinity", "real and imaginary part"),
        (sp.polygamma(y, x), "polygamma", "its order must be a number"),
        (sp.LambertW(x, 2), "LambertW", "its real branches are 0 and -1"),
        (sp.fibonacci(x), "fibonacci", "integers only"),
    ],
    ids=str,
)
def test_an_unsupported_function_is_named(expression, name, remedy):
    with pytest.raises(NoFormulaError, match=rf"sympy's {name}, .*: .*{remedy}"):
        from_sympy(B, expression, NAMES)


def test_a_number_without_a_function_is_what_sympy_works_out():
    t = sp.Symbol("t")
    for number in (
        sp.rootof(t**5 - t - 1, 0),
        sp.elliptic_pi(sp.Rational(1, 2), sp.Rational(1, 3)),
        sp.AlgebraicNumber(sp.sqrt(2)),
        sp.stieltjes(2),
        sp.Rational(10**400 + 1, 3 * 10**399),
        sp.Integer(10) ** 30,
    ):
        assert value(number) == float(number.evalf(30))
        assert value(x * number, x=3.0) == pytest.approx(3 * float(number.evalf(30)), rel=2e-16)


def test_symbols_that_are_no_real_numbers_are_refused():
    with pytest.raises(NoFormulaError, match="the symbol p does not commute"):
        from_sympy(B, sp.Symbol("p", commutative=False) ** 2, {"p": X})
    with pytest.raises(NoFormulaError, match="the symbol q is assumed not to be real"):
        from_sympy(B, sp.exp(sp.Symbol("q", imaginary=True)), {"q": X})


def test_matrices_and_strangers_are_refused():
    with pytest.raises(NoFormulaError, match="scalar sympy expression, got a"):
        from_sympy(B, sp.Matrix([x, y]), NAMES)
    with pytest.raises(TypeError, match="wanted a sympy expression or a number, got 'x'"):
        from_sympy(B, "x", NAMES)


def test_an_unknown_symbol_is_named():
    with pytest.raises(UnknownNameError, match="the symbol w, which the mapping does not give; it gives x, y, z"):
        from_sympy(B, x + sp.Symbol("w"), NAMES)
    with pytest.raises(UnknownNameError, match="the symbol w, which was given no meaning"):
        translate(sp.Symbol("w"), {})


def test_symbols_or_names_or_numbers_stand_in_the_mapping():
    assert written(from_sympy(B, x * y, {x: X, "y": 2.0})) == "multiply(x, 2.0)"


def test_equal_parts_are_computed_once():
    program = translate(sp.sin(x) * sp.exp(sp.sin(x)) + sp.sin(x), {x: 0})
    assert [s.function for s in program.steps].count("sin") == 1


def test_deep_and_wide_expressions_pass():
    deep = x
    for _ in range(3000):
        deep = sp.sin(deep, evaluate=False)
    assert value(deep, x=0.5) == pytest.approx(math.sqrt(3 / 3000), rel=0.01)
    wide = sp.Add(*[sp.Symbol(f"s{k}") for k in range(3000)])
    total = from_sympy(B, wide, {f"s{k}": float(k) for k in range(3000)})
    assert float(evaluate([total])[0]) == sum(range(3000))


def test_constants_take_the_precision_of_the_arguments():
    single = symbol("s", dtype=np.float32)
    node = from_sympy(B, sp.log(2) * x / 3 + sp.sqrt(sp.pi) * x, {"x": single})
    assert node.dtype == np.float32


def test_integers_stay_integers():
    whole = symbol("n", dtype=np.int64)
    assert from_sympy(B, 2 * x + 1, {"x": whole}).dtype == np.int64


def test_the_number_of_arguments_of_a_formula():
    assert arguments_of(lambda sp, a, b: a + b) == 2
