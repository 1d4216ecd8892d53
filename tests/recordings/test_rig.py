# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np
import pytest
from helpers import rigs

from perception.assembly.settings.topic import Topic
from perception.assembly.settings.topics import INPUT_TYPES, read_topics
from perception.bags.frames import BagFrames
from perception.bags.raw import RawMessage
from perception.errors import DataError
from perception.frame import Frame
from perception.recordings.rig import Rig, propose
from perception.recordings.rig_file import render
from perception.recordings.survey import Seen, Survey, survey_recording

IMAGE = INPUT_TYPES["image"]


def rig_of(*seen: Seen) -> Rig:
    return propose(Survey("bag", {each.topic: Topic(each.type, 1) for each in seen}, list(seen)))


def topics(rig: Rig) -> dict[str, str]:
    return {name: choice.seen.topic for name, choice in rig.choices.items()}


ZED, REAL = "/zed/zed_node", "/camera/camera"
RIGS: list[tuple[Callable[[Frame], Iterable[RawMessage]], dict[str, str], tuple[str, ...]]] = [
    (
        rigs.stereo,
        {
            "image": f"{ZED}/left/image_rect_color",
            "camera_info": f"{ZED}/left/camera_info",
            "depth": f"{ZED}/depth/depth_registered",
            "depth/camera_info": f"{ZED}/depth/camera_info",
            "odometry": f"{ZED}/odom",
        },
        ("rgb", "depth"),
    ),
    (
        rigs.thermal,
        {
            "image": "/camera/image_color",
            "camera_info": "/camera/camera_info",
            "infrared": "/flir_boson/image_raw",
            "infrared/camera_info": "/flir_boson/camera_info",
        },
        ("rgb", "infrared"),
    ),
    (
        rigs.lidar,
        {"image": "/front/image_rect", "camera_info": "/front/camera_info", "points": "/ouster/points"},
        ("rgb", "lidar"),
    ),
    (
        rigs.radar,
        {
            "image": "/front/image_rect",
            "camera_info": "/front/camera_info",
            "points": "/ouster/points",
            "radar": "/ars408/radar_points",
        },
        ("rgb", "lidar", "radar"),
    ),
    (
        rigs.robot,
        {
            "image": f"{REAL}/color/image_raw",
            "camera_info": f"{REAL}/color/camera_info",
            "depth": f"{REAL}/aligned_depth_to_color/image_raw",
            "depth/camera_info": f"{REAL}/aligned_depth_to_color/camera_info",
            "odometry": "/wheel/odom",
        },
        ("rgb", "depth"),
    ),
    (
        rigs.compressed,
        {
            "image/compressed": "/cam_front/image_raw/compressed",
            "camera_info": "/cam_front/camera_info",
            "depth/compressedDepth": "/cam_front/depth/compressedDepth",
            "points": "/velodyne_points",
        },
        ("rgb", "depth", "lidar"),
    ),
]


@pytest.mark.parametrize(("make", "wanted", "sensors"), RIGS, ids=[make.__name__ for make, _, _ in RIGS])
def test_the_file_of_a_rigs_bag_reads_all_its_sensors(
    make: Callable[[Frame], Iterable[RawMessage]], wanted: dict[str, str], sensors: tuple[str, ...], tmp_path: Path
) -> None:
    bag, file = rigs.write(tmp_path / "bag", make), tmp_path / "rig.yaml"
    rig = propose(survey_recording(bag))
    assert topics(rig) == wanted
    assert not rig.unsure
    assert not rig.wanting
    file.write_text(render(rig, str(bag), str(file)))
    assert read_topics(str(file)) == wanted
    frames = BagFrames(bag, rig=file)
    assert [frame.modalities for frame in frames] == [sensors] * 3
    assert frames.remarks[0] == f"topics from {file}"
    if "points" in wanted:
        assert rig.mount is not None
        np.testing.assert_allclose(rig.mount, rigs.LIDAR_TO_CAMERA, atol=1e-9)
        assert "the camera is at 0.30 0.00 -0.10 m in its frame" in file.read_text()


