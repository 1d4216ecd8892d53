# SPDX-License-Identifier: Apache-2.0
# BiSeNetV2 (Yu et al., IJCV 2021), camera alone, as mmseg's bisenetv2_fcn, with the paper's booster: a head on each
# stage of the semantic branch, in training only.
loss = dict(type="WeightedCrossEntropy", class_weight=(1.0, 1.0, 1.0, 1.2))
norm = dict(type="BN")
head = dict(
    type="FCNHead",
    concat_input=False,
    dropout_ratio=0.1,
    num_classes=4,
    norm_cfg=norm,
    align_corners=False,
    loss_decode=loss,
)

model = dict(
    type="EncoderDecoder",
    data_preprocessor=dict(type="FusionPreprocessor"),
    backbone=dict(
        type="RgbEncoder",
        backbone=dict(
            type="BiSeNetV2",
            detail_channels=(64, 64, 128),
            semantic_channels=(16, 32, 64, 128),
            semantic_expansion_ratio=6,
            bga_channels=128,
            out_indices=(0, 1, 2, 3, 4),
            align_corners=False,
            norm_cfg=norm,
        ),
    ),
    decode_head=dict(**head, in_channels=128, in_index=0, channels=1024, num_convs=1),
    auxiliary_head=[
        dict(**head, in_channels=16, in_index=1, channels=16, num_convs=2),
        dict(**head, in_channels=32, in_index=2, channels=64, num_convs=2),
        dict(**head, in_channels=64, in_index=3, channels=256, num_convs=2),
        dict(**head, in_channels=128, in_index=4, channels=1024, num_convs=2),
    ],
    test_cfg=dict(mode="whole"),
)
train = dict(optimizer="SGD", learning_rate=0.05, weight_decay=5e-4)
