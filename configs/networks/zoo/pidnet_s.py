# SPDX-License-Identifier: Apache-2.0
# PIDNet-S (Xu et al., CVPR 2023), camera alone, as mmseg's pidnet-s, with the paper's four losses: of the P branch, of
# the hardest pixels, of the borders (2 pixels on either side), and of what the D branch takes for a border.
class_weight = (1.0, 1.0, 1.0, 1.2)
norm = dict(type="BN")
relu = dict(type="ReLU", inplace=True)
hardest = dict(type="HardPixelCrossEntropy", threshold=0.9, keep=0.02, class_weight=class_weight)

model = dict(
    type="EncoderDecoder",
    data_preprocessor=dict(type="FusionPreprocessor", edge_radius=2),
    backbone=dict(
        type="RgbEncoder",
        backbone=dict(
            type="PIDNet",
            in_channels=3,
            channels=32,
            ppm_channels=96,
            num_stem_blocks=2,
            num_branch_blocks=3,
            align_corners=False,
            norm_cfg=norm,
            act_cfg=relu,
        ),
    ),
    decode_head=dict(
        type="PIDHead",
        in_channels=128,
        channels=128,
        num_classes=4,
        norm_cfg=norm,
        act_cfg=relu,
        align_corners=True,
        loss_decode=[
            dict(type="WeightedCrossEntropy", class_weight=class_weight, loss_weight=0.4),
            hardest,
            dict(type="BoundaryLoss", loss_weight=20.0),
            hardest,
        ],
    ),
    test_cfg=dict(mode="whole"),
)
train = dict(optimizer="SGD", learning_rate=0.01, weight_decay=5e-4)
