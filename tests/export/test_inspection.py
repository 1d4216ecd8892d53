# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from helpers.datasets.people import write_people
from helpers.models.foreign import CITY, copying, describe, saying

from perception.errors import DataError, ModelError
from perception.export.inspection import inspect

pytest.importorskip("onnxruntime")


@pytest.fixture(scope="module")
def people(tmp_path_factory: pytest.TempPathFactory) -> list[tuple[str, Path]]:
    return [("penn-fudan", write_people(tmp_path_factory.mktemp("people")))]


def test_a_described_file(people: list[tuple[str, Path]], tmp_path: Path) -> None:
    report = inspect(describe(copying(tmp_path / "any.onnx"), CITY), people, 1)
    assert report.described_by == "model.yaml"
    assert [(port.name, port.shape, port.dtype) for port in report.inputs] == [("image", [1, 3, None, None], "float32")]
    assert report.normalisation == {"image": "(red, green, blue) · 0.00392157 - 0, / 1"}
    assert report.sensors == {"rgb": ["red", "green", "blue"]}
    assert report.classes == {
        "background": [],
        "road": ["road"],
        "vehicle": ["car"],
        "pedestrian": ["person"],
        "unlabelled": [],
    }
    (run,) = report.runs
    assert (run.frame, run.things, run.agreement) == ("penn-fudan 004", None, 1)
    assert sum(run.labels.values()) == pytest.approx(1)
    assert run.labels["road"] > 0.1
    assert report.remarks == []
    assert report.other_engine is not None
    assert report.other_engine.startswith("openvino")
    assert report.milliseconds > 0


def test_a_file_of_ours(people: list[tuple[str, Path]], exported: Path, exported_onnx: Path) -> None:
    report = inspect(exported_onnx, people, 1)
    assert report.described_by == "perception export"
    assert list(report.sensors) == ["rgb", "depth", "infrared", "lidar"]
    assert report.classes["vehicle"] == ["vehicle"]
    assert report.runs[0].agreement is not None
    alone = inspect(exported, people, 1)
    assert len({port.name for port in alone.outputs}) == 3


def test_what_it_never_says_and_what_looks_wrong_is_said(people: list[tuple[str, Path]], tmp_path: Path) -> None:
    said = {"ids": np.zeros((1, 64, 96), np.int64)}
    content = {**CITY, "outputs": {"kind": "labels", "labels": "ids"}, "names": ["road", "sky"], "others": "background"}
    report = inspect(describe(saying(tmp_path / "any.onnx", said), content), people, 1)
    assert [remark.split(":")[0] for remark in report.remarks] == [
        "it never says vehicle",
        "it never says pedestrian",
        "nothing but road on penn-fudan 004",
    ]


def test_two_libraries_that_disagree_are_an_error(people: list[tuple[str, Path]], tmp_path: Path) -> None:
    describe(copying(tmp_path / "any.onnx"), CITY)
    import openvino

    model = openvino.Core().read_model(tmp_path / "any.onnx")
    openvino.save_model(model, tmp_path / "any.xml")
    copying(tmp_path / "any.onnx", gain=-20)  # another network under the same name
    with pytest.raises(ModelError, match="of the pixels the same label, at least 98% are needed"):
        inspect(tmp_path / "any.xml", people, 1)


def test_what_cannot_be_used_is_said(people: list[tuple[str, Path]], tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"its inputs are image; another's needs a model\.yaml beside it"):
        inspect(copying(tmp_path / "any.onnx"), people, 1)
    describe(tmp_path / "any.onnx", {**CITY, "names": ["road", "car"]})
    with pytest.raises(ModelError, match=r"model\.yaml: scores: the output is"):
        inspect(tmp_path / "any.onnx", people, 1)
    with pytest.raises(ModelError, match=r"any\.pt: expected a \.onnx or \.xml file"):
        inspect(tmp_path / "any.pt", people, 1)
    with pytest.raises(ModelError, match=r"none\.onnx: no such engine file"):
        inspect(tmp_path / "none.onnx", people, 1)
    with pytest.raises(DataError, match="no such folder"):
        inspect(describe(copying(tmp_path / "any.onnx"), CITY), [("penn-fudan", tmp_path / "none")], 1)
