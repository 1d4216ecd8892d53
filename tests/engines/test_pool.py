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


class Preparing(Slow):
    """Takes a moment for a new size, beside which it runs others."""

    def __init__(self) -> None:
        super().__init__()
        self.prepared: list[tuple[int, int]] = []
        self.may = threading.Event()

    def prepare(self, height: int, width: int) -> None:
        if height > 2:
            self.may.wait(5)
        self.prepared.append((height, width))


def test_nobody_waits_for_what_is_prepared_for_another_size(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    inner = Preparing()
    monkeypatch.setattr(shared, "load_engine", lambda *_: inner)
    pool = EnginePool()
    engine = pool.load("openvino", tmp_path / "a.xml", 2)
    assert pool.load("openvino", tmp_path / "a.xml", 2, 0.5) is engine
    larger = NetworkInput(np.zeros((4, 2), np.uint8), PICTURE, np.array([7], np.float32))
    thread = threading.Thread(target=engine.infer, args=(larger,))
    thread.start()
    assert engine.infer(frame(1.0)).weights[0] == 1.0
    assert inner.prepared == [(2, 2)]
    inner.may.set()
    thread.join()
    assert inner.prepared == [(2, 2), (4, 2)]


def test_an_engine_that_cannot_do_so_is_not_shared_with_another_scale(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(shared, "load_engine", lambda *_: Slow())
    pool = EnginePool()
    engine = pool.load("tensorrt", tmp_path / "a.onnx", 2)
    assert pool.load("tensorrt", tmp_path / "a.onnx", 2, 0.5) is not engine
    assert pool.load("tensorrt", tmp_path / "a.onnx", 2) is engine


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
