"""The data form of graphs: round trips, and bytes that are none."""

import json
import random
import struct
import tracemalloc

import numpy as np
import pytest

import symtape.ops  # noqa: F401 (declares the ops)
from symtape.compile.evaluate import evaluate
from symtape.errors import DataFormError
from symtape.graph.closed import close, trace
from symtape.graph.container import pack, unpack
from symtape.graph.node import CONST, LEAF, PARAM, Node, constant, leaf, placeholder, symbol
from symtape.graph.serialize import decode, dump, encode, load
from symtape.graph.shapes import Dim
from symtape.ops.namespace import NODES as B
from symtape.ops.registry import op_named


def example():
    rng = np.random.default_rng(0)
    x = leaf(rng.random((3, 3)), "x", owner=7)
    again = leaf(rng.random((3, 3)), "x", owner=7)
    s = symbol("s", (3,))
    big = constant(rng.random(100))
    sign, logdet = B.slogdet(B.matmul(x, again))
    y = B.add(B.sum(B.sin(B.matmul(x, s)), axis=0), B.multiply(logdet, 0.1))
    z = B.add(B.sum(big), B.where(B.greater(y, True), y, 3))
    return [y, z, sign], [s, x]


def test_a_round_trip_keeps_values_and_structure():
    outputs, inputs = example()
    again, leaves = load(dump(outputs, inputs), op_named)
    given = np.array([0.3, -1.0, 2.0])
    before = evaluate(outputs, {inputs[0]: given})
    after = evaluate(again, {leaves[0]: given})
    for a, b in zip(before, after, strict=True):
        assert np.asarray(a).tobytes() == np.asarray(b).tobytes()
    assert [o.op for o in again] == [o.op for o in outputs]
    assert [(o.shape, o.dtype) for o in again] == [(o.shape, o.dtype) for o in outputs]
    assert leaves[0].params[1] == "s"
    np.testing.assert_array_equal(leaves[1].value, inputs[1].value)


def test_leaves_get_new_identities_and_versions_keep_one_owner():
    outputs, inputs = example()
    again, leaves = load(dump(outputs, inputs), op_named)
    from symtape.graph.traverse import leaves as below

    fresh = [n for n in below(again) if n.params[1] == "x"]
    assert len(fresh) == 2
    assert len({n.params[0] for n in fresh}) == 2
    assert len({n.params[2] for n in fresh}) == 1
    assert fresh[0].params[2] not in (None, 7)
    assert leaves[0].params[0] != inputs[0].params[0]


def test_two_readings_of_one_form_share_nothing():
    data = dump(*example())
    first, second = load(data, op_named), load(data, op_named)
    assert first[0][0] is not second[0][0]
    assert first[1][0] is not second[1][0]


@pytest.mark.parametrize(
    "value",
    [0.0, -0.0, 0, False, True, 2**53 + 1, -(2**62), float("inf"), float("nan"), 1e-320, 0.1, np.float32(0.1)],
)
def test_scalar_constants_keep_kind_and_bits(value):
    ((again,), _) = load(dump([constant(value)]), op_named)
    assert again.op is CONST
    assert again is constant(value)


@pytest.mark.parametrize("dtype", [bool, np.int8, np.uint16, np.int64, np.float16, np.float32, np.float64])
def test_arrays_keep_dtype_shape_and_bytes(dtype):
    rng = np.random.default_rng(1)
    array = (rng.random((2, 0, 3)) * 100).astype(dtype), (rng.random((5, 20)) * 100).astype(dtype)
    outputs, _ = load(dump([constant(a) for a in array]), op_named)
    for a, node in zip(array, outputs, strict=True):
        assert node.dtype == a.dtype
        np.testing.assert_array_equal(node.value, a)
        assert not node.value.flags.writeable


def test_big_endian_arrays_are_read_as_native():
    ((again,), _) = load(dump([leaf(np.arange(5.0).astype(">f8"))]), op_named)
    np.testing.assert_array_equal(again.value, np.arange(5.0))


