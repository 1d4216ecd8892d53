# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("torchvision")
pytest.importorskip("onnxruntime")

from helpers.datasets.people import write_people  # noqa: E402

from perception import Pipeline  # noqa: E402
from perception.classes import PEDESTRIAN, UNLABELLED  # noqa: E402
from perception.cli.main import main  # noqa: E402
from perception.datasets.penn_fudan import PennFudan  # noqa: E402
from perception.errors import ModelError  # noqa: E402
from perception.training.baselines import mask_rcnn  # noqa: E402
from perception.training.baselines.mask_rcnn import _share_of_rate, build  # noqa: E402


def test_it_is_trained_and_runs_as_any_model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mask_rcnn, "SIDES", (64, 128))  # its usual size takes half a minute
    people, out = write_people(tmp_path / "people"), tmp_path / "out"
    train = ["train", "mask_rcnn", "--data", f"penn-fudan={people}", "-o", str(out)]
    assert main([*train, "--iterations", "1", "--batch-size", "1"]) == 0
    assert {path.name for path in out.iterdir()} == {"model.onnx", "model.yaml", "weights.pth", "SHA256SUMS"}
    # Untrained, it is sure of nothing: shown is what it is least unsure of.
    text = (out / "model.yaml").read_text("utf-8")
    (out / "model.yaml").write_text(text + "threshold: 0.02\n", "utf-8")
    pipeline = Pipeline.load(out / "model.onnx", threads=1)
    task = pipeline.infer(pipeline.prepare(PennFudan(people)[0].frame))
    assert task.network_input is not None
    assert task.output is not None
    model = build(1, out / "weights.pth").eval()
    with torch.inference_mode():
        (own,) = model([torch.from_numpy(task.network_input.rgb.transpose(2, 0, 1)).float() / 255])
    sure = own["scores"] >= 0.02
    expected = (own["masks"][sure] > 0.5).any(0)[0].numpy()
    assert expected.any()
    assert np.mean((task.output.labels == PEDESTRIAN) == expected) > 0.99
    prediction = pipeline.decode(task)
    assert set(np.unique(prediction.labels)) <= {PEDESTRIAN, UNLABELLED}
    assert prediction.instances is not None
    assert prediction.instances.any()
    assert main(["eval", "penn-fudan", str(people), "--model", str(out / "model.onnx"), "--threads", "1"]) == 0


def test_weights_that_are_not_there_are_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data = ["--data", f"penn-fudan={write_people(tmp_path / 'people')}", "--init", str(tmp_path / "none.pth")]
    assert main(["train", "mask_rcnn", *data, "-o", str(tmp_path / "out")]) == 2
    assert "none.pth: no such weights file" in capsys.readouterr().err


def test_weights_that_are_given_are_taken_where_they_fit(tmp_path: Path) -> None:
    state = build(90, None).state_dict()
    path = tmp_path / "coco.pth"
    torch.save(state, path)
    model = build(2, path)
    name = "backbone.body.layer1.0.conv1.weight"
    torch.testing.assert_close(model.state_dict()[name], state[name])
    assert model.roi_heads.box_predictor.cls_score.out_features == 3
    torch.save({"x": torch.zeros(1)}, path)
    with pytest.raises(ModelError, match="no weights of torchvision's Mask R-CNN"):
        build(2, path)
    path.write_bytes(b"nothing")
    with pytest.raises(ModelError, match=r"coco\.pth: not a state of torchvision's network"):
        build(2, path)


def test_the_rate_rises_and_falls() -> None:
    shares = [_share_of_rate(number, 100) for number in range(100)]
    assert shares[0] == pytest.approx(0.1)
    assert shares[9] == shares[50] == 1
    assert shares[99] == pytest.approx(0.1)
