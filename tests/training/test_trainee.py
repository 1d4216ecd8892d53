# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

pytest.importorskip("mmseg")

from helpers.networks import batch_of, weights_file
from helpers.recipes import small
from mmengine.config import Config
from mmengine.registry import init_default_scope
from mmseg.registry import MODELS

from perception.engines.weights import build_model, load_weights, save_weights
from perception.errors import ModelError
from perception.frame import MODALITIES, Frame
from perception.models import Batch
from perception.models.custom import read_config
from perception.models.networks import find_network
from perception.paths import config_path
from perception.sample import Sample
from perception.training.data.mixture import Mixture, Source
from perception.training.train import Options, train
from perception.training.trainee import Supervision, Trainee, keep


@pytest.fixture
def config(small_config: Callable[[str], Config]) -> Config:
    return small_config("dual_branch_s")


def _data() -> dict[str, torch.Tensor]:
    generator = torch.Generator().manual_seed(0)
    return dict(
        rgb=torch.randint(0, 256, (2, 3, 64, 64), generator=generator, dtype=torch.uint8),
        aux=torch.randint(0, 256, (2, 10, 32, 32), generator=generator, dtype=torch.uint8),
        present=torch.ones(2, len(MODALITIES)),
        labels=torch.randint(0, 4, (2, 64, 64), generator=generator, dtype=torch.uint8),
    )


def _trainee(config: Config, **supervision: object) -> Trainee:
    init_default_scope("mmseg")
    torch.manual_seed(0)
    model = {key: value for key, value in config.model.items() if key != "type"}
    return Trainee(Supervision(**supervision), **model).eval()


def test_learns_class_ids_as_the_plain_segmentor_does(config: Config) -> None:
    trainee = _trainee(config)
    plain = MODELS.build(config.model)
    plain.load_state_dict(trainee.state_dict())  # the same names
    plain.eval()
    data = _data()
    expected = plain(**plain.data_preprocessor(dict(data), True), mode="loss")["decode.loss_ce"]
    losses = trainee.learn(data)
    assert set(losses) == {"loss_ce"}
    torch.testing.assert_close(losses["loss_ce"], expected)


@pytest.mark.parametrize("frozen", [False, True])
def test_frozen_statistics_stay_while_weights_learn(config: Config, frozen: bool) -> None:
    trainee = _trainee(config, frozen_statistics=frozen).train()
    norm = next(module for module in trainee.modules() if isinstance(module, torch.nn.BatchNorm2d))
    before = norm.running_mean.clone()
    sum(trainee.learn(_data()).values()).backward()
    assert torch.equal(norm.running_mean, before) == frozen
    assert norm.weight.grad is not None
    assert norm.weight.grad.any()


def test_soft_and_hard_pixels_weigh_by_their_number(config: Config) -> None:
    trainee, data = _trainee(config), _data()
    alone = trainee.learn(data)["loss_ce"]
    data["labels"][0] = 255
    half = trainee.learn(data)["loss_ce"]
    soft = torch.zeros(2, 4, 32, 32, dtype=torch.uint8)
    soft[0, 1] = 255
    both = trainee.learn({**data, "soft": soft})
    torch.testing.assert_close(both["loss_ce"], half / 2)
    assert both["loss_soft"] > 0
    nothing = trainee.learn({**_data(), "soft": torch.zeros_like(soft)})
    torch.testing.assert_close(nothing["loss_ce"], alone)
    assert nothing["loss_soft"] == 0


def test_a_teacher_sees_what_the_student_does_not(config: Config) -> None:
    teacher = _trainee(config)
    trainee = _trainee(config, teachers=[teacher.requires_grad_(False)], temperature=2.0)
    data = _data()
    whole = trainee.learn({**data, "kept": torch.ones(2, 4)})
    assert whole["loss_teacher"].item() == pytest.approx(0, abs=1e-5)  # the same weights and the same view
    blind = trainee.learn({**data, "kept": torch.tensor([[0.0, 1, 1, 1]] * 2)})
    assert blind["loss_teacher"] > 1e-4
    blind["loss_teacher"].backward()
    assert all(p.grad is None for p in teacher.parameters())
    assert len(trainee.state_dict()) == len(teacher.state_dict())  # teachers are not saved
    assert copy.deepcopy(trainee).supervision is trainee.supervision


def test_each_side_is_taught_as_if_it_were_alone(config: Config) -> None:
    trainee, data = _trainee(config, alone=1.0, distil=0.5), _data()
    data["present"][1, 0] = 0  # the second crop has no camera: there is nothing to take apart
    losses = trainee.learn(data)
    assert set(losses) == {"loss_ce", "loss_camera", "loss_camera_apart", "loss_others", "loss_others_apart"}
    plain = _trainee(config)
    first = {name: value[:1] for name, value in data.items()}
    camera = plain.learn({**first, "kept": torch.tensor([[1.0, 0, 0, 0]])})["loss_ce"]
    torch.testing.assert_close(losses["loss_camera"], camera)
    together = plain.learn(data)["loss_ce"]
    torch.testing.assert_close(losses["loss_ce"], together)


