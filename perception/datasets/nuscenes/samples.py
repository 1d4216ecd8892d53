# SPDX-License-Identifier: Apache-2.0
"""nuScenes' keyframes with the classes of their LiDAR points, from nuScenes-lidarseg or Panoptic nuScenes."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from perception.classes import BACKGROUND, CLASSES, UNLABELLED, Classes
from perception.datasets.io.files import read_bytes
from perception.datasets.io.lazy import LazySequence
from perception.datasets.io.splits import check_split
from perception.datasets.nuscenes.one_camera import OneCamera, one_camera, place, read_sweep
from perception.datasets.nuscenes.tables import CAMERAS, LIDAR, Record, Tables
from perception.errors import DataError
from perception.sample import Sample
from perception.sensors.sweeps import echoes

MINI_VAL = frozenset({"scene-0103", "scene-0916"})
"""The official split of v1.0-mini: these scenes are val, the others train."""

TRUTHS = ("lidarseg", "panoptic")
"""Tables with the classes of points, and the order in which they are looked for."""

PANOPTIC = 1000
"""Panoptic labels are category · 1000 + instance."""

RIDDEN = ("vehicle.bicycle", "vehicle.motorcycle")
"""Categories whose points are also those of riders, who are another class of ours."""


class NuScenesSamples(LazySequence[Sample]):
    """The keyframes of CAM_FRONT and LIDAR_TOP, with point_labels where nuScenes publishes them.

    root: as `Tables` takes it. split: train or val of v1.0-mini; all of every version. Points on a bicycle or
    motorcycle with a rider are of two classes at once, and unlabelled; without the tables sample_annotation and
    attribute, which tell, so are all points on bicycles and motorcycles. Raises DataError as `Tables` does, without
    labels, and for another split; when indexed, for missing and broken files.
    """

    def __init__(self, root: str | Path, split: str = "val", classes: Classes = CLASSES) -> None:
        self._tables = tables = Tables(Path(root))
        mini = tables.version == "v1.0-mini"
        known = ("train", "val", "all") if mini else ("all",)
        check_split(split, known, f"{tables.folder}: only v1.0-mini's scenes of train and val are known here")
        self._truth = self._labels()
        self._table = self._classes(classes)
        self._ridden = self._with_rider()
        self._keys: list[tuple[str, OneCamera, Record, Record]] = []
        for scene in tables.scenes((CAMERAS[0], LIDAR)):
            if split != "all" and (scene.name in MINI_VAL) != (split == "val"):
                continue
            drive = one_camera(scene)
            if drive.camera is None or drive.lidar is None:
                continue
            sweeps = {each.sample: each for each in drive.lidar.records if each.key}
            images = (each for each in drive.camera.records if each.key and each.sample in sweeps)
            self._keys += [(scene.name, drive, image, sweeps[image.sample]) for image in images]

    def __len__(self) -> int:
        return len(self._keys)

    def read(self, index: int) -> Sample:
        """Keyframe number `index`; its stamp is the image's."""
        scene, drive, image, sweep = self._keys[index]
        frame = drive.frame(image.stamp_ns, image, sweep)
        return Sample(f"{scene}/{image.stamp_ns // 1000}", frame, point_labels=self._point_labels(drive, sweep))

    def _point_labels(self, drive: OneCamera, sweep: Record) -> NDArray[np.uint8] | None:
        """(N,) of the frame's points; None where the keyframe has no labels."""
        path = self._truth.get(sweep.token)
        if path is None:
            return None
        points, ids = read_sweep(sweep.path), _read_ids(path)
        if len(ids) != len(points):
            raise DataError(f"{path}: {len(ids)} labels, but {sweep.path} has {len(points)} points")
        if len(ids) and ids.max() >= len(self._table):
            raise DataError(f"{path}: id {ids.max()}, but category.json has indices to {len(self._table) - 1}")
        echo = echoes(points)
        labels = self._table[ids]
        ridable = np.flatnonzero(np.isin(ids, self._ridable))
        if len(ridable):
            some = points[ridable]
            place(some, drive.to_world(sweep))
            labels[ridable[self._on_ridden(some, sweep.sample)]] = UNLABELLED
        return labels if echo is None else labels[echo]

    def _on_ridden(self, points: NDArray[np.float32], sample: str) -> NDArray[np.bool_]:
        """(N,) whether each point of the world is on something with a rider, or may be."""
        if self._ridden is None:
            return np.ones(len(points), bool)
        found = np.zeros(len(points), bool)
        for to_box, half in self._ridden.get(sample, ()):
            inside = points[:, :3].astype(np.float64) @ to_box[:3, :3].T + to_box[:3, 3]
            found |= (np.abs(inside) <= half).all(axis=1)
        return found

    def _labels(self) -> dict[str, Path]:
        """The label file by token of the sweep."""
        tables = self._tables
        for name in TRUTHS:
            if tables.has(name):
                return {
                    tables.get(row, "sample_data_token", name): tables.root / tables.get(row, "filename", name)
                    for row in tables.rows(name)
                }
        raise DataError(
            f"{tables.folder}: neither lidarseg.json nor panoptic.json: no ground truth to score against; unpack "
            "nuScenes-lidarseg there"
        )

    def _classes(self, classes: Classes) -> NDArray[np.uint8]:
        """(K,) class ids by index of category; remembers which indices are `RIDDEN`."""
        tables, mapping = self._tables, classes.mapping("nuscenes")
        nothing = UNLABELLED if BACKGROUND in classes.unsure("nuscenes") else BACKGROUND
        rows = {
            int(tables.get(row, "index", "category")): tables.get(row, "name", "category")
            for row in tables.rows("category")
        }
        self._ridable = [index for index, name in rows.items() if name in RIDDEN]
        table = np.full(1 + max(rows, default=-1), UNLABELLED, np.uint8)
        for index, name in rows.items():
            table[index] = mapping.get(name, nothing)
        return table

    def _with_rider(self) -> dict[str, list[tuple[NDArray[np.float64], NDArray[np.float64]]]] | None:
        """By keyframe, (world → box, half its length, width and height) of what has a rider; None if nobody tells."""
        tables, table = self._tables, "sample_annotation"
        if not (tables.has(table) and tables.has("attribute")):
            return None
        riders = {token for token, row in tables.by_token("attribute").items() if row.get("name") == "cycle.with_rider"}
        found: dict[str, list[tuple[NDArray[np.float64], NDArray[np.float64]]]] = {}
        for row in tables.rows(table):
            if riders.isdisjoint(row.get("attribute_tokens", ())):
                continue
            width, length, height = tables.get(row, "size", table)
            to_box = np.asarray(np.linalg.inv(tables.pose(row, table)), np.float64)
            half = np.array([length, width, height], np.float64) / 2
            found.setdefault(tables.get(row, "sample_token", table), []).append((to_box, half))
        return found


def _read_ids(path: Path) -> NDArray[np.intp]:
    """(N,) indices of categories. Raises DataError for a broken file."""
    data = read_bytes(path)
    if path.suffix != ".npz":
        return np.frombuffer(data, np.uint8).astype(np.intp)
    try:
        with np.load(io.BytesIO(data)) as content:
            return np.asarray(content["data"], np.intp) // PANOPTIC
    except (KeyError, ValueError, OSError, zipfile.BadZipFile) as error:
        raise DataError(f"{path}: no panoptic labels: {error}") from error
