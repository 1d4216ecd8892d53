# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from perception.engines import self_check as canned
from perception.engines.base import NetworkOutput
from perception.errors import ModelError
from perception.pipeline import Pipeline
from perception.sensors import NetworkInput


class Brightness:
    """Distinguishes dark from bright; `faulty` rows come out wrong."""

    name = "brightness"

    def __init__(self, faulty: int = 0) -> None:
        self.faulty = faulty

    def infer(self, network_input: NetworkInput) -> NetworkOutput:
        labels = (network_input.rgb[..., 0] > 127).astype(np.uint8)
        labels[: self.faulty] ^= 1
        return NetworkOutput(labels, labels, np.ones(4, np.float32))


def test_the_same_engine_agrees_and_a_broken_one_is_refused(tmp_path: Path, network_input: NetworkInput) -> None:
    model = tmp_path / "some.xml"
    assert canned.check(Brightness(), model) is None
    assert canned.write(model, network_input, Brightness()) == tmp_path / "some.check.npz"
    assert canned.check(Brightness(), model) == 1.0
    assert Pipeline(Brightness(), model).self_check() == 1.0
    with pytest.raises(ModelError, match=r"some\.xml: engine brightness gives 95\.3% of the labels"):
        canned.check(Brightness(faulty=3), model)


def test_a_damaged_file_is_named(tmp_path: Path, network_input: NetworkInput) -> None:
    model = tmp_path / "some.xml"
    path = canned.write(model, network_input, Brightness())
    path.write_bytes(path.read_bytes()[:100])
    with pytest.raises(ModelError, match=r"some\.check\.npz: cannot be read"):
        canned.check(Brightness(), model)
