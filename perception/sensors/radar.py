# SPDX-License-Identifier: Apache-2.0
"""Radar: its returns read, judged, coded into channels and disturbed. `Frame.extra["radar"]` holds them.

Returns are (N, 5) float32: x, y, z [m] in the radar's frame, the range rate [m/s] (positive: away from the radar) and
the radar cross-section [dBsm]; NaN if the radar does not give one of the last two.

They are encoded as in CRF-Net (Nobis et al., "A Deep Learning-based Radar and Camera Sensor Fusion Architecture for
Object Detection", SDF 2019, arXiv 2005.07431): a radar does not measure height, so that each return becomes a column
from the ground to 3 m above it, in image channels with the measured values. Besides CRF-Net's distance and
cross-section there is the speed over the ground, if the radar's own is known; a column's width is the uncertainty of
the angle.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from perception.errors import DataError
from perception.frame import Frame, Returns
from perception.sensors.channels import log_depth
from perception.sensors.ground import expected_or_fitted
from perception.sensors.projection import MIN_DEPTH
from perception.sensors.spec import SPECS, Scene

X, Y, Z, RATE, SECTION = range(5)
"""The columns of returns."""

COLUMN = 3.0
"""Height [m] of a column above the ground, as in CRF-Net."""

MOUNTED = 0.5
"""The height [m] of a radar above the ground, used if no ground is known."""

SPREAD = np.radians(0.5)
"""Half of a column's width: the uncertainty of a return's angle."""

SPEED_RANGE, SECTION_RANGE = (-30.0, 30.0), (-30.0, 50.0)
"""The range of values [m/s over the ground, away from the radar; dBsm] that is encoded; linear."""

RATES, SECTIONS = ("doppler", "doppler_velocity", "radial_speed", "velocity"), ("rcs", "RCS")
"""The names of range rate and cross-section in drivers' messages."""


def returns_of(
    fields: Mapping[str, NDArray[Any]], to_camera: NDArray[np.float64], velocity: NDArray[np.float64] | None = None
) -> Returns:
    """The returns of these columns, each (N,), of a PointCloud2 or a PCD file; those that are not finite are left out.

    The range rate is a field of its own, else computed from vx_comp, vy_comp, which are over the ground, else from vx,
    vy. Of nuScenes' states only valid and unambiguous returns are kept, as its devkit does by default. to_camera,
    velocity: see `Returns`.
    """
    place = np.stack([fields["x"], fields["y"], fields.get("z", np.zeros_like(fields["x"]))], 1).astype(np.float32)
    nothing = np.full(len(place), np.nan, np.float32)
    rate = next((fields[name] for name in RATES if name in fields), None)
    if rate is None and "vx_comp" in fields and "vy_comp" in fields:
        rate, velocity = _along(place, fields["vx_comp"], fields["vy_comp"]), np.zeros(3)
    elif rate is None and "vx" in fields and "vy" in fields:
        rate = _along(place, fields["vx"], fields["vy"])
    section = next((fields[name] for name in SECTIONS if name in fields), nothing)
    good = np.isfinite(place).all(1)
    for name, value in (("invalid_state", 0), ("ambig_state", 3)):
        if name in fields:
            good &= np.asarray(fields[name]) == value
    values = np.column_stack([place, nothing if rate is None else rate, section]).astype(np.float32)
    return Returns(values[good], to_camera, velocity)


def _along(place: NDArray[np.float32], vx: NDArray[Any], vy: NDArray[Any]) -> NDArray[np.float32]:
    """(N,) the component of a velocity in x and y that points away from the radar."""
    distance = np.maximum(np.hypot(place[:, X], place[:, Y]), 1e-3)
    return np.asarray((place[:, X] * vx + place[:, Y] * vy) / distance, np.float32)


