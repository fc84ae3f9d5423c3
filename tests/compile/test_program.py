import itertools
import math
import subprocess
import sys
import threading

import numpy as np
import pytest

from symtape.autodiff.reverse import gradient
from symtape.compile import machine_code as machine_code_module
from symtape.compile.evaluate import evaluate
from symtape.compile.library_calls import Callback
from symtape.compile.options import Options
from symtape.compile.program import Program
from symtape.errors import (
    AssumptionViolated,
    DTypeError,
    MissingValueError,
    ShapeError,
    SingularMatrixError,
    UnboundDimensionError,
)
from symtape.graph.closed import close
from symtape.graph.node import leaf, symbol
from symtape.ops.namespace import NODES as B

LOOPS = Options(unroll=0)
FRESH = Options(cache=False)


def check(inputs, outputs, arrays, options=FRESH, rtol=1e-13):
    expected = evaluate(outputs, dict(zip(inputs, arrays, strict=True)))
    for ours, theirs in zip(Program(inputs, outputs, options=options)(*arrays), expected, strict=True):
        assert ours.dtype == theirs.dtype
        assert ours.shape == theirs.shape
        np.testing.assert_allclose(ours, theirs, rtol=rtol, atol=1e-13)


def both_ways(inputs, outputs, arrays, **keywords):
    check(inputs, outputs, arrays, FRESH, **keywords)
    check(inputs, outputs, arrays, Options(cache=False, unroll=0, chunk=10), **keywords)


# ------------------------------------------------------------------------------------------------------------- calls


def test_scalars_and_arrays_come_back_fresh():
    x = symbol("x", (2,))
    program = Program([x], [B.sum(x), B.multiply(x, 2.0)])
    first = program(np.array([1.0, 2.0]))
    second = program(np.array([3.0, 4.0]))
    assert first[0].shape == ()
    assert first[0] == 3.0
    np.testing.assert_array_equal(first[1], [2.0, 4.0])
    np.testing.assert_array_equal(second[1], [6.0, 8.0])
    value, doubled = program.numbers(np.array([1.0, 2.0]))
    assert type(value) is float
    assert isinstance(doubled, np.ndarray)


def test_inputs_are_not_changed_and_results_do_not_alias_them():
    x = symbol("x", (500,))
    program = Program([x], [x, B.reshape(x, (20, 25)), B.transpose(B.reshape(x, (20, 25)))])
    given = np.arange(500.0)
    kept = given.copy()
    same, shaped, turned = program(given)
    for result in (same, shaped, turned):
        assert not np.shares_memory(result, given)
        result[...] = -1.0
    np.testing.assert_array_equal(given, kept)
    np.testing.assert_array_equal(program(given)[2], kept.reshape(20, 25).T)


@pytest.mark.parametrize("size", [3, 1000])
def test_any_layout_of_memory_is_taken(size):
    x = symbol("x", (size, 2))
    program = Program([x], [B.sin(x)])
    base = np.random.default_rng(0).random((2, size))
    wide = np.zeros((size, 5))
    wide[:, 1:4:2] = base.T
    raw = np.zeros(size * 16 + 1, np.uint8)[1:].view(np.float64).reshape(size, 2)
    raw[...] = base.T
    for given in (base.T, wide[:, 1:4:2], np.asfortranarray(base.T), raw, base.T.astype(">f8")):
        np.testing.assert_allclose(program(given)[0], np.sin(base.T), rtol=1e-15)


@pytest.mark.parametrize("size", [3, 1000])
def test_out_takes_the_results(size):
    x = symbol("x", (size,))
    program = Program([x], [B.multiply(x, 3.0), B.sum(x)])
    given = np.arange(float(size))
    target, number = np.empty(size), np.empty(())
    found = program(given, out=[target, number])
    assert found[0] is target
    assert found[1] is number
    np.testing.assert_array_equal(target, 3.0 * given)
    assert number == given.sum()
    fresh, again = program(given, out=[None, number])
    assert again is number
    np.testing.assert_array_equal(fresh, target)


