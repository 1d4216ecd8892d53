# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from pathlib import Path

import pytest

from perception.bags.cursor import BagCursor, Key, key_of
from perception.bags.raw import RawBagWriter, RawMessage, header, raw
from perception.errors import DataError

T0 = 1_700_000_000_000_000_000
MS = 1_000_000
KIND = "std_msgs/msg/Header"


def message(topic: str, number: int, stamp_ms: int | None = None) -> RawMessage:
    """Recorded every 100 ms; its frame_id tells which it is."""
    recorded = T0 + number * 100 * MS
    stamp = recorded - 20 * MS if stamp_ms is None else stamp_ms * MS
    fields = {"stamp": header(stamp, "").stamp, "frame_id": f"{topic}{number}"}
    return raw(topic, KIND, recorded, fields)


def key(topic: str, number: int) -> Key:
    each = message(topic, number)
    found = key_of(topic, each.stamp_ns, each.data)
    assert found is not None
    return found


@pytest.fixture(scope="module")
def bag(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("cursor") / "bag"
    with RawBagWriter(path) as writer:
        for number in range(40):
            for topic in ("/a", "/b"):
                writer.write(message(topic, number))
    return path


def test_a_key_has_both_clocks() -> None:
    assert key("/a", 3) == (T0 + 300 * MS, "/a", T0 + 280 * MS)


def test_a_stamp_of_zero_counts_as_recorded_then() -> None:
    each = message("/a", 3, stamp_ms=0)
    assert key_of("/a", each.stamp_ns, each.data) == (T0 + 300 * MS, "/a", T0 + 300 * MS)


def test_what_is_too_short_for_a_header_has_no_key() -> None:
    assert key_of("/a", 1, b"\x00\x01\x00\x00") is None


@pytest.mark.parametrize("numbers", [range(40), reversed(range(40)), (39, 0, 20, 21, 19, 5, 38)])
def test_messages_are_found_in_any_order(bag: Path, numbers: list[int]) -> None:
    cursor = BagCursor(bag, ["/a", "/b"])
    for number in numbers:
        keys = [key("/a", number), key("/b", max(0, number - 3))]
        found = cursor.fetch(keys)
        for each in keys:
            kind, data = found[each]
            assert kind == KIND
            assert data == message(each.topic, (each.recorded_ns - T0) // (100 * MS)).data
    cursor.close()


def test_in_the_order_of_time_every_watched_message_passes_once(bag: Path) -> None:
    passed: list[bytes] = []
    cursor = BagCursor(bag, ["/a"], ["/b"], lambda topic, data: passed.append(data))
    for number in range(40):
        cursor.fetch([key("/a", number)])
        assert len(passed) >= number + 1  # up to the message's own time at least
    assert passed == [message("/b", number).data for number in range(40)]
    cursor.close()


def test_a_closed_cursor_opens_again(bag: Path) -> None:
    cursor = BagCursor(bag, ["/a"])
    cursor.fetch([key("/a", 30)])
    cursor.close()
    assert key("/a", 2) in cursor.fetch([key("/a", 2)])
    cursor.close()


def test_a_message_that_is_gone_is_an_error(bag: Path) -> None:
    cursor = BagCursor(bag, ["/a"])
    with pytest.raises(DataError, match="/a lacks a message"):
        cursor.fetch([key("/a", 3)._replace(stamp_ns=1)])
    cursor.close()
