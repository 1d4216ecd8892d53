# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from perception.benchmark.frames import resized, with_points
from perception.benchmark.machine import describe_machine, input_hash
from perception.frame import Frame


def test_the_hash_is_of_every_sensor(frame: Frame) -> None:
    assert input_hash([frame]) == input_hash([resized(frame, 1.0)])
    assert input_hash([frame]) != input_hash([with_points(frame, 99)])


def test_the_machine_is_described() -> None:
    machine = describe_machine()
    assert machine.cores >= 1
    assert machine.memory_gb > 0
    assert "python" in machine.versions
