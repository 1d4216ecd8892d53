# SPDX-License-Identifier: Apache-2.0
"""The switch from one model to the next, with real engines and a real worker; needs no ROS."""

from __future__ import annotations

import os
import shutil
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from perception.assembly.collector import Collector, SensorSet
from perception.assembly.pairing import TRIGGER_ORDER, Timing
from perception.assembly.throttled_log import ThrottledLog
from perception.engines.choice import Run, Times
from perception.engines.family import Member, split_name
from perception.engines.pool import EnginePool, SharedEngine
from perception.engines.twice import Twice, once_of
from perception.errors import ModelError
from perception.frame import Frame
from perception.pipeline import Pipeline, Task
from perception.runtime import fit as fits
from perception.runtime.fit import Fit
from perception.runtime.mailbox import Mailbox
from perception.runtime.worker import Worker

SIZE = (160, 80)
IMAGE = np.broadcast_to(np.linspace(0, 255, SIZE[0]).astype(np.uint8)[None, :, None], (80, 160, 3)).copy()
PERIOD_S = 0.1
ROOM = (10, 0)
BEHIND = (10, 4)
PATIENCE_S = 20.0


class Bench:
    """A fit on tiny networks and a clock that jumps. times: of each member's file as usual, where it is known."""

    def __init__(self, folder: Path, model: Path, times: dict[str, float | None]) -> None:
        self.said: list[str] = []
        self.opened: list[str] = []
        self._pool = EnginePool()
        self.members = tuple(self._member(folder, model, name) for name in times)
        kept = Times(1, SIZE, folder / "compiled")
        for member, seconds in zip(self.members, times.values(), strict=True):
            if seconds is not None:
                kept.add(member.base, Run(seconds, alone=True))
        self.fit = Fit(self.members, self._open, kept, self.said.append)
        self.now = 0.0

    def tick(self, counts: tuple[int, int] = ROOM) -> Pipeline | None:
        """A second later."""
        self.now += 1.0
        return self.fit.step(self.now, PERIOD_S, *counts, SIZE)

    def until_switched(self, counts: tuple[int, int], infer_ms: float, wait: Callable[[], None]) -> Pipeline:
        deadline = time.monotonic() + PATIENCE_S
        while time.monotonic() < deadline:
            self.fit.saw(infer_ms)
            if (pipeline := self.tick(counts)) is not None:
                return pipeline
            wait()
        raise AssertionError(f"nothing changed: {self.said}")

    def _open(self, member: Member) -> Pipeline:
        self.opened.append(member.name)
        if member.path.stem == "broken":
            raise ModelError("broken: cannot be read")
        engine = member.looking(self._pool.load(member.engine, member.path, 1, member.scale))
        return Pipeline(engine, member.path, overlap=False, scale=member.scale)

    @staticmethod
    def _member(folder: Path, model: Path, name: str) -> Member:
        stem, scale, twice = split_name(name)
        for suffix in (".xml", ".bin"):
            shutil.copy(model.with_suffix(suffix), folder / f"{stem}{suffix}")
        (folder / f"{stem}.bin").write_bytes((folder / f"{stem}.bin").read_bytes() + stem.encode())
        return Member("openvino", folder / f"{stem}.xml", scale, twice=twice)


@pytest.mark.parametrize("alone", [True, False])
def test_what_was_compiled_to_be_timed_is_forgotten(tmp_path: Path, tiny_model: Path, alone: bool) -> None:
    """Unless other nodes may run it."""
    bench = Bench(tmp_path, tiny_model, {"net": None, "net@0.7": None})
    bench.fit._alone = alone
    bench.fit._ladder = (replace(bench.members[0], twice=True), bench.members[1])
    pipeline = bench.fit.choose(1e5, *SIZE)
    assert pipeline.scale == 0.7
    shared = once_of(pipeline.engine)
    assert isinstance(shared, SharedEngine)
    kept = list(shared._engine._whole)  # type: ignore[attr-defined]
    assert kept[-1] == (128, 224)
    assert (len(kept) == 1) == alone


def test_an_engine_on_fewer_threads_replaces_the_other(tmp_path: Path, tiny_model: Path) -> None:
    """Both would stay in memory."""
    bench = Bench(tmp_path, tiny_model, {"net": 0.05, "net@0.7": 0.04, "net@0.5": 0.03})
    bench.fit._ladder = tuple(replace(member, crowded=True) for member in bench.fit._ladder)
    assert bench.fit.choose(10.0, *SIZE).scale == 1.0
    for scale in (0.7, 0.5):
        assert bench.until_switched(BEHIND, 120.0, a_moment).scale == scale
    assert [bench.fit._ladder[place].name for place in bench.fit._held] == ["net@0.5"]


