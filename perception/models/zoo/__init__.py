# SPDX-License-Identifier: Apache-2.0
"""Networks and parts of networks that mmseg lacks, after their papers; importing this package registers them.

The configs are in configs/networks/zoo; docs/zoo.md tells what each network is.
"""

from perception.models.zoo.enet import ENet, ENetHead
from perception.models.zoo.esanet import ESANetHead
from perception.models.zoo.espnetv2 import ESPNetV2, ESPNetV2Head
from perception.models.zoo.pidnet import PIDBranchesHead, PIDNetBranches
from perception.models.zoo.segnet import SegNetBasic
from perception.models.zoo.stdc import DetailHead
from perception.models.zoo.unet import UNetEncoder, UNetHead

__all__ = [
    "DetailHead",
    "ENet",
    "ENetHead",
    "ESANetHead",
    "ESPNetV2",
    "ESPNetV2Head",
    "PIDBranchesHead",
    "PIDNetBranches",
    "SegNetBasic",
    "UNetEncoder",
    "UNetHead",
]
