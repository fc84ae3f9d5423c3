"""`docs/numpy.md` is what the registry says, and no public function of NumPy is forgotten."""

import importlib.util
import inspect
import pathlib
import re

import numpy as np
import pytest

import symtape as st
from tests.ops.calls import CALLS, LINALG_CALLS

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


@pytest.mark.parametrize("module", [np, np.linalg])
def test_every_public_name_of_numpy_is_recorded_or_refused_by_name(writer, module):
    known = writer.registered()
    forgotten = [name for name in writer.callables(module) if writer.kind_of(module, name, known) is None]
    if is_newer_than_the_page(writer):
        pytest.skip(f"NumPy {np.__version__} is newer than the page, which says nothing of: {', '.join(forgotten)}")
    assert forgotten == [], "register it, give it a remedy, or enter it among what is plain"


@pytest.mark.parametrize("module", [np, np.linalg, np.lib.stride_tricks])
def test_every_argument_of_numpys_functions_is_taken_by_its_name(writer, module):
    known = writer.registered()
    missing = []
    for name in writer.callables(module):
        function = getattr(module, name)
        if function not in known or isinstance(function, np.ufunc):
            continue
        ours = inspect.signature(known[function].implementation).parameters
        named = {p.name for p in ours.values() if p.kind is not p.POSITIONAL_ONLY}
        try:
            theirs = inspect.signature(function).parameters.values()
        except ValueError:  # of C functions that tell none
            continue
        missing += [f"{name}({p.name}=)" for p in theirs if p.kind in _NAMED and p.name not in named]
    if missing and is_newer_than_the_page(writer):
        pytest.skip(f"NumPy {np.__version__} is newer than the page and takes {', '.join(missing)}")
    assert missing == []


_NAMED = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)


def is_newer_than_the_page(writer):
    described = re.search(r"NumPy (\d+)\.(\d+)", writer.TARGET.read_text(encoding="utf-8")).groups()
    return tuple(map(int, np.__version__.split(".")[:2])) > tuple(map(int, described))


@pytest.mark.parametrize("name", sorted(n for n in dir(np.ndarray) if not n.startswith("_")))
def test_every_method_of_arrays_is_there_or_says_what_to_write(name):
    x = st.Variable([[1.0, 2.0], [3.0, 4.0]])
    if hasattr(st.Tensor, name):
        assert (getattr(st.Tensor, name).__doc__ or "").strip()
    else:
        with pytest.raises(AttributeError, match=rf"x\.numpy\(\)\.{name}"):
            getattr(x, name)


def test_what_records_is_called_by_the_tests(writer):
    known = writer.registered()
    called = {known[getattr(np, name)].name for name in CALLS if getattr(np, name, None) in known}
    missing = [n for n in writer.public(np) if getattr(np, n) in known and known[getattr(np, n)].name not in called]
    assert missing == [], "give each a row in tests/ops/calls"
    without = [n for n in writer.public(np.linalg) if n != "test" and n not in LINALG_CALLS]
    assert without == [], "give each a row in tests/ops/calls/linear_algebra.py"


def test_every_call_is_of_a_function(writer):
    missing = [name for name in CALLS if not hasattr(np, name)]
    later = {"unstack", "cumulative_sum", "cumulative_prod", "matvec", "vecmat"}  # came with NumPy 2.1 and 2.2
    assert set(missing) <= (later if np.lib.NumpyVersion(np.__version__) < "2.2.0" else set())


def test_a_gradient_is_told_by_a_call(writer):
    assert writer.gradient_flows(lambda v: np.sort(v))
    assert not writer.gradient_flows(lambda v: np.argsort(v))
    assert not writer.gradient_flows(lambda v: np.floor(v))
