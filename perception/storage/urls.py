# SPDX-License-Identifier: Apache-2.0
"""URLs as they are given and as they are shown."""

from __future__ import annotations

import re
from typing import NamedTuple

from perception.errors import DataError

_URL = re.compile(r"([a-zA-Z][a-zA-Z0-9+.-]*)://")
_USER = re.compile(r"(://)[^/\s]*@")
FILE = "file"
"""The scheme of paths on this machine."""


class Url(NamedTuple):
    """scheme://userinfo@rest; userinfo with its @, empty for none; rest without slashes at its ends."""

    scheme: str
    userinfo: str
    rest: str

    def __str__(self) -> str:
        return f"{self.scheme}://{self.userinfo}{self.rest}"

    @property
    def parent(self) -> Url | None:
        """The folder that it is in; None for a bucket."""
        folder, slash, _ = self.rest.rpartition("/")
        return self._replace(rest=folder) if slash else None

    @property
    def name(self) -> str:
        """The last part."""
        return self.rest.rpartition("/")[2]

    def within(self, name: str) -> Url:
        """Of a file in it, by its relative name; itself for the empty one."""
        return self._replace(rest=f"{self.rest}/{name}") if name else self


def is_url(text: str) -> bool:
    """Whether the text is a URL rather than a path of this machine."""
    return _URL.match(text) is not None


def masked(text: str) -> str:
    """The text with *** for the user and password of every URL in it."""
    return _USER.sub(r"\1***@", text)


def parse(text: str) -> Url:
    """The URL's parts. Raises DataError for one whose parts are no names of files."""
    match = _URL.match(text)
    assert match is not None
    userinfo, _, rest = re.fullmatch(r"((?:[^/]*@)?)(/*)(.*)", text[match.end() :], re.DOTALL).groups()  # type: ignore[union-attr]
    rest = rest.rstrip("/")
    if not rest:
        raise DataError(f"{masked(text)}: names no bucket; write {match[1]}://BUCKET/FOLDER")
    check_name(rest, masked(text))
    return Url(match[1].lower(), userinfo, rest)


def check_name(name: str, where: str) -> None:
    """Raises DataError for an object's name that is no path below its folder. where: the URL that is named."""
    if any(part in ("", ".", "..") for part in name.split("/")) or "\0" in name:
        raise DataError(f"{where}: {name!r} has an empty part, '.' or '..', which no folder on this machine can hold")
