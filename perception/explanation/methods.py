# SPDX-License-Identifier: Apache-2.0
"""Ways of finding out what spoke for a class; `perception.explanation.saliency` has their formulas."""

from __future__ import annotations

GRAD_CAM, HIRES_CAM = "grad-cam", "hires-cam"

METHODS: dict[str, str] = {GRAD_CAM: "Grad-CAM", HIRES_CAM: "HiResCAM"}
"""How they are written, by name."""

STRIDES = (4, 8, 16, 32)
"""Of the stages whose fused features the saliency can be taken of."""

DEFAULT_STRIDE = 16
"""Where the shipped network keeps what things are; at stride 8 Grad-CAM lights borders of all kinds."""
