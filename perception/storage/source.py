# SPDX-License-Identifier: Apache-2.0
"""A URL to read, as a path: what is there is listed once, and every file is fetched when it is opened.

A process mirrors what it reads as a tree of links into the cache: a link whose copy is not fetched yet leads nowhere.
So code that goes around a `Source` (a C library, a plain `Path` of it) finds no file rather than a wrong one, and
`local` fetches first what such code is to read.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import re
import shutil
import tempfile
import threading
from collections.abc import Generator
from contextlib import suppress
from functools import lru_cache
from pathlib import Path, PosixPath
from typing import Any, BinaryIO

from perception.errors import DataError
from perception.storage import cache, store
from perception.storage.store import Entry
from perception.storage.urls import FILE, Url, check_name, is_url, masked, parse

_lock = threading.RLock()
_roots: dict[str, bool] = {}
"""By the path of everything that was asked for: whether it is listed."""

_links: dict[str, set[str]] = {}
"""The links of each root."""

_beside: dict[str, str] = {}
"""The first root in each folder: files beside it, such as a drive's calibration, are listed with it."""

_userinfo: dict[tuple[str, str], str] = {}
"""By scheme and bucket or host; never part of a path."""


def source(text: str | Path) -> Path:
    """The path to read: of a URL a `Source`, whose content is listed when it is first used; of file:// and of all
    other texts the plain path of this machine; a path itself. Raises DataError for a malformed URL."""
    if isinstance(text, Path) or not is_url(text):
        return Path(text) if isinstance(text, str) else text
    url = parse(text)
    return Path(text[len(f"{FILE}://") :]) if url.scheme == FILE else _asked(url, url)


class Source(PosixPath):
    """What a URL names, or something in it. Shown, by format(), as the URL without user and password.

    Opening a file fetches it, as does whatever else needs its path (`os.fspath`); exists, is_file, is_dir, iterdir and
    glob do not. These and opening raise DataError and `store.Unreachable`.
    """

    @property
    def url(self) -> Url:
        """The URL, with user and password."""
        scheme, _, rest = os.path.relpath(str(self), _tree()).partition("/")
        return Url(scheme, _userinfo.get((scheme, rest.partition("/")[0]), ""), rest)

    def exists(self, *, follow_symlinks: bool = True) -> bool:
        """Whether there is an object or a folder."""
        return _is_mirrored(str(self)) and os.path.lexists(str(self))

    def is_file(self, *, follow_symlinks: bool = True) -> bool:
        """Whether there is an object."""
        return _is_mirrored(str(self)) and os.path.islink(str(self))

    def is_dir(self, *, follow_symlinks: bool = True) -> bool:
        """Whether there are objects in it."""
        return _is_mirrored(str(self)) and not os.path.islink(str(self)) and os.path.isdir(str(self))

    def iterdir(self) -> Generator[Source, None, None]:
        """What is in the folder."""
        _is_mirrored(str(self))  # Python 3.13 asks the text of a path, not the path
        yield from super().iterdir()

    def glob(self, pattern: str, *args: Any, **options: Any) -> Generator[Source, None, None]:
        """What matches in the folder."""
        _is_mirrored(str(self))
        yield from super().glob(pattern, *args, **options)

    def rglob(self, pattern: str, *args: Any, **options: Any) -> Generator[Source, None, None]:
        """What matches at any depth."""
        _is_mirrored(str(self))
        yield from super().rglob(pattern, *args, **options)

    def resolve(self, strict: bool = False) -> Source:
        """Itself: it is absolute, and the links are not the caller's."""
        return self

    def version(self) -> str:
        """A digest of the names, sizes and versions of everything there, as the store tells them; fetches nothing."""
        _is_mirrored(str(self))
        digest = hashlib.sha256()
        for file in _files(self):
            digest.update(f"{os.path.relpath(file, str(self))} {os.path.basename(os.readlink(file))}\n".encode())
        return digest.hexdigest()

    def __fspath__(self) -> str:
        text = str(self)
        if _is_mirrored(text) and os.path.islink(text):
            cache.fetch(self.url, os.readlink(text))
        return text

    def __format__(self, spec: str) -> str:
        return format(masked(str(self.url)) if self.is_absolute() else str(self), spec)

    def __reduce__(self) -> tuple[Any, ...]:
        if not self.is_absolute():
            return Source, (str(self),)
        root = _root_of(str(self))
        return _asked, (Source(root).url if root else self.url, self.url)


def local(path: Path, *beside: str) -> Path:
    """A plain path of the same content, all of it on this machine as long as this process lives; of a path of this
    machine itself. beside: patterns of files in the same folder that are needed too.

    Raises DataError where it does not fit into the cache, and as opening does.
    """
    if not isinstance(path, Source):
        return path
    whole = [path, *(each for pattern in beside for each in path.parent.glob(pattern) if each.is_file())]
    cache.keep(_fetched(path, whole))
    return Path(str(path))


