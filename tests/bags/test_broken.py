# SPDX-License-Identifier: Apache-2.0
"""Bags with garbage in them or without their end: the frames before it are the recorded ones, and one line reports
it."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
from rosbags.rosbag2 import CompressionFormat, CompressionMode, StoragePlugin, Writer

from perception.bags.frames import BagFrames
from perception.bags.raw import TYPES
from perception.bags.sources import open_bag
from perception.bags.writer import serialise, serialise_extrinsics
from perception.cli.main import main
from perception.errors import DataError
from perception.frame import CameraModel, Frame

T0 = 1_700_000_000_000_000_000
COUNT = 20
CAMERA = CameraModel(np.array([[240.0, 0, 192], [0, 240, 120], [0, 0, 1]]), 384, 240)
MOUNT = np.array([[0, -1, 0, 0], [0, 0, -1, -0.1], [1, 0, 0, -0.3], [0, 0, 0, 1.0]])


def frame(number: int) -> Frame:
    rng = np.random.default_rng(number)
    rgb = rng.choice(np.array([0, 64, 128, 192], np.uint8), (240, 384, 3))  # which zstd can make smaller
    points = rng.uniform((1, 0, 0, 0), (2, 1, 1, 1), (20, 4)).astype(np.float32)
    return Frame(T0 + 100_000_000 * number, rgb, points=points, camera=CAMERA, lidar_to_camera=MOUNT)


def write(path: Path, storage: StoragePlugin, compression: CompressionMode = CompressionMode.NONE) -> Path:
    """A bag of COUNT frames; returns the file in it."""
    writer = Writer(path, version=9, storage_plugin=storage)
    if compression is not CompressionMode.NONE:
        writer.set_compression(compression, CompressionFormat.ZSTD)
    connections: dict[str, object] = {}
    with writer:
        for message in [
            serialise_extrinsics(T0, MOUNT, CAMERA),
            *(message for number in range(COUNT) for message in serialise(frame(number))),
        ]:
            if message.topic not in connections:
                connections[message.topic] = writer.add_connection(message.topic, message.type, typestore=TYPES)
            writer.write(connections[message.topic], message.stamp_ns, message.data)
    (file,) = (each for each in path.iterdir() if each.suffix != ".yaml")
    if storage is StoragePlugin.SQLITE3 and compression is not CompressionMode.FILE:
        with closing(sqlite3.connect(file)) as content:  # pages as small as rosbag2's
            content.executescript("PRAGMA page_size = 4096; VACUUM")
    return file


def garbage(file: Path, share: float = 0.6, size: int = 4096) -> None:
    content = bytearray(file.read_bytes())
    at = int(share * len(content))
    content[at : at + size] = np.random.default_rng(5).integers(0, 256, size, np.uint8).tobytes()
    file.write_bytes(content)


def cut(file: Path, share: float = 0.6) -> None:
    content = file.read_bytes()
    file.write_bytes(content[: int(share * len(content))])


MCAP, SQLITE = StoragePlugin.MCAP, StoragePlugin.SQLITE3
NONE, FILE = CompressionMode.NONE, CompressionMode.FILE
MESSAGE, STORAGE = CompressionMode.MESSAGE, CompressionMode.STORAGE
DAMAGES = {
    "garbage in db3": (SQLITE, NONE, lambda file: garbage(file, 0.5)),
    "garbage in zstd messages of db3": (SQLITE, MESSAGE, lambda file: garbage(file, 0.6, 20_000)),
    "db3 cut short": (SQLITE, NONE, cut),
    "garbage in mcap": (MCAP, NONE, lambda file: garbage(file, 0.6, 400_000)),
    "garbage in zstd chunks of mcap": (MCAP, STORAGE, garbage),
    "mcap cut short": (MCAP, NONE, cut),
    "mcap of zstd chunks cut short": (MCAP, STORAGE, cut),
    "compressed db3 cut short": (SQLITE, FILE, cut),
    "compressed mcap cut short": (MCAP, FILE, cut),
    "garbage in compressed mcap": (MCAP, FILE, garbage),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_what_comes_before_is_read_right_and_the_rest_is_said(damage: str, tmp_path: Path) -> None:
    storage, compression, spoil = DAMAGES[damage]
    file = write(tmp_path / "bag", storage, compression)
    spoil(file)
    frames = BagFrames(tmp_path / "bag")
    assert frames.broken.startswith(f"{tmp_path}/bag: broken: ")
    assert "\n" not in frames.broken
    assert 0.2 * COUNT <= len(frames) < COUNT, frames.broken
    for number in range(min(len(frames), COUNT // 2)):  # without a checksum, garbage among pixels looks like pixels
        got = frames[number]
        np.testing.assert_array_equal(got.rgb, frame(number).rgb)
        if got.points is not None:
            np.testing.assert_array_equal(got.points, frame(number).points)


@pytest.mark.parametrize("damage", ["garbage in db3", "mcap cut short", "compressed db3 cut short"])
def test_label_keeps_them_counts_them_and_fails(
    damage: str, tiny_model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    storage, compression, spoil = DAMAGES[damage]
    spoil(write(tmp_path / "bag", storage, compression))
    count = len(BagFrames(tmp_path / "bag"))
    out, report = tmp_path / "out", tmp_path / "report.json"
    options = ["--write", "masks", "bag", "--model", str(tiny_model), "--threads", "1", "--json", str(report)]
    assert main(["label", str(tmp_path / "bag"), "-o", str(out), *options]) == 2
    line = capsys.readouterr().err.splitlines()[-1]
    assert line.startswith(f"perception: {tmp_path}/bag: broken: ")
    assert line.endswith(f"only what comes before is read ({count} frames)")
    assert json.loads(report.read_text())["labelled"] == count == len(list((out / "labels").iterdir()))
    assert len(BagFrames(out / "labelled_bag")) == count


@pytest.mark.parametrize("storage", [MCAP, SQLITE])
def test_nothing_of_it_is_one_line_too(storage: StoragePlugin, tmp_path: Path) -> None:
    file = write(tmp_path / "bag", storage)
    for content in (b"", b"\x00" * 5000, np.random.default_rng(0).bytes(5000)):
        file.write_bytes(content)
        with pytest.raises(DataError, match="bag: broken: ") as raised:
            BagFrames(tmp_path / "bag")
        assert "\n" not in str(raised.value)
    file.unlink()
    with pytest.raises(DataError, match="missing"):
        BagFrames(tmp_path / "bag")


@pytest.mark.parametrize("text", ["", "a: [", "rosbag2_bagfile_information: {version: 9}", "7", "\x00"])
def test_a_broken_description_is_said(text: str, tmp_path: Path) -> None:
    write(tmp_path / "bag", MCAP)
    (tmp_path / "bag/metadata.yaml").write_text(text)
    with pytest.raises(DataError, match="bag: ") as raised:
        open_bag(tmp_path / "bag")
    assert "\n" not in str(raised.value)


def test_a_span_before_the_break_is_whole(tmp_path: Path) -> None:
    cut(write(tmp_path / "bag", MCAP))
    with closing(open_bag(tmp_path / "bag")) as source:
        assert source.topics["/image"].messages == COUNT
        assert [m.topic for m in source.messages(["/tf_static"], source.start_ns, T0 + 50_000_000)] == ["/tf_static"]
        assert len(list(source.messages(["/image"], T0, T0 + 250_000_000))) == 3
        with pytest.raises(DataError, match="broken"):
            list(source.messages(["/image"], source.start_ns, source.end_ns))
