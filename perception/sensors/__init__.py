# SPDX-License-Identifier: Apache-2.0
"""From raw sensor data to network channels, without torch and without ROS."""

from perception.sensors.encode import NetworkInput, encode, network_size
from perception.sensors.projection import Projection, nearest_per_pixel, project, project_sweep

__all__ = ["NetworkInput", "Projection", "encode", "nearest_per_pixel", "network_size", "project", "project_sweep"]
