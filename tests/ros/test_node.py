# SPDX-License-Identifier: Apache-2.0
"""The node's life cycle, in this process; e2e/test_node.py tests it with sensors."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("rclpy")

from builtin_interfaces.msg import Time
from rclpy.lifecycle import TransitionCallbackReturn
from rclpy.parameter import Parameter
from sensor_msgs.msg import Image
from std_msgs.msg import Header

from perception.assembly.assembler import Input
from perception.assembly.collector import SensorState
from perception.assembly.settings.parameters import PARAMETERS
from perception.engines import ENGINES
from perception.engines.family import Member
from perception.errors import PerceptionError
from perception.messages.convert import image_fields
from perception.ros.node import PerceptionNode
from perception.runtime.worker import STOP_S

SUCCESS, FAILURE = TransitionCallbackReturn.SUCCESS, TransitionCallbackReturn.FAILURE
Make = Callable[..., PerceptionNode]


@pytest.fixture
def make(ros: Any) -> Iterator[Make]:
    """Makes nodes with the given parameters."""
    nodes = []

    def make(**values: Any) -> PerceptionNode:
        overrides = [Parameter(name, value=value) for name, value in values.items()]
        nodes.append(PerceptionNode(context=ros, parameter_overrides=overrides))
        return nodes[-1]

    yield make
    for node in nodes:
        node.destroy_node()


def test_all_transitions_again_and_again_leave_nothing_behind(make: Make, tiny_model: Path) -> None:
    node = make(model=str(tiny_model))
    before = (len(list(node.publishers)), len(list(node.subscriptions)))
    for _ in range(3):
        assert node.trigger_configure() == SUCCESS
        for _ in range(2):
            assert node.trigger_activate() == SUCCESS
            assert any(thread.name.startswith("perception step") for thread in threading.enumerate())
            assert node.trigger_deactivate() == SUCCESS
        assert node.trigger_cleanup() == SUCCESS
    assert (len(list(node.publishers)), len(list(node.subscriptions))) == before
    assert not any(thread.name.startswith("perception step") for thread in threading.enumerate())


@pytest.mark.parametrize("steps", [(), ("configure",), ("configure", "activate")])
def test_shutdown_from_every_state(make: Make, tiny_model: Path, steps: tuple[str, ...]) -> None:
    node = make(model=str(tiny_model))
    for step in steps:
        assert getattr(node, f"trigger_{step}")() == SUCCESS
    assert node.trigger_shutdown() == SUCCESS


def test_a_failed_configure_says_why_and_can_be_tried_again(make: Make, tiny_model: Path) -> None:
    node = make(model="nowhere.xml")
    assert node.trigger_configure() == FAILURE
    assert node.failure is not None
    assert "nowhere.xml" in node.failure
    assert node.set_parameters([Parameter("model", value=str(tiny_model))])[0].successful
    assert node.trigger_configure() == SUCCESS


def test_only_enabled_sensors_are_listened_to(make: Make, tiny_model: Path) -> None:
    node = make(model=str(tiny_model), **{"depth.enabled": False, "infrared.enabled": False})
    node.trigger_configure()
    node.trigger_activate()
    topics = {subscription.topic_name for subscription in node.subscriptions}
    assert {"/image", "/image/compressed", "/camera_info", "/points"} <= topics
    assert not {"/depth", "/infrared"} & topics


def test_a_radar_is_listened_to_where_the_network_has_channels_for_it(
    make: Make, tiny_model: Path, tiny_radar_model: Path
) -> None:
    for model, heard in ((tiny_model, False), (tiny_radar_model, True)):
        node = make(model=str(model))
        assert node.trigger_configure() == SUCCESS
        assert node.trigger_activate() == SUCCESS
        assert ("/radar" in {subscription.topic_name for subscription in node.subscriptions}) == heard


def test_a_radar_alone_is_refused_where_the_network_has_no_channels_for_it(make: Make, tiny_model: Path) -> None:
    others = {f"{name}.enabled": False for name in ("rgb", "depth", "infrared", "lidar")}
    node = make(model=str(tiny_model), **others)
    assert node.trigger_configure() == FAILURE
    assert node.failure == "only radar is enabled: the network tiny has no channels for it"


def test_further_lidars_and_an_imu_are_listened_to_where_they_are_named(make: Make, tiny_model: Path) -> None:
    extra = {"lidar.extra_topics": ["left/points", "/right/points"], "imu_topic": "/imu/data"}
    node = make(model=str(tiny_model), **extra)
    node.trigger_configure()
    node.trigger_activate()
    topics = {subscription.topic_name for subscription in node.subscriptions}
    assert {"/points", "/left/points", "/right/points", "/imu/data"} <= topics
    assert node.set_parameters([Parameter("lidar.extra_topics", value=["/left/points"])])[0].successful
    assert node.set_parameters([Parameter("lidar.stamp", value="end")])[0].successful
    node.trigger_deactivate()
    node.trigger_cleanup()
    node.trigger_configure()
    node.trigger_activate()
    assert "/right/points" not in {subscription.topic_name for subscription in node.subscriptions}


def test_live_parameters_count_at_once_and_impossible_ones_change_nothing(make: Make) -> None:
    node = make()
    assert node.set_parameters([Parameter("tolerance_s", value=0.02)])[0].successful
    assert node.settings.timing.tolerance_s == 0.02
    refused = node.set_parameters([Parameter("engine", value="abacus")])[0]
    assert not refused.successful
    assert "abacus" in refused.reason
    assert not node.set_parameters([Parameter("autostart", value=False)])[0].successful
    assert node.settings.engine == "auto"
    assert node.set_parameters([Parameter("lidar_to_camera", value=np.eye(4).ravel().tolist())])[0].successful
    assert node.settings.lidar_to_camera is not None


def test_the_model_is_chosen_and_told_unless_it_was_named(
    make: Make, tiny_model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ladder = (Member("openvino", tiny_model), Member("openvino", tiny_model, 0.7))
    monkeypatch.setattr("perception.ros.node.family", lambda engine: ladder)
    node = make(rate_hz=0.5)
    assert node.trigger_configure() == SUCCESS
    assert node._fit is not None
    told = node._fit.values
    assert (told["model"], told["model_scale"], told["model_steps"]) == ("tiny", 1.0, 0)
    assert "holds 0.5 Hz with time to spare" in str(told["model_choice"])
    named = make(model=str(tiny_model))
    assert named.trigger_configure() == SUCCESS
    assert named._fit is not None
    assert named._fit.values == {"model": "tiny", "model_scale": 1.0, "model_looks": 1}


@pytest.mark.parametrize(("threads", "engine"), [(1, 1), (2, 1), (8, 7)])
def test_a_small_network_leaves_a_core_to_the_rest(make: Make, tiny_model: Path, threads: int, engine: int) -> None:
    node = make(model=f"{tiny_model}@0.5", threads=threads)
    assert node.trigger_configure() == SUCCESS
    assert [key[2] for key in node._pool._engines] == [engine]


def test_the_rate_of_the_last_time_is_begun_with(
    make: Make, tiny_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr("perception.ros.node.family", lambda engine: (Member("openvino", tiny_model),) * 2)
    node = make()
    assert node.trigger_configure() == SUCCESS
    node.trigger_activate()
    assert node._fit is not None
    assert "holds 10 Hz" in str(node._fit.values["model_choice"])
    state = SensorState(received=60)
    state.habits.period_ns = 1e9 / 16
    for _ in range(2):
        node._adapt({"rgb": state}, "rgb")
    again = make()
    assert again.trigger_configure() == SUCCESS
    assert again._fit is not None
    assert "holds 16 Hz" in str(again._fit.values["model_choice"])


def test_nodes_that_take_turns_choose_a_model_that_has_time_for_all(
    ros: Any, tiny_model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ladder = (Member("openvino", tiny_model), Member("openvino", tiny_model, 0.7))
    monkeypatch.setattr("perception.ros.node.family", lambda engine: ladder)
    node = PerceptionNode(turns=3, context=ros, parameter_overrides=[Parameter("rate_hz", value=0.5)])
    try:
        assert node.trigger_configure() == SUCCESS
        assert node._fit is not None
        assert "holds 1.5 Hz with time to spare" in str(node._fit.values["model_choice"])
    finally:
        node.destroy_node()


def test_what_came_and_what_was_left_out_tells_whether_the_model_fits(
    make: Make, tiny_model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[tuple[Any, ...]] = []
    monkeypatch.setattr("perception.runtime.fit.Fit.step", lambda _, now, *rest: asked.append(rest))
    node = make(model=str(tiny_model))
    node.trigger_configure()
    node.trigger_activate()
    first, second = SensorState(received=5), SensorState(received=27)
    second.drops.update({"superseded": 3, "overtaken": 1, "duplicate": 2, "broken": 7})
    second.habits.period_ns = 5e7
    for state in (first, second):
        node._adapt({"rgb": state}, "rgb")
    assert asked == [(0.05, 20, 4, (1242, 375))]
    node.set_parameters([Parameter("rate_hz", value=10.0)])
    node._adapt({"rgb": second}, "rgb")
    assert asked[1:] == [(0.1, 0, 0, (1242, 375))]


def test_what_is_for_the_next_configure_waits_for_it(make: Make, tiny_model: Path) -> None:
    node = make(model=str(tiny_model), **{"infrared.enabled": False})
    node.trigger_configure()
    assert node.set_parameters([Parameter("infrared.enabled", value=True)])[0].successful

    def hears_infrared() -> bool:
        return "/infrared" in {subscription.topic_name for subscription in node.subscriptions}

    assert node.trigger_activate() == SUCCESS
    assert not hears_infrared()
    node.trigger_deactivate()
    node.trigger_cleanup()
    node.trigger_configure()
    assert node.trigger_activate() == SUCCESS
    assert hears_infrared()


def test_an_error_that_nobody_foresaw_leaves_its_reason_and_another_chance(
    make: Make, tiny_model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    node = make(model=str(tiny_model))
    with monkeypatch.context() as broken:
        broken.setattr("perception.pipeline.Pipeline.warm_up", lambda *_: dict[str, int]()["no memory"])
        assert node.trigger_configure() != SUCCESS
    assert node.failure == "KeyError: 'no memory'"
    assert node.trigger_configure() == SUCCESS
    assert node.failure is None


def test_a_node_whose_engine_hangs_can_be_deactivated_and_activated_again(
    make: Make, tiny_model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    node, begun, never = make(model=str(tiny_model), **{"lidar.enabled": False}), threading.Event(), threading.Event()

    def sleep(*_: Any) -> None:
        begun.set()
        never.wait(30)

    node.trigger_configure()
    node.trigger_activate()
    image = np.random.default_rng(0).integers(0, 256, (96, 320, 3), np.uint8)
    with monkeypatch.context() as broken:
        broken.setattr("perception.pipeline.Pipeline.infer", sleep)
        assert node._mailbox is not None
        message = Image(header=Header(stamp=Time(sec=1), frame_id="left"), **image_fields(image, "rgb8"))
        node._mailbox.put("rgb", 10**9, Input("/image", message))
        assert begun.wait(5)
        began = time.monotonic()
        assert node.trigger_deactivate() == SUCCESS
        assert time.monotonic() - began < STOP_S + 1
    assert node.trigger_activate() == SUCCESS  # with an engine of its own
    assert node._pipeline is not None
    never.set()
    assert node.trigger_deactivate() == SUCCESS


def test_every_parameter_has_a_value_to_be_dumped(make: Make) -> None:
    node = make()
    names = [row.name for row in PARAMETERS]
    assert len(node.get_parameters(names)) == len(names)


def test_modules_of_one_s_own_are_imported_first(make: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "node_s_own.py").write_text(
        "from perception.engines import engine\nengine('node-s-own', '.own')(lambda path, threads: None)\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setenv("PERCEPTION_IMPORTS", "")
    monkeypatch.setattr(ENGINES, "_things", dict(ENGINES))  # what is imported registers an engine
    assert make(imports=["node_s_own"], engine="node-s-own").settings.engine == "node-s-own"
    with pytest.raises(PerceptionError, match="module 'nowhere_at_all'"):
        make(imports=["nowhere_at_all"])
