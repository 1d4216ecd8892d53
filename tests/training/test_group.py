# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import os
from pathlib import Path

import pytest

pytest.importorskip("mmseg")

from helpers.training.shards import by_one, by_two

from perception.errors import ModelError
from perception.training import group


def test_what_one_process_finds_wrong_all_say() -> None:
    assert by_one()["minds"] == ["from 0", "process 0 fails", "process 0 fails", "on"]
    for each in by_two():
        assert each["minds"] == ["from 0", "process 0 fails", "process 1 fails", "on"]


def test_the_cores_are_divided() -> None:
    assert {each["threads"] for each in by_two()} == {max(1, len(os.sched_getaffinity(0)) // 2)}


def test_a_restart_goes_on_only_if_the_run_has_a_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert group.run_name() is None
    assert not group.is_restarted(tmp_path)
    for name, value in dict(RANK="0", TORCHELASTIC_RUN_ID="mine", TORCHELASTIC_RESTART_COUNT="0").items():
        monkeypatch.setenv(name, value)
    assert not group.is_restarted(tmp_path)
    monkeypatch.setenv("TORCHELASTIC_RESTART_COUNT", "1")
    assert group.is_restarted(tmp_path)
    monkeypatch.setenv("TORCHELASTIC_RUN_ID", "none")
    with pytest.raises(ModelError, match=r"last.pt: may be of another run: .*--rdzv-id"):
        group.is_restarted(tmp_path / "last.pt")


def test_fewer_gpus_than_processes_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in dict(RANK="0", LOCAL_RANK="0", LOCAL_WORLD_SIZE="2", TORCHELASTIC_RUN_ID="mine").items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr("torch.cuda.device_count", lambda: 1)
    with pytest.raises(ModelError, match=r"2 processes on a machine with 1 GPU\(s\)"), group.joined():
        pass


def test_several_machines_are_refused_if_a_restart_would_find_dead_processes(monkeypatch: pytest.MonkeyPatch) -> None:
    names = dict(RANK="0", LOCAL_RANK="0", LOCAL_WORLD_SIZE="1", GROUP_WORLD_SIZE="2", TORCHELASTIC_RUN_ID="mine")
    for name, value in {**names, "TORCHELASTIC_MAX_RESTARTS": "3", "TORCHELASTIC_USE_AGENT_STORE": "True"}.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(ModelError, match=r"TORCH_DISABLE_SHARE_RDZV_TCP_STORE=1.*--max-restarts 0"), group.joined():
        pass
