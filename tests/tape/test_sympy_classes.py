"""Every class of sympy's: brought in with the value and the gradient of sympy, or refused by name with a remedy."""

import importlib
import inspect
import itertools
import pkgutil
import re

import numpy as np
import pytest
import sympy as sp
import sympy.functions
import sympy.matrices.expressions
from sympy.algebras.quaternion import Quaternion
from sympy.combinatorics import Permutation
from sympy.core.function import AppliedUndef
from sympy.matrices.expressions import (
    CompanionMatrix,
    DiagonalOf,
    HadamardPower,
    HadamardProduct,
    KroneckerProduct,
    MatrixPermute,
    OneMatrix,
    PermutationMatrix,
)
from sympy.matrices.expressions.applyfunc import ElementwiseApplyFunction
from sympy.matrices.expressions.blockmatrix import BlockDiagMatrix, BlockMatrix
from sympy.matrices.expressions.diagonal import DiagMatrix, DiagonalMatrix
from sympy.matrices.expressions.dotproduct import DotProduct
from sympy.matrices.expressions.factorizations import LofCholesky, UofCholesky, eig, lu, qr, svd
from sympy.matrices.expressions.fourier import DFT, IDFT
from sympy.matrices.expressions.sets import MatrixSet
from sympy.physics import units
from sympy.tensor.array.expressions import (
    ArrayAdd,
    ArrayContraction,
    ArrayDiagonal,
    ArrayElementwiseApplyFunc,
    ArraySymbol,
    ArrayTensorProduct,
    OneArray,
    PermuteDims,
    Reshape,
    ZeroArray,
)
from sympy.vector import CoordSys3D

import symtape as st
from symtape.errors import NoFormulaError, NotDifferentiableError
from symtape.ops.sympy_refusals import remedy_for

x, y, z, w = sp.symbols("x y z w")
i, j, n = sp.symbols("i j n", integer=True)
f = sp.Function("f")

# ----------------------------------------------------------------------------------------------------------- functions

#: Where a function is asked, if not at the first of these; integers are orders and stay numbers.
ANYWHERE = (0.37, 0.83, 0.61, 0.29)
PLACES = {
    **dict.fromkeys(("acosh", "acoth", "asec", "acsc"), (1.7,)),
    **dict.fromkeys(("li", "Li", "factorial", "dirichlet_eta", "riemann_xi"), (2.5,)),
    **dict.fromkeys(("hermite", "hermite_prob", "chebyshevt", "chebyshevu", "legendre", "laguerre"), (3, 0.4)),
    **dict.fromkeys(("jn", "yn", "expint", "polygamma", "polylog"), (2, 0.7)),
    **dict.fromkeys(("betainc", "betainc_regularized"), (1.2, 2.3, 0.2, 0.6)),
    **dict.fromkeys(("lowergamma", "uppergamma"), (1.3, 0.7)),
    "gegenbauer": (3, 0.7, 0.4),
    "jacobi": (3, 0.5, 0.6, 0.4),
    "assoc_laguerre": (3, 0.5, 0.4),
    "LambertW": (0.7, 0),
    "SingularityFunction": (1.3, 0.2, 2),
    "zeta": (2.3, 1.4),
    "binomial": (4.3, 1.2),
    "erf2inv": (0.1, 0.2),
}
#: What sympy cannot work out, in terms of what it can.
IN_OTHER_WORDS = {
    "erf2": lambda a, b: sp.erf(b) - sp.erf(a),
    "erf2inv": lambda a, b: sp.erfinv(b + sp.erf(a)),
    "erfcinv": lambda a: sp.erfinv(1 - a),
}
DIGITS = 40


def applied(name, count):
    """A function of sympy's with so many arguments, and where to ask it; None if it takes another number."""
    places = PLACES.get(name, ANYWHERE)[:count]
    if len(places) != count:
        return None
    arguments = [sp.Integer(p) if isinstance(p, int) else s for p, s in zip(places, (x, y, z, w), strict=False)]
    try:
        expression = getattr(sympy.functions, name)(*arguments)
    except (TypeError, ValueError, AttributeError, IndexError):
        return None
    where = {s: p for s, p in zip(arguments, places, strict=True) if s in expression.free_symbols}
    return expression, where


