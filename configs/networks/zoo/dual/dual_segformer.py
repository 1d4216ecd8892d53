# SPDX-License-Identifier: Apache-2.0
# SegFormer on two mix transformers, the other sensors' with half of B0's channels and layers and at half the
# resolution, fused at all four stages.
_base_ = "../segformer_b0.py"

model = dict(
    backbone=dict(
        _delete_=True,
        type="DualBranchEncoder",
        rgb={{_base_.model.backbone.backbone}},
        aux_stem=dict(type="AuxStem", modalities=dict(depth=3, infrared=3, lidar=4), channels=16, stride=1),
        aux=dict(
            type="MixVisionTransformer",
            in_channels=16,
            embed_dims=16,
            num_stages=4,
            num_layers=(1, 1, 1, 1),
            num_heads=(1, 2, 5, 8),
            patch_sizes=(7, 3, 3, 3),
            sr_ratios=(8, 4, 2, 1),
            out_indices=(0, 1, 2, 3),
            mlp_ratio=4,
            qkv_bias=True,
            drop_path_rate=0.1,
        ),
        fusion=dict(type="GatedAttentionFusion"),
        condition=dict(type="ConditionToken"),
        rgb_channels=(32, 64, 160, 256),
        aux_channels=(16, 32, 80, 128),
    ),
)
