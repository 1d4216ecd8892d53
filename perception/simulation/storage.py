# SPDX-License-Identifier: Apache-2.0
"""Writes simulated drives to folders that `perception.datasets.simulated.SimulatedFolder` reads.

image/000000.png         8-bit RGB
depth/000000.png         16-bit, 1/256 m, 0 invalid
infrared/000000.png      16-bit, 1/100 K
velodyne/000000.bin      float32 x y z intensity per point, as KITTI's
labels/000000.png        8-bit class ids
instances/000000.png     16-bit, which vehicle or pedestrian: class id × 1000 + number, 0 none
point_labels/000000.bin  uint8 class id per point
radar/000000.npz         where asked for: values, to_camera, velocity of its `Returns`; other further sensors likewise
drive.json               seed, condition, rate, scale, rig, depth, calibration, stamps; written last: the drive is whole
"""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from copy import copy
from functools import partial
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from perception.datasets.simulated import DEPTH_UNITS, FORMAT
from perception.disk import on_full_disk, write_json
from perception.errors import DataError
from perception.processes import begin_worker
from perception.sample import Sample
from perception.simulation.drive import SimulatedDrive

FOLDERS: tuple[str, ...] = ("image", "depth", "infrared", "velodyne", "labels", "instances", "point_labels")

UNFINISHED = ".unfinished"
"""A marker file: a drive is being written into the folder, or was when the writing stopped."""


def is_drive(folder: Path) -> bool:
    """Whether the folder holds a drive or an unfinished one."""
    return (folder / "drive.json").is_file() or (folder / UNFINISHED).is_file()


def write_drive(
    drive: SimulatedDrive, folder: str | Path, workers: int = 1, progress: Callable[[int], None] | None = None
) -> Path:
    """Renders every frame of `drive` into `folder`, which is made, and gives that folder back.

    workers: processes that render at once; the files are the same for any number of them.
    progress: called with the number of frames done. Raises DataError where the folder cannot be written, already holds
    a drive or something else, and DiskFull where there is no room.
    """
    folder = Path(folder)
    if (folder / "drive.json").exists():
        raise DataError(f"{folder}: already holds a drive; choose another folder or remove it first")
    unfinished = folder / UNFINISHED
    strange = sorted(path.name for path in folder.iterdir()) if folder.is_dir() and not unfinished.is_file() else []
    if strange:
        raise DataError(f"{folder}: holds {strange[0]}, which is not part of a drive; choose another folder")
    count = 0

    def to_come() -> int | None:
        written = sum(path.stat().st_size for path in folder.glob("*/*"))
        return written * (len(drive) - count) // count if count else None

    try:
        with on_full_disk(folder, to_come):
            folder.mkdir(parents=True, exist_ok=True)
            unfinished.touch()
            for name in (*FOLDERS, *drive.further):
                (folder / name).mkdir(parents=True, exist_ok=True)
            with _rendered(drive, folder, workers) as done:
                for count, _ in enumerate(done, start=1):
                    if progress:
                        progress(count)
            write_json(folder / "drive.json", _description(drive))
            unfinished.unlink()
    except OSError as error:
        raise DataError(f"{error.filename or folder}: cannot be written ({error.strerror})") from error
    return folder


def write_sample(sample: Sample, folder: Path, number: int) -> None:
    """Writes the files of one frame. OSError where one cannot be written."""
    frame, name = sample.frame, f"{number:06d}"
    assert frame.rgb is not None
    assert frame.depth is not None
    assert frame.infrared is not None
    assert frame.points is not None
    assert sample.labels is not None
    assert sample.instances is not None
    assert sample.point_labels is not None
    _write_png(folder / "image" / f"{name}.png", frame.rgb[..., ::-1])
    depth = np.clip(np.round(np.nan_to_num(frame.depth, nan=0.0) * DEPTH_UNITS), 0, 65535).astype(np.uint16)
    _write_png(folder / "depth" / f"{name}.png", depth)
    _write_png(folder / "infrared" / f"{name}.png", frame.infrared)
    (folder / "velodyne" / f"{name}.bin").write_bytes(frame.points.astype("<f4").tobytes())
    _write_png(folder / "labels" / f"{name}.png", sample.labels)
    _write_png(folder / "instances" / f"{name}.png", sample.instances)
    (folder / "point_labels" / f"{name}.bin").write_bytes(sample.point_labels.tobytes())
    for sensor, returns in frame.extra.items():
        stored: dict[str, Any] = {"values": returns.values, "to_camera": returns.to_camera}
        if returns.velocity is not None:
            stored["velocity"] = returns.velocity
        np.savez(folder / sensor / f"{name}.npz", **stored)


@contextmanager
def _rendered(drive: SimulatedDrive, folder: Path, workers: int) -> Iterator[Iterator[None]]:
    """Yields an iterator that advances once per frame on disk, in no particular order."""
    if workers <= 1:
        # A copy builds a street of its own and lets go of it: of many drives only one is in memory.
        render = partial(_render, copy(drive), folder)
        yield (render(index) for index in range(len(drive)))
        return
    # spawn: forked children would share Open3D's and OpenCV's threads, which do not survive it.
    context = multiprocessing.get_context("spawn")
    with context.Pool(min(workers, len(drive)), _prepare_worker, (drive, folder)) as pool:
        yield pool.imap_unordered(_render_in_worker, range(len(drive)))


_job: dict[str, Any] = {}


def _prepare_worker(drive: SimulatedDrive, folder: Path) -> None:
    begin_worker()
    cv2.setNumThreads(1)
    _job.update(drive=drive, folder=folder)


def _render_in_worker(index: int) -> None:
    _render(_job["drive"], _job["folder"], index)


def _render(drive: SimulatedDrive, folder: Path, index: int) -> None:
    write_sample(drive[index], folder, index)


def _write_png(path: Path, image: NDArray[Any]) -> None:
    _, data = cv2.imencode(".png", image, [cv2.IMWRITE_PNG_COMPRESSION, 1])
    path.write_bytes(data.tobytes())


def _description(drive: SimulatedDrive) -> dict[str, Any]:
    return {
        "format": FORMAT,
        "seed": drive.seed,
        "condition": drive.condition,
        "rate_hz": drive.rate_hz,
        "scale": drive.scale,
        "rig": {
            "name": drive.rig.name,
            "camera_height_m": drive.rig.camera_height,
            "pitch_deg": drive.rig.pitch,
            "roll_deg": drive.rig.roll,
            "baseline_m": drive.rig.baseline,
        },
        "depth": drive.depth,
        **({"further": list(drive.further)} if drive.further else {}),
        "camera": {
            "intrinsics": drive.camera.intrinsics.tolist(),
            "width": drive.camera.width,
            "height": drive.camera.height,
            "frame_id": drive.camera.frame_id,
        },
        "lidar_to_camera": drive.lidar_to_camera.tolist(),
        "stamps_ns": [drive.stamp_ns(i) for i in range(len(drive))],
    }
