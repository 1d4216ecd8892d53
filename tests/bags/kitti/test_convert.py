# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from contextlib import closing
from pathlib import Path

import pytest

from perception.bags.kitti.convert import convert
from perception.bags.sources import open_bag
from perception.datasets.kitti.layouts import open_drive
from perception.errors import DataError


@pytest.mark.parametrize("compressed", [False, True])
def test_the_counts_are_those_of_the_bag(drive: Path, tmp_path: Path, compressed: bool) -> None:
    told: list[int] = []
    found = convert(open_drive(drive), tmp_path / "bag", compressed, "sqlite3", lambda: told.append(1))
    with closing(open_bag(tmp_path / "bag")) as source:
        messages = list(source.messages(list(source.topics), source.start_ns, source.end_ns))
        assert {name: topic.messages for name, topic in source.topics.items()} == found.messages
    assert found.bag == str(tmp_path / "bag")
    assert found.bytes == sum(len(each.data) for each in messages)
    assert len(told) == len(messages) == sum(found.messages.values())
    assert any(name.endswith("/compressed") for name in found.messages) == compressed
    assert list((tmp_path / "bag").glob("*.db3"))


def test_a_name_that_is_taken_is_refused(drive: Path, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="exists already"):
        convert(open_drive(drive), tmp_path)
