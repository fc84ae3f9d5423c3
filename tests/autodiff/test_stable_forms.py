"""The table of stable forms: each against mpmath in 50 digits over the whole range of doubles."""

import pathlib

import mpmath
import numpy as np
import pytest

import symtape as st
from symtape.autodiff.rewrite import stable_graph
from symtape.autodiff.stable_forms import FORMS, table
from symtape.graph.node import symbol
from symtape.ops.namespace import NODES as B

ROOT = pathlib.Path(__file__).parents[2]
SMALLEST = 1e-300  # below, doubles lose digits

tiny = [s * 10.0**k for k in (-300, -150, -20, -9, -5) for s in (-1, 1)]
middle = [s * v for v in (1e-3, 0.05, 0.3, 0.7, 1.0, 2.5, 9.0, 33.0, 40.0) for s in (-1, 1)]
far = [s * v for v in (120.0, 400.0, 690.0) for s in (-1, 1)]
huge = [s * v for v in (800.0, 1e5, 1e100, 1e300) for s in (-1, 1)]
every = [*tiny, *middle, *far, *huge]

# (pattern, as typed, in many digits, points)
CASES = [
    ("log(1 + exp(x))", lambda x: np.log(1 + np.exp(x)), lambda mp, x: softplus(mp, x), every),
    ("log1p(exp(x))", lambda x: np.log1p(np.exp(x)), lambda mp, x: softplus(mp, x), every),
    ("log(1 - exp(x))", lambda x: np.log(1 - np.exp(x)), lambda mp, x: log1mexp(mp, x), [x for x in every if x < 0]),
    ("log(1 - exp(x))", lambda x: np.log(1 - np.exp(-x)), lambda mp, x: log1mexp(mp, -x), [x for x in every if x > 0]),
    ("log1p(-exp(x))", lambda x: np.log1p(-np.exp(x)), lambda mp, x: log1mexp(mp, x), [x for x in every if x < 0]),
    ("log(-expm1(x))", lambda x: np.log(-np.expm1(x)), lambda mp, x: log1mexp(mp, x), [x for x in every if x < 0]),
    ("log(1/(1 + exp(-x)))", lambda x: np.log(1 / (1 + np.exp(-x))), lambda mp, x: -softplus(mp, -x), every),
    ("log(expit(x))", lambda x: np.log(st.special.expit(x)), lambda mp, x: -softplus(mp, -x), every),
    ("log(1 + x)", lambda x: np.log(1 + x), lambda mp, x: mp.log1p(x), [x for x in every if x > -1]),
    ("exp(x) - 1", lambda x: np.exp(x) - 1, lambda mp, x: mp.expm1(x), [*tiny, *middle, *far]),
    ("1 - cos(x)", lambda x: 1 - np.cos(x), lambda mp, x: 2 * mp.sin(x / 2) ** 2, [*tiny, *middle, *far, 1e5]),
    ("x/(exp(x) - 1)", lambda x: x / (np.exp(x) - 1), lambda mp, x: x / mp.expm1(x), [*tiny[4:], *middle, *far]),
    ("x/(exp(x) - 1)", lambda x: x / np.expm1(x), lambda mp, x: x / mp.expm1(x), [*tiny[4:], *middle, *far]),
    ("1/(1 + exp(-x))", lambda x: 1 / (1 + np.exp(-x)), lambda mp, x: sigmoid(mp, x), every),
    ("1/(1 + exp(-x))", lambda x: np.reciprocal(1 + np.exp(-x)), lambda mp, x: sigmoid(mp, x), every),
    ("exp(x)/(1 + exp(x))", lambda x: np.exp(x) / (1 + np.exp(x)), lambda mp, x: sigmoid(mp, x), every),
]


def softplus(mp, x):
    return x + mp.log1p(mp.exp(-x)) if x > 0 else mp.log1p(mp.exp(x))


def log1mexp(mp, x):
    return mp.log(-mp.expm1(x))


def sigmoid(mp, x):
    return 1 / (1 + mp.exp(-x))


