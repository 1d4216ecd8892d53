# SPDX-License-Identifier: Apache-2.0
"""Vehicles and pedestrians as things: where each is, how large, and which of the last frame's it is."""

from perception.objects.boxes import Object, find_objects
from perception.objects.tracking import Tracking

__all__ = ["Object", "Tracking", "find_objects"]
