import operator

import numpy as np
import pytest
import sympy

import symtape as st
from symtape.graph.source import positions
from symtape.tape.operators import first_half
from symtape.tape.tensor import lift

SIGNS = ["add", "sub", "mul", "truediv", "floordiv", "mod", "pow"]
OTHERS = {
    "float": 1.5,
    "int": 2,
    "float64": np.float64(1.5),
    "int32": np.int32(2),
    "array": np.array([1.5, 2.0, 0.5]),
    "column": np.array([[1.5], [2.0]]),
    "list": [1.5, 2.0, 0.5],
    "tuple": (1.5, 2.0, 0.5),
}
X = np.array([1.0, 2.0, 3.0])


@pytest.mark.parametrize("other", OTHERS.values(), ids=OTHERS.keys())
@pytest.mark.parametrize("sign", SIGNS)
def test_arithmetic_is_numpys_on_both_sides(sign, other):
    apply = getattr(operator, sign)
    for x in (st.Variable(X), st.constant(X)):
        for ours, theirs in (
            (apply(x, other), apply(X, np.asarray(other))),
            (apply(other, x), apply(np.asarray(other), X)),
        ):
            assert type(ours) is st.Tensor
            np.testing.assert_array_equal(ours.numpy(), theirs)
            assert ours.dtype == theirs.dtype


@pytest.mark.parametrize("sign", SIGNS)
def test_arithmetic_of_two_tensors(sign):
    apply = getattr(operator, sign)
    x, y = st.Variable(X), st.constant(2 * X)
    np.testing.assert_array_equal(apply(x, y).numpy(), apply(X, 2 * X))
    np.testing.assert_array_equal(apply(x, x).numpy(), apply(X, X))


def test_matrix_product_on_both_sides():
    A = np.arange(6.0).reshape(2, 3)
    v = st.Variable(X)
    np.testing.assert_array_equal((A @ v).numpy(), A @ X)
    np.testing.assert_array_equal((st.constant(A) @ X).numpy(), A @ X)
    np.testing.assert_array_equal((v @ A.T).numpy(), X @ A.T)
    np.testing.assert_array_equal((v @ [1.0, 2.0, 3.0]).numpy(), 14.0)


def test_divmod_and_unary():
    x = st.Variable([-2.5, 3.5])
    q, r = divmod(x, 2)
    np.testing.assert_array_equal(q.numpy(), [-2.0, 1.0])
    np.testing.assert_array_equal(r.numpy(), [1.5, 1.5])
    q, r = divmod(7.0, x)
    np.testing.assert_array_equal(q.numpy(), [-3.0, 2.0])
    np.testing.assert_array_equal((-x).numpy(), [2.5, -3.5])
    np.testing.assert_array_equal((+x).numpy(), [-2.5, 3.5])
    np.testing.assert_array_equal(abs(x).numpy(), [2.5, 3.5])


def test_python_numbers_are_weak_and_numpys_are_not():
    x = st.constant(X, dtype=np.float32)
    assert (x * 2.0).dtype == np.float32
    assert (2 + x).dtype == np.float32
    assert (x * np.float64(2.0)).dtype == np.float64
    assert (x * np.array(2.0)).dtype == np.float64
    assert (st.constant([1, 2], dtype=np.int64) / 2).dtype == np.float64


def test_comparisons_are_elementwise_and_logic_is_on_booleans():
    x = st.Variable(X)
    for sign in ("lt", "le", "gt", "ge", "eq", "ne"):
        apply = getattr(operator, sign)
        np.testing.assert_array_equal(apply(x, 2).numpy(), apply(X, 2))
        np.testing.assert_array_equal(apply(2.0, x).numpy(), apply(2.0, X))
    np.testing.assert_array_equal(((x > 1) & (x < 3)).numpy(), [False, True, False])
    np.testing.assert_array_equal(((x < 2) | (x > 2)).numpy(), [True, False, True])
    np.testing.assert_array_equal(((x > 1) ^ (x > 2)).numpy(), [False, True, False])
    np.testing.assert_array_equal((~(x > 1)).numpy(), [True, False, False])
    np.testing.assert_array_equal((np.array([True, False, True]) & (x > 1)).numpy(), [False, False, True])
    bits = st.constant([5, 6], dtype=np.int64)
    np.testing.assert_array_equal((bits & 4).numpy(), [4, 4])
    with pytest.raises(TypeError):
        _ = x & 1


def test_hash_is_identity_and_equality_with_what_is_no_number_is_false():
    x, y = st.Variable(3.0), st.Variable(3.0)
    assert len({x: 1, y: 2}) == 2
    assert (x == None) is False  # noqa: E711
    assert (x != "three") is True
    assert x in [x, y]
    assert hash(x) == hash(x)


def test_what_is_no_operand_is_left_to_python():
    x = st.Variable(3.0)
    for other in (None, "2", object(), {}):
        with pytest.raises(TypeError, match="unsupported operand"):
            _ = x + other
        with pytest.raises(TypeError, match="unsupported operand"):
            _ = other - x

    class Other:
        def __radd__(self, other):
            return "asked"

    assert x + Other() == "asked"