def in_digits(expression, where):
    """The value with many digits."""
    return sp.N(expression.subs({s: sp.Float(p, DIGITS) for s, p in where.items()}), DIGITS)


def slope(expression, symbol, where):
    """The derivative with many digits: sympy's, or a central difference where sympy only writes it down."""
    real = {s: sp.Symbol(s.name, real=True) for s in where}
    found = expression.xreplace(real).diff(real[symbol])
    if not found.has(sp.Derivative, sp.Subs):
        value = in_digits(found, {real[s]: p for s, p in where.items()})
        if value.is_Float or value.is_Integer:
            return float(value)
    step = sp.Float("1e-13", DIGITS)
    ahead, behind = ({**where, symbol: sp.Float(where[symbol], DIGITS) + h} for h in (step, -step))
    return float((in_digits(expression, ahead) - in_digits(expression, behind)) / (2 * step))


def brought_in(expression, names=None):
    """The tensor, or the error."""
    try:
        return st.from_sympy(expression, names)
    except NoFormulaError as error:
        return error


def clear(error):
    """Whether a message names a class of sympy's and goes on to say what to do."""
    return re.search(r"(sympy's \w+, .*|the range of .* in \w+\(.*): .{20}", str(error)) is not None


FUNCTIONS = sorted(name for name in dir(sympy.functions) if inspect.isclass(getattr(sympy.functions, name)))


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_function_has_the_value_and_the_slope_of_sympy_or_is_refused(name):
    for count in range(1, 5):
        case = applied(name, count)
        if case is None:
            continue
        expression, where = case
        variables = {s: st.Variable(p, name=s.name) for s, p in where.items()}
        with st.GradientTape(persistent=True) as tape:
            found = brought_in(expression, variables)
            if isinstance(found, NoFormulaError):
                assert clear(found), found
                continue
        expression = IN_OTHER_WORDS.get(name, lambda *_: expression)(*expression.args)
        assert float(found) == pytest.approx(float(in_digits(expression, where)), rel=1e-12), expression
        for symbol, variable in variables.items():
            try:
                gradient = tape.gradient(found, variable)
            except NotDifferentiableError:  # in the order of a Bessel function, and the like: said by its own tests
                continue
            expected = slope(expression, symbol, where)
            assert float(0 if gradient is None else gradient) == pytest.approx(expected, rel=1e-12, abs=1e-15), symbol


#: Classes that are refused, whatever their arguments; all others are brought in with some.
REFUSED = {
    *(
        "DiracDelta",
        "LeviCivita",
        "Ynm",
        "Znm",
        "andre",
        "appellf1",
        "assoc_legendre",
        "bell",
        "bernoulli",
        "carmichael",
    ),
    *("chebyshevt_root", "chebyshevu_root", "divisor_sigma", "elliptic_pi", "euler", "exp_polar", "factorial2"),
    *("fibonacci", "genocchi", "hankel1", "hankel2", "hn1", "hn2", "hyper", "jacobi_symbol", "kronecker_symbol"),
    *("legendre_symbol", "lerchphi", "lucas", "marcumq", "mathieuc", "mathieucprime", "mathieus", "mathieusprime"),
    *("meijerg", "mobius", "motzkin", "multigamma", "partition", "periodic_argument", "polar_lift", "primenu"),
    *("primeomega", "primepi", "principal_branch", "reduced_totient", "stieltjes", "subfactorial", "totient"),
    *("tribonacci", "udivisor_sigma", "Piecewise"),
}


def test_most_functions_are_brought_in():
    found = set()
    for name, count in itertools.product(FUNCTIONS, range(1, 5)):
        case = applied(name, count)
        if case is not None and not isinstance(brought_in(case[0]), NoFormulaError):
            found.add(name)
    assert set(FUNCTIONS) - found <= REFUSED
    assert len(found) >= 95


