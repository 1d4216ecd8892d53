# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

pytest.importorskip("mmseg")

from helpers.recipes import small, write_small
from mmengine.config import Config
from mmengine.optim import OptimWrapper
from mmengine.registry import init_default_scope
from mmseg.registry import MODELS

from perception.cli.main import main
from perception.engines.weights import load_weights
from perception.errors import DataError, ModelError
from perception.models import Batch
from perception.training.data.sources import open_mixture
from perception.training.pretraining.pretrain import (
    Reconstructor,
    hide,
    local_contrast,
    pretrain,
    reconstruction_losses,
)
from perception.training.train import Options, train

LIDAR = slice(6, 10)


@pytest.fixture
def config(small_config: Callable[[str], Config]) -> Config:
    return small_config("dual_branch_s")


@pytest.fixture
def thermal(tmp_path: Path) -> Path:
    """Two aligned pairs without labels."""
    rng = np.random.default_rng(0)
    for name in "ab":
        for folder, shape in (("visible", (64, 96, 3)), ("infrared", (64, 96))):
            path = tmp_path / "thermal" / folder / f"{name}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            cv2.imwrite(str(path), rng.integers(0, 256, shape, np.uint8))
    return tmp_path / "thermal"


def _batch() -> Batch:
    """Two frames with every sensor; the LiDAR and the depth camera measure in every other column."""
    generator = torch.Generator().manual_seed(0)
    rgb = torch.randint(0, 256, (2, 3, 64, 64), generator=generator).float()
    aux = torch.randint(1, 256, (2, 10, 32, 32), generator=generator).float()
    aux[:, [2, 5, 9]] = 255.0
    aux[:, [0, 1, 2, 6, 7, 8, 9], :, ::2] = 0.0
    return Batch(rgb, aux, torch.ones(2, 4))


def _left() -> torch.Tensor:
    """The left half of both frames."""
    return torch.tensor([[True, False], [True, False]]).expand(2, 1, 2, 2)


def _reconstructor(config: Config) -> Reconstructor:
    init_default_scope("mmseg")
    torch.manual_seed(0)
    return Reconstructor(**{key: value for key, value in config.model.items() if key != "type"})


def _gradients(batch: Batch) -> tuple[dict[str, torch.Tensor], torch.Tensor, torch.Tensor]:
    rgb, aux = torch.zeros_like(batch.rgb).requires_grad_(), torch.zeros_like(batch.aux).requires_grad_()
    losses = reconstruction_losses(rgb, aux, batch, _left(), _left())
    sum(losses.values()).backward()
    return losses, rgb.grad, aux.grad


def test_what_is_hidden_is_gone_and_nothing_else() -> None:
    batch = _batch()
    seen = hide(batch, _left(), ~_left())
    assert (seen.rgb[..., :32] == 0.42 * 255).all()
    torch.testing.assert_close(seen.rgb[..., 32:], batch.rgb[..., 32:])
    torch.testing.assert_close(seen.aux[..., :16], batch.aux[..., :16])
    assert not seen.aux[..., 16:].any()
    assert seen.present is batch.present


def test_only_what_is_hidden_and_measured_counts() -> None:
    losses, rgb, aux = _gradients(_batch())
    assert all(loss > 0 for loss in losses.values())
    assert rgb[..., :32].any()
    assert not rgb[..., 32:].any()
    assert not aux[..., 16:].any()
    assert aux[:, :, :, 1:16:2].all()
    empty = aux[..., :16:2]
    assert empty[:, [2, 3, 4, 5, 9]].all()  # that there is nothing is learnt, and infrared is everywhere
    assert not empty[:, [0, 1, 6, 7, 8]].any()


def test_depth_without_a_camera_teaches_no_height() -> None:
    batch = _batch()
    batch.aux[:, 1] = 0
    aux = _gradients(batch)[2]
    assert not aux[:, 1].any()
    assert aux[:, 0].any()


def test_an_absent_sensor_contributes_nothing() -> None:
    batch = _batch()
    whole = _gradients(batch)[0]
    losses, _, aux = _gradients(batch._replace(present=torch.tensor([[1.0, 1, 1, 0]] * 2)))
    assert losses["loss_lidar"] == losses["loss_lidar_valid"] == 0
    assert not aux[:, LIDAR].any()
    torch.testing.assert_close(losses["loss_rgb"], whole["loss_rgb"])
    torch.testing.assert_close(losses["loss_depth"], whole["loss_depth"])
    losses, rgb, _ = _gradients(batch._replace(present=torch.tensor([[0.0, 1, 1, 1]] * 2)))
    assert losses["loss_rgb"] == 0
    assert not rgb.any()


