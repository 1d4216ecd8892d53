# SPDX-License-Identifier: Apache-2.0
"""KITTI drives: the same frames however they are opened, and KITTI's own pairs."""

from __future__ import annotations

import pickle
import re
import shutil
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
from helpers.kitti import raw_drive, stamp_lines
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from perception.bags.frames import BagFrames
from perception.bags.kitti.bag import serialise_recording
from perception.bags.raw import RawBagWriter
from perception.datasets.io.named_frames import NamedFrames
from perception.datasets.kitti.layouts import open_drive
from perception.datasets.kitti.raw_samples import KittiRawSamples
from perception.errors import DataError
from perception.recordings.kitti import KittiMessages, kitti_frames

SECOND = 1_317_042_272_000_000_000
FRAMES = 6


def bag_of(drive: Path, path: Path) -> Path:
    """The bag that kitti2bag makes from it."""
    with RawBagWriter(path) as writer:
        for message in serialise_recording(open_drive(drive), threads=1):
            writer.write(message)
    return path


def replayed(drive: Path, path: Path) -> Path:
    """The bag that recording a replay of it gives."""
    with RawBagWriter(path) as writer, closing(KittiMessages(drive)) as source:
        for message in source.messages(list(source.topics), source.start_ns, source.end_ns):
            writer.write(message)
    return path


def assert_same(one: NamedFrames, other: NamedFrames) -> None:
    assert list(one.stamps_ns) == list(other.stamps_ns)
    for mine, theirs in zip(one, other, strict=True):
        assert mine.modalities == theirs.modalities
        if mine.rgb is not None:
            np.testing.assert_array_equal(mine.rgb, theirs.rgb)
        assert mine.camera is not None
        assert theirs.camera is not None
        np.testing.assert_allclose(mine.camera.intrinsics, theirs.camera.intrinsics, rtol=1e-12)
        assert mine.camera.frame_id == theirs.camera.frame_id
        assert (mine.camera.width, mine.camera.height) == (theirs.camera.width, theirs.camera.height)
        if mine.points is not None:
            assert theirs.points is not None
            # Identify the sweep: the bag moves it by the inertial unit's data, millimetres here.
            assert len(mine.points) == len(theirs.points)
            np.testing.assert_allclose(mine.points[:, 3], theirs.points[:, 3], atol=1e-6)
            np.testing.assert_allclose(mine.lidar_to_camera, theirs.lidar_to_camera, atol=1e-5)


