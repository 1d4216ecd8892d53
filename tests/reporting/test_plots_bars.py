# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import cv2
import numpy as np
import pytest

from perception.classes import CLASSES
from perception.reporting.plots_bars import bars_plot, distance_plot, drops_plot, iou_plot


def widths(png: bytes, colour: np.ndarray) -> list[int]:
    """The widths of the bars of that colour from above, pixels."""
    image = cv2.imdecode(np.frombuffer(png, np.uint8), cv2.IMREAD_COLOR)[..., ::-1].astype(int)
    mask = (np.abs(image - np.round(colour)).max(axis=2) <= 3).astype(np.uint8)
    _, _, stats, _ = cv2.connectedComponentsWithStats(mask)
    bars = sorted((stat for stat in stats[1:] if stat[4] > 60), key=lambda stat: stat[1])
    return [int(stat[2]) for stat in bars]


RED, BLUE = np.array([255.0, 0, 0]), np.array([0.0, 0, 255])


def test_bars_are_as_long_as_their_values_from_above() -> None:
    first, second, third = widths(bars_plot("t", {"a": 1.0, "b": 4.0, "c": 2.0}, colours="#ff0000"), RED)
    assert second / first == pytest.approx(4, rel=0.05)
    assert third / first == pytest.approx(2, rel=0.05)


def test_an_unknown_value_has_no_bar() -> None:
    assert len(widths(bars_plot("t", {"a": None, "b": 4.0, "c": 0.0}, colours="#0000ff"), BLUE)) == 1
    assert widths(bars_plot("t", {}, colours="#0000ff"), BLUE) == []


def test_iou_runs_from_nothing_to_one_in_each_classs_colour() -> None:
    found = iou_plot({"road": 0.9, "vehicle": 0.45, "pedestrian": None})
    lengths = {
        name: widths(found, CLASSES.palette[number].astype(float)) for name, number in CLASSES.foreground.items()
    }
    assert lengths["pedestrian"] == []
    assert lengths["road"][0] / lengths["vehicle"][0] == pytest.approx(2, rel=0.05)


def test_drops_are_whole_numbers_in_the_colour_of_alarm() -> None:
    one, two = widths(drops_plot({"superseded": 1, "late": 3}), np.array([0xC8, 0x32, 0x2B], float))
    assert two / one == pytest.approx(3, rel=0.05)


def test_every_band_has_a_bar_of_each_class() -> None:
    bands = {
        "0–15 m": {"iou": {"road": 0.9, "vehicle": 0.8, "pedestrian": 0.7}},
        "15–30 m": {"iou": {"road": 0.8, "vehicle": 0.5, "pedestrian": None}},
    }
    found = distance_plot(bands)
    for name, count in (("road", 2), ("vehicle", 2), ("pedestrian", 1)):
        colour = CLASSES.palette[CLASSES.foreground[name]].astype(float)
        assert len(widths(found, colour)) == count + 1  # and the legend's patch
