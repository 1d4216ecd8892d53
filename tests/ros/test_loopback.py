# SPDX-License-Identifier: Apache-2.0
"""Failures of the node's process must be reported; the normal case is tested by the demo."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("rclpy")

from perception.bags.sources import open_bag
from perception.bags.writer import write_bag
from perception.errors import PerceptionError
from perception.frame import Frame
from perception.ros import loopback
from perception.ros.loopback import rehearse
from perception.ros.watch.recorder import IMAGES


def test_a_node_that_cannot_start_is_explained_by_its_log(tmp_path: Path) -> None:
    write_bag([Frame(stamp_ns=1_000_000_000, rgb=np.zeros((24, 64, 3), np.uint8))], tmp_path / "bag")
    called: list[str] = []
    arguments = ["--ros-args", "-p", "engine:=steam"]
    with closing(open_bag(tmp_path / "bag")) as source, pytest.raises(PerceptionError) as raised:
        rehearse(source, arguments, tmp_path / "node.log", lambda: called.append("ready"), called.clear)
    assert "the node ended with code 2" in str(raised.value)
    assert "steam" in str(raised.value)
    assert called == []


def test_a_node_that_dds_does_not_find_is_started_again(
    tiny_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loopback, "UNSEEN_TIMEOUT_S", 0.01)
    write_bag([Frame(stamp_ns=1_000_000_000, rgb=np.zeros((24, 64, 3), np.uint8))], tmp_path / "bag")
    started: list[int] = []
    arguments = ["--ros-args", "-p", f"model:={tiny_model}"]
    with closing(open_bag(tmp_path / "bag")) as source:
        done = rehearse(source, arguments, tmp_path / "node.log", lambda: None, lambda: None, on_start=started.append)
    assert len(started) == 2
    assert [len(images) for images in done.images.values()] == [1] * len(IMAGES)
