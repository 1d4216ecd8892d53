# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np
import pytest

pytest.importorskip("rclpy")

from perception.assembly.collector import SensorState
from perception.assembly.habits import Habits
from perception.assembly.pairing import Timing
from perception.assembly.statistics import Limits, Statistics
from perception.assembly.throttled_log import ThrottledLog
from perception.frame import Prediction
from perception.ros.diagnostics import ERROR, OK, STALE, WARN, Diagnostics, Snapshot
from perception.sensors.alignment import Misalignment

TOPICS = {"rgb": ("/image", "/image/compressed"), "lidar": ("/points",)}


class Bench:
    """Diagnostics that are asked once a second."""

    def __init__(self) -> None:
        self.complaints = ThrottledLog(lambda _: None, lambda _: None)
        self.diagnostics = Diagnostics("perception", TOPICS, self.complaints)
        self.now = 100.0
        self.statistics = Statistics(lambda: self.now)
        self.refused: dict[str, str] = {}
        self.misaligned: Misalignment | None = None
        self.bits = 0
        self.intensity = ""
        self.timing = Timing(0.05, 0.25, {})
        self.nearest: dict[str, str] = {}

    def answer(self, count: int, latency_s: float = 0.01, **offsets_ms: float) -> None:
        image = np.zeros((1, 1), np.uint8)
        prediction = Prediction(0, image, image, {"rgb": 0.75, "lidar": 0.25})
        for index in range(count):
            self.statistics.answered(
                "rgb", ("rgb", "lidar"), prediction, {"infer": 20.0}, latency_s * index, 5.0, None, offsets_ms
            )

    def tick(self, **sensors: SensorState) -> dict[str, tuple[bytes, str, dict[str, str]]]:
        self.now += 1
        summary = self.statistics.summary()
        snapshot = Snapshot(
            self.now,
            sensors,
            0,
            summary,
            self.refused,
            self.misaligned,
            self.bits,
            {"lidar": self.intensity},
            Limits(),
            self.timing,
            self.nearest,
        )
        array = self.diagnostics.report(snapshot)
        return {
            status.name.removeprefix("perception: "): (
                status.level,
                status.message,
                {value.key: value.value for value in status.values},
            )
            for status in array.status
        }

    def sensor(self, received: int, age: float | None = 0.05, alive: bool = True, **drops: int) -> SensorState:
        last = None if age is None else self.now + 1 - age
        return SensorState(last_arrived=last, alive=alive, received=received, drops=Counter(drops))


def test_all_is_well() -> None:
    bench = Bench()
    bench.tick(rgb=bench.sensor(5), lidar=bench.sensor(5))
    bench.answer(10)
    said = bench.tick(rgb=bench.sensor(15, superseded=2), lidar=bench.sensor(15))
    level, message, values = said["fusion"]
    assert (level, message) == (OK, "rgb+lidar, 10.0 Hz")
    assert values["frames"] == "10"
    assert (values["weight_rgb"], values["weight_lidar"], values["stage_infer_ms"]) == ("0.75", "0.25", "20.0")
    assert float(values["latency_p50_ms"]) == pytest.approx(45)
    assert float(values["stamp_latency_p99_ms"]) == pytest.approx(5000)
    level, message, values = said["rgb"]
    assert (level, message) == (OK, "10.0 Hz")
    assert (values["dropped"], values["dropped_superseded"], values["age_s"]) == ("2", "2", "0.05")


def test_the_bit_depth_of_a_camera_is_shown_where_it_has_one() -> None:
    bench = Bench()
    assert "bit_depth" not in bench.tick(rgb=bench.sensor(5), lidar=bench.sensor(5))["rgb"][2]
    bench.bits = 12
    said = bench.tick(rgb=bench.sensor(15), lidar=bench.sensor(15))
    assert said["rgb"][2]["bit_depth"] == "12"
    assert "bit_depth" not in said["lidar"][2]


def test_what_cannot_be_heard_and_what_does_not_fit_are_warnings() -> None:
    bench = Bench()
    bench.refused, bench.misaligned = {"/image": "QoS (reliability)"}, Misalignment("yaw", -1.0, 0.2)
    said = bench.tick(rgb=bench.sensor(0, age=None, alive=False), lidar=bench.sensor(5))
    assert said["rgb"][:2] == (WARN, "/image: a publisher's QoS (reliability) is incompatible, so nothing is received")
    assert said["lidar"][0] == WARN
    assert "turned by -1° in yaw" in said["lidar"][1]


