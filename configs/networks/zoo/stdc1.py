# SPDX-License-Identifier: Apache-2.0
# STDC1-Seg (Fan et al., CVPR 2021), camera alone, as mmseg's stdc1: the hardest pixels count, two heads on the context
# path and one for the details, in training only.
hardest = dict(type="HardPixelCrossEntropy", threshold=0.7, keep=0.0625, class_weight=(1.0, 1.0, 1.0, 1.2))
norm = dict(type="BN")
head = dict(
    type="FCNHead",
    num_convs=1,
    concat_input=False,
    dropout_ratio=0.1,
    num_classes=4,
    norm_cfg=norm,
    loss_decode=hardest,
)

model = dict(
    type="EncoderDecoder",
    data_preprocessor=dict(type="FusionPreprocessor"),
    backbone=dict(
        type="RgbEncoder",
        backbone=dict(
            type="STDCContextPathNet",
            backbone_cfg=dict(
                type="STDCNet",
                stdc_type="STDCNet1",
                in_channels=3,
                channels=(32, 64, 256, 512, 1024),
                bottleneck_type="cat",
                num_convs=4,
                norm_cfg=norm,
                act_cfg=dict(type="ReLU"),
                with_final_conv=False,
            ),
            last_in_channels=(1024, 512),
            out_channels=128,
            ffm_cfg=dict(in_channels=384, out_channels=256, scale_factor=4, norm_cfg=norm),
            norm_cfg=norm,
        ),
    ),
    decode_head=dict(**head, in_channels=256, in_index=3, channels=256, align_corners=True),
    auxiliary_head=[
        dict(**head, in_channels=128, in_index=2, channels=64, align_corners=False),
        dict(**head, in_channels=128, in_index=1, channels=64, align_corners=False),
        dict(type="DetailHead", in_channels=256, in_index=0, channels=64, norm_cfg=norm),
    ],
    test_cfg=dict(mode="whole"),
)
train = dict(optimizer="SGD", learning_rate=0.01, weight_decay=5e-4)
