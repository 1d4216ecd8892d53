# SPDX-License-Identifier: Apache-2.0
"""The dual-branch network and the zoo's, in mmseg's registry: importing this package registers every part of them."""

from perception.models.aux_stem import AuxStem
from perception.models.condition import ConditionToken
from perception.models.dual_branch import Batch, DualBranchEncoder
from perception.models.fusion import (
    AddFusion,
    CBAMFusion,
    ConcatFusion,
    ConditionFusion,
    CrossAttentionFusion,
    GatedAttentionFusion,
    MaxFusion,
    SEFusion,
)
from perception.models.instance_head import InstanceHead
from perception.models.light_fpn_head import LightFPNHead
from perception.models.losses import WeightedCrossEntropy
from perception.models.preprocessor import FusionPreprocessor, TensorPreprocessor
from perception.models.rare_losses import BoundaryCrossEntropy, HardPixelCrossEntropy, LovaszSoftmax
from perception.models.rgb_encoder import RgbEncoder
from perception.models.slim_resnet import SlimResNet
from perception.models.zoo import (
    DetailHead,
    ENet,
    ENetHead,
    ESANetHead,
    ESPNetV2,
    ESPNetV2Head,
    PIDBranchesHead,
    PIDNetBranches,
    SegNetBasic,
    UNetEncoder,
    UNetHead,
)
from perception.registry import load

__all__ = [
    "AddFusion",
    "AuxStem",
    "Batch",
    "BoundaryCrossEntropy",
    "CBAMFusion",
    "ConcatFusion",
    "ConditionFusion",
    "ConditionToken",
    "CrossAttentionFusion",
    "DetailHead",
    "DualBranchEncoder",
    "ENet",
    "ENetHead",
    "ESANetHead",
    "ESPNetV2",
    "ESPNetV2Head",
    "FusionPreprocessor",
    "GatedAttentionFusion",
    "HardPixelCrossEntropy",
    "InstanceHead",
    "LightFPNHead",
    "LovaszSoftmax",
    "MaxFusion",
    "PIDBranchesHead",
    "PIDNetBranches",
    "RgbEncoder",
    "SEFusion",
    "SegNetBasic",
    "SlimResNet",
    "TensorPreprocessor",
    "UNetEncoder",
    "UNetHead",
    "WeightedCrossEntropy",
]

for _group in ("networks", "fusions"):  # last: their modules may import the modules above
    load(_group)
