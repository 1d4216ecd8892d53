# SPDX-License-Identifier: Apache-2.0
"""Heights above the ground in training: from each drive's own plane, and sometimes none at all."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from perception.ground import Ground
from perception.sample import Sample
from perception.sensors import NetworkInput
from perception.sensors.channels import AUX_CHANNELS
from perception.sensors.ground import ground_by_depth, ground_by_lidar
from perception.sensors.spec import SPECS

UNLEVELLED = 0.06
"""Share of the crops that have no heights, as when too little ground is seen."""


def expect_ground(samples: Sequence[Sample]) -> list[Sample]:
    """`samples` whose frames expect the median plane of their drive: a crop shows too little ground to fit its own.

    The drive is the part of a sample's name before the last slash. Frames whose plane is known are not changed.
    """
    planes = [
        sample.frame.ground or ground_by_lidar(sample.frame) or ground_by_depth(sample.frame) for sample in samples
    ]
    drives: dict[str, list[Ground]] = defaultdict(list)
    for sample, plane in zip(samples, planes, strict=True):
        if plane is not None:
            drives[sample.name.rpartition("/")[0]].append(plane)
    usual = {drive: _median(found) for drive, found in drives.items() if drive}
    return [
        replace(sample, frame=replace(sample.frame, ground=_either(plane, usual.get(sample.name.rpartition("/")[0]))))
        for sample, plane in zip(samples, planes, strict=True)
    ]


def without_heights(network_input: NetworkInput) -> None:
    """Empty the height channels."""
    names = [channel for sensor in AUX_CHANNELS for channel in SPECS[sensor].channels]
    network_input.aux[..., [number for number, name in enumerate(names) if name == "height"]] = 0


def _either(plane: Ground | None, usual: Ground | None) -> Ground | None:
    """A frame's own plane if it is near to the usual one of its drive, else the usual one."""
    if plane is None or usual is None:
        return plane or usual
    return usual if plane.angle_to(usual) > np.radians(3) or abs(plane.height - usual.height) > 0.3 else plane


def _median(planes: Sequence[Ground]) -> Ground:
    up = np.median([plane.up for plane in planes], axis=0)
    return Ground(up, float(np.median([plane.height for plane in planes])), planes[0].source)
