# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

import pytest
from helpers.datasets.people import write_people
from helpers.models.foreign import CITY

from perception.cli.main import main
from perception.engines.foreign.description import read
from perception.errors import ModelError
from perception.training.baselines.job import write_description


@pytest.mark.parametrize(
    ("name", "package", "extra"), [("mask_rcnn", "torchvision", "maskrcnn"), ("yolov8n_seg", "ultralytics", "yolo")]
)
def test_a_library_that_is_not_there_is_named_with_its_extra(
    name: str, package: str, extra: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    if find_spec(package):
        pytest.skip(f"{package} is installed")
    data = ["--data", f"penn-fudan={write_people(tmp_path / 'people')}"]
    assert main(["train", name, *data, "-o", str(tmp_path / "out")]) == 2
    error = capsys.readouterr().err
    assert f"{name} is another library's: pip install 'multimodal_perception[{extra}]'" in error
    assert not (tmp_path / "out").exists()


def test_options_of_our_training_are_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["train", "mask_rcnn", "--data", f"penn-fudan={tmp_path}", "--recipe", "real", "--pretrain"]
    assert main(arguments) == 2
    assert "its own library, which has no --recipe and no --pretrain" in capsys.readouterr().err


def test_a_description_is_written_as_it_is_read(tmp_path: Path) -> None:
    path = tmp_path / "model.yaml"
    write_description(path, {key: value for key, value in CITY.items() if key != "format"})
    assert read(path).class_names == ("road", "car", "person")
    with pytest.raises(ModelError, match="'names' is missing"):
        write_description(path, {key: value for key, value in CITY.items() if key not in ("format", "names")})
