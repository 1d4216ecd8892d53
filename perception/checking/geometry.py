# SPDX-License-Identifier: Apache-2.0
"""Geometry: the ground by each sensor and by TF, and the LiDAR on the image."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from perception.assembly.levelling import described, mounting
from perception.assembly.transforms import StaticTransforms
from perception.checking.findings import Finding, finding
from perception.frame import Frame
from perception.ground import Ground
from perception.reporting.visualise import captioned
from perception.sensors.alignment import AXES, AlignmentMonitor, Misalignment, sweep_edges
from perception.sensors.ground import AGREE, TILT, agree, depth_points, fit_ground, sweep_points
from perception.sensors.projection import Projection, project_sweep

RGB = NDArray[np.uint8]

GROUND_FRAMES = ("base_footprint", "base_link")
"""Frames that may lie on the ground; the node's `ground_frame` is the first."""

ROLL = np.radians(8.0)
"""The roll beyond which a camera is tilted too much; for the pitch, TILT minus a small part."""

STEADY, STEADY_HEIGHT = np.radians(1.0), 0.12
"""The distance [rad, m] from their median within which half of the frames' planes must lie: less than half of
`agree`."""

WHEEL = (-0.1, 1.2)
"""Metres above the ground at which a wheel's frame lies: its hub, or its contact point."""

TURNS: tuple[float, ...] = (-4.0, -3.0, -2.0, -1.0, 1.0, 2.0, 3.0, 4.0)
"""The angles [degrees] that are compared with the calibration. Half a degree is left to the node, which has more frames
for it: if a LiDAR is far from the camera, edges that only one of them sees look like such an angle."""

GAIN = 0.06
"""How much better another mounting must fit: twice the node's value, which has more frames."""

FRAMES = 8
"""The fewest frames with edges for a verdict on the LiDAR's mounting: a recording may be short."""


class GroundPlanes:
    """The ground as measured by LiDAR and depth, compared with each other and with TF."""

    def __init__(self, tree: StaticTransforms, names: set[str]) -> None:
        self._tree, self._names = tree, names
        self._found: dict[str, list[Ground]] = defaultdict(list)
        self._camera = ""

    def add(self, frame: Frame) -> None:
        """Take a frame."""
        if frame.camera is None:
            return
        self._camera = frame.camera.frame_id
        for name, xyz in _points(frame).items():
            found = fit_ground(xyz, name)
            if found is not None:
                self._found[name].append(found)

    def planes(self) -> dict[str, Ground]:
        """By sensor, the median of its frames; under `TF of FRAME`, the plane by TF."""
        medians = {name: _median(grounds) for name, grounds in self._found.items() if len(grounds) >= 3}
        found = {name: ground for name, ground in medians.items() if ground is not None}
        told = self._told()
        return found | ({f"TF of '{told[0]}'": told[1]} if told else {})

    def tilted(self) -> bool:
        """Whether LiDAR and depth measure the ground at different angles."""
        planes = self.planes()
        return {"lidar", "depth"} <= planes.keys() and planes["lidar"].angle_to(planes["depth"]) > AGREE

    def findings(self, lidar: bool, depth: bool) -> Iterator[Finding]:
        """lidar, depth: whether they can be relied on."""
        planes = self.planes()
        found = {name: planes[name] for name, good in (("lidar", lidar), ("depth", depth)) if good and name in planes}
        if not found:
            if self._camera and (lidar or depth):
                yield finding("ground-unseen", "lidar, depth", "no plane in three frames or more")
            return
        if len(found) == 2 and not agree(found["lidar"], found["depth"]):
            said = " and ".join(f"{name} shows {described(each)}" for name, each in found.items())
            yield finding("ground-sensors", "lidar, depth", said)
            return
        name, ground = next(iter(found.items()))
        told = self._told()
        if told is not None and not _agree(ground, *told):
            yield finding(
                "ground-tf",
                told[0],
                f"the {name} shows {described(ground)}, TF of '{told[0]}' says {described(told[1])}",
            )
        else:
            yield from self._wheels(name, ground)
        if abs(ground.roll) > ROLL or abs(ground.pitch) > TILT - np.radians(2.0):
            yield finding("camera-tilted", self._camera or "camera", f"the {name} shows {described(ground)}")

    def _wheels(self, name: str, ground: Ground) -> Iterator[Finding]:
        for wheel in sorted(each for each in self._names if "wheel" in each.lower()):
            placed = self._tree.lookup(self._camera, wheel)
            height = float(placed[:3, 3] @ ground.up + ground.height) if placed is not None else 0.0
            if not WHEEL[0] < height < WHEEL[1]:
                yield finding("ground-tf", wheel, f"it is {height:.2f} m above the ground that the {name} shows")

    def _told(self) -> tuple[str, Ground] | None:
        """The frame and the ground by TF; None if TF knows none."""
        for frame in GROUND_FRAMES:
            told = mounting(self._tree, frame, self._camera)
            if told is not None:
                return frame, told
        return None


