# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from typing import Any

import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("mmseg")

from perception.classes import CLASSES  # noqa: E402
from perception.errors import ModelError  # noqa: E402
from perception.models import SlimResNet  # noqa: E402
from perception.training.grow import UNLIKELIER, begin_with, with_classes  # noqa: E402


def _network(hidden: tuple[int, ...], wide: int) -> Any:
    torch.manual_seed(sum(hidden) + wide)
    network = SlimResNet(stem=(4,), channels=(8,), hidden=(hidden,), wide=(wide,))
    network.init_weights()
    return network.eval()


def test_a_grown_network_answers_as_the_small_one() -> None:
    small, large = _network((4, 6), 1), _network((8, 6), 3)
    before = small(torch.ones(1, 3, 16, 16))[0]
    assert not torch.allclose(large(torch.ones(1, 3, 16, 16))[0], before)
    new = begin_with(large, small.state_dict())
    torch.testing.assert_close(large(torch.ones(1, 3, 16, 16))[0], before)
    assert new == len(large.state_dict()) - len(small.state_dict())
    assert large.stages[0][0].conv1.weight[4:].any()  # new channels can learn: only their way out is closed


def test_the_same_network_is_loaded_as_it_is() -> None:
    one, other = _network((4,), 1), _network((4,), 1)
    assert begin_with(other, one.state_dict()) == 0
    assert all(torch.equal(a, b) for a, b in zip(one.state_dict().values(), other.state_dict().values(), strict=True))


@pytest.mark.parametrize(("hidden", "wide"), [((8,), 1), ((4,), 2), ((4, 4), 1)])
def test_a_larger_or_another_network_does_not_fit(hidden: tuple[int, ...], wide: int) -> None:
    with pytest.raises(ModelError, match="does not fit this config's model"):
        begin_with(_network((4,), 1), _network(hidden, wide).state_dict())


def test_a_new_class_begins_as_what_it_was_within_and_a_little_unlikelier() -> None:
    five = CLASSES.extended([dict(name="bicycle", colour=(255, 200, 0), within="vehicle")])
    weight = torch.arange(8.0).reshape(8, 1, 1, 1)  # two sub-pixels of each class
    state = {"decode_head.conv_seg.weight": weight, "decode_head.conv_seg.bias": torch.arange(8.0), "other": weight}
    grown = with_classes(state, CLASSES, five)
    assert grown["decode_head.conv_seg.weight"].flatten().tolist() == [0, 1, 2, 3, 4, 5, 6, 7, 4, 5]
    assert grown["decode_head.conv_seg.bias"].tolist() == [0, 1, 2, 3, 4, 5, 6, 7, 4 - UNLIKELIER, 5 - UNLIKELIER]
    assert grown["other"] is weight
    assert with_classes(grown, five, CLASSES)["decode_head.conv_seg.bias"].tolist() == [0, 1, 2, 3, 4, 5, 6, 7]
