# SPDX-License-Identifier: Apache-2.0
"""URLs that are read as paths: listed once, fetched when they are opened, from a real S3 server."""

from __future__ import annotations

import os
import pickle
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
from helpers.images import write_images
from helpers.kitti import image, raw_drive, sweep
from helpers.servers.s3 import Bucket, fetched

from perception.bags.writer import write_bag
from perception.errors import DataError
from perception.frame import Frame
from perception.recordings.kitti import kitti_frames
from perception.recordings.opening import open_messages, open_recording
from perception.simulation.drive import SimulatedDrive
from perception.simulation.storage import write_drive
from perception.storage import Source, is_url, local, source


def test_paths_of_this_machine_stay_what_they_are(tmp_path: Path) -> None:
    assert source(tmp_path) is tmp_path
    for text, path in (("a/b", "a/b"), ("file:///a/b", "/a/b"), ("simulated:7", "simulated:7"), ("C:/x", "C:/x")):
        assert (type(source(text)), str(source(text))) == (type(Path()), path)
    assert not is_url("simulated:7:40")


def test_a_folder_is_seen_without_fetching_it(bucket: Bucket, tmp_path: Path) -> None:
    for name in ("a/one.txt", "a/b/two.txt", "a/b/three.bin", "beside.txt", "a2/no.txt"):
        bucket.put(f"top/{name}", name.encode())
    path = source(f"{bucket.url}/top/a")
    assert (path.exists(), path.is_dir(), path.is_file(), path.name) == (True, True, False, "a")
    assert sorted(each.name for each in path.iterdir()) == ["b", "one.txt"]
    assert [format(each) for each in path.glob("*/*.txt")] == [f"{bucket.url}/top/a/b/two.txt"]
    assert (path / "b/two.txt").is_file()
    assert (path.parent / "beside.txt").is_file()
    assert not (path / "nowhere").exists()
    assert not (path.parent / "a2").exists(), "what was not asked for is not listed"
    assert path.resolve() == path.expanduser() == path
    assert fetched(tmp_path) == []
    assert (path / "b/two.txt").read_text() == "a/b/two.txt"
    with open(path.parent / "beside.txt", "rb") as file:
        assert file.read() == b"beside.txt"
    assert fetched(tmp_path) == ["beside.txt", "two.txt"]


def test_the_first_frame_of_a_drive_needs_only_its_own_files(bucket: Bucket, tmp_path: Path) -> None:
    drive = raw_drive(tmp_path, frames=20)
    url = bucket.upload(drive.parent, "kitti/2011_09_26")
    frames = kitti_frames(source(f"{url}/{drive.name}"))
    assert len(frames) == 20
    assert frames.names == kitti_frames(drive).names
    first = frames[0]
    np.testing.assert_array_equal(first.rgb, image(0, (48, 20), True))
    np.testing.assert_array_equal(first.points, sweep(0))
    images = [name for name in fetched(tmp_path) if name.endswith((".png", ".bin"))]
    assert set(images) == {"0000000000.png", "0000000000.bin"}
    assert len(fetched(tmp_path)) < 15, "of 104 files"
    np.testing.assert_array_equal(frames[7].rgb, image(7, (48, 20), True))


def test_folders_of_images_and_simulated_drives(bucket: Bucket, tmp_path: Path) -> None:
    """Beside what is read, a folder's first, middle and last image are looked at, for their channels."""
    write_images(tmp_path / "images", 9)
    frames = open_recording(source(bucket.upload(tmp_path / "images", "images")))
    np.testing.assert_array_equal(frames[5].rgb, open_recording(tmp_path / "images")[5].rgb)
    assert "005.png" in fetched(tmp_path)
    assert set(fetched(tmp_path)) <= {"000.png", "004.png", "005.png", "008.png"}
    drive = write_drive(SimulatedDrive(seed=3, frames=3, scale=0.1), tmp_path / "drive")
    url = bucket.upload(drive, "sim/drive")
    frames = open_recording(source(url))
    here = open_recording(drive)[1]
    np.testing.assert_array_equal(frames[1].depth, here.depth)
    np.testing.assert_array_equal(frames[1].points, here.points)
    assert not [name for name in fetched(tmp_path) if name.startswith("000002.")]


def bag_of(tmp_path: Path, storage: str) -> Path:
    write_bag((Frame(10**18 + i * 10**8, np.full((8, 8, 3), i, np.uint8)) for i in range(3)), tmp_path / "bag", storage)
    return tmp_path / "bag"


