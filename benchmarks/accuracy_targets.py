# SPDX-License-Identifier: Apache-2.0
"""The project's targets of accuracy, and what the report of `accuracy.py` has of each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from perception.benchmark.tables import NONE, Table

IOU, POINTS, SHARE = "{:.3f}", "{:+.1f} points", "{:.1%}"

REAL = {
    "camvid": ("CamVid val", (0.94, 0.80, 0.45), (0.97, 0.92, 0.70)),
    "idd-lite": ("IDD-Lite val", (0.90, 0.65, 0.35), (0.94, 0.80, 0.55)),
}
"""Title, and IoU of road, vehicle and pedestrian that must be reached and that is aimed at."""

CONTESTED = "kitti-frames, contested points left out"
"""The part without points that are in no box although the soft labels' network sees a vehicle there."""

BOXED = "kitti-object, frames with a vehicle's box"
"""The part without frames in which no vehicle has a box: all that could be found there counts as wrong."""

KITTI = {
    "kitti-frames": ("KITTI drive 0005, unseen frames", 0.78, 0.92),
    CONTESTED: ("the same, contested points left out", 0.78, 0.92),
    "kitti-object": ("KITTI object", 0.60, 0.85),
    BOXED: ("the same, frames with a vehicle's box", 0.60, 0.85),
}
"""Title, and IoU of vehicles at LiDAR points that must be reached and that is aimed at."""

UNCHOSEN = ("kitti-frames", "kitti-object")
"""Those with every frame and every point that has truth."""

BLACK = {"black": "camera black", "depth + infrared + lidar": "camera away"}
"""Rows of the part `subsets` in which the camera shows nothing."""


@dataclass(frozen=True)
class Target:
    """A figure, None where it was not measured, and its bounds."""

    name: str
    value: float | None
    must: float
    aim: float | None
    form: str = IOU
    least: bool = True

    def row(self) -> tuple[str, ...]:
        """Name, must, aim, measured, and which of both is met."""
        sign = "" if self.least else "≤ "
        bounds = (NONE if bound is None else sign + self.form.format(bound) for bound in (self.must, self.aim))
        if self.value is None:
            return (self.name, *bounds, NONE, NONE)
        verdict = "aim" if self._met(self.aim) else "must" if self._met(self.must) else "no"
        return (self.name, *bounds, self.form.format(self.value), verdict)

    def _met(self, bound: float | None) -> bool:
        if self.value is None or bound is None:
            return False
        return self.value >= bound if self.least else self.value <= bound


def look(found: Any, *path: str) -> Any:
    """What lies there in nested dictionaries; None where something on the way is missing."""
    for name in path:
        found = found.get(name) if isinstance(found, Mapping) else None
    return found


def gain(figures: Any, *path: str, over: str = "rgb") -> float | None:
    """Points by which all sensors are better than some of them."""
    every, some = (look(figures, "scores", name, *path) for name in ("all", over))
    return None if every is None or some is None else 100 * (every - some)


def subset_rows(parts: Mapping[str, Any]) -> dict[str, Any]:
    """Rows of the part `subsets` by name, none where it was not scored."""
    return {row["name"]: row for row in look(parts, "subsets", "rows") or ()}


def targets(report: Mapping[str, Any]) -> Table:
    """Every target."""
    parts, subsets = report["parts"], subset_rows(report["parts"])
    found = []
    for name, (title, musts, aims) in REAL.items():
        for label, must, aim in zip(("road", "vehicle", "pedestrian"), musts, aims, strict=True):
            value = look(parts, name, "scores", "all", "iou", label)
            found.append(Target(f"{title}, {label} IoU", value, must, aim))
    for name, (title, lowest, aim) in KITTI.items():
        value = look(parts, name, "scores", "all", "point_iou", "vehicle")
        found.append(Target(f"{title}, vehicle IoU at LiDAR points", value, lowest, aim))
        if name in UNCHOSEN:
            value = look(parts, name, "scores", "all", "point_iou_hidden_too", "vehicle")
            found.append(Target(f"{title}, points too that the camera cannot see", value, lowest, aim))
    for name, (title, *_) in KITTI.items():
        value = gain(look(parts, name), "point_iou", "vehicle")
        found.append(Target(f"{title}, vehicle IoU there, all less camera alone", value, 3, 8, POINTS))
    night = gain(look(parts, "simulated night"), "mean_iou")
    found.append(Target("simulated night, mean IoU, all less camera alone", night, 15, 30, POINTS))
    share = look(parts, "subsets", "summary", "emm", "share_of_all")
    found.append(Target("mean over all 15 subsets of sensors / all four, mean IoU", share, 0.80, 0.92))
    for row, title in BLACK.items():
        for label, lowest, aim in (("road", 0.80, 0.92), ("vehicle", 0.65, 0.85)):
            value = look(subsets, row, "iou", label)
            found.append(Target(f"{title}: {label} IoU from LiDAR, thermal, depth", value, lowest, aim))
    count = report["parameters"]
    found.append(Target("parameters", count and count / 1e6, 8, None, "{:.2f} M", least=False))
    return Table("Targets", ("figure", "must", "aim", "measured", "met"), [target.row() for target in found])
