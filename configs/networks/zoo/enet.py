# SPDX-License-Identifier: Apache-2.0
# ENet (Paszke et al., arXiv 1606.02147), camera alone. mmseg lacks it: perception/models/zoo/enet.py.
model = dict(
    type="EncoderDecoder",
    data_preprocessor=dict(type="FusionPreprocessor"),
    backbone=dict(type="RgbEncoder", backbone=dict(type="ENet")),
    decode_head=dict(
        type="ENetHead",
        in_channels=16,
        num_classes=4,
        align_corners=False,
        loss_decode=dict(type="WeightedCrossEntropy", class_weight=(1.0, 1.0, 1.0, 1.2)),
    ),
    test_cfg=dict(mode="whole"),
)
train = dict(optimizer="Adam", learning_rate=5e-4, weight_decay=2e-4)
