# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from pathlib import Path

import pytest

from perception.errors import DataError
from perception.labelling.failed import read_failed, read_inputs, write_failed
from perception.labelling.report import LOST, Refused

GONE = Refused(input="/a", output="/out/a", error="/a: why", cause=LOST, attempts=4)


def test_a_list_has_a_line_each(tmp_path: Path) -> None:
    (tmp_path / "fleet.txt").write_text("# the first week\n/a\n\n  s3://bucket/b  \n")
    assert read_inputs(tmp_path / "fleet.txt") == ["/a", "s3://bucket/b"]


def test_what_is_written_can_be_taken_as_inputs(tmp_path: Path) -> None:
    path = tmp_path / "failed.json"
    write_failed(path, [], {"/a"}, [GONE])
    assert read_failed(path) == [
        {"input": "/a", "output": "/out/a", "error": "/a: why", "cause": "lost", "attempts": 4}
    ]
    assert read_inputs(path) == ["/a"]
    write_failed(path, read_failed(path), {"/b"}, [])
    assert read_inputs(path) == ["/a"]
    write_failed(path, read_failed(path), {"/a"}, [])
    assert not path.exists()
    assert read_failed(path) == []


@pytest.mark.parametrize("text", ["", "# nothing\n", "{}", '{"failed": [{}]}', '{"failed": 3, "schema": ""}', "{"])
def test_a_list_of_nothing_and_another_file_are_refused(text: str, tmp_path: Path) -> None:
    (tmp_path / "list").write_text(text)
    with pytest.raises(DataError, match="list"):
        read_inputs(tmp_path / "list")


def test_a_list_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="nowhere"):
        read_inputs(tmp_path / "nowhere")
