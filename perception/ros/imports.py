# SPDX-License-Identifier: Apache-2.0
"""What of ROS 2 is there, and how to mend it where it is not."""

from __future__ import annotations

import importlib
from types import ModuleType

from perception.errors import PerceptionError


def require_rclpy() -> None:
    """Raise PerceptionError, saying how to get ROS 2's Python client, where it cannot be imported."""
    try:
        importlib.import_module("rclpy")
    except ImportError as error:
        raise PerceptionError(
            f"ROS 2's Python client cannot be imported ({error}): source a ROS 2 installation "
            "(source /opt/ros/jazzy/setup.bash), or pip install 'multimodal_perception[node]' in a virtual environment"
        ) from error


def optional(module: str) -> ModuleType | None:
    """The module where an installation has it, else None: for what exists only in a full ROS 2."""
    try:
        return importlib.import_module(module)
    except ImportError:
        return None
