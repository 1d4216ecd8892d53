# SPDX-License-Identifier: Apache-2.0
# In the manner of ESANet (Seichter et al., ICRA 2021): two ResNet-18 (the paper has them beside its ResNet-34), squeeze
# and excitation at every stage, its context module and its decoder with a loss at every scale. Unlike there, the other
# sensors are depth, infrared and LiDAR, at half the resolution, and the fused features do not go back into the camera's
# branch.
resnet = dict(type="ResNetV1c", depth=18, norm_cfg=dict(type="BN"))
channels = (64, 128, 256, 512)

model = dict(
    type="EncoderDecoder",
    data_preprocessor=dict(type="FusionPreprocessor"),
    backbone=dict(
        type="DualBranchEncoder",
        rgb=resnet,
        aux_stem=dict(type="AuxStem", modalities=dict(depth=3, infrared=3, lidar=4), channels=16, stride=1),
        aux=dict(**resnet, in_channels=16),
        fusion=dict(type="SEFusion"),
        rgb_channels=channels,
        aux_channels=channels,
    ),
    decode_head=dict(
        type="ESANetHead",
        in_channels=channels,
        in_index=(0, 1, 2, 3),
        channels=128,
        blocks=3,
        num_classes=4,
        align_corners=False,
        loss_decode=dict(type="WeightedCrossEntropy", class_weight=(1.0, 1.0, 1.0, 1.2)),
    ),
    test_cfg=dict(mode="whole"),
)
train = dict(optimizer="SGD", learning_rate=0.01, weight_decay=1e-4)