def read_pcd(path: Path, to_camera: NDArray[np.float64]) -> Returns:
    """A binary .pcd such as nuScenes' (x y z dyn_prop id rcs vx vy vx_comp vy_comp …), seen by a camera at `to_camera`.

    Raises DataError for a file that is missing, truncated, not a binary PCD, or lacks x or y.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise DataError(f"{path}: {error.strerror}") from error
    head, mark, data = content.partition(b"DATA binary\n")
    lines = [line.split() for line in head.decode("ascii", "replace").splitlines() if line and line[0] != "#"]
    said = {name: words for name, *words in lines}
    if not mark or not {"FIELDS", "SIZE", "TYPE", "POINTS"} <= said.keys():
        raise DataError(f"{path}: no binary PCD: FIELDS, SIZE, TYPE, POINTS and 'DATA binary' are its header")
    codes = {"F": "f", "I": "i", "U": "u"}
    try:
        counts = [int(each) for each in said.get("COUNT", ["1"] * len(said["FIELDS"]))]
        kinds = [f"<{codes[kind]}{size}" for kind, size in zip(said["TYPE"], said["SIZE"], strict=True)]
        rows = zip(said["FIELDS"], kinds, counts, strict=True)
        layout = np.dtype([(name, kind, (count,) if count > 1 else ()) for name, kind, count in rows])
        points = int(said["POINTS"][0])
    except (KeyError, ValueError, TypeError, IndexError) as error:
        raise DataError(f"{path}: its header cannot be read: {type(error).__name__}: {error}") from error
    if not {"x", "y"} <= set(said["FIELDS"]):
        raise DataError(f"{path}: no x and y among {' '.join(said['FIELDS'])}")
    if points < 0 or len(data) < points * layout.itemsize:
        raise DataError(f"{path}: {len(data)} bytes, but the header says {points} returns of {layout.itemsize}")
    cloud = np.frombuffer(data, layout, points)
    return returns_of({name: cloud[name] for name in SPECS["radar"].fields if name in said["FIELDS"]}, to_camera)


def speeds(returns: Returns) -> NDArray[np.float32]:
    """(N,) m/s over the ground, away from the radar; NaN if range rate or the radar's own velocity is unknown."""
    rate = returns.values[:, RATE]
    if returns.velocity is None:
        return np.full_like(rate, np.nan)
    distance = np.maximum(np.linalg.norm(returns.values[:, :3], axis=1), 1e-3)
    return np.asarray(rate + returns.values[:, :3] @ returns.velocity / distance, np.float32)


def code_radar(scene: Scene, width: int, height: int) -> NDArray[np.uint8]:
    """The columns of a scene's returns → (4, height, width) uint8: log depth, speed, cross-section, valid.

    Speed and cross-section are 1–255, 0 if unknown; the nearer return hides the farther one.
    """
    channels, frame = np.zeros((4, height, width), np.uint8), scene.frame
    returns, camera = frame.extra["radar"], frame.camera
    assert camera is not None  # `Frame` checks it
    mount = returns.to_camera
    seen = returns.values[:, :3] @ mount[:3, :3].T + mount[:3, 3]
    rows = np.flatnonzero(np.isfinite(seen).all(1) & (seen[:, 2] > MIN_DEPTH))
    rows = rows[np.argsort(-seen[rows, 2])]
    seen = seen[rows]
    ground = expected_or_fitted(scene.by_lidar or scene.by_depth, frame.ground)
    up = mount[:3, 2] if ground is None else ground.up
    above = np.full(len(rows), MOUNTED) if ground is None else ground.above(seen.astype(np.float32))
    foot = seen - above[:, None] * up
    ends = np.stack([foot, foot + COLUMN * up])
    pixels = ends @ camera.resized(width, height).intrinsics.T
    pixels = np.clip(pixels[..., :2] / np.maximum(pixels[..., 2:], 1e-3), -1e4, 1e4)
    middle = pixels[..., 0].mean(0)
    half = camera.resized(width, height).intrinsics[0, 0] * np.tan(SPREAD)
    left, right = np.rint(middle - half).astype(int), np.rint(middle + half).astype(int)
    bottom, top = np.rint(pixels[..., 1]).astype(int)
    codes = np.stack(
        [
            log_depth(seen[:, 2].astype(np.float32)),
            _code(speeds(returns)[rows], SPEED_RANGE),
            _code(returns.values[rows, SECTION], SECTION_RANGE),
            np.full(len(rows), 255, np.uint8),
        ]
    )
    for number in range(len(rows)):
        box = (int(left[number]), int(top[number])), (int(right[number]), int(bottom[number]))
        for channel, code in zip(channels, codes[:, number].tolist(), strict=True):
            cv2.rectangle(channel, *box, code, cv2.FILLED)
    return channels


