# SPDX-License-Identifier: Apache-2.0
"""Copies of objects on this machine, in a folder of bounded size: the least recently used go first."""

from __future__ import annotations

import hashlib
import os
import threading
from collections.abc import Collection
from contextlib import suppress
from functools import lru_cache
from pathlib import Path

from perception.errors import DataError, PerceptionError
from perception.storage import store
from perception.storage.store import Entry
from perception.storage.urls import Url, masked

FOLDER, GIGABYTES = "PERCEPTION_CACHE", "PERCEPTION_CACHE_GB"
"""Environment variables: where the cache is, and how large it may become."""

DEFAULT_GB = 50.0
_SLACK = 16
"""The folder is measured again after a part of so many of the bound was fetched: others may write to it as well."""

_lock = threading.Lock()
_credit: dict[Path, int] = {}
"""Bytes that may be fetched into a folder before it is measured again."""

_kept: set[str] = set()
"""What this process reads by plain paths, and therefore must stay."""


def folder() -> Path:
    """$PERCEPTION_CACHE, else multimodal_perception/objects in $XDG_CACHE_HOME or ~/.cache; made if it is missing.

    Raises PerceptionError where it cannot be made.
    """
    home = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    return _made(os.environ.get(FOLDER) or f"{home}/multimodal_perception/objects")


@lru_cache
def _made(text: str) -> Path:
    path = Path(text).expanduser()
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)  # others may not see what the store shows us
        (path / "objects").mkdir(exist_ok=True)
    except OSError as error:
        raise PerceptionError(
            f"{path}: the cache of an object store's files cannot be made ({error.strerror}); "
            f"{FOLDER} names another folder"
        ) from error
    return path.resolve()


def limit() -> int:
    """Bytes that the copies may take together. Raises PerceptionError for a wrong $PERCEPTION_CACHE_GB."""
    text = os.environ.get(GIGABYTES, "")
    try:
        value = float(text or DEFAULT_GB)
    except ValueError:
        value = 0.0
    if not 0 < value < float("inf"):
        raise PerceptionError(f"{GIGABYTES}={text}: expected a number of gigabytes above 0")
    return int(value * 1e9)


def place(url: Url, entry: Entry) -> str:
    """Where the copy of that version of the object is or will be; its name tells its size."""
    digest = hashlib.sha256(f"{url}\n{entry.version}".encode()).hexdigest()[:32]
    return str(folder() / "objects" / f"{digest}_{'' if entry.size is None else entry.size}")


def size_of(copy: str) -> int | None:
    """Bytes of the object whose copy has that place."""
    text = copy.rpartition("_")[2]
    return int(text) if text else None


def fetch(url: Url, copy: str) -> None:
    """Have the object's copy at its `place`. Raises DataError if the object is gone, has changed since it was listed,
    or is larger than the cache, and as `store.get` does."""
    with suppress(FileNotFoundError):
        os.utime(copy)  # used now
        return
    size = size_of(copy)
    make_room(size or 0, masked(str(url)), (copy,))
    partial = f"{copy}.{os.getpid()}.{threading.get_ident()}.part"
    try:
        store.get(url, partial)
        if size is not None and os.path.getsize(partial) != size:
            raise DataError(f"{masked(str(url))}: changed while it was read; run it again")
        os.replace(partial, copy)
    finally:
        with suppress(FileNotFoundError):
            os.unlink(partial)


def keep(copies: Collection[str]) -> None:
    """Never remove these while this process lives."""
    _kept.update(copies)


def make_room(size: int, what: str, wanted: Collection[str] = ()) -> None:
    """Remove the least recently used copies until `size` more bytes fit, but none of `wanted` and of `keep`'s.

    Raises DataError if `what` does not fit at all.
    """
    with _lock:
        credit = _credit.get(folder(), 0)
        if size <= credit:
            _credit[folder()] = credit - size
            return
        bound, staying = limit(), _kept.union(wanted)
        copies = sorted(_copies())
        total = sum(length for _, length, _ in copies)
        fixed = sum(length for _, length, path in copies if path in staying)
        if fixed + size > bound:
            raise DataError(
                f"{what}: {size / 1e9:.3g} GB do not fit into the cache of {bound / 1e9:.3g} GB"
                f"{f', of which {fixed / 1e9:.3g} GB are in use' if fixed else ''}; {GIGABYTES} sets its size"
            )
        for _, length, path in copies:
            if total + size <= bound:
                break
            if path not in staying:
                with suppress(FileNotFoundError):
                    os.unlink(path)
                total -= length
        _credit[folder()] = max(0, min(bound - total - size, bound // _SLACK))


def _copies() -> list[tuple[float, int, str]]:
    """Time of last use, bytes and path of every copy, complete or not."""
    found = []
    with os.scandir(folder() / "objects") as entries:
        for entry in entries:
            with suppress(FileNotFoundError):
                state = entry.stat()
                found.append((state.st_mtime, state.st_size, entry.path))
    return found
