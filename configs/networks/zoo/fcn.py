# SPDX-License-Identifier: Apache-2.0
# FCN (Long et al., CVPR 2015), camera alone, on a dilated ResNet-18 as mmseg's fcn_r18-d8: the paper's VGG-16 and
# mmseg's larger ResNets are too slow to be trained on a CPU in half an hour. The auxiliary head trains stage 3.
class_weight = (1.0, 1.0, 1.0, 1.2)
loss = dict(type="WeightedCrossEntropy", class_weight=class_weight)
norm = dict(type="BN")

model = dict(
    type="EncoderDecoder",
    data_preprocessor=dict(type="FusionPreprocessor"),
    backbone=dict(
        type="RgbEncoder",
        backbone=dict(
            type="ResNetV1c",
            depth=18,
            dilations=(1, 1, 2, 4),
            strides=(1, 2, 1, 1),
            contract_dilation=True,
            norm_cfg=norm,
        ),
    ),
    decode_head=dict(
        type="FCNHead",
        in_channels=512,
        in_index=3,
        channels=128,
        num_convs=2,
        dropout_ratio=0.1,
        num_classes=4,
        norm_cfg=norm,
        align_corners=False,
        loss_decode=loss,
    ),
    auxiliary_head=dict(
        type="FCNHead",
        in_channels=256,
        in_index=2,
        channels=64,
        num_convs=1,
        concat_input=False,
        dropout_ratio=0.1,
        num_classes=4,
        norm_cfg=norm,
        align_corners=False,
        loss_decode=dict(**loss, loss_weight=0.4),
    ),
    test_cfg=dict(mode="whole"),
)
train = dict(optimizer="SGD", learning_rate=0.01, weight_decay=5e-4)
