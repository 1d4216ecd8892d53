# SPDX-License-Identifier: Apache-2.0
# DeepLabV3 (Chen et al., arXiv 1706.05587), camera alone, on a dilated ResNet-18 as mmseg's deeplabv3_r18-d8: the
# paper's ResNet-50 and -101 are too slow to be trained on a CPU in half an hour. Output stride 8, rates 12, 24, 36.
_base_ = "fcn.py"

model = dict(
    decode_head=dict(
        _delete_=True,
        type="ASPPHead",
        in_channels=512,
        in_index=3,
        channels=128,
        dilations=(1, 12, 24, 36),
        dropout_ratio=0.1,
        num_classes=4,
        norm_cfg=dict(type="BN"),
        align_corners=False,
        loss_decode=dict(type="WeightedCrossEntropy", class_weight={{_base_.class_weight}}),
    ),
)
train = dict(optimizer="SGD", learning_rate=0.007, weight_decay=5e-4)
