# SPDX-License-Identifier: Apache-2.0
"""A stored frame and PyTorch's labels for it, beside a model: does this machine's engine give the same labels?"""

from __future__ import annotations

from pathlib import Path
from zipfile import BadZipFile

import cv2
import numpy as np
from numpy.typing import NDArray

from perception.engines.base import Engine
from perception.errors import ModelError
from perception.sensors import NetworkInput

MIN_AGREEMENT = 0.98
"""Share of the stored labels that an engine must reproduce. INT8 reproduces 99 %; a broken driver or file far fewer."""

COARSE = 4
"""The stored frame consists of constant blocks of so many rows and columns, which keeps the file small."""


def path_of(model: Path) -> Path:
    """The file that belongs to a model's."""
    return model.with_suffix(".check.npz")


def write(model: Path, frame: NetworkInput, reference: Engine) -> Path:
    """Store `frame`, in constant blocks, and the labels that `reference` gives it, beside `model`."""
    coarse = NetworkInput(_coarsened(frame.rgb), _coarsened(frame.aux), frame.present)
    path = path_of(model)
    np.savez_compressed(path, labels=reference.infer(coarse).labels, **vars(coarse))
    return path


def check(engine: Engine, model: Path) -> float | None:
    """The share of the stored labels that `engine` reproduces; None if nothing is stored beside `model`.

    Raises ModelError if it is less than MIN_AGREEMENT, and for a file that cannot be read.
    """
    path = path_of(model)
    if not path.is_file():
        return None
    try:
        with np.load(path, allow_pickle=False) as stored:
            frame, labels = NetworkInput(stored["rgb"], stored["aux"], stored["present"]), stored["labels"]
    except (OSError, ValueError, KeyError, BadZipFile) as error:
        raise ModelError(f"{path}: cannot be read ({error}); make it again with `perception export`") from error
    agreement = float(np.mean(engine.infer(frame).labels == labels))
    if agreement < MIN_AGREEMENT:
        raise ModelError(
            f"{model.name}: engine {engine.name} gives {agreement:.1%} of the labels stored in {path.name}, at least "
            f"{MIN_AGREEMENT:.0%} are needed: the file or the engine's driver is broken; try another engine"
        )
    return agreement


def _coarsened(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    height, width = image.shape[0] // COARSE * COARSE, image.shape[1] // COARSE * COARSE
    small = cv2.resize(image[:height, :width], (width // COARSE, height // COARSE), interpolation=cv2.INTER_AREA)
    blocks = np.asarray(small, np.uint8).repeat(COARSE, 0).repeat(COARSE, 1)
    return np.ascontiguousarray(blocks)