#: Derivatives of the functions above, in closed form, so that many digits are cheap.
SLOPES = {
    "softplus": (lambda mp, x: sigmoid(mp, x), lambda mp, x: sigmoid(mp, x) * sigmoid(mp, -x)),
    "log1mexp": (lambda mp, x: -1 / mp.expm1(-x), lambda mp, x: 1 / (mp.expm1(x) * mp.expm1(-x))),
}


def exact(function, x, order):
    """The derivative in 50 digits; the working precision covers what cancels on the way."""
    magnitude = abs(x)
    digits = 60 + int(3 * max(0.0, -np.log10(magnitude))) + (int(magnitude) if magnitude < 1000 else 0)
    with mpmath.workdps(digits):
        point = mpmath.mpf(x)
        if order == 0:
            return float(function(mpmath, point))
        if magnitude > 700:
            return None
        step = point * mpmath.mpf(10) ** -20
        return float(mpmath.diff(lambda t: function(mpmath, t), point, order, h=step * mpmath.mpf(10) ** -5))


def close(actual, expected, label):
    if abs(expected) < SMALLEST:
        assert abs(actual) < 2 * SMALLEST, label
    else:
        assert actual == pytest.approx(expected, rel=1e-12, abs=0), label


@pytest.mark.parametrize("case", CASES, ids=lambda case: case[0])
def test_value_gradient_and_curvature_in_fifty_digits(case):
    _, typed, function, points = case
    with np.errstate(all="ignore"):
        value_and_grad, curvature = st.value_and_grad(typed), st.hessian(typed)
        for x in points:
            value, slope = value_and_grad(x)
            close(value, exact(function, x, 0), f"value at {x}")
            for order, actual in ((1, slope), (2, curvature(x))):
                expected = exact(function, x, order)
                if expected is not None:
                    close(actual, expected, f"derivative {order} at {x}")
                assert not np.isnan(actual), f"derivative {order} at {x}"


@pytest.mark.parametrize("case", CASES, ids=lambda case: case[0])
def test_tapes_differentiate_the_same_form(case):
    _, typed, _, points = case
    for at in points[::3]:
        x = st.Variable(at)
        with np.errstate(all="ignore"), st.GradientTape() as tape:
            y = typed(x)
        slope = float(tape.gradient(y, x))
        with np.errstate(all="ignore"):
            close(slope, float(st.grad(typed)(at)), f"at {at}")


def test_the_hypotenuse_of_unequal_and_extreme_legs():
    def typed(v):
        return np.sqrt(v[0] * v[0] + v[1] ** 2)

    for legs in [(3.0, 4.0), (1e8, 1.0), (1e-3, 1e9), (3e200, 4e200), (3e-200, 4e-200), (1e-170, 1e-160)]:
        with np.errstate(all="ignore"), mpmath.workdps(50):
            x, y = map(mpmath.mpf, legs)
            h = mpmath.sqrt(x * x + y * y)
            value, slope = st.value_and_grad(typed)(np.array(legs))
            close(value, float(h), legs)
            for actual, expected in zip(slope, (x / h, y / h), strict=True):
                close(actual, float(expected), legs)
            mixed = -x * y / h**3
            expected = [[y * y / h**3, mixed], [mixed, x * x / h**3]]
            for actual, row in zip(np.ravel(st.hessian(typed)(np.array(legs))), np.ravel(expected), strict=True):
                close(actual, float(row), legs)


LOGITS = np.array([[800.0, -800.0, 3.0], [0.1, 0.2, -0.3], [1e4, 9999.0, 1e-3]])


def exact_log_softmax(row):
    with mpmath.workdps(50):
        z = [mpmath.mpf(float(v)) for v in row]
        top = max(z)
        total = top + mpmath.log(sum(mpmath.exp(v - top) for v in z))
        return [v - total for v in z], [mpmath.exp(v - total) for v in z]


@pytest.mark.parametrize("keepdims", [True, False])
def test_log_of_a_sum_of_exponentials(keepdims):
    def typed(z):
        return np.sum(np.log(np.sum(np.exp(z), axis=1, keepdims=keepdims)))

    with np.errstate(all="ignore"):
        value, slope = st.value_and_grad(typed)(LOGITS)
    with mpmath.workdps(50):
        exact_total = sum(mpmath.mpf(float(row[0])) - exact_log_softmax(row)[0][0] for row in LOGITS)
    close(value, float(exact_total), "value")
    for row, found in zip(LOGITS, slope, strict=True):
        for actual, expected in zip(found, exact_log_softmax(row)[1], strict=True):
            close(actual, float(expected), row)