# ------------------------------------------------------------------------------------------------------------ matrices

A, C, R = (sp.MatrixSymbol(name, *shape) for name, shape in (("A", (3, 3)), ("C", (3, 3)), ("R", (2, 3))))
A2, C2 = sp.MatrixSymbol("A2", 2, 2), sp.MatrixSymbol("C2", 2, 2)
u, v = sp.MatrixSymbol("u", 3, 1), sp.MatrixSymbol("v", 3, 1)
T = ArraySymbol("T", (2, 3, 4))

MATRICES = {
    "MatAdd": A + 2 * C,
    "MatMul": x * A * C * v,
    "MatPow": A**3,
    "Inverse": C2 * A2.I,
    "Transpose": (A * C).T,
    "Adjoint": sp.Adjoint(A),
    "HadamardProduct": HadamardProduct(A, C, A),
    "HadamardPower": HadamardPower(A, x),
    "KroneckerProduct": KroneckerProduct(R, A),
    "BlockMatrix": BlockMatrix([[A, v], [v.T, sp.Identity(1)]]),
    "BlockDiagMatrix": BlockDiagMatrix(A, R),
    "DiagMatrix": DiagMatrix(v),
    "DiagonalMatrix": DiagonalMatrix(R),
    "DiagonalOf": DiagonalOf(R),
    "Identity": sp.Identity(3) + A,
    "ZeroMatrix": sp.ZeroMatrix(2, 3),
    "OneMatrix": OneMatrix(2, 3) + R,
    "MatrixSlice": A[::2, 1:3],
    "ElementwiseApplyFunction": ElementwiseApplyFunction(sp.Lambda(z, sp.sin(z) * y), A * C),
    "FunctionMatrix": sp.FunctionMatrix(2, 3, sp.Lambda((i, j), i + x * j)),
    "PermutationMatrix": PermutationMatrix(Permutation([1, 2, 0])),
    "MatrixPermute": MatrixPermute(A, Permutation([1, 2, 0])),
    "CompanionMatrix": CompanionMatrix(sp.Poly([1, x, 3], z)),
    "MatrixSymbol": A,
    "ImmutableDenseMatrix": sp.ImmutableDenseMatrix([[x, A[0, 1]], [sp.Sum(x**i, (i, 0, 2)), 1]]),
    "ImmutableSparseMatrix": sp.ImmutableSparseMatrix(2, 2, {(0, 1): x * y}),
    "DFT": DFT(2) * sp.MatrixSymbol("D", 2, 2),
    "IDFT": IDFT(2),
}
ARRAYS = {
    "ArrayAdd": ArrayAdd(T, T),
    "ArrayTensorProduct": ArrayTensorProduct(R, v),
    "ArrayContraction": ArrayContraction(ArrayTensorProduct(A, R, v), (0, 3), (1, 4)),
    "ArrayDiagonal": ArrayDiagonal(ArrayTensorProduct(A, R), (1, 3)),
    "PermuteDims": PermuteDims(T, [2, 0, 1]),
    "Reshape": Reshape(T, (6, 4)),
    "ArrayElementwiseApplyFunc": ArrayElementwiseApplyFunc(sp.Lambda(z, sp.exp(z) * x), T),
    "OneArray": OneArray(2, 3),
    "ZeroArray": ZeroArray(2, 3),
    "ArraySymbol": T,
}
SCALARS = {
    "Trace": sp.Trace(A * C) * x,
    "Determinant": sp.log(sp.Determinant(A)),
    "DotProduct": DotProduct(v, u) ** 2,
    "MatrixElement": A[0, 1] * sp.sin(A[1, 1]),
    "ArrayElement": T[0, 1, 2] * x,
    "Sum of matrices": sp.Sum(A * i, (i, 1, 3)),
}
FACTORS = [*lu(A), *qr(A), *eig(A), *svd(A), LofCholesky(A), UofCholesky(A)]
REFUSED_MATRICES = {
    **{type(factor).__name__: factor for factor in FACTORS},
    "Permanent": sp.Permanent(A),
    "MatPow of a symbol": A**n,
    "Identity of no size": sp.Identity(n),
    "DFT of 3": DFT(3),
}
#: Classes from which others are made, and what sympy puts in the place of nothing.
NOT_MADE = {
    *("MatrixExpr", "MatrixElement", "Factorization", "GenericIdentity", "GenericZeroMatrix", "MatrixDerivative"),
    *("BlockMatrix", "EigenValues", "EigenVectors", "ImmutableRepMatrix"),
}


