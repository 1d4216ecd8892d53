# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from pathlib import Path

import pytest
from helpers.rewritten_bag import good_messages, write

from perception.bags.raw import RawMessage
from perception.frame import Frame
from perception.simulation.drive import SimulatedDrive


@pytest.fixture(scope="session")
def drive() -> SimulatedDrive:
    """A drive that is rendered once, each frame on demand."""
    return SimulatedDrive(seed=3, frames=18, scale=0.3)


@pytest.fixture(scope="session")
def frames(drive: SimulatedDrive) -> list[Frame]:
    return [sample.frame for sample in drive]


@pytest.fixture(scope="session")
def messages(drive: SimulatedDrive, frames: list[Frame]) -> list[RawMessage]:
    """The messages of a vehicle without faults."""
    return good_messages(frames, drive.rig.lidar_to_ego())


@pytest.fixture(scope="session")
def good_bag(messages: list[RawMessage], tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write(tmp_path_factory.mktemp("check") / "good", messages)
