# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from perception.models import AuxStem, GatedAttentionFusion
from perception.sensors.channels import AUX_CHANNELS, log_depth
from perception.training.grow import begin_with

SCRIPTS = Path(__file__).resolve().parents[2] / "benchmarks"


@pytest.fixture(scope="module")
def models() -> Iterator[Any]:
    """The module `ablation_models`, which is in no package; it registers its classes once."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(SCRIPTS))
        yield importlib.import_module("ablation_models")
    del sys.modules["ablation_models"]


@pytest.fixture(scope="module")
def few_labels(models: Any) -> Iterator[Any]:
    """The module `few_labels`, and `ablation` in it."""
    before = set(sys.modules)
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(SCRIPTS))
        yield importlib.import_module("few_labels")
    for name in set(sys.modules) - before:
        if str(SCRIPTS) in str(getattr(sys.modules[name], "__file__", "")):
            del sys.modules[name]


def _depth(metres: np.ndarray[Any, np.dtype[np.float32]], height: float = 0.5, valid: float = 1.0) -> torch.Tensor:
    shown = torch.from_numpy(log_depth(metres).astype(np.float32) / 255)
    return torch.stack([shown, torch.full_like(shown, height), torch.full_like(shown, valid)])[None]


def test_a_plane_has_one_gradient_of_inverse_depth(models: Any) -> None:
    # 1/z of a ground plane grows by the same step from row to row: here by 0.004 from 0.05, two rows apart 0.008.
    inverse = 0.05 + 0.004 * np.arange(30, dtype=np.float32)
    across, down = models.inverse_depth_gradients(_depth(np.repeat(1 / inverse[:, None], 20, 1)))[0, :, 2:-2, 2:-2]
    assert across.abs().max() == 0
    assert down.mean() == pytest.approx(50 * 0.008, rel=0.03)
    assert down.std() < 0.15  # of coded distances, a step of which is 1.8 %


def test_nothing_is_derived_where_nothing_was_measured(models: Any) -> None:
    empty = torch.zeros(1, 3, 16, 16)
    assert all(derive(empty).abs().max() == 0 for _, derive in models.DERIVED.values())


def test_altitudes_differ_at_a_step(models: Any) -> None:
    part = _depth(np.full((20, 20), 10, np.float32))
    part[:, 1, :, 10:] = 0.75
    found = models.altitude_difference(part)[0, 0]
    assert found[10, 10] == pytest.approx(0.25)
    assert found[10, 2] == 0 == found[10, 18]


def test_a_range_image_is_spread_over_its_neighbourhood(models: Any) -> None:
    part = torch.zeros(1, 4, 15, 15)
    part[0, :, 7, 7] = torch.tensor([0.25, 0.5, 0.5, 1.0])
    nearness, there = models.dilated_range(part)[0]
    assert nearness[4:11, 4:11].unique().tolist() == [0.75]
    assert there.sum() == models.NEIGHBOURHOOD**2


@pytest.mark.parametrize("name", ["gradients", "altitude", "dilated"])
def test_what_is_derived_begins_as_nothing(models: Any, name: str) -> None:
    torch.manual_seed(0)
    plain = AuxStem(AUX_CHANNELS).eval()
    derived = models.DerivedStem(AUX_CHANNELS, name)
    begin_with(derived, plain.state_dict())
    aux, present, gains = torch.rand(1, 10, 32, 48), torch.ones(1, 3), torch.zeros(1, 3)
    for ours, theirs in zip(derived.eval()(aux, present, gains), plain(aux, present, gains), strict=True):
        torch.testing.assert_close(ours, theirs)


def test_a_class_that_is_never_found_counts_as_nothing(few_labels: Any) -> None:
    def part(**iou: float | None) -> dict[str, Any]:
        return {"scores": {"all": {"iou": iou}}}

    figures = sys.modules["ablation"]._figures
    assert figures(part(road=0.6, vehicle=0.3, pedestrian=0.0), "iou") == {"together": pytest.approx(0.3)}
    assert figures(part(road=None, vehicle=0.3, pedestrian=0.1), "iou") == {"together": pytest.approx(0.2)}
    both = part(road=0.6, vehicle=0.3, pedestrian=0.0)
    both["scores"]["rgb"] = {"iou": dict(road=0.5, vehicle=0.4, pedestrian=0.0)}
    assert figures(both, "iou") == pytest.approx({"rgb": 0.3, "together": 0.3, "gain": 0.0})


def test_a_row_of_a_fusion_has_its_time_and_every_single_sensor(few_labels: Any) -> None:
    ablation = sys.modules["ablation"]

    def of(together: float) -> dict[str, Any]:
        return {**{name: {"rgb": 0.5, "together": together, "gain": 1.0} for name in ablation.SCORED}, "gmac": 4.678}

    made = ablation.fusion_table({"sum": {"0": of(0.6), "1": of(0.8)}}, {"sum": 0.941})
    assert made.header[:5] == ("fusion", "GMAC", "time", "night pairs: together", "night pairs: rgb")
    assert made.rows == [("sum", "4.68", "0.94", *("70.0 ± 14.1", "50.0 ± 0.0") * 4)]


def test_few_labels_are_scored_over_sets_and_seeds(few_labels: Any) -> None:
    def of(*means: float) -> dict[str, Any]:
        return {"night pairs": {"together": means[0]}, "kitti-stereo": {"together": means[1]}}

    row = {"0.05": {"0": of(0.1, 0.3), "1": of(0.2, 0.4)}, "0.2": {}, "1.0": {"0": of(0.5, 0.5)}}
    made = few_labels.table({"self-training": row}, of(0.1, 0.2))
    assert made.header[1:] == ("stages", "5 % of the labels", "20 % of the labels", "100 % of the labels")
    assert made.rows == [
        ("none, as all begin", "0", "15.0", "15.0", "15.0"),
        ("self-training", "2", "25.0 ± 7.1", "–", "50.0 ± 0.0"),
    ]


def test_what_is_trained_is_not_trained_again(few_labels: Any, tmp_path: Path) -> None:
    """Begun once, gone on with where it stopped, and left alone when it has ended."""
    options = few_labels.options(few_labels.Place(tmp_path, tmp_path, tmp_path, tmp_path, 3), tmp_path, 0)
    resumed = []

    def learn(_config: Any, _recipe: Any, options: Any) -> Path:
        resumed.append(options.resume)
        (tmp_path / "last.pt").touch()
        if len(resumed) == 1:
            raise KeyboardInterrupt
        (tmp_path / "weights.safetensors").touch()
        return tmp_path

    with pytest.raises(KeyboardInterrupt):
        few_labels.finished(learn, None, None, options)
    for _ in range(2):
        assert few_labels.finished(learn, None, None, options) == tmp_path / "weights.safetensors"
    assert resumed == [False, True]


def test_every_source_has_the_share_and_the_weak_labels(few_labels: Any) -> None:
    recipe = few_labels.recipe(0.05, weak="boxes")
    assert {(each.labels, each.weak) for each in recipe.sources.values()} == {(0.05, "boxes")}
    assert {*recipe.sources} == {"camvid", "kitti-stereo", "roadscene", "msrs-more"}


def test_the_token_begins_as_nothing_and_stands_for_what_is_missing_alone(models: Any) -> None:
    torch.manual_seed(0)
    plain = GatedAttentionFusion(8, 4).eval()
    token = models.TokenFusion(8, 4).eval()
    begin_with(token, plain.state_dict())
    rgb, aux, lean = torch.rand(2, 8, 4, 4), torch.rand(2, 4, 4, 4), torch.zeros(2, 1)
    present = torch.tensor([[1.0, 1.0], [1.0, 0.0]])
    torch.testing.assert_close(token(rgb, aux, present, lean)[0], plain(rgb, aux, present, lean)[0])
    with torch.no_grad():
        token.tokens[1] = 3.0
    more = token(rgb, aux, present, lean)[0] - plain(rgb, aux, present, lean)[0]
    assert more[0].abs().max() == 0
    assert more[1].flatten().tolist() == pytest.approx([3.0] * 128, rel=1e-5)
