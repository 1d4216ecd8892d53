# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from contextlib import closing
from pathlib import Path

import pytest

from perception.bags.raw import STORAGES, TYPES, RawBagWriter, RawMessage, header, raw
from perception.bags.sources import open_bag
from perception.errors import DataError

T0 = 1_700_000_000_123_456_789


def text(topic: str, stamp_ns: int, said: str) -> RawMessage:
    return raw(topic, "std_msgs/msg/String", stamp_ns, {"data": said})


@pytest.mark.parametrize("storage", STORAGES)
def test_what_is_written_is_read(tmp_path: Path, storage: str) -> None:
    sent = [text("/a", T0, "one"), text("/tf_static", T0 + 1, "two"), text("/a", T0 + 10, "three")]
    with RawBagWriter(tmp_path / "bag", storage) as writer:
        for each in sent:
            writer.write(each)
    assert writer.counts == {"/a": 2, "/tf_static": 1}
    with closing(open_bag(tmp_path / "bag")) as source:
        assert list(source.messages(["/a", "/tf_static"], 0, T0 + 99)) == sent
        assert (source.topics["/a"].messages, source.topics["/a"].latched) == (2, False)
        assert source.topics["/tf_static"].latched
        assert source.topics["/a"].reliable
    assert {path.name for path in tmp_path.iterdir()} == {"bag"}


def test_a_header_has_seconds_and_the_rest() -> None:
    found = header(T0, "lidar")
    assert (found.stamp.sec, found.stamp.nanosec, found.frame_id) == (1_700_000_000, 123_456_789, "lidar")


def test_a_message_is_cdr() -> None:
    each = text("/a", T0, "hello")
    assert each.data[:4] == b"\x00\x01\x00\x00"  # little endian
    assert TYPES.deserialize_cdr(each.data, each.type).data == "hello"  # type: ignore[attr-defined]


def test_a_bag_that_was_broken_off_leaves_nothing(tmp_path: Path) -> None:
    def write() -> None:
        with RawBagWriter(tmp_path / "bag") as writer:
            writer.write(text("/a", T0, "one"))
            raise KeyError

    with pytest.raises(KeyError):
        write()
    assert not list(tmp_path.iterdir())
    with RawBagWriter(tmp_path / "bag") as writer:  # and the name is free
        writer.write(text("/a", T0, "one"))


def test_what_a_killed_run_left_is_replaced(tmp_path: Path) -> None:
    (tmp_path / ".bag.partial/bag").mkdir(parents=True)
    with RawBagWriter(tmp_path / "bag") as writer:
        writer.write(text("/a", T0, "one"))
    assert {path.name for path in tmp_path.iterdir()} == {"bag"}


def test_refused_names_storages_and_bags_of_nothing(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="'zip' is unknown"):
        RawBagWriter(tmp_path / "bag", "zip")
    (tmp_path / "bag").mkdir()
    with pytest.raises(DataError, match="exists already"):
        RawBagWriter(tmp_path / "bag")
    with pytest.raises(DataError, match="no sweeps to write"), RawBagWriter(tmp_path / "empty", content="sweeps"):
        pass
    assert not (tmp_path / "empty").exists()