def numbers(expression):
    """Values for what an expression names."""
    rng = np.random.default_rng(5)
    names = {}
    for s in sorted(expression.atoms(sp.MatrixSymbol, ArraySymbol), key=str):
        shape = tuple(map(int, s.shape))
        names[str(s.name)] = rng.uniform(0.5, 1.5, shape) + (2 * np.eye(*shape) if len(shape) == 2 else 0)
    for s in sorted(expression.free_symbols & {x, y}, key=str):
        names[s.name] = rng.uniform(0.5, 1.5)
    return names


def in_numbers(expression, names):
    """What sympy makes of it, element by element."""
    swaps = {}
    for s in expression.atoms(sp.MatrixSymbol, ArraySymbol):
        for at in np.ndindex(*map(int, s.shape)):
            swaps[s[at]] = sp.Float(names[str(s.name)][at], 30)
    swaps |= {s: sp.Float(names[s.name], 30) for s in (x, y) if s.name in names}
    expression = expression.doit() if hasattr(expression, "limits") else expression
    explicit = expression.as_explicit() if hasattr(expression, "as_explicit") else expression.doit(deep=True)
    if not hasattr(explicit, "shape"):
        return float(explicit.rewrite(sp.Sum).doit().xreplace(swaps))
    flat = [sp.N(e.doit().xreplace(swaps), 20) for e in sp.flatten(explicit.tolist())]
    return np.array(flat, float).reshape(explicit.shape)


@pytest.mark.parametrize("name", [*MATRICES, *ARRAYS])
def test_an_array_has_the_elements_that_sympy_gives_it(name):
    expression = {**MATRICES, **ARRAYS}[name]
    names = numbers(expression)
    found = st.from_sympy(expression, names)
    np.testing.assert_allclose(found.numpy(), in_numbers(expression, names), rtol=1e-12)


def test_scalars_of_arrays():
    a, t, c, p, q = (numbers(s)[str(s.name)] for s in (A, T, C, u, v))
    c, q = c + 1, q[::-1]
    names = {"A": a, "C": c, "T": t, "u": p, "v": q, "x": 0.7}
    expected = {
        "Trace": 0.7 * np.trace(a @ c),
        "Determinant": np.log(np.linalg.det(a)),
        "DotProduct": float(np.vdot(q, p)) ** 2,
        "MatrixElement": a[0, 1] * np.sin(a[1, 1]),
        "ArrayElement": 0.7 * t[0, 1, 2],
        "Sum of matrices": 6 * a,
    }
    for name, expression in SCALARS.items():
        needed = {str(s.name) for s in expression.atoms(sp.MatrixSymbol, ArraySymbol)} | (
            {"x"} if x in expression.free_symbols else set()
        )
        found = st.from_sympy(expression, {k: names[k] for k in needed})
        np.testing.assert_allclose(found.numpy(), expected[name], rtol=1e-12, err_msg=name)


def test_a_column_has_the_elements_of_a_vector():
    found = st.from_sympy(A * v, {"A": np.eye(3), "v": np.arange(3.0)})
    assert np.array_equal(found.numpy(), [[0.0], [1.0], [2.0]])


def test_a_square_root_of_a_matrix():
    a = numbers(A)["A"]
    root = st.from_sympy(sp.MatPow(A, sp.S.Half), {"A": a}).numpy()
    np.testing.assert_allclose(root @ root, a, rtol=1e-12)