@pytest.mark.parametrize("storage", ["mcap", "sqlite3"])
def test_a_bag_is_read_through_the_cache(bucket: Bucket, tmp_path: Path, storage: str) -> None:
    bag = bag_of(tmp_path, storage)
    url = bucket.upload(bag, "fleet/bag")
    suffix = {"mcap": ".mcap", "sqlite3": ".db3"}[storage]
    file = next(path.name for path in bag.iterdir() if path.suffix == suffix)
    for asked in (url, f"{url}/{file}"):
        with closing(open_messages(source(asked))) as messages:
            found = [raw.stamp_ns for raw in messages.messages(["/image"], messages.start_ns, messages.end_ns)]
        assert len(found) == 3


def test_a_bag_that_vanishes_says_so_by_its_url(bucket: Bucket, tmp_path: Path) -> None:
    url = bucket.upload(bag_of(tmp_path, "mcap"), "fleet/bag")
    path = source(url)
    assert path.is_dir()
    bucket.remove("fleet/bag/bag.mcap")
    with pytest.raises(DataError, match=rf"^{url}/bag.mcap: no such object: it never was there, or was removed"):
        open_recording(path)


def test_an_object_that_has_changed_is_fetched_anew(bucket: Bucket) -> None:
    url = bucket.put("a/b.txt", b"first")
    path = source(url)
    assert path.read_text() == "first"
    bucket.put("a/b.txt", b"other")
    assert path.read_text() == "first", "one run sees one state"
    assert source(url).read_text() == "other", "the next one sees the next"
    bucket.remove("a/b.txt")
    assert not source(url).exists()
    bucket.put("a/b.txt", b"longer than before")
    assert source(url).read_text() == "longer than before"


def test_a_change_between_listing_and_reading_is_told(bucket: Bucket) -> None:
    path = source(bucket.put("a/b.txt", b"first"))
    assert path.exists()
    bucket.put("a/b.txt", b"longer than before")
    with pytest.raises(DataError, match=r"a/b\.txt: changed while it was read; run it again"):
        path.read_text()


def test_another_process_fetches_into_its_own_cache(
    bucket: Bucket, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bucket.put("d/x/1.txt", b"one")
    folder = source(f"{bucket.url}/d")
    said = pickle.dumps([folder, folder / "x/1.txt", (folder / "x").relative_to(folder)])
    monkeypatch.setenv("PERCEPTION_CACHE", str(tmp_path / "elsewhere"))
    again, file, relative = pickle.loads(said)
    assert str(again).startswith(str(tmp_path / "elsewhere"))
    assert isinstance(file, Source)
    assert (file.read_text(), str(relative)) == ("one", "x")
    assert str(tmp_path).encode() not in said


def test_local_has_everything_for_those_who_take_plain_paths(bucket: Bucket, tmp_path: Path) -> None:
    for name in ("m/net.xml", "m/net.bin", "m/net.check.npz", "m/SHA256SUMS", "m/other.bin"):
        bucket.put(name, name.encode())
    path = local(source(f"{bucket.url}/m/net.xml"), "net.*", "SHA256SUMS")
    assert type(path) is type(Path())
    assert path.with_suffix(".bin").read_bytes() == b"m/net.bin"
    assert fetched(tmp_path) == ["SHA256SUMS", "net.bin", "net.check.npz", "net.xml"]
    assert local(tmp_path) is tmp_path
    folder = local(source(f"{bucket.url}/m"))
    assert (folder / "other.bin").read_bytes() == b"m/other.bin"
    assert os.path.realpath(folder) == str(folder)


def test_an_object_that_no_folder_here_can_hold_is_refused(bucket: Bucket) -> None:
    bucket.put("a/b", b"file")
    bucket.put("a/b/c", b"in it")
    with pytest.raises(DataError, match=r"cannot be a file here .*: it is an object and a folder"):
        source(f"{bucket.url}/a").exists()
    with pytest.raises(DataError, match=r"'x/../../y' has an empty part, '\.' or '\.\.'"):
        source("s3://x/../../y")


def test_a_password_is_neither_shown_nor_in_the_tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PERCEPTION_CACHE", str(tmp_path / "objects"))
    path = source("ftp://me:secret@host/bag")
    assert isinstance(path, Source)
    assert f"{path}" == "ftp://***@host/bag"
    assert "secret" not in str(path)
    assert str(path.url) == "ftp://me:secret@host/bag"
