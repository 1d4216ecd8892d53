# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest
import torch

pytest.importorskip("mmseg")

from perception.models.zoo.enet import ENet, ENetHead


def test_its_layers_have_the_sizes_of_the_papers_first_table() -> None:
    net = ENet().eval()
    sizes = {}

    def note(name: str):
        def hook(module, inputs, output):
            sizes[name] = tuple((output[0] if isinstance(output, tuple) else output).shape[1:])

        return hook

    for name, layer in net.named_children():
        layer.register_forward_hook(note(name))
    with torch.inference_mode():
        net(torch.randn(1, 3, 512, 512)[:, :, :64, :128])
    # The table's for 512×512, at 64×128.
    assert sizes == {
        "initial": (16, 32, 64),
        "down1": (64, 16, 32),
        "stage1": (64, 16, 32),
        "down2": (128, 8, 16),
        "stage2": (128, 8, 16),
        "stage3": (128, 8, 16),
        "up4": (64, 16, 32),
        "stage4": (64, 16, 32),
        "up5": (16, 32, 64),
        "stage5": (16, 32, 64),
    }


def test_the_full_convolution_doubles_the_size() -> None:
    head = ENetHead(in_channels=16, num_classes=4)
    assert head((torch.randn(1, 16, 8, 12),)).shape == (1, 4, 16, 24)
