# SPDX-License-Identifier: Apache-2.0
"""Plots are looked at by their colours: what must be drawn has pixels of its colour, what must not has none."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from matplotlib.colors import to_rgb

from perception.classes import CLASSES
from perception.reporting import plots
from perception.reporting.dropout import Dropout


def pixels(png: bytes, colour: Any) -> int:
    """How many pixels of the picture have that colour."""
    image = cv2.imdecode(np.frombuffer(png, np.uint8), cv2.IMREAD_COLOR)[..., ::-1].astype(int)
    wanted = np.round(np.array(to_rgb(colour)) * 255)
    return int((np.abs(image - wanted).max(axis=2) <= 3).sum())


def frames(*latencies: float | None) -> list[dict[str, Any]]:
    return [{"time_s": i / 10, "latency_ms": latency} for i, latency in enumerate(latencies)]


def test_a_dropped_frame_has_a_tick_of_alarm() -> None:
    whole = plots.latency_plot(frames(40.0, 50.0, 45.0), {"p50": 45.0, "p95": 50.0})
    dropped = plots.latency_plot(frames(40.0, None, 45.0), {"p50": 45.0, "p95": None})
    assert pixels(whole, plots.ALARM) == 0
    assert pixels(dropped, plots.ALARM) > 20
    assert pixels(whole, plots.CALM) > 100
    assert pixels(plots.latency_plot(frames(None, None), {}), plots.CALM) == 0


def test_a_class_that_was_never_seen_has_no_line() -> None:
    series = [{"time_s": i, "iou": {"road": 0.5 + 0.1 * i, "vehicle": None, "pedestrian": 0.2}} for i in range(4)]
    found = plots.iou_over_time_plot([*series, {"time_s": 4, "iou": None}])
    seen = {name: pixels(found, plots.class_colour(name, CLASSES)) for name in CLASSES.foreground}
    assert seen["vehicle"] == 0
    assert min(seen["road"], seen["pedestrian"]) > 100


def test_weights_of_usual_sensors_are_always_drawn_and_of_further_ones_where_they_count() -> None:
    usual = [{"time_s": float(i), "rgb": 0.6, "lidar": 0.4} for i in range(3)]
    radar = [{**entry, "radar": 0.2} for entry in usual]
    colour = plots.MODALITY_COLOURS["radar"]
    assert pixels(plots.weights_plot(usual), colour) == 0
    assert pixels(plots.weights_plot(radar), colour) > 100
    assert pixels(plots.weights_plot(usual), plots.MODALITY_COLOURS["infrared"]) > 100  # at zero


def test_a_dropout_is_shaded_over_its_time() -> None:
    series = [{"time_s": float(i), "rgb": 0.6, "lidar": 0.4} for i in range(11)]
    red = np.array(to_rgb(plots.MODALITY_COLOURS["lidar"]))
    shade = 0.18 * red + 0.82
    short = pixels(plots.weights_plot(series, [Dropout("lidar", 2.0, 3.0)]), shade)
    long = pixels(plots.weights_plot(series, [Dropout("lidar", 2.0, 8.0)]), shade)
    assert pixels(plots.weights_plot(series), shade) < short / 10
    assert 4.5 < long / short < 7.5


def test_a_class_has_the_colour_of_its_masks() -> None:
    for name, number in CLASSES.foreground.items():
        np.testing.assert_allclose(np.array(plots.class_colour(name, CLASSES)) * 255, CLASSES.palette[number])
