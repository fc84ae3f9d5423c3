import hashlib
import json
import struct
import subprocess
import sys
from typing import NamedTuple

import numpy as np
import pytest

import symtape as st
from symtape.errors import AssumptionViolated, DataFormError, UnknownNameError
from symtape.graph.container import pack, unpack
from symtape.tape.saving import from_bytes, to_bytes


class Pair(NamedTuple):
    a: object
    b: object


@pytest.fixture
def fg():
    v, s = st.Variable([1.0, 2.0], name="v"), st.symbol("s")
    data = st.constant(np.arange(6.0).reshape(3, 2), name="data")
    with st.GradientTape() as tape:
        z = np.sum((data @ v) ** 2) * s if v[0] > 0 else np.sum(v)
    return st.function([v, s], {"value": z, "rest": [tape.gradient(z, v), None]})


def test_what_is_loaded_computes_the_same(fg, tmp_path):
    path = tmp_path / "fg.symtape"
    st.save(path, fg)
    again = st.load(str(path))
    given = (np.array([0.5, -1.0]), 2.0)
    assert again(*given)["value"] == fg(*given)["value"]
    np.testing.assert_array_equal(again(*given)["rest"][0], fg(*given)["rest"][0])
    assert again(*given)["rest"][1] is None
    assert repr(again) == repr(fg)
    assert [p.name for p in tmp_path.iterdir()] == ["fg.symtape"]


def test_guards_and_options_are_kept(fg):
    again = from_bytes(to_bytes(fg))
    with pytest.raises(AssumptionViolated, match=r"test_saving.py:\d+"):
        again(np.array([-1.0, 0.0]), 1.0)
    assert again.options == fg.options


def test_a_loaded_function_takes_tensors_and_batches(fg):
    again = from_bytes(to_bytes(fg))
    x = st.Variable([1.0, 2.0], name="x")
    with st.GradientTape() as tape:
        z = again(x, 1.0)["value"]
    np.testing.assert_allclose(tape.gradient(z, x).numpy(), fg(x.numpy(), 1.0)["rest"][0])
    assert again.batch(np.ones((4, 2)), 1.0)["value"].shape == (4,)


def test_named_lengths_are_saved():
    x = st.symbol("x", ("n",))
    f = from_bytes(to_bytes(st.function([x], np.sum(np.exp(x)))))
    assert f(np.zeros(5)) == 5.0
    assert f(np.zeros(50)) == 50.0


def test_tensors_are_saved_with_their_leaves(tmp_path):
    x = st.Variable(3.0, name="x")
    st.save(tmp_path / "t", {"p": Pair(x**2, [x + 1])})
    found = st.load(tmp_path / "t")
    assert float(found["p"][0]) == 9.0
    assert float(found["p"][1][0]) == 4.0
    assert str(found["p"][0].expr) == "x**2"


def test_what_has_no_data_form_is_refused(tmp_path):
    for value in (3.0, "text", None, [], object()):
        with pytest.raises(TypeError, match=r"st\.save takes"):
            st.save(tmp_path / "f", value)
    assert list(tmp_path.iterdir()) == []


def test_a_missing_file_is_a_missing_file(tmp_path):
    with pytest.raises(FileNotFoundError):
        st.load(tmp_path / "nothing")


# ------------------------------------------------------------------------------------------------------ hostile files


def test_truncated_and_altered_files_are_refused(fg, tmp_path):
    data = to_bytes(fg)
    for length in [0, 1, 7, 8, 30, 44, 60, len(data) // 2, len(data) - 1]:
        with pytest.raises(ValueError, match="data form"):
            from_bytes(data[:length])
    rng = np.random.default_rng(0)
    for place in rng.integers(0, len(data), 200):
        changed = bytearray(data)
        changed[place] ^= 1 << int(rng.integers(8))
        with pytest.raises(DataFormError):
            from_bytes(bytes(changed))


def documents(fg):
    document, arrays = unpack(to_bytes(fg))
    return document, arrays


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("kind", "program"),
        ("kind", None),
        ("graph", None),
        ("graph", {"ops": [], "graphs": []}),
        ("outputs", -1),
        ("outputs", 10**9),
        ("outputs", "2"),
        ("guards", [1]),
        ("guards", None),
        ("names", ["v"]),
        ("names", [1, 2]),
        ("fixed", [10**12]),
        ("fixed", ["x"]),
        ("arguments", None),
        ("arguments", ["list", [], [None]]),
        ("arguments", ["set", [], [None, None]]),
        ("arguments", ["dict", ["a", "a"], [None, None]]),
        ("results", ["list", ["a"], [None]]),
        ("results", 3),
        ("results", [[], [], []]),
        ("options", {"chunk": -5}),
        ("options", {"contract": "yes"}),
        ("options", None),
    ],
)
def test_documents_that_are_no_function_are_refused(fg, key, value):
    document, arrays = documents(fg)
    document[key] = value
    with pytest.raises(DataFormError):
        from_bytes(pack(document, arrays))


