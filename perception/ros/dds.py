# SPDX-License-Identifier: Apache-2.0
"""The Fast DDS profile that carries images and sweeps between processes without loss."""

from __future__ import annotations

import os
from pathlib import Path

PROFILE = Path(__file__).with_name("fastdds.xml")


def use_profile() -> None:
    """Give this process our Fast DDS profile, unless the user chose another. Call it before `rclpy.init`."""
    os.environ.setdefault("FASTRTPS_DEFAULT_PROFILES_FILE", str(PROFILE))
