# SPDX-License-Identifier: Apache-2.0
"""Others that come twice, ask too much or ask nonsense; memory and files meanwhile."""

from __future__ import annotations

import os
import random
import signal
import time
from pathlib import Path
from typing import Any

import pytest
from helpers.drive import STRICT, Drive, Note, arguments
from helpers.vehicle import EARS, wait_for
from lifecycle_msgs.msg import Transition
from lifecycle_msgs.srv import ChangeState
from sensor_msgs.msg import Image

from perception.assembly.settings.parameters import PARAMETERS
from perception.ros.node_process import NodeProcess


def test_two_nodes_on_one_domain(well: Drive, tiny_model: Path, tmp_path: Path, record_property: Note) -> None:
    """Another node that publishes the same topics disturbs nobody: every instant is answered, if twice."""
    other = ["--ros-args", "-r", "__ns:=/other", *arguments(tiny_model)[1:], "-r", "image:=/image"]
    inputs = [word for name in ("image", "points", "camera_info") for word in ("-r", f"{name}:=/{name}")]
    with NodeProcess([*other, *inputs], tmp_path / "other.log") as process:
        well.listen(Image, "/other/perception/labels")
        process.wait_until_active(well.node, "/other/perception")
        wait_for(lambda: well.all("/other/perception/labels"), 20)
        stamps = well.for_seconds(2.0)
        well.expect_answers(stamps, record_property)
    well.expect_recovery(record_property)


def test_listeners_come_and_go(well: Drive, record_property: Note) -> None:
    """Twenty subscribers of everything that is made on demand, for half a second each."""
    stamps = list[int]()
    for _ in range(4):
        subscriptions = [
            well.node.create_subscription(Image, f"/perception/{name}", lambda _: None, EARS)
            for name in ("overlay", "labels", "road", "vehicle", "confidence")
        ]
        stamps += well.for_seconds(0.5)
        for subscription in subscriptions:
            well.node.destroy_subscription(subscription)
    well.expect_answers(stamps, record_property)
    well.expect_recovery(record_property)


def test_parameters_are_fuzzed(well: Drive, record_property: Note) -> None:
    """Whatever value is asked for, the answer says why not, and nothing stops."""
    chance, begin, refused = random.Random(0), len(well.sent), 0
    nonsense: list[Any] = [-1, 0, 10**9, 1e-9, 1e300, float("nan"), float("inf"), "", "abacus", True, [1.0, 2.0], ["x"]]
    for row in PARAMETERS:
        original = well.parameter(row.name)
        for value in chance.sample(nonsense, 3):
            before = well.parameter(row.name)
            result = well.set_parameter(row.name, value)
            if not result.successful:
                refused += 1
                assert result.reason, (row.name, value)
                assert well.parameter(row.name) == before, (row.name, value)
        well.set_parameter(row.name, list(original) if isinstance(row.default, tuple) else original)
    assert refused > 40
    stamps = well.sent[begin:]
    record_property("refused", refused)
    assert well.answered(stamps)
    well.expect_recovery(record_property)


@pytest.mark.skipif(not STRICT, reason="takes half a minute: make soak")
def test_discovery_is_lost_and_comes_back(well: Drive, node: NodeProcess, record_property: Note) -> None:
    """A node that nobody hears from for so long that all the others forget it, and that forgets all the others."""
    os.kill(node.pid, signal.SIGSTOP)
    try:
        wait_for(lambda: not well.image.get_subscription_count(), 60)
    finally:
        os.kill(node.pid, signal.SIGCONT)
    well.expect_recovery(record_property)
    stamps = well.for_seconds(1.0)
    well.expect_answers(stamps, record_property)


def test_the_lifecycle_goes_round(well: Drive, record_property: Note) -> None:
    def change(number: int) -> bool:
        request = ChangeState.Request(transition=Transition(id=number))
        return bool(well.call(ChangeState, "/perception/change_state", request).success)

    for _ in range(5):
        assert change(Transition.TRANSITION_DEACTIVATE)
        assert change(Transition.TRANSITION_CLEANUP)
        assert change(Transition.TRANSITION_CONFIGURE)
        assert change(Transition.TRANSITION_ACTIVATE)
    well.expect_recovery(record_property)


def test_transitions_that_the_state_does_not_have_are_refused(well: Drive, record_property: Note) -> None:
    begin = len(well.sent)
    for number in (Transition.TRANSITION_ACTIVATE, Transition.TRANSITION_CONFIGURE, 99):
        request = ChangeState.Request(transition=Transition(id=number))
        assert not well.call(ChangeState, "/perception/change_state", request).success
    stamps = well.sent[begin:]
    well.expect_answers(stamps, record_property)
    well.expect_recovery(record_property)


def test_memory_and_files_stay_where_they_are(well: Drive, node: NodeProcess, record_property: Note) -> None:
    """Short, so that CI can do it; `make soak` takes an hour."""
    well.for_seconds(3.0)
    before, sent, lost = usage(node.pid), 0, 0
    begin = time.monotonic()
    while time.monotonic() - begin < float(os.environ.get("PERCEPTION_SOAK_S", "8")):
        stamps = set(well.for_seconds(2.0))
        sent, lost = sent + len(stamps), lost + len(stamps - well.answered(stamps))
        with well.lock:
            well.heard.clear()
        well.sent.clear()
        wait_for(lambda: well.all("/diagnostics"), 5)
    after = usage(node.pid)
    record_property("sent", sent)
    record_property("lost", lost)
    record_property("minutes", round((time.monotonic() - begin) / 60, 1))
    record_property("memory_growth_mb", round(after[0] - before[0], 1))
    record_property("files_growth", after[1] - before[1])
    assert after[0] - before[0] < 40
    assert after[1] - before[1] <= 2
    assert lost <= (0 if STRICT else sent // 4), f"{lost} of {sent} instants were not answered"


def usage(pid: int) -> tuple[float, int]:
    """Resident memory [MB] and open files of a process."""
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6, len(os.listdir(f"/proc/{pid}/fd"))