def test_what_all_say_together_learns_nothing_from_its_sides(config: Config) -> None:
    trainee, data = _trainee(config, distil=1.0), _data()
    gates = [p for name, p in trainee.named_parameters() if ".rgb_gate." in name or ".aux_gate." in name]
    losses = trainee.learn(data)
    (losses["loss_camera_apart"] + losses["loss_others_apart"]).backward()
    # A side by itself has no gate to open, and the gates' own result is not trained by the distillation.
    assert all(p.grad is None or not p.grad.any() for p in gates)
    assert trainee.backbone.rgb.stem[0].conv.weight.grad.any()


def test_crops_of_a_camera_alone_have_no_sides(config: Config) -> None:
    data = _data()
    data["present"][:, 1:] = 0
    assert set(_trainee(config, alone=1.0, distil=1.0).learn(data)) == {"loss_ce"}


def test_what_is_not_kept_is_gone() -> None:
    data = _data()
    batch = Batch(data["rgb"].float(), data["aux"].float(), data["present"])
    seen = keep(batch, torch.tensor([[1.0, 0, 1, 1], [0.0, 1, 0, 1]]))
    assert not seen.aux[0, :3].any()
    torch.testing.assert_close(seen.aux[0, 3:], batch.aux[0, 3:])
    assert not seen.rgb[1].any()
    assert not seen.aux[1, 3:6].any()
    torch.testing.assert_close(seen.aux[1, 6:], batch.aux[1, 6:])
    assert seen.present.tolist() == [[1, 0, 1, 1], [0, 1, 0, 1]]


def test_everything_at_once_trains_and_is_saved_as_the_plain_network(
    config: Config, camvid: Path, thermal: Path, tmp_path: Path
) -> None:
    recipe = small("real")
    recipe = replace(recipe, losses=(*recipe.losses, dict(type="HardPixelCrossEntropy")))
    large = Config.fromfile(config_path("networks/dual_branch_s.py")).model.to_dict()
    init_default_scope("mmseg")
    save_weights(tmp_path / "large.safetensors", MODELS.build(copy.deepcopy(large)).state_dict(), large)
    options = Options(
        data=[("camvid", camvid), ("roadscene", thermal)],
        work_dir=tmp_path / "run",
        iterations=3,
        workers=0,
        teachers=[tmp_path / "large.safetensors"],
    )
    weights = train(config, recipe, options, lambda _: None)
    assert load_weights(weights)[1]["type"] == "EncoderDecoder"
    assert all(torch.isfinite(p).all() for p in build_model(weights).parameters())


def test_the_larger_network_is_larger() -> None:
    init_default_scope("mmseg")
    sizes = []
    for name in ("dual_branch_s", "dual_branch_m"):
        config = Config.fromfile(config_path(f"networks/{name}.py"))
        sizes.append(sum(p.numel() for p in MODELS.build(config.model).parameters()) / 1e6)
    assert 1.2 * sizes[0] < sizes[1] < 8


@pytest.mark.parametrize(
    ("name", "aside"),
    [
        ("pidnet_s", {"loss_sem_p", "loss_bd", "loss_sem_bd"}),
        ("fast_scnn", {"aux_0.loss_ce", "aux_1.loss_ce"}),
        ("esanet", {"loss_32", "loss_16", "loss_8"}),
    ],
)
def test_what_a_network_predicts_beside_its_answer_is_learnt_as_the_plain_segmentor_does(
    name: str, aside: set[str]
) -> None:
    config = read_config(find_network(name))
    trainee = _trainee(config).train()
    plain = MODELS.build(config.model).train()
    plain.load_state_dict(trainee.state_dict())
    for model in (trainee, plain):
        for module in model.modules():
            if isinstance(module, (torch.nn.BatchNorm2d, torch.nn.Dropout2d)):
                module.eval()
    data = batch_of(plain)
    expected = plain(**plain.data_preprocessor(dict(data), True), mode="loss")
    losses = trainee.learn(data)
    assert set(losses) - aside == {trainee._losses[0].loss_name}
    total = sum(value for key, value in expected.items() if "loss" in key)
    torch.testing.assert_close(sum(losses.values()), total)


