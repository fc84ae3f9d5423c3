import numpy as np
import pytest

from symtape.compile.ir_types import BOOL, DOUBLE, FLOAT, INT64, conversion, literal, scalar_type
from symtape.compile.lowering import lowered_line, lowered_op
from symtape.compile.lowerings import COMPOSED, LOWERINGS
from symtape.compile.object_code import SPECIAL, SPECIAL_OF_WHOLE, unresolved
from symtape.compile.scalar_functions import FUNCTIONS
from symtape.compile.ufunc_loops import DATA, LOOP
from symtape.errors import CompilationError
from symtape.ops import registry
from symtape.ops.op import Kind

DOUBLES = (np.dtype(float),) * 3


def line(text, *dtypes, result=np.float64, contract=True):
    return lowered_line(text, tuple(np.dtype(d) for d in dtypes), np.dtype(result), contract)


def test_a_line_becomes_steps_over_registers():
    found = line("x * y + 1", float, float)
    assert [step.text for step in found.steps] == ["fmul contract nsz double %s, %s", "fadd contract nsz double %s, %s"]
    assert found.constants == ("0x3FF0000000000000",)
    assert found.steps[0].operands == (0, 1)
    assert found.steps[1].operands == (3, 2)
    assert found.result == 4
    assert "contract" not in line("x * y + 1", float, float, contract=False).steps[0].text


def test_equal_parts_are_computed_once_and_unused_ones_not_at_all():
    found = line("sin(x) * sin(x)", float)
    assert [s.text.split()[0] for s in found.steps] == ["call", "fmul"]
    assert line("x", float).steps == ()


def test_truth_values_are_compared_in_the_common_type():
    found = line("x < y", np.int64, np.float64, result=bool)
    assert found.arguments == (DOUBLE, DOUBLE)
    assert found.kind == BOOL
    chosen = line("x: truth; select(x, y, z)", bool, np.float32, np.float32, result=np.float32)
    assert chosen.arguments == (BOOL, FLOAT, FLOAT)


def test_what_is_used_twice_has_a_name():
    named = line("t = sin(x); u = t * t; u + t", np.float64)
    assert len(named.steps) == 3
    assert named == line("sin(x) * sin(x) + sin(x)", np.float64)
    assert line("t = x + 0.5; t", np.int64, result=np.int64) is None


def test_a_whole_argument_stays_an_integer_if_it_is_one():
    kept = line("x: whole; eval_legendre(x, y)", np.int32, np.float64)
    assert kept.arguments == (INT64, DOUBLE)
    assert kept.symbols == {"symtape_special_whole_eval_legendre"}
    wide = line("x: whole; eval_legendre(x, y)", np.float64, np.float64)
    assert wide.arguments == (DOUBLE, DOUBLE)
    assert line("x: whole; eval_hermite(x, y)", np.float64, np.float64) is None
    assert line("x: whole; eval_legendre(x, y)", int, np.float64) == kept


def test_a_type_that_lacks_a_function_has_no_lowering():
    assert line("sin(x)", np.int64, result=np.int64) is None
    assert line("x + 0.5", np.int64, result=np.int64) is None
    assert line("x + 1", np.float16, result=np.float16) is None


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("x +", "is no expression"),
        ("x ** 2", "has no"),
        ("__import__('os')", "has no"),
        ("__import__(x)", "has no function '__import__'"),
        ("x.real", "has no"),
        ("sin(x, y)", "takes 1 arguments"),
        ("nothing(x)", "no function 'nothing'"),
        ("x if y else z", "has no"),
        ("u", "has no 'u'"),
        ("(lambda: 1)()", "has no"),
        ("t = x; x = t; t", "has no statement 'x = t'"),
        ("t = x; t += 1; t", "has no statement 't \\+= 1'"),
        ("t = x", "does not end in an expression"),
    ],
)
def test_what_the_language_lacks_is_refused(text, message):
    with pytest.raises(CompilationError, match=message):
        line(text, *DOUBLES)


def test_every_line_of_the_tables_is_read():
    for name, text in (LOWERINGS | COMPOSED).items():
        kinds = (np.int64,) if name.startswith(("bitwise", "invert")) else (np.float64, np.float32)
        for dtype in kinds:
            truth = name.startswith("logical") or name in ("where", "select")
            assert (
                line(text, *[dtype] * 3, result=bool if truth and name not in ("where", "select") else dtype)
                is not None
            ), name


def test_every_c_function_of_the_table_exists():
    names = set()
    for text in [t for f in FUNCTIONS.values() for t in (f.floating or "", f.signed or "")]:
        if text.startswith("@special."):
            name, _, form = text.removeprefix("@special.").partition("/")
            names.add((SPECIAL_OF_WHOLE if form else SPECIAL) + name.split(".")[0])
        elif text.startswith("@ufunc."):
            names |= {mark + text.removeprefix("@ufunc.") for mark in (LOOP, DATA)}
        elif text.startswith("@") and not text.startswith("@llvm."):
            names |= {text[1:], text[1:] + "f"}
    assert unresolved(sorted(names)) == []


def test_the_tables_name_ops_that_exist():
    known = registry.ops().keys() | {"true_divide", "float_power", "abs", "radians", "degrees", "mod", "psi", "where"}
    assert set(LOWERINGS) <= known, set(LOWERINGS) - known


def test_the_lines_of_all_ops_are_read():
    elementwise = [op for op in registry.ops().values() if getattr(op, "kind", None) is Kind.ELEMENTWISE]
    lines = [op for op in elementwise if not callable(op.lowering) and (op.lowering or op.name in LOWERINGS)]
    assert len(lines) > 80
    for op in lines:
        lowered_op(op, (np.dtype(float),) * 4, np.dtype(float), contract=True)


@pytest.mark.parametrize("value", [0.0, -0.0, 1.5, np.pi, np.inf, -np.inf, np.nan, 5e-324, 1e308])
def test_floats_are_written_bit_by_bit(value):
    bits = int(literal(value, DOUBLE), 16)
    assert np.array([bits], np.uint64).view(np.float64).tobytes() == np.float64(value).tobytes()


def test_conversions_between_all_types():
    kinds = [np.dtype(k) for k in ("?", "i1", "i2", "i4", "i8", "u1", "u4", "u8", "f4", "f8")]
    for source in kinds:
        for target in kinds:
            text = conversion(scalar_type(source), scalar_type(target))
            assert (text is None) == (
                scalar_type(source) == scalar_type(target)
                or (source.kind in "iu" and target.kind in "iu" and source.itemsize == target.itemsize)
            )
    assert literal(True, INT64) == "1"
