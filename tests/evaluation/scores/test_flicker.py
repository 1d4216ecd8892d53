# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import math

import numpy as np
import pytest

from perception import Frame
from perception.classes import UNLABELLED
from perception.evaluation.scores.flicker import Flicker


def image(shift: int) -> np.ndarray:
    """(80, 200, 3) noise, smoothed, that moves to the right."""
    rng = np.random.default_rng(0)
    noise = np.kron(rng.integers(30, 226, (12, 40)).astype(np.float32), np.ones((8, 8), np.float32))
    for axis in (0, 1):
        noise = np.apply_along_axis(np.convolve, axis, noise, np.ones(9) / 9, "same")
    return np.repeat(noise[8:88, 60 - shift : 260 - shift, None], 3, 2).astype(np.uint8)


def add(flicker: Flicker, labels: np.ndarray, shift: int = 0) -> None:
    flicker.add(Frame(0, rgb=image(shift)), labels)


def test_unknown_before_two_frames() -> None:
    flicker = Flicker()
    assert math.isnan(flicker.share)
    add(flicker, np.zeros((80, 200), np.uint8))
    assert math.isnan(flicker.share)


def test_labels_that_move_with_the_image_are_steady() -> None:
    flicker = Flicker()
    for shift in (0, 5):
        labels = np.zeros((80, 200), np.uint8)
        labels[:, 100 + shift :] = 2
        add(flicker, labels, shift)
    assert flicker.pixels > 0.7 * 80 * 200
    assert flicker.share < 0.002


def test_a_block_that_changes_its_class_counts() -> None:
    """20×40 of 80×200 pixels: 5 % of all."""
    flicker = Flicker()
    labels = np.zeros((80, 200), np.uint8)
    add(flicker, labels)
    changed = labels.copy()
    changed[30:50, 80:120] = 3
    add(flicker, changed)
    assert flicker.changed == 20 * 40
    assert flicker.share == pytest.approx(0.05, abs=0.004)


def test_unlabelled_pixels_do_not_count() -> None:
    flicker = Flicker()
    labels = np.zeros((80, 200), np.uint8)
    labels[:40] = UNLABELLED
    add(flicker, labels)
    add(flicker, labels)
    assert flicker.pixels <= 40 * 200
    assert flicker.share == 0


def test_nothing_is_compared_over_a_restart_or_without_an_image() -> None:
    flicker = Flicker()
    add(flicker, np.zeros((80, 200), np.uint8))
    flicker.restart()
    add(flicker, np.ones((80, 200), np.uint8))
    flicker.add(Frame(0, depth=np.ones((80, 200), np.float32)), np.zeros((80, 200), np.uint8))
    add(flicker, np.zeros((80, 200), np.uint8))
    assert math.isnan(flicker.share)
