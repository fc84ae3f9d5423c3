"""NIST's 27 nonlinear regressions from both starts, `st.curve_fit` with its defaults against the certified values."""

from pathlib import Path

import numpy as np
import pytest

import symtape as st
from symtape.optimize.certify import Verdict
from symtape.shipped import reference
from tests.optimize.nist_models import MODELS

ROOT = Path(__file__).parents[2]
FOLDERS = (ROOT / "tests" / "data" / "nist_strd", ROOT / "examples" / "data")


def files():
    return {path.stem: path for folder in FOLDERS for path in folder.glob("*.dat")}


def load(name):
    data = reference(files()[name].read_text(encoding="utf-8"))
    assert data.name == name
    return data


def digits(found, certified):
    """Correct digits: the negative logarithm of the relative error, at most the eleven that are certified."""
    return min(11.0, -np.log10(max(abs(found / certified - 1), 1e-16)))


def test_the_27_data_sets_are_here_once():
    assert set(files()) == set(MODELS)
    assert len(MODELS) == 27
    assert sum(len(list(folder.glob("*.dat"))) for folder in FOLDERS) == 27


@pytest.mark.slow
@pytest.mark.parametrize("start", [0, 1])
@pytest.mark.parametrize("name", sorted(MODELS))
def test_certified_values(name, start):
    data = load(name)
    y = np.log(data.y) if name == "Nelson" else data.y
    fit = st.curve_fit(MODELS[name], data.x, y, p0=data.starts[start])
    assert fit.certificate.verdict is Verdict.STRICT_LOCAL_MINIMUM
    for parameter, certified in data.certified.items():
        assert digits(fit.params[parameter], certified) >= 8, parameter
    # residuals are differences of doubles: of Lanczos1, whose data are exact to 13 digits, few digits are left
    rounding = 2 * np.finfo(float).eps * np.max(np.abs(y)) * np.sqrt(y.size / data.residual_sum_of_squares)
    assert fit.rss == pytest.approx(data.residual_sum_of_squares, rel=1e-8 + 2 * rounding)
    for parameter, certified in data.stderr.items():
        assert fit.stderr[parameter] == pytest.approx(certified, rel=1e-7 + rounding), parameter
    assert fit.dof == y.size - len(data.certified)


def test_a_start_from_which_no_minimum_is_reached_is_no_success():
    data = load("Rat43")
    with pytest.raises(RuntimeError):
        st.curve_fit(MODELS["Rat43"], data.x, data.y, p0=data.starts[0], max_nfev=2)
