# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest
import torch

pytest.importorskip("mmseg")

from helpers.networks import ZOO, batch_of, build

from perception.models.main_logits import MAIN, main_logits, main_loss, main_of


@pytest.mark.parametrize("name", ["ddrnet_23_slim", "pidnet_s", "fast_scnn"])
def test_the_main_logits_are_those_of_the_answer(name: str) -> None:
    model = build(name)
    batch = model.data_preprocessor(batch_of(model, 1 if name == "fast_scnn" else 2))["inputs"]
    for module in model.modules():  # so that training and answering give the same
        if isinstance(module, (torch.nn.BatchNorm2d, torch.nn.Dropout2d, torch.nn.Dropout)):
            module.eval()
        else:
            module.training = True
    with torch.no_grad():
        in_training = main_logits(model.decode_head, model.decode_head(model.extract_feat(batch)))
        answer = model.eval().decode_head(model.extract_feat(batch))
    torch.testing.assert_close(in_training, answer)


def test_every_head_of_the_zoo_with_several_logits_has_its_entry() -> None:
    heads = {name: build(name).decode_head for name in ("ddrnet_23_slim", "pidnet_s", "dual_pidnet", "esanet", "fcn")}
    assert {type(head).__name__ for head in heads.values() if main_of(head)} == set(MAIN)
    assert main_loss(heads["pidnet_s"]).loss_name == "loss_ohem"
    assert main_loss(heads["fcn"]).loss_name == "loss_ce"
    assert len(ZOO) == 22
