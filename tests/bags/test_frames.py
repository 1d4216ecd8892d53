# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pickle
from collections.abc import Iterator
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from helpers.kitti import CALIBRATION, UNRECTIFIED, image, raw_drive

from perception.assembly.calibration import FileCalibration
from perception.assembly.collector import Collector, SensorSet
from perception.assembly.settings.parameters import make_settings
from perception.assembly.settings.topics import SENSORS, read_topics
from perception.bags.cursor import key_of
from perception.bags.frames import BagFrames
from perception.bags.geometry import pose, serialise_links, vector
from perception.bags.kitti.bag import serialise_recording
from perception.bags.raw import RawBagWriter, header, make, raw
from perception.bags.sources import open_bag
from perception.bags.writer import TYPES, RawMessage, serialise, serialise_extrinsics, write_bag
from perception.datasets.kitti.layouts import open_drive
from perception.errors import DataError
from perception.frame import CameraModel, Frame
from perception.labelling.files import FrameFiles
from perception.labelling.workers import label_frames
from perception.messages.convert import camera_info_fields, cloud_fields, image_fields, numpy_fields
from perception.messages.stamps import with_stamp
from perception.pipeline import Pipeline
from perception.recordings.kitti import kitti_frames

T0 = 1_700_000_000_000_000_000
CAMERA = CameraModel(np.array([[60.0, 0, 48], [0, 60, 32], [0, 0, 1]]), 96, 64)
LIDAR_TO_CAMERA = np.array([[0, -1, 0, 0], [0, 0, -1, -0.1], [1, 0, 0, -0.3], [0, 0, 0, 1.0]])


def make_frame(number: int, milliseconds: int) -> Frame:
    rng = np.random.default_rng(number)
    return Frame(
        T0 + milliseconds * 1_000_000,
        rng.integers(0, 256, (64, 96, 3), np.uint8),
        points=rng.uniform((1, 0, 0, 0), (2, 1, 1, 1), (20, 4)).astype(np.float32),
        camera=CAMERA,
        lidar_to_camera=LIDAR_TO_CAMERA,
    )


def write(path: Path, messages: list[RawMessage]) -> Path:
    with RawBagWriter(path) as writer:
        for message in sorted(messages, key=lambda message: message.stamp_ns):
            writer.write(message)
    return path


def messages(count: int = 5) -> list[RawMessage]:
    found = [serialise_extrinsics(T0, LIDAR_TO_CAMERA, CAMERA)]
    return found + [message for number in range(count) for message in serialise(make_frame(number, 100 * number))]


def test_a_drive_s_bag_gives_the_drive_s_frames(kitti_drive: Path, tmp_path: Path) -> None:
    drive = kitti_frames(kitti_drive)
    write_bag(drive, tmp_path / "bag")
    frames = BagFrames(tmp_path / "bag")
    assert frames.stamps_ns == drive.stamps_ns
    for got, expected in zip(frames, drive, strict=True):
        if expected.rgb is not None:
            np.testing.assert_array_equal(got.rgb, expected.rgb)
        assert got.modalities == expected.modalities
        if expected.points is not None:
            np.testing.assert_array_equal(got.points, expected.points)
            np.testing.assert_allclose(got.lidar_to_camera, expected.lidar_to_camera, atol=1e-9)


def test_every_image_is_a_frame_however_late_the_others_were_recorded(tmp_path: Path) -> None:
    late = [
        each._replace(stamp_ns=each.stamp_ns + 180_000_000, data=with_stamp(each.data, each.stamp_ns + 30_000_000))
        if each.topic == "/points"
        else each
        for each in messages()
    ]
    frames = BagFrames(write(tmp_path / "bag", late))
    assert len(frames) == 5
    for number, frame in enumerate(frames):
        np.testing.assert_array_equal(frame.rgb, make_frame(number, 0).rgb)
        np.testing.assert_array_equal(frame.points, make_frame(number, 0).points)


