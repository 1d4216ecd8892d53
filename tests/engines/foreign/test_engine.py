# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from helpers.models.foreign import CITY, PLAIN, copying, describe, saying, stripes

from perception.classes import PEDESTRIAN, ROAD, UNLABELLED, VEHICLE
from perception.engines import find_model, load_engine
from perception.engines.foreign.engine import ForeignEngine
from perception.errors import FrameError, ModelError
from perception.frame import Frame
from perception.pipeline import Pipeline
from perception.sensors import NetworkInput

onnxruntime = pytest.importorskip("onnxruntime")


def _frame(**sensors: Any) -> Frame:
    return Frame(**{"stamp_ns": 0, "rgb": stripes(), **sensors})


def _as_openvino(onnx: Path) -> Path:
    import openvino

    path = onnx.with_suffix(".xml")
    openvino.save_model(openvino.Core().read_model(onnx), path, compress_to_fp16=False)
    return path


@pytest.mark.parametrize("size", [(1, 3, "h", "w"), (1, 3, 64, 96), (1, 3, 100, 50)])
def test_a_described_file_runs_as_any_model(size: Any, tmp_path: Path) -> None:
    onnx = describe(copying(tmp_path / "model.onnx", size), CITY)
    by = {}
    for path in (onnx, _as_openvino(onnx)):
        pipeline = Pipeline.load(path, threads=1)
        assert "model.yaml" in pipeline.engine.name
        prediction = by[path.suffix] = pipeline(_frame())
        assert prediction.labels.shape == (64, 96)
        assert [prediction.labels[30, column] for column in (10, 48, 85)] == [ROAD, VEHICLE, PEDESTRIAN]
        assert prediction.confidence[30, 48] == 255
        assert prediction.modality_weights == {"rgb": 1.0}
        assert prediction.instances is None
    assert (by[".onnx"].labels == by[".xml"].labels).mean() > 0.999


def test_the_model_is_found_by_the_usual_name(tmp_path: Path) -> None:
    onnx = describe(copying(tmp_path / "mine.onnx"), CITY)
    assert find_model(tmp_path / "mine", "auto") == ("onnxruntime", onnx)
    assert isinstance(load_engine("onnxruntime", onnx, 1), ForeignEngine)


def test_things_of_a_file_are_the_prediction_s(tmp_path: Path) -> None:
    masks = np.zeros((2, 1, 384, 576), np.float32)
    masks[0, ..., :200] = masks[1, ..., 300:] = 1
    said = {"ids": np.array([1, 3]), "sure": np.array([0.9, 0.8], np.float32), "masks": masks}
    parts = {"kind": "masks", "labels": "ids", "scores": "sure", "masks": "masks"}
    path = saying(tmp_path / "model.onnx", said, (3, 384, 576))
    content = {**CITY, "layout": "CHW", "outputs": parts, "names": "coco-91", "others": "background"}
    prediction = Pipeline.load(describe(path, content), threads=1)(_frame())
    assert prediction.instances is not None
    assert [prediction.instances[9, column] for column in (5, 40, 90)] == [3001, 0, 2001]
    assert [prediction.labels[9, column] for column in (5, 40, 90)] == [PEDESTRIAN, UNLABELLED, VEHICLE]


INFRARED = {"channels": ["red", "green", "infrared intensity"], "scale": "1/255", "mean": [0] * 3, "std": [1] * 3}


def test_a_frame_without_a_sensor_that_the_file_takes_is_refused(tmp_path: Path) -> None:
    path = describe(copying(tmp_path / "model.onnx"), {**CITY, "inputs": {"image": INFRARED}})
    pipeline = Pipeline.load(path, threads=1)
    assert pipeline.sensors == ("rgb", "infrared")
    pipeline.warm_up(96, 64)
    warm = np.zeros((64, 96), np.uint8)
    warm[:32] = np.linspace(200, 255, 96)
    prediction = pipeline(_frame(infrared=warm))
    assert prediction.labels[5, 90] == PEDESTRIAN
    assert prediction.labels[60, 5] == ROAD
    assert prediction.modality_weights == {"rgb": 0.5, "infrared": 0.5}
    with pytest.raises(FrameError, match="a frame of rgb: the network model needs rgb and infrared"):
        pipeline(_frame())
    dull = pipeline(_frame(infrared=np.full((64, 96), 9, np.uint8)))
    assert (dull.labels == UNLABELLED).all()
    assert not any(dull.modality_weights.values())


def test_the_camera_s_alone_refuses_a_frame_without_it(tmp_path: Path) -> None:
    pipeline = Pipeline.load(describe(copying(tmp_path / "model.onnx"), CITY), threads=1)
    with pytest.raises(FrameError, match="a frame of infrared: the network model sees rgb alone"):
        pipeline(_frame(rgb=None, infrared=stripes()[..., 0]))


@pytest.mark.parametrize(
    ("sides", "kind", "changed", "word"),
    [
        (
            (1, 3, 64, 96),
            "FLOAT",
            {"inputs": {"images": PLAIN}},
            "the file has no input 'images'; did you mean 'image'",
        ),
        ((1, 3, 64, 96), "FLOAT", {"outputs": {"kind": "logits", "scores": "out"}}, "the file has no output 'out'"),
        ((1, 3, 64, 96), "FLOAT", {"layout": "NHWC"}, "the file takes 1×3×64×96, 3 channels in NHWC"),
        ((1, 3, 64, 96), "FLOAT", {"layout": "CHW"}, "the file takes 1×3×64×96, the layout is CHW"),
        ((1, 4, 64, 96), "FLOAT", {}, "the file takes 1×4×64×96, 3 channels in NCHW"),
        ((8, 3, 64, 96), "FLOAT", {}, "the file takes 8 images at once; export it for one"),
        ((1, 3, 64, 96), "FLOAT", {"size": [64, 64]}, "the file takes 1×3×64×96, size is 64, 64"),
        ((1, 3, 64, "w"), "FLOAT", {}, r"the file takes 1×3×64×\?: say size"),
        ((1, 3, 64, 96), "INT64", {}, "the file takes int64, which no image is"),
    ],
)
def test_a_file_that_its_description_contradicts_is_refused(
    sides: Any, kind: str, changed: Any, word: str, tmp_path: Path
) -> None:
    path = describe(copying(tmp_path / "model.onnx", sides, kind, 2), {**CITY, **changed})
    with pytest.raises(ModelError, match=f"model.yaml: .*{word}"):
        load_engine("onnxruntime", path, 1)


def test_what_the_network_says_amiss_is_named_with_the_description(tmp_path: Path) -> None:
    path = describe(copying(tmp_path / "model.onnx"), {**CITY, "names": ["road", "car"]})
    engine = load_engine("onnxruntime", path, 1)
    given = NetworkInput(stripes(), np.zeros((32, 48, 0), np.uint8), np.ones(1, np.float32))
    with pytest.raises(ModelError, match=rf"{tmp_path / 'model.yaml'}: scores: the output is 1×3×64×96"):
        engine.infer(given)


def test_another_description_is_another_engine_to_people(tmp_path: Path) -> None:
    path = describe(copying(tmp_path / "model.onnx"), CITY)
    first = load_engine("onnxruntime", path, 1).name
    describe(path, {**CITY, "threshold": 0.4})
    assert load_engine("onnxruntime", path, 1).name != first


def test_tensorrt_takes_our_files_alone(tmp_path: Path) -> None:
    path = describe(copying(tmp_path / "model.onnx"), CITY)
    with pytest.raises(ModelError, match="engine tensorrt: takes files of `perception export` alone"):
        load_engine("tensorrt", path, 1)
