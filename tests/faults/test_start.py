# SPDX-License-Identifier: Apache-2.0
"""Nodes that are killed, and nodes that cannot start."""

from __future__ import annotations

import os
import signal
from pathlib import Path

from helpers.drive import Drive, Note, arguments
from helpers.vehicle import wait_for
from lifecycle_msgs.msg import Transition
from lifecycle_msgs.srv import ChangeState

from perception.ros.node_process import NodeProcess


def test_a_model_that_is_missing_leaves_a_node_that_can_be_configured(
    drive: Drive, tiny_model: Path, tmp_path: Path, record_property: Note
) -> None:
    """A lifecycle manager that asks for a model that is not there gets a refusal, the reason, and another chance."""

    def change(number: int) -> bool:
        request = ChangeState.Request(transition=Transition(id=number))
        return bool(drive.call(ChangeState, "/perception/change_state", request).success)

    log = tmp_path / "node.log"
    with NodeProcess(arguments(Path("/nowhere/net.xml"), "autostart:=false"), log):
        assert not change(Transition.TRANSITION_CONFIGURE)
        assert "/nowhere/net.xml" in log.read_text()
        wait_for(lambda: drive.all("/diagnostics"), 10)
        wait_for(lambda: "/nowhere/net.xml" in drive.statuses()["fusion"][1], 10)
        assert drive.statuses()["fusion"][0] == b"\x02"
        assert drive.set_parameter("model", str(tiny_model)).successful
        assert change(Transition.TRANSITION_CONFIGURE)
        assert change(Transition.TRANSITION_ACTIVATE)
        drive.reset()
        drive.start()
        try:
            record_property("recovery_s", round(drive.wait_until_whole(), 2))
        finally:
            drive.stop()


def test_the_node_is_killed_and_starts_again(
    drive: Drive, tiny_model: Path, tmp_path: Path, record_property: Note
) -> None:
    drive.reset()
    drive.start()
    try:
        for attempt in range(2):
            with NodeProcess(arguments(tiny_model), tmp_path / f"{attempt}.log") as process:
                record_property("recovery_s", round(drive.wait_until_whole(60.0), 2))
                os.kill(process.pid, signal.SIGKILL)
    finally:
        drive.stop()