def test_sides_and_auxiliary_losses_go_together() -> None:
    trainee = _trainee(read_config(find_network("dual_pidnet")), alone=1.0, distil=0.5).train()
    losses = trainee.learn(batch_of(trainee))
    assert {"loss_ohem", "loss_sem_p", "loss_bd", "loss_camera", "loss_others_apart"} <= set(losses)
    sum(losses.values()).backward()
    assert all(parameter.grad is not None for parameter in trainee.parameters())


def test_a_teacher_must_see_what_the_student_sees(camvid: Path, tmp_path: Path) -> None:
    teacher = weights_file("fast_scnn", tmp_path)
    options = Options(data=[("camvid", camvid)], work_dir=tmp_path / "run", iterations=1, workers=0, teachers=[teacher])
    with pytest.raises(ModelError, match="a teacher that sees rgb; it must see what the network sees: rgb, depth"):
        train(read_config(find_network("dual_branch_s")), small(), options, lambda _: None)


def test_a_network_with_one_side_learns_the_shipped_recipe_without_sides(camvid: Path, tmp_path: Path) -> None:
    options = Options(data=[("camvid", camvid)], work_dir=tmp_path / "run", iterations=1, workers=0)
    said: list[str] = []
    train(read_config(find_network("fast_scnn")), small("real"), options, said.append)
    assert "Recipe.sides is left out: the network has one side, the camera's" in said


def _people() -> Sample:
    """Two people and a car on a road."""
    labels, instances = np.ones((96, 128), np.uint8), np.zeros((96, 128), np.uint16)
    rgb = np.full((96, 128, 3), 90, np.uint8)
    for number, (left, width, code) in enumerate(((8, 16, 3001), (30, 16, 3002), (60, 60, 2001))):
        box = np.s_[32:80, left : left + width]
        labels[box], instances[box], rgb[box] = code // 1000, code, (60 * number, 250 - 60 * number, 40)
    return Sample("people", Frame(0, rgb), labels, instances=instances)


def test_the_instance_losses_fall_on_one_sample_while_the_rest_stays(small_config: Callable[[str], Config]) -> None:
    trainee = _trainee(small_config("dual_branch_s_instances"))
    trainee.init_weights()
    for part in (trainee.backbone, trainee.decode_head):
        part.requires_grad_(False)
    crops = Mixture([Source([_people()], 1.0, (1.0, 1.0))], (96, 128), 1, instances=True)
    data = {name: value[None] for name, value in crops[0].items()}
    before = trainee.decode_head.conv_seg.weight.clone()
    optimiser = torch.optim.Adam(trainee.auxiliary_head.parameters(), 3e-3)
    seen = []
    for _ in range(40):
        losses = trainee.learn(data)
        optimiser.zero_grad()
        sum(losses.values()).backward()
        optimiser.step()
        seen.append({name: float(value.detach()) for name, value in losses.items()})
    assert set(seen[0]) == {"loss_ce", "loss_centres", "loss_offsets"}
    assert seen[0]["loss_ce"] == seen[-1]["loss_ce"]
    for name in ("loss_centres", "loss_offsets"):
        assert seen[-1][name] < 0.6 * seen[0][name]
    torch.testing.assert_close(trainee.decode_head.conv_seg.weight, before)


def test_the_head_alone_is_trained_from_weights_without_one(
    config: Config, small_config: Callable[[str], Config], tmp_path: Path
) -> None:
    first = tmp_path / "first.safetensors"
    save_weights(first, _trainee(config).state_dict(), config.model.to_dict())
    people, picture = np.zeros((64, 64), np.uint8), np.full((64, 64, 3), 99, np.uint8)
    people[16:48, 16:32], people[16:48, 32:48] = 1, 2
    for folder, image in (("images", picture), ("instances", people)):
        (tmp_path / "people" / folder).mkdir(parents=True)
        for name in "abcde":
            cv2.imwrite(str(tmp_path / "people" / folder / f"{name}.png"), image)
    options = Options([("penn-fudan", tmp_path / "people")], tmp_path / "run", iterations=2, workers=0)
    recipe = replace(small("instances", init=str(first)), crop=(64, 96))
    told_apart = small_config("dual_branch_s_instances")
    learnt, before = load_weights(train(told_apart, recipe, options))[0], load_weights(first)[0]
    assert {name.partition(".")[0] for name in learnt.keys() - before.keys()} == {"auxiliary_head"}
    for name, value in before.items():
        torch.testing.assert_close(learnt[name], value, msg=name)


def test_sides_and_instances_are_learnt_together(small_config: Callable[[str], Config]) -> None:
    trainee = _trainee(small_config("dual_branch_s_instances"), alone=0.5, distil=0.3)
    losses = trainee.learn(_data() | dict(instances=torch.zeros(2, 6, 16, 16)))
    assert {"loss_centres", "loss_offsets", "loss_camera", "loss_others"} <= set(losses)
    assert float(losses["loss_centres"].detach()) == 0
