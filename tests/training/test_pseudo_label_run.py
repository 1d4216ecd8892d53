# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

pytest.importorskip("torch")
pytest.importorskip("mmseg")

import torch
from mmengine.config import Config
from mmengine.registry import init_default_scope
from mmseg.registry import MODELS

import perception.models  # noqa: F401
from perception.datasets.pseudo_labelled import INDEX, PseudoLabelled, label_path
from perception.datasets.registry import open_dataset
from perception.engines.weights import save_weights
from perception.errors import DataError, ModelError
from perception.paths import config_path
from perception.training.pseudo_label_run import ALL, PseudoLabelOptions, run_pseudo_label


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    init_default_scope("mmseg")
    torch.manual_seed(0)
    model = Config.fromfile(config_path("networks/dual_branch_s.py")).model.to_dict()
    model["backbone"]["rgb"]["hidden"] = ((16,), (16,), (16,), (16,))
    path = tmp_path_factory.mktemp("weights") / "tiny.safetensors"
    save_weights(path, MODELS.build(model).state_dict(), model)
    return path


@pytest.fixture
def own(tmp_path: Path) -> Path:
    """Three images in one's own layout; the second has labels."""
    rng = np.random.default_rng(0)
    for folder in ("image", "labels"):
        (tmp_path / "own" / folder).mkdir(parents=True)
    for name in "abc":
        cv2.imwrite(str(tmp_path / f"own/image/{name}.png"), rng.integers(0, 256, (64, 96, 3), np.uint8))
    cv2.imwrite(str(tmp_path / "own/labels/b.png"), np.ones((64, 96), np.uint8))
    return tmp_path / "own"


def options(weights: Path, own: Path, least: float, **more: Any) -> PseudoLabelOptions:
    output = own.parent / "soft"
    return PseudoLabelOptions(dataset="folder", root=own, model=weights, output=output, thresholds=[least] * 4, **more)


def test_a_part_of_the_resolution_is_asked_for_behind_the_name_and_a_second_look_is_no_use(
    weights: Path, own: Path
) -> None:
    asked = options(weights, own, 0.0)
    assert run_pseudo_label(replace(asked, model=f"{weights}@0.5")).frames == 2
    with pytest.raises(ModelError, match="each frame is labelled twice as it is, once mirrored; leave out the x2"):
        run_pseudo_label(replace(asked, model=f"{weights}@1x2"))


def test_frames_with_labels_are_left_alone_and_the_index_says_which_are_done(weights: Path, own: Path) -> None:
    found = run_pseudo_label(options(weights, own, 0.0))
    assert (found.frames, found.sure) == (2, 1)
    index = json.loads((own.parent / "soft" / INDEX).read_text())
    assert (index["numbers"], index["filled"], index["dataset"]) == ([0, 2], False, "folder")
    assert index["weights_sha256"] == hashlib.sha256(weights.read_bytes()).hexdigest()
    assert [label_path(own.parent / "soft", n).is_file() for n in range(3)] == [True, False, True]
    assert len(PseudoLabelled(own.parent / "soft")) == 2


def test_all_of_them_are_labelled_where_that_is_asked_for(weights: Path, own: Path) -> None:
    shown: list[range] = []

    def progress(numbers: range) -> range:
        shown.append(numbers)
        return numbers

    found = run_pseudo_label(options(weights, own, 1.1, which=ALL), progress)
    assert (found.frames, found.sure) == (3, 0)  # and of nothing it is so sure
    assert shown == [range(3)]


def test_only_the_named_samples_are_labelled(weights: Path, own: Path) -> None:
    names = {sample.name for sample in open_dataset("folder", own, "all") if sample.name.endswith("c")}
    assert len(names) == 1
    assert run_pseudo_label(options(weights, own, 0.0, which=ALL, names=names)).frames == 1
    assert json.loads((own.parent / "soft" / INDEX).read_text())["numbers"] == [2]


def test_where_nothing_is_left_to_label_no_folder_stays(weights: Path, own: Path) -> None:
    for name in "ac":
        cv2.imwrite(str(own / f"labels/{name}.png"), np.ones((64, 96), np.uint8))
    with pytest.raises(DataError, match="has labels"):
        run_pseudo_label(options(weights, own, 0.0))
    assert not (own.parent / "soft").exists()
