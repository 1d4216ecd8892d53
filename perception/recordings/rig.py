# SPDX-License-Identifier: Apache-2.0
"""Which topic serves which input, from a survey: types decide which are possible, names and frames which is chosen."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from perception.assembly.settings.naming import name_topics
from perception.assembly.settings.topics import CAMERA_INFOS, INPUT_TYPES, SENSORS
from perception.errors import DataError
from perception.recordings.survey import Seen, Survey
from perception.sensors.spec import FURTHER

_IMAGE, _COMPRESSED = INPUT_TYPES["image"], INPUT_TYPES["image/compressed"]
_INFO, _CLOUD, _ODOMETRY = INPUT_TYPES["camera_info"], INPUT_TYPES["points"], INPUT_TYPES["odometry"]

_DEPTHS = ("16UC1", "32FC1", "mono16")
_GREYS = ("mono8", "8UC1", "mono16", "16UC1")

_THERMAL = re.compile(r"therm|infra|(?<![a-z])(ir|nir|lwir|flir|boson|lepton|tau2|seek)(?![a-z])")
_DEPTH = re.compile(r"depth")
_NO_SENSOR = re.compile(
    r"label|mask|segm|overlay|confidence|disparity|debug|annotat|detection|heatmap|cost|explanation"
)
"""Images that look like a sensor's but are the output of another node."""
_CLOUD_OF_OTHERS = re.compile(r"obstacle|ground|filter|cluster|label|map|segm|accumul|depth|/perception/")


@dataclass
class Choice:
    """An input: the topic that serves it, and alternatives, best first."""

    seen: Seen
    others: list[Seen] = field(default_factory=list)


@dataclass
class Rig:
    """choices: by input. preset: whose topics these are, "" for none. mount: (4, 4) LiDAR to camera, None without TF.

    unsure: a line for each choice that was not clear. unused: topics with a usable type that serve no input.
    wanting: what is missing, and the consequences.
    """

    choices: dict[str, Choice] = field(default_factory=dict)
    preset: str = ""
    mount: NDArray[np.float64] | None = None
    unsure: list[str] = field(default_factory=list)
    unused: list[Seen] = field(default_factory=list)
    wanting: list[str] = field(default_factory=list)


def propose(survey: Survey) -> Rig:
    """The rig that was found. Raises DataError if no topic is a sensor that an input takes."""
    naming = name_topics(survey.topics)
    preset = next((word.removeprefix("topics from ") for word in naming.words if word.startswith("topics from ")), "")
    rig = Rig(preset=preset)
    named = set(naming.topics.values()) or {f"/{name}" for name in INPUT_TYPES}
    kinds = {sensor: [each for each in survey.seen if _sensor(each) == sensor] for sensor in SENSORS}
    infos = [each for each in survey.seen if each.type == _INFO]

    _choose(rig, "rgb", kinds["rgb"], lambda each: _rgb_score(each, infos, named))
    camera = _chosen(rig, "rgb")
    for sensor in ("depth", "infrared"):
        _choose(rig, sensor, kinds[sensor], lambda each: _beside_score(each, camera, infos, named))
    _choose(rig, "lidar", kinds["lidar"], lambda each: _cloud_score(each, _chosen(rig, "depth"), named))
    for sensor in FURTHER:
        _choose(rig, sensor, kinds[sensor], lambda each: 10.0 * (each.topic in named) - 4.0 * (each.rate_hz is None))
    if not rig.choices:
        there = ", ".join(f"{name} ({topic.type})" for name, topic in sorted(survey.topics.items())) or "nothing"
        raise DataError(f"{survey.name}: no camera, depth, infrared or LiDAR topic in it; it has {there}")
    for sensor, name in CAMERA_INFOS.items():
        own, shared = _chosen(rig, sensor), rig.choices.get("camera_info")
        info = _info_of(own, infos) if own is not None else None
        if info is not None and (shared is None or shared.seen is not info):  # in the camera's own frame it needs none
            rig.choices[name] = Choice(info)
    odometry = sorted((each for each in survey.seen if each.type == _ODOMETRY), key=lambda each: each.topic)
    if odometry:
        first = min(odometry, key=lambda each: (each.topic not in named, "odom" not in each.topic, each.topic))
        others = [each for each in odometry if each is not first]
        rig.choices["odometry"] = Choice(first, others)
        if others and first.topic not in named:
            rig.unsure.append(f"odometry: {first.topic} is chosen, but {_listed(others)} may be meant")
    if any(choice.seen.topic not in named for choice in rig.choices.values()):
        rig.preset = ""
    _look_back(rig, survey)
    return rig


