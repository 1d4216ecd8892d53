# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("mmseg")

from perception.models.aux_stem import AuxStem, MergedAuxStem  # noqa: E402


@pytest.fixture
def stem(request: pytest.FixtureRequest) -> AuxStem:
    """A stem whose normalisation is not the identity."""
    torch.manual_seed(0)
    made = AuxStem(dict(depth=3, infrared=3, lidar=4), channels=16, stride=request.param)
    made.init_weights()
    for part in made.stems:
        part.bn.running_mean.uniform_(-0.5, 0.5)
        part.bn.running_var.uniform_(0.5, 2.0)
        torch.nn.init.uniform_(part.bn.weight, 0.5, 2.0)
        torch.nn.init.uniform_(part.bn.bias, -0.5, 0.5)
    return made.eval()


@pytest.mark.parametrize("stem", [1, 2], indirect=True)
@pytest.mark.parametrize("kept", [(1, 1, 1), (0, 0, 1), (1, 0, 1), (0, 0, 0)])
def test_the_merged_stem_is_the_same_function(stem: AuxStem, kept: tuple[int, ...]) -> None:
    aux, present = torch.rand(2, 10, 24, 40), torch.tensor([kept, (1, 1, 1)], dtype=torch.float32)
    gains = torch.randn(2, 3)
    with torch.inference_mode():
        expected, found = stem(aux, present, gains), MergedAuxStem(stem)(aux, present, gains)
    for a, b in zip(expected, found, strict=True):
        torch.testing.assert_close(a, b)


@pytest.mark.parametrize("stem", [2], indirect=True)
def test_a_gain_makes_a_modality_count_for_more(stem: AuxStem) -> None:
    aux, present = torch.rand(1, 10, 24, 40), torch.ones(1, 3)
    with torch.inference_mode():
        _, usual = stem(aux, present, torch.zeros(1, 3))
        _, favoured = stem(aux, present, torch.tensor([[0.0, 2.0, 0.0]]))
    assert favoured[0, 1] > usual[0, 1]
