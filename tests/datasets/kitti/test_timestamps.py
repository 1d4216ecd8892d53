# SPDX-License-Identifier: Apache-2.0
"""Timestamps are exact to the nanosecond and belong to the right frames."""

from __future__ import annotations

import time
from datetime import datetime, timezone
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from perception.datasets.kitti.timestamps import parse_stamp, read_stamps
from perception.errors import DataError


def test_nanoseconds_are_exact():
    assert parse_stamp("2011-09-26 13:04:32.335337762") == 1_317_042_272_335_337_762
    assert parse_stamp("2011-09-26 13:04:32") == 1_317_042_272_000_000_000
    assert parse_stamp("1970-01-01 00:00:01.5\n") == 1_500_000_000


@given(
    st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1)).map(lambda t: t.replace(microsecond=0)),
    st.integers(0, 999_999_999),
)
def test_every_stamp_comes_back(moment, nanoseconds):
    expected = int(moment.replace(tzinfo=timezone.utc).timestamp()) * 10**9 + nanoseconds
    assert parse_stamp(f"{moment:%Y-%m-%d %H:%M:%S}.{nanoseconds:09d}") == expected


def test_the_machines_time_zone_does_not_matter(monkeypatch):
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    time.tzset()
    try:
        assert parse_stamp("2011-09-26 13:04:32") == 1_317_042_272_000_000_000
    finally:
        monkeypatch.undo()
        time.tzset()


def _write(path: Path, seconds: list[str]) -> Path:
    path.write_text("".join(f"2011-09-26 13:04:{s}\n" if s else "\n" for s in seconds))
    return path


def test_lines_belong_to_frame_numbers_when_there_are_gaps(tmp_path):
    stamps = read_stamps(_write(tmp_path / "t.txt", ["00", "01", "02", "03"]), [0, 3])
    assert stamps[3] - stamps[0] == 3_000_000_000


def test_lines_belong_to_files_when_only_these_are_listed(tmp_path):
    stamps = read_stamps(_write(tmp_path / "t.txt", ["00", "03"]), [0, 3])
    assert stamps[3] - stamps[0] == 3_000_000_000


def test_empty_lines_are_frames_without_stamps(tmp_path):
    assert list(read_stamps(_write(tmp_path / "t.txt", ["00", "", "02"]), [0, 1, 2])) == [0, 2]


def test_too_few_lines_and_broken_lines_name_the_file(tmp_path):
    path = _write(tmp_path / "t.txt", ["00", "01"])
    with pytest.raises(DataError, match=r"t\.txt: 2 lines, expected 5"):
        read_stamps(path, [0, 1, 4])
    path.write_text("2011-09-26 13:04\n")
    with pytest.raises(DataError, match=r"t\.txt: line 1: '2011-09-26 13:04' is not a time"):
        read_stamps(path, [0])
    path.write_text("2011-13-26 13:04:00\n")
    with pytest.raises(DataError, match=r"t\.txt: line 1"):
        read_stamps(path, [0])