def _code(values: NDArray[np.float32], among: tuple[float, float]) -> NDArray[np.uint8]:
    low, high = among
    scaled = (np.clip(values, low, high) - low) * (254 / (high - low)) + 1.5
    return np.where(np.isfinite(values), scaled, 0).astype(np.uint8)


def dull_radar(frame: Frame) -> str | None:
    """Why the radar has no information; None if it has."""
    returns = frame.extra["radar"]
    if not len(returns.values):
        return "radar is empty: the scan has no return"
    ahead = returns.values[:, :3] @ returns.to_camera[2, :3] + returns.to_camera[2, 3]
    if not (ahead > MIN_DEPTH).any():
        return "radar is out of view: no return lies in front of the camera (calibration, frames?)"
    return None


def lose_returns(returns: Returns, share: float, rng: np.random.Generator) -> Returns:
    """The returns without the lost ones."""
    return replace(returns, values=returns.values[rng.random(len(returns.values), np.float32) >= share])


def speckle_returns(returns: Returns, share: float, rng: np.random.Generator) -> Returns:
    """The returns with some replaced by clutter: anywhere within 100 m ahead, at any speed, faint."""
    values = returns.values.copy()
    rows = np.flatnonzero(rng.random(len(values), np.float32) < share)
    values[rows] = clutter(len(rows), rng)
    return replace(returns, values=values)


def clutter(count: int, rng: np.random.Generator) -> NDArray[np.float32]:
    """(count, 5) returns without an object."""
    distance, angle = rng.uniform(2, 100, count), rng.uniform(-1, 1, count)
    place = (distance * np.cos(angle), distance * np.sin(angle), np.zeros(count))
    return np.column_stack([*place, rng.normal(0, 5, count), rng.normal(-8, 5, count)]).astype(np.float32)


@dataclass(frozen=True)
class RadarFaults:
    """How often and how much the radar is disturbed in training.

    share: of the crops. rotation: degrees, to either side, by which it rotated in its mount. lost: largest share of the
    returns that is lost. ghosts: most returns without an object that are added. still: share of the disturbed crops in
    which the vehicle's speed is unknown, so that there are no speeds.
    """

    share: float = 0.0
    rotation: float = 2.0
    lost: float = 0.5
    ghosts: int = 20
    still: float = 0.3

    def draw(self, rng: np.random.Generator) -> RadarFault | None:
        """One disturbance, or none."""
        if not self.share or rng.random() >= self.share:
            return None
        turn = np.radians(rng.uniform(-self.rotation, self.rotation))
        lost, ghosts = rng.uniform(0, self.lost), int(rng.integers(self.ghosts + 1))
        return RadarFault(float(turn), float(lost), ghosts, bool(rng.random() < self.still), int(rng.integers(2**32)))


@dataclass(frozen=True)
class RadarFault:
    """One disturbance. turn: radians about the vertical. lost: share of the returns. ghosts: returns that are added.
    still: the radar's velocity is unknown. seed: selects the returns."""

    turn: float
    lost: float
    ghosts: int
    still: bool
    seed: int

    def apply(self, frame: Frame) -> Frame:
        """`frame` with its radar disturbed; the same frame if it has none."""
        if "radar" not in frame.extra:
            return frame
        rng, returns = np.random.default_rng(self.seed), frame.extra["radar"]
        values = np.concatenate([lose_returns(returns, self.lost, rng).values, clutter(self.ghosts, rng)])
        turned = np.eye(4)
        turned[:2, :2] = [[np.cos(self.turn), -np.sin(self.turn)], [np.sin(self.turn), np.cos(self.turn)]]
        disturbed = Returns(values, returns.to_camera @ turned, None if self.still else returns.velocity)
        return replace(frame, extra={**frame.extra, "radar": disturbed})
