# SPDX-License-Identifier: Apache-2.0
"""Real pairs of a visible and a thermal or a stereo image, with truth marked by hand; draws them for checking.

    python benchmarks/truth.py DATA -o out/truth

DATA: the folder of data sets, which has the images; `benchmarks/truth/*.json` has the marks alone. One PNG a pair: the
visible image (brightened) and the thermal one, or nearness, with outlines, and the labels in their classes' colours.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from perception.classes import BACKGROUND, CLASS_NAMES, FOREGROUND, PALETTE, UNLABELLED, colourise
from perception.datasets.cityscapes_stereo import CityscapesStereo
from perception.datasets.io.files import find_image, list_images, read_mono, read_rgb, read_text
from perception.datasets.io.lazy import LazySequence
from perception.errors import DataError
from perception.frame import Frame
from perception.sample import Sample

MARKS = Path(__file__).resolve().parent / "truth"
STEREO = "cityscapes-stereo"
SETS = {STEREO: "cityscapes_stereo", "msrs-more": "msrs_more", "roadscene": "roadscene"}
"""Folder in DATA by set."""

PAINTED: dict[str, int] = {"ground": UNLABELLED, **FOREGROUND, "unknown": UNLABELLED}
"""Class ids in the order of painting: what comes later covers what came before. Everything else is background.

ground: what may be road or not, with things on it that are known. unknown: whatever else nobody can tell.
"""

UNKNOWN_COLOUR = (255, 230, 0)

COMPANION = 0.05
"""Of the warm pieces in a box, those of at least this share of the largest one's area are taken."""


def load(path: Path, data_root: Path, night: bool | None = None) -> Sequence[Sample]:
    """The pairs of a file of marks, with rgb, infrared or depth, and labels; images are read when they are asked for.

    night: only the pairs by night, or only those by day. Raises DataError for marks that are not valid (see `check`)
    and, when indexed, for images that are missing or of another size.
    """
    marks = json.loads(read_text(path))
    if marks.get("set") not in SETS:
        raise DataError(f"{path}: set {marks.get('set')!r}: choose one of {', '.join(SETS)}")
    for name, pair in marks["pairs"].items():
        check(f"{path}: {name}", pair, thermal=marks["set"] != STEREO)
    kept = {name: pair for name, pair in marks["pairs"].items() if night is None or pair["night"] == night}
    root = data_root / SETS[marks["set"]]
    return MarkedStereo(root, kept) if marks["set"] == STEREO else MarkedPairs(root, kept)


class MarkedPairs(LazySequence[Sample]):
    """ROOT/visible/NAME.* with ROOT/infrared/NAME.* and the marks of NAME."""

    def __init__(self, root: Path, pairs: Mapping[str, Mapping[str, Any]]) -> None:
        self._root, self._pairs = root, list(pairs.items())

    def __len__(self) -> int:
        return len(self._pairs)

    def read(self, index: int) -> Sample:
        """Pair number `index`."""
        name, marks = self._pairs[index]
        rgb, infrared = read_rgb(self._find("visible", name)), read_mono(self._find("infrared", name))
        size = list(marks["size"])
        for folder, image in (("visible", rgb), ("infrared", infrared)):
            if [image.shape[1], image.shape[0]] != size:
                shape = f"{image.shape[1]}×{image.shape[0]}"
                raise DataError(f"{self._root / folder}/{name}: {shape} pixels, was marked at {size[0]}×{size[1]}")
        return Sample(name, Frame(stamp_ns=0, rgb=rgb, infrared=infrared), labels=rasterise(marks, infrared))

    def _find(self, folder: str, name: str) -> Path:
        found = find_image(self._root / folder, name)
        if found is None:
            raise DataError(f"{self._root / folder}: no image {name}, which has been marked")
        return found


class MarkedStereo(MarkedPairs):
    """ROOT/left/NAME.* with its depth and camera, as CityscapesStereo reads them, and the marks of NAME."""

    def read(self, index: int) -> Sample:
        """Image number `index`."""
        name, marks = self._pairs[index]
        names = [path.stem for path in list_images(self._root / "left", "left images of Cityscapes")]
        if name not in names:
            raise DataError(f"{self._root / 'left'}: no image {name}, which has been marked")
        sample = CityscapesStereo(self._root, "all")[names.index(name)]
        (width, height), size = sample.frame.size, list(marks["size"])
        if [width, height] != size:
            raise DataError(f"{self._root}/{name}: {width}×{height} pixels, was marked at {size[0]}×{size[1]}")
        return replace(sample, labels=rasterise(marks))