def test_the_node_pairs_a_recording_as_it_is_read(tmp_path: Path) -> None:
    """Camera and depth camera at 20 Hz with equal stamps, LiDAR at 10 Hz and 60 ms late, as they were recorded."""
    recorded = [serialise_extrinsics(T0, LIDAR_TO_CAMERA, CAMERA)]
    for number in range(40):
        frame = make_frame(number, 50 * number)
        frame.depth = np.full((64, 96), 5.0 + number, np.float32)
        for each in serialise(frame):
            late_ms = {"/depth": 4, "/points": 60}.get(each.topic, 0)
            if each.topic != "/points" or number % 2 == 0:
                recorded.append(each._replace(stamp_ns=each.stamp_ns + late_ms * 1_000_000))
    frames = BagFrames(write(tmp_path / "bag", recorded))

    live = list(played(tmp_path / "bag"))
    assert [each.stamp_ns for each in live] == frames.stamps_ns
    # At the first images it was not known yet that the other sensors would come.
    for number, (matched, frame) in list(enumerate(zip(live, frames, strict=True)))[2:]:
        stamps = {sensor: (arrival.stamp_ns - T0) // 50_000_000 for sensor, arrival in matched.arrivals.items()}
        assert stamps["rgb"] == stamps["depth"] == number
        assert frame.depth is not None
        assert (frame.depth == 5 + number).all()
        assert stamps["lidar"] in (number, number - 1)
        np.testing.assert_array_equal(frame.points, make_frame(stamps["lidar"], 0).points)


def played(path: Path) -> Iterator[SensorSet]:
    """What a collector makes from the recording, each message arriving when it was recorded."""
    collector = Collector(SENSORS, make_settings({}).timing)
    sensor_of = {f"/{name}": sensor for sensor, names in SENSORS.items() for name in names}
    with closing(open_bag(path)) as source:
        for each in source.messages(list(sensor_of), source.start_ns, source.end_ns):
            now, key = (each.stamp_ns - T0) * 1e-9, key_of(each.topic, each.stamp_ns, each.data)
            assert key is not None
            while (due := collector.deadline) is not None and due <= now:
                yield from iter(partial(collector.poll, due), None)
            collector.offer(sensor_of[each.topic], key.stamp_ns, key, now)
            yield from iter(partial(collector.poll, now), None)
    yield from iter(partial(collector.poll, now + 1), None)


def test_order_and_processes_make_no_difference(tmp_path: Path) -> None:
    frames = BagFrames(write(tmp_path / "bag", messages(30)))
    forward = [frame.rgb for frame in frames]
    elsewhere = pickle.loads(pickle.dumps(frames))
    for number in (29, 3, 4, 0, 17):
        np.testing.assert_array_equal(elsewhere[number].rgb, forward[number])
        assert elsewhere[number].modalities == ("rgb", "lidar")


def test_presets_name_the_topics(tmp_path: Path) -> None:
    renamed = [each._replace(topic=f"/car{each.topic}") if each.topic != "/tf_static" else each for each in messages()]
    path = write(tmp_path / "bag", renamed)
    with pytest.raises(DataError, match=r"/image.*it has /car/camera_info, .*perception init .*--topics"):
        BagFrames(path)
    frames = BagFrames(path, {"image": "/car/image", "points": "/car/points", "camera_info": "/car/camera_info"})
    assert [frame.modalities for frame in frames] == [("rgb", "lidar")] * 5


def test_several_lidars_and_odometry_of_a_bag(tmp_path: Path) -> None:
    """The second LiDAR looks back, half a metre behind the first, and is 20 ms late: 0.4 m at 20 m/s."""
    behind = np.array([[-1.0, 0, 0, -0.5], [0, -1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1]])
    found = messages()
    found.append(serialise_links("/tf_static", T0, [("lidar", "back", behind), ("lidar", "base_link", np.eye(4))]))
    rng = np.random.default_rng(0)
    for number in range(5):
        stamp = T0 + 100_000_000 * number + 20_000_000
        points = np.concatenate([rng.uniform(-9, -3, (30, 3)), rng.random((30, 1))], axis=1).astype(np.float32)
        layout = numpy_fields(cloud_fields(points, TYPES.types["sensor_msgs/msg/PointField"]))
        fields = {"header": header(stamp, "back"), **layout}
        found.append(raw("/left/points", "sensor_msgs/msg/PointCloud2", stamp, fields))
        twist = make("geometry_msgs/msg/Twist", linear=vector((20.0, 0, 0)), angular=vector((0, 0, 0)))
        still = make("geometry_msgs/msg/PoseWithCovariance", pose=pose(np.eye(4)), covariance=np.zeros(36))
        moving = make("geometry_msgs/msg/TwistWithCovariance", twist=twist, covariance=np.zeros(36))
        said = {"header": header(stamp, "odom"), "child_frame_id": "base_link", "pose": still, "twist": moving}
        found.append(raw("/odometry", "nav_msgs/msg/Odometry", stamp, said))
    frames = BagFrames(write(tmp_path / "bag", found), {"points2": "/left/points"})
    for number in (3, 0, 4):
        seen = frames.observe(number)
        assert not frames.complaints
        assert seen.frame.points is not None
        assert seen.cloud_header.frame_id == "lidar"
        np.testing.assert_array_equal(seen.frame.points[:20], make_frame(number, 0).points)
        rng, parts = np.random.default_rng(0), []
        for _ in range(5):
            parts.append(rng.uniform(-9, -3, (30, 3)))
            rng.random((30, 1))
        wanted = parts[number] @ behind[:3, :3].T + behind[:3, 3] + (0.4, 0, 0)
        np.testing.assert_allclose(seen.frame.points[20:, :3], wanted, atol=1e-4)
    silent = [each for each in found if each.topic != "/left/points" or each.stamp_ns > T0 + 200_000_000]
    frames = BagFrames(write(tmp_path / "silent", silent), {"points2": "/left/points"})
    assert [len(frame.points) for frame in frames if frame.points is not None] == [20, 20, 50, 50, 50]


def test_tf_of_a_bag_moves_sweeps_and_places_clouds_that_stand(tmp_path: Path) -> None:
    """At 20 m/s; the sweeps are 20 ms late, and one that is given in odom is 10 ms late."""
    found = messages()
    found.append(serialise_links("/tf_static", T0, [("base_link", "lidar", np.eye(4))]))
    for number in range(-5, 50):
        there = np.eye(4)
        there[0, 3] = 0.4 * number
        found.append(serialise_links("/tf", T0 + 20_000_000 * number, [("odom", "base_link", there)]))
    late = [
        each._replace(stamp_ns=each.stamp_ns + 20_000_000, data=with_stamp(each.data, each.stamp_ns + 20_000_000))
        if each.topic == "/points"
        else each
        for each in found
    ]
    frames = BagFrames(write(tmp_path / "bag", late))
    for number in (4, 0, 2):
        moved = LIDAR_TO_CAMERA.copy()
        moved[2, 3] += 0.4  # the camera was further back
        np.testing.assert_allclose(frames[number].lidar_to_camera, moved, atol=1e-6)
    standing, field = [], TYPES.types["sensor_msgs/msg/PointField"]
    for number in range(5):
        stamp = T0 + 100_000_000 * number + 10_000_000
        layout = numpy_fields(cloud_fields(np.float32([[30, number, 1, 0.5]]), field))
        standing.append(
            raw("/points", "sensor_msgs/msg/PointCloud2", stamp, {"header": header(stamp, "odom"), **layout})
        )
    frames = BagFrames(write(tmp_path / "odom", [each for each in found if each.topic != "/points"] + standing))
    for number in (4, 0, 2):
        seen = frames.observe(number)
        assert seen.frame.points is not None
        assert seen.cloud_header.frame_id == CAMERA.frame_id
        np.testing.assert_allclose(seen.frame.points, [[-number, -1.1, 30 - 2 * number - 0.3, 0.5]], atol=1e-5)


def test_without_mounting_the_lidar_is_left_out_and_told(tmp_path: Path) -> None:
    frames = BagFrames(write(tmp_path / "bag", messages()[1:]))
    assert frames[0].modalities == ("rgb",)
    assert any("no TF" in complaint for complaint in frames.complaints)


def test_a_broken_image_is_said_and_a_broken_sweep_left_out(tmp_path: Path) -> None:
    found = messages()
    image = next(number for number, each in enumerate(found) if each.topic == "/image")
    sweep = next(number for number, each in enumerate(found) if each.topic == "/points" and number > image + 4)
    for number in (image, sweep):
        found[number] = found[number]._replace(data=found[number].data[:200])
    frames = BagFrames(write(tmp_path / "bag", found))
    with pytest.raises(DataError, match="/image"):
        frames[0]
    assert frames[1].modalities == ("rgb",)
    assert any("/points" in complaint for complaint in frames.complaints)
    assert frames[2].modalities == ("rgb", "lidar")
    assert not frames.complaints


def test_images_without_stamps_are_taken_when_they_were_recorded(tmp_path: Path) -> None:
    bare = [each._replace(data=with_stamp(each.data, 0)) for each in messages() if each.topic == "/image"]
    assert BagFrames(write(tmp_path / "bag", bare)).stamps_ns == [T0 + number * 100_000_000 for number in range(5)]
    assert BagFrames(tmp_path / "bag").remarks == [
        "/image: 5 of 5 header stamps are zero; the time of recording is used instead"
    ]
    stamp = BagFrames(tmp_path / "bag").observe(3).header.stamp
    assert stamp.sec * 1_000_000_000 + stamp.nanosec == T0 + 300_000_000


def restamped(each: RawMessage, shift_ns: int) -> RawMessage:
    return each._replace(data=with_stamp(each.data, each.stamp_ns + shift_ns))


def test_a_camera_that_depth_needs_and_nobody_knows_is_told(tmp_path: Path) -> None:
    found = []
    for number in range(2):
        frame = make_frame(number, 100 * number)
        frame.depth = np.full((64, 96), 5 + number, np.float32)
        found += [each for each in serialise(frame) if each.topic != "/points"]
    assert BagFrames(write(tmp_path / "whole", found)).remarks == []
    blind = write(tmp_path / "blind", [each for each in found if each.topic != "/camera_info"])
    (remark,) = BagFrames(blind).remarks
    assert remark.startswith("/camera_info: no camera_info in this bag and no camera in a --calibration")
    assert BagFrames(blind, calibration=FileCalibration(CAMERA, None)).remarks == []


def test_clocks_that_never_meet_are_named_and_nothing_is_labelled(tmp_path: Path) -> None:
    since_boot = [restamped(each, 40_000_000_000 - T0) if each.topic == "/points" else each for each in messages()]
    with pytest.raises(DataError, match=r"no messages pair; rgb: its stamps .* those of lidar \(40\.0 s to 40\.4 s\)"):
        BagFrames(write(tmp_path / "bag", since_boot))


def test_a_sensor_whose_clock_is_another_is_left_out_with_a_word(tmp_path: Path) -> None:
    found = [serialise_extrinsics(T0, LIDAR_TO_CAMERA, CAMERA)]
    for number in range(5):
        frame = make_frame(number, 100 * number)
        frame.infrared = np.random.default_rng(number).integers(0, 256, (64, 96), np.uint8)
        found += [restamped(m, 40_000_000_000 - T0) if m.topic == "/points" else m for m in serialise(frame)]
    frames = BagFrames(write(tmp_path / "bag", found))
    assert [frame.modalities for frame in frames] == [("rgb", "infrared")] * 5
    assert len(frames.remarks) == 1
    assert frames.remarks[0].startswith("lidar: its stamps (40.0 s to 40.4 s) never meet those of rgb (2023-11-14")


def test_a_stamp_that_stands_still_is_told(tmp_path: Path) -> None:
    still = [each._replace(data=with_stamp(each.data, T0)) if each.topic == "/image" else each for each in messages()]
    frames = BagFrames(write(tmp_path / "bag", still))
    assert frames.remarks == ["/image: 4 of 5 messages have the stamp of another and are left out"]


def test_frozen_cameras_are_left_out_whatever_is_read_first(tmp_path: Path) -> None:
    """From the fourth equal image on, in any order and in any process."""
    frozen = [make_frame(0 if 3 <= number < 9 else number + 1, 100 * number) for number in range(12)]
    found = [serialise_extrinsics(T0, LIDAR_TO_CAMERA, CAMERA)]
    for number, frame in enumerate(frozen):
        ahead = np.random.default_rng(number).uniform((5, -1, -1, 0), (20, 1, 1, 1), (20, 4))
        frame.points = ahead.astype(np.float32)
        found += serialise(frame)
    frames = BagFrames(write(tmp_path / "bag", found))
    wanted = [("rgb", "lidar")] * 6 + [("lidar",)] * 3 + [("rgb", "lidar")] * 3
    assert [frame.modalities for frame in frames] == wanted
    elsewhere = pickle.loads(pickle.dumps(frames))
    assert [elsewhere[number].modalities for number in reversed(range(12))] == wanted[::-1]
    assert (frames[7].stamp_ns, frames[7].size) == (T0 + 700_000_000, (96, 64))
    assert frames.absent["rgb"].startswith("rgb is frozen: ")


@pytest.mark.parametrize(("factor", "maximum"), [(1, 1), (255, 255), (100, 100), (3300, 3300)])
def test_one_scale_of_intensity_for_the_whole_recording(tmp_path: Path, factor: float, maximum: float) -> None:
    """The first sweeps are dark, but they are read with the scale learnt from the later ones."""
    found = [serialise_extrinsics(T0, LIDAR_TO_CAMERA, CAMERA)]
    truth = []
    for number in range(12):
        frame = make_frame(number, 100 * number)
        frame.points = np.random.default_rng(number).uniform((1, 0, 0, 0.01), (2, 1, 1, 1), (400, 4)).astype(np.float32)
        if number < 4:
            frame.points[:, 3] *= 0.004
        truth.append(frame.points[:, 3].copy())
        frame.points[:, 3] *= factor
        found += serialise(frame)
    frames = BagFrames(write(tmp_path / "bag", found))
    for wanted, frame in zip(truth, frames, strict=True):
        assert frame.points is not None
        np.testing.assert_allclose(frame.points[:, 3], wanted * (factor / maximum), rtol=0.02)
    assert len(frames.remarks) == (factor != 1)


def raw_bag(path: Path, topic: str = "/image") -> Path:
    """Three images that are not rectified: a ramp of red, which determines the class."""
    ramp = np.zeros((64, 96, 3), np.uint8)
    ramp[..., 0] = np.linspace(0, 255, 96).astype(np.uint8)
    fields: dict[str, Any] = numpy_fields(camera_info_fields(CAMERA))
    fields |= {"k": np.array([70.0, 0, 50, 0, 70, 30, 0, 0, 1]), "d": np.array([-0.3, 0.1, 0.001, 0.0005, 0])}
    whole = make("sensor_msgs/msg/RegionOfInterest", x_offset=0, y_offset=0, height=0, width=0, do_rectify=False)
    found = []
    for number in range(3):
        stamp, image = T0 + number * 100_000_000, numpy_fields(image_fields(ramp, "rgb8"))
        found.append(raw(topic, "sensor_msgs/msg/Image", stamp, {"header": header(stamp, "camera"), **image}))
        info = {"header": header(stamp, "camera"), "roi": whole, **fields}
        found.append(raw("/camera_info", "sensor_msgs/msg/CameraInfo", stamp, info))
    return write(path, found)


def test_images_that_are_not_rectified_are_and_labels_are_of_what_was_recorded(
    tmp_path: Path, tiny_model: Path
) -> None:
    frames = BagFrames(raw_bag(tmp_path / "bag"))
    files = FrameFiles(tmp_path / "out", ("masks", "confidence"))
    outcome = label_frames(Pipeline.load(tiny_model, threads=1), frames, range(3), files, lambda: None)
    assert (outcome.labelled, outcome.failed) == (3, {})
    recorded = frames.shown(1).rgb
    assert recorded is not None
    rectified = frames[1].rgb
    assert rectified is not None
    assert np.abs(recorded[32, :, 0].astype(int) - rectified[32, :, 0]).max() > 10
    labels = files.labels(frames.names[1])
    known = labels != 255
    assert labels.shape == (64, 96)
    assert 0.85 < known.mean() < 1
    # The network's class is red // 64, of the recorded image except for half a pixel at the classes' borders.
    assert (labels == recorded[..., 0] // 64)[known].mean() > 0.96
    assert not files.confidence(frames.names[1])[~known].any()


def test_a_calibration_file_says_that_images_are_rectified_whose_camera_info_has_distortion(tmp_path: Path) -> None:
    frames = BagFrames(raw_bag(tmp_path / "bag"), calibration=FileCalibration(None, None, "yes"))
    np.testing.assert_array_equal(frames[0].rgb, frames.shown(0).rgb)
    named = BagFrames(raw_bag(tmp_path / "rect", "/image_rect"), {"image": "/image_rect"})
    np.testing.assert_array_equal(named[0].rgb, named.shown(0).rgb)


def test_an_unsynced_drive_s_bag_is_rectified(tmp_path: Path) -> None:
    """kitti2bag writes K, D, R and P of a drive that is not rectified, and its unchanged images."""
    drive = raw_drive(tmp_path / "kitti", synced=False, cameras=(2,))
    with RawBagWriter(tmp_path / "bag") as writer:
        for message in serialise_recording(open_drive(drive), threads=1):
            writer.write(message)
    frames = BagFrames(tmp_path / "bag")
    assert (frames.topics, frames.remarks[0]) == (read_topics("kitti2bag"), "topics from kitti2bag")
    frame, recorded = frames[1], frames.shown(1).rgb
    assert frame.camera is not None
    np.testing.assert_allclose(frame.camera.intrinsics, [[72.15377, 0, 24], [0, 72.15377, 10], [0, 0, 1]])
    assert frame.rgb is not None
    assert recorded is not None
    np.testing.assert_array_equal(recorded, image(1, UNRECTIFIED, True))
    lines: dict[str, list[float]] = {"K": [98, 0, 34, 0, 97, 16, 0, 0, 1], "D": [-0.37, 0.2, 0.002, 0.001, -0.07]}
    turn = np.fromstring(CALIBRATION.partition(": ")[2], sep=" ").reshape(3, 3)
    maps = cv2.initUndistortRectifyMap(
        np.reshape(lines["K"], (3, 3)).astype(float), np.array(lines["D"]), turn, frame.camera.intrinsics, (64, 32),
        cv2.CV_16SC2,
    )  # fmt: skip
    wanted = cv2.remap(recorded, *maps, cv2.INTER_LINEAR)
    inside = (slice(2, 22), slice(4, 50))
    assert np.abs(frame.rgb[inside].astype(int) - wanted[inside]).mean() < 1


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_a_camera_of_twelve_bits_is_one_from_the_first_frame_on(tmp_path: Path, order: tuple[int, int]) -> None:
    found = []
    for number in range(33):  # by day only at the end
        stamp, grey = T0 + number * 100_000_000, np.full((8, 8), 4000 if number == 32 else 900, np.uint16)
        fields = {"header": header(stamp, "camera"), **numpy_fields(image_fields(grey, "mono16"))}
        found.append(raw("/image", "sensor_msgs/msg/Image", stamp, fields))
    frames = BagFrames(write(tmp_path / "bag", found))
    for number in order:
        rgb = frames[32 * number].rgb
        assert rgb is not None
        assert rgb[0, 0, 0] == (56, 250)[number]
