# SPDX-License-Identifier: Apache-2.0
"""A URL to write, as a path: files are made on this machine, and uploaded when all of them are complete."""

from __future__ import annotations

import fcntl
import hashlib
import logging
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path, PosixPath
from typing import Any

from perception.errors import DataError, PerceptionError
from perception.storage import cache, store
from perception.storage.urls import FILE, Url, is_url, masked, parse

_log = logging.getLogger(__name__)

MARKS = ("metadata.yaml", "drive.json", "label.json", "done.json", "SHA256SUMS", "weights.safetensors")
"""Files by which a reader knows that what they describe is complete: these are uploaded last, other .json before."""

ADDED_TO = ("SHA256SUMS",)
"""Files that list others, to which a command adds its own."""

_urls: dict[str, Url] = {}
"""The folders in which targets are made, and the URL of each."""


def target(text: str | Path) -> Path:
    """The path to write: of a URL a `Target`; of file:// and of all other texts the plain path of this machine; a path
    itself. Raises DataError for a malformed URL and for a bucket without a name in it."""
    if isinstance(text, Path) or not is_url(text):
        return Path(text) if isinstance(text, str) else text
    url = parse(text)
    return Path(text[len(f"{FILE}://") :]) if url.scheme == FILE else _made(url)


class Target(PosixPath):
    """Where the files for a URL are made, or one of them. Shown, by format(), as the URL without user and password."""

    @property
    def url(self) -> Url:
        """The URL, with user and password."""
        if str(self) in _urls:  # the folder that the target is in
            return _urls[str(self)]
        top, name = self._place()
        return top.within(name)

    def _place(self) -> tuple[Url, str]:
        """The URL of the target that this is or is in, and where in it."""
        inner = next(each for each in (self, *self.parents) if str(each.parent) in _urls)
        name = os.path.relpath(str(self), str(inner))
        return _urls[str(inner.parent)].within(inner.name), "" if name == "." else name

    def resolve(self, strict: bool = False) -> Target:
        """Itself: it is absolute."""
        return self

    def __format__(self, spec: str) -> str:
        return format(masked(str(self.url)) if self.is_absolute() else str(self), spec)

    def __reduce__(self) -> tuple[Any, ...]:
        return (_within, self._place()) if self.is_absolute() else (Target, (str(self),))


def _made(url: Url) -> Target:
    folder = url.parent
    if folder is None:
        raise DataError(f"{masked(str(url))}: a bucket; name a folder in it to write to")
    base = cache.folder() / "outputs" / hashlib.sha256(str(url).encode()).hexdigest()[:16]
    _urls[str(base)] = folder
    return Target(base / url.name)


def targets_shown(text: str) -> str:
    """The text with the URLs of this process's targets, where a path of theirs stands in it."""
    for base, url in _urls.items():
        text = text.replace(base, masked(str(url)))
    return text


def _within(root: Url, name: str) -> Target:
    return _made(root) / name


@contextmanager
def writing(path: Path, continues: bool = False) -> Iterator[None]:
    """Files made at a `Target` meanwhile are uploaded at its end; of a path of this machine there is nothing to do.

    What the URL has already is there by its names, `ADDED_TO` also with their content, so that what refuses to
    overwrite or adds to a list does. continues: it is there as a whole, to go on with, and what an error interrupts
    stays on this machine for the next time; without, it is removed. After a PerceptionError a file is uploaded, a
    folder is not. Payload goes first, and `MARKS` last: who waits for these sees the whole. Raises DataError where
    another process writes there, and `store.Unreachable`; what could not be uploaded stays on this machine.
    """
    if not isinstance(path, Target):
        yield
        return
    with _alone(path):
        if not continues:
            _remove(path)
        before = _fill(path, continues)
        try:
            yield
        except PerceptionError:
            if path.is_file():
                _upload(path, before)
            _give_up(path, before, continues)
            raise
        except BaseException:
            _give_up(path, before, continues)
            raise
        _upload(path, before)
        _remove(path)


@contextmanager
def _alone(path: Target) -> Iterator[None]:
    """Make the folder around it, lock it, and remove it if nothing stays in it. Raises DataError where it is locked."""
    path.parent.mkdir(parents=True, exist_ok=True)
    lock = path.with_name(f".{path.name}.lock")
    with lock.open("wb") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise DataError(f"{path}: another process is writing to it") from None
        try:
            yield
        finally:
            lock.unlink()
            with suppress(OSError):  # what was made stays, or others are made in it
                path.parent.rmdir()


def _fill(path: Target, whole: bool) -> dict[str, tuple[int, int]]:
    """Have here what the URL has, by names at least; the state of every file that came from there."""
    before = {}
    for name, entry in store.listing(path.url).items():
        file = path / name if name else path
        if file.is_file() and file.stat().st_size:
            continue  # of the time before, and newer
        file.parent.mkdir(parents=True, exist_ok=True)
        file.unlink(missing_ok=True)
        if whole or file.name in ADDED_TO:
            copy = cache.place(file.url, entry)
            cache.fetch(file.url, copy)
            shutil.copyfile(copy, str(file))
        else:
            file.touch()
        before[str(file)] = _state(str(file))
    return before


def _upload(path: Target, before: dict[str, tuple[int, int]]) -> None:
    """Upload every file that is new or has changed."""
    made = [file for file in _files(path) if before.get(str(file)) != _state(str(file))]
    try:
        for file in sorted(made, key=lambda file: (file.name in MARKS, file.suffix == ".json", str(file))):
            store.put(file, file.url)
    except BaseException:
        _log.warning("%s: not uploaded as a whole; what was made is kept in %s", f"{path}", str(path))
        raise


def _files(path: Target) -> list[Target]:
    """The files at and below it, without those that are not complete, whose names begin with a dot."""
    if path.is_file():
        return [path]
    found = []
    for folder, folders, names in os.walk(str(path)):
        folders[:] = [name for name in folders if not name.startswith(".")]
        found += [path / os.path.relpath(os.path.join(folder, name), str(path)) for name in names if name[0] != "."]
    return found


def _give_up(path: Target, before: dict[str, tuple[int, int]], continues: bool) -> None:
    if not continues:
        _remove(path)
    elif any(before.get(str(file)) != _state(str(file)) for file in _files(path)):
        _log.warning("%s: not uploaded; what was made is kept in %s for the next run", f"{path}", str(path))


def _remove(path: Target) -> None:
    if path.is_dir():
        shutil.rmtree(str(path))
    else:
        path.unlink(missing_ok=True)


def _state(file: str) -> tuple[int, int]:
    state = os.stat(file)
    return state.st_mtime_ns, state.st_size
