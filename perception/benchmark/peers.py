# SPDX-License-Identifier: Apache-2.0
"""Other real-time networks, built from mmseg's classes with its published configs.

Each becomes a weights file of the same kind as ours, with `RgbEncoder` where ours has its `DualBranchEncoder`. They
are exported, compiled and run by the same code: uint8 images in, normalisation, upsampling and argmax in the graph,
labels and confidence at full size out. Their weights are random, because latency does not depend on them.
"""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

from mmengine.model import BaseModule
from mmengine.registry import init_default_scope
from mmseg.registry import MODELS
from torch import Tensor

import perception.models  # noqa: F401 (registers the parts)
from perception.classes import CLASS_NAMES
from perception.engines.weights import save_weights
from perception.models.custom import building
from perception.models.dual_branch import Batch
from perception.sensors.channels import AUX_CHANNELS

_BN = dict(type="BN")
_RELU = dict(type="ReLU", inplace=True)
_LOSS = dict(type="CrossEntropyLoss", avg_non_ignore=True)
_COMMON = dict(num_classes=len(CLASS_NAMES), loss_decode=_LOSS)

_RESNET_18 = dict(type="ResNetV1c", depth=18, norm_cfg=_BN, norm_eval=False)
_RESNET_18_CHANNELS = (64, 128, 256, 512)

PEERS: dict[str, dict[str, Any]] = {
    "PIDNet-S": dict(  # pidnet-s_2xb6-120k_1024x1024-cityscapes
        backbone=dict(
            type="PIDNet", in_channels=3, channels=32, ppm_channels=96, num_stem_blocks=2, num_branch_blocks=3,
            align_corners=False, norm_cfg=_BN, act_cfg=_RELU,
        ),
        decode_head=dict(
            type="PIDHead", in_channels=128, channels=128, norm_cfg=_BN, act_cfg=_RELU, align_corners=True,
            num_classes=len(CLASS_NAMES), loss_decode=[_LOSS, _LOSS, dict(type="BoundaryLoss"), _LOSS],
        ),
    ),
    "DDRNet-23-slim": dict(  # ddrnet_23-slim_in1k-pre_2xb6-120k_cityscapes-1024x1024
        backbone=dict(
            type="DDRNet", in_channels=3, channels=32, ppm_channels=128, norm_cfg=_BN, align_corners=False
        ),
        decode_head=dict(
            type="DDRHead", in_channels=128, channels=64, dropout_ratio=0.0, align_corners=False, norm_cfg=_BN,
            num_classes=len(CLASS_NAMES), loss_decode=[_LOSS, _LOSS],
        ),
    ),
    "SegFormer-B0": dict(  # segformer_mit-b0_8xb1-160k_cityscapes-1024x1024
        backbone=dict(
            type="MixVisionTransformer", in_channels=3, embed_dims=32, num_stages=4, num_layers=[2, 2, 2, 2],
            num_heads=[1, 2, 5, 8], patch_sizes=[7, 3, 3, 3], sr_ratios=[8, 4, 2, 1], out_indices=(0, 1, 2, 3),
            mlp_ratio=4, qkv_bias=True, drop_rate=0.0, attn_drop_rate=0.0, drop_path_rate=0.1,
        ),
        decode_head=dict(
            type="SegformerHead", in_channels=[32, 64, 160, 256], in_index=[0, 1, 2, 3], channels=256,
            dropout_ratio=0.1, norm_cfg=_BN, align_corners=False, **_COMMON,
        ),
    ),
    "BiSeNetV2": dict(  # bisenetv2_fcn_4xb4-160k_cityscapes-1024x1024
        backbone=dict(
            type="BiSeNetV2", detail_channels=(64, 64, 128), semantic_channels=(16, 32, 64, 128),
            semantic_expansion_ratio=6, bga_channels=128, out_indices=(0, 1, 2, 3, 4), align_corners=False,
            norm_cfg=_BN,
        ),
        decode_head=dict(
            type="FCNHead", in_channels=128, in_index=0, channels=1024, num_convs=1, concat_input=False,
            dropout_ratio=0.1, norm_cfg=_BN, align_corners=False, **_COMMON,
        ),
    ),
    "Fast-SCNN": dict(  # fast_scnn_8xb4-160k_cityscapes-512x1024
        backbone=dict(
            type="FastSCNN", downsample_dw_channels=(32, 48), global_in_channels=64,
            global_block_channels=(64, 96, 128), global_block_strides=(2, 2, 1), global_out_channels=128,
            higher_in_channels=64, lower_in_channels=128, fusion_out_channels=128, out_indices=(0, 1, 2),
            norm_cfg=_BN, align_corners=False,
        ),
        decode_head=dict(
            type="DepthwiseSeparableFCNHead", in_channels=128, channels=128, concat_input=False, in_index=-1,
            norm_cfg=_BN, align_corners=False, **_COMMON,
        ),
    ),
    # Two ResNet-18 with squeeze-and-excitation fusion at every stage, as ESANet (Seichter et al., ICRA 2021) has them;
    # inputs and decoder are ours, with ESANet's 128 channels, so that the encoders make the difference.
    "ESANet-like": dict(
        backbone=dict(
            type="DualBranchEncoder", rgb=_RESNET_18,
            aux_stem=dict(type="AuxStem", modalities=AUX_CHANNELS, channels=16, stride=1),
            aux=dict(**_RESNET_18, in_channels=16), fusion=dict(type="SEFusion"),
            rgb_channels=_RESNET_18_CHANNELS, aux_channels=_RESNET_18_CHANNELS,
        ),
        decode_head=dict(
            type="LightFPNHead", in_channels=_RESNET_18_CHANNELS, in_index=(0, 1, 2, 3), width=128, channels=32,
            dropout_ratio=0.0, align_corners=False, **_COMMON,
        ),
    ),
}  # fmt: skip
"""Backbone and head by name; a backbone without an auxiliary branch sees RGB alone."""


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
    init_default_scope("mmseg")
    parts = PEERS[name]
    if parts["backbone"]["type"] != "DualBranchEncoder":
        parts = {**parts, "backbone": dict(type="RgbEncoder", backbone=parts["backbone"])}
    return write_untrained(dict(type="EncoderDecoder", **parts, test_cfg=dict(mode="whole")), path)
