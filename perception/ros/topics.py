# SPDX-License-Identifier: Apache-2.0
"""Input topic names as a file: presets for the recordings that people have, and for a vehicle's own names."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from perception.errors import DataError
from perception.paths import config_path

INPUT_TOPICS: tuple[str, ...] = (
    *("image", "image/compressed", "camera_info"),
    *("depth", "depth/compressedDepth", "depth/camera_info"),
    *("infrared", "infrared/compressed", "infrared/camera_info"),
    *("points", "odometry"),
)
"""What the node subscribes to (`perception.ros.subscriptions`), named here so that a file is read without ROS.

A file may also name the topic of an `imu`, and a list of `points`, one for each LiDAR: points, points2, points3 …
"""


def read_topics(preset: str) -> dict[str, str]:
    """Topic by input, from configs/topics/<preset>.yaml or a YAML file. Raises DataError or ModelError."""
    path = Path(preset) if preset.endswith((".yaml", ".yml")) else config_path(f"topics/{preset}.yaml")
    try:
        content = yaml.safe_load(path.read_text("utf-8"))
    except OSError as error:
        raise DataError(f"{path}: {error.strerror}") from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise DataError(f"{path}: no YAML: {' '.join(str(error).split())}") from error
    content = _split(content) if isinstance(content, dict) else content
    if not isinstance(content, dict) or not all(isinstance(topic, str) for topic in content.values()):
        raise DataError(f"{path}: expected lines such as 'image: /camera/image_rect_color'")
    known = (*INPUT_TOPICS, "imu", *_further(content))
    unknown = [str(name) for name in content if name not in known]
    if unknown:
        raise DataError(f"{path}: no input {', '.join(unknown)}; inputs are {', '.join(known)}")
    return content


def remappings(preset: str) -> list[str]:
    """The same as ROS arguments: names, and parameters for what has no name of its own."""
    topics = read_topics(preset)
    further = _further(topics)
    named = {name: topic for name, topic in topics.items() if name not in (*further, "imu")}
    words = [word for name, topic in named.items() for word in ("-r", f"{name}:={topic}")]
    if further:
        words += ["-p", f"lidar.extra_topics:={json.dumps([topics[name] for name in further])}"]
    if "imu" in topics:
        words += ["-p", f"imu_topic:={topics['imu']}"]
    return ["--ros-args", *words, "--"]


def _split(content: dict[str, Any]) -> dict[str, Any]:
    """The same with a list of LiDARs taken apart."""
    points = content.get("points")
    if not isinstance(points, list) or not points:
        return content
    names = ["points", *(f"points{number}" for number in range(2, len(points) + 1))]
    return {**content, **dict(zip(names, points, strict=True))}


def _further(topics: Mapping[str, str]) -> list[str]:
    """The inputs of further LiDARs."""
    return [name for name in topics if re.fullmatch(r"points[2-9]", str(name))]