def _choose(rig: Rig, sensor: str, candidates: list[Seen], score: Callable[[Seen], float]) -> None:
    """The best topic, uncompressed and compressed; the others by the input that they would serve."""
    if not candidates:
        return
    plain, *packed = SENSORS[sensor]
    scores = {each.topic: score(each) for each in candidates}
    best: dict[str, float] = {}
    for each in candidates:
        best[each.base] = max(best.get(each.base, -np.inf), scores[each.topic])
    bases = sorted(best, key=lambda base: (-best[base], base))
    of_base = {base: [each for each in candidates if each.base == base] for base in bases}
    for each in of_base[bases[0]]:
        rig.choices[plain if each.type != _COMPRESSED else packed[0]] = Choice(each)
    others = [each for base in bases[1:] for each in of_base[base]]
    for name in SENSORS[sensor]:
        fitting = [each for each in others if INPUT_TYPES[name] == each.type]
        if name in rig.choices:
            rig.choices[name].others = fitting
    if len(bases) > 1 and best[bases[1]] >= best[bases[0]] - 1.0:
        close = [of_base[base][0] for base in bases[1:] if best[base] >= best[bases[0]] - 1.0]
        rig.unsure.append(f"{sensor}: {of_base[bases[0]][0].topic} is chosen, but {_listed(close)} may be meant")


def _listed(topics: Iterable[Seen]) -> str:
    return ", ".join(each.topic for each in topics)


def _look_back(rig: Rig, survey: Survey) -> None:
    """What is left over, and what is missing: mount, camera_info, valid depth."""
    used = {each.topic for choice in rig.choices.values() for each in (choice.seen, *choice.others)}
    rig.unused = [each for each in survey.seen if each.topic not in used]
    camera, lidar = _chosen(rig, "rgb"), _chosen(rig, "lidar")
    info = rig.choices.get("camera_info")
    if camera is not None and info is None:
        rig.wanting.append(
            "no camera_info of the camera: add image_width, image_height and projection_matrix to this file"
        )
    if camera is not None and lidar is not None:
        frame = info.seen.frame if info is not None and info.seen.frame else camera.frame
        rig.mount = survey.mounts.lookup(frame, lidar.frame) if survey.mounts and frame and lidar.frame else None
        if rig.mount is None:
            rig.wanting.append(
                f"no TF from '{lidar.frame}' to '{frame}': the LiDAR is left out until this file has "
                "lidar_to_camera or TF gives it"
            )
    for sensor, each in ((sensor, _chosen(rig, sensor)) for sensor in FURTHER):
        if camera is None or each is None or not camera.frame or not each.frame:
            continue
        frame = info.seen.frame if info is not None and info.seen.frame else camera.frame
        if survey.mounts is None or survey.mounts.lookup(frame, each.frame) is None:
            rig.wanting.append(f"no TF from '{each.frame}' to '{frame}': the {sensor} is left out until TF gives it")
    depth, infrared = _chosen(rig, "depth"), _chosen(rig, "infrared")
    for sensor, each in (("depth", depth), ("infrared", infrared)):
        if each is None or camera is None or not each.frame or not camera.frame or each.frame == camera.frame:
            continue
        if f"{sensor}/camera_info" not in rig.choices:
            rig.wanting.append(f"{sensor}: another frame than the image's and no camera_info: it cannot be registered")
        elif survey.mounts is None or survey.mounts.lookup(camera.frame, each.frame) is None:
            rig.wanting.append(f"{sensor}: no TF from '{each.frame}' to '{camera.frame}': it cannot be registered")
    if depth is not None and depth.depth_m is not None and not 0.2 <= depth.depth_m <= 200:
        rig.wanting.append(
            f"depth: {depth.depth_m:.3g} m in the middle is implausible for a street: is the unit right?"
        )


def _chosen(rig: Rig, sensor: str) -> Seen | None:
    """The topic that serves the sensor, preferably uncompressed."""
    return next((rig.choices[name].seen for name in SENSORS[sensor] if name in rig.choices), None)


