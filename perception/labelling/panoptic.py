# SPDX-License-Identifier: Apache-2.0
"""COCO's panoptic annotations of a labelled recording: an image of segments for each frame, and the JSON that says what
each is (Kirillov et al., CVPR 2019; cocodataset.org, "panoptic segmentation")."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from perception.classes import Classes
from perception.datasets.io.named_frames import NamedFrames
from perception.disk import write_file, write_json
from perception.frame import INSTANCE_STEP
from perception.instances import THINGS, extents
from perception.labelling.files import FrameFiles
from perception.objects import Tracking


def write_panoptic(
    frames: NamedFrames,
    numbers: Iterable[int],
    files: FrameFiles,
    path: Path,
    tracking: Tracking | None,
    advance: Callable[[], None],
) -> None:
    """Write `path`, and NAME.png of each frame into the folder beside it that has its name.

    A segment's id is its class id × 1000 plus the number of a thing; 0 is what has no mask. Things that the network did
    not tell apart are a segment of a crowd. numbers: of the frames that are done. tracking: numbers the things anew;
    None leaves each frame its own. advance: called after each. Raises DataError for files that cannot be read, DiskFull
    where there is no room.
    """
    images: list[dict[str, Any]] = []
    annotations: list[dict[str, Any]] = []
    classes, folder = files.classes, path.with_suffix("")
    for number in numbers:
        name = f"{frames.names[number]}.png"
        labels, instances = files.labels(frames.names[number]), files.instances(frames.names[number])
        if tracking is not None and instances is not None:
            instances = tracking(instances, frames.stamps_ns[number])[instances]
        segments = segments_of(labels, instances, classes)
        height, width = segments.shape
        write_file(folder / name, cv2.imencode(".png", coloured(segments)[..., ::-1])[1].tobytes())
        images.append({"id": len(images) + 1, "file_name": name, "width": width, "height": height})
        annotations.append({"image_id": len(images), "file_name": name, "segments_info": _described(segments, classes)})
        advance()
    categories = [
        {
            "id": class_id,
            "name": name,
            "supercategory": name,
            "isthing": int(_is_thing(class_id, classes)),
            "color": classes.palette[class_id].tolist(),
        }
        for name, class_id in classes.foreground.items()
    ]
    info = {"description": f"{frames.path.name}, labelled by perception label"}
    write_json(path, {"info": info, "images": images, "categories": categories, "annotations": annotations})


def segments_of(
    labels: NDArray[np.uint8], instances: NDArray[np.uint16] | None, classes: Classes
) -> NDArray[np.uint32]:
    """(H, W) ids of segments from (H, W) class ids and the instances of a network that tells things apart."""
    masked = np.zeros(256, np.uint32)
    ids = list(classes.foreground.values())
    masked[ids] = np.multiply(ids, INSTANCE_STEP)
    segments = masked[labels]
    return segments if instances is None else np.where(instances > 0, instances, segments)


def coloured(segments: NDArray[np.uint32]) -> NDArray[np.uint8]:
    """(H, W, 3) uint8 RGB as COCO stores (H, W) ids: red + 256 · green + 256² · blue."""
    return np.stack([segments >> shift & 255 for shift in (0, 8, 16)], -1).astype(np.uint8)


def _described(segments: NDArray[np.uint32], classes: Classes) -> list[dict[str, Any]]:
    described = []
    found = extents(segments)
    for code, (left, top, right, bottom), area in zip(*(each.tolist() for each in found), strict=True):
        class_id, number = divmod(code, INSTANCE_STEP)
        crowd = number == 0 and _is_thing(class_id, classes)
        box = [left, top, right - left + 1, bottom - top + 1]
        described.append({"id": code, "category_id": class_id, "area": area, "bbox": box, "iscrowd": int(crowd)})
    return described


def _is_thing(class_id: int, classes: Classes) -> bool:
    return int(classes.first[class_id]) in THINGS
