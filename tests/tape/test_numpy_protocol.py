import inspect
import re

import numpy as np
import pytest
import scipy.special

import symtape as st
from symtape.ops.registry import functions
from symtape.tape.numpy_protocol import full_name, lookup
from symtape.tape.numpy_queries import QUERIES

A = np.array([[4.0, 1.0, 0.5], [1.0, 3.0, 0.25], [0.5, 0.25, 2.0]])
X = np.array([1.0, 2.0, 3.0])

CALLS = {
    "numpy.sum": lambda np, a, x: np.sum(a, axis=0, keepdims=True),
    "numpy.mean": lambda np, a, x: np.mean(a),
    "numpy.reshape": lambda np, a, x: np.reshape(a, (9,)),
    "numpy.concatenate": lambda np, a, x: np.concatenate([a, a], axis=1),
    "numpy.stack": lambda np, a, x: np.stack([x, x]),
    "numpy.where": lambda np, a, x: np.where(x > 1.5, x, -x),
    "numpy.clip": lambda np, a, x: np.clip(x, 1.5, None),
    "numpy.einsum": lambda np, a, x: np.einsum("ij,j->i", a, x),
    "numpy.tensordot": lambda np, a, x: np.tensordot(a, x, 1),
    "numpy.trace": lambda np, a, x: np.trace(a),
    "numpy.linalg.solve": lambda np, a, x: np.linalg.solve(a, x),
    "numpy.linalg.inv": lambda np, a, x: np.linalg.inv(a),
    "numpy.linalg.det": lambda np, a, x: np.linalg.det(a),
    "numpy.linalg.slogdet": lambda np, a, x: np.linalg.slogdet(a)[1],
    "numpy.linalg.cholesky": lambda np, a, x: np.linalg.cholesky(a),
    "numpy.linalg.norm": lambda np, a, x: np.linalg.norm(x),
    "numpy.var": lambda np, a, x: np.var(a, axis=1, ddof=1),
    "numpy.argmax": lambda np, a, x: np.argmax(x),
    "numpy.cumsum": lambda np, a, x: np.cumsum(x),
    "numpy.matmul": lambda np, a, x: np.matmul(a, x),
    "numpy.divmod": lambda np, a, x: np.divmod(x, 2)[1],
    "numpy.maximum": lambda np, a, x: np.maximum(x, 2.0),
    "numpy.hypot": lambda np, a, x: np.hypot(x, 1.0),
    "numpy.add dtype": lambda np, a, x: np.add(x, 1, dtype=np.float32),
    "numpy.add.reduce": lambda np, a, x: np.add.reduce(a),
    "numpy.add.reduce axis": lambda np, a, x: np.add.reduce(a, axis=1, keepdims=True),
    "numpy.multiply.reduce": lambda np, a, x: np.multiply.reduce(x),
    "numpy.maximum.reduce": lambda np, a, x: np.maximum.reduce(a),
    "numpy.minimum.reduce": lambda np, a, x: np.minimum.reduce(a, axis=None),
    "numpy.logical_and.reduce": lambda np, a, x: np.logical_and.reduce(x > 1),
    "numpy.logical_or.reduce": lambda np, a, x: np.logical_or.reduce(x > 1),
    "numpy.add.accumulate": lambda np, a, x: np.add.accumulate(a),
    "numpy.multiply.accumulate": lambda np, a, x: np.multiply.accumulate(x),
    "numpy.multiply.outer": lambda np, a, x: np.multiply.outer(x, a),
    "numpy.arctan2.outer": lambda np, a, x: np.arctan2.outer(a, x),
    "numpy.subtract.outer": lambda np, a, x: np.subtract.outer(2.0, x),
}


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS.keys())
def test_numpy_functions_reach_their_operation(call):
    ours = call(np, st.Variable(A), st.Variable(X))
    assert type(ours) is st.Tensor
    theirs = call(np, A, X)
    np.testing.assert_allclose(ours.numpy(), theirs, rtol=1e-14)
    assert ours.dtype == theirs.dtype


