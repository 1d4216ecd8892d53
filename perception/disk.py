# SPDX-License-Identifier: Apache-2.0
"""Files that are whole or not there, and what is said where the disk is full."""

from __future__ import annotations

import errno
import json
import secrets
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from perception.errors import DataError

_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_WORDS = ("no space left", "disk is full", "disk full", "file too large")
"""How libraries that raise no OSError say it: SQLite, safetensors, mcap."""


class DiskFull(DataError):
    """A file that the disk has no room for."""


LEFT = 64 * 1024
"""Bytes free at which a disk counts as full whatever a library says of the failure."""


PARTIAL = ".part"
"""In the names of files that are being written, which begin with a dot."""


@contextmanager
def whole_file(path: Path, size: Callable[[], int | None] = lambda: None, suffix: str = "") -> Iterator[Path]:
    """A path to write to, which is moved to `path` in the end, and removed on an error. The folder is made.

    It is this writer's own: where another process writes the same file at the same time, as a worker does that was
    taken for lost, one of the two is there whole, also where one of them is killed. size: of what is written in bytes,
    where that is known. suffix: of the name to write to. Raises DiskFull where the disk is full, which says how much is
    missing, and OSError where it cannot be written.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}.{secrets.token_hex(4)}{PARTIAL}{suffix}")
    with on_full_disk(path, size):
        try:
            yield partial
            partial.replace(path)
        finally:
            partial.unlink(missing_ok=True)


def is_partial(path: Path, of: str) -> bool:
    """Whether it is what a writer that was killed left of the file with the name `of`."""
    return path.name.startswith(f".{of}.") and path.name.endswith(PARTIAL)


def write_file(path: Path, data: bytes) -> None:
    """Write `data` to `path`, as a `whole_file`, and raise as that does."""
    with whole_file(path, lambda: len(data)) as partial:
        partial.write_bytes(data)


def write_json(path: Path, content: Any) -> None:
    """Write `content` as JSON. Raises as `write_file` does."""
    write_file(path, (json.dumps(content, indent=1) + "\n").encode())


@contextmanager
def made_folder(path: Path) -> Iterator[None]:
    """Makes the folder, and takes it and its parents away again where they were made here and nothing is in them."""
    made = [folder for folder in (path, *path.parents) if not folder.exists()]
    path.mkdir(parents=True, exist_ok=True)
    try:
        yield
    finally:
        with suppress(OSError):  # the first that is not empty ends it
            for folder in made:
                folder.rmdir()


@contextmanager
def on_full_disk(path: Path, needed: Callable[[], int | None] = lambda: None) -> Iterator[None]:
    """Turns what goes wrong in it because the disk of `path` is full into a DiskFull; all else passes.

    needed: bytes that are still to be written, where that is known, asked when it happens; of several around each other
    the outermost that knows is told.
    """
    try:
        yield
    except DiskFull as error:
        missing = needed()
        if missing is None:
            raise
        raise full_disk(path, missing) from error
    except DataError:
        raise
    except Exception as error:
        if not _is_full(error, path):
            raise
        raise full_disk(path, needed()) from error


def full_disk(path: Path, needed: int | None = None) -> DiskFull:
    """What is said of a full disk. needed: bytes that are still to be written, where that is known."""
    disk = shutil.disk_usage(_existing(path))
    said = f"{path}: the disk is full: {_size(disk.free)} of {_size(disk.total)} free"
    if needed is not None:
        said += f", about {_size(max(needed - disk.free, 1))} too little"
    return DiskFull(f"{said}; make room, or write elsewhere, and run it again")


def is_full(path: Path) -> bool:
    """Whether hardly anything more can be written beside `path`."""
    return shutil.disk_usage(_existing(path)).free < LEFT


def _is_full(error: BaseException, path: Path) -> bool:
    chain: BaseException | None = error
    while chain is not None:
        if isinstance(chain, OSError) and chain.errno in _FULL:
            return True
        if any(word in str(chain).lower() for word in _WORDS):
            return True
        chain = chain.__cause__ or chain.__context__
    return is_full(path)


def _existing(path: Path) -> Path:
    return next(folder for folder in (path, *path.absolute().parents) if folder.exists())


def _size(count: int) -> str:
    for unit, size in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if count >= size:
            return f"{count / size:.1f} {unit}"
    return f"{count} bytes"
