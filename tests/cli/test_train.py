# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from argparse import Namespace

import pytest

from perception.cli import train
from perception.errors import ModelError


def asked(network: str, recipe: str | None = None) -> tuple[str, str]:
    return train.network_and_recipe(Namespace(network=network, recipe=recipe))


def test_without_a_recipe_it_is_from_scratch() -> None:
    assert asked("dual_branch_s") == ("dual_branch_s", "scratch")
    assert asked("mine.py", "tune") == ("mine.py", "tune")


def test_the_former_name_is_network_and_recipe_and_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    assert asked(train.FORMER) == (train.NETWORK, train.FORMER_RECIPE)
    assert train.FORMER_RECIPE in capsys.readouterr().err


def test_what_was_a_network_and_is_none_is_refused() -> None:
    with pytest.raises(ModelError, match=train.FORMER_RECIPE):
        asked(train.FORMER, "scratch")
    for name in train.FORMER_STAGES:
        with pytest.raises(ModelError, match="not a network"):
            asked(name)
