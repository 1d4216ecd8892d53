# SPDX-License-Identifier: Apache-2.0
# DeepLabV3+ (Chen et al., ECCV 2018), camera alone, on a dilated ResNet-18 as mmseg's deeplabv3plus_r18-d8: the
# paper's Xception and ResNet-101 are too slow to be trained on a CPU in half an hour. Depthwise separable ASPP, and
# a decoder with the features of stage 1.
_base_ = "fcn.py"

model = dict(
    decode_head=dict(
        _delete_=True,
        type="DepthwiseSeparableASPPHead",
        in_channels=512,
        in_index=3,
        channels=128,
        dilations=(1, 12, 24, 36),
        c1_in_channels=64,
        c1_channels=12,
        dropout_ratio=0.1,
        num_classes=4,
        norm_cfg=dict(type="BN"),
        align_corners=False,
        loss_decode=dict(type="WeightedCrossEntropy", class_weight={{_base_.class_weight}}),
    ),
)
train = dict(optimizer="SGD", learning_rate=0.007, weight_decay=5e-4)
