# SPDX-License-Identifier: Apache-2.0
"""The project's targets of accuracy, and what the report of `accuracy.py` has of each."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from perception.benchmark.tables import NONE, Table
from perception.classes import BACKGROUND, FOREGROUND

IOU, POINTS, SHARE = "{:.3f}", "{:+.1f} points", "{:.1%}"

PEOPLE = "penn-fudan"
"""The set of people in photographs, scored by how tall they are."""

UNBOXED = {
    "kitti-stereo": "kitti-stereo, points",
    "kitti-object": "kitti-object, points",
    "kitti-frames": "kitti-frames, points",
}
"""Sets with boxes, and the part of each that is scored at LiDAR points, those left out that lie on unboxed vehicles."""

CAMERA_ALONE = {
    "cityscapes-small": ("Cityscapes, small", (0.96, 0.88, 0.62), (0.975, 0.92, 0.72)),
    "camvid": ("CamVid", (0.963, 0.847, 0.547), (0.973, 0.857, 0.557)),
    "idd-lite": ("IDD-Lite", (0.919, 0.727, 0.449), (0.929, 0.737, 0.459)),
}
"""Title, and IoU of road, vehicle and pedestrian that must be reached and that is aimed at. The last two are what the
weights before reached, within a point and in full: nothing shall be lost."""

FOUND = {"near": (0.85, 0.94), "middle": (0.85, 0.94), "far": (0.40, 0.60)}
"""The share of people's pixels that must be found and that is aimed at, by their height."""

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


def score_of(part: Any, sensors: str, figure: str, label: str) -> float | None:
    """One figure of a part, with these sensors."""
    value: float | None = look(part, "scores", sensors, figure, label)
    return value


def singles(part: Any) -> list[str]:
    """The sensors of a part that were scored alone."""
    return [name for name in look(part, "scores") or () if name != "all" and "+" not in name]


def gain(part: Any, figure: str, label: str, sensors: str = "all", over: Sequence[str] | None = None) -> float | None:
    """Points by which `sensors` together are better than the best of those alone, or than the best of `over`."""
    fused = score_of(part, sensors, figure, label)
    alone = [score_of(part, name, figure, label) for name in over or singles(part)]
    known = [value for value in alone if value is not None]
    return None if fused is None or not known else 100 * (fused - max(known))


def subset_rows(parts: Mapping[str, Any]) -> dict[str, Any]:
    """Rows of the part `subsets` by name, none where it was not scored."""
    return {row["name"]: row for row in look(parts, "subsets", "rows") or ()}


def targets(report: Mapping[str, Any]) -> Table:
    """Every target: on real data first, then the simulated ones, which say so."""
    parts, subsets = report["parts"], subset_rows(report["parts"])
    found = [*_of_pairs(parts), *_of_stereo(parts), *_of_points(parts), *_of_the_camera(parts)]
    share = look(parts, "subsets", "summary", "emm", "share_of_all")
    found.append(Target("simulated: mean over all 15 subsets of sensors / all four, mean IoU", share, 0.80, 0.92))
    for row, title in BLACK.items():
        for label, lowest, aim in (("road", 0.80, 0.92), ("vehicle", 0.65, 0.85)):
            value = look(subsets, row, "iou", label)
            found.append(Target(f"simulated, {title}: {label} IoU from LiDAR, thermal, depth", value, lowest, aim))
    count = report["parameters"]
    found.append(Target("parameters", count and count / 1e6, 8, None, "{:.2f} M", least=False))
    return Table("Targets", ("figure", "must", "aim", "measured", "met"), [target.row() for target in found])


def _of_pairs(parts: Mapping[str, Any]) -> Iterator[Target]:
    night = look(parts, "night pairs")
    for label, must, aim in (("road", 0.97, 0.99), ("vehicle", 0.88, 0.93), ("pedestrian", 0.80, 0.88)):
        yield Target(f"night pairs, camera + thermal: {label} IoU", score_of(night, "all", "iou", label), must, aim)
    for label in ("road", "vehicle", "pedestrian"):
        yield Target(f"night pairs, {label}: both less the best alone", gain(night, "iou", label), -1, 0, POINTS)
    other = look(parts, "another thermal camera")
    for sensors, title, must, aim in (("all", "both", 0.88, 0.95), ("infrared", "thermal alone", 0.76, 0.90)):
        value = score_of(other, sensors, "recall", "pedestrian")
        yield Target(f"another thermal camera, {title}: people's pixels found", value, must, aim, SHARE)
    yield Target(
        "another thermal camera, both: background called people",
        false_share(other, "pedestrian"), 0.015, None, SHARE, least=False,
    )  # fmt: skip


def _of_stereo(parts: Mapping[str, Any]) -> Iterator[Target]:
    rig = look(parts, "cityscapes-stereo")
    for label in ("road", "vehicle"):
        value = gain(rig, "iou", label, over=["rgb"])
        yield Target(f"another rig, {label}: camera + stereo depth less camera alone", value, -0.5, 3, POINTS)
    yield Target("another rig, depth alone: road IoU", score_of(rig, "depth", "iou", "road"), 0.85, None)
    for label, must, aim in (("road", 0.95, 0.97), ("vehicle", 0.85, 0.90), ("pedestrian", 0.50, 0.65)):
        yield Target(f"another rig, camera alone: {label} IoU", score_of(rig, "rgb", "iou", label), must, aim)


def _of_points(parts: Mapping[str, Any]) -> Iterator[Target]:
    drive = look(parts, UNBOXED["kitti-stereo"])
    value = gain(drive, "point_iou", "vehicle", over=["rgb + lidar"])
    yield Target("KITTI drive 0005, vehicle at points: all less camera + LiDAR", value, -0.5, 0, POINTS)
    value = gain(drive, "point_iou", "vehicle", "rgb + lidar", ["rgb"])
    yield Target("KITTI drive 0005, vehicle at points: camera + LiDAR less camera alone", value, 3, 5, POINTS)
    for name in ("kitti-stereo", "kitti-object"):
        value = gain(look(parts, UNBOXED[name]), "point_iou", "pedestrian")
        yield Target(f"{UNBOXED[name]}, pedestrian: all less the best alone", value, -1, 5, POINTS)


def _of_the_camera(parts: Mapping[str, Any]) -> Iterator[Target]:
    for name, (title, musts, aims) in CAMERA_ALONE.items():
        for label, must, aim in zip(("road", "vehicle", "pedestrian"), musts, aims, strict=True):
            value = score_of(look(parts, name), "all", "iou", label)
            yield Target(f"{title}, camera alone: {label} IoU", value, must, aim)
    for band, (must, aim) in FOUND.items():
        figures = look(parts, PEOPLE, "people", band)
        title = f"people {figures['low']:.0f}–{figures['high']:.0f} pixels tall" if figures else f"{band} people"
        yield Target(f"{title}: their pixels found", look(figures, "found"), must, aim, SHARE)


def false_share(part: Any, label: str) -> float | None:
    """The share of the pixels of background that all sensors together give this label."""
    counts = look(part, "scores", "all", "confusion")
    if not counts:
        return None
    background = counts[BACKGROUND]
    return float(background[FOREGROUND[label]] / max(1, sum(background)))
