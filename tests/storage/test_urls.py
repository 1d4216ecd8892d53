# SPDX-License-Identifier: Apache-2.0
"""URLs taken apart, and shown without what is nobody else's business."""

from __future__ import annotations

import pytest

from perception.errors import DataError
from perception.storage.urls import Url, check_name, is_url, masked, parse


def test_a_url_and_its_parts() -> None:
    url = parse("s3://bucket/a/b c#1?/")
    assert url == Url("s3", "", "bucket/a/b c#1?")
    assert (str(url), url.name, str(url.parent)) == ("s3://bucket/a/b c#1?", "b c#1?", "s3://bucket/a")
    assert str(url.within("d/e")) == "s3://bucket/a/b c#1?/d/e"
    assert url.within("") == url
    assert parse("gs://bucket").parent is None
    assert parse("memory:///a/b") == Url("memory", "", "a/b")
    assert parse("s3://bucket/key@2x.png") == Url("s3", "", "bucket/key@2x.png")
    assert str(parse("sftp://me:p@ss@host/a")) == "sftp://me:p@ss@host/a"
    assert parse("sftp://me:p@ss@host/a").rest == "host/a"


def test_what_is_a_url() -> None:
    assert [text for text in ("s3://b", "gs://b/c", "file:///a", "abfs+x://y") if not is_url(text)] == []
    assert [
        text for text in ("bag", "/a/b", "bag:40", "simulated:7", "~/x", "//x", "camvid=s3://b") if is_url(text)
    ] == []


def test_users_and_passwords_are_masked_wherever_they_stand() -> None:
    assert masked("s3://key:secret@bucket/a") == "s3://***@bucket/a"
    assert (
        masked("GET sftp://me:p@ss@host/a failed, also sftp://you:x@host")
        == "GET sftp://***@host/a failed, also sftp://***@host"
    )
    assert masked("s3://bucket/key@2x.png") == "s3://bucket/key@2x.png"


@pytest.mark.parametrize("text", ["s3://", "s3:///", "s3://b//c", "s3://b/../c", "s3://b/./c"])
def test_what_no_folder_can_hold_is_refused(text: str) -> None:
    with pytest.raises(DataError, match=r"names no bucket|has an empty part"):
        parse(text)


def test_an_object_s_name_cannot_leave_its_folder() -> None:
    check_name("a/b..c/.d", "s3://b")
    for name in ("../x", "a/../../x", "a//b", "a\0b"):
        with pytest.raises(DataError, match="s3://b: "):
            check_name(name, "s3://b")
