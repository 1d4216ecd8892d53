# SPDX-License-Identifier: Apache-2.0
"""Figures become the tables of docs/accuracy.md; parts are scored once, by the real network on tiny streets."""

from __future__ import annotations

import importlib
import io
import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
import pytest
from rich.console import Console

from perception.datasets.registry import open_dataset
from perception.errors import PerceptionError
from perception.evaluation.robustness.history import RecordedHistory
from perception.evaluation.robustness.suite import sensor_rows
from perception.frame import MODALITIES, Prediction
from perception.pipeline import Pipeline
from perception.simulation import SimulatedDrive

CHECKOUT = Path(__file__).resolve().parents[2]
SCRIPTS = CHECKOUT / "benchmarks"
DOCUMENT = (CHECKOUT / "docs/accuracy.md").read_text("utf-8")

BY_CLASS = {"road": 0.95, "vehicle": 0.85, "pedestrian": 0.4}
SETTINGS = {"folder": "f", "split": "val", "of": 101}
PART = {"settings": SETTINGS, "frames": 101, "input_sha256": "2" * 64}


@pytest.fixture(scope="module")
def scripts() -> Iterator[SimpleNamespace]:
    """The modules, which lie beside each other and are no package."""
    before = set(sys.modules)
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(SCRIPTS))
        names = ("accuracy", "accuracy_sets", "accuracy_tables", "accuracy_targets")
        yield SimpleNamespace(**{name: importlib.import_module(name) for name in names})
    for name in set(sys.modules) - before:
        if str(SCRIPTS) in str(getattr(sys.modules[name], "__file__", "")):
            del sys.modules[name]


@pytest.fixture(scope="module")
def pipeline() -> Pipeline:
    return Pipeline.load(threads=1)


def score(mean: float = 0.7, vehicle: float = 0.8, iou: dict[str, float] = BY_CLASS) -> dict[str, Any]:
    sizes = {name: {"objects": 3, "found": 0.5, "recall": 0.6} for name in ("small", "medium", "large")}
    names = ("max_f", "average_precision", "precision", "recall", "false_positive_rate", "false_negative_rate")
    return {
        "iou": iou,
        "recall": BY_CLASS,
        "mean_iou": mean,
        "pixel_accuracy": 0.9,
        "point_iou": {"road": None, "vehicle": vehicle, "pedestrian": 0.5},
        "point_recall": {"road": None, "vehicle": vehicle, "pedestrian": 0.5},
        "point_iou_hidden_too": {"road": None, "vehicle": vehicle - 0.1, "pedestrian": 0.5},
        "points": 12_345,
        "hidden_points": 678,
        "distance": {"0–15 m": {"iou": BY_CLASS, "recall": BY_CLASS, "pixels": 9}},
        "object_size": {"vehicle": sizes, "pedestrian": sizes},
        "kitti_road": dict.fromkeys(names, 0.9),
        "kitti_road_bev": None,
        "calibration": {"expected_calibration_error": 0.01, "bins": []},
        "confusion": [[985, 2, 3, 10], [0, 9, 0, 0], [0, 0, 9, 0], [0, 0, 0, 9]],
    }


def row(group: str, name: str, mean: float, **facts: Any) -> dict[str, Any]:
    changed = {"mean_iou": mean, "mean_iou_less_undisturbed": mean - 0.8}
    return {"group": group, "name": name, "frames": 5, "iou": BY_CLASS, **changed, **facts}


