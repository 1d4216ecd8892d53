# SPDX-License-Identifier: Apache-2.0
"""The share of people's pixels that are found, by how tall the people are."""

from __future__ import annotations

import math

import cv2
import numpy as np
import pytest

from perception.classes import PEDESTRIAN
from perception.datasets.penn_fudan import PennFudan
from perception.evaluation.scores.size_recall import BANDS, Band, found_share
from perception.frame import Frame, Prediction

SIZE = 120, 360
"""Rows and columns of the photograph, whose people are 90 pixels tall, red, and 30 pixels tall, blue."""


@pytest.fixture
def people(tmp_path):
    image, ids = np.zeros((*SIZE, 3), np.uint8), np.zeros(SIZE, np.uint8)
    image[6:96, 30:60, 2] = 255  # OpenCV's order
    ids[6:96, 30:60] = 1
    image[30:60, 120:180, 0] = 255
    ids[30:60, 120:180] = 2
    for folder, content in (("images", image), ("instances", ids)):
        (tmp_path / folder).mkdir()
        cv2.imwrite(str(tmp_path / folder / "Ped1.png"), content)
    return PennFudan(tmp_path, "all")


def red(frame: Frame) -> Prediction:
    """Calls the upper two thirds of red people pedestrians."""
    labels = np.where(frame.rgb[..., 0] > 127, PEDESTRIAN, 0).astype(np.uint8)
    labels[round(66 / 120 * len(labels)) :] = 0
    return Prediction(frame.stamp_ns, labels, labels, {"rgb": 1.0})


@pytest.mark.parametrize("scale", [1, 1 / 3, 1 / 6])
def test_only_the_people_of_the_band_count(people, scale):
    tall, small = Band(scale, 80 * scale, 100 * scale), Band(scale, 20 * scale, 40 * scale)
    assert found_share(red, people, tall) == pytest.approx(2 / 3)
    assert found_share(red, people, small) == 0
    assert found_share(red, people, Band(scale, 20 * scale, 100 * scale)) == pytest.approx(1800 / 4500)


def test_the_picture_is_scaled_before_it_is_seen(people):
    sizes = []

    def seen(frame: Frame) -> Prediction:
        sizes.append(frame.size)
        return red(frame)

    found_share(seen, people, Band(1 / 3, 25, 35))
    assert sizes == [(120, 40)]


def test_without_such_people_there_is_no_share(people):
    assert math.isnan(found_share(red, people, BANDS["near"]))


def test_every_real_photograph_has_people_of_each_band(real_data):
    samples = PennFudan(real_data / "penn_fudan")

    def everywhere(frame: Frame) -> Prediction:
        pixels.append(frame.size[0] * frame.size[1])
        labels = np.full(frame.size[::-1], PEDESTRIAN, np.uint8)
        return Prediction(0, labels, labels, {"rgb": 1.0})

    for band in BANDS.values():
        pixels: list[int] = []
        assert found_share(everywhere, samples, band) == 1
        assert len(pixels) == len(samples)
