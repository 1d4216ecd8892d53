# SPDX-License-Identifier: Apache-2.0
# Two U-Net encoders, the other sensors' with half of the channels and at half the resolution, fused at all five stages;
# U-Net's expanding path is the head.
_base_ = "../unet.py"
channels = (16, 32, 64, 128, 256)
aux_channels = (8, 16, 32, 64, 128)

model = dict(
    backbone=dict(
        _delete_=True,
        type="DualBranchEncoder",
        rgb=dict(type="UNetEncoder", base_channels=16),
        aux_stem=dict(type="AuxStem", modalities=dict(depth=3, infrared=3, lidar=4), channels=16, stride=1),
        aux=dict(type="UNetEncoder", in_channels=16, base_channels=8),
        fusion=dict(type="GatedAttentionFusion"),
        condition=dict(type="ConditionToken"),
        rgb_channels=channels,
        aux_channels=aux_channels,
    ),
    decode_head=dict(
        _delete_=True,
        type="UNetHead",
        in_channels=channels,
        in_index=(0, 1, 2, 3, 4),
        channels=16,
        num_classes=4,
        norm_cfg=dict(type="BN"),
        align_corners=False,
        loss_decode=dict(type="WeightedCrossEntropy", class_weight=(1.0, 1.0, 1.0, 1.2)),
    ),
    auxiliary_head=None,  # mmseg's, and of a level that is inside the head here
)