def _agree(ground: Ground, frame: str, told: Ground) -> bool:
    """Whether a base_link fits; it may be at any height above the ground (REP 105): only its angles are compared."""
    return agree(ground, told if frame == GROUND_FRAMES[0] else Ground(told.up, ground.height))


def _points(frame: Frame) -> dict[str, NDArray[np.float32]]:
    """By sensor, (N, 3) in the optical frame [m]."""
    assert frame.camera is not None
    found = {}
    if frame.points is not None and frame.lidar_to_camera is not None:
        found["lidar"] = sweep_points(frame.points, frame.lidar_to_camera)
    if frame.depth is not None:
        found["depth"] = depth_points(frame.depth, frame.camera)
    return found


def _median(grounds: list[Ground]) -> Ground | None:
    """None if the frames disagree: then it is not the ground."""
    up = np.median([each.up for each in grounds], 0)
    found = Ground(up, float(np.median([each.height for each in grounds])), grounds[0].source)
    turned = np.median([each.angle_to(found) for each in grounds])
    moved = np.median([abs(each.height - found.height) for each in grounds])
    return found if turned < STEADY and moved < STEADY_HEIGHT else None


class Alignment:
    """The sweep's edges against the image's: as text, and as a picture of the frame with most of them."""

    def __init__(self) -> None:
        self._monitor = AlignmentMonitor(TURNS)
        self._frames = 0
        self._best: tuple[int, Frame, Projection] | None = None

    def add(self, frame: Frame) -> None:
        """Take a frame."""
        if frame.rgb is None or frame.points is None:
            return
        projection = project_sweep(frame)
        assert projection is not None
        self._monitor.add(frame, projection)
        self._frames += 1
        edges = len(sweep_edges(projection))
        if self._best is None or edges > self._best[0]:
            self._best = edges, frame, projection

    def verdict(self) -> Misalignment | None:
        """The rotation that fits better; None if there is none."""
        return self._monitor.verdict(least_gain=GAIN, least=FRAMES)

    def words(self) -> str:
        """The result."""
        if self._frames < FRAMES:
            return f"{self._frames} frames with image and sweep, {FRAMES} are needed to say how they fit"
        found = self.verdict()
        if found is None:
            return (
                f"in {self._frames} frames no turn of the sweep by up to {TURNS[-1]:g}° in {', '.join(AXES)} puts its "
                "edges on stronger edges of the image"
            )
        more = " or more" if abs(found.degrees) == TURNS[-1] else ""
        return (
            f"turned by {found.degrees:+g}°{more} in {found.axis}, the sweep's edges lie on edges of the image that "
            f"are {found.gain:.0%} stronger"
        )

    def findings(self) -> Iterator[Finding]:
        """The results."""
        if self.verdict() is not None:
            yield finding("lidar-misaligned", "lidar", self.words())

    def picture(self) -> RGB | None:
        """The sweep's edges on the image: as calibrated, and below, if a rotation fits better, rotated by it."""
        if self._best is None:
            return None
        _, frame, projection = self._best
        found, edges = self.verdict(), sweep_edges(projection)
        views = [captioned(_drawn(frame, edges), "the sweep's edges on the image, as calibrated")]
        if found is not None:
            vector = np.eye(3)[AXES.index(found.axis)] * np.radians(found.degrees)
            turned = edges @ cv2.Rodrigues(vector)[0].T
            views.append(captioned(_drawn(frame, turned), f"turned by {found.degrees:+g}° in {found.axis}"))
        return np.vstack(views)


WIDTH = 1242
"""Of pictures."""


def _drawn(frame: Frame, edges: NDArray[Any]) -> RGB:
    assert frame.rgb is not None
    assert frame.camera is not None
    height = round(WIDTH * frame.rgb.shape[0] / frame.rgb.shape[1])
    camera = frame.camera.resized(WIDTH, height)
    grey = cv2.cvtColor(cv2.resize(frame.rgb, (WIDTH, height)), cv2.COLOR_RGB2GRAY)
    view = np.asarray(cv2.cvtColor((grey * 0.7).astype(np.uint8), cv2.COLOR_GRAY2RGB), np.uint8)
    ahead = edges[edges[:, 2] > 0]
    image = ahead @ camera.intrinsics.T
    for (u, v), depth in zip((image[:, :2] / image[:, 2:]).tolist(), ahead[:, 2].tolist(), strict=True):
        near = float(np.clip(1 - depth / 50, 0, 1))
        colour = (255, int(80 + 150 * near), int(40 * near))
        cv2.circle(view, (round(u), round(v)), 2, colour, -1, cv2.LINE_AA)
    return view
