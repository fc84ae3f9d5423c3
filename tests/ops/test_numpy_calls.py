"""Every function of NumPy called by its name with tensors: value, dtype and shape are NumPy's, derivatives those of
differences."""

import inspect
import warnings

import numpy as np
import pytest

import symtape as st
from symtape import pytree
from symtape.tape.callable_arguments import is_whole
from tests.ops.calls import ARRAYS, TABLE

ROWS = [pytest.param(call, id=f"{name}-{k}") for name, calls in TABLE.items() for k, call in enumerate(calls)]


def arguments(call, dtype="float64"):
    found = [ARRAYS[p.name] for p in inspect.signature(call).parameters.values() if p.default is p.empty]
    return [a.astype(dtype) if a.dtype.kind == "f" else a.copy() for a in found]


def leaves(value):
    return pytree.flatten(value, is_whole)[0]


def numpys(call, arrays):
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        return [np.asarray(r) for r in leaves(call(*arrays))]


@pytest.mark.parametrize("call", ROWS)
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_value(call, dtype):
    arrays = arguments(call, dtype)
    ours = leaves(call(*[st.constant(a, dtype=a.dtype) for a in arrays]))
    theirs = numpys(call, arrays)
    assert len(ours) == len(theirs)
    for a, b in zip(ours, theirs, strict=True):
        value = a.numpy() if isinstance(a, st.Tensor) else np.asarray(a)
        assert (value.shape, value.dtype) == (b.shape, b.dtype)
        np.testing.assert_allclose(
            value, b, rtol=1e-13 if dtype == "float64" else 2e-6, atol=1e-13 if dtype == "float64" else 2e-6
        )


@pytest.mark.parametrize("call", [row for row in ROWS if not hasattr(row.values[0], "kink")])
def test_derivatives(call):
    arrays = arguments(call)
    moving = [k for k, a in enumerate(arrays) if a.dtype.kind == "f" and np.isfinite(a).all() and a.size]
    holes = [k for k, a in enumerate(arrays) if a.dtype.kind == "f" and not np.isfinite(a).all()]
    outputs = [np.asarray(r) for r in numpys(call, arrays)]
    if not moving + holes or not any(o.dtype.kind == "f" and o.size for o in outputs):
        return
    masks = {k: np.isfinite(arrays[k]) for k in holes}
    kept = [k for k, o in enumerate(outputs) if o.dtype.kind == "f"]
    good = [np.isfinite(outputs[k]) for k in kept]
    order = moving + holes

    def of_floats(*values):
        tensors = any(isinstance(v, st.Tensor) for v in values)
        filled = [st.constant(a, dtype=a.dtype) if tensors else a for a in arrays]
        for k, value in zip(order, values, strict=True):
            filled[k] = np.where(masks[k], value, np.nan) if k in masks else value
        results = leaves(call(*filled)) if tensors else numpys(call, filled)
        return [np.where(g, results[k], 0.0) for g, k in zip(good, kept, strict=True)]

    at = [np.where(masks[k], arrays[k], 0.0) if k in masks else arrays[k] for k in order]
    st.check_gradients(of_floats, *at, order=2, rtol=1e-7, step=1e-3)
