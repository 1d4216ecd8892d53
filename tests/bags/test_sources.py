# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from perception.bags.raw import RawBagWriter, RawMessage, raw
from perception.bags.sources import Source, holds_bag, open_bag, until_broken
from perception.errors import DataError

T0 = 1_700_000_000_000_000_000


def text(topic: str, after_ns: int) -> RawMessage:
    return raw(topic, "std_msgs/msg/String", T0 + after_ns, {"data": f"{topic} {after_ns}"})


@pytest.fixture
def bag(tmp_path: Path) -> Path:
    with RawBagWriter(tmp_path / "bag") as writer:
        for after in (0, 10, 20, 30):
            writer.write(text("/a", after))
            writer.write(text("/b", after + 5))
    return tmp_path / "bag"


def test_topics_span_and_messages(bag: Path) -> None:
    with closing(open_bag(bag)) as source:
        assert (source.start_ns - T0, source.end_ns - T0) == (0, 35)
        assert {name: (topic.type, topic.messages) for name, topic in source.topics.items()} == {
            "/a": ("std_msgs/msg/String", 4),
            "/b": ("std_msgs/msg/String", 4),
        }
        found = list(source.messages(["/b"], source.start_ns, source.end_ns))
    assert found == [text("/b", after) for after in (5, 15, 25, 35)]


@pytest.mark.parametrize(
    ("first", "last", "expected"), [(10, 20, [10, 20]), (11, 19, []), (0, 35, [0, 10, 20, 30]), (-50, 0, [0])]
)
def test_both_ends_are_included(bag: Path, first: int, last: int, expected: list[int]) -> None:
    with closing(open_bag(bag)) as source:
        found = [each.stamp_ns - T0 for each in source.messages(["/a"], T0 + first, T0 + last)]
    assert found == expected


def test_no_topic_is_none_and_not_all(bag: Path) -> None:
    with closing(open_bag(bag)) as source:
        assert list(source.messages([], source.start_ns, source.end_ns)) == []
        assert list(source.messages(["/c"], source.start_ns, source.end_ns)) == []


def test_a_bag_is_its_folder_or_the_file_in_it(bag: Path) -> None:
    (file,) = bag.glob("*.mcap")
    assert holds_bag(bag)
    assert holds_bag(file)
    with closing(open_bag(file)) as source:
        assert len(source.topics) == 2


def test_what_is_no_bag(tmp_path: Path) -> None:
    (tmp_path / "image.png").touch()
    assert not holds_bag(tmp_path)
    assert not holds_bag(tmp_path / "image.png")
    assert not holds_bag(tmp_path / "nowhere.mcap")
    with pytest.raises(DataError, match="no such bag"):
        open_bag(tmp_path / "nowhere")
    with pytest.raises(DataError, match=r"no metadata\.yaml"):
        open_bag(tmp_path)


class Breaking:
    """Two messages, then nothing can be read."""

    topics: dict = {}  # noqa: RUF012
    start_ns, end_ns = T0, T0 + 99

    def messages(self, topics: Collection[str], start_ns: int, end_ns: int) -> Iterator[RawMessage]:
        assert (start_ns, end_ns) == (self.start_ns, self.end_ns)
        yield from (text(topic, 1) for topic in topics)
        raise DataError("torn")

    def close(self) -> None: ...


def test_up_to_the_damage_everything_is_read_and_it_is_told() -> None:
    source: Source = Breaking()
    told: list[str] = []
    assert list(until_broken(source, ["/a", "/b"], told.append)) == [text("/a", 1), text("/b", 1)]
    assert told == ["torn"]
