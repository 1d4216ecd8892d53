# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from perception.classes import CLASSES
from perception.selection.page import MOST, WIDTH, figure, page, picture
from perception.selection.report import Chosen, SelectReport

CHOSEN = Chosen(
    rank=1, image="0001_a_000", input="/drives/a", labelled="/labels/a", frame="000", stamp_ns=0, score=4.5, values={},
    tails={}, reasons=["it flickers", "it is <rare>"],
)  # fmt: skip

REPORT = SelectReport(
    frames=10, drives=2, model="a_network", measured={"flicker": 8}, holding={"road": 1.0}, notes=["a note"],
    left_out={}, files=["cvat.zip"], seconds=1.0, chosen=[CHOSEN],
)  # fmt: skip


@pytest.mark.parametrize(("size", "across", "down"), [((40, 120), WIDTH, 2 * 413), ((60, 80), WIDTH, 465)])
def test_image_and_masks_are_beside_or_below_each_other(size: tuple[int, int], across: int, down: int) -> None:
    for image in (np.full((*size, 3), 90, np.uint8), np.full(size, 90, np.uint8)):
        assert picture(image, np.ones(size, np.uint8), None, CLASSES).shape == (down, across, 3)


def test_doubt_is_yellow() -> None:
    labels, doubt = np.zeros((60, 80), np.uint8), np.zeros((60, 80), bool)
    doubt[:, 70:] = True
    drawn = picture(np.full((60, 80, 3), 90, np.uint8), labels, doubt, CLASSES)
    assert drawn[300, 610].tolist() == [90, 90, 90]
    red, green, blue = drawn[300, 1230].tolist()
    assert red > 190
    assert green > 170
    assert blue < 40


def test_a_page_of_very_many_frames_says_that_it_shows_the_first() -> None:
    many = replace(REPORT, chosen=[CHOSEN] * (MOST + 1))
    assert "The first 200 have pictures." in page(many, []).html()
    assert "have pictures" not in page(REPORT, []).html()


def test_the_page_says_why() -> None:
    text = page(REPORT, [figure(CHOSEN, np.zeros((20, 40, 3), np.uint8))]).html()
    assert "1. 0001_a_000 — it flickers; it is &lt;rare&gt;." in text
    assert "1 frames to label" in text
    assert "a note" in text
    assert "/drives/a" in text
