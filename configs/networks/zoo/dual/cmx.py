# SPDX-License-Identifier: Apache-2.0
# In the manner of CMX (Zhang et al., T-ITS 2023): two SegFormer-B0 encoders, cross-attention at every stage and
# SegFormer's head. Unlike there, the other sensors are depth, infrared and LiDAR, at half the resolution, and the
# branches do not rectify each other between the stages.
_base_ = "../segformer_b0.py"
channels = (32, 64, 160, 256)

model = dict(
    backbone=dict(
        _delete_=True,
        type="DualBranchEncoder",
        rgb={{_base_.model.backbone.backbone}},
        aux_stem=dict(type="AuxStem", modalities=dict(depth=3, infrared=3, lidar=4), channels=16, stride=1),
        aux=dict(
            type="MixVisionTransformer",
            in_channels=16,
            embed_dims=32,
            num_stages=4,
            num_layers=(2, 2, 2, 2),
            num_heads=(1, 2, 5, 8),
            patch_sizes=(7, 3, 3, 3),
            sr_ratios=(8, 4, 2, 1),
            out_indices=(0, 1, 2, 3),
            mlp_ratio=4,
            qkv_bias=True,
            drop_path_rate=0.1,
        ),
        fusion=dict(type="CrossAttentionFusion"),
        rgb_channels=channels,
        aux_channels=channels,
    ),
)
