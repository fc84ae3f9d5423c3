"""The one table of scalar functions: what each name of the lowering language is in LLVM, for each family of types.

An entry is an instruction, with ``T`` for the type, or, after ``@``, a function: an intrinsic of LLVM (``@llvm.``,
which takes the type as a suffix), a function of libm (its single-precision twin has an ``f`` at the end), or one of
SciPy's C functions (``@special.``, in double precision whatever the type; ``@special.name.k.n`` is result k of one that
writes n results, ``@special.name/whole`` the version whose first argument is an integer, with ``/optional`` one that
takes a pointer to optional arguments too), or the loop of one of its ufuncs (``@ufunc.``).
"""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import Final


@dataclass(frozen=True, slots=True)
class ScalarFunction:
    """A scalar function on the types that have it.

    Attributes
    ----------
    floating, signed, unsigned, boolean : str or None
        The instruction or function; None where there is none.
    arity : int
    truth : bool
        Whether the result is a truth value instead of a number of the arguments' type.
    """

    floating: str | None = None
    signed: str | None = None
    unsigned: str | None = None
    boolean: str | None = None
    arity: int = 1
    truth: bool = False

    def template(self, family: str) -> str | None:
        """The entry for a family of types."""
        return {"f": self.floating, "i": self.signed, "u": self.unsigned, "b": self.boolean}[family]


def _intrinsic(name: str, arity: int = 1) -> ScalarFunction:
    return ScalarFunction(floating=f"@llvm.{name}", arity=arity)


def _libm(name: str, arity: int = 1) -> ScalarFunction:
    return ScalarFunction(floating=f"@{name}", arity=arity)


def _special(name: str, arity: int = 1) -> ScalarFunction:
    return ScalarFunction(floating=f"@special.{name}", arity=arity)


def _of_degree(name: str, arity: int, floating: bool = True, form: str = "whole") -> ScalarFunction:
    return ScalarFunction(
        floating=f"@special.{name}" if floating else None, signed=f"@special.{name}/{form}", arity=arity
    )


def _compare(floating: str, signed: str, unsigned: str) -> ScalarFunction:
    return ScalarFunction(
        floating=f"fcmp {floating} T {{0}}, {{1}}",
        signed=f"icmp {signed} T {{0}}, {{1}}",
        unsigned=f"icmp {unsigned} T {{0}}, {{1}}",
        boolean=f"icmp {unsigned} T {{0}}, {{1}}",
        arity=2,
        truth=True,
    )


#: SciPy's C functions of doubles, by their number of arguments.
_OF_SCIPY: Final = {
    1: "erf erfc erfinv erfcinv erfi erfcx dawsn ndtr ndtri ndtri_exp log_ndtr gamma gammaln gammasgn loggamma rgamma"
    " psi logit log_expit entr exprel cosm1 j0 j1 y0 y1 i0 i0e i1 i1e k0 k0e k1 k1e expi exp1 spence ellipk ellipkm1"
    " ellipe wrightomega sindg cosdg tandg",
    2: "beta betaln gammainc gammaincc binom poch xlogy xlog1py rel_entr kl_div huber pseudo_huber boxcox boxcox1p"
    " jv yv iv ive kv kve expn ellipkinc ellipeinc hyp0f1",
    3: "betainc betaincc hyp1f1",
    4: "hyp2f1",
}

#: Polynomials, whose first argument may be an integer with an algorithm of its own, by their number of arguments.
_OF_DEGREE: Final = {
    2: "eval_legendre eval_chebyt eval_chebyu eval_laguerre",
    3: "eval_genlaguerre eval_gegenbauer",
    4: "eval_jacobi",
}

#: Results of those that write several: our name to theirs, and the number of the result.
_RESULTS_OF_SCIPY: Final = {
    "sine_integral": "sici.0.2",
    "cosine_integral": "sici.1.2",
    "sinh_integral": "shichi.0.2",
    "cosh_integral": "shichi.1.2",
    "fresnel_s": "fresnel.0.2",
    "fresnel_c": "fresnel.1.2",
    "airy_ai": "airy.0.4",
    "airy_ai_prime": "airy.1.4",
    "airy_bi": "airy.2.4",
    "airy_bi_prime": "airy.3.4",
}

