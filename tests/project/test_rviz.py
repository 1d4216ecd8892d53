# SPDX-License-Identifier: Apache-2.0
"""The RViz layout shows what the node publishes, and what a bag of kitti2bag has."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml
from helpers.readers.topics import told_outputs

ROOT = Path(__file__).resolve().parents[2]
LAYOUT = yaml.safe_load((ROOT / "configs/rviz/perception.rviz").read_text("utf-8"))
DISPLAYS: list[dict[str, Any]] = LAYOUT["Visualization Manager"]["Displays"]


def topics() -> Iterator[tuple[str, dict[str, Any]]]:
    """Name and settings of every topic that a display listens to."""
    for display in DISPLAYS:
        if "Topic" in display:
            yield display["Name"], display["Topic"]


def test_every_topic_of_the_node_is_one_that_it_publishes() -> None:
    published = set(told_outputs())
    shown = {topic["Value"].removeprefix("/perception/") for _, topic in topics() if "/perception/" in topic["Value"]}
    assert shown <= published
    assert {"overlay", "road", "vehicle", "pedestrian", "points", "road_grid", "objects/markers"} <= shown


def test_displays_take_the_types_that_the_node_publishes() -> None:
    takes = {name: name for name in ("Image", "PointCloud2", "MarkerArray")} | {"Map": "OccupancyGrid"}
    published = told_outputs()
    ours = [each for each in DISPLAYS if each.get("Topic", {}).get("Value", "").startswith("/perception/")]
    assert len(ours) >= 6
    for display in ours:
        name = display["Topic"]["Value"].removeprefix("/perception/")
        assert takes[display["Class"].partition("/")[2]] == published[name], display["Name"]


def test_images_and_clouds_are_heard_whatever_their_reliability() -> None:
    for display in DISPLAYS:
        if display["Class"].endswith(("/Image", "/PointCloud2")):
            assert display["Topic"]["Reliability Policy"] == "Best Effort", display["Name"]


def test_displays_are_rviz_own_and_have_names_of_their_own() -> None:
    names = [display["Name"] for display in DISPLAYS]
    assert len(set(names)) == len(names)
    known = {"Grid", "TF", "Map", "PointCloud2", "MarkerArray", "Image"}
    assert {display["Class"] for display in DISPLAYS} == {f"rviz_default_plugins/{name}" for name in known}
    docked = {name for name, settings in LAYOUT["Window Geometry"].items() if isinstance(settings, dict)}
    assert {display["Name"] for display in DISPLAYS if display["Class"].endswith("Image") and display["Enabled"]} <= (
        docked | {"Camera"}
    )


def test_launch_opens_it() -> None:
    launch = (ROOT / "launch/perception.launch.py").read_text("utf-8")
    assert '"configs" / "rviz" / "perception.rviz"' in launch
    assert '"rviz_frame"' in launch
