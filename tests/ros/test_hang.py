# SPDX-License-Identifier: Apache-2.0
"""An engine that sleeps for ever in native code: what the node logs, how it continues, and how it ends."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("rclpy")

from helpers.vehicle import LIDAR_TO_CAMERA, Vehicle, wait_for

SLEEPY = """
import ctypes
import sys
from pathlib import Path

import perception.engines.pool as shared
from perception.ros.main import run

load_engine, when = shared.load_engine, Path(sys.argv[1])


def sleep(moment):
    if when.exists() and when.read_text() == moment:
        when.unlink()  # the engine that is loaded in its place does not hang
        mutex = ctypes.create_string_buffer(256)  # zeros: not locked; whoever locks it twice waits for ever
        for _ in range(2):
            ctypes.CDLL(None).pthread_mutex_lock(mutex)


class Sleepy:
    def __init__(self, engine):
        self._engine, self.name = engine, "sleepy"

    def infer(self, network_input):
        sleep("infer")
        return self._engine.infer(network_input)


def load(*key):
    sleep("load")
    return Sleepy(load_engine(*key))


shared.load_engine = load
sys.exit(run(sys.argv[2:]))
"""

HANG_TIMEOUT_S = 1.5
END_S = 3.0


@contextmanager
def sleepy(when: Path, model: Path, log: Path, *parameters: str) -> Iterator[subprocess.Popen[bytes]]:
    """A node whose engine sleeps for ever, once, when the file `when` says so: `infer` or `load`."""
    values = [f"model:={model}", f"lidar_to_camera:={LIDAR_TO_CAMERA}", "threads:=1", *parameters]
    words = [word for value in values for word in ("-p", value)]
    with log.open("wb") as output:
        command = [sys.executable, "-c", SLEEPY, str(when), "--ros-args", *words]
        process = subprocess.Popen(command, stdout=output, stderr=subprocess.STDOUT)
        try:
            yield process
        finally:
            process.kill()
            process.wait()


def seconds_to_end(process: subprocess.Popen[bytes], number: signal.Signals) -> float:
    began = time.monotonic()
    process.send_signal(number)
    process.wait(30)
    return time.monotonic() - began


def test_a_hang_is_told_survived_and_no_reason_to_stay(
    vehicle: Vehicle, tiny_model: Path, tmp_path: Path, record_property: Any
) -> None:
    when, log = tmp_path / "when", tmp_path / "log"
    with sleepy(when, tiny_model, log, f"hang_timeout_s:={HANG_TIMEOUT_S}") as process:
        wait_for(lambda: "ready: " in log.read_text(), 60)
        wait_for(lambda: vehicle.image.get_subscription_count() and vehicle.points.get_subscription_count(), 20)

        def answered() -> bool:
            stamp = vehicle.sense(160)
            time.sleep(0.1)
            return stamp in vehicle.labels()

        wait_for(answered, 30)
        when.write_text("infer")
        wait_for(lambda: not answered(), 10)
        hung = time.monotonic()

        def error() -> bool:
            vehicle.sense(160)
            level, message, _ = vehicle.statuses()["fusion"]
            return level == b"\x02" and message.startswith("nothing is published: hang: ")

        wait_for(error, HANG_TIMEOUT_S + 10)
        wait_for(answered, HANG_TIMEOUT_S + 30)
        record_property("recovery_s", round(time.monotonic() - hung, 2))
        print("answered again after", time.monotonic() - hung)
        assert "hang: infer has not returned for " in log.read_text()
        wait_for(lambda: vehicle.sense(160) and vehicle.statuses()["fusion"][2].get("restarts") == "1", 10)

        when.write_text("infer")
        wait_for(lambda: not answered(), 10)
        seconds = seconds_to_end(process, signal.SIGTERM)
        record_property("end_s", round(seconds, 2))
        print("ended after", seconds)
        assert seconds < END_S


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_an_engine_that_hangs_while_it_is_loaded_does_not_keep_the_process(
    ros: Any, tiny_model: Path, tmp_path: Path, number: signal.Signals
) -> None:
    when, log = tmp_path / "when", tmp_path / "log"
    when.write_text("load")
    with sleepy(when, tiny_model, log) as process:
        time.sleep(5)
        assert process.poll() is None, log.read_text()
        assert seconds_to_end(process, number) < END_S
