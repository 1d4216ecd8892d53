# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

from perception.classes import PALETTE, ROAD
from perception.errors import DataError, PerceptionError
from perception.labelling.clouds import OUTSIDE, require_writer, write_cloud

POINTS = np.random.default_rng(0).random((5, 4)).astype(np.float32) * np.array([30, 20, 2, 1], np.float32)
LABELS = np.array([0, 1, 2, 3, 255], np.uint8)


@pytest.mark.parametrize("suffix", ["ply", "pcd"])
def test_open3d_reads_it_back(tmp_path: Path, suffix: str) -> None:
    open3d = pytest.importorskip("open3d")
    path = tmp_path / f"cloud.{suffix}"
    write_cloud(path, POINTS, LABELS)
    read = open3d.t.io.read_point_cloud(str(path))
    np.testing.assert_array_equal(read.point["positions"].numpy(), POINTS[:, :3])
    np.testing.assert_array_equal(read.point["intensity"].numpy()[:, 0], POINTS[:, 3])
    np.testing.assert_array_equal(read.point["label"].numpy()[:, 0], LABELS)
    np.testing.assert_array_equal(read.point["colors"].numpy(), [*PALETTE, OUTSIDE])


def test_las(tmp_path: Path) -> None:
    laspy = pytest.importorskip("laspy")
    write_cloud(tmp_path / "cloud.las", POINTS, LABELS)
    read = laspy.read(tmp_path / "cloud.las")
    np.testing.assert_allclose(read.xyz, POINTS[:, :3], atol=1e-3)
    np.testing.assert_array_equal(read.label, LABELS)
    np.testing.assert_array_equal(read.classification, [1, 11, 64, 65, 0])
    assert [read.red[1] // 257, read.green[1] // 257, read.blue[1] // 257] == PALETTE[ROAD].tolist()


def test_where_it_cannot_be_written(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="nowhere"):
        write_cloud(tmp_path / "nowhere" / "cloud.ply", POINTS, LABELS)


@pytest.mark.parametrize(("suffix", "module", "extra"), [("pcd", "open3d", "sim"), ("las", "laspy", "las")])
def test_a_writer_that_is_not_installed_is_named_before_anything_is_labelled(
    suffix: str, module: str, extra: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(PerceptionError, match=rf"--cloud {suffix} needs {module}: pip install .*\[{extra}\]"):
        require_writer(suffix)
