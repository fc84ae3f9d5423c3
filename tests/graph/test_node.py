"""Nodes: equal work is one node, for as long as somebody uses it; what may be a leaf and a constant."""

import copy
import gc
import os
import weakref

import numpy as np
import pytest

import symtape.ops  # noqa: F401 (declares the ops)
from symtape.errors import DTypeError
from symtape.graph import node as node_module
from symtape.graph.node import (
    CONST,
    ITEM,
    LEAF,
    PLACEHOLDER,
    SYMBOLIC,
    VALUED,
    WEAK,
    build,
    constant,
    items,
    leaf,
    placeholder,
    symbol,
)
from symtape.graph.shapes import Dim
from symtape.ops.namespace import NODES as B
from symtape.ops.registry import op_named

SIN, ADD = op_named("sin"), op_named("add")


def test_equal_work_is_one_node():
    x, y = symbol("x"), symbol("y")
    assert B.add(x, y) is B.add(x, y)
    assert B.add(x, y) is not B.add(y, x)
    assert B.sin(x) is not B.cos(x)
    assert symbol("x") is not symbol("x")
    assert leaf(1.0) is not leaf(1.0)


def test_params_are_keyed_with_their_types():
    x = symbol("x", (2, 2))
    assert B.reshape(x, (4,)) is B.reshape(x, (4,))
    one, true = (build(op_named("cumsum"), (x,), (axis, False)) for axis in (1, True))
    assert one is not true


@pytest.mark.parametrize(
    ("a", "b"),
    [(0.0, -0.0), (0, 0.0), (0, False), (1, True), (1.0, np.float64(1.0)), (1.0, np.float32(1.0)), (2**53, 2**53 + 1)],
)
def test_constants_of_other_kind_or_bits_are_other_nodes(a, b):
    assert constant(a) is not constant(b)
    assert constant(a) is constant(a)
    assert constant(b) is constant(b)


def test_nan_is_a_constant_like_another():
    assert constant(float("nan")) is constant(float("nan"))


def test_arrays_are_keyed_by_value_up_to_a_size():
    small, large = np.arange(64.0), np.arange(65.0)
    assert constant(small) is constant(small.copy())
    assert constant(small) is not constant(small.astype(np.float32))
    assert constant(small) is not constant(small.reshape(8, 8))
    assert constant(large) is not constant(large)


def test_arrays_are_copied_when_they_enter():
    for size in (3, 100):
        array = np.ones(size)
        node = constant(array)
        array[0] = 5.0
        assert node.value[0] == 1.0
        with pytest.raises(ValueError, match="read-only"):
            node.value[0] = 2.0


def test_python_scalars_are_weak():
    assert constant(2.0).flags & WEAK
    assert not constant(np.float64(2.0)).flags & WEAK
    x = symbol("x", (), np.float32)
    assert B.multiply(x, 2.0).dtype == np.float32
    assert B.multiply(x, np.float64(2.0)).dtype == np.float64
    assert not B.multiply(x, 2.0).flags & WEAK


@pytest.mark.parametrize(
    "value", [1j, np.array([1j]), "text", np.array(["a"]), None, np.array([None]), np.datetime64("2020")]
)
def test_what_is_no_real_number_is_refused(value):
    with pytest.raises(DTypeError):
        constant(value)


def test_integers_beyond_64_bits_are_refused():
    with pytest.raises(OverflowError, match="does not fit into 64 bits"):
        constant(2**63)
    assert constant(-(2**63)).value == -(2**63)


def test_flags_say_what_stands_below():
    x, s, c, p = leaf(1.0), symbol("s"), constant(np.ones(3)), placeholder(0, (), np.dtype(float))
    assert x.flags == VALUED
    assert s.flags == SYMBOLIC
    assert c.flags == 0
    assert p.flags == PLACEHOLDER
    assert B.multiply(B.add(x, s), B.sum(c)).flags == VALUED | SYMBOLIC
    assert B.sin(2.0).flags == 0
    assert placeholder(0, (Dim("n"),), np.dtype(float)).flags == PLACEHOLDER | SYMBOLIC


def test_a_node_lives_as_long_as_it_is_used():
    x = symbol("x")
    y = B.arctan(B.multiply(x, 13.5))
    ref = weakref.ref(y.inputs[0])
    size = len(op_named("arctan").table)
    del y
    assert ref() is None, "reference counting alone frees it"
    assert len(op_named("arctan").table) == size - 1


def test_a_long_chain_is_freed_without_recursion():
    y = symbol("x")
    for _ in range(50_000):
        y = B.sin(y)
    ref = weakref.ref(y.inputs[0])
    del y
    gc.collect()
    assert ref() is None


def test_several_results_are_read_by_items():
    m = symbol("m", (3, 3))
    sign, logdet = B.slogdet(m)
    assert sign.op is ITEM
    assert sign.inputs == logdet.inputs
    assert items(sign.inputs[0]) == (sign, logdet)
    assert items(m) == (m,)
    assert (logdet.shape, logdet.dtype) == ((), np.dtype(float))


def test_leaves_are_not_built():
    for op in (LEAF, CONST):
        with pytest.raises(TypeError, match="is not built from inputs"):
            build(op, (), ())


def test_a_copy_is_the_node_itself():
    x = symbol("x")
    assert copy.copy(B.sin(x)) is B.sin(x)


def test_repr_is_short():
    x = leaf(np.ones((2, 3)), "x")
    assert repr(x) == "<x float64[2, 3]>"
    assert repr(B.sin(x)) == "<sin float64[2, 3]>"
    assert repr(constant(2.0)) == "<const 2.0>"
    assert repr(leaf(1.0)) == "<leaf float64[]>"


def test_shapes_and_dtypes_are_inferred_when_a_node_is_built():
    x, y = symbol("x", (2, 3)), symbol("y", (4,))
    with pytest.raises(ValueError, match="could not be broadcast together"):
        B.add(x, y)
    with pytest.raises(TypeError):
        B.bitwise_and(x, x)


def test_the_line_that_built_a_node_is_the_users():
    y = B.sin(symbol("x"))
    assert y.code.co_filename == __file__
    again = B.sin(y.inputs[0])
    assert again is y


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_forked_child_gets_a_lock_of_its_own():
    lock = node_module._intern.lock if hasattr(node_module, "_intern") else node_module._lock
    with lock:
        child = os.fork()
        if child == 0:
            B.sin(symbol("in the child"))
            os._exit(0)
    _, status = os.waitpid(child, 0)
    assert status == 0