def _sensor(seen: Seen) -> str | None:
    """The sensor whose data this may be; None if it is none."""
    words = f"{seen.topic} {seen.frame}".lower()
    if seen.topic.startswith("/perception/") or "/perception/" in seen.topic:
        return None
    if seen.type == _CLOUD:
        return next((name for name in FURTHER if name in words), "lidar")
    if seen.type not in (_IMAGE, _COMPRESSED) or _NO_SENSOR.search(seen.topic.lower()):
        return None
    if seen.type == _COMPRESSED:
        packed = "compresseddepth" in seen.codec.lower().replace(" ", "")
        if packed:
            return "depth" if seen.encoding in ("", *_DEPTHS) else None
        if _DEPTH.search(words) or "theora" in seen.codec.lower() or "h264" in seen.codec.lower():
            return None
        return "infrared" if _THERMAL.search(words) else "rgb"
    if _THERMAL.search(words) and seen.encoding != "32FC1" and not _DEPTH.search(seen.topic.lower()):
        return "infrared"
    if seen.encoding in ("16UC1", "32FC1") or (seen.encoding == "mono16" and _DEPTH.search(words)):
        return "depth"
    if not seen.encoding:  # no message arrived: only the name is known
        return "depth" if _DEPTH.search(words) else "rgb"
    return None if _DEPTH.search(seen.topic.lower()) else "rgb"


def _rgb_score(seen: Seen, infos: Iterable[Seen], named: set[str]) -> float:
    name = seen.topic.lower()
    return (
        10.0 * (seen.topic in named)
        + 3.0 * (seen.encoding not in _GREYS)
        + 2.0 * bool(re.search(r"colou?r|rgb", name))
        + 2.0 * (_info_of(seen, infos) is not None)
        + 1.5 * bool(re.search(r"left|front|center|centre|middle|cam0|camera_?0", name))
        - 1.5 * bool(re.search(r"right|rear|back|side|cam1|camera_?1", name))
        + 1.0 * bool(re.search(r"rect", name))
        - 4.0 * (seen.rate_hz is None)
    )


def _beside_score(seen: Seen, camera: Seen | None, infos: Iterable[Seen], named: set[str]) -> float:
    """The score as a camera beside the camera: higher if it is registered to it."""
    same = camera is not None and bool(seen.frame) and seen.frame == camera.frame
    return (
        10.0 * (seen.topic in named)
        + 3.0 * same
        + 2.0 * bool(re.search(r"align|regist", seen.topic.lower()))
        + 1.0 * (camera is not None and seen.size == camera.size and seen.size != (0, 0))
        + 1.0 * (_info_of(seen, infos) is not None)
        + 1.0 * bool(re.search(r"rect|therm", seen.topic.lower()))
        - 1.5 * bool(re.search(r"right|rear|back", seen.topic.lower()))
        - 4.0 * (seen.rate_hz is None)
    )


def _cloud_score(seen: Seen, depth: Seen | None, named: set[str]) -> float:
    words = f"{seen.topic} {seen.frame}".lower()
    of_depth = "rgb" in seen.fields or (depth is not None and bool(seen.frame) and seen.frame == depth.frame)
    return (
        10.0 * (seen.topic in named)
        + 2.0 * bool(set(seen.fields) & {"intensity", "reflectivity"})
        + 2.0 * bool(re.search(r"lidar|velo|ouster|hesai|livox|rslidar|pandar|laser|points", words))
        + 1.5 * bool(re.search(r"top|front|center|merged|fused|raw", words))
        - 3.0 * bool(_CLOUD_OF_OTHERS.search(words))
        - 4.0 * of_depth
        - 4.0 * (seen.rate_hz is None)
    )


def _info_of(seen: Seen, infos: Iterable[Seen]) -> Seen | None:
    """The camera_info beside an image, as in image_transport; else one of the same frame and size."""
    by_topic: Mapping[str, Seen] = {each.topic: each for each in infos}
    for name in (f"{seen.base}/camera_info", f"{seen.base.rpartition('/')[0]}/camera_info"):
        info = by_topic.get(name)
        # /camera_info is beside a root topic such as /image, but it is also beside /depth, which is another camera's.
        if info is not None and (not seen.frame or not info.frame or info.frame == seen.frame):
            return info
    same = [each for each in by_topic.values() if seen.frame and each.frame == seen.frame]
    fitting = [each for each in same if seen.size in ((0, 0), each.size)]
    return min(fitting, key=lambda each: each.topic, default=None)
