# SPDX-License-Identifier: Apache-2.0
"""Sweeps with a class and a colour per point, as files that other programs read."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from perception.classes import CLASSES, PEDESTRIAN, ROAD, UNLABELLED, VEHICLE, Classes
from perception.disk import full_disk, is_full
from perception.errors import DataError, PerceptionError

FORMATS: tuple[str, ...] = ("ply", "pcd", "las")
"""By suffix. PLY and PCD are Open3D's; LAS, which Open3D does not write, is laspy's (extra `las`)."""

OUTSIDE = np.array([110, 110, 110], np.uint8)
"""The colour of points that the camera does not see, as on the node's ~/points."""

_ASPRS = np.zeros(256, np.uint8)
_ASPRS[[0, ROAD, VEHICLE, PEDESTRIAN]] = 1, 11, 64, 65
"""LAS's classification by class id: unclassified, road surface, two user-defined; never classified if unlabelled."""


def point_colours(labels: NDArray[np.uint8], classes: Classes = CLASSES) -> NDArray[np.uint8]:
    """(N,) class ids → (N, 3) uint8 RGB."""
    colours = classes.colourise(labels)
    colours[labels == UNLABELLED] = OUTSIDE
    return colours


def write_cloud(path: Path, points: NDArray[np.float32], labels: NDArray[np.uint8], classes: Classes = CLASSES) -> None:
    """Write (N, 4) x, y, z, intensity and (N,) class ids as a cloud; the suffix of `path` says which kind.

    Each point has a colour, `intensity` and `label` (the class id, 255 where the camera does not see it); in LAS, whose
    classification is ASPRS's, `label` is an extra dimension. Raises DataError where it cannot be written, DiskFull
    if there is no room.
    """
    if path.suffix == ".las":
        _write_las(path, points, labels, classes)
        return
    import open3d

    t: Any = open3d.t  # its stubs know no arrays
    tensor: Any = open3d.core.Tensor
    cloud = t.geometry.PointCloud(np.ascontiguousarray(points[:, :3]))
    cloud.point["intensity"] = tensor(np.ascontiguousarray(points[:, 3:4]))
    cloud.point["label"] = tensor(np.ascontiguousarray(labels[:, None]))
    cloud.point["colors"] = tensor(point_colours(labels, classes))
    if not t.io.write_point_cloud(str(path), cloud):
        if is_full(path):
            raise full_disk(path)
        raise DataError(f"{path}: Open3D cannot write a cloud of {len(points)} points there")


def require_writer(suffix: str) -> None:
    """Raises PerceptionError where clouds of that kind need something that is not installed."""
    module, extra = ("laspy", "las") if suffix == "las" else ("open3d", "sim")
    if find_spec(module) is None:  # Open3D takes seconds to import
        raise PerceptionError(f"--cloud {suffix} needs {module}: pip install 'multimodal_perception[{extra}]'")


def _write_las(path: Path, points: NDArray[np.float32], labels: NDArray[np.uint8], classes: Classes) -> None:
    import laspy

    las = laspy.create(point_format=7, file_version="1.4")
    las.add_extra_dim(laspy.ExtraBytesParams("label", np.uint8, "class id, 255 unseen"))
    las.header.scales = np.full(3, 1e-3)
    las.x, las.y, las.z = points[:, :3].T.astype(np.float64)
    las.intensity = np.clip(points[:, 3] * 65535, 0, 65535).astype(np.uint16)
    las.red, las.green, las.blue = point_colours(labels, classes).T.astype(np.uint16) * 257
    las.classification, las.label = _ASPRS[classes.first[labels]], labels
    las.write(str(path))
