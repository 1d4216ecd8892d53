# SPDX-License-Identifier: Apache-2.0
"""A rig as the YAML that node, label, view, replay and the launch file take by --topics."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np

from perception.assembly.settings.topics import INPUT_TYPES, SENSORS
from perception.disk import write_file
from perception.errors import DataError
from perception.recordings.rig import Rig
from perception.recordings.survey import Seen
from perception.sensors.spec import FURTHER, SPECS
from perception.storage import is_url

_TITLES = {
    "image": "the camera",
    "depth": "depth",
    "infrared": "infrared",
    "points": "the LiDAR",
    **{
        topic: f"the {SPECS[name].noun}, for networks that have channels for it"
        for name in FURTHER
        for topic in SPECS[name].topics
    },
    "odometry": "the vehicle's motion, by which the sweep is moved to the instant of the image",
}
"""Comments above the first input of each group."""

_ROWS = "lidar_to_camera: [0, -1, 0, 0, 0, 0, -1, 0, 1, 0, 0, 0, 0, 0, 0, 1]"
"""A LiDAR that looks ahead (x forward, y left, z up), to a camera (x right, y down, z forward)."""

_GROUPS = {name: next((title for title in _TITLES if name.startswith(title)), "image") for name in INPUT_TYPES}


def render(rig: Rig, source: str, name: str) -> str:
    """The file's text. source: what was surveyed; name: the file's name."""
    bag = source if is_url(source) or Path(source).exists() else "BAG"
    lines = [
        f"# The topics of {source}, as found by `perception init`; correct what is wrong. One file for every command:",
        f"#   perception label {bag} --topics {name}",
        f"#   perception view {bag} --topics {name}",
        f"#   perception replay {bag} --topics {name}",
        f"#   perception node --topics {name}",
        f"#   ros2 launch multimodal_perception perception.launch.py topics:={name}",
        "# label, view and replay find a rig.yaml by themselves beside the bag and in the working folder.",
    ]
    if rig.preset:
        lines.append(f"# The topics are those of the preset {rig.preset}, which would also be found without this file.")
    lines += [f"# Not sure: {_printable(line)}." for line in rig.unsure]
    lines += [f"# Missing: {_printable(line)}." for line in rig.wanting]
    group = ""
    for each in INPUT_TYPES:
        choice = rig.choices.get(each)
        if choice is None:
            continue
        if _GROUPS[each] != group:
            group = _GROUPS[each]
            lines += ["", f"# {_TITLES[group]}"]
        lines.append(f"{each}: {_quoted(choice.seen.topic)}  # {about(choice.seen, each)}")
        lines += [f"#{each}: {_quoted(other.topic)}  # {about(other, each)}" for other in choice.others]
    lines += _mount(rig)
    if rig.unused:
        lines += ["", "# Not used:", *(f"#   {_printable(each.topic)}  {each.type}" for each in rig.unused)]
    return "\n".join(lines) + "\n"


def write_rig(path: Path, text: str) -> None:
    """Write it. Raises DataError if the file exists, and as `disk.write_file` does."""
    if path.exists():
        raise DataError(f"{path}: exists already; remove it, or name another file with -o")
    write_file(path, text.encode())


def about(seen: Seen, name: str = "") -> str:
    """One line on a topic; name: the input that it serves."""
    said = [" ".join(filter(None, (seen.type.rpartition("/")[2], seen.encoding, seen.codec)))]
    if seen.size != (0, 0):
        said.append(f"{seen.size[0]}×{seen.size[1]}")
    if seen.fields:
        said.append(" ".join(seen.fields))
    if name in SENSORS["depth"] and seen.encoding:
        said.append("metres" if seen.encoding == "32FC1" else "taken as millimetres")
        said += [f"{seen.depth_m:.1f} m in the middle"] if seen.depth_m is not None else []
    said.append(f"{seen.rate_hz:.1f} Hz" if seen.rate_hz is not None else "too few messages for a rate")
    said.append(f"frame {seen.frame}" if seen.frame else "no frame")
    return _printable(", ".join(said))


def _mount(rig: Rig) -> list[str]:
    if rig.mount is None:
        if "points" not in rig.choices or not any(name in rig.choices for name in SENSORS["rgb"]):
            return []
        return ["", "# the LiDAR's pose, to be added by hand: LiDAR to camera, row by row", f"#{_ROWS}"]
    x, y, z = -rig.mount[:3, :3].T @ rig.mount[:3, 3]
    numbers = ", ".join(f"{value:.9g}" for value in np.where(np.abs(rig.mount) < 1e-12, 0.0, rig.mount).ravel())
    return [
        "",
        f"# the LiDAR's pose from /tf_static: the camera is at {x:.2f} {y:.2f} {z:.2f} m in its frame. TF is preferred",
        "# if it is received; otherwise this is used.",
        f"lidar_to_camera: [{numbers}]",
    ]


def _quoted(topic: str) -> str:
    """The text as YAML; names that ROS allows need no quotes."""
    return topic if re.fullmatch(r"[\w/~]+", topic, re.ASCII) else json.dumps(topic)


def _printable(text: str) -> str:
    return "".join(character if character.isprintable() else "?" for character in text)
