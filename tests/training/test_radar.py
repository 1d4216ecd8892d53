# SPDX-License-Identifier: Apache-2.0
"""A network with the channels of a radar: trained, run, exported; and how the shipped one handles a radar."""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("torch")
pytest.importorskip("mmseg")

from helpers.recipes import small

from perception.engines.weights import load_weights
from perception.errors import FrameError, ModelError
from perception.frame import MODALITIES, Frame
from perception.pipeline import Pipeline
from perception.sensors.presence import keep_modalities
from perception.simulation import SimulatedDrive
from perception.simulation.storage import write_drive
from perception.training.train import Options, train

SENSORS = (*MODALITIES, "radar")


@pytest.fixture(scope="module")
def drive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    drive = SimulatedDrive(3, frames=2, scale=0.1, further=("radar",))
    return write_drive(drive, tmp_path_factory.mktemp("simulated") / "drive")


@pytest.fixture(scope="module")
def frame() -> Frame:
    return SimulatedDrive(3, frames=2, scale=0.1, further=("radar",))[0].frame


@pytest.fixture
def weights(small_config: Callable[[str], Any], drive: Path, tmp_path: Path) -> Path:
    options = Options([("simulated", drive)], tmp_path, iterations=2, workers=0)
    return train(small_config("dual_branch_s_radar"), small(), options, lambda _: None)


def test_it_trains_and_runs_with_any_of_its_sensors(weights: Path, frame: Frame) -> None:
    state, model = load_weights(weights)
    assert model["backbone"]["aux_stem"]["modalities"]["radar"] == 4
    assert state["backbone.aux_stem.stems.3.conv.weight"].shape[1] == 4
    pipeline = Pipeline.load(weights, engine="torch", threads=1)
    assert pipeline.sensors == SENSORS
    for kept in (SENSORS, ("rgb", "radar"), ("radar",), MODALITIES):
        prediction = pipeline(keep_modalities(frame, kept))
        assert not prediction.absent
        assert tuple(prediction.modality_weights) == SENSORS
        assert {name for name, weight in prediction.modality_weights.items() if weight > 0} == set(kept)
        assert prediction.labels.shape == (38, 124)
    without = Pipeline(pipeline.engine, pipeline.model, without=["radar"])(frame)
    assert without.absent == {"radar": "radar is left out: so it was asked"}


def test_its_exports_know_their_sensors(weights: Path, frame: Frame) -> None:
    from perception.export.graph import export_openvino

    exported = Pipeline.load(export_openvino(weights, weights), threads=1)
    assert exported.sensors == SENSORS
    expected = Pipeline.load(weights, engine="torch", threads=1)(frame)
    given = exported(frame)
    assert (given.labels == expected.labels).mean() > 0.97
    assert given.modality_weights["radar"] == pytest.approx(expected.modality_weights["radar"], abs=0.02)


def test_it_begins_with_the_weights_of_a_network_without(
    small_config: Callable[[str], Any], drive: Path, tmp_path: Path
) -> None:
    begun = Options([("simulated", drive)], tmp_path, 1, workers=0)
    before = train(small_config("dual_branch_s"), small(), begun, lambda _: None)
    options = Options([("simulated", drive)], tmp_path / "radar", iterations=1, workers=0, init=before)
    said: list[str] = []
    train(small_config("dual_branch_s_radar"), small(), options, said.append)
    assert any("tensors are new" in line for line in said)


def test_the_shipped_network_leaves_a_radar_out_and_says_so_once(
    frame: Frame, caplog: pytest.LogCaptureFixture
) -> None:
    pipeline = Pipeline.load(threads=1)
    assert pipeline.sensors == MODALITIES
    with caplog.at_level(logging.WARNING):
        first, again = pipeline(frame), pipeline(frame)
    said = "the network dual_branch_s has no channels for radar: it has rgb, depth, infrared, lidar"
    assert [record.message for record in caplog.records] == [said]
    assert first.absent == again.absent == {"radar": said}
    np.testing.assert_array_equal(first.labels, pipeline(keep_modalities(frame, MODALITIES)).labels)
    assert (pipeline(keep_modalities(frame, ["radar"])).labels == 255).all()
    with pytest.raises(FrameError, match="no modality radar: there are rgb, depth, infrared, lidar"):
        Pipeline(pipeline.engine, pipeline.model, without=["radar"])


def test_a_radar_with_other_channels_is_refused(
    small_config: Callable[[str], Any], drive: Path, tmp_path: Path
) -> None:
    config = small_config("dual_branch_s_radar")
    config.model.backbone.aux_stem.modalities.radar = 3
    with pytest.raises(ModelError, match=r"radar 3; every network .* after them it may have radar 4"):
        train(config, small(), Options([("simulated", drive)], tmp_path, 1, workers=0), lambda _: None)
