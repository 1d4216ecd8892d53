# SPDX-License-Identifier: Apache-2.0
# In the manner of CMX (Zhang et al., T-ITS 2023): two SegFormer-B0 encoders, cross-attention at every stage and
# SegFormer's head. Unlike there, the other sensors are depth, infrared and LiDAR, at half the resolution, and the
# branches do not rectify each other between the stages.
_base_ = "dual_segformer.py"

model = dict(
    backbone=dict(
        aux=dict(embed_dims=32, num_layers=(2, 2, 2, 2)),
        fusion=dict(_delete_=True, type="CrossAttentionFusion"),
        condition=None,
        aux_channels=(32, 64, 160, 256),
    ),
)
