"""Elementwise ops beyond the op table: dtypes as NumPy has them, keywords of ufuncs, edges, and what is refused."""

import warnings

import numpy as np
import pytest

from symtape.autodiff.reverse import gradient
from symtape.compile.evaluate import evaluate
from symtape.errors import DTypeError, ShapeError
from symtape.graph.node import constant, leaf, symbol
from symtape.ops.choices import MAXIMUM, RELU, RELU_OR_ZERO
from symtape.ops.elementwise import MULTIPLIED_OUT, multiplied_out
from symtape.ops.namespace import NODES as B
from symtape.ops.op import Kind
from symtape.ops.registry import functions, ufunc_arguments

IMPLEMENTED = {full for entry in functions().values() for full in entry.implements}
X = symbol("x")
DTYPES = ["bool", "int8", "int32", "int64", "uint8", "float16", "float32", "float64"]


def at(node, **values):
    env = {leaf_of[name]: np.asarray(v) for name, v in values.items() for leaf_of in [{"x": X}]}
    return evaluate([node], env)[0]


def test_every_real_ufunc_of_numpy_is_there():
    ufuncs = {name for name in dir(np) if isinstance(getattr(np, name), np.ufunc)}
    own = {getattr(np, full.removeprefix("numpy."), None) for full in IMPLEMENTED if full.count(".") == 1}
    missing = {name for name in ufuncs if getattr(np, name) not in own}
    assert missing == {"isnat"}, "dates are no numbers; all others"


#: All but i0: NumPy's cuts its result down to integers for an integer argument, SciPy's and ours do not.
OF_NUMPY = sorted(
    n
    for n, e in functions().items()
    if e.op is not None and n != "i0" and any(f.startswith("numpy.") for f in e.implements)
)


@pytest.mark.parametrize("name", OF_NUMPY)
def test_dtypes_are_those_of_numpy(name):
    """Every ufunc on every combination of dtypes, weak Python scalars among them: the same dtype, or both refuse."""
    full = functions()[name].implements[0]
    ufunc = getattr(np, full.removeprefix("numpy."))
    count = ufunc.nin if isinstance(ufunc, np.ufunc) else 1
    samples = [np.ones((), d) for d in DTYPES] + [True, 1, 1.0]
    for first in samples:
        for second in samples if count == 2 else [None]:
            arguments = [first] if second is None else [first, second]
            if not any(isinstance(a, np.ndarray) for a in arguments):
                continue
            try:
                with warnings.catch_warnings():
                    warnings.simplefilter("ignore")
                    expected = np.asarray(ufunc(*arguments)).dtype
            except TypeError:
                with pytest.raises(TypeError):
                    getattr(B, name)(*arguments)
                continue
            assert getattr(B, name)(*arguments).dtype == expected, arguments


def test_ufunc_keywords():
    (single, _) = ufunc_arguments(B, "add", (X, X), {"dtype": np.float32})
    assert single.dtype == np.float32
    plain = {"where": True, "casting": "same_kind", "order": "K", "subok": True, "signature": None}
    assert ufunc_arguments(B, "sin", (X,), plain) == (X,)
    assert ufunc_arguments(B, "less", (X, X), {"dtype": bool}) == (X, X)
    for keyword, value in (("where", np.array([True])), ("casting", "unsafe"), ("order", "F")):
        with pytest.raises(TypeError, match=rf"np.sin\({keyword}=\.\.\.\) cannot be recorded"):
            ufunc_arguments(B, "sin", (X,), {keyword: value})
    with pytest.raises(TypeError, match=r"np.add\(out="):
        B.add(X, X, out=np.zeros(()))
    with pytest.raises(TypeError):
        B.sin(X, nonsense=1)


def test_wrong_dtypes_name_the_op_and_a_remedy():
    with pytest.raises(DTypeError, match=r"bitwise_and does not take \(float64, int64\).*convert with"):
        B.bitwise_and(X, 2)
    with pytest.raises(DTypeError, match="is complex"):
        B.add(X, 1j)
    with pytest.raises(DTypeError, match="the dtype asked for"):
        B.astype(X, complex)