@given(
    images=st.sets(st.integers(0, FRAMES - 1), min_size=1),
    sweeps=st.sets(st.integers(0, FRAMES - 1)),
    late_ms=st.lists(st.integers(-70, 70), min_size=FRAMES, max_size=FRAMES),
    pause_ms=st.sampled_from((0, 800)),
)
@settings(max_examples=10, phases=(Phase.explicit, Phase.reuse, Phase.generate))  # drives take long to shrink
def test_the_same_frames_whichever_way_a_drive_is_opened(
    tmp_path_factory: pytest.TempPathFactory, images: set[int], sweeps: set[int], late_ms: list[int], pause_ms: int
) -> None:
    """Files are missing, sweeps are early or late, and half-way through there may be a pause."""
    root = tmp_path_factory.mktemp("drive")
    drive = raw_drive(root, cameras=(2,), frames=FRAMES)
    for folder, kept in (("image_02", images), ("velodyne_points", sweeps)):
        for path in (drive / folder / "data").iterdir():
            if int(path.stem) not in kept:
                path.unlink()
    for stream, late in (("image_02", [0] * FRAMES), ("velodyne_points", late_ms)):
        times = [
            500_000_000 + 100_000_000 * n + 1_000_000 * (late[n] + pause_ms * (n >= FRAMES // 2)) for n in range(FRAMES)
        ]
        (drive / stream / "timestamps.txt").write_text("".join(stamp_lines(each, 1) for each in times))
    bags = bag_of(drive, root / "bag"), replayed(drive, root / "replayed")
    try:
        direct = kitti_frames(drive)
    except DataError as error:
        words = re.escape(str(error).partition("no messages pair")[2])
        for bag in bags:
            with pytest.raises(DataError, match=f"no messages pair{words}"):
                BagFrames(bag)
    else:
        for bag in bags:
            assert_same(direct, BagFrames(bag))
        used = sum(frame.points is not None for frame in direct)
        told = f"{len(sweeps) - used} of {len(sweeps)} sweeps belong to no image and are left out"
        assert direct.remarks == ([told] if used < len(sweeps) else [])
    shutil.rmtree(root)


def test_pairs_are_kittis_own(real_data: Path) -> None:
    """The development kit pairs by the files' numbers, we pair by stamps; the calibration is the same."""
    by_number, by_stamp = KittiRawSamples(real_data / "kitti_raw"), kitti_frames(real_data / "kitti_raw")
    assert [int(name) for name in by_stamp.names] == by_number.numbers == list(range(8))
    for number in (0, 7):
        one, other = by_number[number].frame, by_stamp[number]
        assert one.stamp_ns == other.stamp_ns
        np.testing.assert_array_equal(one.rgb, other.rgb)
        np.testing.assert_array_equal(one.points, other.points)
        np.testing.assert_array_equal(one.lidar_to_camera, other.lidar_to_camera)


def test_the_real_drive_is_the_same_as_its_bag(real_data: Path, tmp_path: Path) -> None:
    drive = real_data / "kitti_raw"
    frames, bag = kitti_frames(drive), BagFrames(bag_of(drive, tmp_path / "bag"))
    assert frames.stamps_ns[:2] == [SECOND + 345808896, SECOND + 449188864]
    assert frames.stamps_ns == bag.stamps_ns
    for number in (0, 7):
        mine, theirs = frames[number], bag[number]
        assert mine.modalities == theirs.modalities == ("rgb", "lidar")
        assert mine.camera is not None
        assert theirs.camera is not None
        np.testing.assert_array_equal(mine.rgb, theirs.rgb)
        np.testing.assert_allclose(mine.camera.intrinsics, theirs.camera.intrinsics, rtol=1e-12)
        np.testing.assert_allclose(mine.lidar_to_camera, theirs.lidar_to_camera, atol=1e-6)


def test_frames_are_named_by_their_triggers_files_and_cross_to_other_processes(kitti_drive: Path) -> None:
    frames = kitti_frames(kitti_drive)
    assert frames.names == ["0000000000", "0000000001", "0000000002", "0000000003"]
    assert [frame.modalities for frame in frames] == [("rgb", "lidar"), ("rgb", "lidar"), ("rgb",), ("lidar",)]
    start = SECOND + 345808896
    assert frames.stamps_ns == [start, start + 10**8, start + 2 * 10**8, SECOND + 335337762 + 10**9]
    elsewhere = pickle.loads(pickle.dumps(frames))
    np.testing.assert_array_equal(elsewhere[1].rgb, frames[1].rgb)


def test_blank_sweep_stamps_are_midway_through_the_turn(tmp_path: Path) -> None:
    """As in kitti2bag; the drive is not refused because of them."""
    drive = raw_drive(tmp_path)
    path = drive / "velodyne_points/timestamps.txt"
    lines = path.read_text().splitlines()
    path.write_text("\n".join([lines[0], "", lines[2]]) + "\n")
    assert [frame.modalities for frame in kitti_frames(drive)] == [("rgb", "lidar")] * 3


def test_what_has_no_stamp_or_no_image_is_left_out_with_a_word(kitti_drive: Path) -> None:
    path = kitti_drive / "image_02/timestamps.txt"
    lines = path.read_text().splitlines()
    path.write_text("\n".join([lines[0], "", *lines[2:]]) + "\n")
    frames = kitti_frames(kitti_drive)
    assert frames.names == ["0000000000", "0000000002", "0000000003"]
    assert frames.remarks == [
        "image_02: 1 without a stamp in timestamps.txt are left out",
        "1 of 3 sweeps belong to no image and are left out",
    ]


def test_every_message_has_its_sensors_own_stamp(kitti_drive: Path) -> None:
    source = KittiMessages(kitti_drive)
    assert {name: topic.messages for name, topic in source.topics.items()} == {
        "/image": 3, "/camera_info": 3, "/points": 3, "/tf_static": 1,
    }  # fmt: skip
    found = list(source.messages(["/image", "/points"], source.start_ns, source.start_ns + 10**8))
    assert [(each.topic, each.stamp_ns - SECOND) for each in found] == [
        ("/points", 335337762), ("/image", 345808896), ("/points", 435337762),
    ]  # fmt: skip


def test_a_drive_of_sweeps_alone_still_says_how_they_are_seen(kitti_drive: Path) -> None:
    shutil.rmtree(kitti_drive / "image_02")
    source = KittiMessages(kitti_drive)
    assert {name: topic.messages for name, topic in source.topics.items()} == {
        "/camera_info": 3, "/points": 3, "/tf_static": 1,
    }  # fmt: skip
    assert [frame.modalities for frame in kitti_frames(kitti_drive)] == [("lidar",)] * 3