#: Names of the lowering language. FLAGS is replaced by the fast-math flags that the options allow.
FUNCTIONS: Final = MappingProxyType(
    {
        "add": ScalarFunction("fadd FLAGS T {0}, {1}", "add T {0}, {1}", "add T {0}, {1}", "or T {0}, {1}", arity=2),
        "subtract": ScalarFunction("fsub FLAGS T {0}, {1}", "sub T {0}, {1}", "sub T {0}, {1}", arity=2),
        "multiply": ScalarFunction(
            "fmul FLAGS T {0}, {1}", "mul T {0}, {1}", "mul T {0}, {1}", "and T {0}, {1}", arity=2
        ),
        "divide": ScalarFunction("fdiv T {0}, {1}", "sdiv T {0}, {1}", "udiv T {0}, {1}", arity=2),
        "negative": ScalarFunction("fneg T {0}", "sub T 0, {0}", "sub T 0, {0}"),
        # steps of an algorithm that a fused or reordered operation would break
        "exact_add": ScalarFunction("fadd T {0}, {1}", arity=2),
        "exact_subtract": ScalarFunction("fsub T {0}, {1}", arity=2),
        "exact_multiply": ScalarFunction("fmul T {0}, {1}", arity=2),
        "c_remainder": ScalarFunction("@fmod", "srem T {0}, {1}", "urem T {0}, {1}", arity=2),
        "less": _compare("olt", "slt", "ult"),
        "less_equal": _compare("ole", "sle", "ule"),
        "greater": _compare("ogt", "sgt", "ugt"),
        "greater_equal": _compare("oge", "sge", "uge"),
        "equal": _compare("oeq", "eq", "eq"),
        "not_equal": _compare("une", "ne", "ne"),
        "isnan": ScalarFunction("fcmp uno T {0}, {0}", truth=True),
        "truth": ScalarFunction(
            "fcmp une T {0}, 0.0", "icmp ne T {0}, 0", "icmp ne T {0}, 0", "or T {0}, false", truth=True
        ),
        "odd": ScalarFunction(None, "trunc T {0} to i1", "trunc T {0} to i1", truth=True),
        "both": ScalarFunction(boolean="and T {0}, {1}", arity=2, truth=True),
        "either": ScalarFunction(boolean="or T {0}, {1}", arity=2, truth=True),
        "differ": ScalarFunction(boolean="xor T {0}, {1}", arity=2, truth=True),
        "invert": ScalarFunction(None, "xor T {0}, -1", "xor T {0}, -1", "xor T {0}, true"),
        "bit_and": ScalarFunction(None, "and T {0}, {1}", "and T {0}, {1}", "and T {0}, {1}", arity=2),
        "bit_or": ScalarFunction(None, "or T {0}, {1}", "or T {0}, {1}", "or T {0}, {1}", arity=2),
        "bit_xor": ScalarFunction(None, "xor T {0}, {1}", "xor T {0}, {1}", "xor T {0}, {1}", arity=2),
        "maximum": ScalarFunction("@llvm.maximum", "@llvm.smax", "@llvm.umax", "or T {0}, {1}", arity=2),
        "minimum": ScalarFunction("@llvm.minimum", "@llvm.smin", "@llvm.umin", "and T {0}, {1}", arity=2),
        "fmax": ScalarFunction("@llvm.maxnum", "@llvm.smax", "@llvm.umax", "or T {0}, {1}", arity=2),
        "fmin": ScalarFunction("@llvm.minnum", "@llvm.smin", "@llvm.umin", "and T {0}, {1}", arity=2),
        "absolute": ScalarFunction(
            "@llvm.fabs", "call T @llvm.abs.S(T {0}, i1 false)", "or T {0}, 0", "or T {0}, false"
        ),
        "sqrt": _intrinsic("sqrt"),
        "sin": _intrinsic("sin"),
        "cos": _intrinsic("cos"),
        "exp": _intrinsic("exp"),
        "exp2": _intrinsic("exp2"),
        "log": _intrinsic("log"),
        "log2": _intrinsic("log2"),
        "log10": _intrinsic("log10"),
        "pow": _intrinsic("pow", 2),
        # a whole number is its own floor
        "floor": ScalarFunction("@llvm.floor", "or T {0}, 0", "or T {0}, 0"),
        "ceil": ScalarFunction("@llvm.ceil", "or T {0}, 0", "or T {0}, 0"),
        "trunc": ScalarFunction("@llvm.trunc", "or T {0}, 0", "or T {0}, 0"),
        "rint": _intrinsic("roundeven"),
        "copysign": _intrinsic("copysign", 2),
        "tan": _libm("tan"),
        "arcsin": _libm("asin"),
        "arccos": _libm("acos"),
        "arctan": _libm("atan"),
        "arctan2": _libm("atan2", 2),
        "sinh": _libm("sinh"),
        "cosh": _libm("cosh"),
        "tanh": _libm("tanh"),
        "arcsinh": _libm("asinh"),
        "arccosh": _libm("acosh"),
        "arctanh": _libm("atanh"),
        "expm1": _libm("expm1"),
        "log1p": _libm("log1p"),
        "cbrt": _libm("cbrt"),
        "hypot": _libm("hypot", 2),
        "nextafter": _libm("nextafter", 2),
        **{name: _special(name, arity) for arity, names in _OF_SCIPY.items() for name in names.split()},
        **{name: _of_degree(name, arity) for arity, names in _OF_DEGREE.items() for name in names.split()},
        **{name: _of_degree(name, 2, floating=False) for name in ("eval_hermite", "eval_hermitenorm")},
        **{
            name: _of_degree(name, 2, floating=False, form="optional")
            for name in ("spherical_jn", "spherical_yn", "spherical_in", "spherical_kn")
        },
        "zeta": ScalarFunction("@ufunc._zeta", arity=2),
        **{name: _special(theirs) for name, theirs in _RESULTS_OF_SCIPY.items()},
    }
)
