# SPDX-License-Identifier: Apache-2.0
# Two PIDNet-S, the other sensors' with half of the channels and at half the resolution, fused where PIDNet gives
# features: the P branch, the sum of all three, and the D branch.
_base_ = "../pidnet_s.py"

model = dict(
    backbone=dict(
        _delete_=True,
        type="DualBranchEncoder",
        rgb=dict(type="PIDNetBranches", channels=32, ppm_channels=96, num_stem_blocks=2, num_branch_blocks=3),
        aux_stem=dict(type="AuxStem", modalities=dict(depth=3, infrared=3, lidar=4), channels=16, stride=1),
        aux=dict(
            type="PIDNetBranches",
            in_channels=16,
            channels=16,
            ppm_channels=48,
            num_stem_blocks=2,
            num_branch_blocks=3,
        ),
        fusion=dict(type="GatedAttentionFusion"),
        condition=dict(type="ConditionToken"),
        rgb_channels=(64, 128, 64),
        aux_channels=(32, 64, 32),
    ),
    decode_head=dict(type="PIDBranchesHead"),
)
