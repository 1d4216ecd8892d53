# SPDX-License-Identifier: Apache-2.0
"""nuScenes' tables → its scenes: what each sensor recorded, when, and where the vehicle was."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from perception.datasets.io.files import read_text
from perception.errors import DataError
from perception.rigid import rigid_fault

LIDAR = "LIDAR_TOP"

CAMERAS = ("CAM_FRONT", "CAM_FRONT_RIGHT", "CAM_BACK_RIGHT", "CAM_BACK", "CAM_BACK_LEFT", "CAM_FRONT_LEFT")
"""The channels of the cameras, clockwise."""

_KNOWN_BY = "sample_data.json"

_US_NS = 1_000


@dataclass(frozen=True)
class Record:
    """What a sensor recorded at one instant. token: of its row in sample_data. sample: the token of the keyframe that
    it is nearest to; key: whether it belongs to that. vehicle: (4, 4) vehicle → world at this instant, metres."""

    token: str
    sample: str
    stamp_ns: int
    path: Path
    key: bool
    vehicle: NDArray[np.float64]


@dataclass(frozen=True)
class Channel:
    """A sensor in a scene. mount: (4, 4) sensor → vehicle, metres. intrinsics: (3, 3) of a camera, None of others.
    size: (width, height) of a camera's images. records: in the order of their stamps."""

    mount: NDArray[np.float64]
    intrinsics: NDArray[np.float64] | None
    size: tuple[int, int]
    records: Sequence[Record]


@dataclass(frozen=True)
class Scene:
    """A drive of about 20 s, by channel such as CAM_FRONT; channels that recorded nothing are not in it."""

    name: str
    channels: Mapping[str, Channel]

    @property
    def begin_ns(self) -> int:
        """The stamp of the first record."""
        return min(channel.records[0].stamp_ns for channel in self.channels.values())