@pytest.mark.parametrize("name", REFUSED_MATRICES)
def test_a_matrix_without_operation_is_refused(name):
    with pytest.raises(NoFormulaError) as caught:
        st.from_sympy(REFUSED_MATRICES[name])
    assert ":" in str(caught.value) or "must be" in str(caught.value)


def below(kind):
    for below_it in kind.__subclasses__():
        yield below_it
        yield from below(below_it)


def test_every_class_of_matrices_is_asked():
    for module in pkgutil.iter_modules(sympy.matrices.expressions.__path__):
        importlib.import_module(f"sympy.matrices.expressions.{module.name}")
    made = {k.__name__ for k in below(sp.MatrixExpr) if k.__module__.startswith("sympy.matrices")}
    assert made - MATRICES.keys() - SCALARS.keys() - REFUSED_MATRICES.keys() - NOT_MADE == set()


# -------------------------------------------------------------------------------------------- conditions and selections

CONDITIONS = {
    "And": sp.And(x > 0, y > 0),
    "Or": sp.Or(x > 0, y > 0, x < -2),
    "Not": sp.Not(sp.And(x > 0, y > 0)),
    "Xor": sp.Xor(x > 0, y > 0),
    "Nand": sp.Nand(x > 0, y > 0),
    "Nor": sp.Nor(x > 0, y > 0),
    "Implies": sp.Implies(x > 0, y > 0),
    "Equivalent": sp.Equivalent(x > 0, y > 0, x > y),
    "ITE": sp.ITE(x > 0, y > 0, y < -1),
    "Eq": sp.Eq(x, y),
    "Ne": sp.Ne(x, y),
    "Le": x <= y,
    "Ge": x >= y,
    "interval": sp.Contains(x, sp.Interval.Ropen(-1, 1)),
    "union": sp.Contains(x, sp.Union(sp.Interval(-3, -1), sp.FiniteSet(1))),
    "integers": sp.Contains(x, sp.S.Integers),
    "condition set": sp.Contains(x, sp.ConditionSet(z, z**2 > 1)),
    "relational": sp.Interval(0, 1).as_relational(x),
}
SELECTIONS = {
    "Piecewise": sp.Piecewise((x**2, x > y), (y, sp.Contains(x, sp.Interval(-1, 1))), (x * y, True)),
    "Max": sp.Max(x, sp.Min(y, 1), x * y),
    "KroneckerDelta": 3 * sp.KroneckerDelta(x, y) + x,
    "Heaviside": sp.Heaviside(x - y) * x,
    "Mod": sp.Mod(x, sp.Rational(3, 4)) * y,
    "frac": sp.frac(x) * y,
    "Abs": sp.Abs(x) ** 3 + sp.sign(y) * x,
}


@pytest.mark.parametrize("name", CONDITIONS)
def test_a_condition_is_true_where_sympy_says_so(name):
    condition = CONDITIONS[name]
    found = st.from_sympy(condition)
    assert found.dtype == bool
    for a, b in itertools.product((-2.5, -1.0, 0.0, 0.5, 1.0, 3.0), repeat=2):
        names = {s: number for s, number in ((x, a), (y, b)) if s in condition.free_symbols}
        truth = condition.subs({s: sp.nsimplify(number) for s, number in names.items()})
        assert bool(st.from_sympy(condition, names)) == bool(truth), (a, b)


@pytest.mark.parametrize("name", SELECTIONS)
def test_a_selection_has_the_value_and_slope_of_its_branch(name):
    expression = SELECTIONS[name]
    for a, b in ((-2.3, 0.4), (0.7, 0.3), (0.2, 0.9), (1.3, -0.6)):
        p, q = st.Variable(a, name="p"), st.Variable(b, name="q")
        with st.GradientTape() as tape:
            found = st.from_sympy(expression, {x: p, y: q})
        assert float(found) == pytest.approx(float(expression.subs({x: a, y: b})), rel=1e-12)
        slopes = tape.gradient(found, [p, q])
        h = 1e-7  # the branches are polynomials of low degree
        for k, gradient in enumerate(slopes):
            ahead, behind = ({x: a + h * (k == 0) * s, y: b + h * (k == 1) * s} for s in (1, -1))
            numeric = float(expression.subs(ahead) - expression.subs(behind)) / (2 * h)
            assert float(0 if gradient is None else gradient) == pytest.approx(numeric, rel=1e-6, abs=1e-6)