def test_deep_nesting_is_refused(fg):
    document, arrays = documents(fg)
    nested = None
    for _ in range(45):
        nested = ["list", [], [nested]]
    document["results"] = nested
    with pytest.raises(DataFormError):
        from_bytes(pack(document, arrays))


def test_unknown_ops_are_named(fg):
    document, arrays = documents(fg)
    document["graph"]["ops"][0] = "launch_missiles"
    with pytest.raises(UnknownNameError, match="launch_missiles"):
        from_bytes(pack(document, arrays))


def test_random_documents_end_in_errors(fg):
    """Numbers anywhere in the graph changed, with a checksum that fits."""
    document, arrays = documents(fg)
    text = json.dumps(document)
    rng = np.random.default_rng(1)
    digits = [k for k, c in enumerate(text) if c.isdigit()]
    refused = 0
    for _ in range(300):
        changed = list(text)
        for place in rng.choice(digits, 2):
            changed[place] = str(rng.integers(10))
        body = "".join(changed)
        try:
            from_bytes(pack(json.loads(body), arrays))
        except ValueError:
            refused += 1
    assert refused > 100


def test_nothing_in_a_file_is_run(tmp_path):
    body = json.dumps({"kind": "function", "graph": "__import__('os').system('touch ran')", "arrays": []}).encode()
    rest = struct.pack("<Q", len(body)) + body
    data = struct.pack("<8sI32s", b"\x89symtape", 1, hashlib.sha256(rest).digest()) + rest
    (tmp_path / "bad").write_bytes(data)
    source = f"import symtape as st\ntry: st.load({str(tmp_path / 'bad')!r})\nexcept ValueError: print('refused')\n"
    run = subprocess.run([sys.executable, "-c", source], capture_output=True, text=True, check=False)
    assert run.stdout == "refused\n", run.stderr
    assert not (tmp_path / "ran").exists()


# ------------------------------------------------------------------------------------------------- cards in the cache


def test_a_function_whose_program_is_in_the_cache_makes_no_graph(fg, tmp_path, monkeypatch):
    import symtape.tape.saving as saving_module

    monkeypatch.setenv("SYMTAPE_CACHE_DIR", str(tmp_path / "cache"))
    given = (np.array([0.5, -1.0]), 2.0)
    x, y = st.symbols("x y")
    f = st.function([x, y], {"product": x * y, "sum": [x + y]})
    assert f(2.0, 3.0)["product"] == 6.0
    st.save(tmp_path / "f", f)
    decode = saving_module.decode
    monkeypatch.setattr(saving_module, "decode", None)
    again = st.load(tmp_path / "f")
    assert again(2.0, 3.0) == {"product": 6.0, "sum": [5.0]}
    np.testing.assert_array_equal(again([1.0, 2.0], 3.0)["product"], [3.0, 6.0])
    assert repr(again) == repr(f)
    monkeypatch.setattr(saving_module, "decode", decode)
    assert "define i32" in again.ir
    assert again(st.constant(2.0), 3.0)["sum"][0].numpy() == 5.0
    assert again(2.0, 3.0) == {"product": 6.0, "sum": [5.0]}
    # one that was saved before it was compiled is remembered when a process first calls it
    st.save(tmp_path / "late", fg)
    first = st.load(tmp_path / "late")(*given)
    assert first["value"] == st.load(tmp_path / "late")(*given)["value"]