@pytest.fixture
def report() -> dict[str, Any]:
    emm = {"average": 0.72, "share_of_all": 0.9, "expected": {"0.05": 0.79, "0.10": 0.78, "0.20": 0.77}}
    subsets = [row("EMM", "rgb + lidar", 0.8), row("EMM", "depth + infrared + lidar", 0.7), row("camera", "black", 0.6)]
    suite = [row("EMM", "rgb", 0.8), row("NM", "low: 5%", 0.7), row("lidar", "16 beams", 0.75)]
    suite += [row("corruption", f"fog {s}", 0.1 * s, corruption="fog", severity=s) for s in (1, 2, 3)]
    corruptions = {"mean": 0.2, "share_of_all": 0.25, "mean_error": 0.8, "by_corruption": {"fog": 0.2}}
    sensors = {"all": score(), "rgb": score(0.5, 0.75), "lidar": score(0.4, 0.7)}
    pairs = {
        "all": score(0.8, iou={"road": 0.98, "vehicle": 0.90, "pedestrian": 0.70}),
        "rgb": score(0.6, iou={"road": 0.94, "vehicle": 0.85, "pedestrian": 0.30}),
        "infrared": score(0.5, iou={"road": 0.90, "vehicle": 0.10, "pedestrian": 0.75}),
    }
    faults = {"none": {name: {"mean_iou": each["mean_iou"], "iou": each["iou"]} for name, each in pairs.items()}}
    people = {"near": {"scale": 1, "low": 180, "high": 390, "found": 0.9}}
    drawn = {**PART, "settings": {"condition": "night", "seeds": [0, 1], "of": 200}}
    rig = {"rgb + lidar": score(0.8), "rgb": score(0.7), "lidar": score(0.6)}
    summary = {"all_sensors": 0.8, "emm": emm, "rmm": {"0.25": emm}}
    return {
        "command": "python benchmarks/accuracy.py DATA REPORT DOCUMENT",
        "commit": None,
        "quick": False,
        "model": "model.xml",
        "weights_sha256": "0" * 64,
        "parameters": 1_720_000,
        "engine": "openvino CPU bf16",
        "machine": {"versions": {"cpu": "C × 2", "numpy": "2"}},
        "left_out": ["kitti-object"],
        "parts": {
            "night pairs": {**PART, "scores": pairs},
            "day pairs, disturbed": {**PART, "faults": faults},
            "kitti-stereo, disturbed": {**PART, "faults": faults},
            "another thermal camera": {**PART, "scores": pairs},
            "kitti-stereo, points": {**PART, "scores": {**sensors, "rgb + lidar": score(0.6, 0.79)}},
            "camvid": {**PART, "scores": {"all": score()}},
            "penn-fudan": {**PART, "people": people},
            "simulated night": {**drawn, "scores": sensors},
            "subsets": {**drawn, "summary": summary, "rows": subsets},
            "robustness": {**drawn, "summary": summary | {"corruptions": corruptions}, "rows": suite},
            "simulated rig car": {**drawn, "scores": rig},
        },
    }


def rows_of(made: dict[str, Any], name: str) -> dict[str, Any]:
    return {line[0]: line[1:] for line in made[name].rows}


def test_the_document_has_every_table_and_takes_it_once(scripts: SimpleNamespace, report: dict[str, Any]) -> None:
    made, names = scripts.accuracy_tables.tables(report), scripts.accuracy_tables.NAMES
    assert re.findall(r"<!-- table: (\w+) -->", DOCUMENT) == list(names)
    others = {"recipes", "recipes_pretrained", "recipes_continued", "biases_pedestrian", "biases_vehicle", "steadiness"}
    assert set(names) - set(made) == others
    filled = scripts.accuracy.fill(DOCUMENT, made, names)
    assert scripts.accuracy.fill(filled, made, names) == filled
    for table in made.values():
        assert {len(line) for line in table.rows} == {len(table.header)}
        assert table.markdown() in filled


