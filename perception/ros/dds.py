# SPDX-License-Identifier: Apache-2.0
"""How Fast DDS transports images and sweeps between processes: without loss, and without blocking the publisher."""

from __future__ import annotations

import os
from pathlib import Path

PROFILE = Path(__file__).with_name("fastdds.xml")


def use_profile() -> None:
    """Give this process our Fast DDS profile, unless the user chose another. Call it before `rclpy.init`."""
    os.environ.setdefault("FASTRTPS_DEFAULT_PROFILES_FILE", str(PROFILE))


def send_beside() -> None:
    """Let a thread of Fast DDS send what this process publishes, unless the user chose otherwise.

    Call it before `rclpy.init`. `publish` returns once the message is encoded. rclpy holds Python's lock meanwhile:
    otherwise a listener that freezes while it reads would stop every thread of the process for two seconds.
    """
    os.environ.setdefault("RMW_FASTRTPS_PUBLICATION_MODE", "ASYNCHRONOUS")
