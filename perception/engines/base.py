# SPDX-License-Identifier: Apache-2.0
"""The common interface of all engines."""

from __future__ import annotations

from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from perception.frame import MODALITIES
from perception.sensors import NetworkInput


class NetworkOutput(NamedTuple):
    """The network's output for one input of H×W.

    labels: (H, W) uint8 class ids. confidence: (H, W) uint8, probability × 255. weights: (M,) float32, how much each
    sensor counted, in the order of `sensors_of_engine`. instances: (C, H/4, W/4) float32, what
    `perception.instances.group` takes; None if the network has no instance head. things: (H, W) uint16, the codes of
    `Prediction.instances` themselves, of a network that gives masks of things.
    """

    labels: NDArray[np.uint8]
    confidence: NDArray[np.uint8]
    weights: NDArray[np.float32]
    instances: NDArray[np.float32] | None = None
    things: NDArray[np.uint16] | None = None

    @property
    def tells_instances(self) -> bool:
        """Whether the network tells things apart, in either form."""
        return not (self.instances is None and self.things is None)


class Engine(Protocol):
    """Runs a trained network. One caller at a time."""

    @property
    def name(self) -> str:
        """A description for users: the engine, its version and device."""

    def infer(self, network_input: NetworkInput) -> NetworkOutput:
        """Run the network on one input, of any size that `encode` makes.

        A network of the camera alone takes that of an input with more sensors. Where the first run of a size takes
        long, the engine may have a `prepare(height, width)` for it, which may be called while it runs another size.
        """


def prepare(engine: Engine, height: int, width: int) -> None:
    """Let the engine make itself ready for inputs of that size, if it can without running."""
    own = getattr(engine, "prepare", None)
    if own is not None:
        own(height, width)


def sensors_of_engine(engine: Engine) -> tuple[str, ...]:
    """The sensors of the engine's network, in its order: its attribute `sensors`, or MODALITIES if it has none."""
    return tuple(getattr(engine, "sensors", MODALITIES))


def needs_of_engine(engine: Engine) -> tuple[str, ...]:
    """The sensors without which the engine's network cannot be run: its attribute `needs`, or that of the camera
    alone."""
    sensors = sensors_of_engine(engine)
    return tuple(getattr(engine, "needs", sensors if sensors == MODALITIES[:1] else ()))
