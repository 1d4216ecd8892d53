# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from helpers import rigs

from perception.assembly.settings.topic import Graph, Offer
from perception.assembly.settings.topics import INPUT_TYPES
from perception.bags.geometry import serialise_links
from perception.bags.writer import TYPES
from perception.checking.findings import Finding
from perception.checking.scan import Heard, Scan
from perception.checking.wiring import check_cameras, check_frames, check_qos, check_topics

BEST_EFFORT, RELIABLE = Offer(reliable=False, latched=False), Offer(reliable=True, latched=False)
LATCHED = Offer(reliable=True, latched=True)


def codes(findings: Iterable[Finding]) -> list[tuple[str, str]]:
    return [(each.code, each.where) for each in findings]


def heard(name: str, frame_id: str = "", offers: tuple[Offer, ...] = ()) -> Heard:
    return Heard(f"/{name}", name, INPUT_TYPES[name], offers, [1, 2], [1, 2], Counter({frame_id: 2}))


def scanned(*topics: Heard, links: Iterable[tuple[str, str, np.ndarray]] = ()) -> Scan:
    found = Scan(Path("bag"), heard={each.topic: each for each in topics})
    for parent, child, matrix in links:
        message = serialise_links("/tf_static", 1, [(parent, child, matrix)])
        found.tree.add(TYPES.deserialize_cdr(message.data, message.type).transforms)  # type: ignore[attr-defined]
        found.links.append((parent, child, matrix))
    return found


def moved(x: float) -> np.ndarray:
    matrix = np.eye(4)
    matrix[0, 3] = x
    return matrix


def test_sensors_that_are_there_and_those_that_must_be() -> None:
    found = scanned(heard("image", "camera"))
    assert codes(check_topics(found)) == []
    assert codes(check_topics(found, ["rgb", "lidar"])) == [("sensor-missing", "lidar")]
    assert codes(check_topics(scanned())) == [("no-sensor", "bag")]


def test_types_short_messages_and_a_broken_bag() -> None:
    wrong = heard("points", "lidar")
    wrong.type, wrong.short = "sensor_msgs/msg/LaserScan", 2
    found = scanned(heard("image", "camera"), wrong)
    found.broken = "torn"
    expected = [("topic-type", "/points"), ("message-broken", "/points"), ("bag-broken", "bag")]
    assert codes(check_topics(found)) == expected


@pytest.mark.parametrize(
    ("offer", "wanted", "policies"),
    [
        (BEST_EFFORT, BEST_EFFORT, 0),
        (RELIABLE, BEST_EFFORT, 0),
        (LATCHED, LATCHED, 0),
        (BEST_EFFORT, RELIABLE, 1),
        (RELIABLE, LATCHED, 1),
        (BEST_EFFORT, LATCHED, 2),
    ],
)
def test_a_publisher_must_offer_what_is_asked(offer: Offer, wanted: Offer, policies: int) -> None:
    graph = Graph({}, {"/image": wanted})
    found = codes(check_qos(scanned(heard("image", "camera", (offer, offer))), graph))
    assert found == [("qos-mismatch", "/image")] * policies


def test_tf_is_asked_for_latched() -> None:
    found = scanned(heard("image", "camera", (BEST_EFFORT,)))
    found.tf_offers = (RELIABLE,)
    assert codes(check_qos(found)) == [("qos-mismatch", "/tf_static")]
    found.tf_offers = (LATCHED,)
    assert codes(check_qos(found)) == []
    assert codes(check_qos(found, Graph({}, {}, tf=False))) == [("tf-unheard", "/tf_static")]


def test_a_lidar_must_be_placed_in_the_camera_s_frame() -> None:
    both = heard("image", "camera"), heard("points", "lidar")
    chain = [("base", "lidar", moved(1)), ("base", "camera", moved(2))]
    assert codes(check_frames(scanned(*both, links=chain))) == []
    assert codes(check_frames(scanned(*both))) == [("tf-missing", "/points")]
    assert codes(check_frames(scanned(*both), mounted=True)) == []  # a file says it
    assert codes(check_frames(scanned(*both, links=chain[:1]))) == [("frame-unknown", "camera")]
    apart = [("base", "lidar", moved(1)), ("mast", "camera", moved(2))]
    assert codes(check_frames(scanned(*both, links=apart))) == [("tf-missing", "/points")]


def test_frames_that_are_empty_or_shared() -> None:
    assert codes(check_frames(scanned(heard("image")))) == [("frame-empty", "/image")]
    shared = scanned(heard("image", "sensor"), heard("points", "sensor"))
    assert codes(check_frames(shared)) == [("frame-duplicate", "/points")]


def test_a_frame_is_at_one_place() -> None:
    image = heard("image", "camera")
    same = [("base", "camera", moved(1)), ("base", "camera", moved(1.00001))]
    assert codes(check_frames(scanned(image, links=same))) == []
    found = list(check_frames(scanned(image, links=[("base", "camera", moved(1)), ("base", "camera", moved(1.25))])))
    assert codes(found) == [("tf-conflict", "camera")]
    assert "0.250 m" in found[0].what
    parents = [("base", "camera", moved(1)), ("mast", "camera", moved(1))]
    assert codes(check_frames(scanned(image, links=parents))) == [("tf-conflict", "camera")]


def test_a_link_that_is_not_rigid_is_told() -> None:
    found = scanned(heard("image", "camera"))
    found.links.append(("base", "camera", None))
    assert codes(check_frames(found)) == [("tf-broken", "camera")]


def test_the_frame_that_odometry_moves_is_in_tf() -> None:
    found = scanned(heard("image", "camera"), links=[("base", "camera", moved(1))])
    found.children = Counter({"base": 5})
    assert codes(check_frames(found)) == []
    found.children = Counter({"wheels": 5})
    assert codes(check_frames(found)) == [("odometry-frame", "odometry")]


def with_info(topic: str, frame_id: str, p3: float = 0.0, k1: float = 0.0) -> Scan:
    message = rigs.info("/camera_info", rigs.frames(1)[0], frame_id)
    info: Any = TYPES.deserialize_cdr(message.data, message.type)
    info.p = info.p.copy()
    info.p[3] = p3
    info.distortion_model, info.d = "plumb_bob", np.array([k1, 0, 0, 0, 0])
    image = heard("image", frame_id)
    image.topic = topic
    found = scanned(image)
    found.infos["rgb"] = [(b"", info)]
    return found


def test_the_left_camera_of_a_pair_has_no_baseline() -> None:
    assert codes(check_cameras(with_info("/left/image_rect", "left", 0.0))) == []
    found = list(check_cameras(with_info("/left/image_rect", "left", -9.6)))
    assert codes(found) == [("left-right", "/left/image_rect")]
    assert "0.120 m" in found[0].what  # 9.6 / 80 pixels
    assert codes(check_cameras(with_info("/right/image_rect", "right", -9.6))) == []


def test_a_lens_that_bends_lines_is_told() -> None:
    bent = with_info("/image_raw", "camera", k1=-0.3)
    bent.infos["rgb"][0][1].p[0] *= 0.9  # P is of the rectified image, K of this one
    assert codes(check_cameras(bent)) == [("not-rectified", "/image_raw")]
    assert codes(check_cameras(with_info("/image_raw", "camera"))) == []
    # Its distortion says that the image is as it came, its P that it is not; the name decides.
    assert codes(check_cameras(with_info("/image_rect", "camera", k1=-0.3))) == [
        ("rectification-unclear", "/image_rect")
    ]
