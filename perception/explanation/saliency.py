# SPDX-License-Identifier: Apache-2.0
"""Grad-CAM and HiResCAM: which locations of a stage's features support a class."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from perception.explanation.methods import GRAD_CAM, HIRES_CAM


@dataclass(frozen=True)
class Saliency:
    """heat: (h, w) float32 in 0–1, 1 at the strongest location; all 0 where nothing supports the class.

    inside: the share of the heat that lies in cells where the class was predicted. area: their share of the image, what
    `inside` would be of heat spread evenly.
    """

    heat: NDArray[np.float32]
    inside: float
    area: float


def saliency_of(features: Tensor, logits: Tensor, class_id: int, mask: Tensor, method: str = GRAD_CAM) -> Saliency:
    """The heat of the score y = the class's logits summed over the pixels of `mask`, by one of METHODS.

    grad-cam: ReLU(Σₖ αₖ Aᵏ) with αₖ = 1/Z Σᵢⱼ ∂y/∂Aᵏᵢⱼ (Selvaraju et al., ICCV 2017): where features are of a kind
    that supports the class, anywhere. hires-cam: ReLU(Σₖ ∂y/∂Aᵏᵢⱼ Aᵏᵢⱼ) (Draelos and Carin, 2020): what each location
    contributed to this mask, which is 0 beyond the mask's receptive field. The sum over a mask is Vinogradova et al.'s
    (AAAI 2020).

    features: Aᵏ, (1, K, h, w), which `logits` (1, C, H, W) were computed from with gradients on. mask: (H, W) bool.
    """
    score = logits[0, class_id][mask].sum()
    (gradient,) = torch.autograd.grad(score, features, retain_graph=True)
    weights = gradient if method == HIRES_CAM else gradient.mean((2, 3), keepdim=True)
    heat = (weights * features.detach()).sum(1)[0].relu()
    heat = heat / heat.max().clamp(min=1e-12)
    height, width = heat.shape
    cells = functional.adaptive_avg_pool2d(mask.float()[None], (height, width))[0]
    inside = (heat * cells).sum() / heat.sum().clamp(min=1e-12)
    return Saliency(heat.numpy(), float(inside), float(mask.float().mean()))
