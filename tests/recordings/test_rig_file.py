# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from pathlib import Path

from helpers import rigs

from perception.assembly.settings.topic import Topic
from perception.assembly.settings.topics import INPUT_TYPES, read_topics
from perception.recordings.rig import Rig, propose
from perception.recordings.rig_file import render
from perception.recordings.survey import Seen, Survey, survey_recording

IMAGE = INPUT_TYPES["image"]
ZED = "/zed/zed_node"


def rig_of(*seen: Seen) -> Rig:
    return propose(Survey("bag", {each.topic: Topic(each.type, 1) for each in seen}, list(seen)))


def test_what_else_might_be_meant_is_a_line_to_take(tmp_path: Path) -> None:
    bag = rigs.write(tmp_path / "bag", rigs.stereo)
    text = render(propose(survey_recording(bag)), str(bag), "rig.yaml")
    assert f"\n#image: {ZED}/right/image_rect_color  # Image rgb8, 96×64, 10.0 Hz, frame zed_right" in text
    assert "32FC1, 96×64, metres, 8.0 m in the middle, 10.0 Hz" in text
    assert f"#   {ZED}/confidence/confidence_map  sensor_msgs/msg/Image" in text
    bag = rigs.write(tmp_path / "robot", rigs.robot)
    assert "16UC1, 96×64, taken as millimetres, 8.0 m in the middle" in render(propose(survey_recording(bag)), "", "")


def test_a_lidar_that_tf_does_not_place_is_said(tmp_path: Path) -> None:
    rig = rig_of(
        Seen("/image", IMAGE, 10.0, "camera", "rgb8"),
        Seen("/points", INPUT_TYPES["points"], 10.0, "lidar", fields=("x", "y", "z")),
    )
    assert rig.mount is None
    assert any("no TF from 'lidar' to 'camera': the LiDAR is left out" in line for line in rig.wanting)
    file = tmp_path / "rig.yaml"
    file.write_text(render(rig, "bag", "rig.yaml"))
    assert "\n#lidar_to_camera: [0, -1, 0, 0, " in file.read_text()
    assert read_topics(str(file)) == {"image": "/image", "points": "/points"}


def test_text_that_breaks_lines_breaks_no_file(tmp_path: Path) -> None:
    rig = rig_of(Seen("/image", IMAGE, 9.0, "c\nimage: /other", "rgb8"), Seen("/a: b", INPUT_TYPES["odometry"], 9.0))
    file = tmp_path / "rig.yaml"
    file.write_text(render(rig, "bag", "rig.yaml"))
    assert read_topics(str(file)) == {"image": "/image", "odometry": "/a: b"}
