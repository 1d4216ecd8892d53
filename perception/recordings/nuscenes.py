# SPDX-License-Identifier: Apache-2.0
"""nuScenes' scenes as frames of one camera, paired by their sensors' stamps like every recording."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from pathlib import Path

import numpy as np

from perception.assembly.clocks import pair_sensors
from perception.assembly.settings.parameters import make_settings
from perception.assembly.settings.topics import read_topics
from perception.datasets.nuscenes.one_camera import OneCamera, check_camera, one_camera
from perception.datasets.nuscenes.tables import CAMERAS, LIDAR, Record, Tables
from perception.errors import DataError
from perception.frame import Frame
from perception.recordings.stored import StoredFrames

_Found = tuple[OneCamera, int, "Record | None", "Record | None"]


def nuscenes_frames(path: Path, camera: str = CAMERAS[0]) -> StoredFrames:
    """The frames of every scene at `path` (as `Tables` takes it), keyframes and those between, in the order of time.

    camera: the channel of the camera. Names are SCENE/STAMP, the stamp in microseconds, as in nuScenes' file names.
    Raises DataError as `Tables` does, for another camera, and without any frame.
    """
    tables = Tables(path)
    found: list[_Found] = []
    names, remarks, alone = [], [], 0
    for scene in tables.scenes((check_camera(camera), LIDAR)):
        drive = one_camera(scene, camera)
        if drive.camera is None:
            remarks.append(f"{scene.name}: no image of {camera}: it is left out")
            continue
        channels = {"rgb": drive.camera, **({"lidar": drive.lidar} if drive.lidar else {})}
        records = {sensor: {each.stamp_ns: each for each in own.records} for sensor, own in channels.items()}
        stamps = {sensor: np.array(sorted(own), np.int64) for sensor, own in records.items()}
        spans = {sensor: (min(own), max(own)) for sensor, own in records.items()}
        instants, apart = pair_sensors(tables.folder, stamps, spans, make_settings({}).timing)
        remarks += [f"{scene.name}: {reason}" for reason in apart.values()]
        used = set()
        for instant in instants:
            image, sweep = (
                records[name][instant.stamps_ns[name]] if name in instant.stamps_ns else None
                for name in ("rgb", "lidar")
            )
            found.append((drive, instant.stamp_ns, image, sweep))
            names.append(f"{scene.name}/{instant.stamp_ns // 1000}")
            used.add(instant.stamps_ns.get("lidar"))
        alone += 0 if "lidar" in apart else len(records.get("lidar", ())) - len(used - {None})
    if not found:
        raise DataError(f"{tables.folder}: no image of {camera} in any scene")
    frames = StoredFrames(tables.root, names, [stamp_ns for _, stamp_ns, _, _ in found], partial(_read, found))
    frames.remarks = [*remarks, *([f"{alone} sweeps belong to no image and are left out"] if alone else [])]
    return frames


def camera_of(topics: Mapping[str, str] | str | None) -> str:
    """The channel that a file of topics names for the image, such as CAM_BACK of /CAM_BACK/image; CAM_FRONT without.

    topics: as `BagFrames` takes them. Raises DataError for an image that is no camera's of nuScenes.
    """
    if topics is None:
        return CAMERAS[0]
    named = read_topics(topics) if isinstance(topics, str) else topics
    image = named.get("image", named.get("image/compressed", CAMERAS[0]))
    return check_camera(next((word for word in image.split("/") if word in CAMERAS), image))


def _read(found: list[_Found], index: int) -> Frame:
    drive, stamp_ns, image, sweep = found[index]
    return drive.frame(stamp_ns, image, sweep)
