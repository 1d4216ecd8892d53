# SPDX-License-Identifier: Apache-2.0
"""Other real-time networks: those of the zoo that mmseg has, as its published configs have them.

They are exported, compiled and run by the same code as ours: uint8 images in, normalisation, upsampling and argmax in
the graph, labels and confidence at full size out. Their weights are random, because latency does not depend on them.
"""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

from mmengine.registry import init_default_scope
from mmseg.registry import MODELS

import perception.models  # noqa: F401 (registers the parts)
from perception.classes import CLASS_NAMES
from perception.engines.weights import save_weights
from perception.models.custom import building, read_config
from perception.models.networks import find_network
from perception.sensors.channels import AUX_CHANNELS

_RESNET_18 = dict(type="ResNetV1c", depth=18, norm_cfg=dict(type="BN"), norm_eval=False)
_RESNET_18_CHANNELS = (64, 128, 256, 512)

PEERS: dict[str, str | dict[str, Any]] = {
    "PIDNet-S": "pidnet_s",
    "DDRNet-23-slim": "ddrnet_23_slim",
    "SegFormer-B0": "segformer_b0",
    "BiSeNetV2": "bisenetv2",
    "Fast-SCNN": "fast_scnn",
    # Two ResNet-18 with squeeze-and-excitation fusion at every stage, as ESANet (Seichter et al., ICRA 2021) has them;
    # inputs and decoder are ours, with ESANet's 128 channels, so that the encoders make the difference.
    "ESANet-like": dict(
        type="EncoderDecoder",
        backbone=dict(
            type="DualBranchEncoder", rgb=_RESNET_18,
            aux_stem=dict(type="AuxStem", modalities=AUX_CHANNELS, channels=16, stride=1),
            aux=dict(**_RESNET_18, in_channels=16), fusion=dict(type="SEFusion"),
            rgb_channels=_RESNET_18_CHANNELS, aux_channels=_RESNET_18_CHANNELS,
        ),
        decode_head=dict(
            type="LightFPNHead", in_channels=_RESNET_18_CHANNELS, in_index=(0, 1, 2, 3), width=128, channels=32,
            dropout_ratio=0.0, align_corners=False, num_classes=len(CLASS_NAMES),
            loss_decode=dict(type="CrossEntropyLoss", avg_non_ignore=True),
        ),
        test_cfg=dict(mode="whole"),
    ),
}  # fmt: skip
"""By name: a network of configs/networks, or the `model` of a config."""


def write_untrained(model: dict[str, Any], path: Path) -> Path:
    """Write the network of a config's `model`, with random weights, to the .safetensors file `path`, and return it.

    Raises ModelError where it cannot be built.
    """
    init_default_scope("mmseg")
    with building(path):
        save_weights(path, MODELS.build(copy.deepcopy(model)).state_dict(), model)
    return path


def write_peer(name: str, path: Path) -> Path:
    """Write the peer `name` with random weights to the .safetensors file `path`, and return it."""
    found = PEERS[name]
    return write_untrained(read_config(find_network(found)).model.to_dict() if isinstance(found, str) else found, path)