def test_complex_numbers_and_text_are_refused():
    x = st.Variable(3.0)
    with pytest.raises(TypeError, match="complex"):
        _ = x * np.array([1j])
    with pytest.raises(TypeError, match="dtype"):
        _ = x * np.array(["a"])


def test_a_tensor_multiplies_sympy_expressions():
    x = st.Variable(3.0, name="x")
    a = sympy.Symbol("a")
    assert a * x == x * a == a * x.expr
    assert x**a - a == x.expr**a - a
    assert isinstance(a / x, sympy.Expr)


def test_shapes_that_do_not_fit():
    with pytest.raises(ValueError, match=r"\(3,\).*\(2,\)"):
        _ = st.Variable(X) + np.ones(2)


def test_a_tensor_is_not_made_by_calling_its_class():
    with pytest.raises(TypeError, match=r"st\.Variable"):
        st.Tensor()


def test_attributes_of_an_array():
    x = st.constant(np.zeros((2, 3, 4), np.float32))
    assert (x.shape, x.ndim, x.size, x.dtype, x.itemsize, x.nbytes) == ((2, 3, 4), 3, 24, np.float32, 4, 96)
    assert (x.T.shape, x.mT.shape, x.real.shape) == ((4, 3, 2), (2, 4, 3), (2, 3, 4))
    assert [float(e) for e in st.constant([[1.0, 2.0], [3.0, 4.0]]).flat] == [1.0, 2.0, 3.0, 4.0]


METHODS = [
    ("reshape", (3, 2), {}),
    ("reshape", ((3, 2),), {}),
    ("reshape", (-1,), {}),
    ("reshape", ((3, 2),), {"order": "F"}),
    ("ravel", (), {}),
    ("flatten", ("F",), {}),
    ("transpose", (), {}),
    ("transpose", (1, 0), {}),
    ("transpose", ((1, 0),), {}),
    ("swapaxes", (0, 1), {}),
    ("squeeze", (), {}),
    ("repeat", (2,), {"axis": 1}),
    ("diagonal", (), {"offset": 1}),
    ("astype", (np.int64,), {}),
    ("astype", ("float32",), {}),
    ("copy", (), {}),
    ("take", ([0, 2],), {"axis": 1}),
    ("sum", (), {}),
    ("sum", (0,), {}),
    ("sum", (), {"axis": 1, "keepdims": True}),
    ("prod", (), {"axis": 0}),
    ("mean", (), {"axis": (0, 1)}),
    ("var", (), {"ddof": 1}),
    ("std", (), {"axis": 1}),
    ("max", (), {"axis": 1}),
    ("min", (0,), {}),
    ("any", (), {"axis": 0}),
    ("all", (), {}),
    ("argmax", (), {"axis": 1}),
    ("argmin", (), {}),
    ("cumsum", (), {"axis": 1}),
    ("cumprod", (), {}),
    ("trace", (), {}),
    ("clip", (0.5, 2.5), {}),
    ("clip", (), {"min": 0.5}),
    ("round", (1,), {}),
    ("conj", (), {}),
    ("dot", (np.arange(3.0),), {}),
]


@pytest.mark.parametrize(("name", "args", "options"), METHODS, ids=[f"{m[0]}{k}" for k, m in enumerate(METHODS)])
def test_methods_are_those_of_ndarray(name, args, options):
    array = np.array([[0.25, 1.35, -2.0], [3.0, 0.0, 2.15]])
    for x in (st.Variable(array), st.constant(array)):
        ours = getattr(x, name)(*args, **options)
        theirs = getattr(array, name)(*args, **options)
        np.testing.assert_allclose(ours.numpy(), theirs, rtol=1e-15)
        assert ours.dtype == theirs.dtype


def test_every_elementwise_function_is_a_method_too():
    x = st.Variable(0.5)
    assert x.exp().item() == np.exp(0.5)
    assert x.hypot(2.0).item() == np.hypot(0.5, 2.0)
    assert x.erf().item() == pytest.approx(0.5204998778130465)


@pytest.mark.parametrize("name", ["sort", "fill"])
def test_methods_that_write_in_place_are_refused(name):
    with pytest.raises(TypeError, match="in place"):
        getattr(st.Variable(X), name)(0)


INDICES = [
    0,
    -1,
    slice(1, None),
    slice(None, None, -1),
    [0, 2],
    np.array([True, False, True]),
    (None, 1),
    ...,
    ([0, 0],),
]


@pytest.mark.parametrize("index", INDICES, ids=str)
def test_indexing(index):
    np.testing.assert_array_equal(st.Variable(X)[index].numpy(), X[index])


def test_indexing_with_tensors_and_its_errors():
    x = st.Variable(X)
    k = st.constant([2, 0], dtype=np.int64)
    np.testing.assert_array_equal(x[k].numpy(), [3.0, 1.0])
    np.testing.assert_array_equal(x[x > 1.5].numpy(), [2.0, 3.0])
    np.testing.assert_array_equal(X[np.argmax(x)], 3.0)
    with pytest.raises(IndexError):
        _ = x[3]
    with pytest.raises(IndexError):
        _ = x[0.5]
    s = st.symbol("s", shape=(3,))
    with pytest.raises(st.SymbolicTruthError, match=r"\.where"):
        _ = s[s > 0]