def test_out_may_be_strided_or_overlap_the_inputs():
    x = symbol("x", (1000,))
    program = Program([x], [B.add(x, B.flip(x, 0))])
    wide = np.zeros((1000, 2))
    given = np.arange(1000.0)
    program(given, out=[wide[:, 1]])
    np.testing.assert_array_equal(wide[:, 1], np.full(1000, 999.0))
    assert not wide[:, 0].any()
    buffer = np.arange(1001.0)
    program(buffer[1:], out=[buffer[:-1]])
    np.testing.assert_array_equal(buffer[:-1], np.full(1000, 1001.0))


def test_two_outputs_may_not_share_their_target():
    x = symbol("x", (1000,))
    target = np.empty(1000)
    program = Program([x], [B.add(x, 1.0), B.multiply(x, 2.0)])
    program(np.arange(1000.0), out=[target, target])
    np.testing.assert_array_equal(target, 2.0 * np.arange(1000.0))


@pytest.mark.parametrize(
    ("out", "error", "text"),
    [
        ([np.empty(4)], ShapeError, r"out\[0\] has shape \(4,\), wanted \(3,\)"),
        ([np.empty(3, np.float32)], DTypeError, r"out\[0\] has dtype float32, wanted float64"),
        ([[0.0, 0.0, 0.0]], TypeError, r"out\[0\] is a list, wanted an ndarray"),
        ([], ValueError, "out has 0 entries"),
    ],
)
def test_a_bad_out_is_refused(out, error, text):
    x = symbol("x", (3,))
    with pytest.raises(error, match=text):
        Program([x], [B.sin(x)])(np.zeros(3), out=out)


def test_bad_arguments_are_named():
    x, n = symbol("x", (3,)), symbol("n", (), np.int64)
    program = Program([x, n], [B.multiply(x, n)])
    with pytest.raises(ShapeError, match=r"the input 'x' has shape \(2,\), wanted \(3,\)"):
        program(np.zeros(2), 1)
    with pytest.raises(ShapeError, match=r"the input 'n' has shape \(1,\), wanted \(\)"):
        program(np.zeros(3), [1])
    with pytest.raises(DTypeError, match="the input 'n' has dtype float64"):
        program(np.zeros(3), 1.5)
    with pytest.raises(DTypeError, match=r"the input 'x' is complex .*real and imaginary parts as two"):
        program(np.zeros(3, complex), 1)
    with pytest.raises(TypeError, match="takes 2 inputs, got 1"):
        program(np.zeros(3))
    np.testing.assert_array_equal(program(np.ones(3), 2)[0], [2.0, 2.0, 2.0])


def test_what_loses_only_precision_is_converted():
    x = symbol("x", (2,), np.float32)
    program = Program([x], [B.add(x, 1.0)])
    result = program([1, 2])[0]
    assert result.dtype == np.float32
    np.testing.assert_array_equal(result, [2.0, 3.0])
    np.testing.assert_array_equal(program(np.array([1.0, 2.0]))[0], [2.0, 3.0])


def test_an_input_listed_twice_is_refused():
    x = symbol("x")
    with pytest.raises(ValueError, match="twice"):
        Program([x, x], [x])


def test_a_leaf_without_value_is_named():
    x, y = symbol("x"), symbol("y")
    with pytest.raises(MissingValueError, match="'y'"):
        Program([x], [B.add(x, y)])


def test_a_length_without_number_is_refused():
    from symtape.graph.shapes import as_shape

    x = symbol("x", as_shape("n"))
    with pytest.raises(UnboundDimensionError, match="no number yet"):
        Program([x], [B.sin(x)])


def test_leaves_with_values_are_data():
    x, data = symbol("x", (3,)), leaf(np.array([1.0, 2.0, 3.0]))
    big = leaf(np.arange(300.0).reshape(100, 3))
    both_ways([x], [B.multiply(x, data), B.matmul(big, x)], [np.array([1.0, -1.0, 2.0])])


def test_a_graph_is_cut_at_an_input_that_is_no_leaf():
    x = symbol("x")
    middle = B.exp(x)
    program = Program([middle], [B.multiply(middle, middle)])
    assert program(3.0)[0] == 9.0


def test_an_input_may_be_unused_and_an_output_may_repeat():
    x, y = symbol("x", (40,)), symbol("y")
    z = B.sin(x)
    first, second, third = Program([x, y], [z, z, y])(np.ones(40), 2.0)
    np.testing.assert_array_equal(first, second)
    assert first is not second
    assert third == 2.0


