"""`docs/numpy.md` is what the registry says, and no public function of NumPy is forgotten."""

import importlib.util
import pathlib

import numpy as np
import pytest

from tests.ops.numpy_calls import CALLS

ROOT = pathlib.Path(__file__).parent.parent


@pytest.fixture(scope="module")
def writer():
    spec = importlib.util.spec_from_file_location("numpy_page", ROOT / "docs" / "numpy_page.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_page_is_up_to_date(writer):
    text = writer.TARGET.read_text(encoding="utf-8")
    version = ".".join(np.__version__.split(".")[:2])
    if f"NumPy {version}," not in text:
        pytest.skip(f"the page is about another NumPy than {version}")
    assert text == writer.page(), "run python docs/numpy_page.py"


def test_what_records_is_called_by_the_tests(writer):
    known = writer.registered()
    called = {getattr(np, name) for name in CALLS if hasattr(np, name)}
    missing = [n for n in writer.public(np) if getattr(np, n) in known and getattr(np, n) not in called]
    assert missing == [], "give each a row in tests/ops/numpy_calls.py"


def test_every_call_is_of_a_function(writer):
    missing = [name for name in CALLS if not hasattr(np, name)]
    later = {"unstack", "cumulative_sum", "cumulative_prod", "matvec", "vecmat"}  # came with NumPy 2.1 and 2.2
    assert set(missing) <= (later if np.lib.NumpyVersion(np.__version__) < "2.2.0" else set())


def test_a_gradient_is_told_by_a_call(writer):
    assert writer.gradient_flows(lambda v: np.sort(v))
    assert not writer.gradient_flows(lambda v: np.argsort(v))
    assert not writer.gradient_flows(lambda v: np.floor(v))
