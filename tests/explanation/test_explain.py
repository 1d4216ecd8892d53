# SPDX-License-Identifier: Apache-2.0
"""Explaining as a whole, on a pipeline that runs the explained network: labels, ablation, figures, picture."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("torch")
pytest.importorskip("mmseg")

from perception.classes import CLASS_NAMES, FOREGROUND
from perception.engines.pytorch import TorchEngine
from perception.engines.twice import Twice
from perception.errors import ModelError
from perception.explanation.explain import explain
from perception.explanation.network import ExplainedNetwork
from perception.frame import Frame
from perception.pipeline import Pipeline
from perception.reporting.reports import plain


@pytest.fixture(scope="module")
def pipeline(weights: Path) -> Pipeline:
    return Pipeline(TorchEngine(weights, device="cpu"), weights)


@pytest.fixture(scope="module")
def network(weights: Path) -> ExplainedNetwork:
    return ExplainedNetwork.load(weights)


def test_another_network_is_refused(pipeline: Pipeline, frame: Frame, segmentor: Any) -> None:
    import copy

    other = copy.deepcopy(segmentor)
    other.decode_head.conv_seg.weight.data.neg_()
    with pytest.raises(ModelError, match="another network"):
        explain(frame, pipeline, ExplainedNetwork(other))


def test_of_a_model_that_looks_twice_one_look_is_compared(
    pipeline: Pipeline, network: ExplainedNetwork, frame: Frame
) -> None:
    """A random network says something else of a mirrored image."""
    twice = Pipeline(Twice(pipeline.engine), pipeline.model)
    found = explain(frame, twice, network)
    assert (found.prediction.labels == pipeline(frame).labels).mean() < 0.95
    assert found.agreement == 1


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
