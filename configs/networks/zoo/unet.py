# SPDX-License-Identifier: Apache-2.0
# U-Net (Ronneberger et al., MICCAI 2015), camera alone, as mmseg's fcn_unet_s5-d16 (padded, batch normalisation), but
# with a quarter of the paper's channels, which it has no smaller version of: with all 64, a step of four crops takes
# minutes and several gigabytes on a CPU.
loss = dict(type="WeightedCrossEntropy", class_weight=(1.0, 1.0, 1.0, 1.2))
norm = dict(type="BN")

model = dict(
    type="EncoderDecoder",
    data_preprocessor=dict(type="FusionPreprocessor"),
    backbone=dict(type="RgbEncoder", backbone=dict(type="UNet", base_channels=16, norm_cfg=norm)),
    decode_head=dict(
        type="FCNHead",
        in_channels=16,
        in_index=4,
        channels=16,
        num_convs=1,
        concat_input=False,
        dropout_ratio=0.1,
        num_classes=4,
        norm_cfg=norm,
        align_corners=False,
        loss_decode=loss,
    ),
    auxiliary_head=dict(
        type="FCNHead",
        in_channels=32,
        in_index=3,
        channels=16,
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
train = dict(optimizer="SGD", learning_rate=0.01, weight_decay=5e-4)  # the paper names no rate: mmseg's
