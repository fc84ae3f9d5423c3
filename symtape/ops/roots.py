"""The square root under a length.

A length (2-norm, standard deviation) has a corner where it is zero; its derivative is taken as zero there, not as 0/0.
`root` has the value and the formula of ``sqrt`` and the derivative 0 at 0. The quotient in its derivative has that property
too, so every higher derivative of a length at zero is 0 as well.
"""

from __future__ import annotations

import numpy as np

from symtape.ops.registry import elementwise

ROOT = elementwise(
    "root",
    np.sqrt,
    lambda sp, x: sp.sqrt(x),
    implements=(),
    partials={0: lambda B, y, x: B.divide_no_nan(0.5, y)},
    lowering="sqrt(x)",
)