def test_shapes_that_do_not_broadcast_are_refused():
    with pytest.raises(ShapeError, match=r"shapes \(3,\) and \(2,\)"):
        B.add(symbol("a", (3,)), symbol("b", (2,)))
    with pytest.raises(ShapeError, match="add_n adds terms of one shape"):
        B.add_n(symbol("a", (3,)), X)


def test_literal_powers_are_multiplied_out():
    x = np.array([1.1, -0.7, 3.0])
    for n in MULTIPLIED_OUT:
        np.testing.assert_allclose(multiplied_out(x, n), x**n, rtol=1e-15)
        node = B.power(symbol("v", (3,)), n)
        np.testing.assert_array_equal(node.op.value(x, n), multiplied_out(x, n) if n else np.ones(3))
        np.testing.assert_array_equal(node.op.value(x, float(n)), node.op.value(x, n))
    assert np.isnan(multiplied_out(np.array(np.nan), 2))
    assert multiplied_out(np.array(np.nan), 0) == 1
    with np.errstate(over="ignore"):
        assert multiplied_out(np.array(1e-200), -2) == np.inf


def test_integer_powers_stay_numpys():
    n = symbol("n", dtype=np.int64)
    assert B.power(n, 2).dtype == np.int64
    with pytest.raises(ValueError, match="negative integer powers") as raised:
        evaluate([B.power(constant(np.array([2, 3])), constant(np.array(-1)))])
    assert "in power, which stands at" in raised.value.__notes__[0]


def test_long_sums_add_from_the_left():
    terms = [symbol(f"t{k}") for k in range(50)]
    values = [np.asarray(10.0 ** (k % 17 - 8)) for k in range(50)]
    total = 0.0
    for v in values:
        total = total + v
    assert evaluate([B.add_n(*terms)], dict(zip(terms, values, strict=True)))[0] == total
    assert B.add_n(X) is X


def test_a_sum_does_not_write_into_its_terms():
    a, b, c = (symbol(n, (3,)) for n in "abc")
    arrays = [np.ones(3), np.ones(3), np.ones(3)]
    evaluate([B.add_n(a, b, c)], dict(zip((a, b, c), arrays, strict=True)))
    assert all(np.all(x == 1) for x in arrays)


# --------------------------------------------------------------------------------------------------------------- kinks


def test_relu_is_decided_when_it_is_recorded():
    zero = leaf(np.array(0.0))
    v = symbol("v", (3,))
    for bound in (0, 0.0, np.float64(0), np.array(0.0), False):
        assert B.maximum(v, bound).op is RELU
        assert B.maximum(bound, v).op is RELU
        assert B.fmax(v, bound).op is RELU_OR_ZERO
    for bound in (-0.0, 1, zero, np.zeros(3), np.zeros(1), symbol("s")):
        assert B.maximum(v, bound).op is MAXIMUM
    assert B.maximum(0, 0).op is MAXIMUM
    assert B.minimum(v, 0).op.name == "minimum"


def test_relu_keeps_the_dtype_of_the_maximum():
    for x in (symbol("f", dtype=np.float32), symbol("n", dtype=np.int8), symbol("b", dtype=bool)):
        for bound in (0, 0.0, np.float64(0), np.int64(0)):
            assert B.maximum(x, bound).dtype == np.maximum(np.ones((), x.dtype), bound).dtype


def test_clip_takes_bounds_in_any_form():
    assert B.clip(X, None, None) is X
    assert at(B.clip(X, 1, 2), x=3.0) == at(B.clip(X, min=1, max=2), x=3.0) == 2
    assert at(B.clip(X, a_max=1), x=3.0) == at(B.clip(X, max=1), x=3.0) == 1
    assert B.clip(symbol("n", dtype=np.int16), 0, None).dtype == np.int16
    assert B.clip(symbol("b", dtype=bool), None, True).dtype == bool
    with pytest.raises(ValueError, match="not both"):
        B.clip(X, 1, 2, min=1)
    with pytest.raises(TypeError, match=r"np.clip\(out="):
        B.clip(X, 1, 2, out=np.zeros(()))


# ------------------------------------------------------------------------------------------------------------- select


def slopes(output, value, order):
    for _ in range(order):
        (output,) = gradient(output, [X])
    return float(at(output, x=value))


