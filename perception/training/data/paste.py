# SPDX-License-Identifier: Apache-2.0
"""Copy-paste of vehicles and pedestrians from one frame into another, in every modality at once.

An object is placed where a camera would see it: at the same row below the horizon, in units of the magnification. With
a LiDAR or a depth camera the magnification follows from the two cameras, so that distances and heights stay true;
without them it is free (after Ghiasi et al., CVPR 2021, who place objects anywhere).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from perception.classes import BACKGROUND, PEDESTRIAN, ROAD, UNLABELLED, VEHICLE
from perception.frame import Frame
from perception.instances import free_code
from perception.sample import Sample
from perception.sensors import NetworkInput, encode
from perception.sensors.channels import AUX_CHANNELS
from perception.sensors.encode import AUX_SCALE, STRIDE
from perception.sensors.presence import keep_modalities
from perception.sensors.spec import sensors_of, splits_of
from perception.sensors.thermal import infrared_channels
from perception.settings import Settings
from perception.training.data.augment import Crop

GROUND: dict[int, tuple[int, ...]] = {VEHICLE: (ROAD,), PEDESTRIAN: (ROAD, BACKGROUND)}
"""The classes that an object of each class may stand on."""

SMALLEST, TALLEST = 14, 300
"""Heights in pixels of objects that are worth pasting, in their own frame and in the crop."""

_INFRARED = slice(AUX_CHANNELS["depth"], AUX_CHANNELS["depth"] + AUX_CHANNELS["infrared"])


class Cutout(NamedTuple):
    """An object that can be pasted: the number of its sample, its class, and its box in pixels of that frame."""

    sample: int
    class_id: int
    left: int
    top: int
    width: int
    height: int


@dataclass(frozen=True)
class Shelf:
    """The cutouts of a data set. horizon: its row as a share of the height, for frames whose camera is unknown."""

    samples: Sequence[Sample]
    cutouts: Mapping[int, Sequence[Cutout]]
    horizon: float


def find_cutouts(samples: Sequence[Sample]) -> dict[int, list[Cutout]]:
    """By class, the connected objects of `samples` that are complete (not cut by the border), upright and not tiny."""
    found: dict[int, list[Cutout]] = {VEHICLE: [], PEDESTRIAN: []}
    for number, sample in enumerate(samples):
        if sample.labels is None:
            continue
        height, width = sample.labels.shape
        # If only whole people are outlined, the ground below them is not labelled.
        people_alone = not np.isin(sample.labels, (BACKGROUND, ROAD, VEHICLE)).any()
        ground = (UNLABELLED,) if people_alone else (ROAD, BACKGROUND)
        for class_id, cutouts in found.items():
            stats = cv2.connectedComponentsWithStats((sample.labels == class_id).astype(np.uint8))[2]
            for left, top, w, h, area in stats[1:].tolist():
                whole = left > 1 and top > 1 and left + w < width - 1 and top + h < height - 1
                upright = 1.2 * w < h < 5 * w if class_id == PEDESTRIAN else 0.7 * h < w < 3 * h
                if not (whole and upright and SMALLEST <= h <= TALLEST and area > 0.4 * w * h):
                    continue
                # A rider's feet are not on the ground, and an occluded object ends at the occluding one.
                if np.isin(sample.labels[top + h, left : left + w], ground).all():
                    cutouts.append(Cutout(number, class_id, left, top, w, h))
    return found


@dataclass(frozen=True)
class Paste(Settings):
    """How often objects are pasted: into a `share` of the crops, 1 to `most` of them, `pedestrians` of them people."""

    share: float = 0.0
    most: int = 3
    pedestrians: float = 0.7

    def apply(self, target: Target, shelves: Sequence[Shelf], rng: np.random.Generator) -> None:
        """Paste into `target`, changing it; an object for which there is no place is left out."""
        if not self.share or not shelves or rng.random() >= self.share:
            return
        for _ in range(int(rng.integers(1, self.most + 1))):
            shelf = shelves[int(rng.integers(len(shelves)))]
            cutouts = shelf.cutouts[PEDESTRIAN if rng.random() < self.pedestrians else VEHICLE]
            if cutouts:
                paste(target, shelf, cutouts[int(rng.integers(len(cutouts)))], rng)


@dataclass
class Target:
    """The crop that is pasted into.

    frame: as cropped, before it was encoded. network_input, labels: of the crop; both are changed. scale: pixels of
    the crop per pixel of the original frame. horizon: row of the crop. height: rows of the whole frame. instances: of
    the crop, changed too: each object is a new one; None where they are unknown.
    """

    frame: Frame
    network_input: NetworkInput
    labels: NDArray[np.uint8]
    scale: float
    horizon: float
    height: int
    instances: NDArray[np.uint16] | None = None


def horizon_row(frame: Frame, share: float) -> float:
    """The row of the horizon of a level camera; if its model is unknown, from `share` of the height."""
    if frame.camera is None:
        return share * frame.size[1]
    return float(frame.camera.resized(*frame.size).intrinsics[1, 2])


def paste(target: Target, shelf: Shelf, cutout: Cutout, rng: np.random.Generator) -> bool:
    """Paste one object, in a random column, perhaps mirrored. False if none of the tried places fits."""
    sample = shelf.samples[cutout.sample]
    assert sample.labels is not None
    sensors = sensors_of(len(target.network_input.present), target.network_input.aux.shape[2])
    donor = _shared(sample.frame, target.network_input.present, sensors)
    if donor is None:
        return False
    scale = _magnification(target, sample.frame, rng)
    if scale is None:
        return False
    rows, columns = target.labels.shape
    horizon = horizon_row(sample.frame, shelf.horizon)
    top = target.horizon + scale * (cutout.top - horizon)
    width, height = scale * cutout.width, scale * cutout.height
    feet = round(top + height)
    if not (SMALLEST <= height <= TALLEST and top >= 1 and feet < rows - 1 and width < columns - 4):
        return False
    left = rng.uniform(2, columns - width - 2)
    standing = target.labels[feet, round(left) : round(left + width) + 1]
    if not np.isin(standing, GROUND[cutout.class_id]).all():
        return False  # off the ground, or behind another object
    window = _window(left, top, width, height, rows, columns)
    if window is None:
        return False
    # From the box's left and top edges in the window to their target positions.
    matrix = np.array([[scale, 0, left - scale * cutout.left], [0, scale, top - scale * cutout.top], [0, 0, 1.0]])
    if rng.random() < 0.5:
        matrix = np.array([[-1, 0, 2 * left + width], [0, 1, 0], [0, 0, 1.0]]) @ matrix
    matrix[:2, 2] -= window[0], window[1]
    patch = Crop(matrix, window[2], window[3])
    mask = patch.image(_mask(sample.labels, cutout), nearest=True)
    network_input = encode(patch.frame(replace(donor, infrared=None)), window[2], window[3], sensors=sensors)
    if donor.infrared is not None:
        network_input.aux[..., _INFRARED] = _infrared(donor, patch)
    _blend(target, network_input, mask, window, cutout.class_id)
    return True


def _shared(donor: Frame, present: NDArray[np.float32], sensors: Sequence[str]) -> Frame | None:
    """The donor with the crop's modalities; None if it lacks colours or temperatures that the crop has.

    Depth and LiDAR may have holes; colours and temperatures may not.
    """
    there = {name for name, value in zip(sensors, present, strict=True) if value}
    if there & {"rgb", "infrared"} - set(donor.modalities) or not there & set(donor.modalities):
        return None
    return keep_modalities(donor, sorted(there))


def _magnification(target: Target, donor: Frame, rng: np.random.Generator) -> float | None:
    """Pixels of the crop per pixel of the donor; None if depth needs both cameras and one is unknown."""
    camera, other = target.frame.camera, donor.camera
    measured = bool(target.network_input.present[[1, 3]].any())
    if camera is not None and other is not None:
        exact = float(camera.intrinsics[1, 1] / other.resized(*donor.size).intrinsics[1, 1])
        return exact if measured else exact * float(rng.uniform(0.8, 1.25))
    if measured:
        return None
    return float(target.scale * target.height / donor.size[1] * np.exp(rng.uniform(np.log(0.6), np.log(1.5))))


def _window(
    left: float, top: float, width: float, height: float, rows: int, columns: int
) -> tuple[int, int, int, int] | None:
    """Left, top, width and height of a window around a box that can be encoded and is in the crop; None if none."""
    w, h = (int(np.ceil((length + 4) / STRIDE)) * STRIDE for length in (width, height))
    if w > columns or h > rows:
        return None
    x = min(max(int(left) - 2, 0), columns - w) // AUX_SCALE * AUX_SCALE
    y = min(max(int(top) - 2, 0), rows - h) // AUX_SCALE * AUX_SCALE
    return x, y, w, h


def _mask(labels: NDArray[np.uint8], cutout: Cutout) -> NDArray[np.uint8]:
    """(H, W) 255 on the object: the largest connected part in its box."""
    box = np.s_[cutout.top : cutout.top + cutout.height, cutout.left : cutout.left + cutout.width]
    _, parts, stats, _ = cv2.connectedComponentsWithStats((labels[box] == cutout.class_id).astype(np.uint8))
    mask = np.zeros_like(labels)
    mask[box] = 255 * (parts == 1 + int(stats[1:, cv2.CC_STAT_AREA].argmax()))
    return mask


def _infrared(donor: Frame, patch: Crop) -> NDArray[np.uint8]:
    """(h/2, w/2, 3) the infrared channels of a patch, in the grey levels of the whole donor."""
    assert donor.infrared is not None
    planes = infrared_channels(donor.infrared, *donor.size)
    seen = patch.image(np.dstack(list(planes)))
    small = cv2.resize(seen, (patch.width // AUX_SCALE, patch.height // AUX_SCALE), interpolation=cv2.INTER_AREA)
    return np.asarray(small, np.uint8)


def _blend(
    target: Target, patch: NetworkInput, mask: NDArray[np.uint8], window: tuple[int, int, int, int], class_id: int
) -> None:
    x, y, w, h = window
    inside = np.s_[y : y + h, x : x + w]
    out = target.network_input
    if out.present[0]:
        seen: NDArray[Any] = out.rgb[inside]
        # Partly adapted to the brightness of its new surroundings, and with the soft edge of a lens.
        gain = float(np.clip(np.sqrt((seen.mean() + 8) / (patch.rgb.mean() + 8)), 0.5, 2))
        alpha = cv2.GaussianBlur(mask, (3, 3), 0)[..., None].astype(np.float32) / 255
        seen[:] = seen + alpha * (np.clip(patch.rgb * np.float32(gain), 0, 255) - seen)
    small = cv2.resize(mask, (w // AUX_SCALE, h // AUX_SCALE), interpolation=cv2.INTER_AREA) > 127
    half = np.s_[y // AUX_SCALE : (y + h) // AUX_SCALE, x // AUX_SCALE : (x + w) // AUX_SCALE]
    # The donor's modalities that the crop lacks are not pasted.
    there = np.repeat(out.present[1:].astype(np.uint8), splits_of(len(out.present), out.aux.shape[2]))
    out.aux[half][small] = patch.aux[small] * there
    target.labels[inside][mask > 0] = class_id
    if target.instances is not None:
        target.instances[inside][mask > 0] = free_code(target.instances, class_id)
