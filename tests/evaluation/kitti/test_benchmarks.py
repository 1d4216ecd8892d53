# SPDX-License-Identifier: Apache-2.0
"""`perception eval` on KITTI's benchmarks: their figures, the files for their servers, and one line per mistake."""

from __future__ import annotations

import json

import pytest
from helpers.kitti_benchmarks import write_road, write_semantics

from perception.cli.main import main


def test_road_prints_its_categories_and_writes_them(tmp_path, capsys):
    root, report_path = write_road(tmp_path / "road"), tmp_path / "report.json"
    assert main(["eval", "kitti-road", str(root), "--json", str(report_path)]) == 0
    printed = capsys.readouterr().out
    for word in ("MaxF", "um_road", "umm_road", "uu_road", "URBAN", "in the image", "bird's-eye view"):
        assert word in printed
    assert "um_lane" not in printed
    report = json.loads(report_path.read_text())
    assert (report["split"], report["frames"], report["benchmark"]["URBAN"]["images"]) == ("val", 3, 3)
    assert set(report["benchmark"]["um_road"]["birds_eye"]) >= {"max_f", "average_precision", "precision", "recall"}
    assert report["iou"]["vehicle"] is None  # the truth knows of none
    assert "submission" not in report


def test_the_test_split_becomes_files(tmp_path, capsys):
    root, out = write_road(tmp_path / "road"), tmp_path / "out"
    assert main(["eval", "kitti-road", str(root), "--split", "test", "--submission", str(out)]) == 0
    assert f"3 files in {out}" in capsys.readouterr().out.replace("\n", "")
    assert len(list(out.glob("*_road_000000.png"))) == 3


def test_semantics_scores_and_writes_in_one_run(tmp_path, capsys):
    root, out, report_path = write_semantics(tmp_path / "semantics"), tmp_path / "out", tmp_path / "report.json"
    arguments = ["--split", "all", "--limit", "2", "--submission", str(out), "--json", str(report_path)]
    assert main(["eval", "kitti-semantics", str(root), *arguments]) == 0
    printed = capsys.readouterr().out
    for word in ("class road", "category vehicle", "category human", "mean of 19 classes", "mean of 7 categories"):
        assert word in printed
    report = json.loads(report_path.read_text())
    assert report["submission"] == {"folder": str(out), "files": 2}
    assert report["benchmark"]["category_iou"]["vehicle"] == report["iou"]["vehicle"]
    assert report["benchmark"]["class_iou"]["road"] == report["iou"]["road"]


def test_a_raw_drive_is_scored_at_its_points(kitti_drive, capsys):
    assert main(["eval", "kitti-raw", str(kitti_drive)]) == 0
    printed = capsys.readouterr().out
    assert "IoU of LiDAR points" in printed
    assert "1 samples without labels were left out" in printed


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["kitti-road", "road", "--split", "test"], "the truth of its test split; use --submission DIR"),
        (["kitti-semantics", "semantics", "--split", "test"], "KITTI does not publish the truth of its test split"),
        (["kitti-road", "road", "--suite", "robustness", "--submission", "out"], "in a run without it"),
        (["kitti-raw", "2011_09_26", "--submission", "out"], "kitti-raw: no benchmark server takes segmentations"),
    ],
)
def test_mistakes_are_one_line(arguments, reason, tmp_path, kitti_drive, monkeypatch, capsys):
    write_road(tmp_path / "road")
    write_semantics(tmp_path / "semantics")
    monkeypatch.chdir(tmp_path)
    assert main(["eval", *arguments]) == 2
    error = capsys.readouterr().err
    assert reason in error
    assert error.count("\n") == 1
    assert not (tmp_path / "out").exists()
