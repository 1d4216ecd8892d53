# SPDX-License-Identifier: Apache-2.0
"""Every network of the zoo: by its name, of its size, with a loss that reaches all of it."""

from __future__ import annotations

import math

import pytest
import torch

pytest.importorskip("mmseg")

from helpers.networks import ZOO, batch_of, build

from perception.models.deploy import DeployGraph

MILLIONS = {
    "bisenetv2": 3.34,
    "cmx": 7.93,
    "ddrnet_23_slim": 5.73,
    "deeplabv3": 13.84,
    "deeplabv3plus": 12.32,
    "dual_deeplabv3plus": 15.62,
    "dual_hrnet": 10.83,
    "dual_pidnet": 9.64,
    "dual_segformer": 4.37,
    "dual_unet": 2.25,
    "enet": 0.36,
    "esanet": 40.14,
    "espnetv2": 0.335,
    "fast_scnn": 1.40,
    "fcn": 12.67,
    "hrnet_w18": 9.64,
    "pidnet_s": 7.72,
    "pspnet": 12.64,
    "segformer_b0": 3.72,
    "segnet": 1.42,
    "stdc1": 8.27,
    "unet": 1.81,
}
"""Parameters without the heads that only training needs. The papers' where one has the version: ENet 0.37, SegNet-Basic
1.42, Fast-SCNN 1.1 to 1.4, SegFormer-B0 3.7, PIDNet-S 7.6, DDRNet-23-slim 5.7, BiSeNetV2 3.3, STDC1 8.4, HRNet 9.6."""


@pytest.mark.parametrize("name", ZOO)
def test_the_loss_reaches_every_parameter_and_every_pixel_is_labelled(name: str) -> None:
    model = build(name)
    data = batch_of(model)
    losses = model.loss(**model.data_preprocessor(dict(data), True))
    loss = sum(value for key, value in losses.items() if "loss" in key)
    assert math.isfinite(loss.item())
    loss.backward()
    trained = {key: parameter for key, parameter in model.named_parameters() if parameter.requires_grad}
    assert not [key for key, parameter in trained.items() if parameter.grad is None]

    graph = DeployGraph(model.eval()).eval()
    assert sum(p.numel() for p in graph.parameters()) / 1e6 == pytest.approx(MILLIONS[name], rel=0.01)
    rgb, aux = (data[key][:1].permute(0, 2, 3, 1).contiguous() for key in ("rgb", "aux"))
    with torch.inference_mode():
        labels, confidence, weights = graph(rgb, aux, data["present"][:1])
    assert labels.shape == confidence.shape == (1, 64, 128)
    assert labels.dtype == confidence.dtype == torch.uint8
    assert labels.max() < 4
    assert weights.shape == (1, len(graph.sensors))
    assert weights.sum().item() == pytest.approx(1, abs=1e-3)


@pytest.mark.parametrize("name", ["cmx", "dual_segformer", "dual_hrnet"])
def test_gradients_are_finite_where_a_frame_of_the_batch_has_the_camera_alone(name: str) -> None:
    """The other branch then sees zeros, which a layer normalisation divides by next to nothing."""
    model = build(name)
    model.init_weights()
    data = batch_of(model)
    data["present"][0, 1:] = 0
    losses = model.loss(**model.data_preprocessor(dict(data), True))
    sum(value for key, value in losses.items() if "loss" in key).backward()
    grown = [key for key, each in model.named_parameters() if each.grad is not None and not each.grad.isfinite().all()]
    assert grown == []


def test_the_table_has_every_network() -> None:
    assert sorted(MILLIONS) == sorted(ZOO)