def test_a_lost_sensor_is_a_warning() -> None:
    bench = Bench()
    bench.tick(rgb=bench.sensor(5), lidar=bench.sensor(5))
    bench.answer(10)
    said = bench.tick(rgb=bench.sensor(15), lidar=bench.sensor(5, age=3.2, alive=False))
    assert said["fusion"][:2] == (WARN, "rgb+lidar, 10.0 Hz, without lidar")
    assert said["lidar"][:2] == (WARN, "silent for 3.2 s")


def test_a_sensor_that_tells_nothing_is_a_warning_with_a_count() -> None:
    bench = Bench()
    bench.tick(rgb=bench.sensor(5), lidar=bench.sensor(5))
    bench.answer(10)
    bench.complaints.warn("/image", "rgb is black: 99.9 % of the pixels are below 16 of 255 (lens cap, exposure?)")
    black = bench.sensor(15)
    black.drops["no information"] = 10
    said = bench.tick(rgb=black, lidar=bench.sensor(15))
    assert said["rgb"][:2] == (WARN, "rgb is black: 99.9 % of the pixels are below 16 of 255 (lens cap, exposure?)")
    assert said["rgb"][2]["dropped_no_information"] == "10"
    assert said["fusion"][:2] == (WARN, "rgb+lidar, 10.0 Hz, without rgb")


def test_the_lidar_tells_its_scale() -> None:
    bench = Bench()
    bench.intensity = "0–255 of intensity, learnt"
    said = bench.tick(rgb=bench.sensor(5), lidar=bench.sensor(5))
    assert said["lidar"][2]["intensity"] == "0–255 of intensity, learnt"
    assert "intensity" not in said["rgb"][2]


def test_a_sensor_slower_than_its_timeout_is_no_error_while_it_is_answered() -> None:
    bench = Bench()
    bench.tick(rgb=bench.sensor(5))
    bench.answer(1)
    said = bench.tick(rgb=bench.sensor(6, age=0.6, alive=False))
    assert said["fusion"][:2] == (WARN, "rgb+lidar, 1.0 Hz, and now every sensor is silent")
    assert said["rgb"][:2] == (WARN, "silent for 0.6 s")


@pytest.mark.parametrize("alive", [True, False])
def test_a_node_that_answers_less_than_once_a_second_is_no_error(alive: bool) -> None:
    bench = Bench()
    bench.tick(rgb=bench.sensor(5))
    for _ in range(3):
        bench.answer(1)
        for _ in range(2):
            said = bench.tick(rgb=bench.sensor(6, age=1.5, alive=alive))
    assert said["fusion"][0] == (OK if alive else WARN)
    for _ in range(6):
        said = bench.tick(rgb=bench.sensor(6, age=1.5, alive=alive))
    assert said["fusion"][0] == ERROR


def test_an_image_that_comes_raw_and_compressed_counts_once() -> None:
    bench = Bench()
    bench.tick(rgb=bench.sensor(10, duplicate=5))
    said = bench.tick(rgb=bench.sensor(30, duplicate=15))
    assert said["rgb"][:2] == (OK, "10.0 Hz")


def test_stamps_since_boot_are_another_clock() -> None:
    bench = Bench()
    bench.tick(rgb=bench.sensor(5), lidar=bench.sensor(5))
    bench.answer(10)
    lidar = bench.sensor(15)
    lidar.missed, lidar.unmatched, lidar.gap_ns = 10, 10, -1_795_946_360_000_000_000
    said = bench.tick(rgb=bench.sensor(15), lidar=lidar)
    assert said["lidar"][:2] == (
        WARN,
        "10.0 Hz, but its stamps are -1795946360 s off those of rgb: it has another clock (since boot?)",
    )