def test_a_tensor_in_any_place_is_enough():
    x = st.Variable(X)
    for y in (np.add(X, x), np.add([1, 2, 3], x), np.dot(X, x), np.concatenate([X, x]), np.where(X > 1, X, x)):
        assert type(y) is st.Tensor
    for y in (X + x, X * x, A @ x):
        assert type(y) is st.Tensor


def test_every_function_that_claims_to_implement_one_of_numpys_is_found_by_it():
    for entry in functions().values():
        for name in entry.implements:
            found = np
            for part in name.split(".")[1:]:
                found = getattr(found, part, None)
            if (
                name.startswith("numpy.")
                and not name.endswith((".reduce", ".accumulate", ".reduceat"))
                and found is not None
            ):
                assert lookup(found) is entry, name


@pytest.mark.parametrize("name", ["erf", "erfc", "gamma", "gammaln", "digamma", "psi", "expit"])
def test_ufuncs_of_scipy_are_told_by_their_full_name(name):
    ufunc = getattr(scipy.special, name)
    with st.GradientTape() as tape:
        x = st.Variable(0.7)
        y = ufunc(x)
    assert y.item() == pytest.approx(ufunc(0.7), rel=1e-15)
    assert tape.gradient(y, x) is not None


def test_a_ufunc_of_scipy_without_operation_is_refused():
    with pytest.raises(TypeError, match=r"kelvin cannot be recorded"):
        scipy.special.kelvin(st.Variable(1.0))


def test_a_ufunc_that_only_bears_a_known_name_is_refused():
    erf = np.frompyfunc(lambda x: 0.0, 1, 1)
    with pytest.raises(TypeError, match="cannot be recorded"):
        erf(st.Variable(1.0))


# ------------------------------------------------------------------------------------------------- what is not recorded


def dispatched():
    """Every function and ufunc that NumPy dispatches to tensors."""
    for module in (np, np.linalg, np.fft):
        for name in dir(module):
            thing = getattr(module, name)
            if isinstance(thing, np.ufunc) or hasattr(thing, "_implementation"):
                yield thing


REFUSED = sorted(
    {t for t in dispatched() if lookup(t) is None and full_name(t) not in QUERIES},
    key=lambda t: (getattr(t, "__module__", "") or "", t.__name__),
)


# Written in C, and in older versions of NumPy without a signature.
COUNTS = {
    **dict.fromkeys(("busday_count", "busday_offset", "copyto", "ravel_multi_index", "unravel_index"), 2),
    "putmask": 3,
}


def arguments(function):
    """Tensors for all required arguments; some functions look at their first one before they ask a tensor."""
    x = st.Variable(A)
    if isinstance(function, np.ufunc):
        return [x] * function.nin
    try:
        parameters = inspect.signature(function).parameters.values()
    except ValueError:
        return [x] * COUNTS.get(function.__name__, 1)
    required = [
        p for p in parameters if p.default is p.empty and p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)
    ]
    return [x] * max(len(required), 1)


@pytest.mark.parametrize("function", REFUSED, ids=lambda f: f.__name__)
def test_everything_else_raises_with_a_remedy(function):
    name = function.__name__
    with pytest.raises(TypeError, match=rf"np\.[\w.]*{re.escape(name)} cannot be recorded on a tensor: \w+"):
        function(*arguments(function))


def test_out_is_refused_with_what_to_write_instead():
    x = st.Variable(X)
    a = np.zeros(3)
    with pytest.raises(TypeError, match=r"np\.add\(out=\.\.\.\).*a = a \+ x"):
        a += x
    with pytest.raises(TypeError, match=r"np\.sin\(out=\.\.\.\)"):
        np.sin(x, out=a)
    with pytest.raises(TypeError, match=r"out"):
        np.sum(x, out=np.zeros(()))
    with pytest.raises(TypeError, match=r"out"):
        np.add.reduce(x, out=np.zeros(()))
    np.testing.assert_array_equal(a, 0)


