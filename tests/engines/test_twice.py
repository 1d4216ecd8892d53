# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from perception.classes import BACKGROUND, PEDESTRIAN, ROAD, VEHICLE
from perception.engines.base import NetworkOutput
from perception.engines.twice import Twice, combined, mirrored, once_of
from perception.pipeline import Pipeline
from perception.sensors import NetworkInput

HEIGHT, WIDTH = 128, 256


def network_input(channels: int = 10) -> NetworkInput:
    """The image and every auxiliary channel are brighter to the right."""
    rgb = np.broadcast_to(np.arange(WIDTH, dtype=np.uint8)[None, :, None], (HEIGHT, WIDTH, 3)).copy()
    aux = np.broadcast_to(np.arange(WIDTH // 2, dtype=np.uint8)[None, :, None], (HEIGHT // 2, WIDTH // 2, channels))
    return NetworkInput(rgb, aux.copy(), np.ones(4, np.float32))


class Bright:
    """Says where the image is bright, more surely the larger it is; notes what it is given."""

    name = "bright"
    sensors = ("rgb", "lidar")
    needs = ("rgb",)

    def __init__(self) -> None:
        self.given: list[NetworkInput] = []

    def infer(self, network_input: NetworkInput) -> NetworkOutput:
        self.given.append(network_input)
        labels = np.where(network_input.rgb[..., 0] >= 128, VEHICLE, ROAD).astype(np.uint8)
        return NetworkOutput(labels, np.full_like(labels, 200), np.array([0.5, 0.5], np.float32))


@pytest.mark.parametrize("channels", [10, 0])
def test_the_second_look_is_mirrored_and_smaller(channels: int) -> None:
    seen = mirrored(network_input(channels))
    assert seen.rgb.shape == (96, 192, 3)
    assert seen.aux.shape == (48, 96, channels)
    assert (np.diff(seen.rgb[0, :, 0].astype(int)) < 0).all()
    if channels:
        row = seen.aux[0, :, 0]
        assert (np.diff(row.astype(int)) < 0).all()
        assert set(row.tolist()) <= set(range(WIDTH // 2))  # none is a mean
    assert seen.rgb.flags.c_contiguous
    assert seen.aux.flags.c_contiguous


def test_left_is_left_again_and_the_engine_is_asked_twice() -> None:
    engine = Bright()
    found = Twice(engine).infer(network_input())
    assert [given.rgb.shape[:2] for given in engine.given] == [(128, 256), (96, 192)]
    wanted = np.where(np.arange(WIDTH) >= 128, VEHICLE, ROAD)
    assert (found.labels == wanted).mean() > 0.99
    assert found.confidence[5, 20] == found.confidence[5, 240] == 200


def test_both_looks_are_prepared_where_the_engine_can(monkeypatch: pytest.MonkeyPatch) -> None:
    engine, sizes = Bright(), list[tuple[int, int]]()
    Twice(engine).prepare(128, 256)  # nothing to do
    monkeypatch.setattr(engine, "prepare", lambda *size: sizes.append(size), raising=False)
    Twice(engine).prepare(128, 256)
    assert sizes == [(128, 256), (96, 192)]


def test_it_is_an_engine_as_the_one_that_it_asks() -> None:
    engine = Bright()
    twice = Twice(engine)
    assert (twice.sensors, twice.needs, twice.name) == (("rgb", "lidar"), ("rgb",), "bright, twice")
    assert once_of(twice) is engine
    assert once_of(engine) is engine


def one(label: int, sure: float, weights: tuple[float, ...] = (1.0, 0.0)) -> NetworkOutput:
    """Of a frame without content."""
    labels = np.full((64, 64), label, np.uint8)
    return NetworkOutput(labels, np.full_like(labels, round(255 * sure)), np.array(weights, np.float32))


def test_the_surer_look_decides_and_is_as_sure_as_both_on_average() -> None:
    same = combined(one(ROAD, 0.9), one(ROAD, 0.7))
    assert (same.labels == ROAD).all()
    np.testing.assert_allclose(same.confidence / 255, 0.8, atol=0.005)
    for first, second in ((one(ROAD, 0.6), one(VEHICLE, 0.9)), (one(VEHICLE, 0.9), one(ROAD, 0.6))):
        found = combined(first, second)
        assert (found.labels == VEHICLE).all()
        np.testing.assert_allclose(found.confidence / 255, (0.9 + 0.4) / 2, atol=0.005)
    assert (combined(one(PEDESTRIAN, 0.7), one(BACKGROUND, 0.7)).labels == PEDESTRIAN).all()


def test_the_rest_is_of_the_first_look_and_weights_are_the_mean() -> None:
    centres = np.zeros((4, 16, 16), np.float32)
    first = one(ROAD, 0.9)._replace(instances=centres)
    found = combined(first, one(ROAD, 0.9, (0.0, 1.0)))
    assert found.instances is centres
    assert found.weights.tolist() == [0.5, 0.5]
    assert (first.labels == ROAD).all()


def test_outputs_of_a_model_that_looks_once_are_left_as_they_are() -> None:
    first, second = one(ROAD, 0.6), one(VEHICLE, 0.9)
    combined(first, second)
    assert (first.labels == ROAD).all()
    assert (first.confidence == round(255 * 0.6)).all()


def test_a_pipeline_looks_twice_if_the_name_says_so(tiny_model: Path) -> None:
    pipeline = Pipeline.load(f"{tiny_model}@0.5x2", threads=1)
    assert pipeline.name == f"{tiny_model.name}@0.5x2"
    assert pipeline.engine.name.endswith("twice")
    assert Pipeline.load(f"{tiny_model}@1x2", threads=1).self_check() == Pipeline.load(tiny_model).self_check()
