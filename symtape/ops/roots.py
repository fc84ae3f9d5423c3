"""The square root under a length, and the quotient in its derivative.

A length (standard deviation, 2-norm) has a corner where it is zero; its derivative is taken as zero there, not as 0/0.
`root` has the value and the formula of ``sqrt`` and the derivative 0 at 0. `divide_no_nan` is 0 where the divisor is 0,
and so are its derivatives: every higher derivative of a length at zero is 0 as well.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from symtape.ops.registry import elementwise


def _quotient(x: Any, y: Any) -> Any:
    quotient = np.divide(x, y)
    return np.where(np.equal(y, 0), np.zeros((), quotient.dtype), quotient)[()]


DIVIDE_NO_NAN = elementwise(
    "divide_no_nan",
    _quotient,
    lambda sp, x, y: x / y,
    implements=(),
    arity=2,
    partials={
        0: lambda B, q, x, y: B.divide_no_nan(1.0, y),
        1: lambda B, q, x, y: B.negative(B.divide_no_nan(q, y)),
    },
    lowering="select(y == 0, 0, x / y)",
)

ROOT = elementwise(
    "root",
    np.sqrt,
    lambda sp, x: sp.sqrt(x),
    implements=(),
    partials={0: lambda B, y, x: B.divide_no_nan(0.5, y)},
    lowering="sqrt(x)",
)
