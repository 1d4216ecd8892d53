# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from pathlib import Path

import pytest

from perception.errors import ModelError
from perception.models.networks import NETWORKS, find_network
from perception.paths import share


def test_every_config_of_the_package_is_a_network_by_its_name() -> None:
    there = sorted((share() / "configs/networks").rglob("*.py"))
    assert len(there) > 20
    assert len({path.stem for path in there}) == len(there)
    for path in there:
        found = find_network(path.stem)
        assert (found.name, found.read_bytes()) == (path.name, path.read_bytes())
    assert set(NETWORKS) >= {path.stem for path in there}


def test_a_path_is_taken_as_it_is() -> None:
    assert find_network("mine/network.py") == Path("mine/network.py")


def test_a_name_that_there_is_not_is_refused_with_the_nearest() -> None:
    with pytest.raises(ModelError, match="dual_branch_s"):
        find_network("dual_branch_z")
