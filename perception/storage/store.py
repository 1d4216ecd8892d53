# SPDX-License-Identifier: Apache-2.0
"""What is asked of an object store, by fsspec: list, get, put; and what is said when it refuses."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any, NamedTuple

from perception.disk import on_full_disk
from perception.errors import DataError, PerceptionError
from perception.extras import needs
from perception.storage.urls import Url, masked

_EXTRAS = {"s3": "s3", "s3a": "s3", "gs": "gs", "gcs": "gs"}
_LOGIN = {
    "s3": "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, ~/.aws/credentials or a role of this machine",
    "gs": "GOOGLE_APPLICATION_CREDENTIALS or `gcloud auth application-default login`",
}
"""Where the stores' libraries look for credentials; these URLs have none in them."""

_ENDPOINT = {"s3": "; AWS_ENDPOINT_URL names another server than Amazon's", "gs": ""}
_VERSION = ("ETag", "etag", "generation", "LastModified", "last_modified", "updated", "mtime", "created")
"""What fsspec's file systems call that which differs after a change."""

_REFUSALS = ("NoCredentialsError", "PartialCredentialsError", "CredentialRetrievalError", "PermissionError")
_SILENCES = ("EndpointConnectionError", "ConnectionError", "ClientConnectorError", "ConnectTimeoutError",
             "ReadTimeoutError", "HTTPClientError", "TimeoutError", "ServerDisconnectedError")  # fmt: skip


class Unreachable(PerceptionError):
    """A store that does not answer, or does not let us in: no matter of the data that was asked for."""


class Entry(NamedTuple):
    """An object. size: bytes, None where the store does not tell. version: differs after every change."""

    size: int | None
    version: str


def listing(url: Url) -> dict[str, Entry]:
    """The objects below `url` by their names relative to it; of one object it alone, by the empty name; none if there
    is nothing. Raises DataError and Unreachable."""
    with telling(url):
        files, path = _opened(url)
        try:
            found = files.find(path, detail=True)
        except FileNotFoundError:
            found = {}
        bucket = url._replace(rest=url.rest.partition("/")[0])
        if not found and url.scheme in _EXTRAS and not _exists(files, bucket.rest):
            raise DataError(f"{masked(str(bucket))}: no such bucket; look at its name, and at whose account it is in")
    inside = {name: info for name, info in found.items() if info.get("type", "file") == "file"}
    return {
        name[len(path) :].lstrip("/"): _entry(info)
        for name, info in inside.items()
        if name == path or name.startswith(f"{path}/")
    }


def beside(url: Url) -> dict[str, Entry]:
    """The objects in the same folder as `url`, by name; none where there is no folder or we may not list it."""
    folder = url.parent
    if folder is None:
        return {}
    with telling(url):
        files, path = _opened(folder)
        try:
            found = files.ls(path, detail=True)
        except (FileNotFoundError, PermissionError):
            return {}
    return {info["name"].rsplit("/", 1)[-1]: _entry(info) for info in found if info.get("type") == "file"}


def get(url: Url, path: str) -> None:
    """Download an object into the file `path`. Raises DataError for one that is gone, DiskFull, and Unreachable."""
    with telling(url), on_full_disk(Path(path)):
        files, name = _opened(url)
        files.get_file(name, path)


def put(path: Path, url: Url) -> None:
    """Upload a file; stores of objects show it when it is whole. Raises DataError and Unreachable."""
    with telling(url):
        files, name = _opened(url)
        files.put_file(str(path), name)


@contextmanager
def telling(url: Url) -> Iterator[None]:
    """Turns what fsspec and its file systems raise into one line: what, where, and how to mend it."""
    shown, kind = masked(str(url)), _EXTRAS.get(url.scheme, url.scheme)
    try:
        yield
    except PerceptionError:
        raise
    except FileNotFoundError as error:
        raise DataError(f"{shown}: no such object: it never was there, or was removed meanwhile") from error
    except Exception as error:  # each store has errors of its own
        names = {each.__name__ for each in type(error).__mro__}
        said = masked(" ".join(str(error).split()) or type(error).__name__)
        for secret in (url.userinfo, url.userinfo.rstrip("@").partition(":")[2]):
            said = said.replace(secret, "***") if secret else said
        if names & set(_REFUSALS):
            login = f"; give {_LOGIN[kind]}" if kind in _LOGIN else ""
            raise Unreachable(f"{shown}: not allowed ({said}){login}") from error
        if names & set(_SILENCES):
            raise Unreachable(
                f"{shown}: the store does not answer ({said}); look at the network{_ENDPOINT.get(kind, '')}"
            ) from error
        raise DataError(f"{shown}: {said}") from error


def _opened(url: Url) -> tuple[Any, str]:
    """fsspec's file system of the URL, which keeps no listings, and the URL's path in it."""
    said = f"{masked(str(url))} needs fsspec's file system of {url.scheme}://"
    with needs(said, _EXTRAS.get(url.scheme, "s3")):
        import fsspec
    with needs(said, _EXTRAS[url.scheme]) if url.scheme in _EXTRAS else nullcontext():
        if url.userinfo and (kind := _EXTRAS.get(url.scheme)):
            raise DataError(f"{masked(str(url))}: takes no user and password; give {_LOGIN[kind]}")
        files, path = fsspec.core.url_to_fs(str(url), use_listings_cache=False)
    return files, path.rstrip("/")


def _exists(files: Any, bucket: str) -> bool:
    """Whether there is that bucket, or we may not ask."""
    try:
        return bool(files.exists(bucket))
    except PermissionError:
        return True


def _entry(info: dict[str, Any]) -> Entry:
    size = info.get("size")
    return Entry(None if size is None else int(size), repr([str(info[name]) for name in _VERSION if name in info]))
