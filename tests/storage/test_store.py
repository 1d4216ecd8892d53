# SPDX-License-Identifier: Apache-2.0
"""What is said where an object store refuses: one line that tells what, where and how to mend it."""

from __future__ import annotations

import socket
import sys
from pathlib import Path

import pytest
from helpers.servers.s3 import Bucket, forget

from perception.errors import DataError, PerceptionError
from perception.storage import store
from perception.storage.store import Unreachable
from perception.storage.urls import parse


def test_objects_are_listed_by_their_names_below_the_url(bucket: Bucket) -> None:
    for name in ("a/one", "a/b/two", "ab/no", "a.txt"):
        bucket.put(name, name.encode())
    url = parse(f"{bucket.url}/a")
    assert {name: entry.size for name, entry in store.listing(url).items()} == {"one": 5, "b/two": 7}
    assert sorted(store.beside(url)) == ["a.txt"]
    assert list(store.listing(parse(f"{bucket.url}/a.txt"))) == [""]
    assert store.listing(parse(f"{bucket.url}/nothing")) == {}
    before = store.listing(url)["one"]
    bucket.put("a/one", b"other")
    assert store.listing(url)["one"].version != before.version


def test_a_bucket_that_is_not_there(bucket: Bucket) -> None:
    with pytest.raises(DataError, match=r"^s3://no-such-bucket-here: no such bucket; look at its name"):
        store.listing(parse("s3://no-such-bucket-here/a"))


def test_an_object_that_is_not_there(bucket: Bucket, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=rf"^{bucket.url}/a: no such object"):
        store.get(parse(f"{bucket.url}/a"), str(tmp_path / "a"))


def test_no_credentials(bucket: Bucket, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    for name in ("AWS_SHARED_CREDENTIALS_FILE", "AWS_CONFIG_FILE"):
        monkeypatch.setenv(name, "/dev/null")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    forget()
    with pytest.raises(Unreachable, match=r"/a: not allowed \(.+\); give AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"):
        store.listing(parse(f"{bucket.url}/a"))


def test_nobody_answers(bucket: Bucket, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # and nobody listens
        monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{taken.getsockname()[1]}")
        forget()
        with pytest.raises(Unreachable, match=r"/a: the store does not answer \(.+\); .*AWS_ENDPOINT_URL names"):
            store.listing(parse(f"{bucket.url}/a"))


def test_a_store_whose_library_is_not_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    for module, url, extra in (("gcsfs", "gs://b/a", "gs"), ("fsspec", "s3://b/a", "s3")):
        monkeypatch.setitem(sys.modules, module, None)
        with pytest.raises(PerceptionError, match=rf"pip install 'multimodal_perception\[{extra}\]'"):
            store.listing(parse(url))


def test_a_store_that_is_none_of_our_extras_says_itself_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "adlfs", None)
    with pytest.raises(DataError, match=r"^abfs://b/a: Install adlfs to access"):
        store.listing(parse("abfs://b/a"))


def test_a_scheme_that_there_is_not() -> None:
    with pytest.raises(DataError, match="nosuch://b/a: Protocol not known"):
        store.listing(parse("nosuch://b/a"))


def test_what_the_store_says_is_masked() -> None:
    url = parse("memory://me:secret@b/a")
    with pytest.raises(DataError) as caught, store.telling(url):
        raise ValueError(f"cannot open {url}, neither b/a of me:secret@b with secret")
    assert str(caught.value) == "memory://***@b/a: cannot open memory://***@b/a, neither b/a of ***b with ***"