def fetched(path: Path) -> Path:
    """The same for a moment: whoever opens the files at once has them, later they may be gone."""
    if not isinstance(path, Source):
        return path
    _fetched(path, [path])
    return Path(str(path))


def sources_shown(text: str) -> str:
    """The text with the URLs of this process's sources, where a path of theirs stands in it."""
    return re.sub(rf"{re.escape(_tree())}/([^/\s]+)/", r"\1://", text) if _roots else text


def _fetched(path: Source, whole: list[Source]) -> list[str]:
    """Fetch the files of `whole`; their copies' paths."""
    files = [Source(file) for each in whole for file in _files(each)]
    copies = {file: os.readlink(str(file)) for file in files}
    missing = sum(cache.size_of(copy) or 0 for copy in copies.values() if not os.path.exists(copy))
    cache.make_room(missing, f"{path}", copies.values())
    for file, copy in copies.items():
        cache.fetch(file.url, copy)
    return list(copies.values())


def _files(path: Source) -> list[str]:
    """The links at and below a path."""
    text = str(path)
    if path.is_file():
        return [text]
    if text not in _roots and _root_of(text) is None:  # a folder that was listed only for what is beside something
        return [entry.path for entry in os.scandir(text) if entry.is_symlink()] if path.is_dir() else []
    return sorted(os.path.join(folder, name) for folder, _, names in os.walk(text) for name in names)


def _asked(root: Url, url: Url) -> Source:
    """The path of `url`, which is or is within `root`; a root is listed anew when it is next used."""
    tree = _tree()
    top = os.path.join(tree, root.scheme, root.rest)
    with _lock:
        if root.userinfo:
            _userinfo[root.scheme, root.rest.partition("/")[0]] = root.userinfo
        if url == root or top not in _roots:
            _roots[top] = False
            _beside.setdefault(os.path.dirname(top), top)
    return Source(os.path.join(tree, url.scheme, url.rest))


def _root_of(text: str) -> str | None:
    """The root that the path is or is in."""
    while len(text) > 1:
        if text in _roots:
            return text
        text = os.path.dirname(text)
    return None


def _is_mirrored(text: str) -> bool:
    """List what the path belongs to, if that has not been done; False for a path that belongs to nothing asked for."""
    root = _root_of(text) or _beside.get(text) or _beside.get(os.path.dirname(text))
    if root is None:
        return False
    with _lock:
        if not _roots[root]:
            _mirror(Source(root))
            _roots[root] = True
    return True


def _mirror(root: Source) -> None:
    """Make the links of what is at the URL and beside it; remove those of what is there no more."""
    url, folder = root.url, root.url.parent
    found = {url.within(name): entry for name, entry in store.listing(url).items()}
    if folder is not None:
        found = {folder.within(name): entry for name, entry in store.beside(url).items()} | found
    links = {}
    for each, entry in found.items():
        check_name(each.rest, masked(str(url)))
        links[os.path.join(_tree(), each.scheme, each.rest)] = (each, entry)
    for gone in _links.get(str(root), set()) - set(links):
        with suppress(FileNotFoundError):
            os.unlink(gone)
    for link, (each, entry) in links.items():
        _link(link, each, entry)
    _links[str(root)] = set(links)


def _link(link: str, url: Url, entry: Entry) -> None:
    copy = cache.place(url, entry)
    try:
        os.makedirs(os.path.dirname(link), exist_ok=True)
        if os.path.islink(link):
            if os.readlink(link) == copy:
                return
            os.unlink(link)
        os.symlink(copy, link)
    except OSError as error:
        raise DataError(
            f"{masked(str(url))}: cannot be a file here ({error.strerror}): it is an object and a folder, or its name "
            "is too long"
        ) from error


_held: list[BinaryIO] = []
"""Locks of the trees of this process: whose lock is free belongs to nobody any more."""


def _tree() -> str:
    """The folder of this process's links."""
    return _tree_in(cache.folder())


@lru_cache
def _tree_in(folder: Path) -> str:
    """A new one, locked while this process lives; those of processes that have ended are removed."""
    trees = folder / "trees"
    trees.mkdir(exist_ok=True)
    with (trees / "lock").open("wb") as alone:
        fcntl.flock(alone, fcntl.LOCK_EX)
        for tree in trees.glob("tree-*/"):
            with (tree / "lock").open("ab") as lock, suppress(BlockingIOError):
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(tree, ignore_errors=True)
        own = Path(tempfile.mkdtemp(prefix="tree-", dir=trees))
        _held.append((own / "lock").open("wb"))
        fcntl.flock(_held[-1], fcntl.LOCK_EX)
    return str(own)
