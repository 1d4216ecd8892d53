# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from perception.assembly.collector import Change, Collector, SensorSet
from perception.assembly.pairing import TRIGGER_ORDER, Timing
from perception.assembly.throttled_log import ThrottledLog
from perception.errors import MessageError
from perception.runtime.mailbox import Mailbox
from perception.runtime.worker import Worker

TIMING = Timing(tolerance_s=0.05, wait_s=0.05, timeouts_s=dict.fromkeys(TRIGGER_ORDER, 60.0))
PATIENCE_S = 5.0


@pytest.fixture
def mailbox() -> Mailbox:
    return Mailbox(Collector(["rgb"], TIMING))


@pytest.fixture
def said() -> list[str]:
    return []


@pytest.fixture
def start(mailbox: Mailbox, said: list[str]) -> Iterator[Callable[..., Worker]]:
    workers = []

    def start(*steps: Callable[[Any], Any], on_change: Callable[[Change], None] = lambda _: None) -> Worker:
        named = {f"step {place}": step for place, step in enumerate(steps)}
        workers.append(Worker("node", mailbox, named, on_change, ThrottledLog(said.append, said.append)))
        return workers[-1]

    yield start
    for worker in workers:
        worker.stop(0.1)


def stamp(matched: SensorSet) -> int:
    return matched.stamp_ns


def test_one_frame_is_prepared_while_another_is_inferred_and_the_newest_comes_next(
    mailbox: Mailbox, start: Callable[..., Worker]
) -> None:
    two_prepared, newest_prepared, two_done, inferring, go_on = (threading.Event() for _ in range(5))
    done: list[int] = []

    def prepare(matched: SensorSet) -> int:
        {2: two_prepared, 5: newest_prepared}.get(stamp(matched), threading.Event()).set()
        return stamp(matched)

    def infer(number: int) -> int:
        inferring.set()
        assert go_on.wait(PATIENCE_S)
        return number

    def publish(number: int) -> None:
        done.append(number)
        if len(done) == 2:
            two_done.set()

    start(prepare, infer, publish)
    mailbox.put("rgb", 1, "image")
    assert inferring.wait(PATIENCE_S)
    mailbox.put("rgb", 2, "image")
    assert two_prepared.wait(PATIENCE_S)  # while 1 is still inferred
    for number in (3, 4, 5):
        mailbox.put("rgb", number, "image")
    assert newest_prepared.wait(PATIENCE_S)  # in the place of 2, which is older
    deadline = time.monotonic() + PATIENCE_S
    while sum(mailbox.snapshot()[0]["rgb"].drops.values()) < 3:  # 2 waited for the network, 3 and 4 may have done so
        assert time.monotonic() < deadline
        time.sleep(0.01)
    go_on.set()
    assert two_done.wait(PATIENCE_S)
    assert done == [1, 5]
    drops = mailbox.snapshot()[0]["rgb"].drops
    assert drops["overtaken"] >= 1
    assert drops["overtaken"] + drops["superseded"] == 3


