# SPDX-License-Identifier: Apache-2.0
"""The dual-branch network, in mmseg's registry: importing this package registers every part of it."""

from perception.models.aux_stem import AuxStem
from perception.models.condition import ConditionToken
from perception.models.dual_branch import Batch, DualBranchEncoder
from perception.models.fusion import (
    AddFusion,
    CBAMFusion,
    ConcatFusion,
    CrossAttentionFusion,
    GatedAttentionFusion,
    SEFusion,
)
from perception.models.instance_head import InstanceHead
from perception.models.light_fpn_head import LightFPNHead
from perception.models.losses import WeightedCrossEntropy
from perception.models.preprocessor import FusionPreprocessor
from perception.models.rare_losses import BoundaryCrossEntropy, HardPixelCrossEntropy, LovaszSoftmax
from perception.models.slim_resnet import SlimResNet
from perception.registry import load

__all__ = [
    "AddFusion",
    "AuxStem",
    "Batch",
    "BoundaryCrossEntropy",
    "CBAMFusion",
    "ConcatFusion",
    "ConditionToken",
    "CrossAttentionFusion",
    "DualBranchEncoder",
    "FusionPreprocessor",
    "GatedAttentionFusion",
    "HardPixelCrossEntropy",
    "InstanceHead",
    "LightFPNHead",
    "LovaszSoftmax",
    "SEFusion",
    "SlimResNet",
    "WeightedCrossEntropy",
]

for _group in ("networks", "fusions"):  # last: their modules may import the modules above
    load(_group)
