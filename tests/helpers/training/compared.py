# SPDX-License-Identifier: Apache-2.0
"""What `perception compare` takes, so small that all of it is over in seconds: two networks, three sets, a recipe."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np

if TYPE_CHECKING:
    from perception.comparing.report import CompareReport, Row

_SLIM = (
    'dict(type="SlimResNet", {0}stem={1}, channels=(8, 8, 8, 8), hidden=((4,), (4,), (4,), (4,)), wide=(0, 0, 0, 0))'
)
_CAMERA = f'dict(type="RgbEncoder", backbone={_SLIM.format("", "(4, 8)")})'
_DUAL = (
    f'dict(type="DualBranchEncoder", rgb={_SLIM.format("", "(4, 8)")}, '
    'aux_stem=dict(type="AuxStem", modalities=dict(depth=3, infrared=3, lidar=4), channels=8, stride=2), '
    f'aux={_SLIM.format("in_channels=8, ", "()")}, fusion=dict(type="AddFusion"), '
    "rgb_channels=(8, 8, 8, 8), aux_channels=(8, 8, 8, 8))"
)
_CONFIG = """\
model = dict(
    type="EncoderDecoder", data_preprocessor=dict(type="FusionPreprocessor"), backbone={0},
    decode_head=dict(
        type="LightFPNHead", in_channels=(8, 8, 8, 8), in_index=(0, 1, 2, 3), width=8, channels=8, dropout_ratio=0.0,
        num_classes=4, align_corners=False, loss_decode=dict(type="WeightedCrossEntropy", class_weight=(1.0,) * 4),
    ),
    test_cfg=dict(mode="whole"),
)
train = dict(optimizer="Adam", learning_rate={1})
"""


def write_networks(folder: Path) -> tuple[Path, Path]:
    """The configs of a network of the camera alone, and of one with two branches."""
    paths = folder / "lone.py", folder / "twin.py"
    for path, backbone, rate in zip(paths, (_CAMERA, _DUAL), (0.01, 0.002), strict=True):
        path.write_text(_CONFIG.format(backbone, rate))
    return paths


def write_data(folder: Path) -> list[str]:
    """NAME=ROOT of camvid, of a KITTI drive of ten frames whose val are two, and of thermal pairs whose val is one."""
    labels = np.repeat(np.array([0, 3], np.uint8), 32)[:, None].repeat(96, 1)
    labels[30:40, 10:20], labels[30:40, 50:60] = 8, 9
    image = _coloured(labels)
    for split, count in (("train", 3), ("val", 2)):
        for number in range(count):
            _write(folder / f"camvid/{split}/{number}.png", image)
            _write(folder / f"camvid/{split}annot/{number}.png", labels)
    soft = np.zeros((*labels.shape, 4), np.uint8)
    soft[..., 0], soft[..., 1] = 255 * (labels == 0), 255 * (labels != 0)
    for number in range(10):
        moved = np.roll(image, number, axis=1)
        _write(folder / f"kitti/drive/image_2/{number:06d}.png", moved)
        _write(folder / f"kitti/drive/soft_label/{number:06d}.png", soft)
    for number in range(5):
        _write(folder / f"pairs/visible/{number}.png", image)
        _write(folder / f"pairs/infrared/{number}.png", image[..., 1])
        _write(folder / f"pairs/soft_label/{number}.png", soft)
    sets = {"camvid": "camvid", "kitti-frames": "kitti/drive", "roadscene": "pairs"}
    return [f"{name}={folder / root}" for name, root in sets.items()]


def _coloured(labels: np.ndarray) -> np.ndarray:
    """BGR, a colour for each label, with noise to tell one place from another."""
    noise = np.random.default_rng(0).integers(0, 40, (*labels.shape, 1))
    colours = {0: (230, 120, 60), 3: (90, 90, 90), 8: (20, 20, 200), 9: (20, 200, 20)}
    plain = np.zeros((*labels.shape, 3), np.int64)
    for label, colour in colours.items():
        plain[labels == label] = colour
    return np.clip(plain + noise, 0, 255).astype(np.uint8)


def _write(path: Path, image: np.ndarray) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    assert cv2.imwrite(str(path), image)


def row(iou: float = 0.5, ratio: float = 1.0, sees: tuple[str, ...] = ("rgb",), **changes: Any) -> Row:
    """A network that has been trained for 9 iterations, scored on `camvid` and timed; one of more sensors is 0.05
    better with them."""
    from perception.comparing.report import Row, Scored, SetScore, Timing, Training

    training = Training(
        budget="9it", iterations=9, seconds_per_step=None, learning_rate=0.01, optimizer="SGD", crop=[64, 64],
        batch_size=2, recipe="scratch", resolution=1.0, seed=0, data=["camvid"],
    )  # fmt: skip
    timing = Timing(median_ms=10 * ratio, p95_ms=11 * ratio, ratio=ratio, rounds=30, threads=2, cpu="c", run="r")
    score = SetScore(
        scored=Scored(part="val", of=2, frames=2, real=True, resolution=1.0),
        at="pixels",
        soft_frames=0,
        iou={"road": iou + 0.1, "vehicle": iou, "pedestrian": iou - 0.1},
        mean_iou=iou,
        calibration_error=0.02,
        subsets={"camera": iou - 0.05, "+lidar": iou, "all": iou} if len(sees) > 1 else {},
    )
    given = dict(
        weights_sha256="0" * 64, training=training, sensors=list(sees), parameters=1_230_000, gmac=4.56, timing=timing,
        sets={"camvid": score},
    )  # fmt: skip
    return Row(**{**given, **changes})


def report(**networks: Row) -> CompareReport:
    """Of these networks, on `camvid`."""
    from perception.comparing.report import CompareReport, Scored, summarise

    sets = {"camvid": Scored(part="val", of=2, frames=2, real=True, resolution=1.0)}
    made = CompareReport(sets=sets, image=[384, 1248], reference="pidnet_s", reference_ms=10.0, networks=networks)
    summarise(made)
    return made


def as_json(path: Path) -> dict[str, Any]:
    """The file's content."""
    return dict(json.loads(path.read_text("utf-8")))