def test_what_is_prepared_is_just_in_time(mailbox: Mailbox, start: Callable[..., Worker]) -> None:
    """Of many sets that come while the network runs, few are prepared, and the network gets one of the newest."""
    prepared, ages = list[int](), list[int]()
    newest = 0

    def prepare(matched: SensorSet) -> int:
        prepared.append(stamp(matched))
        return stamp(matched)

    def infer(number: int) -> None:
        ages.append(newest - number)
        time.sleep(0.05)

    start(prepare, infer)
    for newest in range(1, 251):
        mailbox.put("rgb", newest, "image")
        time.sleep(0.002)
    assert len(prepared) <= 3 * len(ages) + 10  # of 250
    assert sorted(ages[4:])[len(ages[4:]) // 2] <= 6  # 12 ms of 50


@pytest.mark.parametrize("place", [0, 1, 2])
def test_an_error_in_any_step_costs_one_frame_and_is_said(
    mailbox: Mailbox, start: Callable[..., Worker], said: list[str], place: int
) -> None:
    finished = threading.Event()

    def step(number: int) -> Callable[[Any], Any]:
        def run(given: Any) -> Any:
            value = stamp(given) if isinstance(given, SensorSet) else given
            if number == place and value == 1:
                raise MessageError("data: broken")
            if number == place and value == 2:
                raise ZeroDivisionError("a defect")
            if number == 2 and value == 3:
                finished.set()
            return value

        return run

    start(*(step(number) for number in range(3)))
    for number in (1, 2, 3):
        failed = mailbox.snapshot()[0]["rgb"].drops["failed"]
        mailbox.put("rgb", number, "image")
        if number < 3:
            while mailbox.snapshot()[0]["rgb"].drops["failed"] == failed:
                time.sleep(0.01)
    assert finished.wait(PATIENCE_S)
    assert said[0] == "node: data: broken"
    assert "ZeroDivisionError: a defect" in said[1]


def test_stopping_finishes_what_is_in_hand(mailbox: Mailbox, start: Callable[..., Worker]) -> None:
    begun = threading.Event()
    finished: list[Any] = []

    def slow(matched: SensorSet) -> SensorSet:
        begun.set()
        threading.Event().wait(0.1)
        return matched

    worker = start(slow, finished.append)
    mailbox.put("rgb", 1, "image")
    assert begun.wait(PATIENCE_S)
    assert worker.stop()
    assert len(finished) == 1
    assert not any(thread.name.startswith("perception step") for thread in threading.enumerate())


def test_a_step_may_end_a_sets_way(mailbox: Mailbox, start: Callable[..., Worker]) -> None:
    begun = threading.Event()
    seen: list[Any] = []

    def leave_out(matched: SensorSet) -> None:
        begun.set()

    worker = start(leave_out, seen.append)
    mailbox.put("rgb", 1, "image")
    assert begun.wait(PATIENCE_S)
    worker.stop()
    assert seen == []


def test_a_listener_of_changes_that_fails_costs_no_frame(
    mailbox: Mailbox, start: Callable[..., Worker], said: list[str]
) -> None:
    finished = threading.Event()

    def fail(change: Change) -> None:
        raise ZeroDivisionError("a defect")

    worker = start(lambda _: finished.set(), on_change=fail)
    mailbox.put("rgb", 1, "image")
    assert finished.wait(PATIENCE_S)
    assert worker.stop()
    assert "ZeroDivisionError: a defect; please report it" in said[0]


def test_a_defect_in_the_pairing_costs_no_worker(
    mailbox: Mailbox, start: Callable[..., Worker], said: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    finished, poll, calls = threading.Event(), Collector.poll, list[float]()

    def fail_once(collector: Collector, now: float, pace_s: float) -> SensorSet | None:
        calls.append(now)
        if len(calls) == 1:
            raise ZeroDivisionError("a defect")
        return poll(collector, now, pace_s)

    monkeypatch.setattr(Collector, "poll", fail_once)
    start(lambda _: finished.set())
    mailbox.put("rgb", 1, "image")
    assert finished.wait(PATIENCE_S)
    assert "ZeroDivisionError: a defect; please report it" in said[0]


@pytest.mark.parametrize("place", [0, 1, 2])
def test_a_step_that_hangs_is_told_of_and_left_behind(
    mailbox: Mailbox, start: Callable[..., Worker], said: list[str], place: int
) -> None:
    """Whichever it is: stopping takes as long as was said, another worker goes on, and nothing comes of the old one."""
    begun, never, done = threading.Event(), threading.Event(), list[tuple[str, int]]()

    def step(worker: str, number: int) -> Callable[[Any], Any]:
        def run(given: Any) -> Any:
            value = stamp(given) if isinstance(given, SensorSet) else given
            if worker == "first" and number == place:
                begun.set()
                never.wait(30)
            if number == 2:
                done.append((worker, value))
            return value

        return run

    first = start(*(step("first", number) for number in range(3)))
    mailbox.put("rgb", 1, "image")
    assert begun.wait(PATIENCE_S)
    assert first.hang(time.monotonic()) is None
    time.sleep(0.2)
    hang = first.hang(time.monotonic())
    assert hang is not None
    assert hang.step == f"step {place}"
    assert 0.15 < hang.seconds <= 1.0
    for number in (2, 3):  # more waits in front of the step that hangs
        mailbox.put("rgb", number, "image")
        time.sleep(0.05)
    began = time.monotonic()
    assert not first.stop(0.2)
    assert time.monotonic() - began < 0.2 + 0.3
    start(*(step("second", number) for number in range(3)))
    mailbox.put("rgb", 4, "image")
    deadline = time.monotonic() + PATIENCE_S
    while ("second", 4) not in done:
        assert time.monotonic() < deadline
        time.sleep(0.01)
    never.set()
    time.sleep(0.1)
    assert {number for worker, number in done if worker == "first"} <= ({1} if place == 2 else set())
    assert said == []


def test_time_in_which_nobody_looks_is_no_hang(mailbox: Mailbox, start: Callable[..., Worker]) -> None:
    """As while the whole process was halted."""
    begun, go_on = threading.Event(), threading.Event()

    def wait(_: Any) -> None:
        begun.set()
        go_on.wait(PATIENCE_S)

    worker = start(wait)
    mailbox.put("rgb", 1, "image")
    assert begun.wait(PATIENCE_S)
    now = time.monotonic()
    worker.hang(now)
    hang = worker.hang(now + 60)
    assert hang is not None
    assert hang.seconds == 1.0
    go_on.set()