def test_targets_say_what_is_met(scripts: SimpleNamespace, report: dict[str, Any]) -> None:
    found = rows_of(scripts.accuracy_tables.tables(report), "targets")
    assert found["night pairs, camera + thermal: road IoU"] == ("0.970", "0.990", "0.980", "must")
    assert found["night pairs, camera + thermal: pedestrian IoU"][-1] == "no"
    assert found["night pairs, vehicle: both less the best alone"][-2:] == ("+5.0 points", "aim")
    assert found["night pairs, pedestrian: both less the best alone"][-2:] == ("-5.0 points", "no")
    assert found["another thermal camera, both: background called people"] == ("≤ 1.5%", "–", "1.0%", "must")
    assert found["another rig, depth alone: road IoU"][-2:] == ("–", "–")
    assert found["KITTI drive 0005, vehicle at points: camera + LiDAR less camera alone"][-2] == "+4.0 points"
    assert found["KITTI drive 0005, vehicle at points: all less camera + LiDAR"][-2:] == ("+1.0 points", "aim")
    assert found["CamVid, camera alone: pedestrian IoU"][-2:] == ("0.400", "no")
    assert found["people 180–390 pixels tall: their pixels found"][-2:] == ("90.0%", "must")
    assert found["simulated: mean over all 15 subsets of sensors / all four, mean IoU"][-2:] == ("0.900", "must")
    assert found["simulated, camera black: vehicle IoU from LiDAR, thermal, depth"][-1] == "aim"
    assert found["parameters"] == ("≤ 8.00 M", "–", "1.72 M", "must")


def test_tables_by_hand(scripts: SimpleNamespace, report: dict[str, Any]) -> None:
    made = scripts.accuracy_tables.tables(report)
    real = made["real"].rows
    assert [line[:2] for line in real] == [
        *(
            (name, sensors)
            for name in ("night pairs", "another thermal camera")
            for sensors in ("camera", "thermal", "all", "all less the best alone")
        ),
        ("camvid", "camera"),
    ]
    assert real[3][2:5] == ("+4.0", "+5.0", "-5.0")
    assert made["points"].rows[-1] == (
        "kitti-stereo, points", "all less the best alone", "+5.0", "+5.0", "+0.0", "+0.0", "",
    )  # fmt: skip
    assert made["people"].rows == [("180–390 pixels", "0.900")]
    assert made["faults_thermal"].rows == [("none", "0.800", "+20.0")]
    assert rows_of(made, "conditions") == {"simulated night": ("0.700", "0.500", "0.400", "+20.0")}
    assert made["rigs"].rows[-1] == ("car", "all less the best alone", "+0.0", "+0.0", "+0.0")
    assert rows_of(made, "disturbances")["fog"] == ("0.200", "-60.0", "5")
    assert rows_of(made, "subsets")["depth + infrared + lidar"][-1] == "0.875"
    assert rows_of(made, "data")["subsets"] == ("exact", "seeds 0–1", "101 of 200", "2" * 12)
    assert rows_of(made, "data")["night pairs"][0] == "marked by hand in this project"
    assert rows_of(made, "measured")["left out"] == ("kitti-object",)


def test_what_was_not_measured_is_not_claimed(scripts: SimpleNamespace, report: dict[str, Any]) -> None:
    made = scripts.accuracy_tables.tables({**report, "parts": {}, "parameters": None})
    assert {line[-1] for line in made["targets"].rows} == {"–"}


def tiny_parts(sets: ModuleType, camvid: Path) -> list[Any]:
    """A street of 8 frames by day, and CamVid's layout."""
    street = list(SimulatedDrive(1, "day", 8, scale=0.1))
    rows = list(sensor_rows(MODALITIES))
    suite = sets.by_rows(rows, RecordedHistory(street))
    real = open_dataset("camvid", camvid, "train")
    settings = {"condition": "day", "seeds": [1], "of": 8}
    return [
        sets.Part("camvid", real, [0, 2], 1, sets.by_sensors({"all": None}), SETTINGS),
        sets.Part("simulated day", street, [0, 7], 3, sets.by_sensors(sets.SENSORS), settings),
        sets.Part("subsets", street, [7], 16, sets.by_rows(sets.subset_rows(), lambda *_: None), settings),
        sets.Part("robustness", street, [5], len(rows), suite, settings),
    ]


