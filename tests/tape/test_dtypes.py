"""Result types are NumPy's: of every operator and elementwise function, evaluated, compiled and differentiated."""

import inspect
import itertools
import operator
import warnings

import numpy as np
import pytest
import scipy.special

import symtape as st
from symtape.autodiff.forward import tangents
from symtape.errors import DTypeError, NotDifferentiableError
from symtape.ops import registry
from symtape.ops.namespace import NODES

DTYPES = ("float64", "float32", "int64", "int32", "int8", "uint8", "bool")
ARRAYS = {name: np.array([1, 2, 3]).astype(name) for name in DTYPES}
SCALARS = {f"np.{name}": np.dtype(name).type(2) for name in DTYPES}
PYTHON = {"int": 2, "float": 2.0, "bool": True}
PLAIN = {**ARRAYS, **SCALARS, **PYTHON}

_SIGNS = "add sub mul truediv floordiv mod pow and_ or_ xor lshift rshift lt le gt ge eq ne"
OPERATORS = {name: getattr(operator, name) for name in _SIGNS.split(" ")}
OPERATORS["divmod"] = divmod


def ufuncs():
    found = {}
    for entry in registry.functions().values():
        for name in entry.implements:
            package, _, rest = name.rpartition(".")
            place = {"numpy": np, "scipy.special": scipy.special}.get(package)
            function = getattr(place, rest, None)
            if isinstance(function, np.ufunc) and function.nin <= 2 and function.signature is None:
                found[name] = function
    return found


UFUNCS = ufuncs()
BINARY = {**OPERATORS, **{name: f for name, f in UFUNCS.items() if f.nin == 2 and name.startswith("numpy.")}}
UNARY = {name: f for name, f in UFUNCS.items() if f.nin == 1 and name.startswith("numpy.")}


def dtypes_of(function, *args):
    """The dtypes of the results, of tensors also those of their values; None if the types are refused."""
    with np.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            results = function(*args)
        except TypeError:
            return None
    found = []
    for result in results if isinstance(results, tuple) else (results,):
        found.append(np.asarray(result).dtype if not isinstance(result, st.Tensor) else result.dtype)
        if isinstance(result, st.Tensor):
            assert np.asarray(result.numpy()).dtype == result.dtype
    return found


def tensor(value):
    return st.constant(value, dtype=value.dtype)


@pytest.mark.parametrize("name", UNARY)
def test_the_type_of_a_function(name):
    for value in ARRAYS.values():
        assert dtypes_of(UNARY[name], tensor(value)) == dtypes_of(UNARY[name], value)
        assert dtypes_of(UNARY[name], tensor(value[0])) == dtypes_of(UNARY[name], value[0])


@pytest.mark.parametrize("name", BINARY)
def test_the_type_of_two_operands(name):
    function = BINARY[name]
    numpys = np.power if name == "pow" else function  # of some exponents ** has shortcuts, with types of their own
    for a, b in itertools.product(ARRAYS.values(), PLAIN.values()):
        for left in (a, a[0]):
            expected = dtypes_of(numpys, left, b)
            assert dtypes_of(function, tensor(left), b) == expected, (left, b)
            if isinstance(b, (np.ndarray, np.generic)):
                assert dtypes_of(function, tensor(left), tensor(b)) == expected, (left, b)
            asks_us = not isinstance(b, np.ndarray if name == "pow" else ())  # older NumPy asks a whole exponent itself
            if name in UFUNCS or (asks_us and not isinstance(b, np.generic)):
                expected = dtypes_of(numpys, b, left)
                assert dtypes_of(function, b, tensor(left)) == expected, (b, left)


