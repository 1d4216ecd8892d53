# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from perception import Pipeline
from perception.engines import manifest
from perception.errors import ModelError


def files(folder: Path, *names: str) -> list[Path]:
    paths = [folder / name for name in names]
    for path in paths:
        path.write_text(path.name)
    return paths


def test_sha256sum_reads_it_and_a_later_export_adds_to_it(tmp_path: Path) -> None:
    old, gone = files(tmp_path, "old.onnx", "gone.onnx")
    manifest.record(tmp_path, [old, gone])
    gone.unlink()
    manifest.record(tmp_path, files(tmp_path, "new.xml", "new.bin"))
    said = subprocess.run(["sha256sum", "--check", manifest.NAME], cwd=tmp_path, capture_output=True, text=True)
    assert said.returncode == 0
    assert said.stdout.splitlines() == ["new.bin: OK", "new.xml: OK", "old.onnx: OK"]


@pytest.mark.parametrize("changed", ["net.xml", "net.bin"])
def test_a_file_that_has_changed_is_not_loaded(tmp_path: Path, changed: str) -> None:
    manifest.record(tmp_path, files(tmp_path, "net.xml", "net.bin"))
    (tmp_path / changed).write_text("other")
    with pytest.raises(ModelError, match=f"{changed}: not the file that SHA256SUMS beside it lists"):
        Pipeline.load(tmp_path / "net.xml")


def test_what_nobody_listed_may_be_any(tmp_path: Path) -> None:
    (model,) = files(tmp_path, "net.onnx")
    manifest.verify(model)
    manifest.record(tmp_path, files(tmp_path, "other.onnx"))
    manifest.verify(model)
