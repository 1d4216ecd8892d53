# SPDX-License-Identifier: Apache-2.0
"""Input topic names as a file: presets for common recordings, and a vehicle's own names."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import yaml

from perception.assembly.calibration import CALIBRATION_KEYS
from perception.assembly.lidar_names import modality_of
from perception.errors import DataError
from perception.paths import config_path, share
from perception.sensors.spec import SPECS
from perception.storage import is_url, source

SENSORS: dict[str, tuple[str, ...]] = {name: tuple(spec.topics) for name, spec in SPECS.items()}
"""The inputs by sensor; if a message is on both topics of a bag, the first in the bag is taken."""

CAMERA_INFOS: dict[str, str] = {name: spec.camera_info for name, spec in SPECS.items() if spec.camera_info}
"""Inputs by the sensor whose camera they describe."""

INPUT_TYPES: dict[str, str] = {
    **{
        name: kind
        for sensor, spec in SPECS.items()
        for name, kind in (*spec.topics.items(), (CAMERA_INFOS.get(sensor), "sensor_msgs/msg/CameraInfo"))
        if name is not None
    },
    "odometry": "nav_msgs/msg/Odometry",
}
"""What the node subscribes to (`perception.ros.subscriptions`), and the type; here, so that it is known without ROS.

A file may also name the topic of an `imu`, and a list of `points`, one for each LiDAR: points, points2, points3 …

A file of several cameras has a section `cameras` of sections, one for each camera by its name: the inputs that the
camera has for itself. All others are every camera's. `FILE:NAME` means one of them.
"""

CAMERAS, CALIBRATION_FILE = "cameras", "calibration_file"
"""Keys of such a file: the cameras' sections; in a section, the file with the camera's calibration, beside this one."""

RIG_NODE = "rig"
"""The name of the node that merges the cameras' points; no camera's."""

_CAMERA_NAME = re.compile(r"[a-zA-Z][a-zA-Z0-9_]*")

INPUT_TOPICS: tuple[str, ...] = tuple(INPUT_TYPES)


def read_topics(named: str) -> dict[str, str]:
    """Topic by input, from configs/topics/<named>.yaml or a YAML file. Raises DataError or ModelError.

    The file may hold a calibration beside the topics, as `calibration.read_calibration_file` takes it. Of a file of
    several cameras, one must be named: FILE:NAME.
    """
    path, content, _ = _read_one(named)
    topics = {name: topic for name, topic in content.items() if name not in CALIBRATION_KEYS}
    if not all(isinstance(topic, str) for topic in topics.values()):
        raise DataError(f"{path}: expected lines such as 'image: /camera/image_rect_color'")
    known = (*INPUT_TOPICS, "imu", *further_lidars(topics))
    unknown = [str(name) for name in topics if name not in known]
    if unknown:
        raise DataError(f"{path}: no input {', '.join(unknown)}; inputs are {', '.join(known)}")
    return topics


def further_lidars(topics: Iterable[str]) -> list[str]:
    """The inputs among these that are further LiDARs'."""
    return [name for name in topics if re.fullmatch(r"points[2-9]", str(name))]


def input_type(name: str) -> str:
    """The message type of an input, also of a further LiDAR and an IMU."""
    return "sensor_msgs/msg/Imu" if name == "imu" else INPUT_TYPES[modality_of(name)]


def calibration_beside(named: str) -> Path | None:
    """The topics' own file, if it also has a calibration, or the one that a camera's section names; None without.
    Raises as `read_topics`."""
    return _read_one(named)[2]


def cameras(named: str) -> tuple[str, ...]:
    """The names of the cameras of a file of several; none for others. named: may be FILE:NAME of one. Raises as
    `read_topics`."""
    path = _path(split_camera(named)[0])
    return tuple(_sections(path, _read(path)))


def split_camera(named: str) -> tuple[str, str | None]:
    """FILE:NAME → (FILE, NAME); (FILE, None) without a camera's name."""
    file, colon, camera = named.rpartition(":")
    return (file, camera) if colon and file and _CAMERA_NAME.fullmatch(camera) else (named, None)


def presets() -> list[str]:
    """The names of the files in configs/topics."""
    return sorted(path.stem for path in (share() / "configs/topics").glob("*.yaml"))