def test_named_lengths():
    n = Dim("n")
    x = symbol("x", (n, 2 * n * n - 1))
    y = B.multiply(x, 2.0)
    ((again,), (read,)) = load(dump([y], [x]), op_named)
    assert read.shape == x.shape
    value = np.random.default_rng(0).random((3, 17))
    np.testing.assert_array_equal(evaluate([again], {read: value}), evaluate([y], {x: value}))


def test_bodies_are_tables_that_stand_before_their_users():
    x, c = symbol("x"), symbol("c", (), bool)
    inner, _ = close([B.multiply(x, 2.0)], [x])
    other, _ = close([B.sin(x)], [x])
    (deep,) = B.cond(B.greater(x, 0), inner, other, [x])
    outer, _ = close([deep], [x])
    (y,) = B.cond(c, outer, other, [x])
    ((again,), leaves) = load(dump([y], [c, x]), op_named)
    for at in ((True, 2.0), (True, -2.0), (False, 2.0)):
        given = [np.bool_(at[0]), np.float64(at[1])]
        assert evaluate([again], dict(zip(leaves, given, strict=True))) == evaluate(
            [y], dict(zip([c, x], given, strict=True))
        )
    body = again.inputs[0]
    assert body.params[0] is y.inputs[0].params[0], "equal bodies are one object"


def test_placeholders_round_trip():
    graph = trace(lambda a, b: B.multiply(a, b), symbol("a"), symbol("b", (2,)))
    outputs, inputs = load(dump(graph.outputs, graph.inputs), op_named)
    assert outputs == graph.outputs
    assert inputs == graph.inputs
    assert inputs[1] is placeholder(1, (2,), np.dtype(float))


def test_a_node_may_be_kept_elsewhere():
    x, y = leaf(np.ones(3), "x"), leaf(np.ones(3), "y")
    document, arrays = encode([B.add(x, y)], external=[x])
    assert len(arrays) == 1
    ((again,), _) = decode(document, arrays, op_named, external=[y])
    assert again.inputs[0] is y


def test_a_form_depends_on_the_graph_only():
    assert dump(*example()) == dump(*example())


def test_params_that_have_no_data_form_are_refused():
    x = symbol("x")

    class Odd:
        name, results = "odd", 1

        def __init__(self):
            self.table = {}

        def infer(self, inputs, params):
            return (), np.dtype(float)

    from symtape.graph.node import build

    with pytest.raises(TypeError, match="has no data form"):
        dump([build(Odd(), (x,), (object(),))])


def test_a_hundred_thousand_nodes_need_no_recursion():
    y = x = symbol("x")
    for _ in range(100_000):
        y = B.sin(y)
    ((again,), (read,)) = load(dump([y], [x]), op_named)
    assert evaluate([again], {read: 1.0}) == evaluate([y], {x: 1.0})


# -------------------------------------------------------------------------------------------------------- bad bytes


