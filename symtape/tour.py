"""The tour that ``symtape tour`` prints: the main job from end to end, in a few seconds.

Each section is a function that does the work and gives the text back; printing is the command's business.
"""

from __future__ import annotations

import time
import timeit
from collections.abc import Iterator
from typing import Any

import numpy as np

import symtape as st
from symtape import shipped


def sections() -> Iterator[str]:
    """Texts of the sections, each worked out when it is asked for."""
    yield partial_derivatives()
    yield persistent_tape()
    yield compiled_gradient()
    yield minimum()
    yield fit()


def partial_derivatives() -> str:
    """The lesson's first example, with numbers and exact formulas."""
    x = st.Variable(3.0, name="x")
    y = st.Variable(2.0, name="y")
    with st.GradientTape() as tape:
        z = x**2 * y + np.sin(y)
    dz_dx, dz_dy = tape.gradient(z, [x, y])
    return _section(
        "1. Partial derivatives: record, then ask",
        "with st.GradientTape() as tape:",
        "    z = x**2 * y + np.sin(y)                 # x = 3, y = 2",
        "dz_dx, dz_dy = tape.gradient(z, [x, y])",
        "",
        f"dz/dx = {dz_dx.expr} = {float(dz_dx)!r}",
        f"dz/dy = {dz_dy.expr} = {float(dz_dy)!r}",
    )


def persistent_tape() -> str:
    """Several questions to one tape, intermediate results among them."""
    x = st.Variable(3.0, name="x")
    with st.GradientTape(persistent=True) as tape:
        q = x * x
        p = q * q
    dq_dx, dp_dx, dp_dq = tape.gradient(q, x), tape.gradient(p, x), tape.gradient(p, q)
    return _section(
        "2. A persistent tape: any pair, as often as you like",
        "with st.GradientTape(persistent=True) as tape:",
        "    q = x * x; p = q * q                     # x = 3",
        "",
        f"dq/dx = {dq_dx.expr} = {float(dq_dx)!r}",
        f"dp/dx = {dp_dx.expr} = {float(dp_dx)!r}",
        f"dp/dq = {dp_dq.in_terms_of(q=q)} = {float(dp_dq)!r}",
    )


def compiled_gradient() -> str:
    """The same derivatives as machine code, and what a call costs."""
    x = st.Variable(3.0, name="x")
    y = st.Variable(2.0, name="y")
    with st.GradientTape() as tape:
        z = x**2 * y + np.sin(y)
    gradient = tape.gradient(z, [x, y])
    begin = time.perf_counter()
    fg = st.function([x, y], [z, gradient])
    value, (dx, dy) = fg(3.0, 2.0)
    compiled = time.perf_counter() - begin
    per_call = min(timeit.repeat(lambda: fg(3.0, 2.0), number=2_000, repeat=10)) / 2_000
    return _section(
        "3. Compiled: value and gradient in one call",
        "fg = st.function([x, y], [z, gradient])",
        "",
        f"fg(3.0, 2.0) = {value!r}, [{dx!r}, {dy!r}]",
        f"ready after {compiled:.2f} s, then {per_call * 1e6:.2f} microseconds a call from Python",
    )


def minimum() -> str:
    """Rosenbrock's function with SciPy's signature, and what is known about the point found."""

    def rosen(x: Any) -> Any:
        return np.sum(100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2)

    result = st.minimize(rosen, np.zeros(10))
    return _section(
        "4. A minimum with a certificate",
        "def rosen(x): return np.sum(100*(x[1:] - x[:-1]**2)**2 + (1 - x[:-1])**2)",
        "res = st.minimize(rosen, np.zeros(10))        # exact gradient and Hessian, nothing else to give",
        "",
        f"fun = {float(result.fun):.3g}   method = {result.method}   iterations = {result.nit}",
        f"largest error of x = {float(np.abs(result.x - 1).max()):.1e} (the minimum is at 1, 1, ...)",
        *str(result.certificate).splitlines(),
    )


def fit() -> str:
    """NIST's Misra1a with certified values beside ours."""
    data = shipped.reference(shipped.text("Misra1a.dat"))
    result = st.curve_fit(lambda x, b1, b2: b1 * (1 - np.exp(-b2 * x)), data.x, data.y, p0=data.starts[0])
    rows = [f"{'':12}{'ours':>20}{'certified by NIST':>22}"]
    for name, certified in data.certified.items():
        rows.append(f"{name:12}{result.params[name]:20.10e}{certified:22.10e}")
        rows.append(f"{'  std. error':12}{result.stderr[name]:20.10e}{data.stderr[name]:22.10e}")
    residuals = data.y - result.predict(data.x)
    rows.append(f"{'sum of sq.':12}{float(residuals @ residuals):20.10e}{data.residual_sum_of_squares:22.10e}")
    return _section(
        f"5. A fit of real data: NIST StRD {data.name}, {len(data.y)} observations, from NIST's first start",
        "fit = st.curve_fit(lambda x, b1, b2: b1*(1 - np.exp(-b2*x)), X, Y, p0={'b1': 500, 'b2': 1e-4})",
        "",
        *rows,
    )


def _section(title: str, *lines: str) -> str:
    return "\n".join([title, "-" * len(title), *[f"  {line}" if line else "" for line in lines], ""])