def remappings(named: str) -> list[str]:
    """The same as ROS arguments: remappings, and parameters for inputs without a topic name of their own."""
    topics = read_topics(named)
    further = further_lidars(topics)
    named_ones = {name: topic for name, topic in topics.items() if name not in (*further, "imu")}
    words = [word for name, topic in named_ones.items() for word in ("-r", f"{name}:={topic}")]
    if further:
        words += ["-p", f"lidar.extra_topics:={json.dumps([topics[name] for name in further])}"]
    if "imu" in topics:
        words += ["-p", f"imu_topic:={topics['imu']}"]
    return ["--ros-args", *words, "--"]


def full_path(named: str | None) -> str | None:
    """The same for a process that runs elsewhere: a file by its full path, a preset by its name, a URL as it is."""
    if named is None or is_url(named):
        return named
    file, camera = split_camera(named)
    return f"{Path(file).expanduser().resolve()}{f':{camera}' if camera else ''}" if _is_file(file) else named


def _is_file(named: str) -> bool:
    return named.endswith((".yaml", ".yml"))


def _path(named: str) -> Path:
    return source(named).expanduser() if _is_file(named) else config_path(f"topics/{named}.yaml")


def _read_one(named: str) -> tuple[Path, dict[Any, Any], Path | None]:
    """The file, its content, and the file with the calibration; of several cameras, what the named one has and what all
    have."""
    file, camera = split_camera(named)
    path = _path(file)
    content = _read(path)
    sections = _sections(path, content)
    if camera is None and not sections:
        return path, content, path if any(key in CALIBRATION_KEYS for key in content) else None
    if camera not in sections:
        which = f"no camera {camera}" if camera else "several cameras"
        there = f"name one: {', '.join(f'{file}:{name}' for name in sections)}" if sections else f"it has no {CAMERAS}"
        raise DataError(f"{path}: {which}; {there}")
    own = _split(dict(sections[camera]))
    calibration = own.pop(CALIBRATION_FILE, None)
    shared = {name: value for name, value in content.items() if name != CAMERAS}
    beside = path.parent / Path(str(calibration)).expanduser() if calibration else None
    return path, {**shared, **own}, beside


def _sections(path: Path, content: dict[Any, Any]) -> dict[str, dict[Any, Any]]:
    """The cameras' sections by name. Raises DataError for what is none, and for a calibration in the file itself."""
    if CAMERAS not in content:
        return {}
    sections = content[CAMERAS]
    if not isinstance(sections, dict) or not sections:
        raise DataError(f"{path}: {CAMERAS}: expected a section for each camera, such as 'front: {{image: /front}}'")
    for name, section in sections.items():
        if not _CAMERA_NAME.fullmatch(str(name)) or name == RIG_NODE:
            raise DataError(f"{path}: camera {name}: expected letters, digits and _, and not {RIG_NODE}")
        if section is not None and not isinstance(section, dict):
            raise DataError(f"{path}: camera {name}: expected lines such as 'image: /camera/image_rect_color'")
    inside = [key for each in (content, *sections.values()) for key in each or () if key in CALIBRATION_KEYS]
    if inside:
        raise DataError(
            f"{path}: {inside[0]}: of several cameras, each has its calibration in a file of its own: write "
            f"'{CALIBRATION_FILE}: FILE' in the camera's section"
        )
    return {str(name): section or {} for name, section in sections.items()}


def _read(path: Path) -> dict[Any, Any]:
    try:
        content = yaml.safe_load(path.read_text("utf-8"))
    except OSError as error:
        raise DataError(f"{path}: {error.strerror}") from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise DataError(f"{path}: not valid YAML: {' '.join(str(error).split())}") from error
    if not isinstance(content, dict):
        raise DataError(f"{path}: expected lines such as 'image: /camera/image_rect_color'")
    return _split(content)


def _split(content: dict[Any, Any]) -> dict[Any, Any]:
    """The same with a list of LiDARs split into one entry for each."""
    points = content.get("points")
    if not isinstance(points, list) or not points:
        return content
    names = ["points", *(f"points{number}" for number in range(2, len(points) + 1))]
    return {**content, **dict(zip(names, points, strict=True))}
