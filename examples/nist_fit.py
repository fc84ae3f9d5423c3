"""A fit of real data with a plot: electron mobility, NIST StRD "Thurber", graded of higher difficulty.

Run it: python examples/nist_fit.py [picture.png]. The certified values are NIST's, computed to eleven digits.
"""

import sys
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np

import symtape as st
from symtape.shipped import reference

data = reference(Path(__file__).with_name("data").joinpath("Thurber.dat").read_text(encoding="utf-8"))


def mobility(x, b1, b2, b3, b4, b5, b6, b7):
    """A cubic over a cubic, in the logarithm of the density."""
    return (b1 + b2 * x + b3 * x**2 + b4 * x**3) / (1 + b5 * x + b6 * x**2 + b7 * x**3)


for start in data.starts:
    fit = st.curve_fit(mobility, data.x, data.y, p0=start)
    assert fit.success
    for name, certified in data.certified.items():
        assert np.isclose(fit.params[name], certified, rtol=1e-6), name
        assert np.isclose(fit.stderr[name], data.stderr[name], rtol=1e-5), name
    residuals = data.y - fit.predict(data.x)
    assert np.isclose(residuals @ residuals, data.residual_sum_of_squares, rtol=1e-9)

print(fit)

figure, (top, bottom) = plt.subplots(2, 1, sharex=True, height_ratios=[3, 1], figsize=(7, 6), layout="constrained")
grid = np.linspace(data.x.min(), data.x.max(), 400)
top.plot(data.x, data.y, "o", markersize=4, color="black", label="NIST StRD, Thurber")
top.plot(grid, fit.predict(grid), color="tab:orange", label="cubic over cubic, least squares")
top.set(ylabel="electron mobility", title=f"Residual sum of squares {residuals @ residuals:.10g}")
top.legend()
bottom.axhline(0.0, color="gray", linewidth=0.8)
bottom.plot(data.x, residuals, "o", markersize=4, color="black")
bottom.set(xlabel="log(density)", ylabel="residual")
if len(sys.argv) > 1:
    figure.savefig(sys.argv[1], dpi=120)
plt.close(figure)
