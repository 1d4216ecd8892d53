# SPDX-License-Identifier: Apache-2.0
"""Which parts of ROS 2 are installed, and what to do if they are not."""

from __future__ import annotations

import importlib
from types import ModuleType

from perception.errors import PerceptionError


def require_rclpy() -> None:
    """Raise PerceptionError with installation instructions if ROS 2's Python client cannot be imported."""
    try:
        importlib.import_module("rclpy")
    except ImportError as error:
        raise PerceptionError(
            f"ROS 2's Python client cannot be imported ({error}): source a ROS 2 installation "
            "(source /opt/ros/jazzy/setup.bash), or pip install 'multimodal_perception[node]' in a virtual environment"
        ) from error


def optional(module: str) -> ModuleType | None:
    """The module if it is installed, else None: for modules that exist only in a full ROS 2."""
    try:
        return importlib.import_module(module)
    except ImportError:
        return None