def check(where: str, pair: Mapping[str, Any], thermal: bool = True) -> None:
    """Raises DataError for unknown keys, for shapes that are no shapes or not inside the image, and for boxes where no
    image is thermal.
    """
    unknown = sorted(set(pair) - {"size", "night", *PAINTED})
    if unknown:
        raise DataError(f"{where}: unknown {unknown[0]!r}: choose of size, night, {', '.join(PAINTED)}")
    limit = np.array(pair["size"])
    for key in PAINTED:
        for shape in pair.get(key, []):
            box = isinstance(shape, dict)
            corners = np.reshape(shape["box"], (-1, 2)) if box else np.array(shape)
            if box and not (thermal and key in ("vehicle", "pedestrian")):
                lacking = "" if thermal else " without a thermal image"
                raise DataError(
                    f"{where}: a box with a threshold is for vehicle and pedestrian, not for {key}{lacking}"
                )
            if box and not (0 < shape["above"] < 1 and (corners[0] < corners[1]).all()):
                raise DataError(f"{where}: {key} {shape}: expected x0 < x1, y0 < y1 and 0 < above < 1")
            if corners.ndim != 2 or corners.shape[1] != 2 or len(corners) < (2 if box else 3):
                raise DataError(f"{where}: {key} {shape}: expected at least three corners [x, y]")
            if (corners < 0).any() or (corners > limit).any():
                raise DataError(f"{where}: {key} {shape}: outside the image of {limit[0]}×{limit[1]} pixels")


def rasterise(pair: Mapping[str, Any], infrared: NDArray[Any] | None = None) -> NDArray[np.uint8]:
    """(H, W) uint8 class ids of marks: background, then PAINTED in its order. infrared: (H, W), for boxes."""
    width, height = pair["size"]
    labels = np.full((height, width), BACKGROUND, np.uint8)
    scaled = np.zeros(labels.shape, np.float32) if infrared is None else stretch(infrared)
    for key, class_id in PAINTED.items():
        for shape in pair.get(key, []):
            if isinstance(shape, dict):
                labels[warm(scaled, shape["box"], shape["above"])] = class_id
            else:
                cv2.fillPoly(labels, [np.array(shape, np.int32)], class_id)
    return labels


def stretch(infrared: NDArray[Any]) -> NDArray[np.float32]:
    """(H, W) float32 in 0–1, from the 1st to the 99th percentile."""
    low, high = np.percentile(infrared, (1, 99))
    scaled: NDArray[np.float32] = np.clip((infrared.astype(np.float32) - low) / max(high - low, 1), 0, 1)
    return scaled


def warm(scaled: NDArray[np.float32], box: Sequence[int], above: float) -> NDArray[np.bool_]:
    """(H, W) mask of the largest warm pieces in `box` (x0, y0, x1, y1), their holes filled.

    scaled: see `stretch`. above: the threshold of warmth, 0–1.
    """
    x0, y0, x1, y1 = box
    found = np.zeros(scaled.shape, np.uint8)
    inside = (scaled[y0:y1, x0:x1] > above).astype(np.uint8)
    pieces, _ = cv2.findContours(inside, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    filled = [cv2.drawContours(np.zeros_like(inside), [piece], -1, 1, cv2.FILLED) for piece in pieces]
    largest = max((int(piece.sum()) for piece in filled), default=0)
    for piece in filled:
        if piece.sum() >= COMPANION * largest:
            found[y0:y1, x0:x1] |= piece
    return found.astype(bool)


def picture(sample: Sample) -> NDArray[np.uint8]:
    """(H, 3 W, 3) uint8 RGB: visible with outlines, thermal or nearness with outlines, labels."""
    rgb, infrared, depth, labels = sample.frame.rgb, sample.frame.infrared, sample.frame.depth, sample.labels
    assert rgb is not None
    assert labels is not None
    if infrared is None:
        assert depth is not None
        infrared = np.nan_to_num(100 / depth)
    gamma = min(1.0, np.log(0.4) / np.log(rgb.mean() / 255 + 1e-6))
    bright = (255 * (rgb / 255) ** gamma).astype(np.uint8)
    grey = np.repeat((255 * stretch(infrared)).astype(np.uint8)[..., None], 3, axis=2)
    coloured = colourise(labels)
    for class_id in PAINTED.values():
        edges, _ = cv2.findContours((labels == class_id).astype(np.uint8), cv2.RETR_LIST, cv2.CHAIN_APPROX_NONE)
        colour = UNKNOWN_COLOUR if class_id == UNLABELLED else PALETTE[class_id].tolist()
        for image in (bright, grey):
            cv2.drawContours(image, edges, -1, colour, 1)
    return np.hstack([bright, grey, coloured])


def shares(samples: Iterable[Sample]) -> dict[str, int]:
    """Pixels by class, and of unknown."""
    counts = dict.fromkeys((*CLASS_NAMES, "unknown"), 0)
    for sample in samples:
        for name, class_id in zip(counts, (*range(len(CLASS_NAMES)), UNLABELLED), strict=True):
            counts[name] += int((sample.labels == class_id).sum())
    return counts


def main() -> None:
    """Draw every marked pair, and print how many pixels of each class there are."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("-o", "--output", type=Path, default=Path("out/truth"))
    options = parser.parse_args()
    options.output.mkdir(parents=True, exist_ok=True)
    for name in SETS:
        for night in (True, False):
            samples = list(load(MARKS / f"{name}.json", options.data, night))
            for sample in samples:
                cv2.imwrite(str(options.output / f"{name}-{sample.name}.png"), picture(sample)[..., ::-1])
            if samples:
                counts = shares(samples)
                total = sum(counts.values())
                parts = ", ".join(f"{key} {count} ({count / total:.1%})" for key, count in counts.items())
                print(f"{name} by {'night' if night else 'day'}: {len(samples)} pairs; {parts}")


if __name__ == "__main__":
    main()
