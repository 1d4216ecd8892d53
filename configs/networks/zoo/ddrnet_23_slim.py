# SPDX-License-Identifier: Apache-2.0
# DDRNet-23-slim (Hong et al., arXiv 2101.06085), camera alone, as mmseg's ddrnet_23-slim: the hardest pixels count, and
# the high-resolution branch is trained beside with 0.4.
hardest = dict(type="HardPixelCrossEntropy", threshold=0.9, keep=0.02, class_weight=(1.0, 1.0, 1.0, 1.2))
norm = dict(type="BN")

model = dict(
    type="EncoderDecoder",
    data_preprocessor=dict(type="FusionPreprocessor"),
    backbone=dict(
        type="RgbEncoder",
        backbone=dict(type="DDRNet", in_channels=3, channels=32, ppm_channels=128, norm_cfg=norm, align_corners=False),
    ),
    decode_head=dict(
        type="DDRHead",
        in_channels=128,
        channels=64,
        dropout_ratio=0.0,
        num_classes=4,
        norm_cfg=norm,
        align_corners=False,
        loss_decode=[hardest, dict(**hardest, loss_weight=0.4)],
    ),
    test_cfg=dict(mode="whole"),
)
train = dict(optimizer="SGD", learning_rate=0.01, weight_decay=5e-4)
