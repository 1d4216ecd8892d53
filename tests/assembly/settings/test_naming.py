# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from pathlib import Path

import pytest
from helpers import rigs

from perception.assembly.settings.naming import heard, missing, name_topics, rig_beside, second_names
from perception.assembly.settings.topic import Topic
from perception.assembly.settings.topics import INPUT_TYPES, presets, read_topics
from perception.bags.frames import BagFrames
from perception.bags.raw import RawMessage
from perception.errors import DataError
from perception.frame import Frame

IMAGE, INFO, CLOUD = (INPUT_TYPES[name] for name in ("image", "camera_info", "points"))
CAR = {
    "/front/image_rect": Topic(IMAGE, 3),
    "/front/camera_info": Topic(INFO, 3),
    "/ouster/points": Topic(CLOUD, 3),
    "/ouster/imu": Topic("sensor_msgs/msg/Imu", 30),
}


@pytest.mark.parametrize("name", presets())
def test_a_converters_bag_needs_nothing_named(name: str) -> None:
    recorded = {topic: Topic(INPUT_TYPES[each], 3) for each, topic in read_topics(name).items()}
    found = name_topics(recorded)
    assert found.topics == read_topics(name)
    assert found.words == [f"topics from {name}"]


def test_the_nodes_own_names_go_without_a_word() -> None:
    assert name_topics({"/image": Topic(IMAGE, 1), "/points": Topic(CLOUD, 1)}) == ({}, [], None)


def test_what_is_misspelt_is_named_with_the_nearest_of_its_type() -> None:
    topics = {"image": "/front/image_rec", "camera_info": "/front/camera_inf", "points": "/ouster/point"}
    assert missing(topics, CAR) == [
        "image: /front/image_rec is missing; the nearest is /front/image_rect",
        "points: /ouster/point is missing; the nearest is /ouster/points",
    ]
    assert missing({**topics, "image": "/front/image_rect"}, CAR)[1:] == [
        "camera_info: /front/camera_inf is missing; the nearest is /front/camera_info"
    ]
    assert missing({"infrared": "/boson"}, CAR) == ["infrared: /boson is missing"]
    assert missing({"infrared": "/infrared"}, {"/image": Topic(IMAGE, 1)}) == ["infrared: /infrared is missing"]


def test_a_topic_of_another_type_is_refused_with_a_word() -> None:
    packed = {"/cam/compressed": Topic(INPUT_TYPES["image/compressed"], 1)}
    (word,) = missing({"image": "/cam/compressed"}, packed)
    assert word.endswith("left out; write 'image/compressed: /cam/compressed'")
    assert heard({"image": "/ouster/points", "points": "/ouster/points"}, CAR) == {"/ouster/points": "points"}
    (word,) = missing({"image": "/ouster/points"}, CAR)
    assert "is of the type sensor_msgs/msg/PointCloud2, not sensor_msgs/msg/Image" in word


def test_one_of_two_transports_is_enough() -> None:
    assert missing({"image": "/front/image_rect", "image/compressed": "/front/image_rect/compressed"}, CAR) == []


def test_a_rig_of_something_else_is_said_and_left_alone(tmp_path: Path) -> None:
    rig = tmp_path / "rig.yaml"
    rig.write_text("image: /rear/image\n")
    own = {"/image": Topic(IMAGE, 1), "/points": Topic(CLOUD, 1)}
    assert name_topics(own, rig=rig) == ({}, [f"{rig}: none of its sensor topics is recorded; it is not used"], None)
    rig.write_text("cameras: 2\n")
    with pytest.raises(DataError, match=r"rig.yaml: .*; the file was found by its name: remove it, or give other"):
        name_topics(own, rig=rig)
    rig.write_text("image: /front/image_rect\npoints: /ouster/pts\n")
    assert name_topics(CAR, rig=rig).words == [
        f"topics from {rig}",
        "points: /ouster/pts is missing; the nearest is /ouster/points",
    ]


def test_a_rig_is_found_in_beside_and_here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bag, here = tmp_path / "recordings/bag", tmp_path / "here"
    for folder in (bag, here):
        folder.mkdir(parents=True)
    monkeypatch.chdir(here)
    assert rig_beside(bag) is None
    for folder in (here, bag.parent, bag):
        (folder / "rig.yaml").touch()
        assert rig_beside(bag) == rig_beside(bag / "bag_0.mcap") == folder / "rig.yaml"


def test_a_rig_with_a_mount_serves_a_bag_without_tf(tmp_path: Path) -> None:
    def without_tf(frame: Frame) -> list[RawMessage]:
        return [each for each in rigs.lidar(frame) if each.topic != "/tf_static"]

    bag, rig = rigs.write(tmp_path / "bag", without_tf), tmp_path / "rig.yaml"
    rig.write_text("image: /front/image_rect\ncamera_info: /front/camera_info\npoints: /ouster/points\n")
    frames = BagFrames(bag, rig=rig)
    assert frames[0].modalities == ("rgb",)
    assert any("no TF from 'os_lidar' to 'front_optical'" in complaint for complaint in frames.complaints)
    numbers = ", ".join(f"{value:g}" for value in rigs.LIDAR_TO_CAMERA.ravel())
    rig.write_text(rig.read_text() + f"lidar_to_camera: [{numbers}]\n")
    frames = BagFrames(bag, rig=rig)
    assert frames[0].modalities == ("rgb", "lidar")
    assert (frames[0].lidar_to_camera == rigs.LIDAR_TO_CAMERA).all()
    rig.write_text("points: /ouster/points\nlidar_to_camera: [1, 2]\n")
    with pytest.raises(DataError, match="lidar_to_camera: expected 16 numbers, found 2"):
        BagFrames(bag, rig=rig)


def test_nothing_that_fits_says_what_does(tmp_path: Path) -> None:
    bag = rigs.write(tmp_path / "bag", rigs.lidar)
    with pytest.raises(DataError, match=r"none of /image, .* `perception init .*bag` finds the topic"):
        BagFrames(bag)
    with pytest.raises(DataError, match=r"image: /front/image is missing; the nearest is /front/image_rect; "):
        BagFrames(bag, {"image": "/front/image"})


def test_second_names_make_room_where_they_are_taken() -> None:
    swapped = {"/image": Topic(IMAGE, 1), "/infrared": Topic(IMAGE, 1), "/cam": Topic(IMAGE, 1)}
    assert second_names({"image": "/infrared", "infrared": "/image"}, swapped) == (
        {},
        {"/image": "/infrared", "/infrared": "/image"},
    )
    assert second_names({"image": "/cam"}, swapped) == ({"/cam": "/image"}, {"/image": "/recorded/image"})
