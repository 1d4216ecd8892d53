# SPDX-License-Identifier: Apache-2.0
"""Road, vehicle and pedestrian masks from whatever of camera, depth, infrared and LiDAR a vehicle has."""

import sys
import warnings

from perception.errors import DataError, FrameError, MessageError, ModelError, PerceptionError
from perception.frame import MODALITIES, CameraModel, Frame, Prediction, Returns
from perception.pipeline import Pipeline

# OpenVINO and NNCF would report to Google Analytics whenever they are imported; without this module they do not.
sys.modules.setdefault("openvino_telemetry", None)  # type: ignore[arg-type]
# mmcv's own transformers cannot be used without its compiled operators; no network of ours has one of them.
warnings.filterwarnings("ignore", "Fail to import ``MultiScaleDeformableAttention``", UserWarning)

__version__ = "0.2.0"

__all__ = [
    "MODALITIES",
    "CameraModel",
    "DataError",
    "Frame",
    "FrameError",
    "MessageError",
    "ModelError",
    "PerceptionError",
    "Pipeline",
    "Prediction",
    "Returns",
]
