# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import gc
import threading
import time
from pathlib import Path

import numpy as np
import pytest

from perception.engines import pool as shared
from perception.engines.base import NetworkOutput
from perception.engines.pool import EnginePool, FairLock, SharedEngine
from perception.errors import ModelError
from perception.sensors import NetworkInput

PICTURE = np.zeros((2, 2), np.uint8)


class Slow:
    """Counts the threads that are in it at once."""

    name = "slow"

    def __init__(self) -> None:
        self.inside = self.most = 0

    def infer(self, network_input: NetworkInput) -> NetworkOutput:
        self.inside += 1
        self.most = max(self.most, self.inside)
        time.sleep(0.002)
        self.inside -= 1
        if network_input.present[0] < 0:
            raise ModelError("broken")
        return NetworkOutput(PICTURE, PICTURE, network_input.present)


def frame(number: float) -> NetworkInput:
    return NetworkInput(PICTURE, PICTURE, np.array([number], np.float32))


def test_the_longest_waiting_goes_first() -> None:
    lock, order = FairLock(), list[int]()

    def wait(number: int) -> None:
        with lock:
            order.append(number)

    with lock:
        threads = []
        for number in range(5):
            threads.append(threading.Thread(target=wait, args=(number,)))
            threads[-1].start()
            while len(lock._waiting) <= number:
                time.sleep(0.001)
    for thread in threads:
        thread.join()
    assert order == [0, 1, 2, 3, 4]
    with lock:
        pass


def test_cameras_take_turns_and_a_broken_one_does_not_hold_the_others_up() -> None:
    inner = Slow()
    engine, answers = SharedEngine(inner), dict[float, int]()

    def camera(number: float) -> None:
        until, count = time.monotonic() + 0.4, 0
        while time.monotonic() < until:
            if number < 0:
                with pytest.raises(ModelError):
                    engine.infer(frame(number))
            else:
                assert engine.infer(frame(number)).weights[0] == number
            count += 1
        answers[number] = count

    threads = [threading.Thread(target=camera, args=(number,)) for number in (-1.0, 1.0, 2.0)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert inner.most == 1
    assert max(answers.values()) <= min(answers.values()) + 2


def test_an_engine_is_loaded_once_and_let_go(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    loaded: list[str] = []

    def load(engine: str, path: Path, threads: int | None) -> Slow:
        loaded.append(engine)
        return Slow()

    monkeypatch.setattr(shared, "load_engine", load)
    pool = EnginePool()
    first = pool.load("openvino", tmp_path / "a.xml", 2)
    assert pool.load("openvino", tmp_path / "." / "a.xml", 2) is first
    assert pool.load("openvino", tmp_path / "b.xml", 2) is not first
    pool.discard(first)
    second = pool.load("openvino", tmp_path / "a.xml", 2)
    assert second is not first
    pool.discard(first)  # as the second camera does that hung with the first
    assert pool.load("openvino", tmp_path / "a.xml", 2) is second
    del first, second
    gc.collect()
    pool.load("openvino", tmp_path / "a.xml", 2)
    assert len(loaded) == 4
