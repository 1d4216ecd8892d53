# SPDX-License-Identifier: Apache-2.0
"""The common form of recordings: frames in the order of time, each with a name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType

import numpy as np

from perception.datasets.image_folder import PERIOD_NS
from perception.datasets.io.lazy import LazySequence
from perception.frame import Frame, Prediction
from perception.sample import Sample


class NamedFrames(LazySequence[Frame]):
    """Frames that are read when indexed; it can be sent to another process.

    path: where they come from. names: one per frame, usable as file names; "/" makes folders. stamps_ns: one per frame,
    in the order of time. remarks: notes on all of them. complaints: what was left out of the frame that was
    read last, and why; absent: its frozen sensors, each with the reason. broken: why the frames end before the
    recording does, if they do.
    """

    path: Path
    names: Sequence[str]
    stamps_ns: Sequence[int]
    remarks: Sequence[str] = ()
    complaints: Sequence[str] = ()
    absent: Mapping[str, str] = MappingProxyType({})
    broken: str = ""

    def __len__(self) -> int:
        return len(self.names)

    def sample(self, index: int) -> Sample:
        """The frame with its name, and with its ground truth if the recording has one."""
        return Sample(f"{self.path.name}/{self.names[index]}", self[index])

    def shown(self, index: int) -> Frame:
        """The frame with its image as it was recorded, which the labels on disk belong to."""
        return self[index]

    def returned(self, prediction: Prediction) -> Prediction:
        """The prediction for the recorded image of the frame that was read last."""
        return prediction

    @property
    def rate_hz(self) -> float:
        """Frames per second, from the usual difference of the stamps."""
        steps = np.diff(np.asarray(self.stamps_ns, np.int64))
        steps = steps[steps > 0]
        return 1e9 / float(np.median(steps) if len(steps) else PERIOD_NS)
