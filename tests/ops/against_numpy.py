"""Calls a registered function on graph leaves and NumPy's own function on the arrays, and compares what comes back."""

import warnings
from typing import Any

import numpy as np
import pytest

import symtape as st
from symtape import pytree
from symtape.compile.evaluate import evaluate
from symtape.graph.node import Node, leaf
from symtape.ops.namespace import NODES
from symtape.tape.callable_arguments import is_whole
from tests.ops.rows import NUMPY, results


def recorded(value: Any) -> Any:
    """Arrays as leaves with a value, also inside lists and tuples."""
    if isinstance(value, np.ndarray):
        return leaf(value.copy())
    if isinstance(value, (list, tuple)):
        return type(value)(recorded(v) for v in value)
    return value


def numbers(nodes: list[Node]) -> list[np.ndarray]:
    """Values of nodes; what they say about their shape and dtype is true."""
    values = evaluate(nodes)
    for node, value in zip(nodes, values, strict=True):
        assert value.shape == node.shape
        assert value.dtype == node.dtype
    return values


def same(actual: Any, expected: Any) -> None:
    """Equal shape, dtype and elements."""
    expected = np.asarray(expected)
    assert actual.shape == expected.shape
    assert actual.dtype == expected.dtype
    np.testing.assert_allclose(actual, expected, rtol=1e-13, atol=1e-13)


def agree(name: str, *args: Any, **kwargs: Any) -> None:
    """Ours gives what NumPy's function of the name gives; array arguments are recorded."""
    with np.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # means of nothing
        expected = results(getattr(NUMPY, name)(*args, **kwargs))
    ours = results(getattr(NODES, name)(*[recorded(a) for a in args], **{k: recorded(v) for k, v in kwargs.items()}))
    assert len(ours) == len(expected)
    for actual, wanted in zip(numbers(ours), expected, strict=True):
        same(actual, wanted)


def both_refuse(name: str, *args: Any, match: str | None = None, **kwargs: Any) -> None:
    """Ours raises the kind of exception that NumPy's function raises, with a text that says why."""
    with pytest.raises((ValueError, TypeError, IndexError)) as theirs:
        getattr(NUMPY, name)(*args, **kwargs)
    with pytest.raises(theirs.type, match=match):
        getattr(NODES, name)(*[recorded(a) for a in args], **{k: recorded(v) for k, v in kwargs.items()})


def agree_as_tensors(function: Any, *args: Any, **kwargs: Any) -> None:
    """NumPy's function of tensors gives what it gives of their arrays; for functions whose shapes depend on values."""
    with np.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        expected = pytree.flatten(function(*args, **kwargs), is_whole)[0]
    tensors = [st.constant(a, dtype=a.dtype) if isinstance(a, np.ndarray) else a for a in args]
    ours = pytree.flatten(function(*tensors, **kwargs), is_whole)[0]
    assert len(ours) == len(expected)
    for actual, wanted in zip(ours, expected, strict=True):
        same(actual.numpy(), wanted)