def test_a_perfect_guess_costs_nothing() -> None:
    batch = _batch()
    aux = batch.aux / 255
    aux[:, [2, 5, 9]] = 200 * aux[:, [2, 5, 9]] - 100  # logits
    losses = reconstruction_losses(local_contrast(batch.rgb), aux, batch, _left(), _left())
    assert all(loss < 1e-6 for loss in losses.values())


def test_local_contrast_knows_no_exposure() -> None:
    rgb = _batch().rgb
    torch.testing.assert_close(local_contrast(0.5 * rgb + 20), local_contrast(rgb), atol=1e-4, rtol=0)
    assert not local_contrast(torch.full((1, 3, 64, 64), 90.0)).abs().gt(1e-3).any()


def test_every_batch_hides_something_else_and_the_seed_says_what(config: Config) -> None:
    first, again = (_reconstructor(config) for _ in range(2))
    drawn = [torch.stack(first.draw(_batch())) for _ in range(8)]
    assert len({tuple(d.flatten().tolist()) for d in drawn}) > 4
    assert 0.2 < torch.stack(drawn).float().mean() < 0.8
    assert all(torch.equal(d, torch.stack(again.draw(_batch()))) for d in drawn)


def test_the_loss_falls(config: Config) -> None:
    model, batch = _reconstructor(config), _batch()
    model.hidden = 0.9
    optimiser = OptimWrapper(torch.optim.AdamW(model.parameters(), 3e-3))
    smooth = torch.nn.functional.interpolate(batch.rgb, scale_factor=1 / 16)
    smooth = torch.nn.functional.interpolate(smooth, scale_factor=16, mode="bilinear")
    data = dict(rgb=smooth.byte(), aux=batch.aux.byte(), present=batch.present)
    losses = [model.train_step(data, optimiser)["loss"].item() for _ in range(25)]
    assert np.mean(losses[-5:]) < 0.75 * np.mean(losses[:3])


def test_frames_without_labels_are_taken_on_demand(config: Config, camvid: Path, thermal: Path) -> None:
    data = [("camvid", camvid), ("roadscene", thermal)]
    with pytest.raises(DataError, match="no labelled sample"):
        open_mixture(small(), data, 8, 0, lambda _: None)
    crops = open_mixture(small(), data, 8, 0, lambda _: None, labelled=False)
    assert [len(source.samples) for source in crops.sources] == [3, 2]
    assert all((crops[i]["labels"] == 255).all() for i in range(8))


def test_the_weights_are_those_of_the_plain_network(
    config: Config, camvid: Path, thermal: Path, tmp_path: Path
) -> None:
    config.dump(tmp_path / "small.py")
    recipe = write_small(tmp_path / "recipe.py")
    run = [
        str(tmp_path / "small.py"),
        "--recipe",
        str(recipe),
        "--iterations",
        "2",
        "--workers",
        "0",
        "-o",
        str(tmp_path / "run"),
    ]
    assert main(["train", *run, "--pretrain", "--data", f"roadscene={thermal}", "--data", f"camvid={camvid}"]) == 0
    weights = tmp_path / "run/weights.safetensors"
    state, model = load_weights(weights)
    assert model == json.loads(json.dumps(config.model.to_dict()))
    plain = MODELS.build(config.model)
    assert state.keys() == plain.state_dict().keys()
    options = Options([("camvid", camvid)], tmp_path / "fine", iterations=1, workers=0, init=weights)
    assert train(config, small(), options, lambda _: None).is_file()
    again = Options([("roadscene", thermal)], tmp_path / "again", iterations=1, workers=0, init=weights)
    assert pretrain(config, small(), again, lambda _: None).is_file()


def test_a_resumed_run_ends_where_an_unbroken_one_does(
    config: Config, thermal: Path, tmp_path: Path, stopped_at: Callable[[int], AbstractContextManager[None]]
) -> None:
    whole, broken = (
        Options([("roadscene", thermal)], tmp_path / name, iterations=4, workers=0, save_interval=2)
        for name in ("whole", "broken")
    )
    expected, _ = load_weights(pretrain(config, small(), whole, lambda _: None))
    with stopped_at(4):
        pretrain(config, small(), broken, lambda _: None)
    resumed = Options([("roadscene", thermal)], tmp_path / "broken", iterations=4, workers=0, resume=True)
    got, _ = load_weights(pretrain(config, small(), resumed, lambda _: None))
    for name, tensor in expected.items():
        torch.testing.assert_close(got[name], tensor, msg=name)


def test_what_cannot_be_is_said(config: Config, thermal: Path, tmp_path: Path) -> None:
    taught = Options([("roadscene", thermal)], tmp_path, teachers=[tmp_path / "large.safetensors"])
    with pytest.raises(ModelError, match="--teacher"):
        pretrain(config, small(), taught)
    config.model.decode_head.type = "FCNHead"
    with pytest.raises(ModelError, match="LightFPNHead"):
        pretrain(config, small(), Options([("roadscene", thermal)], tmp_path))
