# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch")
pytest.importorskip("mmseg")

from helpers.training.compared import write_networks

from perception.benchmark.peers import write_untrained
from perception.comparing import scoring
from perception.comparing.parts import Part
from perception.frame import Frame
from perception.models.custom import read_config
from perception.pipeline import Pipeline
from perception.sample import Sample


def sample(name: str, red: int, stamp_ns: int = 0, thermal: bool = True) -> Sample:
    """The tiny network takes it for class red // 64, but for its first pixels; all of it is road."""
    rng = np.random.default_rng(0)
    image = rng.integers(0, 256, (64, 96, 3)).astype(np.uint8)
    image[..., 0] = red
    infrared = rng.integers(0, 256, (64, 96)).astype(np.uint8) if thermal else None
    frame = Frame(stamp_ns=stamp_ns, rgb=image, infrared=infrared)
    return Sample(name, frame, np.ones((64, 96), np.uint8))


def part(*samples: Sample) -> Part:
    return Part("roadscene", "val", samples, list(range(len(samples))), list(samples))


@pytest.fixture
def pipeline(tiny_model: Path) -> Pipeline:
    return scoring.load(tiny_model, 1)


def test_subsets_are_of_what_network_and_frames_both_have() -> None:
    both = [sample("a", 90), sample("b", 90, thermal=False)]
    assert scoring.subsets(("rgb",), both) == {"camera": ["rgb"]}
    expected = {"camera": ["rgb"], "+infrared": ["rgb", "infrared"], "all": ["rgb", "infrared"]}
    assert scoring.subsets(("rgb", "depth", "infrared", "lidar"), both) == expected
    assert scoring.passes(("rgb",), part(*both)) == 2
    assert scoring.passes(("rgb", "infrared"), part(*both)) == 4


def test_a_score_is_that_of_evaluation_with_every_subset(pipeline: Pipeline) -> None:
    """Of two frames one is road as it should be, and one is taken for vehicle; every confidence is 200."""
    told: list[int] = []
    found = scoring.score(pipeline, part(sample("a", 90), sample("b", 150)), lambda: told.append(1))
    assert found.iou == {"road": 0.5, "vehicle": 0.0, "pedestrian": None}
    assert found.mean_iou == 0.25
    assert found.subsets == {"camera": 0.25, "+infrared": 0.25, "all": 0.25}
    assert found.calibration_error == pytest.approx(200 / 255 - 0.5, abs=1e-4)
    assert (found.at, found.soft_frames, found.scored.frames) == ("pixels", 0, 2)
    assert len(told) == 4


def test_a_score_says_at_which_part_of_the_resolution(tiny_model: Path) -> None:
    half = scoring.load(tiny_model, 1, 0.5)
    assert half.scale == 0.5
    assert scoring.score(half, part(sample("a", 90)), lambda: None).scored.resolution == 0.5


def test_flicker_begins_anew_with_another_drive(pipeline: Pipeline) -> None:
    calm = [sample("one/0", 90, 1), sample("one/1", 90, 2)]
    assert scoring.flicker(pipeline, part(*calm), lambda: None).share == 0
    other = sample("two/0", 150, 3)
    assert scoring.flicker(pipeline, part(*calm, other), lambda: None).share == 0
    changed = [*calm, replace(other, name="one/2")]
    assert scoring.flicker(pipeline, part(*changed), lambda: None).share == pytest.approx(0.5, abs=0.05)
    assert scoring.flicker(pipeline, part(*changed), lambda: None).steadied is not None


def test_weights_are_exported_once(tmp_path: Path) -> None:
    model = read_config(write_networks(tmp_path)[0]).model.to_dict()
    weights = write_untrained(model, tmp_path / "random.safetensors")
    first = scoring.exported(weights, tmp_path).stat().st_mtime_ns
    assert scoring.exported(weights, tmp_path).stat().st_mtime_ns == first
    (tmp_path / "network.sha256").write_text("of others\n")
    assert scoring.exported(weights, tmp_path).stat().st_mtime_ns > first
