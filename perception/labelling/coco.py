# SPDX-License-Identifier: Apache-2.0
"""COCO's annotations of a labelled recording, from the labels on disk: a run-length encoded mask for each class."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from perception.datasets.io.named_frames import NamedFrames
from perception.disk import write_json
from perception.labelling.files import FrameFiles

_BITS, _MORE, _SIGN, _FIRST = 0x1F, 0x20, 0x10, 48
"""Of a character of COCO's compressed counts: its 5 bits, whether more follow, the sign of the last, and that of 0."""


def write_coco(
    frames: NamedFrames, numbers: Iterable[int], files: FrameFiles, path: Path, advance: Callable[[], None]
) -> None:
    """Write `path`, in COCO's format of stuff: for each frame and each of its classes that has a mask, one annotation.

    An image's file_name is that of its labels below labels/. numbers: of the frames that are done. advance: called
    after each. Raises DataError for labels that cannot be read, DiskFull where there is no room.
    """
    images: list[dict[str, Any]] = []
    annotations: list[dict[str, Any]] = []
    for number in numbers:
        labels = files.labels(frames.names[number])
        height, width = labels.shape
        name = files.path("labels", frames.names[number]).relative_to(files.folder / "labels").as_posix()
        images.append({"id": len(images) + 1, "file_name": name, "width": width, "height": height})
        for class_id in files.classes.foreground.values():
            mask = labels == class_id
            if mask.any():
                annotations.append(
                    {"id": len(annotations) + 1, "image_id": len(images), "category_id": class_id, **_segment(mask)}
                )
        advance()
    categories = [{"id": each, "name": name, "supercategory": name} for name, each in files.classes.foreground.items()]
    info = {"description": f"{frames.path.name}, labelled by perception label"}
    write_json(path, {"info": info, "images": images, "categories": categories, "annotations": annotations})


def run_lengths(mask: NDArray[np.bool_]) -> str:
    """(H, W) → COCO's compressed `counts`: the lengths of the runs column by column, outside the mask first.

    Each is the difference to that of two runs before, but for the first three (pycocotools, maskApi.c, rleToString).
    """
    flat = mask.ravel(order="F")
    bounds = np.flatnonzero(flat[1:] != flat[:-1]) + 1
    counts = np.diff(np.concatenate([[0], bounds, [len(flat)]]))
    if flat[0]:
        counts = np.insert(counts, 0, 0)
    counts[3:] -= counts[1:-2].copy()
    return "".join(map(_characters, counts.tolist()))


def _characters(value: int) -> str:
    """Five bits each, the lowest first, until the rest is the sign alone."""
    text = ""
    while True:
        bits, value = value & _BITS, value >> 5
        more = value != (-1 if bits & _SIGN else 0)
        text += chr(_FIRST + (bits | _MORE if more else bits))
        if not more:
            return text


def _segment(mask: NDArray[np.bool_]) -> dict[str, Any]:
    height, width = mask.shape
    rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    left, top = int(columns[0]), int(rows[0])
    return {
        "segmentation": {"size": [height, width], "counts": run_lengths(mask)},
        "area": int(mask.sum()),
        "bbox": [left, top, int(columns[-1]) - left + 1, int(rows[-1]) - top + 1],
        "iscrowd": 0,
    }
