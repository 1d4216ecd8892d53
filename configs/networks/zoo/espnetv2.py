# SPDX-License-Identifier: Apache-2.0
# Like ESPNetv2 (Mehta et al., CVPR 2019) with s = 1, camera alone. mmseg lacks it: perception/models/zoo/espnetv2.py.
model = dict(
    type="EncoderDecoder",
    data_preprocessor=dict(type="FusionPreprocessor"),
    backbone=dict(type="RgbEncoder", backbone=dict(type="ESPNetV2", channels=(32, 64, 128, 256))),
    decode_head=dict(
        type="ESPNetV2Head",
        in_channels=(32, 64, 128, 256),
        in_index=(0, 1, 2, 3),
        channels=128,
        num_classes=4,
        align_corners=False,
        loss_decode=dict(type="WeightedCrossEntropy", class_weight=(1.0, 1.0, 1.0, 1.2)),
    ),
    test_cfg=dict(mode="whole"),
)
# Its cyclic rates are for ImageNet: this is that of the authors' ESPNet (ECCV 2018).
train = dict(optimizer="Adam", learning_rate=5e-4, weight_decay=5e-4)
