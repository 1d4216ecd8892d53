# SPDX-License-Identifier: Apache-2.0
"""A procedural street, seen by a camera, a depth camera, a thermal camera and a LiDAR, with exact labels."""

from perception.simulation.drive import SimulatedDrive, SimulatedDrives
from perception.simulation.optics.weather import CONDITIONS

__all__ = ["CONDITIONS", "SimulatedDrive", "SimulatedDrives"]
