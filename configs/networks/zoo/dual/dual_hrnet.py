# SPDX-License-Identifier: Apache-2.0
# Two HRNets, the other sensors' as deep as HRNet-W18-small with half of its channels and at half the resolution, fused
# at all four resolutions.
_base_ = "../hrnet_w18.py"

model = dict(
    backbone=dict(
        _delete_=True,
        type="DualBranchEncoder",
        rgb={{_base_.model.backbone.backbone}},
        aux_stem=dict(type="AuxStem", modalities=dict(depth=3, infrared=3, lidar=4), channels=16, stride=1),
        aux=dict(
            type="HRNet",
            in_channels=16,
            norm_cfg=dict(type="BN"),
            extra=dict(
                stage1=dict(num_modules=1, num_branches=1, block="BOTTLENECK", num_blocks=(2,), num_channels=(64,)),
                stage2=dict(num_modules=1, num_branches=2, block="BASIC", num_blocks=(2, 2), num_channels=(9, 18)),
                stage3=dict(
                    num_modules=3, num_branches=3, block="BASIC", num_blocks=(2, 2, 2), num_channels=(9, 18, 36)
                ),
                stage4=dict(
                    num_modules=2, num_branches=4, block="BASIC", num_blocks=(2, 2, 2, 2), num_channels=(9, 18, 36, 72)
                ),
            ),
        ),
        fusion=dict(type="GatedAttentionFusion"),
        condition=dict(type="ConditionToken"),
        rgb_channels=(18, 36, 72, 144),
        aux_channels=(9, 18, 36, 72),
    ),
)