class Tables:
    """The tables of one version.

    path: the folder that has samples, sweeps and the tables' folder, such as v1.0-mini, or that folder itself. Raises
    DataError for other folders, for several versions in one, and for tables that are missing or broken.
    """

    def __init__(self, path: Path) -> None:
        self.folder = _version(path)
        self.root, self.version = self.folder.parent, self.folder.name

    def rows(self, table: str) -> list[dict[str, Any]]:
        """The rows of the table NAME.json. Raises DataError if there is none, or if it is broken."""
        path = self.folder / f"{table}.json"
        try:
            rows = json.loads(read_text(path))
        except json.JSONDecodeError as error:
            raise DataError(f"{path}: not valid JSON: {error}") from error
        if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
            raise DataError(f"{path}: expected a list of rows")
        return rows

    def has(self, table: str) -> bool:
        """Whether the table is there."""
        return (self.folder / f"{table}.json").is_file()

    def by_token(self, table: str, wanted: Collection[str] | None = None) -> dict[str, dict[str, Any]]:
        """The rows by token; only the `wanted` ones, all of which must be there. Raises DataError as `rows` does."""
        rows = {self.get(row, "token", table): row for row in self.rows(table)}
        if wanted is None:
            return rows
        missing = next((token for token in wanted if token not in rows), None)
        if missing is not None:
            raise DataError(f"{self.folder / table}.json: no row with token {missing}, which another table names")
        return {token: rows[token] for token in wanted}

    def get(self, row: Mapping[str, Any], key: str, table: str) -> Any:
        """The row's value. Raises DataError if the row has none."""
        if key not in row:
            raise DataError(f"{self.folder / table}.json: a row without '{key}': {dict(row)}")
        return row[key]

    def pose(self, row: Mapping[str, Any], table: str) -> NDArray[np.float64]:
        """(4, 4) of the row's translation [m] and rotation, a quaternion w, x, y, z. Raises DataError if it is none."""
        try:
            pose = matrix(self.get(row, "translation", table), self.get(row, "rotation", table))
        except (TypeError, ValueError) as error:
            raise DataError(f"{self.folder / table}.json: token {row.get('token')}: {error}") from error
        fault = rigid_fault(pose)
        if fault:
            raise DataError(f"{self.folder / table}.json: token {row.get('token')}: no rigid transform: {fault}")
        return pose

    def scenes(self, channels: Collection[str]) -> list[Scene]:
        """The scenes in the order of time, with these channels alone.

        Raises DataError for broken tables, a channel that no scene has, and a sensor that moves within a scene.
        """
        sensors = {token: self.get(row, "channel", "sensor") for token, row in self.by_token("sensor").items()}
        mounts = {
            token: (sensors[row["sensor_token"]], row)
            for token, row in self.by_token("calibrated_sensor").items()
            if sensors.get(self.get(row, "sensor_token", "calibrated_sensor")) in channels
        }
        unknown = sorted(set(channels) - {channel for channel, _ in mounts.values()})
        if unknown:
            raise DataError(
                f"{self.folder}: no channel {', '.join(unknown)}; there are {', '.join(sorted(sensors.values()))}"
            )
        table = "sample_data"
        data = [row for row in self.rows(table) if self.get(row, "calibrated_sensor_token", table) in mounts]
        samples = self.by_token("sample", {self.get(row, "sample_token", table) for row in data})
        poses = self.by_token("ego_pose", {self.get(row, "ego_pose_token", table) for row in data})
        names = {token: self.get(row, "name", "scene") for token, row in self.by_token("scene").items()}
        found: dict[str, dict[str, list[dict[str, Any]]]] = {}
        for row in data:
            scene = self.get(samples[row["sample_token"]], "scene_token", "sample")
            channel = mounts[row["calibrated_sensor_token"]][0]
            found.setdefault(scene, {}).setdefault(channel, []).append(row)
        scenes = [
            Scene(
                str(names.get(token, token)),
                {channel: self._channel(rows, mounts, poses) for channel, rows in by_channel.items()},
            )
            for token, by_channel in found.items()
        ]
        return sorted(scenes, key=lambda scene: scene.begin_ns)

    def _channel(
        self,
        rows: list[dict[str, Any]],
        mounts: Mapping[str, tuple[str, dict[str, Any]]],
        poses: Mapping[str, dict[str, Any]],
    ) -> Channel:
        table = "sample_data"
        tokens = {row["calibrated_sensor_token"] for row in rows}
        if len(tokens) > 1:
            raise DataError(f"{self.folder / table}.json: one sensor with several mounts in a scene: {sorted(tokens)}")
        mount = mounts[tokens.pop()][1]
        matrix_rows = mount.get("camera_intrinsic") or None
        if matrix_rows is not None and np.shape(matrix_rows) != (3, 3):
            raise DataError(f"{self.folder}/calibrated_sensor.json: token {mount['token']}: camera_intrinsic is no 3×3")
        records = [
            Record(
                token=self.get(row, "token", table),
                sample=row["sample_token"],
                stamp_ns=int(self.get(row, "timestamp", table)) * _US_NS,
                path=self.root / self.get(row, "filename", table),
                key=bool(self.get(row, "is_key_frame", table)),
                vehicle=self.pose(poses[row["ego_pose_token"]], "ego_pose"),
            )
            for row in sorted(rows, key=lambda row: int(self.get(row, "timestamp", table)))
        ]
        return Channel(
            self.pose(mount, "calibrated_sensor"),
            None if matrix_rows is None else np.array(matrix_rows, np.float64),
            (int(rows[0].get("width") or 0), int(rows[0].get("height") or 0)),
            records,
        )


def holds_nuscenes(path: Path) -> bool:
    """Whether the folder has nuScenes' tables, or a version's folder of them."""
    return (path / _KNOWN_BY).is_file() or bool(_versions(path))


def matrix(translation: Sequence[float], rotation: Sequence[float]) -> NDArray[np.float64]:
    """(4, 4) of a translation [m] and a unit quaternion w, x, y, z. Raises ValueError for other numbers."""
    w, x, y, z = np.asarray(rotation, np.float64)
    length = np.sqrt(w * w + x * x + y * y + z * z)
    if not abs(length - 1) < 1e-3:
        raise ValueError(f"rotation: a quaternion of length {length:.5g}, expected 1")
    w, x, y, z = (value / length for value in (w, x, y, z))
    pose = np.eye(4)
    pose[:3, :3] = [
        [1 - 2 * (y * y + z * z), 2 * (x * y - z * w), 2 * (x * z + y * w)],
        [2 * (x * y + z * w), 1 - 2 * (x * x + z * z), 2 * (y * z - x * w)],
        [2 * (x * z - y * w), 2 * (y * z + x * w), 1 - 2 * (x * x + y * y)],
    ]
    pose[:3, 3] = translation
    return pose


def _version(path: Path) -> Path:
    if (path / _KNOWN_BY).is_file():
        return path
    versions = _versions(path)
    if len(versions) == 1:
        return versions[0]
    if versions:
        raise DataError(f"{path}: several versions; name the folder of one: {', '.join(map(str, versions))}")
    raise DataError(f"{path}: no nuScenes: neither {_KNOWN_BY} nor a folder such as v1.0-mini that has it")


def _versions(path: Path) -> list[Path]:
    return sorted(file.parent for file in path.glob(f"v1.0-*/{_KNOWN_BY}"))