def test_truncated_bytes_are_refused():
    data = dump(*example())
    for length in [*range(60), len(data) // 2, len(data) - 1]:
        with pytest.raises(DataFormError):
            load(data[:length], op_named)


def test_flipped_bytes_are_refused():
    data = bytearray(dump(*example()))
    rng = random.Random(0)
    for _ in range(200):
        at = rng.randrange(len(data))
        data[at] ^= 1 << rng.randrange(8)
        with pytest.raises(ValueError):
            load(bytes(data), op_named)
        data = bytearray(dump(*example()))


def test_bytes_behind_the_end_are_refused():
    with pytest.raises(DataFormError, match="checksum"):
        load(dump(*example()) + b"\0", op_named)


def test_another_format_is_named():
    data = bytearray(dump(*example()))
    struct.pack_into("<I", data, 8, 99)
    with pytest.raises(DataFormError, match="format 99; this version of symtape reads format 1"):
        load(bytes(data), op_named)


def test_foreign_bytes_are_refused():
    for data in (b"", b"x" * 200, json.dumps({"ops": []}).encode(), b"\x80\x04" + b"." * 100):
        with pytest.raises(DataFormError):
            load(data, op_named)


def changed(edit):
    """Bytes with a right checksum around a document that was changed."""
    x = symbol("x", (2,))
    y = B.sum(B.multiply(B.sin(x), np.arange(2.0)), axis=0)
    document, arrays = unpack(dump([y], [x]))
    edit(document)
    return pack(document, arrays)


def table(document):
    return document["graphs"][-1]


BAD = {
    "cycle": lambda d: table(d)["flat"].__setitem__(0, len(table(d)["codes"]) - 1),
    "self": lambda d: table(d)["flat"].__setitem__(0, 1),
    "negative position": lambda d: table(d)["flat"].__setitem__(0, -1),
    "output that does not exist": lambda d: table(d)["outputs"].__setitem__(0, 10**6),
    "input that does not exist": lambda d: table(d)["inputs"].__setitem__(0, -1),
    "no op of that name": lambda d: d["ops"].__setitem__(0, "launch_missiles"),
    "an op that is no text": lambda d: d["ops"].__setitem__(0, 3),
    "op number": lambda d: table(d)["codes"].__setitem__(1, 99),
    "code": lambda d: table(d)["codes"].__setitem__(1, -9),
    "counts": lambda d: table(d)["counts"].__setitem__(1, 5),
    "huge count": lambda d: table(d)["counts"].__setitem__(1, 10**18),
    "negative count": lambda d: table(d)["counts"].__setitem__(1, -1),
    "no graphs": lambda d: d.__setitem__("graphs", []),
    "no ops": lambda d: d.pop("ops"),
    "graphs of another kind": lambda d: d.__setitem__("graphs", {"a": 1}),
    "a graph of another kind": lambda d: d["graphs"].__setitem__(0, 3),
    "a column of another kind": lambda d: table(d).__setitem__("codes", "abc"),
    "a column of floats": lambda d: table(d)["codes"].__setitem__(0, 0.5),
    "params of another kind": lambda d: table(d).__setitem__("params", 3),
    "params of no row": lambda d: table(d)["params"].append([10**6, [1]]),
    "params that are no list": lambda d: table(d)["params"].append([len(table(d)["codes"]) - 1, 7]),
    "params that do not fit": lambda d: table(d)["params"].append([1, [[0, "x"]]]),
    "an unknown param": lambda d: table(d)["params"].append([1, [{"code": "rm"}]]),
    "an unknown graph": lambda d: table(d)["params"].append([1, [{"graph": 0}]]),
    "a deep param": lambda d: table(d)["params"].append([1, [nested(40)]]),
    "a leaf without shape": lambda d: row(d).pop("shape"),
    "a leaf of a negative length": lambda d: row(d).__setitem__("shape", [-2]),
    "a leaf of a fractional length": lambda d: row(d).__setitem__("shape", [1.5]),
    "a leaf of an unknown dtype": lambda d: row(d).__setitem__("dtype", "O"),
    "a leaf of a complex dtype": lambda d: row(d).__setitem__("dtype", "<c16"),
    "a leaf of a void dtype": lambda d: row(d).__setitem__("dtype", "V8"),
    "a leaf with a strange name": lambda d: row(d).__setitem__("name", ["x"]),
    "a leaf with a missing array": lambda d: row(d).__setitem__("array", 99),
    "a leaf with a strange owner": lambda d: row(d).update(array=0, owner="me"),
    "a dim that is none": lambda d: row(d).__setitem__("shape", [{"dim": [[["n; drop"], 1]]}]),
    "a dim without terms": lambda d: row(d).__setitem__("shape", [{"dim": 3}]),
    "several results read at once": lambda d: slogdet(d, "sin"),
    "an item of one result": lambda d: item_of_one(d),
}


def row(document):
    return next(r for _, r in table(document)["params"] if isinstance(r, dict) and "name" in r)


def nested(depth):
    value = 1
    for _ in range(depth):
        value = [value]
    return value


def slogdet(document, name):
    document["ops"] = ["slogdet", name]
    table(document).update(
        codes=[-1, 0, 1], counts=[0, 1, 1], flat=[0, 1], outputs=[2], inputs=[0],
        params=[[0, {"name": "x", "shape": [2, 2], "dtype": "<f8"}]],
    )  # fmt: skip
    document.pop("arrays", None)


def item_of_one(document):
    document["ops"] = ["sin", "item"]
    table(document).update(
        codes=[-1, 0, 1], counts=[0, 1, 1], flat=[0, 1], outputs=[2], inputs=[0],
        params=[[0, {"name": "x", "shape": [], "dtype": "<f8"}], [2, [0]]],
    )  # fmt: skip


@pytest.mark.parametrize("name", BAD)
def test_a_document_that_describes_no_graph_is_refused(name):
    data = changed(BAD[name])
    with pytest.raises(ValueError):
        load(data, op_named)


def test_random_changes_of_a_document_end_in_an_error_or_a_graph():
    rng = random.Random(3)

    def walk(value):
        """Every place of a document: (container, key)."""
        items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
        for key, below in list(items):
            yield value, key
            yield from walk(below)

    refused = 0
    for _ in range(400):
        document, arrays = unpack(dump(*example()))
        container, key = rng.choice(list(walk(document)))
        container[key] = rng.choice([0, 1, -1, 7, 10**9, None, True, "x", [], {}, [[0]], 0.5, {"dim": [[["n"], 1]]}])
        try:
            outputs, _ = load(pack(document, arrays), op_named)
        except ValueError:
            refused += 1
        else:
            assert all(isinstance(o, Node) for o in outputs)
    assert refused > 100


def test_deep_json_is_refused_without_recursion():
    body = b'{"ops":' + b"[" * 100_000 + b"]" * 100_000 + b"}"
    with pytest.raises(DataFormError, match="deeper than 64"):
        load(framed(body), op_named)


def framed(body, arrays=b""):
    import hashlib

    rest = struct.pack("<Q", len(body)) + body + arrays
    return struct.pack("<8sI32s", b"\x89symtape", 1, hashlib.sha256(rest).digest()) + rest


@pytest.mark.parametrize(
    "body",
    [b"\xff\xfe", b"[1, 2]", b"{", b"null", b'{"arrays": 3}', b'{"arrays": [[]]}', b'{"arrays": [["<f8", [-1]]]}'],
)
def test_a_document_that_cannot_be_read_is_refused(body):
    with pytest.raises(DataFormError):
        unpack(framed(body))


@pytest.mark.parametrize("shape", ["[1000000000000]", "[1000000, 1000000, 1000000]", "[4611686018427387904, 4]"])
def test_huge_arrays_are_refused_before_anything_is_made(shape):
    data = framed(b'{"ops":[],"graphs":[],"arrays":[["<f8",' + shape.encode() + b"]]}", b"\0" * 64)
    tracemalloc.start()
    try:
        with pytest.raises(DataFormError, match="larger than what the data form holds"):
            load(data, op_named)
        assert tracemalloc.get_traced_memory()[1] < 1e6
    finally:
        tracemalloc.stop()


def test_a_declared_length_beyond_the_end_is_refused():
    import hashlib

    rest = struct.pack("<Q", 2**62) + b"{}"
    data = struct.pack("<8sI32s", b"\x89symtape", 1, hashlib.sha256(rest).digest()) + rest
    with pytest.raises(DataFormError, match="truncated"):
        load(data, op_named)


def test_a_closed_graph_that_is_not_closed_is_refused():
    x = symbol("x")
    inner, _ = close([B.multiply(x, 2.0)], [x])
    (y,) = B.cond(B.greater(x, 0), inner, inner, [x])
    document, arrays = encode([y], [x])
    body = document["graphs"][0]
    body["codes"][0] = -1
    body["params"][0][1] = {"name": "x", "shape": [], "dtype": "<f8"}
    with pytest.raises(DataFormError, match="placeholder"):
        decode(document, arrays, op_named)
    document, arrays = encode([y], [x])
    document["graphs"][0]["inputs"] = []
    with pytest.raises(DataFormError, match="not closed"):
        decode(document, arrays, op_named)


def test_special_rows_are_what_they_were():
    x = leaf(np.ones(2), None)
    ((again,), _) = load(dump([x]), op_named)
    assert again.op is LEAF
    assert again.params[1:] == (None, None)
    ((hole,), _) = load(dump([placeholder(3, (), np.dtype(float))]), op_named)
    assert hole.op is PARAM
    assert hole.params == (3,)
