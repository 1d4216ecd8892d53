# SPDX-License-Identifier: Apache-2.0
"""A fifth class from a network's config to a mask: nothing but helpers/five_classes.py names it."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("mmseg")

from helpers.recipes import write_small  # noqa: E402
from numpy.typing import NDArray  # noqa: E402

from perception.classes import CLASSES  # noqa: E402
from perception.cli.main import main  # noqa: E402
from perception.engines.described import classes_of  # noqa: E402
from perception.export.graph import export_openvino  # noqa: E402
from perception.frame import Frame  # noqa: E402
from perception.models.heads import classes_of_config  # noqa: E402
from perception.pipeline import Pipeline  # noqa: E402
from perception.training.train import read_network  # noqa: E402

CONFIG = Path(__file__).parent / "helpers/five_classes.py"
BICYCLE = 4


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four images of a yellow thing on a grey road under a blue sky, which one's own labels call a bicycle."""
    root, rng = tmp_path_factory.mktemp("five"), np.random.default_rng(0)
    for name in ("image", "labels"):
        (root / name).mkdir()
    for number in range(4):
        image = np.full((64, 128, 3), (200, 120, 40), np.uint8)  # BGR
        labels = np.zeros((64, 128), np.uint8)
        image[32:], labels[32:] = 90, 1
        left = 10 + 15 * number
        image[8:60, left : left + 60], labels[8:60, left : left + 60] = (0, 220, 255), BICYCLE
        noisy = np.clip(image + rng.normal(0, 6, image.shape), 0, 255).astype(np.uint8)
        cv2.imwrite(str(root / f"image/{number}.png"), noisy)
        cv2.imwrite(str(root / f"labels/{number}.png"), labels)
    return root


@pytest.fixture(scope="module")
def weights(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """On from the shipped weights, which know no bicycle."""
    run, threads = tmp_path_factory.mktemp("run"), torch.get_num_threads()
    recipe = str(write_small(run / "small.py"))
    where = f"--recipe {recipe} --data folder={folder} --init dual_branch_s -o {run}"
    how = "--iterations 20 --learning-rate 0.01 --workers 0"
    torch.set_num_threads(1)  # crops are so small that threads would wait for each other
    try:
        assert main(["train", str(CONFIG), *f"{where} {how}".split()]) == 0
    finally:
        torch.set_num_threads(threads)
    return run / "weights.safetensors"


@pytest.fixture(scope="module")
def exported(weights: Path) -> Path:
    return export_openvino(weights, weights)


def _image(folder: Path) -> NDArray[np.uint8]:
    return np.asarray(cv2.imread(str(folder / "image/1.png"))[..., ::-1], np.uint8).copy()


def test_the_head_and_the_losses_are_as_wide_as_the_classes() -> None:
    config = read_network(CONFIG)
    assert classes_of_config(config, CONFIG).names == (*CLASSES.names, "bicycle")
    assert config.model.decode_head.num_classes == 5
    assert config.model.decode_head.loss_decode.class_weight == (1.0, 1.0, 1.0, 1.2, 1.0)


def test_the_weights_say_which_classes_they_know(weights: Path, exported: Path) -> None:
    for path in (weights, exported):
        assert classes_of(path).foreground == {"road": 1, "vehicle": 2, "pedestrian": 3, "bicycle": BICYCLE}
        assert classes_of(path).palette[BICYCLE].tolist() == [255, 200, 0]


def test_a_bicycle_is_seen_through_the_pipeline(exported: Path, folder: Path) -> None:
    prediction = Pipeline.load(exported, threads=1)(Frame(0, _image(folder)))
    truth = cv2.imread(str(folder / "labels/1.png"), cv2.IMREAD_UNCHANGED)
    mask = prediction.labels == prediction.classes.foreground["bicycle"]
    assert (mask & (truth == BICYCLE)).sum() > 0.7 * (truth == BICYCLE).sum()
    assert (mask & (truth != BICYCLE)).sum() < 0.3 * (truth == BICYCLE).sum()


def test_scores_have_a_column_of_it(
    exported: Path, folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    report = tmp_path / "scores.json"
    assert main(["eval", "folder", str(folder), "--model", str(exported), "--threads", "1", "--json", str(report)]) == 0
    scores = json.loads(report.read_text())
    assert list(scores["iou"]) == ["road", "vehicle", "pedestrian", "bicycle"]
    assert scores["iou"]["bicycle"] > 0.6
    assert np.shape(scores["confusion"]) == (6, 6)
    assert "mean of the four" in capsys.readouterr().out
