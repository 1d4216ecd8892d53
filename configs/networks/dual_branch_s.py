# SPDX-License-Identifier: Apache-2.0
# The real-time default: RGB at full resolution, depth + infrared + LiDAR at half, fused at strides 4, 8, 16 and 32.
channels = (32, 64, 128, 256)
aux_channels = (32, 32, 64, 96)
# What `perception prune` left inside blocks that were once as wide as `channels` and `aux_channels`.
hidden = ((16,), (48, 32), (64, 32), (64, 64))
aux_hidden = ((16,), (32,), (64,), (80,))
# IoU is best where a class is chosen from a probability of IoU/2 on (Lipton et al., 2014), not from one half on.
class_weight = (1.0, 1.0, 1.0, 1.2)

model = dict(
    type="EncoderDecoder",
    data_preprocessor=dict(type="FusionPreprocessor"),
    backbone=dict(
        type="DualBranchEncoder",
        rgb=dict(type="SlimResNet", stem=(16, 32), channels=channels, hidden=hidden, wide=(0, 1, 3, 3)),
        aux_stem=dict(type="AuxStem", modalities=dict(depth=3, infrared=3, lidar=4), channels=16, stride=2),
        aux=dict(
            type="SlimResNet",
            in_channels=16,
            stem=(),
            channels=aux_channels,
            hidden=aux_hidden,
            wide=(0, 1, 1, 1),
        ),
        fusion=dict(type="GatedAttentionFusion"),
        condition=dict(type="ConditionToken"),
        rgb_channels=channels,
        aux_channels=aux_channels,
    ),
    decode_head=dict(
        type="LightFPNHead",
        in_channels=channels,
        in_index=(0, 1, 2, 3),
        width=64,
        channels=48,
        dropout_ratio=0.0,
        num_classes=4,
        align_corners=False,
        loss_decode=dict(type="WeightedCrossEntropy", class_weight=class_weight),
    ),
    test_cfg=dict(mode="whole"),
)