def test_ufunc_at_is_refused_with_the_method_that_does_it():
    x, a = st.Variable(X), np.zeros(3)
    with pytest.raises(TypeError, match=r"x\.at\[index\]\.add\(value\)"):
        np.add.at(a, [0, 0, 1], x)
    with pytest.raises(TypeError, match=r"x\.at\[index\]\.max\(value\)"):
        np.maximum.at(a, [0, 0, 1], x)
    with pytest.raises(TypeError, match=r"x\.at\[index\]\.apply\(np\.negative\)"):
        np.negative.at(x, [0])


@pytest.mark.parametrize(
    "call",
    [
        lambda x: np.add(x, 1, where=np.array([True, False, True])),
        lambda x: np.add(x, 1, casting="unsafe"),
        lambda x: np.maximum(x, 1, where=np.array([True, False, True])),
        lambda x: np.greater.reduceat(x, [0, 2]),
        lambda x: np.greater.accumulate(x),
        lambda x: np.greater.reduce(x),
    ],
)
def test_arguments_and_methods_without_meaning_here(call):
    with pytest.raises(TypeError, match="cannot be recorded"):
        call(st.Variable(X))


def test_remedies_are_to_the_point():
    x = st.Variable(A)
    for call, words in (
        (np.fft.fft, "complex"),
        (np.sort_complex, r"np\.sort"),
        (np.apply_along_axis, r"st\.vmap"),
    ):
        with pytest.raises(TypeError, match=words):
            call(*([np.sum, 0] if call is np.apply_along_axis else []), x)
    with pytest.raises(TypeError, match=r"x\.at"):
        np.copyto(np.zeros((3, 3)), x)


# -------------------------------------------------------------------------------------------------------------- queries


def test_queries_answer_in_plain_python():
    x = st.constant(A)
    assert np.shape(x) == (3, 3)
    assert np.ndim(x) == 2
    assert np.size(x) == 9
    assert np.size(x, 1) == 3
    assert np.iscomplexobj(x) is False
    assert np.isrealobj(x) is True
    assert np.shares_memory(x, A) is False
    assert np.may_share_memory(A, x) is False
    assert np.result_type(x, np.float32) == np.float64
    assert np.common_type(x, np.ones(1, np.float32)) is np.float64
    assert np.min_scalar_type(x) == np.float64
    assert np.can_cast(x, np.float32) is False
    assert np.array_str(x) == str(x)
    assert np.array_repr(x) == repr(x)
    assert np.array2string(x) == str(x)
    np.testing.assert_array_equal(np.copy(x).numpy(), A)


def test_questions_about_values_are_guards():
    x = st.Variable(X)
    tape = st.GradientTape()
    with tape:
        assert np.allclose(x, X + 1e-12)
        assert not np.allclose(x, X + 1)
        assert np.array_equal(x, X)
        assert not np.array_equal(x, X[:2])
        assert np.array_equal(st.Variable([np.nan]), [np.nan], equal_nan=True)
        assert np.array_equiv(x, [X, X])
        assert not np.array_equiv(x, X[:2])
    assert len(tape.guards) == 5


def test_numbers_are_written_to_files(tmp_path):
    x = st.Variable(X)
    np.save(tmp_path / "x.npy", x)
    np.testing.assert_array_equal(np.load(tmp_path / "x.npy"), X)
    np.savez(tmp_path / "x.npz", x, named=x)
    loaded = np.load(tmp_path / "x.npz")
    np.testing.assert_array_equal(loaded["arr_0"], X)
    np.testing.assert_array_equal(loaded["named"], X)
    np.savetxt(tmp_path / "x.txt", x)
    np.testing.assert_array_equal(np.loadtxt(tmp_path / "x.txt"), X)
