# SPDX-License-Identifier: Apache-2.0
"""What every network says of the same six real frames."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from perception.comparing.parts import Part
from perception.disk import write_file
from perception.errors import DataError
from perception.evaluation.evaluate import fit, truth_of
from perception.pipeline import Pipeline
from perception.reporting.visualise import captioned, overlay
from perception.sample import Sample

COUNT = 6
WIDTH, HEIGHT = 240, 136
"""Of a frame in the picture, in pixels: others than 16:9 get a rim."""

STRIP = "pictures.jpg"
"""A network's own six frames, in its folder: other runs draw them again without asking it."""

QUALITY = 85

RGB = NDArray[np.uint8]


def shown(parts: Sequence[Part]) -> dict[str, Sample]:
    """COUNT real frames, from all sets in turn, by set and name."""
    real = [part for part in parts if part.real]
    found: dict[str, Sample] = {}
    for place, part in enumerate(real):
        wanted = len(range(place, COUNT, len(real)))
        for number in range(wanted):
            sample = part.frames[(2 * number + 1) * len(part.frames) // (2 * wanted)]
            found[f"{part.name}: {sample.name}"] = sample
    return found


def truth_strip(frames: Mapping[str, Sample]) -> RGB:
    """Two rows: the images, and the truth as far as pixels have any."""
    images, truths = [], []
    for sample in frames.values():
        assert sample.frame.rgb is not None
        truth = truth_of(sample)
        images.append(sample.frame.rgb)
        truths.append(
            sample.frame.rgb if truth is None else overlay(sample.frame.rgb, fit(truth, sample.frame.rgb[..., 0]))
        )
    return np.concatenate([_row(images, "image"), _row(truths, "truth")])


def strip(pipeline: Pipeline, frames: Mapping[str, Sample], name: str) -> RGB:
    """A row of what the network says of the frames."""
    drawn = []
    for sample in frames.values():
        assert sample.frame.rgb is not None
        labels = fit(pipeline(sample.frame).labels, sample.frame.rgb[..., 0])
        drawn.append(overlay(sample.frame.rgb, labels))
    return _row(drawn, name)


def write_strip(path: Path, image: RGB) -> None:
    """As JPEG: a picture of all networks would have ten megabytes as PNG. Raises as `write_file` does."""
    coded = cv2.imencode(".jpg", cv2.cvtColor(image, cv2.COLOR_RGB2BGR), (cv2.IMWRITE_JPEG_QUALITY, QUALITY))[1]
    write_file(path, coded.tobytes())


def sheet(rows: Sequence[Path]) -> RGB:
    """The rows below each other. Raises DataError for a file that is none of `write_strip`."""
    read = []
    for path in rows:
        image = cv2.imread(str(path))
        if image is None or image.shape[1] != COUNT * WIDTH:
            raise DataError(f"{path}: not a row of {COUNT} frames; remove it, and compare again")
        read.append(cv2.cvtColor(image, cv2.COLOR_BGR2RGB))
    return np.asarray(np.concatenate(read), np.uint8)


def _row(images: Sequence[RGB], name: str) -> RGB:
    cells = [_cell(image) for image in images]
    cells += [np.zeros((HEIGHT, WIDTH, 3), np.uint8)] * (COUNT - len(cells))
    cells[0] = captioned(cells[0], name)
    return np.concatenate(cells, axis=1)


def _cell(image: RGB) -> RGB:
    """Fitted into WIDTH×HEIGHT on black."""
    height, width = image.shape[:2]
    scale = min(WIDTH / width, HEIGHT / height)
    size = max(1, round(width * scale)), max(1, round(height * scale))
    small = cv2.resize(image, size, interpolation=cv2.INTER_AREA)
    cell = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
    top, left = (HEIGHT - size[1]) // 2, (WIDTH - size[0]) // 2
    cell[top : top + size[1], left : left + size[0]] = small
    return cell
