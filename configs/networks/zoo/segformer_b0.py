# SPDX-License-Identifier: Apache-2.0
# SegFormer-B0 (Xie et al., NeurIPS 2021), camera alone, as mmseg's segformer_mit-b0.
model = dict(
    type="EncoderDecoder",
    data_preprocessor=dict(type="FusionPreprocessor"),
    backbone=dict(
        type="RgbEncoder",
        backbone=dict(
            type="MixVisionTransformer",
            in_channels=3,
            embed_dims=32,
            num_stages=4,
            num_layers=(2, 2, 2, 2),
            num_heads=(1, 2, 5, 8),
            patch_sizes=(7, 3, 3, 3),
            sr_ratios=(8, 4, 2, 1),
            out_indices=(0, 1, 2, 3),
            mlp_ratio=4,
            qkv_bias=True,
            drop_path_rate=0.1,
        ),
    ),
    decode_head=dict(
        type="SegformerHead",
        in_channels=(32, 64, 160, 256),
        in_index=(0, 1, 2, 3),
        channels=256,
        dropout_ratio=0.1,
        num_classes=4,
        norm_cfg=dict(type="BN"),
        align_corners=False,
        loss_decode=dict(type="WeightedCrossEntropy", class_weight=(1.0, 1.0, 1.0, 1.2)),
    ),
    test_cfg=dict(mode="whole"),
)
# The paper's 6e-5 is for an encoder that ImageNet taught; this is its rate for the head, which begins at random.
train = dict(optimizer="AdamW", learning_rate=6e-4, weight_decay=0.01)
