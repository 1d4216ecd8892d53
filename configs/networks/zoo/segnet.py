# SPDX-License-Identifier: Apache-2.0
# SegNet (Badrinarayanan et al., TPAMI 2017), camera alone, as the paper's own small version, SegNet-Basic: four
# encoders and four decoders of 64 channels. mmseg lacks it: perception/models/zoo/segnet.py.
model = dict(
    type="EncoderDecoder",
    data_preprocessor=dict(type="FusionPreprocessor"),
    backbone=dict(type="RgbEncoder", backbone=dict(type="SegNetBasic", channels=64)),
    decode_head=dict(
        type="FCNHead",
        in_channels=64,
        channels=64,
        num_convs=0,
        concat_input=False,
        dropout_ratio=0.0,
        num_classes=4,
        align_corners=False,
        loss_decode=dict(type="WeightedCrossEntropy", class_weight=(1.0, 1.0, 1.0, 1.2)),
    ),
    test_cfg=dict(mode="whole"),
)
train = dict(optimizer="SGD", learning_rate=0.1, weight_decay=5e-4)
