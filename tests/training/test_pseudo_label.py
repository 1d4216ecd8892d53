# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch")
pytest.importorskip("mmseg")

import torch
from mmengine.config import Config
from mmengine.registry import init_default_scope
from mmseg.models import EncoderDecoder
from mmseg.registry import MODELS

import perception.models  # noqa: F401
from perception.engines.weights import build_model, save_weights
from perception.frame import CameraModel, Frame
from perception.models.dual_branch import Batch
from perception.paths import config_path
from perception.sensors import network_size
from perception.training import pseudo_label
from perception.training.pseudo_label import PseudoLabeller
from perception.training.trainee import predict


@pytest.fixture
def weights(tmp_path: Path) -> Path:
    init_default_scope("mmseg")
    torch.manual_seed(0)
    model = Config.fromfile(config_path("networks/dual_branch_s.py")).model.to_dict()
    model["backbone"]["rgb"]["hidden"] = ((16,), (16,), (16,), (16,))
    path = tmp_path / "tiny.safetensors"
    save_weights(path, MODELS.build(model).state_dict(), model)
    return path


def test_an_unsure_network_teaches_nothing(weights: Path) -> None:
    frame = Frame(0, np.random.default_rng(0).integers(0, 256, (64, 96, 3), np.uint8))
    model = build_model(weights)
    assert not PseudoLabeller(model, [1.1] * 4)(frame).any()
    soft = PseudoLabeller(model, [0.0] * 4)(frame)
    assert soft.shape == (32, 48, 4)
    assert (np.abs(soft.astype(int).sum(2) - 255) <= 2).all()


def test_it_can_look_at_a_part_of_the_resolution(weights: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    frame = Frame(0, np.random.default_rng(0).integers(0, 256, (512, 1024, 3), np.uint8))
    sizes = []

    def noted(segmentor: EncoderDecoder, batch: Batch, size: tuple[int, int]) -> torch.Tensor:
        sizes.append((tuple(batch.rgb.shape[2:]), size))
        return predict(segmentor, batch, size)

    monkeypatch.setattr(pseudo_label, "predict", noted)
    soft = PseudoLabeller(build_model(weights), [0.0] * 4, scale=0.5)(frame)
    assert network_size(1024, 512) == (992, 480)
    half = (256, 512)  # a multiple of 32
    assert sizes == [(half, half)] * 2
    assert soft.shape == (256, 512, 4)


def test_a_mirrored_frame_gets_mirrored_labels(weights: Path) -> None:
    rng = np.random.default_rng(0)
    camera = CameraModel(np.array([[60.0, 0, 47.5], [0, 60, 31.5], [0, 0, 1]]), 96, 64)
    to_camera = np.array([[0, -1, 0, 0.0], [0, 0, -1, 0], [1, 0, 0, 0], [0, 0, 0, 1]])
    points = np.c_[rng.uniform((5, -4, -2), (20, 4, 1), (300, 3)), rng.random(300)].astype(np.float32)
    rgb = rng.integers(0, 256, (64, 96, 3), np.uint8)
    label = PseudoLabeller(build_model(weights), [0.0] * 4)
    soft = label(Frame(0, rgb, points=points, camera=camera, lidar_to_camera=to_camera))
    other = points * np.float32([1, -1, 1, 1])
    mirrored = label(Frame(0, rgb[:, ::-1].copy(), points=other, camera=camera, lidar_to_camera=to_camera))
    assert np.abs(soft.astype(int) - mirrored[:, ::-1]).mean() < 2
