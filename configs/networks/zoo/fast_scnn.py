# SPDX-License-Identifier: Apache-2.0
# Fast-SCNN (Poudel et al., BMVC 2019), camera alone, as mmseg's fast_scnn, with auxiliary losses of 0.4 behind
# "learning to downsample" and behind the global features.
loss = dict(type="WeightedCrossEntropy", class_weight=(1.0, 1.0, 1.0, 1.2))
norm = dict(type="BN")
aside = dict(
    type="FCNHead",
    channels=32,
    num_convs=1,
    concat_input=False,
    dropout_ratio=0.1,
    num_classes=4,
    norm_cfg=norm,
    align_corners=False,
    loss_decode=dict(**loss, loss_weight=0.4),
)

model = dict(
    type="EncoderDecoder",
    data_preprocessor=dict(type="FusionPreprocessor"),
    backbone=dict(
        type="RgbEncoder",
        backbone=dict(
            type="FastSCNN",
            downsample_dw_channels=(32, 48),
            global_in_channels=64,
            global_block_channels=(64, 96, 128),
            global_block_strides=(2, 2, 1),
            global_out_channels=128,
            higher_in_channels=64,
            lower_in_channels=128,
            fusion_out_channels=128,
            out_indices=(0, 1, 2),
            norm_cfg=norm,
            align_corners=False,
        ),
    ),
    decode_head=dict(
        type="DepthwiseSeparableFCNHead",
        in_channels=128,
        in_index=-1,
        channels=128,
        concat_input=False,
        num_classes=4,
        norm_cfg=norm,
        align_corners=False,
        loss_decode=loss,
    ),
    auxiliary_head=[
        dict(**aside, in_channels=128, in_index=-2),
        dict(**aside, in_channels=64, in_index=-3),
    ],
    test_cfg=dict(mode="whole"),
)
train = dict(optimizer="SGD", learning_rate=0.045, weight_decay=4e-5)
