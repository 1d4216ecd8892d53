# SPDX-License-Identifier: Apache-2.0
# HRNet-W18 (Wang et al., TPAMI 2020), camera alone: HRNetV2, all four resolutions joined, as mmseg's fcn_hr18.
norm = dict(type="BN")

model = dict(
    type="EncoderDecoder",
    data_preprocessor=dict(type="FusionPreprocessor"),
    backbone=dict(
        type="RgbEncoder",
        backbone=dict(
            type="HRNet",
            norm_cfg=norm,
            extra=dict(
                stage1=dict(num_modules=1, num_branches=1, block="BOTTLENECK", num_blocks=(4,), num_channels=(64,)),
                stage2=dict(num_modules=1, num_branches=2, block="BASIC", num_blocks=(4, 4), num_channels=(18, 36)),
                stage3=dict(
                    num_modules=4, num_branches=3, block="BASIC", num_blocks=(4, 4, 4), num_channels=(18, 36, 72)
                ),
                stage4=dict(
                    num_modules=3,
                    num_branches=4,
                    block="BASIC",
                    num_blocks=(4, 4, 4, 4),
                    num_channels=(18, 36, 72, 144),
                ),
            ),
        ),
    ),
    decode_head=dict(
        type="FCNHead",
        in_channels=(18, 36, 72, 144),
        in_index=(0, 1, 2, 3),
        input_transform="resize_concat",
        channels=270,
        kernel_size=1,
        num_convs=1,
        concat_input=False,
        dropout_ratio=0.0,
        num_classes=4,
        norm_cfg=norm,
        align_corners=False,
        loss_decode=dict(type="WeightedCrossEntropy", class_weight=(1.0, 1.0, 1.0, 1.2)),
    ),
    test_cfg=dict(mode="whole"),
)
train = dict(optimizer="SGD", learning_rate=0.01, weight_decay=5e-4)