@pytest.mark.parametrize("order", [1, 2, 3])
def test_no_nan_comes_from_the_branch_that_is_not_taken(order):
    root = B.where(B.greater(X, 0), B.sqrt(X), 0.0)
    log = B.where(B.less_equal(X, 0), B.multiply(X, 3.0), B.multiply(X, B.log(X)))
    for output, at_zero in ((root, 0.0), (log, 3.0 if order == 1 else 0.0)):
        assert slopes(output, 0.0, order) == at_zero
        assert slopes(output, -1.0, order) == at_zero
    quotient = B.where(B.equal(X, 0), 1.0, B.divide(B.sin(X), X))
    assert slopes(quotient, 0.0, order) == 0


def test_an_honest_nan_stays():
    assert np.isnan(slopes(B.where(B.greater(X, -1), B.multiply(0.0, B.log(X)), 0.0), 0.0, 1))


def test_where_takes_both_branches_or_none():
    with pytest.raises(ValueError, match="either both or neither"):
        B.where(B.greater(X, 0), X)


def test_branches_that_share_an_argument_leave_no_nan_either():
    root = B.sqrt(X)
    both = B.add(B.where(B.greater(X, 1), root, 0.0), B.where(B.greater(X, 2), B.multiply(root, root), 0.0))
    for order in (1, 2):
        assert slopes(both, 0.0, order) == 0


def test_where_promotes_as_numpy():
    single = symbol("f", dtype=np.float32)
    mask = symbol("m", dtype=bool)
    assert B.where(mask, single, 0.0).dtype == np.float32
    assert B.where(mask, single, np.float64(0)).dtype == np.float64
    assert B.where(mask, 1, 2).dtype == np.int64


def test_no_gradient_flows_through_stop_gradient_and_integers():
    y = B.multiply(B.stop_gradient(B.sin(X)), X)
    assert slopes(y, 0.5, 1) == np.sin(0.5)
    assert gradient(B.stop_gradient(X), [X]) == [None]
    assert gradient(B.astype(B.astype(X, int), float), [X]) == [None]


def test_a_sign_has_a_derivative_that_is_zero():
    (slope,) = gradient(B.multiply(B.sign(X), np.inf), [X])
    assert at(slope, x=2.0) == 0
    assert gradient(B.floor(X), [X]) == [None]


def test_astype_of_a_constant_is_a_constant():
    assert B.astype(2.0, np.float32).value == np.float32(2)
    assert B.astype(2.0, np.float32).dtype == np.float32
    assert B.astype(X, float) is X


# ---------------------------------------------------------------------------------------------------------- rounding


def test_round_is_numpys_round():
    v = symbol("v", (4,))
    x = np.array([0.125, 2.675, -1.005, 1234.5])
    for decimals in (-2, -1, 0, 1, 2, 3):
        np.testing.assert_array_equal(evaluate([B.round(v, decimals)], {v: x})[0], np.round(x, decimals))
    n = symbol("n", (3,), np.int64)
    for decimals in (-1, 0, 2):
        ours = evaluate([B.round(n, decimals)], {n: np.array([15, 25, 101])})[0]
        theirs = np.round(np.array([15, 25, 101]), decimals)
        np.testing.assert_array_equal(ours, theirs)
        assert ours.dtype == theirs.dtype
    with pytest.raises(TypeError, match="decimals must be an integer"):
        B.round(v, 1.5)


def test_kinds():
    assert all(e.op.kind is Kind.ELEMENTWISE for e in functions().values() if e.op is not None)


@pytest.mark.parametrize("magnitude", [1e-300, 1e-160, 1e160, 1e300])
def test_derivatives_whose_squares_would_overflow_or_vanish(magnitude):
    y = symbol("y")
    point = {X: np.asarray(3 * magnitude), y: np.asarray(4 * magnitude)}
    np.testing.assert_allclose(
        evaluate(gradient(B.arctan2(X, y), [X, y]), point), [0.16 / magnitude, -0.12 / magnitude], rtol=1e-14
    )
    (slope,) = gradient(B.arcsinh(X), [X])
    np.testing.assert_allclose(at(slope, x=magnitude), 1 / np.hypot(1, magnitude), rtol=1e-14)