# ------------------------------------------------------------------------------------------------------------- the rest

NUMBERS = [sp.Rational(1, 3), sp.Float("0.1", 50), sp.pi, sp.E, sp.EulerGamma, sp.GoldenRatio, sp.Catalan, sp.zeta(3)]
NUMBERS += [sp.sqrt(2), sp.rootof(x**5 - x - 1, 0), sp.Integer(10) ** 30, sp.Sum(1 / i**2, (i, 1, 5)), sp.sin(1)]


@pytest.mark.parametrize("number", NUMBERS, ids=str)
def test_numbers(number):
    assert float(st.from_sympy(number)) == pytest.approx(float(number.evalf(30)), rel=1e-15)
    assert "value=" in repr(st.from_sympy(number))


def test_numbers_at_the_edge():
    assert float(st.from_sympy(sp.oo)) == np.inf
    assert float(st.from_sympy(-sp.oo)) == -np.inf
    assert np.isnan(float(st.from_sympy(sp.nan)))
    assert bool(st.from_sympy(sp.true)) is True


def test_what_is_left_unevaluated_is_computed():
    cases = (sp.Add(x, x, evaluate=False), sp.Mul(2, 3, x, evaluate=False), sp.UnevaluatedExpr(x) * 3)
    for expression in cases:
        assert float(st.from_sympy(expression, {x: 0.3})) == pytest.approx(float(expression.doit().subs(x, 0.3)))


def test_lists_and_tuples_are_arrays():
    for listed in ([x, 2], (x, 2), sp.Tuple(x, 2), sp.Array([x, 2]), np.array([x, 2])):
        assert np.array_equal(st.from_sympy(listed, {x: 0.5}).numpy(), [0.5, 2.0])


def test_undefined_functions_are_mapped():
    p = st.Variable(0.3, name="p")
    with st.GradientTape() as tape:
        found = st.from_sympy(f(x**2) * f(y) + x, {f: np.tanh, "x": p, "y": 2.0})
    assert float(found) == pytest.approx(np.tanh(0.09) * np.tanh(2.0) + 0.3)
    assert float(tape.gradient(found, p)) == pytest.approx(0.6 / np.cosh(0.09) ** 2 * np.tanh(2.0) + 1)
    assert float(st.from_sympy(f(A), {"f": np.sum, "A": np.ones((3, 3))})) == 9.0


def test_lambdas():
    nested = st.from_sympy(sp.Lambda(((x, y), z), x * y + z))
    assert float(nested((2.0, 3.0), 1.0)) == 7.0
    assert float(st.from_sympy(sp.Lambda((x, y), x))(2.0, 3.0)) == 2.0  # an argument that is not used
    assert np.array_equal(st.from_sympy(sp.Lambda(x, sp.Matrix([x, n])), {"n": 4.0})(2.0).numpy(), [[2.0], [4.0]])
    with pytest.raises(TypeError, match="takes 2 arguments, got 1"):
        nested(1.0)


def test_symbols_of_one_name_are_told_apart():
    first, second = sp.Symbol("x", positive=True), sp.Dummy("x")
    found = st.from_sympy(first / second + x, {first: 6.0, second: 2.0, x: 1.0})
    assert float(found) == 4.0


def test_deep_expressions_pass():
    deep = x
    for _ in range(2000):
        deep = sp.sin(deep, evaluate=False)
    assert 0 < float(st.from_sympy(deep, {"x": 0.5})) < 0.05