def test_constants_alone_are_a_program():
    program = Program([], [B.add(B.const(1.5), 2.0), B.broadcast_to(B.const(2.0), (100,)), B.const(np.arange(3))])
    number, wide, whole = program()
    assert number == 3.5
    np.testing.assert_array_equal(wide, np.full(100, 2.0))
    np.testing.assert_array_equal(whole, [0, 1, 2])


def test_empty_arrays_pass():
    x = symbol("x", (0, 3))
    inputs, outputs = [x], [B.sin(x), B.sum(x), B.sum(x, axis=0), B.transpose(x), B.matmul(B.transpose(x), x)]
    both_ways(inputs, outputs, [np.zeros((0, 3))])


# -------------------------------------------------------------------------------------------------- dtypes and options


@pytest.mark.parametrize("dtype", ["bool", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64"])
def test_integers_and_booleans(dtype):
    x, y = symbol("x", (4,), dtype), symbol("y", (4,), dtype)
    one, two = np.array([0, 1, 1, 0], dtype), np.array([1, 1, 0, 0], dtype)
    outputs = [B.add(x, y), B.multiply(x, y), B.maximum(x, y), B.less(x, y), B.sum(x), B.where(B.equal(x, y), x, y)]
    outputs += [B.max(x), B.any(x), B.all(x), B.argmax(x), B.sin(B.astype(x, np.float64)), B.cumsum(x)]
    both_ways([x, y], outputs, [one, two])


@pytest.mark.parametrize("dtype", ["int32", "int64"])
def test_negative_integers(dtype):
    x, y = symbol("x", (4,), dtype), symbol("y", (4,), dtype)
    one, two = np.array([-7, 7, -7, 7], dtype), np.array([2, -2, -3, 3], dtype)
    outputs = [B.floor_divide(x, y), B.remainder(x, y), B.absolute(x), B.sign(x), B.negative(x), B.floor(x)]
    outputs += [B.min(x), B.argmin(x), B.power(B.absolute(x), 3), B.divide(x, y)]
    both_ways([x, y], outputs, [one, two])


def test_division_of_integers_by_zero_is_what_numpy_says():
    x, y = symbol("x", (3,), np.int64), symbol("y", (3,), np.int64)
    arrays = [np.array([5, -5, np.iinfo(np.int64).min]), np.array([0, 0, -1])]
    both_ways([x, y], [B.floor_divide(x, y), B.remainder(x, y)], arrays)


def test_half_precision_and_long_double_pass_through_numpy():
    x, y = symbol("x", (40,), np.float16), symbol("y", (2,), np.longdouble)
    arrays = [np.linspace(0, 1, 40).astype(np.float16), np.array([1.0, 2.0], np.longdouble)]
    outputs = [B.add(x, x), B.reshape(x, (8, 5)), B.transpose(B.reshape(x, (8, 5))), B.multiply(y, 3.0), B.flip(y, 0)]
    check([x, y], outputs, arrays)


def test_weak_scalars_keep_single_precision():
    x = symbol("x", (3,), np.float32)
    both_ways(
        [x],
        [B.multiply(x, 0.1), B.power(x, 2), B.where(B.greater(x, 0.5), x, 0.0)],
        [np.array([0.1, 0.7, 2.0], np.float32)],
    )


def test_contract_off_rounds_every_operation():
    x, y, z = (symbol(n) for n in "xyz")
    exact = Program([x, y, z], [B.subtract(B.multiply(x, y), z)], options=Options(contract=False, cache=False))
    a, b = 1.0 + 2.0**-30, 1.0 - 2.0**-30
    assert exact(a, b, 1.0)[0] == a * b - 1.0


def test_powers_with_literal_exponents_are_multiplications():
    x = symbol("x")
    program = Program([x], [B.power(x, 5), B.power(x, -2), B.power(x, 2.0), B.power(x, 0)])
    assert "pow" not in program.ir.replace("declare double @llvm.pow.f64(double, double)", "").replace("; power", "")
    for value in (0.0, -1.5, 3.0, np.inf, np.nan):
        with np.errstate(all="ignore"):
            expected = [np.power(value, 5.0), np.power(value, -2.0), np.power(value, 2.0), np.power(value, 0.0)]
        np.testing.assert_allclose(program(value), expected, rtol=1e-15)


# ------------------------------------------------------------------------------------------------------------- guards


def test_guards_come_first_and_name_what_was_assumed():
    x = symbol("x", (2,))
    condition = B.greater(B.getitem(x, 0), 0.0)
    count = B.sum(B.astype(B.greater(x, 1.0), np.int64))
    program = Program(
        [x], [B.log(x)], guards=[(condition, True, "x[0] was positive"), (count, 1, "one element was above 1")]
    )
    np.testing.assert_array_equal(program(np.array([1.0, 2.0]))[0], np.log([1.0, 2.0]))
    with pytest.raises(AssumptionViolated, match=r"x\[0\] was positive"):
        program(np.array([-1.0, 2.0]))
    with pytest.raises(AssumptionViolated, match="one element was above 1"):
        program(np.array([2.0, 2.0]))
    np.testing.assert_array_equal(program(np.array([1.0, 2.0]))[0], np.log([1.0, 2.0]))


def test_a_guard_on_a_large_array():
    x = symbol("x", (1000,))
    program = Program([x], [B.sqrt(x)], guards=[(B.all(B.greater_equal(x, 0.0)), True, "all were positive")])
    assert program(np.ones(1000))[0].sum() == 1000.0
    given = np.ones(1000)
    given[700] = -1.0
    with pytest.raises(AssumptionViolated, match="all were positive"):
        program(given)


# -------------------------------------------------------------------------------------------------- library and bodies


def test_linear_algebra_is_called_back():
    a, b = symbol("a", (4, 4)), symbol("b", (4,))
    rng = np.random.default_rng(1)
    matrix = rng.random((4, 4)) + 4 * np.eye(4)
    sign, log = B.slogdet(a)
    both_ways(
        [a, b],
        [B.solve(a, b), B.inv(a), B.det(a), sign, log, B.cholesky(B.matmul(a, B.transpose(a)))],
        [matrix, rng.random(4)],
    )


def test_a_singular_matrix_names_the_operation():
    a = symbol("a", (2, 2))
    program = Program([a], [B.inv(a)])
    with pytest.raises(SingularMatrixError, match="inv"):
        program(np.zeros((2, 2)))
    np.testing.assert_allclose(program(np.eye(2) * 2.0)[0], np.eye(2) / 2)


@pytest.mark.parametrize("size", [3, 60])
def test_only_the_chosen_body_runs(size):
    x, flag = symbol("x", (size, size)), symbol("flag", (), bool)
    inner = symbol("inner", (size, size))
    (yes, _), (no, _) = close([B.inv(inner)], [inner]), close([B.multiply(inner, 2.0)], [inner])
    (result,) = B.cond(flag, yes, no, [x])
    program = Program([x, flag], [result, B.sum(result)])
    np.testing.assert_allclose(program(np.eye(size) * 4.0, True)[0], np.eye(size) / 4.0)
    np.testing.assert_array_equal(program(np.zeros((size, size)), False)[0], np.zeros((size, size)))
    with pytest.raises(SingularMatrixError):
        program(np.zeros((size, size)), True)


def test_bodies_nest():
    x = symbol("x")
    p = symbol("p")

    def body(*outputs):
        return close(outputs, [p])[0]

    inner = B.cond(B.greater(p, 10.0), body(B.const(3.0)), body(B.multiply(p, p)), [p])
    outer = B.cond(B.greater(x, 0.0), body(*inner), body(B.negative(p)), [x])
    program = Program([x], outer)
    assert [float(program(v)[0]) for v in (-2.0, 4.0, 20.0)] == [2.0, 16.0, 3.0]


def test_indices_from_data():
    x, i = symbol("x", (50,)), symbol("i", (40,), np.int64)
    rng = np.random.default_rng(2)
    arrays = [rng.random(50), rng.integers(-50, 50, 40)]
    gathered = B.getitem(x, i)
    both_ways([x, i], [gathered, B.sum(B.multiply(gathered, gathered))], arrays)
    program = Program([x, i], [gathered])
    for bad in (50, -51):
        with pytest.raises(IndexError, match="outside its axis"):
            program(arrays[0], np.full(40, bad))


def test_scatters_add_up_and_the_last_one_wins():
    v, i = symbol("v", (40,)), symbol("i", (40,), np.int64)
    base = symbol("base", (9,))
    added = B.scatter_add(v, [i], (0,), 0, (9,))
    written = B.scatter_set(base, v, [i], (0,), 0)
    arrays = [np.arange(40.0), np.arange(40) % 7 - 3, np.full(9, -1.0)]
    both_ways([v, i, base], [added, written], arrays)


# ------------------------------------------------------------------------------------------------------- large arrays


def test_sums_are_as_exact_as_a_short_one():
    x = symbol("x", (1_000_003,))
    given = np.random.default_rng(3).random(1_000_003)
    exact = math.fsum(given)
    total, squares = Program([x], [B.sum(x), B.sum(B.multiply(x, x))])(given)
    assert abs(total - exact) <= 4 * np.finfo(float).eps * exact
    assert abs(squares - math.fsum(given * given)) <= 4 * np.finfo(float).eps * exact


@pytest.mark.parametrize("dtype", ["float64", "float32", "int32", "bool"])
@pytest.mark.parametrize("name", ["sum", "prod", "max", "min", "any", "argmax"])
def test_reductions_over_any_axis(name, dtype):
    x = symbol("x", (5, 37, 130), dtype)
    axes = (0, 1, 2, None) if name == "argmax" else (0, 1, 2, None, (0, 1), (1, 2), (0, 2))
    outputs = [getattr(B, name)(x, axis=axis) for axis in axes]
    given = np.random.default_rng(4).uniform(0.9, 1.1, (5, 37, 130)).astype(dtype)
    check([x], outputs, [given], rtol=1e-13 if dtype == "float64" else 1e-4)


def test_sums_in_strips_are_exact_and_keep_nan_and_infinity():
    x = symbol("x", (20_000, 70))
    given = np.random.default_rng(12).random((20_000, 70))
    (total,) = Program([x], [B.sum(x, axis=0)])(given)
    exact = [math.fsum(column) for column in given.T]
    np.testing.assert_allclose(total, exact, rtol=4 * np.finfo(float).eps)
    given[[3, 7, 9], [0, 65, 69]] = np.nan, np.inf, -np.inf
    check([x], [B.sum(x, axis=0), B.max(x, axis=0), B.min(x, axis=0)], [given])


@pytest.mark.parametrize("where", [0, 10, 299, 300, 998])
def test_nan_and_infinity_pass_through_reductions(where):
    x = symbol("x", (999,))
    outputs = [B.sum(x), B.max(x), B.min(x), B.argmax(x), B.argmin(x), B.prod(x)]
    for bad in (np.nan, np.inf, -np.inf):
        given = np.linspace(0.5, 1.5, 999)
        given[where] = bad
        check([x], outputs, [given])


def test_layout_of_large_arrays_costs_no_copy_where_steps_are_regular():
    x = symbol("x", (30, 40))
    y = B.getitem(B.transpose(B.reshape(x, (10, 3, 40)), (2, 0, 1)), (slice(None, None, -2), slice(1, 9, 3)))
    program = Program([x], [B.sum(y)])
    assert program.ir.count("call i32 @symtape.loop") == 1
    check([x], [y, B.sum(y)], [np.random.default_rng(5).random((30, 40))])


def test_concatenations_are_filled_box_by_box():
    parts = [symbol(f"p{k}", (n, 3)) for k, n in enumerate((50, 1, 70))]
    rng = np.random.default_rng(6)
    whole = B.concatenate(parts, axis=0)
    both_ways(
        parts,
        [whole, B.sum(whole, axis=0), B.stack([parts[0], parts[0]], axis=1)],
        [rng.random(p.shape) for p in parts],
    )


def test_many_arrays_add_up_in_several_loops():
    x = symbol("x", (100,))
    terms = [B.multiply(x, float(k)) for k in range(30)]
    both_ways([x], [B.add_n(*terms)], [np.linspace(0, 1, 100)])


def test_another_length_of_the_data_compiles_nothing(monkeypatch):
    def model(n):
        x, p = symbol("x", (n,)), symbol("p", (2,))
        data = leaf(np.linspace(0.0, 1.0, n) ** 2)
        curve = B.multiply(B.getitem(p, 0), B.exp(B.negative(B.multiply(B.getitem(p, 1), x))))
        loss = B.mean(B.power(B.subtract(curve, data), 2))
        return Program([x, p], [loss, *gradient(loss, [p]), B.cumsum(curve)], options=FRESH)

    first = model(40)
    monkeypatch.setattr(machine_code_module, "compile_text", None)
    second = model(1000)
    assert first.ir == second.ir
    for program, n in ((first, 40), (second, 1000)):
        x, p = np.linspace(0.0, 1.0, n), np.array([2.0, 3.0])
        curve = p[0] * np.exp(-p[1] * x)
        np.testing.assert_allclose(program(x, p)[0], np.mean((curve - x**2) ** 2), rtol=1e-13)
        np.testing.assert_allclose(program(x, p)[2], np.cumsum(curve), rtol=1e-13)


@pytest.mark.parametrize(
    ("left", "right", "library"),
    [
        (("n", 5), (5,), False),
        (("n", 50), (50,), False),
        ((3, "n"), ("n",), False),
        (("n", 4), (4, 3), False),
        ((12, "n"), ("n", 12), True),
        (("n", 30), (30, 40), True),
        ((8, 8), (8, 8), False),
        ((2, "n", 3), (3, 3), False),
    ],
)
def test_whether_a_library_multiplies_does_not_depend_on_the_length(left, right, library):
    rng = np.random.default_rng(13)
    texts = []
    for n in (40, 3000):
        shapes = [tuple(n if k == "n" else k for k in s) for s in (left, right)]
        a, b = (symbol(name, s) for name, s in zip("ab", shapes, strict=True))
        program = Program([a, b], [B.matmul(a, b)], options=FRESH)
        arrays = [rng.uniform(-1, 1, s) for s in shapes]
        np.testing.assert_allclose(program(*arrays)[0], np.matmul(*arrays), rtol=1e-10, atol=1e-12)
        assert any(isinstance(e, Callback) for e in program.plan.extra) == library
        texts.append(program.ir)
    assert texts[0] == texts[1]


def test_the_text_holds_no_data():
    x, data = symbol("x", (100,)), leaf(np.full(100, 1234.5))
    program = Program([x], [B.sum(B.multiply(x, data)), B.multiply(x, 777.25)])
    assert program.ir == Program([x], [B.sum(B.multiply(x, leaf(np.zeros(100)))), B.multiply(x, 5.125e7)]).ir


# ------------------------------------------------------------------------------------------------- long straight lines


def chain(n):
    x = symbol("x")
    y = x
    for k in range(n):
        y = B.sin(B.add(B.multiply(y, 0.5), float(k % 7)))
    return x, y


def test_long_code_is_cut_and_values_cross_the_cuts():
    x = symbol("x", (3,))
    values = [B.getitem(x, k) for k in range(3)]
    rng = np.random.default_rng(7)
    for _ in range(1500):
        a, b = rng.integers(0, len(values), 2)
        values.append(B.tanh(B.add(values[a], B.multiply(values[b], 0.5))))
    flag = B.greater(values[100], 0.0)
    outputs = [values[-1], B.add_n(*values[::50]), B.where(flag, values[5], values[-3])]
    for chunk in (10, 100, 10_000):
        check([x], outputs, [np.array([0.1, 0.2, 0.3])], Options(cache=False, chunk=chunk, optimize=0))
    program = Program([x], outputs, options=Options(cache=False, chunk=100))
    assert program.ir.count("define internal i32 @symtape.kernel.") > 5


def test_a_fold_longer_than_a_function_is_cut():
    x = symbol("x")
    terms = [B.multiply(x, float(k)) for k in range(3000)]
    (total,) = Program([x], [B.add_n(*terms)], options=Options(cache=False, chunk=200))(2.0)
    assert total == 2.0 * sum(range(3000))


def test_a_chain_compiles_on_a_thread_with_little_stack():
    x, y = chain(6000)
    results = []

    def run():
        results.append(Program([x], [y], options=FRESH)(0.3)[0])

    before = threading.stack_size(512 * 1024)
    try:
        thread = threading.Thread(target=run)
        thread.start()
        thread.join()
    finally:
        threading.stack_size(before)
    np.testing.assert_allclose(results[0], evaluate([y], {x: np.float64(0.3)})[0], rtol=1e-12)


# ------------------------------------------------------------------------------------------------------ rows, threads


def test_rows_share_what_has_no_axis_in_front():
    x, w = symbol("x", (3,)), symbol("w", (3,))
    program = Program([x, w], [B.sum(B.multiply(x, w)), B.multiply(x, w)])
    rows, weights = np.random.default_rng(8).random((50, 3)), np.array([1.0, 2.0, 3.0])
    for threads in (None, 1, 3, 100):
        total, product = program.rows([rows, weights], 50, threads=threads)
        np.testing.assert_allclose(total, rows @ weights, rtol=1e-14)
        np.testing.assert_array_equal(product, rows * weights)
    assert program.rows([np.zeros((0, 3)), weights], 0)[1].shape == (0, 3)


def test_rows_of_large_programs_have_a_workspace_each():
    x = symbol("x", (200,))
    program = Program([x], [B.sum(B.sin(B.add(x, B.flip(x, 0)))), B.cumsum(x)])
    rows = np.random.default_rng(9).random((300, 200))
    total, running = program.rows([rows], 300, threads=4)
    np.testing.assert_allclose(total, np.sin(rows + rows[:, ::-1]).sum(1), rtol=1e-12)
    np.testing.assert_allclose(running, np.cumsum(rows, 1), rtol=1e-13)


def test_a_row_that_violates_a_guard_is_named_or_nan():
    x = symbol("x")
    program = Program([x], [B.log(x)], guards=[(B.greater(x, 0.0), True, "x was positive")])
    given = np.array([1.0, 2.0, -1.0, 4.0, -2.0])
    for threads in (1, 2):
        with pytest.raises(AssumptionViolated, match=r"x was positive \(row 2\)"):
            program.rows([given], 5, threads=threads)
        (found,) = program.rows([given], 5, threads=threads, nan_rows=True)
        np.testing.assert_array_equal(np.isnan(found), given < 0)
        np.testing.assert_allclose(found[[0, 1, 3]], np.log([1.0, 2.0, 4.0]))
    flag = Program([x], [B.greater(x, 1.0)], guards=program.guards)
    with pytest.raises(DTypeError, match="floating"):
        flag.rows([given], 5, nan_rows=True)


def test_errors_of_callbacks_in_rows_name_the_row():
    a = symbol("a", (2, 2))
    program = Program([a], [B.inv(a)])
    given = np.stack([np.eye(2)] * 5)
    given[3] = 0.0
    with pytest.raises(SingularMatrixError) as caught:
        program.rows([given], 5, threads=2)
    assert "in row 3" in caught.value.__notes__


def test_rows_of_a_wrong_shape_are_refused():
    x = symbol("x", (3,))
    with pytest.raises(ShapeError, match=r"'x' has shape \(5, 2\), wanted \(4, 3\), or \(3,\) for all rows"):
        Program([x], [B.sin(x)]).rows([np.zeros((5, 2))], 4)


@pytest.mark.parametrize("size", [2, 3000])
def test_threads_call_one_program(size):
    x = symbol("x", (size,))
    program = Program([x], [B.sum(B.multiply(x, x)), B.add(x, 1.0)])
    wrong = []

    def work(k):
        given = np.full(size, float(k))
        for _ in range(200):
            total, moved = program(given)
            if total != size * k * k or moved[-1] != k + 1:
                wrong.append(k)

    threads = [threading.Thread(target=work, args=(k,)) for k in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


# --------------------------------------------------------------------------------------------------------- processes


def test_the_disk_cache_serves_another_process(tmp_path, monkeypatch):
    source = (
        "import sys, numpy as np\n"
        "from symtape.compile.program import Program\n"
        "from symtape.compile import machine_code\n"
        "from symtape.graph.node import symbol\n"
        "from symtape.ops.namespace import NODES as B\n"
        "if len(sys.argv) > 1: machine_code.compile_text = None\n"
        "x, a = symbol('x', (3,)), symbol('a', (2, 2))\n"
        "p = Program([x, a], [B.sum(B.tanh(x)), B.inv(a), B.erf(x)])\n"
        "r = p(np.ones(3), np.eye(2) * 2)\n"
        "assert abs(r[0] - 3 * np.tanh(1.0)) < 1e-14 and r[1][0, 0] == 0.5\n"
        "sys.exit('numba' in sys.modules)\n"
    )
    monkeypatch.setenv("SYMTAPE_CACHE_DIR", str(tmp_path))
    assert subprocess.run([sys.executable, "-c", source], check=False).returncode == 0
    assert len(list(tmp_path.iterdir())) == 1
    assert subprocess.run([sys.executable, "-c", source, "again"], check=False).returncode == 0


def test_equal_graphs_share_their_machine_code():
    first, second = (Program([x], [B.tanh(B.sin(x))], options=FRESH) for x in (symbol("a", (5,)), symbol("b", (5,))))
    assert first.kernel_address == second.kernel_address


def test_same_bits_on_every_run():
    x, y = chain(300)
    results = [Program([x], [y], options=Options(cache=cached))(0.7)[0] for cached in (False, True, True)]
    assert len({r.tobytes() for r in results}) == 1


def test_a_random_graph_of_arrays():
    rng = np.random.default_rng(10)
    x, y = symbol("x", (6, 7)), symbol("y", (7,))
    values = [x, y]
    unary = [B.sin, B.tanh, B.exp, B.absolute]
    for k in range(40):
        a = values[rng.integers(len(values))]
        b = values[rng.integers(len(values))]
        if k % 5 == 0:
            values.append(B.sum(a, axis=0) if a.shape == (6, 7) else B.broadcast_to(a, (6, 7)))
        elif k % 5 == 1:
            values.append(unary[k % 4](B.multiply(a, 0.3)))
        else:
            values.append((B.add, B.multiply, B.maximum)[k % 3](B.tanh(a), b))
    arrays = [rng.uniform(-1, 1, (6, 7)), rng.uniform(-1, 1, 7)]
    both_ways([x, y], values[-6:], arrays, rtol=1e-11)


def test_einsum_and_matmul_of_all_ranks():
    rng = np.random.default_rng(11)
    shapes = [(3,), (3, 3), (2, 3, 3), (40, 50), (50, 60), (50,), (40,), (5, 40, 50)]
    leaves = [symbol(f"s{k}", s) for k, s in enumerate(shapes)]
    arrays = [rng.uniform(-1, 1, s) for s in shapes]
    pairs = [
        (a, b)
        for a, b in itertools.product(leaves, leaves)
        if a.shape[-1] == (b.shape[-2] if len(b.shape) > 1 else b.shape[0])
    ]
    outputs = [B.matmul(a, b) for a, b in pairs if len(a.shape) < 3 or len(b.shape) < 3 or a.shape[0] == b.shape[0]]
    outputs += [B.einsum("ij,jk,k->i", leaves[3], leaves[4], B.getitem(leaves[4], 0)), B.einsum("aij->ji", leaves[7])]
    both_ways(leaves, outputs, arrays, rtol=1e-12)


# -------------------------------------------------------------------------------------------- what random graphs found


@pytest.mark.parametrize("source", ["?", "i4", "i8", "u1", "f4", "f8"])
@pytest.mark.parametrize("between", ["?", "i1", "i8", "f4"])
def test_conversions_in_a_row_are_done_in_a_row(source, between):
    x = symbol("x", (3,), source)
    outputs = [B.astype(B.astype(x, between), target) for target in ("?", "i4", "f4", "f8")]
    both_ways([x], outputs, [np.array([5.7, 0.3, 2.0]).astype(source)])


def test_numbers_of_both_precisions_are_told_apart():
    single, double, large = symbol("x", (), "f4"), symbol("y"), symbol("z", (100,))  # numbers stand beside the text
    outputs = [B.sum(large)]
    outputs += [B.add(single, 100.0 + k) for k in range(8)] + [B.add(double, 200.0 + k) for k in range(8)]
    check([single, double, large], outputs, [np.float32(1.5), np.float64(2.5), np.ones(100)])


def test_a_number_beyond_single_precision_is_infinite_without_a_warning():
    x = symbol("x", (2,), "f4")
    check([x], [B.minimum(x, 1e300), B.greater(x, -1e300)], [np.array([1.5, np.inf], "f4")])
