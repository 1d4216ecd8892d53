# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

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
from perception.errors import ModelError
from perception.models import Batch
from perception.training.pretraining.contrast import Contraster, info_nce, measured, one_side
from perception.training.pretraining.pretrain import pretrain
from perception.training.train import Options, train


@pytest.fixture
def config(small_config: Callable[[str], Config]) -> Config:
    return small_config("dual_branch_s")


def _batch() -> Batch:
    """Three crops of 2 × 2 patches: every sensor, the camera alone, and the LiDAR alone, which measured at the left."""
    aux = torch.full((3, 10, 32, 32), 100.0)
    aux[:, 9] = 0
    aux[:, 9, :, :16] = 255
    aux[1:, :6] = 0
    aux[1] = 0
    present = torch.tensor([[1.0, 1, 1, 1], [1, 0, 0, 0], [0, 0, 0, 1]])
    rgb = torch.rand(3, 3, 64, 64, generator=torch.Generator().manual_seed(0)) * 255
    return Batch(rgb * present[:, :1, None, None], aux, present)


def test_the_loss_of_embeddings_made_by_hand() -> None:
    # Four places whose embeddings are orthogonal: −log(e / (e + 3)); the lengths do not matter.
    places = torch.eye(4).reshape(1, 4, 2, 2)
    everywhere = torch.ones(1, 1, 2, 2, dtype=torch.bool)
    assert info_nce(5 * places, 2 * places, everywhere, 1.0).item() == pytest.approx(0.7436684)
    # At half the temperature −log(e² / (e² + 3)).
    assert info_nce(places, places, everywhere, 0.5).item() == pytest.approx(0.3407530)
    # The first two places changed: −log(1 / (e + 3)) there; alone and with the others.
    changed = places[:, [1, 0, 2, 3]]
    first = torch.tensor([[[[True, True], [False, False]]]])
    assert info_nce(places, changed, first, 1.0).item() == pytest.approx(1.7436684)
    assert info_nce(places, changed, everywhere, 1.0).item() == pytest.approx(1.2436684)
    assert info_nce(places, changed, ~everywhere, 1.0).item() == 0


def test_another_crop_is_not_compared_with() -> None:
    places = torch.eye(4).reshape(1, 4, 2, 2)
    twice = places.expand(2, -1, -1, -1)
    assert info_nce(twice, twice, torch.ones(2, 1, 2, 2), 1.0).item() == pytest.approx(0.7436684)


def test_a_side_is_the_camera_or_everything_else() -> None:
    batch = _batch()
    camera = one_side(batch, torch.tensor([True, False, True]))
    assert camera.present.tolist() == [[1, 0, 0, 0], [1, 0, 0, 0], [0, 0, 0, 1]]
    assert not camera.aux[0].any()
    torch.testing.assert_close(camera.rgb, batch.rgb)
    torch.testing.assert_close(camera.aux[2], batch.aux[2])
    others = one_side(batch, torch.tensor([False, False, True]))
    assert others.present.tolist() == [[0, 1, 1, 1], [1, 0, 0, 0], [0, 0, 0, 1]]
    assert not others.rgb[0].any()
    torch.testing.assert_close(others.aux, batch.aux)


def test_places_without_any_measurement_do_not_count() -> None:
    found = measured(_batch())
    assert found[:2].all()
    assert found[2, 0].tolist() == [[True, False], [True, False]]


def test_the_loss_falls(config: Config) -> None:
    init_default_scope("mmseg")
    torch.manual_seed(0)
    model = Contraster(**{key: value for key, value in config.model.items() if key != "type"})
    optimiser = OptimWrapper(torch.optim.AdamW(model.parameters(), 3e-3))
    generator = torch.Generator().manual_seed(0)
    rgb = torch.randint(0, 256, (2, 3, 128, 128), generator=generator, dtype=torch.uint8)
    aux = torch.randint(1, 256, (2, 10, 64, 64), generator=generator, dtype=torch.uint8)
    data = dict(rgb=rgb, aux=aux, present=torch.ones(2, 4))
    losses = [model.train_step(data, optimiser)["loss"].item() for _ in range(20)]
    assert sum(losses[-3:]) < 0.8 * sum(losses[:3])


def test_the_weights_are_those_of_the_plain_network_and_start_another_run(
    config: Config, camvid: Path, thermal: Path, tmp_path: Path
) -> None:
    config.dump(tmp_path / "small.py")
    recipe = write_small(tmp_path / "recipe.py")
    run = ["train", f"{tmp_path / 'small.py'}", "--recipe", f"{recipe}", "--iterations", "2", "--workers", "0"]
    data = ["--data", f"roadscene={thermal}", "--data", f"camvid={camvid}"]
    assert main([*run, "--pretrain", "contrastive", *data, "-o", f"{tmp_path / 'run'}"]) == 0
    weights = tmp_path / "run/weights.safetensors"
    assert load_weights(weights)[0].keys() == MODELS.build(config.model).state_dict().keys()
    options = Options([("camvid", camvid)], tmp_path / "fine", iterations=1, workers=0, init=weights)
    assert train(config, small(), options, lambda _: None).is_file()
    # What was learnt in one way does not go on in the other.
    resumed = Options([("roadscene", thermal), ("camvid", camvid)], tmp_path / "run", 3, workers=0, resume=True)
    with pytest.raises(ModelError, match='pretrain was "contrastive", is "masked"'):
        pretrain(config, small(), resumed)