@pytest.mark.parametrize("names", [list(UFUNCS)[k::6] for k in range(6)], ids=[f"part {k}" for k in range(6)])
def test_compiled_code_has_the_types_and_the_values_of_numpy(names):
    leaves = {name: tensor(value) for name, value in ARRAYS.items()}
    outputs = []
    for name in names:
        function = UFUNCS[name]
        if not name.startswith("numpy."):
            continue
        mixed = itertools.chain(itertools.product(DTYPES, DTYPES[::2]), itertools.product(DTYPES, PYTHON.values()))
        for operands in mixed if function.nin == 2 else ((name,) for name in DTYPES):
            given = [leaves[o] if isinstance(o, str) else o for o in operands]
            try:
                result = function(*given)
            except TypeError:
                continue
            outputs += result if isinstance(result, tuple) else [result]
    compiled = st.function(list(leaves.values()), outputs)(*ARRAYS.values())
    for node, value in zip(outputs, compiled, strict=True):
        assert value.dtype == node.dtype
        tolerance = 1e-3 if node.dtype == np.float16 else 1e-6 if node.dtype == np.float32 else 1e-13
        np.testing.assert_allclose(value, node.numpy(), rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize("name", UFUNCS)
def test_derivatives_have_the_type_of_what_they_belong_to(name):
    function = UFUNCS[name]
    for kind in ("float32", "float64"):
        x = st.Variable(np.array([0.3, 0.6, 0.2], kind), name="x")
        if function.nin == 1:
            cases = [(x,)]
        else:
            others = [tensor(a) for a in ARRAYS.values()] + [*PYTHON.values()]
            cases = [(x, o) for o in others] + [(o, x) for o in others]
        for args in cases:
            with st.GradientTape() as tape:
                try:
                    y = function(*args)
                except (TypeError, ValueError):
                    continue
                y = y[0] if isinstance(y, tuple) else y
            if y.dtype.kind != "f":
                continue
            try:
                gradient = tape.gradient(y, x)
                (tangent,) = tangents([y.node], [x.node], [NODES.const(np.ones(3, kind))])
            except NotDifferentiableError:
                continue
            assert gradient is None or gradient.dtype == gradient.numpy().dtype == np.dtype(kind), args
            assert tangent is None or tangent.dtype == y.dtype, args


@pytest.mark.parametrize("name", [name for name, f in UFUNCS.items() if f.nin == 2])
def test_integers_beside_floats_do_not_wrap_around_or_lose_digits_in_derivatives(name):
    function = UFUNCS[name]
    whole = {"int8": [0, 1, 2, 100], "uint8": [0, 1, 2, 200], "int32": [0, -1, 2, 70000], "bool": [0, 1, 1, 0]}
    x = st.Variable(np.array([0.3, 0.6, 0.2, 0.7]), name="x")
    for (dtype, values), place in itertools.product(whole.items(), (0, 1)):
        found = []
        for kind in (dtype, np.float64):
            args = [st.constant(np.array(values, dtype), dtype=kind)]
            args.insert(place, x)
            with st.GradientTape() as tape:
                try:
                    y = function(*args)
                    y = y[0] if isinstance(y, tuple) else y
                    found.append(tape.gradient(y, x))
                except (TypeError, ValueError):
                    break
        if len(found) == 2 and found[0] is not None:
            np.testing.assert_allclose(found[0].numpy(), found[1].numpy(), rtol=1e-10, err_msg=dtype)


def test_orders_that_must_be_integers_do_not_wrap_around():
    n = st.constant(np.array([0, 100], np.uint8), dtype=np.uint8)
    x = st.Variable(np.array([0.3, 0.4]), name="x")
    with st.GradientTape() as tape:
        y = scipy.special.eval_hermite(n, x)
    expected = [0.0, 200 * scipy.special.eval_hermite(99, 0.4)]
    np.testing.assert_allclose(tape.gradient(y, x).numpy(), expected, rtol=1e-12)


# ------------------------------------------------------------------------------------------------------ order of bytes


@pytest.mark.parametrize("dtype", [">f8", ">f4", ">i4", "<f8"])
def test_arrays_of_the_other_order_of_bytes_are_read_as_the_numbers_that_they_hold(dtype):
    data = np.array([1, 2, 3], dtype)
    x, y = st.Variable(data, name="x", dtype=dtype), st.symbol("y", (3,), dtype)
    assert x.dtype.isnative
    assert y.dtype.isnative
    assert (x * data).dtype.isnative
    compiled = st.function([x, y], x * data + y)
    for given in (data, data.astype(x.dtype)):
        np.testing.assert_array_equal(compiled(given, given), data * data + data)
    np.testing.assert_array_equal(compiled.batch(np.stack([data, data]), np.stack([data, data]))[1], data * data + data)
    np.testing.assert_array_equal(st.jit(lambda a: a * 2)(data), 2 * data)
    x.assign(data[::-1])
    assert x.dtype.isnative
    np.testing.assert_array_equal(x.numpy(), [3, 2, 1])


# ---------------------------------------------------------------------------------------------------- what is refused

COMPLEX = np.array([1j, 2.0])
REFUSED = [COMPLEX, np.array(["a", "b"]), np.array(["2020-01-01"] * 2, "M8[D]"), np.array([1, 2], "m8[s]")]
REFUSED += [np.array([object(), None]), np.zeros(2, [("a", float)]), np.array([b"a", b"b"])]


def ways(value):
    """Every way in for a value."""
    x = st.Variable([1.0, 2.0], name="x")
    return {
        "Variable": lambda: st.Variable(value),
        "constant": lambda: st.constant(value),
        "constant without copy": lambda: st.constant(value, copy=False),
        "operator": lambda: x + value,
        "reflected": lambda: value * x,
        "ufunc": lambda: np.add(x, value),
        "function": lambda: np.where(x > 0, x, value),
        "full": lambda: st.full(2, value),
        "at": lambda: x.at[:].set(value),
        "assign": lambda: x.assign(value),
        "compiled": lambda: st.function([x], x * 2)(value),
        "jit": lambda: st.jit(lambda a: a * 2)(value),
        "eval": lambda: (x * 2).eval({x: value}),
        "grad": lambda: st.grad(lambda a: np.sum(a * 2))(value),
        "minimize": lambda: st.minimize(lambda a: np.sum(a**2), value),
        "curve_fit": lambda: st.curve_fit(lambda t, a: a * t, np.arange(2.0), value, p0=[1.0]),
        "least_squares": lambda: st.least_squares(lambda a: a - 1, value),
    }


@pytest.mark.parametrize("value", REFUSED, ids=lambda v: str(v.dtype))
@pytest.mark.parametrize("way", ways(0.0))
def test_values_of_other_types_are_refused(value, way):
    with pytest.raises(TypeError) as caught:
        ways(value)[way]()
    if value.dtype.kind == "c":
        assert "real and imaginary parts as two arrays" in str(caught.value)


DTYPES_ASKED = {
    "Variable": lambda d: st.Variable([1, 2], dtype=d),
    "constant": lambda d: st.constant([1, 2], dtype=d),
    "symbol": lambda d: st.symbol("s", (2,), d),
    "symbols": lambda d: st.symbols("s t", (2,), d),
    "zeros": lambda d: st.zeros(2, d),
    "full": lambda d: st.full(2, 1.0, d),
    "astype": lambda d: st.symbol("s").astype(d),
    "np.astype": lambda d: np.astype(st.symbol("s"), d),
    **{
        f.__name__: lambda d, f=f: f(st.symbol("s", (2,)), dtype=d)
        for f in (np.zeros_like, np.ones_like, np.sum, np.mean, np.prod, np.cumsum, np.var, np.exp)
    },
}


@pytest.mark.parametrize("way", DTYPES_ASKED)
def test_types_that_are_asked_for(way):
    for wanted in (complex, np.complex64, object, str, "M8[s]", "m8[s]", [("a", float)], np.void):
        with pytest.raises(DTypeError, match=r"symtape works on real numbers|wanted real numbers"):
            DTYPES_ASKED[way](wanted)
    with pytest.raises(TypeError, match="nonsense"):
        DTYPES_ASKED[way]("nonsense")
    for wanted in (np.float32, "f4", np.dtype("float32"), ">f4"):
        found = DTYPES_ASKED[way](wanted)
        found = found[0] if isinstance(found, tuple) else found
        assert found.dtype == np.float32
        assert found.dtype.isnative
    if "dtype" in inspect.signature(DTYPES_ASKED[way]).parameters or way in {"zeros", "full", "symbol", "sum"}:
        assert DTYPES_ASKED[way](None).dtype == np.float64
