"""Compiled code on disk: a JSON header and an object file, in one file per program.

What is loaded from here runs as machine code, so a folder that anybody else can write to is not used at all. All else
that can go wrong (a full disk, a broken or foreign file, no folder) means that the code is compiled again, never an
error. A file is written aside and renamed, so that a reader sees all of it or nothing.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import stat
import tempfile
import warnings
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

from symtape.compile.object_code import machine
from symtape.compile.options import Options
from symtape.errors import CacheWarning
from symtape.versions import __version__

FORMAT: Final = 1
MAGIC: Final = b"symtape object file\n"
SUFFIX: Final = ".symtape-code"
#: Bytes that the folder may hold; the files used longest ago go first.
LIMIT: Final = 1 << 30
_HEADER_LIMIT: Final = 1 << 24

_refused: set[str] = set()
_swept: set[str] = set()


def key(text: str, options: Options) -> str:
    """The name under which the machine code of a module is kept: its content, the machine, versions and options.

    Examples
    --------
    >>> key("define void @f() { ret void }", Options()) == key("define void @g() { ret void }", Options())
    False
    """
    stamp = {"format": FORMAT, "symtape": __version__, "machine": asdict(machine()), "options": options.key()}
    digest = hashlib.sha256(json.dumps(stamp, sort_keys=True).encode())
    digest.update(text.encode())
    return digest.hexdigest()


def folder() -> Path | None:
    """Where compiled code is kept: ``SYMTAPE_CACHE_DIR``, else the platform's place; None if that cannot be trusted."""
    named = os.environ.get("SYMTAPE_CACHE_DIR")
    if named:
        path = Path(named)
    else:
        import platformdirs

        path = Path(platformdirs.user_cache_dir("symtape", appauthor=False))
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        status = path.stat()
    except OSError:
        return None
    if not stat.S_ISDIR(status.st_mode):
        return None
    reason = _distrust(status)
    if reason is not None:
        if str(path) not in _refused:
            _refused.add(str(path))
            warnings.warn(
                f"the cache folder {path} {reason}, so no compiled code is loaded from it or kept in it; "
                "run chmod go-w on it, or name another folder in SYMTAPE_CACHE_DIR",
                CacheWarning,
                stacklevel=2,
            )
        return None
    return path


def _distrust(status: os.stat_result) -> str | None:
    """Why a folder or file may have been written by somebody else, or None."""
    if not hasattr(os, "geteuid"):
        return None  # Windows: the user's own profile, guarded by its access lists
    if status.st_uid != os.geteuid():
        return "belongs to another user"
    if status.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
        return "can be written by others"
    return None


def read(name: str) -> tuple[dict[str, Any], bytes] | None:
    """Header and object file kept under a key, or None.

    Parameters
    ----------
    name : str
        From `key`.

    Returns
    -------
    tuple of dict and bytes, or None
        The header that was given to `write`, and the object file. None if there is none, or it is broken.
    """
    place = folder()
    if place is None:
        return None
    path = place / (name + SUFFIX)
    try:
        with path.open("rb") as file:
            if _distrust(os.fstat(file.fileno())) is not None:
                return None
            content = file.read()
        with contextlib.suppress(OSError):
            os.utime(path)  # the sweep goes by the last use
    except OSError:
        return None
    return _parsed(content, name)


def _parsed(content: bytes, name: str) -> tuple[dict[str, Any], bytes] | None:
    if not content.startswith(MAGIC):
        return None
    end = content.find(b"\n", len(MAGIC), len(MAGIC) + _HEADER_LIMIT)
    if end < 0:
        return None
    head, data = content[len(MAGIC) : end], content[end + 1 :]
    try:
        frame = json.loads(head)
    except (ValueError, RecursionError):
        return None
    if not isinstance(frame, dict) or frame.get("format") != FORMAT or frame.get("key") != name:
        return None
    header = frame.get("header")
    if not isinstance(header, dict) or frame.get("sha256") != _checksum(header, data):
        return None
    return header, data


def _checksum(header: Mapping[str, Any], data: bytes) -> str:
    digest = hashlib.sha256(json.dumps(header, sort_keys=True).encode())
    digest.update(data)
    return digest.hexdigest()


def write(name: str, header: Mapping[str, Any], data: bytes) -> None:
    """Keep an object file under a key; does nothing if that is not possible.

    Parameters
    ----------
    name : str
        From `key`.
    header : mapping
        Plain JSON values that `read` gives back.
    data : bytes
        The object file.
    """
    place = folder()
    if place is None:
        return
    frame = {"format": FORMAT, "key": name, "header": dict(header), "sha256": _checksum(header, data)}
    content = MAGIC + json.dumps(frame, sort_keys=True).encode() + b"\n" + data
    aside = None
    try:
        with tempfile.NamedTemporaryFile(dir=place, prefix=".", suffix=".part", delete=False) as file:
            aside = Path(file.name)
            file.write(content)
        aside.replace(place / (name + SUFFIX))
    except OSError:
        if aside is not None:
            with contextlib.suppress(OSError):
                aside.unlink()
        return
    if str(place) not in _swept:
        _swept.add(str(place))
        sweep(place)


def sweep(place: Path, limit: int = LIMIT) -> None:
    """Remove the files used longest ago while the folder holds more than ``limit`` bytes."""
    files = []
    with contextlib.suppress(OSError), os.scandir(place) as entries:
        for entry in entries:
            if entry.name.endswith((SUFFIX, ".part")):
                with contextlib.suppress(OSError):
                    status = entry.stat(follow_symlinks=False)
                    files.append((status.st_mtime, status.st_size, Path(entry.path)))
    total = sum(size for _, size, _ in files)
    for _, size, path in sorted(files):
        if total <= limit:
            break
        with contextlib.suppress(OSError):
            path.unlink()
        total -= size
