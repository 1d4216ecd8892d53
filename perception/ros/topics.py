# SPDX-License-Identifier: Apache-2.0
"""Input topic names as a file: presets for the recordings that people have, and for a vehicle's own names."""

from __future__ import annotations

from pathlib import Path

import yaml

from perception.errors import DataError
from perception.paths import config_path

INPUT_TOPICS: tuple[str, ...] = (
    *("image", "image/compressed", "camera_info"),
    *("depth", "depth/compressedDepth", "depth/camera_info"),
    *("infrared", "infrared/compressed", "infrared/camera_info"),
    *("points", "odometry"),
)
"""What the node subscribes to (`perception.ros.subscriptions`), named here so that a file is read without ROS."""


CAMERA_INFOS: dict[str, str] = {
    "rgb": "camera_info",
    "depth": "depth/camera_info",
    "infrared": "infrared/camera_info",
}
"""Inputs by the sensor whose camera they are about."""


def read_topics(preset: str) -> dict[str, str]:
    """Topic by input, from configs/topics/<preset>.yaml or a YAML file. Raises DataError or ModelError."""
    path = Path(preset) if preset.endswith((".yaml", ".yml")) else config_path(f"topics/{preset}.yaml")
    try:
        content = yaml.safe_load(path.read_text("utf-8"))
    except OSError as error:
        raise DataError(f"{path}: {error.strerror}") from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise DataError(f"{path}: no YAML: {' '.join(str(error).split())}") from error
    if not isinstance(content, dict) or not all(isinstance(topic, str) for topic in content.values()):
        raise DataError(f"{path}: expected lines such as 'image: /camera/image_rect_color'")
    unknown = [str(name) for name in content if name not in INPUT_TOPICS]
    if unknown:
        raise DataError(f"{path}: no input {', '.join(unknown)}; inputs are {', '.join(INPUT_TOPICS)}")
    return content


def remappings(preset: str) -> list[str]:
    """The same as ROS arguments."""
    pairs = [("-r", f"{name}:={topic}") for name, topic in read_topics(preset).items()]
    return ["--ros-args", *(word for pair in pairs for word in pair), "--"]
