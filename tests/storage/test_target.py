# SPDX-License-Identifier: Apache-2.0
"""URLs that are written as paths: uploaded when complete, what marks that last."""

from __future__ import annotations

import pickle
from pathlib import Path

import pytest
from helpers.servers.s3 import Bucket

from perception.errors import DataError, ModelError
from perception.storage import Target, store, target, writing
from perception.storage.urls import Url


def test_paths_of_this_machine_stay_what_they_are(tmp_path: Path) -> None:
    assert target(tmp_path) is tmp_path
    assert str(target("file:///a/b")) == "/a/b"
    with writing(tmp_path / "new"):
        assert not (tmp_path / "new").exists()


def fill(out: Path) -> None:
    (out / "frames").mkdir(parents=True, exist_ok=True)
    for name in ("metadata.yaml", "report.json", "a.mcap", "frames/0.json", ".left.part"):
        (out / name).write_text(name)


def test_nothing_is_there_before_all_of_it_is(bucket: Bucket, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    order, put = [], store.put

    def watched(path: Path, url: Url) -> None:
        order.append(url.name)
        put(path, url)

    monkeypatch.setattr(store, "put", watched)
    out = target(f"{bucket.url}/out/new")
    assert (f"{out / 'a'}", isinstance(out / "a", Target)) == (f"{bucket.url}/out/new/a", True)
    with writing(out):
        fill(out)
        assert bucket.times() == {}
    assert order == ["a.mcap", "0.json", "report.json", "metadata.yaml"]
    assert bucket.get("out/new/frames/0.json") == b"frames/0.json"
    assert list((tmp_path / "objects/outputs").iterdir()) == []


def test_a_file(bucket: Bucket) -> None:
    out = target(f"{bucket.url}/out/report.json")
    with writing(out):
        out.write_text("{}")
    with writing(out):
        pass  # nothing was made, nothing is uploaded
    assert bucket.get("out/report.json") == b"{}"


def test_what_is_there_can_be_refused_or_added_to(bucket: Bucket) -> None:
    for name in ("SHA256SUMS", "big.bin"):
        bucket.put(f"out/{name}", b"before")
    before, out = bucket.times(), target(f"{bucket.url}/out")
    with writing(out):
        assert {path.name: path.read_text() for path in out.iterdir()} == {"SHA256SUMS": "before", "big.bin": ""}
        (out / "new").write_text("new")
    assert {name: bucket.times()[name] for name in before} == before, "only what is new is uploaded"
    assert (bucket.get("out/big.bin"), bucket.get("out/new")) == (b"before", b"new")
    with writing(out, continues=True):
        assert (out / "big.bin").read_text() == "before"
        (out / "big.bin").write_text("after")
    assert bucket.get("out/big.bin") == b"after"


def test_an_error_uploads_no_part_of_a_folder_but_the_report_on_it(bucket: Bucket, tmp_path: Path) -> None:
    out, report = target(f"{bucket.url}/out"), target(f"{bucket.url}/report.json")

    def work() -> None:
        with writing(out), writing(report):
            fill(out)
            report.write_text("{}")
            raise ModelError("one of two")

    with pytest.raises(ModelError):
        work()
    assert list(bucket.times()) == ["report.json"]
    assert list((tmp_path / "objects/outputs").iterdir()) == []


def test_what_was_interrupted_is_gone_on_with(bucket: Bucket, caplog: pytest.LogCaptureFixture) -> None:
    bucket.put("out/done", b"done")
    out = target(f"{bucket.url}/out")

    def work() -> None:
        with writing(out, continues=True):
            (out / "last.pt").write_text("10 steps")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        work()
    assert list(bucket.times()) == ["out/done"]
    assert f"{bucket.url}/out: not uploaded; what was made is kept in {out!s} for the next run" in caplog.text
    with writing(out, continues=True):
        assert ((out / "last.pt").read_text(), (out / "done").read_text()) == ("10 steps", "done")
    assert bucket.get("out/last.pt") == b"10 steps"


def test_what_cannot_be_uploaded_is_kept(bucket: Bucket, caplog: pytest.LogCaptureFixture) -> None:
    out = target("s3://no-such-bucket-here-yet/out")
    with pytest.raises(DataError, match="s3://no-such-bucket-here-yet: no such bucket"), writing(out):
        pytest.fail("the work would be lost")
    out = target(f"{bucket.url}/out")

    def work() -> None:
        with writing(out):
            out.write_text("hours of work")
            bucket.client.delete_bucket(Bucket=bucket.name)

    with pytest.raises(DataError, match=f"{bucket.url}/out"):
        work()
    assert out.read_text() == "hours of work"
    assert f"not uploaded as a whole; what was made is kept in {out!s}" in caplog.text


def test_two_do_not_write_to_one(bucket: Bucket) -> None:
    out = target(f"{bucket.url}/out")
    with (
        writing(out),
        pytest.raises(DataError, match=f"{bucket.url}/out: another process is writing to it"),
        writing(out),
    ):
        pytest.fail("both would")


def test_another_process_makes_it_in_its_own_folder(
    bucket: Bucket, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mine = target(f"{bucket.url}/out") / "drive_1"
    said = pickle.dumps(mine)
    assert str(pickle.loads(said)) == str(mine), "a worker writes where its parent looks"
    monkeypatch.setenv("PERCEPTION_CACHE", str(tmp_path / "elsewhere"))
    out = pickle.loads(said)
    assert str(out).startswith(str(tmp_path / "elsewhere"))
    with writing(out):
        fill(out)
    assert bucket.get("out/drive_1/a.mcap") == b"a.mcap"


def test_a_bucket_is_no_folder() -> None:
    with pytest.raises(DataError, match="s3://b: a bucket; name a folder in it"):
        target("s3://b/")
