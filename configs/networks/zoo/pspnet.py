# SPDX-License-Identifier: Apache-2.0
# PSPNet (Zhao et al., CVPR 2017), camera alone, on a dilated ResNet-18 as mmseg's pspnet_r18-d8 and the authors' own
# smallest: their ResNet-101 is too slow to be trained on a CPU in half an hour. Auxiliary loss of 0.4 as in the paper.
_base_ = "fcn.py"

model = dict(
    decode_head=dict(
        _delete_=True,
        type="PSPHead",
        in_channels=512,
        in_index=3,
        channels=128,
        pool_scales=(1, 2, 3, 6),
        dropout_ratio=0.1,
        num_classes=4,
        norm_cfg=dict(type="BN"),
        align_corners=False,
        loss_decode=dict(type="WeightedCrossEntropy", class_weight={{_base_.class_weight}}),
    ),
)
train = dict(optimizer="SGD", learning_rate=0.01, weight_decay=1e-4)