@pytest.mark.parametrize(
    "probabilities",
    [
        lambda z: np.exp(z) / np.sum(np.exp(z), axis=1, keepdims=True),
        lambda z: np.exp(z) / np.sum(np.exp(z), axis=1)[:, None],
        lambda z: st.special.softmax(z, axis=1),
    ],
)
def test_softmax_cross_entropy(probabilities):
    wanted = np.array([[0.0, 1.0, 0.0], [0.2, 0.3, 0.5], [0.0, 0.0, 1.0]])

    def typed(z):
        return -np.sum(wanted * np.log(probabilities(z)))

    with np.errstate(all="ignore"):
        value, slope = st.value_and_grad(typed)(LOGITS)
        curvature = st.hessian(typed)(LOGITS)
    logs = [exact_log_softmax(row) for row in LOGITS]
    close(
        value,
        float(-sum(w * v for r, (ls, _) in zip(wanted, logs, strict=True) for w, v in zip(r, ls, strict=True))),
        "",
    )
    for i, (row, (_, p)) in enumerate(zip(wanted, logs, strict=True)):
        for j in range(3):
            assert slope[i, j] == pytest.approx(float(p[j] - row[j]), rel=1e-12, abs=1e-15)
            for k in range(3):
                expected = float(p[j] * (int(j == k) - p[k]))
                assert curvature[i, j, i, k] == pytest.approx(expected, rel=1e-12, abs=1e-15)


def test_softmax_by_hand_over_all_axes():
    z = np.array([1000.0, 1001.0])
    with np.errstate(all="ignore"):
        found = st.jacobian(lambda z: np.exp(z) / np.sum(np.exp(z)))(z)
    p = 1 / (1 + np.exp(-1.0))
    np.testing.assert_allclose(found, p * (1 - p) * np.array([[1, -1], [-1, 1]]), rtol=1e-12)


@pytest.mark.parametrize(
    ("build", "form"),
    [
        (lambda x: B.log(B.add(2, B.exp(x))), "log"),
        (lambda x: B.subtract(B.exp(x), 2), "subtract"),
        (lambda x: B.divide(B.exp(x), B.add(1, B.exp(B.multiply(2, x)))), "divide"),
        (lambda x: B.divide(B.exp(x), B.sum(B.exp(x))), "softmax"),
        (lambda x: B.divide(B.exp(x), B.sum(B.exp(B.multiply(2, x)))), "divide"),
        (lambda x: B.sqrt(B.add(B.square(x), x)), "sqrt"),
        (lambda x: B.subtract(1, B.sin(x)), "subtract"),
    ],
)
def test_what_only_looks_alike_is_left(build, form):
    x = symbol("x", (3,))
    assert stable_graph([build(x)], [x])[0].op.name == form


def test_a_sum_over_another_axis_is_no_softmax():
    x = symbol("x", (3, 3))
    one = B.divide(B.exp(x), B.sum(B.exp(x), axis=0))  # broadcasts along rows: axes happen to have one length
    assert stable_graph([one], [x])[0].op.name == "divide"


def test_inner_nodes_that_are_asked_for_are_kept():
    x = symbol("x")
    power = B.exp(x)
    y = B.log(B.add(1, power))
    assert stable_graph([y], [x])[0].op.name == "softplus"
    (kept,) = stable_graph([y], [x, power])
    assert (kept.op.name, kept.inputs) == ("log1p", (power,))


def test_every_form_has_a_case():
    structural = {"log(sum(exp(x)))", "log(exp(x)/sum(exp(x)))", "exp(x)/sum(exp(x))", "sqrt(x*x + y*y)"}
    assert {form.pattern for form in FORMS} == {case[0] for case in CASES} | structural


def test_the_table_in_the_documentation_is_the_one_in_the_code():
    assert table() in (ROOT / "docs" / "semantics.md").read_text(encoding="utf-8")
