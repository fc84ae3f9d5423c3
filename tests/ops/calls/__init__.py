"""Calls of NumPy's functions by name, as people write them: the table behind `test_numpy_calls`.

A call is a lambda; what its parameters are called says which array it gets (see `ARRAYS`).
"""

from tests.ops.calls import (
    creation,
    einsum,
    elementwise,
    joining,
    linear_algebra,
    methods,
    order,
    polynomials,
    products,
    reading,
    reductions,
    samples,
    shapes,
    ufuncs,
)
from tests.ops.calls.arrays import ARRAYS, kink

#: By the name of the function in NumPy.
CALLS = {
    **elementwise.CALLS,
    **shapes.CALLS,
    **joining.CALLS,
    **reading.CALLS,
    **reductions.CALLS,
    **order.CALLS,
    **products.CALLS,
    **samples.CALLS,
    **polynomials.CALLS,
    **creation.CALLS,
}
#: By the name of the function in `numpy.linalg`.
LINALG_CALLS = linear_algebra.CALLS

#: All of them, each kind under a name of its own.
TABLE = {
    **CALLS,
    **{f"linalg.{name}": calls for name, calls in LINALG_CALLS.items()},
    "einsum.": einsum.CALLS,
    "ufunc": ufuncs.CALLS,
    "array": methods.CALLS,
}

__all__ = ["ARRAYS", "CALLS", "LINALG_CALLS", "TABLE", "kink"]
