# SPDX-License-Identifier: Apache-2.0
"""A sample's training targets: class ids where a person is certain, probabilities where a teacher is not, else none."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from perception.classes import CLASSES, UNLABELLED
from perception.errors import DataError
from perception.sample import Sample
from perception.training.data.augment import Crop

SOFT_SCALE = 2
"""Soft labels are trained on at 1/SOFT_SCALE of the crop's resolution."""

SURE = 0.6
"""A soft label below this probability is not hardened to a class."""


def hard_labels(sample: Sample) -> NDArray[np.uint8]:
    """(H, W) class ids at the frame's size; soft labels are hardened where they are certain, else unlabelled.

    If a sample has both, its class ids are used. Raises DataError for a sample without either.
    """
    if sample.probabilities is None:
        if sample.labels is None:
            raise DataError(f"{sample.name}: no labels to train on")
        return sample.labels
    probabilities = cv2.resize(sample.probabilities, sample.frame.size, interpolation=cv2.INTER_LINEAR)
    labels = probabilities.argmax(2).astype(np.uint8)
    labels[probabilities.max(2) < SURE] = UNLABELLED
    if sample.labels is not None:
        np.copyto(labels, sample.labels, where=sample.labels != UNLABELLED)
    return labels


def certain_labels(sample: Sample) -> NDArray[np.uint8]:
    """(H, W) only the sample's class ids, without its soft labels: 255 everywhere if it has only those."""
    if sample.labels is not None:
        return sample.labels
    width, height = sample.frame.size
    return np.full((height, width), UNLABELLED, np.uint8)


def crop_soft(sample: Sample, crop: Crop, labels: NDArray[np.uint8], classes: int = len(CLASSES)) -> NDArray[np.uint8]:
    """(h/2, w/2, classes) uint8 soft labels of a crop (probability × 255), zeros where unknown.

    labels: (h, w) the crop's class ids, which take precedence where they are known.
    """
    small = crop.width // SOFT_SCALE, crop.height // SOFT_SCALE
    if sample.probabilities is None:
        return np.zeros((small[1], small[0], classes), np.uint8)
    height, width = sample.probabilities.shape[:2]
    to_frame = scaling(sample.frame.size[0] / width, sample.frame.size[1] / height)
    matrix = scaling(1 / SOFT_SCALE, 1 / SOFT_SCALE) @ crop.matrix @ to_frame
    soft = cv2.warpAffine(sample.probabilities, matrix[:2], small, flags=cv2.INTER_LINEAR)
    soft[soft.max(2) < 1 / classes + 1 / 255] = 0  # equal probabilities mean unknown
    known = cv2.resize(labels, small, interpolation=cv2.INTER_NEAREST) != UNLABELLED
    soft[known] = 0
    return np.asarray(soft * 255 + 0.5, np.uint8)


def scaling(x: float, y: float) -> NDArray[np.float64]:
    """(3, 3) from the pixels of an image to those of the same image x times as wide and y times as high."""
    return np.array([[x, 0, 0.5 * x - 0.5], [0, y, 0.5 * y - 0.5], [0, 0, 1]])
