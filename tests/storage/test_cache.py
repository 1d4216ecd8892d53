# SPDX-License-Identifier: Apache-2.0
"""Copies of objects: bounded in bytes, the least recently used go first."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from helpers.servers.s3 import Bucket

from perception.errors import DataError, PerceptionError
from perception.storage import cache, local, source


def copies(tmp_path: Path) -> int:
    return sum(path.stat().st_size for path in (tmp_path / "objects/objects").iterdir())


def test_the_least_recently_used_go(bucket: Bucket, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PERCEPTION_CACHE_GB", "0.000010")
    for number in range(8):
        bucket.put(f"d/{number}", bytes(3000))
    folder = source(f"{bucket.url}/d")
    for age, number in ((30, 0), (10, 1), (20, 2)):  # the second is the last that was used
        os.utime(os.path.realpath(folder / str(number)), (1e9 - age, 1e9 - age))
    assert (folder / "3").read_bytes() == bytes(3000)
    here = {name for name in map(str, range(8)) if os.path.exists(str(folder / name))}
    assert here == {"1", "2", "3"}
    for number in range(8):
        assert len((folder / str(number)).read_bytes()) == 3000, "what was removed comes again"
        assert copies(tmp_path) <= 10_000


def test_what_a_process_reads_by_plain_paths_stays(bucket: Bucket, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PERCEPTION_CACHE_GB", "0.000010")
    for name in ("data/a", "data/b", "other/c", "other/d"):
        bucket.put(name, bytes(3000))
    data, other = local(source(f"{bucket.url}/data")), source(f"{bucket.url}/other")
    for name in ("c", "d", "c"):
        (other / name).read_bytes()
    assert (data / "a").stat().st_size == (data / "b").stat().st_size == 3000


def test_what_does_not_fit_is_refused(bucket: Bucket, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PERCEPTION_CACHE_GB", "0.000010")
    for name in ("d/a", "d/b"):
        bucket.put(name, bytes(6000))
    with pytest.raises(DataError, match=r"/d: 1\.2e-05 GB do not fit into the cache of 1e-05 GB; PERCEPTION_CACHE_GB"):
        local(source(f"{bucket.url}/d"))
    assert copies(tmp_path) == 0


@pytest.mark.parametrize("text", ["much", "0", "-1", "inf", "nan"])
def test_a_size_that_is_none(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PERCEPTION_CACHE_GB", text)
    with pytest.raises(PerceptionError, match=f"PERCEPTION_CACHE_GB={text}: expected a number of gigabytes above 0"):
        cache.limit()


def test_where_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PERCEPTION_CACHE", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert cache.folder() == tmp_path / "multimodal_perception/objects"
    assert cache.folder().stat().st_mode & 0o777 == 0o700
    monkeypatch.setenv("PERCEPTION_CACHE", "/proc/nowhere")
    with pytest.raises(PerceptionError, match=r"/proc/nowhere: the cache .* cannot be made .*; PERCEPTION_CACHE names"):
        cache.folder()