SYSTEM = CoordSys3D("S")
REFUSALS = [
    (sp.I * x, "ImaginaryUnit", "real and imaginary part"),
    (np.complex128(2j), "ImaginaryUnit", "real and imaginary part"),
    (sp.exp(sp.I * x), "ImaginaryUnit", "real and imaginary part"),
    (sp.zoo, "ComplexInfinity", "real and imaginary part"),
    (sp.rootof(x**5 - x - 1, 1), "ComplexRootOf", "real and imaginary part"),
    (sp.Derivative(x**2 * y, x), "Derivative", ".doit()"),
    (f(x).diff(x), "Derivative", ".doit()"),
    (sp.Integral(x * y, (x, 0, 1)), "Integral", ".doit()"),
    (sp.Limit(sp.sin(x) / x, x, 0), "Limit", ".doit()"),
    (sp.Subs(f(x), x, 2), "Subs", ".doit()"),
    (sp.RootSum(x**3 + x + 1, sp.Lambda(x, sp.exp(x * y))), "RootSum", ".doit()"),
    (sp.MellinTransform(f(x), x, z), "MellinTransform", ".doit()"),
    (sp.sin(x).series(x), "Order", ".removeO()"),
    (sp.fourier_series(x, (x, -1, 1)), "FourierSeries", ".truncate"),
    (sp.Sum(x**i, (i, 0, n)), "Sum(", ".subs(...)"),
    (sp.Sum(x**i, (i, 0, sp.oo)), "Sum(", ".subs(...)"),
    (sp.DiracDelta(x), "DiracDelta", "integrate"),
    (f(x), "f", "map its name to a function"),
    (f, "UndefinedFunction", "apply it"),
    (sp.sin, "FunctionClass", "apply it"),
    (Quaternion(x, y, z, w), "Quaternion", ".a, .b, .c"),
    (3 * units.meter * x, "Quantity", ".subs({unit: 1})"),
    (SYSTEM.x * y, "BaseScalar", ".subs(...)"),
    (x * SYSTEM.i + SYSTEM.j, "BaseVector", ".to_matrix"),
    (sp.Symbol("p", commutative=False) * x, "the symbol p does not commute", "MatrixSymbol"),
    (sp.Symbol("p", imaginary=True) * x, "assumed not to be real", "real and imaginary part"),
    (sp.IndexedBase("b") * x, "IndexedBase", "base[i]"),
    (sp.Idx("k", 3) * x, "Idx", ".subs(...)"),
    (sp.sin(A), "MatrixSymbol", "applyfunc"),
    (sp.AccumBounds(0, 1), "AccumulationBounds", ".min or .max"),
    (sp.Interval(0, 1), "Interval", "sympy.Contains"),
    (sp.FiniteSet(1, 2), "FiniteSet", "sympy.Contains"),
    (sp.S.Reals, "Reals", "sympy.Contains"),
    (MatrixSet(2, 2, sp.S.Reals), "MatrixSet", "sympy.Contains"),
    (sp.Contains(x, sp.S.Rationals), "Contains", "as_relational"),
    (sp.Poly(x**2 + 1, x), "Poly", ".as_expr()"),
    (sp.Dict({x: y}), "Dict", "one by one"),
    (Permutation([1, 0]), "Permutation", "PermutationMatrix"),
    ("x + 1", "is a text", "pass a sympy expression"),
    (None, "None", "wanted a sympy expression or a number"),
    (object(), "object", "wanted a sympy expression or a number"),
]


@pytest.mark.parametrize(("given", "name", "remedy"), REFUSALS, ids=[str(k) for k in range(len(REFUSALS))])
def test_the_rest_is_refused_by_name_with_a_remedy(given, name, remedy):
    with pytest.raises(TypeError) as caught:
        st.from_sympy(given)
    assert name in str(caught.value)
    assert remedy in str(caught.value)


def test_each_remedy_is_for_a_class_that_there_is():
    assert remedy_for(f(x)) == remedy_for(sp.Function("g")(y)) != remedy_for(sp.Interval(0, 1))
    assert isinstance(f(x), AppliedUndef)
    assert remedy_for(x) is None
