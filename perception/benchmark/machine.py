# SPDX-License-Identifier: Apache-2.0
"""The machine, versions and input of a measurement."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from perception.frame import Frame
from perception.reporting.provenance import processor_flags, versions


@dataclass(frozen=True)
class Machine:
    """cores: usable by this process; flags: what of `provenance.FLAGS` it has; load: of the last minute."""

    cores: int
    flags: list[str]
    memory_gb: float
    load: float
    versions: dict[str, str]


def describe_machine() -> Machine:
    """This one, now."""
    return Machine(
        cores=len(os.sched_getaffinity(0)),
        flags=processor_flags(),
        memory_gb=round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30, 1),
        load=os.getloadavg()[0],
        versions=versions(),
    )


def input_hash(frames: Iterable[Frame]) -> str:
    """SHA-256 over the bytes of every sensor of every frame."""
    digest = hashlib.sha256()
    for frame in frames:
        for values in (frame.rgb, frame.depth, frame.infrared, frame.points):
            if values is not None:
                digest.update(np.ascontiguousarray(values).data)
    return digest.hexdigest()