def test_parts_are_scored_once(
    scripts: SimpleNamespace, pipeline: Pipeline, report: dict[str, Any], camvid: Path, tmp_path: Path
) -> None:
    path, said = tmp_path / "out/report.json", io.StringIO()
    todo = tiny_parts(scripts.accuracy_sets, camvid)
    report["parts"] = {"of other weights": PART}
    scripts.accuracy.evaluate_parts(pipeline, todo[:-1], report, path, Console(file=said))
    kept = json.loads(path.read_text("utf-8"))
    assert list(kept["parts"]) == ["camvid", "simulated day", "subsets"]
    subsets = kept["parts"]["subsets"]
    assert len(subsets["rows"]) == 16
    assert kept["parts"]["simulated day"]["frames"] == 2
    assert set(kept["parts"]["simulated day"]["scores"]) == {"all", "rgb", "lidar"}

    del kept["parts"]["simulated day"]  # as if it had been stopped there
    scripts.accuracy.evaluate_parts(pipeline, todo, kept, path, Console(file=said))
    again = json.loads(path.read_text("utf-8"))
    assert list(again["parts"]) == ["camvid", "simulated day", "subsets", "robustness"]
    assert again["parts"]["subsets"] == subsets
    assert "subsets: kept from" in said.getvalue()
    made = scripts.accuracy_tables.tables({**report, **again})
    assert rows_of(made, "disturbances")["camera black"][-1] == "1"
    assert len(made["disturbances"].rows) == 3 + 3 + 9 + 15
    assert len(made["subsets"].rows) == 15 + 1


def test_every_part_is_there_and_says_what_it_depends_on(
    scripts: SimpleNamespace, camvid: Path, tmp_path: Path
) -> None:
    (camvid / "train").rename(camvid / "val")
    (camvid / "trainannot").rename(camvid / "valannot")
    found = {part.name: part for part in scripts.accuracy_sets.parts(tmp_path, quick=False)}
    simulated = {f"simulated {condition}" for condition in ("day", "dusk", "night", "fog", "rain")}
    rigs = {f"simulated rig {rig}" for rig in ("kitti", "car", "van", "truck", "robot", "cityscapes")}
    assert set(found) == {"camvid", *simulated, "subsets", "robustness", *rigs}
    assert all(len(found[rig].chosen) == 8 for rig in rigs)
    assert {name: len(part.chosen) for name, part in found.items() if name in simulated} == {
        **dict.fromkeys(simulated, 30), "simulated day": 50,
    }  # fmt: skip
    assert [index % 100 for index in found["robustness"].chosen] == [40] * 10
    assert set(found["robustness"].chosen) <= set(found["simulated day"].chosen)
    assert found["camvid"].settings["code_sha256"] != found["simulated day"].settings["code_sha256"]


def test_points_of_vehicles_without_a_box_are_left_out(scripts: SimpleNamespace, real_data: Path) -> None:
    """KITTI's first training frame is of parked bicycles and a pedestrian, and has boxes for the pedestrian alone."""
    found = {part.name: part for part in scripts.accuracy_sets.parts(real_data, quick=False)}
    part = found["kitti-object, points"]
    assert part.chosen == [0, 1, 2]
    seen: list[int] = []

    def nothing(frame: Any) -> Prediction:
        width, height = frame.size
        labels = np.zeros((height, width), np.uint8)
        return Prediction(0, labels, labels, dict.fromkeys(MODALITIES, 0.0))

    held = {0: part.samples[0]}
    cleared = part.score(nothing, held, lambda: seen.append(1))["scores"]["all"]["points"]
    whole = scripts.accuracy_sets.by_sensors({"all": None})(nothing, held, lambda: None)["scores"]["all"]["points"]
    assert 1000 < whole - cleared < 4000
    assert len(seen) == part.runs


def test_a_quick_run_does_not_go_on_from_a_whole_one(scripts: SimpleNamespace, tmp_path: Path) -> None:
    path, document = tmp_path / "report.json", tmp_path / "document.md"
    path.write_text('{"quick": false, "parts": {}}')
    document.write_text(DOCUMENT)
    with pytest.raises(PerceptionError, match="without --quick"):
        scripts.accuracy.main([str(tmp_path), str(path), str(document), "--quick"])