def a_moment() -> None:
    time.sleep(0.02)


def test_a_switch_in_the_middle_of_a_drive_loses_no_frame_and_changes_no_size(tmp_path: Path, tiny_model: Path) -> None:
    """Down to the INT8 form, down to a smaller input, and up again, while 20 images arrive each second."""
    bench = Bench(tmp_path, tiny_model, {"net": 0.05, "net_int8": 0.04, "net_int8@0.7": 0.04})
    current = [bench.fit.choose(10.0, *SIZE, guessed=True)]
    assert current[0].model.stem == "net"
    answers: list[tuple[str, float, tuple[int, ...]]] = []

    def prepare(matched: SensorSet) -> tuple[Pipeline, Task]:
        return current[0], current[0].prepare(Frame(matched.stamp_ns, matched.arrivals["rgb"].message))

    def infer(job: tuple[Pipeline, Task]) -> tuple[Pipeline, Task]:
        job[0].infer(job[1])
        return job

    def publish(job: tuple[Pipeline, Task]) -> None:
        prediction = job[0].decode(job[1])
        # The tiny network's classes are its input's red // 64: right at any resolution, except for a column in between.
        assert np.mean(prediction.labels == IMAGE[..., 0] // 64) > 0.95
        answers.append((job[0].model.stem, job[0].scale, prediction.labels.shape))

    mailbox = Mailbox(Collector(["rgb"], Timing(0.05, 0.05, dict.fromkeys(TRIGGER_ORDER, 60.0))))
    complaints: list[str] = []
    steps: dict[str, Callable[[Any], Any]] = {"prepare": prepare, "infer": infer, "publish": publish}
    worker = Worker("node", mailbox, steps, lambda _: None, ThrottledLog(complaints.append, complaints.append))
    sent = 0

    def send() -> None:
        nonlocal sent
        mailbox.put("rgb", round(5e7 * (sent := sent + 1)), IMAGE)
        time.sleep(0.05)

    for counts, infer_ms in ((BEHIND, 120.0), (BEHIND, 120.0), (ROOM, 20.0)):
        send()
        current[0] = bench.until_switched(counts, infer_ms, send)
        send()
    send()
    assert worker.stop(5)
    assert complaints == []
    order = list(dict.fromkeys((stem, scale) for stem, scale, _ in answers))
    assert order == [("net", 1.0), ("net_int8", 1.0), ("net_int8", 0.7)]
    assert answers[-1][:2] == ("net_int8", 1.0)
    assert {shape for _, _, shape in answers} == {(80, 160)}
    assert len(answers) + mailbox.snapshot()[0]["rgb"].drops.total() >= sent - 1
    assert mailbox.snapshot()[0]["rgb"].drops.total() <= 3  # one a step, on a machine that others want too
    assert [line.split(";")[0] for line in bench.said[1:]] == [
        "model net takes 120 ms now, too slow for 10 Hz: from here on net_int8",
        "model net_int8 takes 120 ms now, too slow for 10 Hz: from here on net_int8@0.7",
        "model net_int8@0.7 takes 20 ms now, quick enough for a better one at 10 Hz: from here on net_int8",
    ]
    assert bench.fit.values["model_steps"] == 3
    assert bench.opened == ["net", "net_int8", "net_int8@0.7"]  # going back, it was still there


def test_one_file_is_kept_and_its_ways_to_run_share_an_engine(tmp_path: Path, tiny_model: Path) -> None:
    bench = Bench(tmp_path, tiny_model, {"net": 0.05, "net_int8": 0.03, "net_int8@0.7": 0.03})
    bench.fit.choose(10.0, *SIZE, guessed=True)
    int8 = bench.until_switched(BEHIND, 120.0, a_moment)
    assert [held.model.stem for held in bench.fit._held.values()] == ["net_int8"]
    smaller = bench.until_switched(BEHIND, 120.0, a_moment)
    assert (smaller.scale, len(bench.fit._held)) == (0.7, 2)
    assert smaller.engine is int8.engine
    assert bench.until_switched(ROOM, 5.0, a_moment) is int8
    assert bench.until_switched(ROOM, 5.0, a_moment).model.stem == "net"
    assert bench.opened == ["net", "net_int8", "net_int8@0.7", "net"]
    assert len(bench.fit._held) == 1


def test_a_second_look_comes_once_the_rate_is_known_and_costs_no_timing(
    tmp_path: Path, tiny_model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """23 ms take 39 with a second look: at 10 Hz there is time for it, at 20 Hz there is not."""
    monkeypatch.setattr(fits, "time_run", lambda *_: Run(0.023, alone=True))
    bench = Bench(tmp_path, tiny_model, {"net@1x2": None, "net": None})
    begun = bench.fit.choose(10.0, *SIZE, guessed=True)
    assert bench.fit.values["model_looks"] == 1
    monkeypatch.setattr(fits, "time_run", lambda *_: pytest.fail("timed beside the one that runs"))
    twice = bench.until_switched(ROOM, 40.0, a_moment)
    assert twice.name.endswith("@1x2")
    assert bench.fit.values["model_ms"] == 38.9
    assert isinstance(twice.engine, Twice)
    assert twice.engine.once is begun.engine

    quick = Bench(tmp_path, tiny_model, {"net@1x2": None, "net": None})
    quick.fit.choose(20.0, *SIZE)
    assert quick.fit.values["model_looks"] == 1
    assert Bench(tmp_path, tiny_model, {"net@1x2": None, "net": None}).fit.choose(10.0, *SIZE).name.endswith("@1x2")


def test_what_is_known_of_this_machine_is_not_measured_again(tmp_path: Path, tiny_model: Path) -> None:
    bench = Bench(tmp_path, tiny_model, {"net": 0.2, "net_int8": 0.03, "xs": None})
    pipeline = bench.fit.choose(10.0, *SIZE)
    assert (pipeline.model.stem, bench.opened) == ("net_int8", ["net_int8"])
    assert bench.said[0].startswith("model net_int8 takes 30 ms here and holds 10 Hz with time to spare; net 200 ms")
    values = bench.fit.values
    assert (values["model"], values["model_scale"], values["model_ms"]) == ("net_int8", 1.0, 30.0)
    assert values["model_choice"] == bench.said[0]


def test_what_is_not_known_is_measured(tmp_path: Path, tiny_model: Path) -> None:
    """A tiny network reaches a rate of 1 Hz everywhere: the first is taken, and the second not even loaded."""
    bench = Bench(tmp_path, tiny_model, {"net": None, "net_int8": None})
    assert bench.fit.choose(1.0, *SIZE).model.stem == "net"
    assert bench.opened == ["net"]


def test_what_was_measured_beside_others_is_measured_again(tmp_path: Path, tiny_model: Path) -> None:
    """2 s on a busy machine do not bar a network that takes a moment: 1 Hz is held."""
    bench = Bench(tmp_path, tiny_model, {"net": None, "net_int8": None})
    Times(1, SIZE, tmp_path / "compiled").add(bench.members[0], Run(2.0, alone=False))
    assert bench.fit.choose(1.0, *SIZE).model.stem == "net"


def test_a_model_that_cannot_be_loaded_is_passed_over(tmp_path: Path, tiny_model: Path) -> None:
    bench = Bench(tmp_path, tiny_model, {"net": 0.05, "broken": 0.03, "xs": 0.02})
    bench.fit.choose(10.0, *SIZE, guessed=True)
    assert bench.until_switched(BEHIND, 120.0, a_moment).model.stem == "xs"
    assert bench.said[1] == "model broken cannot be loaded and is left out: broken: cannot be read"
    assert bench.opened.count("broken") == 1


@pytest.mark.parametrize("known", [None, 0.03])
def test_a_broken_file_leaves_the_others_to_choose_from(tmp_path: Path, tiny_model: Path, known: float | None) -> None:
    bench = Bench(tmp_path, tiny_model, {"net": 0.2, "broken": known, "xs": 0.02})
    assert bench.fit.choose(10.0, *SIZE).model.stem == "xs"
    assert bench.said[0] == "model broken cannot be loaded and is left out: broken: cannot be read"
    assert bench.said[1].startswith("model xs takes 20 ms here and holds 10 Hz with time to spare; net 200 ms; ")
    for _ in range(30):  # there is room, but for the best one
        bench.fit.saw(20.0)
        assert bench.tick() is None
    assert bench.opened.count("broken") == 1


def test_where_no_model_can_be_loaded_the_reason_is_told(tmp_path: Path, tiny_model: Path) -> None:
    bench = Bench(tmp_path, tiny_model, {"broken": None, "broken@0.7": 0.05})
    with pytest.raises(ModelError, match="broken: cannot be read"):
        bench.fit.choose(10.0, *SIZE)


def test_a_model_that_is_no_quicker_here_is_passed_over(
    tmp_path: Path, tiny_model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench = Bench(tmp_path, tiny_model, {"net": 0.05, "net_int8": None, "xs": 0.02})
    bench.fit.choose(10.0, *SIZE, guessed=True)
    monkeypatch.setattr(fits, "time_run", lambda *_: Run(0.119, alone=False))
    assert bench.until_switched(BEHIND, 120.0, a_moment).model.stem == "xs"
    assert bench.said[1] == "model net_int8 is no quicker here (119 ms) and is left out"


def test_a_better_model_is_timed_before_it_is_taken(
    tmp_path: Path, tiny_model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its time is unknown, because other work used the cores when it was measured."""
    bench = Bench(tmp_path, tiny_model, {"net": None, "net_int8": 0.03})
    monkeypatch.setattr(fits, "time_run", lambda *_: Run(0.2, alone=False))
    assert bench.fit.choose(10.0, *SIZE).model.stem == "net_int8"
    for _ in range(15):
        bench.fit.saw(30.0)
        assert bench.tick() is None
        a_moment()
    monkeypatch.setattr(fits, "time_run", lambda *_: Run(0.06, alone=True))
    assert bench.until_switched(ROOM, 30.0, a_moment).model.stem == "net"
    assert bench.fit.values["model_ms"] == 60.0


def test_a_model_that_was_asked_for_by_name_stays(tmp_path: Path, tiny_model: Path) -> None:
    bench = Bench(tmp_path, tiny_model, {"net": None})
    bench.fit.choose(10.0, *SIZE)
    for _ in range(20):
        bench.fit.saw(500.0)
        assert bench.tick(BEHIND) is None
    assert bench.said == []
    assert bench.fit.values == {"model": "net", "model_scale": 1.0, "model_looks": 1}


def test_a_hang_begins_the_same_model_anew(tmp_path: Path, tiny_model: Path) -> None:
    bench = Bench(tmp_path, tiny_model, {"net": 0.2, "net_int8": 0.03})
    before = bench.fit.choose(10.0, *SIZE, guessed=True)
    after = bench.fit.reload(*SIZE)
    assert after is not before
    assert after.model.stem == "net_int8"


def test_less_of_the_same_network_is_quicker_whatever_a_run_beside_others_says(
    tmp_path: Path, tiny_model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench = Bench(tmp_path, tiny_model, {"net": 0.05, "net@0.7": None, "xs": 0.02})
    bench.fit.choose(10.0, *SIZE, guessed=True)
    monkeypatch.setattr(fits, "time_run", lambda *_: pytest.fail("timed beside the one that runs"))
    switched = bench.until_switched(BEHIND, 120.0, a_moment)
    assert (switched.model.stem, switched.scale) == ("net", 0.7)
    assert not [text for text in bench.said if "no quicker" in text]


def test_what_was_not_measured_is_known_from_the_same_file_and_passed_over_if_it_would_not_keep_up(
    tmp_path: Path, tiny_model: Path
) -> None:
    """One that looks twice in 39 ms, beside others in 71: at 20 Hz 0.85 would take 54 ms, one look 42."""
    bench = Bench(tmp_path, tiny_model, {"net@1x2": 0.023, "net@0.85x2": None, "net": None, "net@0.5": None})
    bench.fit.choose(10.0, *SIZE)
    assert bench.fit.values["model_ms"] == 38.9

    deadline = time.monotonic() + PATIENCE_S
    switched = None
    while switched is None and time.monotonic() < deadline:
        bench.fit.saw(71.0)
        bench.now += 1.0
        switched = bench.fit.step(bench.now, 0.05, *ROOM, SIZE)  # none is left out yet: it is known to be too slow
        a_moment()
    assert switched is not None
    assert bench.opened == ["net@1x2", "net"]


def test_compiling_for_a_step_up_stands_back_and_for_one_down_it_does_not(
    tmp_path: Path, tiny_model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Down is stepped because others want the cores: who stands back then never arrives."""
    behind: list[str] = []
    compile_of = Pipeline.compile

    def compiling(pipeline: Pipeline, width: int, height: int) -> None:
        behind.append(f"{pipeline.name} {os.getpriority(os.PRIO_PROCESS, threading.get_native_id())}")
        compile_of(pipeline, width, height)

    monkeypatch.setattr(Pipeline, "compile", compiling)
    bench = Bench(tmp_path, tiny_model, {"net@1x2": 0.023, "net": 0.023, "net@0.7": 0.023})
    bench.fit.choose(10.0, *SIZE, guessed=True)
    bench.until_switched(ROOM, 40.0, a_moment)
    bench.until_switched(BEHIND, 120.0, a_moment)
    assert behind == ["net.xml@1x2 19"]