def test_two_alike_are_not_sure() -> None:
    rig = rig_of(*(Seen(f"/{name}/image", IMAGE, 10.0, name, "rgb8") for name in ("a", "b")))
    assert topics(rig) == {"image": "/a/image"}
    assert rig.unsure == ["rgb: /a/image is chosen, but /b/image may be meant"]
    assert "no camera_info of the camera" in rig.wanting[0]


def test_an_image_is_taken_as_it_is_and_compressed_with_the_camera_info_beside_both() -> None:
    packed, info = INPUT_TYPES["image/compressed"], INPUT_TYPES["camera_info"]
    rig = rig_of(
        Seen("/left/camera_info", info, 10.0, "left", size=(96, 64)),
        Seen("/left/image_raw", IMAGE, 10.0, "left", "bgr8", size=(96, 64)),
        Seen("/left/image_raw/compressed", packed, 10.0, "left", "bgr8", "jpeg compressed bgr8"),
        Seen("/left/image_raw/compressedDepth", packed),  # image_transport offers it of every image
        Seen("/right/image_raw/compressed", packed, 10.0, "right", "bgr8", "jpeg compressed bgr8"),
    )
    assert topics(rig) == {
        "image": "/left/image_raw",
        "image/compressed": "/left/image_raw/compressed",
        "camera_info": "/left/camera_info",
    }
    assert [each.topic for each in rig.choices["image/compressed"].others] == ["/right/image_raw/compressed"]
    assert [each.topic for each in rig.unused] == ["/left/image_raw/compressedDepth"]


@pytest.mark.parametrize(
    ("seen", "name"),
    [
        (Seen("/lwir/image", IMAGE, 9.0, "t", "mono8"), "infrared"),
        (Seen("/thermal/image", IMAGE, 9.0, "t", "16UC1"), "infrared"),
        (Seen("/front/air_camera", IMAGE, 9.0, "c", "mono8"), "image"),
        (Seen("/cam/range", IMAGE, 9.0, "c", "16UC1"), "depth"),
        (Seen("/x/depth", IMAGE, 9.0, "c", "mono16"), "depth"),
        (Seen("/boson/compressed", INPUT_TYPES["image/compressed"], 9.0, "t", "mono8", "jpeg"), "infrared/compressed"),
    ],
)
def test_encodings_and_names_decide(seen: Seen, name: str) -> None:
    assert topics(rig_of(seen)) == {name: seen.topic}


@pytest.mark.parametrize(
    "seen",
    [
        Seen("/perception/labels", IMAGE, 9.0, "c", "mono8"),
        Seen("/net/segmentation", IMAGE, 9.0, "c", "rgb8"),
        Seen("/cam/theora", INPUT_TYPES["image/compressed"], 9.0, "c", "", "theora"),
        Seen("/imu", "sensor_msgs/msg/Imu", 100.0, "i"),
    ],
)
def test_what_no_input_takes_is_refused_with_what_there_is(seen: Seen) -> None:
    with pytest.raises(DataError, match=f"no camera, depth, infrared or LiDAR topic in it; it has {seen.topic}"):
        rig_of(seen)


def test_a_depth_that_is_none_of_a_street_is_asked_about() -> None:
    rig = rig_of(Seen("/depth", IMAGE, 9.0, "c", "32FC1", depth_m=8000.0))
    assert rig.wanting == ["depth: 8e+03 m in the middle is implausible for a street: is the unit right?"]


def test_the_sweep_of_a_lidar_goes_before_a_cloud_of_depth() -> None:
    cloud = INPUT_TYPES["points"]
    rig = rig_of(
        Seen("/camera/depth/points", cloud, 9.0, "c", fields=("x", "y", "z", "rgb")),
        Seen("/lidar/obstacles", cloud, 9.0, "l", fields=("x", "y", "z", "intensity")),
        Seen("/lidar/sweep", cloud, 9.0, "l", fields=("x", "y", "z", "intensity")),
    )
    assert topics(rig) == {"points": "/lidar/sweep"}
    assert not rig.unsure
