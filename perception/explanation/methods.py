# SPDX-License-Identifier: Apache-2.0
"""Saliency methods; `perception.explanation.saliency` has their formulas."""

from __future__ import annotations

GRAD_CAM, HIRES_CAM = "grad-cam", "hires-cam"

METHODS: dict[str, str] = {GRAD_CAM: "Grad-CAM", HIRES_CAM: "HiResCAM"}
"""Display names."""

STRIDES = (4, 8, 16, 32)
"""Of the stages whose fused features the saliency can be taken of."""

DEFAULT_STRIDE = 16
"""The most informative stride of the shipped network; at stride 8, Grad-CAM highlights edges of all kinds."""
