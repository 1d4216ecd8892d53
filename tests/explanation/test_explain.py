# SPDX-License-Identifier: Apache-2.0
"""Explaining as a whole, on a pipeline that runs the explained network: labels, ablation, figures, picture."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

pytest.importorskip("torch")
pytest.importorskip("mmseg")

from perception.classes import CLASS_NAMES, FOREGROUND
from perception.engines.pytorch import TorchEngine
from perception.errors import ModelError
from perception.explanation.explain import Explanation, explain
from perception.explanation.figure import WIDTH, draw, write
from perception.explanation.network import ExplainedNetwork
from perception.explanation.sections import sections
from perception.frame import Frame
from perception.pipeline import Pipeline
from perception.reporting.reports import plain
from perception.sensors import NetworkInput


@pytest.fixture(scope="module")
def pipeline(weights: Path) -> Pipeline:
    return Pipeline(TorchEngine(weights, device="cpu"), weights)


@pytest.fixture(scope="module")
def network(weights: Path) -> ExplainedNetwork:
    return ExplainedNetwork.load(weights)


def titles(found: Explanation) -> list[str]:
    return [title for section in sections(found) for title, _ in section.panels]


def test_the_explained_network_is_the_engine_s(
    pipeline: Pipeline, network: ExplainedNetwork, frame: Frame, network_input: NetworkInput
) -> None:
    np.testing.assert_array_equal(network.look(network_input).labels, pipeline.engine.infer(network_input).labels)
    assert explain(frame, pipeline, network).agreement == 1


def test_another_network_is_refused(pipeline: Pipeline, frame: Frame, segmentor: Any) -> None:
    import copy

    other = copy.deepcopy(segmentor)
    other.decode_head.conv_seg.weight.data.neg_()
    with pytest.raises(ModelError, match="another network"):
        explain(frame, pipeline, ExplainedNetwork(other))


def test_a_sensor_that_the_network_ignores_changes_nothing(
    pipeline: Pipeline, network: ExplainedNetwork, frame: Frame
) -> None:
    found = explain(frame, pipeline, network)
    assert set(found.ablations) == {"rgb", "depth", "infrared", "lidar"}
    deaf = found.ablations["infrared"]
    assert deaf.changed == 0
    assert not any(deaf.area_change.values())
    np.testing.assert_array_equal(deaf.labels, found.prediction.labels)
    assert found.ablations["rgb"].changed > 0


def test_the_figures_are_plain_json(pipeline: Pipeline, network: ExplainedNetwork, frame: Frame) -> None:
    truth = np.full((64, 96), 1, np.uint8)
    found = explain(frame, pipeline, network, truth, stride=8, method="hires-cam")
    report = json.loads(json.dumps(plain(found.figures()), allow_nan=False))
    assert sum(report["area"].values()) == pytest.approx(1)
    assert set(report["area"]) == set(CLASS_NAMES)
    assert report["saliency"]["stride"] == 8
    assert set(report["saliency"]["classes"]) <= set(FOREGROUND)
    assert list(report["attention"]["stages"]) == ["4", "8", "16", "32"]
    assert report["without"]["infrared"]["iou"] == report["iou"]


def test_the_picture_shows_what_is_there_alone(
    pipeline: Pipeline, network: ExplainedNetwork, frame: Frame, tmp_path: Path
) -> None:
    found = explain(frame, pipeline, network)
    assert found.saliency
    picture = draw(found, "everything")
    assert picture.dtype == np.uint8
    assert picture.shape[1:] == (WIDTH, 3)
    write(tmp_path / "new" / "figure.png", picture)
    np.testing.assert_array_equal(np.array(Image.open(tmp_path / "new" / "figure.png")), picture)
    assert {"what LiDAR saw", "what infrared saw"} <= set(titles(found))

    without = explain(replace(frame, points=None, infrared=None), pipeline, network)
    assert not [title for title in titles(without) if "LiDAR" in title or "infrared" in title]
    alone = explain(replace(frame, points=None, infrared=None, depth=None), pipeline, network)
    assert not [title for title in titles(alone) if "stride" in title or "without" in title or "gate" in title]
    assert draw(alone).shape[0] < draw(without).shape[0] < picture.shape[0]


@pytest.mark.parametrize("kept", ["depth", "infrared", "points"])
def test_a_frame_of_one_sensor_without_a_camera_is_drawn(
    kept: str, pipeline: Pipeline, network: ExplainedNetwork, frame: Frame
) -> None:
    absent = {name: None for name in ("rgb", "depth", "infrared", "points") if name != kept}
    assert draw(explain(replace(frame, **absent), pipeline, network)).std() > 0


def test_an_int8_model_is_explained_by_the_weights_it_was_made_from() -> None:
    assert ExplainedNetwork.load("dual_branch_s_int8")


def test_a_model_without_weights_says_what_is_missing(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"vehicle\.safetensors.*gradients"):
        ExplainedNetwork.load(tmp_path / "vehicle.xml")
