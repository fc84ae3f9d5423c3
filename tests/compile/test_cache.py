import json
import os
import subprocess
import sys
import warnings

import pytest

from symtape.compile import cache, object_code
from symtape.compile.options import Options
from symtape.errors import CacheWarning

NAME = "0" * 64
HEADER = {"symbols": ["tanh"], "workspace": 8}
posix = pytest.mark.skipif(not hasattr(os, "geteuid"), reason="permission bits mean nothing here")


@pytest.fixture(autouse=True)
def place(tmp_path, monkeypatch):
    folder = tmp_path / "cache"
    monkeypatch.setenv("SYMTAPE_CACHE_DIR", str(folder))
    monkeypatch.setattr(cache, "_refused", set())
    monkeypatch.setattr(cache, "_swept", set())
    return folder


def kept(place):
    return place / (NAME + cache.SUFFIX)


def test_what_is_written_is_read(place):
    assert cache.read(NAME) is None
    cache.write(NAME, HEADER, b"object\n\0code")
    assert cache.read(NAME) == (HEADER, b"object\n\0code")
    assert [p.name for p in place.iterdir()] == [NAME + cache.SUFFIX]
    assert place.stat().st_mode & 0o077 == 0


def test_the_file_is_a_json_header_and_an_object_file(place):
    cache.write(NAME, HEADER, b"data")
    magic, header, data = kept(place).read_bytes().split(b"\n", 2)
    assert magic + b"\n" == cache.MAGIC
    assert json.loads(header)["header"] == HEADER
    assert data == b"data"


@pytest.mark.parametrize("cut", [0, 5, 25, 200, -1])
def test_a_truncated_file_is_no_file(place, cut):
    cache.write(NAME, HEADER, b"data" * 10)
    content = kept(place).read_bytes()
    kept(place).write_bytes(content[:cut])
    assert cache.read(NAME) is None


def test_every_flipped_byte_is_noticed(place):
    cache.write(NAME, HEADER, b"data" * 4)
    content = kept(place).read_bytes()
    for k in range(len(content)):
        kept(place).write_bytes(content[:k] + bytes([content[k] ^ 1]) + content[k + 1 :])
        assert cache.read(NAME) is None, k


@pytest.mark.parametrize(
    "frame", [b"[]", b"{}", b"not json", b"[" * 100_000, b'{"format": 1, "key": "x", "header": []}', b"\xff\xfe"]
)
def test_foreign_headers_are_no_files(place, frame):
    cache.write(NAME, HEADER, b"data")
    kept(place).write_bytes(cache.MAGIC + frame + b"\ndata")
    assert cache.read(NAME) is None


def test_a_file_under_another_name_is_no_file(place):
    cache.write(NAME, HEADER, b"data")
    kept(place).rename(place / ("1" * 64 + cache.SUFFIX))
    assert cache.read("1" * 64) is None


@posix
@pytest.mark.parametrize("mode", [0o770, 0o707, 0o722])
def test_a_folder_that_others_write_to_is_refused_with_one_warning(place, mode):
    cache.write(NAME, HEADER, b"data")
    place.chmod(mode)
    if mode & 0o022:
        with pytest.warns(CacheWarning, match="SYMTAPE_CACHE_DIR"):
            assert cache.read(NAME) is None
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            assert cache.read(NAME) is None
            cache.write("1" * 64, HEADER, b"data")
    assert len(list(place.iterdir())) == 1


@posix
def test_a_file_that_others_write_to_is_not_loaded(place):
    cache.write(NAME, HEADER, b"data")
    kept(place).chmod(0o666)
    assert cache.read(NAME) is None


@posix
def test_a_folder_of_another_user_is_refused(place, monkeypatch):
    cache.write(NAME, HEADER, b"data")
    monkeypatch.setattr(os, "geteuid", lambda: os.getuid() + 1)
    with pytest.warns(CacheWarning, match="belongs to another user"):
        assert cache.read(NAME) is None


def test_a_folder_that_cannot_be_made_means_no_cache(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("in the way")
    for path in (tmp_path / "file", tmp_path / "file" / "below"):
        monkeypatch.setenv("SYMTAPE_CACHE_DIR", str(path))
        cache.write(NAME, HEADER, b"data")
        assert cache.read(NAME) is None


def test_a_failed_write_leaves_nothing(place, monkeypatch):
    def fail(self, target):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(cache.Path, "replace", fail)
    cache.write(NAME, HEADER, b"data")
    assert list(place.iterdir()) == []


def test_the_sweep_removes_what_was_used_longest_ago(place):
    for k in range(4):
        cache.write(str(k) * 64, HEADER, b"data" * 100)
        os.utime(place / (str(k) * 64 + cache.SUFFIX), (k, k))
    assert cache.read("0" * 64) is not None
    size = (place / ("1" * 64 + cache.SUFFIX)).stat().st_size
    cache.sweep(place, 2 * size)
    assert sorted(p.name[0] for p in place.iterdir()) == ["0", "3"]


def test_the_key_depends_on_text_options_machine_and_version(monkeypatch):
    key = cache.key("text", Options())
    assert key == cache.key("text", Options(cache=False))
    assert key != cache.key("text ", Options())
    assert key != cache.key("text", Options(level=0))
    monkeypatch.setattr(cache, "__version__", "0")
    assert key != cache.key("text", Options())
    monkeypatch.undo()
    host = object_code.machine()
    monkeypatch.setattr(cache, "machine", lambda: object_code.Machine(host.triple, host.cpu, "+none", host.llvm))
    assert key != cache.key("text", Options())


def test_another_process_reads_it(place):
    cache.write(NAME, HEADER, b"data")
    source = (
        "import sys\nfrom symtape.compile import cache\n"
        f"assert cache.read({NAME!r}) == ({HEADER!r}, b'data')\n"
        "cache.write('2' * 64, {}, b'other')\n"
        "sys.exit('numba' in sys.modules)\n"
    )
    assert subprocess.run([sys.executable, "-c", source], check=False).returncode == 0
    assert cache.read("2" * 64) == ({}, b"other")


def test_the_platforms_folder_is_the_default(monkeypatch, tmp_path):
    import platformdirs

    monkeypatch.delenv("SYMTAPE_CACHE_DIR")
    monkeypatch.setattr(platformdirs, "user_cache_dir", lambda name, appauthor: str(tmp_path / name))
    cache.write(NAME, HEADER, b"data")
    assert (tmp_path / "symtape" / (NAME + cache.SUFFIX)).exists()
