# SPDX-License-Identifier: Apache-2.0
"""An explanation as one picture."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch")
pytest.importorskip("mmseg")

from PIL import Image

from perception.engines.pytorch import TorchEngine
from perception.explanation.explain import Explanation, explain
from perception.explanation.figure import WIDTH, draw, write
from perception.explanation.network import ExplainedNetwork
from perception.explanation.sections import sections
from perception.frame import Frame
from perception.pipeline import Pipeline


@pytest.fixture(scope="module")
def pipeline(weights: Path) -> Pipeline:
    return Pipeline(TorchEngine(weights, device="cpu"), weights)


@pytest.fixture(scope="module")
def network(weights: Path) -> ExplainedNetwork:
    return ExplainedNetwork.load(weights)


def titles(found: Explanation) -> list[str]:
    return [title for section in sections(found) for title, _ in section.panels]


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
