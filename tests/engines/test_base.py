# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import numpy as np

from perception.engines.base import NetworkOutput, needs_of_engine, sensors_of_engine
from perception.engines.pool import SharedEngine
from perception.frame import MODALITIES
from perception.sensors import NetworkInput


class Plain:
    """An engine of before networks could have further sensors."""

    name = "plain"

    def infer(self, network_input: NetworkInput) -> NetworkOutput:
        nothing = np.zeros(network_input.rgb.shape[:2], np.uint8)
        return NetworkOutput(nothing, nothing, network_input.present)


class WithRadar(Plain):
    sensors = [*MODALITIES, "radar"]  # noqa: RUF012


def test_an_engine_counts_the_sensors_that_it_names_else_the_usual() -> None:
    assert sensors_of_engine(Plain()) == MODALITIES
    assert sensors_of_engine(WithRadar()) == (*MODALITIES, "radar")


class CameraAlone(Plain):
    sensors = ("rgb",)


class Both(Plain):
    sensors = needs = ("rgb", "infrared")


def test_an_engine_needs_what_it_names_and_the_camera_s_alone_its_camera() -> None:
    assert needs_of_engine(Plain()) == ()
    assert needs_of_engine(CameraAlone()) == ("rgb",)
    assert needs_of_engine(Both()) == ("rgb", "infrared")
    assert needs_of_engine(SharedEngine(Both())) == ("rgb", "infrared")