def test_a_living_sensor_that_is_in_no_frame_is_a_warning() -> None:
    bench = Bench()
    bench.tick(rgb=bench.sensor(5), lidar=bench.sensor(5))
    bench.answer(10)
    lidar = bench.sensor(15)
    lidar.missed, lidar.unmatched, lidar.gap_ns = 10, 10, -3_000_000_000
    said = bench.tick(rgb=bench.sensor(15), lidar=lidar)
    level, message, _ = said["lidar"]
    assert level == WARN
    assert message.startswith("10.0 Hz, but -3000 ms off the stamps of rgb, beyond tolerance_s")
    assert "lidar.offset_s" in message
    assert "a longer wait_s waits for them" in message
    assert said["fusion"][:2] == (WARN, "rgb+lidar, 10.0 Hz, without lidar")


@pytest.mark.parametrize("cause", ["no calibration", "out of view"])
def test_a_living_sensor_without_its_place_is_missing_from_the_frames(cause: str) -> None:
    bench = Bench()
    bench.tick(rgb=bench.sensor(5), lidar=bench.sensor(5))
    bench.answer(10)
    said = bench.tick(rgb=bench.sensor(15), lidar=bench.sensor(15, **{cause: 10}))
    assert said["fusion"][:2] == (WARN, "rgb+lidar, 10.0 Hz, without lidar")


def test_stamps_that_stand_still_are_no_silence() -> None:
    bench = Bench()
    bench.tick(rgb=bench.sensor(5, age=0.6, alive=False, duplicate=3))
    said = bench.tick(rgb=bench.sensor(15, age=1.6, alive=False, duplicate=13))
    assert said["rgb"][:2] == (WARN, "10.0 Hz, but its stamps have stood still for 1.6 s")


def test_a_new_beginning_counts_from_zero_and_with_other_sensors() -> None:
    bench = Bench()
    bench.tick(rgb=bench.sensor(500))
    bench.diagnostics.begin()
    said = bench.tick(rgb=bench.sensor(3), lidar=bench.sensor(2))
    assert said["rgb"][:2] == (OK, "0.0 Hz")


@pytest.mark.parametrize(
    ("age", "alive", "level", "message"),
    [
        (None, False, STALE, "waiting for the first sensor"),
        (4.0, False, ERROR, "every sensor is silent: nothing is published"),
        (0.1, True, ERROR, "nothing is published: frame: broken"),
    ],
)
def test_nothing_published(age: float | None, alive: bool, level: Any, message: str) -> None:
    bench = Bench()
    for _ in range(2):
        bench.complaints.error("perception", "frame: broken\nmore")
        said = bench.tick(rgb=bench.sensor(5, age, alive))
    assert said["fusion"][:2] == (level, message)


def test_a_broken_topic_says_why_and_an_unseen_one_is_no_fault() -> None:
    bench = Bench()
    bench.complaints.error("/image/compressed", "data: short")
    said = bench.tick(rgb=bench.sensor(5), lidar=bench.sensor(0, age=None, alive=False))
    assert said["rgb"][:2] == (WARN, "data: short")
    assert said["lidar"][:2] == (OK, "nothing yet on /points")


def test_a_node_that_is_not_active_says_so() -> None:
    array = Bench().diagnostics.idle("inactive")
    assert [(status.name, status.message) for status in array.status] == [("perception: fusion", "inactive")]


def late(seconds: float) -> Habits:
    """The state of a sensor at 10 Hz whose messages arrive this much after the trigger's."""
    habits = Habits()
    for _ in range(10):
        habits.stepped(100_000_000)
        habits.came(seconds)
    return habits


def test_how_sensors_are_paired_is_told() -> None:
    bench = Bench()
    for sensor in ("rgb", "lidar"):
        bench.statistics.expect(sensor)
    bench.answer(30, 0.001, rgb=0.0, lidar=-50.0)
    bench.answer(10, 0.001, rgb=0.0, lidar=-3.0)
    lidar = bench.sensor(40)
    lidar.habits = late(0.095)
    level, message, values = bench.tick(rgb=bench.sensor(40), lidar=lidar)["fusion"]
    assert (level, message) == (OK, "rgb+lidar, 0.0 Hz")
    assert [values[f"lidar.{key}"] for key in ("offset_ms_p50", "offset_ms_max", "share", "latency_ms_p95")] == [
        "-50.0", "50.0", "1.0", "95.0",
    ]  # fmt: skip
    assert [values[f"rgb.{key}"] for key in ("offset_ms_p50", "offset_ms_max", "share", "latency_ms_p95")] == [
        "0.0", "0.0", "1.0", "0.0",
    ]  # fmt: skip
    assert "depth.share" not in values
    assert bench.tick(rgb=bench.sensor(40), lidar=lidar)["lidar"][2]["latency_budget_ms"] == "97.0"


