# SPDX-License-Identifier: Apache-2.0
"""OpenVINO, imported without its converter, which takes two thirds of the time and is only needed for exports.

OpenVINO itself works without the converter if it is not installed; here the first use of `convert_model` imports it.
"""

from __future__ import annotations

import sys
from typing import Any

_CONVERTER = "openvino.tools.ovc"


def _converter(name: str) -> Any:
    if name != "convert_model":
        raise AttributeError(f"module 'openvino' has no attribute {name!r}")
    from openvino.tools.ovc import convert_model

    return convert_model


if "openvino" in sys.modules:
    import openvino
else:
    sys.modules[_CONVERTER] = None  # type: ignore[assignment]  # importing it fails, as if it were not installed
    try:
        import openvino
    finally:
        del sys.modules[_CONVERTER]
    openvino.__getattr__ = _converter

__all__ = ["openvino"]