def test_assignment_is_refused_with_the_way_round_it():
    x = st.constant(X)
    with pytest.raises(TypeError, match=r"x\.at\[index\]\.set"):
        x[0] = 5.0


def test_at_gives_a_changed_copy():
    x = st.constant(X)
    cases = [
        (x.at[0].set(9.0), [9.0, 2.0, 3.0]),
        (x.at[[0, 0]].add(1.0), [3.0, 2.0, 3.0]),
        (x.at[1:].subtract([1.0, 2.0]), [1.0, 1.0, 1.0]),
        (x.at[-1].multiply(2.0), [1.0, 2.0, 6.0]),
        (x.at[-1].mul(2.0), [1.0, 2.0, 6.0]),
        (x.at[0].divide(4.0), [0.25, 2.0, 3.0]),
        (x.at[1].power(3), [1.0, 8.0, 3.0]),
        (x.at[:].min(2.0), [1.0, 2.0, 2.0]),
        (x.at[:].max(2.0), [2.0, 2.0, 3.0]),
        (x.at[x > 2].set(0.0), [1.0, 2.0, 0.0]),
        (x.at[0].apply(np.exp), [np.e, 2.0, 3.0]),
    ]
    for ours, expected in cases:
        np.testing.assert_allclose(ours.numpy(), expected)
    assert x.at[1].get().item() == 2.0
    np.testing.assert_array_equal(x.numpy(), X)


def test_at_is_differentiable():
    x, y = st.Variable(X), st.Variable(7.0)
    with st.GradientTape() as tape:
        z = np.sum(x.at[1].set(y) ** 2)
    dx, dy = tape.gradient(z, [x, y])
    np.testing.assert_array_equal(dx.numpy(), [2.0, 0.0, 6.0])
    assert dy.item() == 14.0


def test_augmented_assignment_binds_the_name_to_a_new_tensor():
    x = st.constant(X)
    y = x
    y += 1
    assert y is not x
    np.testing.assert_array_equal(x.numpy(), X)
    v = st.Variable(1.0)
    w = v
    w *= 3
    assert type(w) is st.Tensor
    assert v.numpy() == 1.0


def test_equal_tensors_share_a_node_and_are_different_sources():
    x = st.Variable(3.0)
    with st.GradientTape(persistent=True) as tape:
        p, q = np.sin(x), np.sin(x)
        z = p * q * q
    assert p.node is q.node
    assert tape.gradient(z, p).item() == pytest.approx(np.sin(3.0) ** 2)
    assert tape.gradient(z, q).item() == pytest.approx(2 * np.sin(3.0) ** 2)


def test_both_halves_of_a_chain_stand_at_one_place():
    x = st.Variable(0.5)
    tape = st.GradientTape()
    with tape:
        c = 0 <= x <= 1
    (guard,) = tape.guards
    assert positions(guard.code, guard.lasti) == positions(c.code, c.lasti)
    apart = x <= 1
    assert positions(guard.code, guard.lasti) != positions(apart.code, apart.lasti)


def test_a_comparison_knows_the_half_that_python_dropped():
    x, y = st.Variable(0.5), st.Variable(0.25)
    first, other = x >= 0, x <= 1  # equal ones exist already
    assert first_half(other) is None
    assert first
    for c in (0 <= x <= 1, (x >= 0) and (x <= 1), (x >= 0) and (y >= 0), x >= 0 and y >= 0 and x <= 1):
        assert "test_tensor.py" in first_half(c)
        assert "x" in first_half(c).partition(": ")[2]
    in_between = (x >= 0) and (y >= 0)
    assert first_half(in_between) is not None


def test_a_comparison_behind_a_decision_stands_alone():
    x, y = st.Variable(0.5), st.Variable(0.25)
    if x >= 0:
        assert first_half(y <= 2) is None
    assert first_half((y <= 2) if x >= 0 else (y <= 3)) is None
    for k in range(2):
        c = y <= k
        assert bool(x <= 1)
        assert first_half(c) is None
    assert first_half(st.constant(np.ones(2)) > 0) is None
    assert first_half(x + y) is None


def test_lift_takes_what_may_stand_in_an_expression():
    assert lift(2.0).node is lift(2.0).node
    assert lift(np.float64(2.0)).node is lift(np.float64(2.0)).node
    assert lift(np.float64(2.0)).node is not lift(2.0).node
    assert lift(np.float64(-0.0)).node is not lift(np.float64(0.0)).node
    assert lift([1.0, 2.0]).shape == (2,)
    masked = np.ma.masked_array([1.0, 2.0], mask=[False, True])
    with pytest.raises(TypeError, match="filled"):
        lift(masked)
    assert lift(np.ma.masked_array([1.0, 2.0])).shape == (2,)
