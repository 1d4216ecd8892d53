# SPDX-License-Identifier: Apache-2.0
"""Topics, types, quality of service, frames and transforms: whether what is sent can reach the node and be placed."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

import numpy as np

from perception.assembly.settings.topic import Graph, Offer
from perception.assembly.settings.topics import CAMERA_INFOS, INPUT_TYPES, SENSORS
from perception.checking.findings import Finding, finding
from perception.checking.scan import Heard, Scan
from perception.errors import MessageError
from perception.frame import MODALITIES
from perception.messages.cameras import is_rectified_topic, read_view

REQUESTED = Offer(reliable=False, latched=False)
"""The QoS that the node requests for sensor data, camera_info and odometry, unless it is overridden."""

REQUESTED_TF = Offer(reliable=True, latched=True)
"""The QoS that TF listeners request for /tf_static."""

SAME_PLACE = 1e-4
"""By how much [m, parts of a rotation] two messages may differ in where they place a frame."""


def check_topics(found: Scan, expected: Iterable[str] = ()) -> Iterator[Finding]:
    """Which sensors are present, with which type. expected: sensors that must be present."""
    if not found.sensors:
        wanted = ", ".join(f"/{name}" for sensor in MODALITIES for name in SENSORS[sensor])
        yield finding("no-sensor", str(found.path), f"nothing on {wanted}, or what they are mapped to")
    for sensor in expected:
        if sensor not in found.sensors:
            yield finding("sensor-missing", sensor, "no message of it")
    for heard in found.heard.values():
        if heard.type != INPUT_TYPES[heard.name]:
            yield finding("topic-type", heard.topic, f"{heard.type}, expected {INPUT_TYPES[heard.name]} ({heard.name})")
        if heard.short:
            yield finding("message-broken", heard.topic, f"{heard.short} messages have no room for a header")
    for word in found.words:
        name, _, said = word.partition(": ")
        if name in INPUT_TYPES and " of the type " not in said:
            yield finding("topic-missing", name, said)
        elif name not in INPUT_TYPES:
            yield finding("topics-named", "topics", word)
    if found.broken:
        yield finding("bag-broken", str(found.path), found.broken)


def check_qos(found: Scan, graph: Graph | None = None) -> Iterator[Finding]:
    """The publishers' QoS against the node's. graph: of live topics."""
    asked = graph.requested if graph is not None else {}
    if graph is not None and not graph.tf:
        yield finding("tf-unheard", "/tf_static", "neither tf2_msgs nor Fast DDS is installed to receive it")
    offers = {each.topic: each.offers for each in found.heard.values()} | {"/tf_static": found.tf_offers}
    for topic, offered in offers.items():
        wanted = asked.get(topic, REQUESTED_TF if topic == "/tf_static" else REQUESTED)
        for policy in sorted({policy for each in offered for policy in _unfit(each, wanted)}):
            yield finding("qos-mismatch", topic, policy)


def _unfit(offered: Offer, wanted: Offer) -> Iterator[str]:
    if wanted.reliable and not offered.reliable:
        yield "reliability: offered best effort, asked for reliable"
    if wanted.latched and not offered.latched:
        yield "durability: offered volatile, asked for transient local: a node that starts later never hears it"


def check_frames(found: Scan, mounted: bool = False) -> Iterator[Finding]:
    """Frame ids and TF. mounted: whether a file gives the LiDAR's position if TF does not."""
    for heard in found.sensors.values():
        if not heard.frame_id:
            yield finding("frame-empty", heard.topic, "header.frame_id is empty")
    yield from _check_links(found)
    lidar, cameras = found.of("lidar"), [each for name, each in found.sensors.items() if name in CAMERA_INFOS]
    twins = [each for each in cameras if lidar is not None and each.frame_id and each.frame_id == lidar.frame_id]
    if lidar is not None and twins:
        topics = ", ".join(each.topic for each in twins)
        yield finding("frame-duplicate", lidar.topic, f"'{lidar.frame_id}' is also the frame of {topics}")
    elif lidar is not None and cameras and lidar.frame_id and not mounted:
        yield from _check_placed(found, lidar, _camera_frame(found))
    for child in found.children:
        if found.frames and child not in found.frames:
            named = f"'{child}' is not in TF" if child else "child_frame_id is empty"
            yield finding("odometry-frame", "odometry", named)


def _check_links(found: Scan) -> Iterator[Finding]:
    parents: dict[str, dict[str, np.ndarray]] = {}
    for parent, child, matrix in found.links:
        if matrix is None:
            yield finding("tf-broken", child, f"its transform from '{parent}' is not rigid")
            continue
        known = parents.setdefault(child, {})
        if parent in known and np.abs(known[parent] - matrix).max() > SAME_PLACE:
            shift = np.linalg.norm(known[parent][:3, 3] - matrix[:3, 3])
            yield finding("tf-conflict", child, f"at '{parent}' it is in two places, {shift:.3f} m apart")
        known.setdefault(parent, matrix)
    for child, known in parents.items():
        if len(known) > 1:
            yield finding("tf-conflict", child, f"it has {len(known)} parents: {', '.join(known)}")


def _camera_frame(found: Scan) -> str:
    infos = found.infos.get("rgb")
    camera = found.of("rgb") or found.of("infrared") or found.of("depth")
    named = infos[-1][1].header.frame_id.lstrip("/") if infos else ""
    return named or (camera.frame_id if camera else "")


def _check_placed(found: Scan, lidar: Heard, camera: str) -> Iterator[Finding]:
    if not camera or found.tree.lookup(camera, lidar.frame_id) is not None:
        return
    static = {name for parent, child, _ in found.links for name in (parent, child)}
    unknown = [name for name in (lidar.frame_id, camera) if name not in found.frames]
    if static and unknown:
        known = ", ".join(sorted(static))
        for name in unknown:
            yield finding("frame-unknown", name, f"TF knows {known}")
    else:
        how = "only on /tf, which is not read of a bag" if {lidar.frame_id, camera} <= found.frames else "nothing"
        yield finding("tf-missing", lidar.topic, f"from '{lidar.frame_id}' to '{camera}': {how}")


def check_cameras(found: Scan) -> Iterator[Finding]:
    """Checks of camera_info by itself: which camera and which images it belongs to."""
    for sensor, infos in found.infos.items():
        heard = found.of(sensor)
        if heard is None:
            continue
        message = infos[-1][1]
        try:
            view = read_view(message)
        except MessageError:
            continue  # the node's own messages about it are among those of the frames
        names = f"{heard.topic} {message.header.frame_id}"
        if re.search(r"(^|[/_ ])left([/_ ]|$)", names) and message.p[3] < 0:
            baseline = -message.p[3] / message.p[0]
            yield finding("left-right", heard.topic, f"'{names}', but P has a baseline of {baseline:.3f} m to its left")
        named = is_rectified_topic(heard.topic)
        if view.unclear is not None and named:
            yield finding("rectification-unclear", heard.topic, "its name says rectified, and is believed")
        elif view.lens is not None and not named and view.unclear is None:
            yield finding("not-rectified", heard.topic, f"camera_info has distortion ({message.distortion_model})")