def test_a_late_trigger_is_told_from_the_promptest() -> None:
    bench = Bench()
    for sensor in ("rgb", "lidar"):
        bench.statistics.expect(sensor)
    lidar = bench.sensor(40)
    lidar.habits = late(-0.1)
    values = bench.tick(rgb=bench.sensor(40), lidar=lidar)["fusion"][2]
    assert (values["rgb.latency_ms_p95"], values["lidar.latency_ms_p95"]) == ("100.0", "0.0")
    assert (values["rgb.share"], values["rgb.offset_ms_p50"]) == ("0.0", "nan")


def seldom(bench: Bench, latency_s: float) -> tuple[bytes, str]:
    """The report if the LiDAR is in one of ten frames."""
    for sensor in ("rgb", "lidar"):
        bench.statistics.expect(sensor)
    bench.answer(90, 0.0, rgb=0.0)
    bench.answer(10, 0.0, rgb=0.0, lidar=0.0)
    rgb, lidar = bench.sensor(100), bench.sensor(100)
    rgb.habits, lidar.habits = late(0.0), late(latency_s)
    return bench.tick(rgb=rgb, lidar=lidar)["fusion"][:2]


@pytest.mark.parametrize(
    ("pairing", "latency_s", "reason"),
    [
        ("completeness", 0.4, "its messages come 400 ms after the fastest sensor's, wait_s is 250 ms"),
        (
            "freshness",
            0.15,
            "its messages come 150 ms after the fastest sensor's; 'pairing: completeness' waits for them",
        ),
        ("completeness", 0.0, "messages are lost or broken, or their stamps further away than tolerance_s"),
    ],
)
def test_a_sensor_that_is_in_few_frames_is_a_warning_that_says_why(pairing: str, latency_s: float, reason: str) -> None:
    bench = Bench()
    bench.timing = Timing(0.05, 0.25, {}, pairing=pairing)
    assert seldom(bench, latency_s) == (WARN, f"rgb+lidar, 0.0 Hz; lidar in 10% of the frames < 95%: {reason}")


def test_a_sensor_that_is_slower_than_the_camera_is_in_all_frames_that_it_can_be_in() -> None:
    bench = Bench()
    for sensor in ("rgb", "lidar"):
        bench.statistics.expect(sensor)
    for _ in range(40):  # 30 Hz and 5 Hz: three of six images are within 50 ms of a sweep
        bench.answer(3, 0.0, rgb=0.0)
        bench.answer(3, 0.0, rgb=0.0, lidar=0.0)
    rgb, lidar = bench.sensor(240), bench.sensor(40)
    for _ in range(5):
        rgb.habits.stepped(33_333_333)
        lidar.habits.stepped(200_000_000)
    assert bench.tick(rgb=rgb, lidar=lidar)["fusion"][0] == OK


def test_latency_above_its_limit_is_a_warning() -> None:
    bench = Bench()
    bench.answer(40, 0.01)
    level, message, _ = bench.tick(rgb=bench.sensor(40))["fusion"]
    assert (level, message) == (WARN, "rgb+lidar, 0.0 Hz; latency p95 370 ms > 200 ms")


def test_not_keeping_up_is_a_warning_once_it_lasts() -> None:
    bench = Bench()
    said = []
    for second in range(6):
        bench.answer(9)
        said.append(bench.tick(rgb=bench.sensor(25 * second, superseded=16 * second))["fusion"])
    assert [level for level, _, _ in said] == [OK] * 4 + [WARN] * 2
    assert "; does not keep up: 9 of 25 Hz; try rgb at 9 Hz, model:=auto, fewer outputs" in said[-1][1]


def test_a_silent_sensor_is_told_the_nearest_topic_that_is_published() -> None:
    bench = Bench()
    silent = bench.sensor(0, age=None, alive=False)
    assert bench.tick(rgb=silent)["rgb"][1] == "nothing yet on /image or /image/compressed"
    bench.nearest = {"/image": "/front/image"}
    words = "nothing yet on /image or /image/compressed; the nearest that is published is /front/image"
    assert bench.tick(rgb=silent)["rgb"][:2] == (OK, words)
