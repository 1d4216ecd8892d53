# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import numpy as np

from perception.sensors import Projection
from perception.training.checks.white_sky import white_sky

HEIGHT, WIDTH = 40, 60


def _projection(highest: int) -> Projection:
    """A point in every second column, in the row `highest` and below it."""
    columns = np.arange(0, WIDTH, 2)
    uv = np.concatenate([np.stack([columns, np.full(len(columns), row)], 1) for row in (highest, highest + 10)])
    return Projection(uv.astype(np.float32), np.ones((len(uv), 3), np.float32), np.arange(len(uv)), WIDTH, HEIGHT)


def _image(*patches: tuple[slice, slice]) -> np.ndarray:
    image = np.full((HEIGHT, WIDTH, 3), 90, np.uint8)
    for patch in patches:
        image[patch] = 255
    return image


UNSURE = np.full((HEIGHT, WIDTH), 0.55, np.float32)


def test_white_up_to_the_upper_edge_is_sky() -> None:
    sky = white_sky(_image(np.s_[:10, 5:30]), _projection(20), UNSURE)
    assert sky[:10, 5:30].all()
    assert sky.sum() == 250


def test_highlights_and_white_walls_are_not() -> None:
    """A patch in the middle of something, one of three pixels at the edge, and one that a beam meets."""
    assert not white_sky(_image(np.s_[5:15, 5:30], np.s_[:20, 40:43]), _projection(20), UNSURE).any()
    assert not white_sky(_image(np.s_[:10, 5:30]), _projection(0), UNSURE).any()


def test_a_sure_vehicle_stays_one() -> None:
    assert not white_sky(_image(np.s_[:10, 5:30]), _projection(20), np.full_like(UNSURE, 0.99)).any()
