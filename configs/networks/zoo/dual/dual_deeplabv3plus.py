# SPDX-License-Identifier: Apache-2.0
# DeepLabV3+ on two dilated ResNet-18, the other sensors' with half of the channels and at half the resolution, fused at
# the three stages that its heads look at.
_base_ = "../deeplabv3plus.py"
stages = (0, 2, 3)

model = dict(
    backbone=dict(
        _delete_=True,
        type="DualBranchEncoder",
        rgb=dict(
            type="ResNetV1c",
            depth=18,
            out_indices=stages,
            dilations=(1, 1, 2, 4),
            strides=(1, 2, 1, 1),
            contract_dilation=True,
            norm_cfg=dict(type="BN"),
        ),
        aux_stem=dict(type="AuxStem", modalities=dict(depth=3, infrared=3, lidar=4), channels=16, stride=1),
        aux=dict(
            type="ResNetV1c",
            depth=18,
            in_channels=16,
            stem_channels=32,
            base_channels=32,
            out_indices=stages,
            dilations=(1, 1, 2, 4),
            strides=(1, 2, 1, 1),
            contract_dilation=True,
            norm_cfg=dict(type="BN"),
        ),
        fusion=dict(type="GatedAttentionFusion"),
        condition=dict(type="ConditionToken"),
        rgb_channels=(64, 256, 512),
        aux_channels=(32, 128, 256),
    ),
    decode_head=dict(in_index=2),
    auxiliary_head=dict(in_index=1),
)
