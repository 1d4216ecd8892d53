# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest

from perception.checking.words import heard_words


def found(*lines: str, frames: int = 0) -> list[tuple[str, str, str]]:
    return [(each.code, each.where, each.what) for each in heard_words(lines, frames)]


@pytest.mark.parametrize(
    ("line", "code", "where"),
    [
        ("/points: extrinsics: no TF from lidar to camera", "tf-missing", "/points"),
        ("/image: encoding: 'odd' is unknown", "encoding", "/image"),
        ("/image: data: 3 bytes, expected 12", "message-broken", "/image"),
        ("intensity: none of the fields", "intensity-missing", "lidar"),
        ("something that nobody foresaw", "node-word", "the recording"),
    ],
)
def test_words_are_findings(line: str, code: str, where: str) -> None:
    assert [each[:2] for each in found(line)] == [(code, where)]


def test_words_of_one_kind_on_one_topic_are_one_finding_with_the_first_of_them() -> None:
    lines = ["/image: data: 3 bytes", "/image: data: 4 bytes", "/depth: data: 5 bytes"]
    assert [each[1:] for each in found(*lines, frames=8)] == [
        ("/image", "data: 3 bytes (2 of 8 frames)"),
        ("/depth", "data: 5 bytes (1 of 8 frames)"),
    ]


def test_what_another_finding_says_is_left_to_it() -> None:
    assert found("/image: stamps are zero", "/a: no messages pair") == []
