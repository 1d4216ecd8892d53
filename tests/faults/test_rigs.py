# SPDX-License-Identifier: Apache-2.0
"""Two cameras in one process: both are served, and what becomes of one is nothing to the other."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from helpers.drive import STRICT, Drive, Note, arguments
from helpers.vehicle import wait_for
from lifecycle_msgs.msg import Transition
from lifecycle_msgs.srv import ChangeState
from sensor_msgs.msg import Image

from perception.messages.convert import stamp_ns
from perception.ros.node_process import NodeProcess

RIGS = ("front", "rear")


@pytest.fixture(scope="module")
def rigs(drive: Drive, tiny_model: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Drive]:
    """The drive, heard by both rigs."""
    shared = [word for name in ("image", "points", "camera_info") for word in ("-r", f"{name}:=/{name}")]
    log = tmp_path_factory.mktemp("rigs") / "node.log"
    with NodeProcess(["--rigs", *RIGS, *arguments(tiny_model), *shared], log) as process:
        for rig in RIGS:
            process.wait_until_active(drive.node, f"/{rig}/perception")
            drive.listen(Image, f"/{rig}/perception/labels")
        wait_for(lambda: drive.image.get_subscription_count() == len(RIGS))
        drive.reset()
        drive.start()
        for rig in RIGS:
            wait_for(lambda rig=rig: answered(drive, rig), 20)  # type: ignore[misc]
        yield drive
        drive.stop()
        process.check()


def answered(drive: Drive, rig: str) -> set[int]:
    """Stamps that the rig has answered."""
    return {stamp_ns(message) for message in drive.all(f"/{rig}/perception/labels")}


def expect(drive: Drive, rig: str, seconds: float, note: Note) -> None:
    """The rig answers every instant of so many seconds."""
    stamps = set(drive.for_seconds(seconds))
    wait_for(lambda: len(stamps - answered(drive, rig)) <= allowed(stamps), 5)
    note("sent", len(stamps))
    note("lost", len(stamps - answered(drive, rig)))


def allowed(stamps: set[int]) -> int:
    """How many may be lost: on a machine that does nothing else, none."""
    return 0 if STRICT else len(stamps) // 2


def change(drive: Drive, rig: str, number: int) -> bool:
    request = ChangeState.Request(transition=Transition(id=number))
    return bool(drive.call(ChangeState, f"/{rig}/perception/change_state", request).success)


def test_two_rigs_take_turns_at_one_network(rigs: Drive, record_property: Note) -> None:
    for rig in RIGS:
        expect(rigs, rig, 1.0, record_property)


def test_one_rig_stops_and_starts_while_the_other_goes_on(rigs: Drive, record_property: Note) -> None:
    assert change(rigs, "rear", Transition.TRANSITION_DEACTIVATE)
    assert change(rigs, "rear", Transition.TRANSITION_CLEANUP)
    before = len(answered(rigs, "rear"))
    expect(rigs, "front", 1.0, record_property)
    assert len(answered(rigs, "rear")) == before
    assert change(rigs, "rear", Transition.TRANSITION_CONFIGURE)
    assert change(rigs, "rear", Transition.TRANSITION_ACTIVATE)
    wait_for(lambda: len(answered(rigs, "rear")) > before, 10)
    for rig in RIGS:
        expect(rigs, rig, 1.0, record_property)
