# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from helpers.models.foreign import CITY, PLAIN, stripes

from perception.engines.foreign.description import Description, made
from perception.engines.foreign.fitting import Fit, back, feed, fit_of
from perception.sensors import NetworkInput

FLOAT = np.dtype(np.float32)


def _input(rgb: Any, channels: int = 0) -> NetworkInput:
    height, width = rgb.shape[:2]
    aux = np.zeros((height // 2, width // 2, channels), np.uint8)
    return NetworkInput(rgb, aux, np.ones(1, np.float32))


def _fed(description: Description, given: NetworkInput, size: tuple[int, int] | None = None, dtype: Any = FLOAT) -> Any:
    fit = fit_of(description, size, *given.rgb.shape[:2])
    return feed(description, description.inputs["image"], given, fit, dtype)


def test_values_are_normalised_by_channel() -> None:
    image = {"channels": ["blue", "red"], "scale": 2, "mean": [10, 20], "std": [4, 5]}
    rgb = np.full((32, 32, 3), (100, 0, 50), np.uint8)
    fed = _fed(made({**CITY, "inputs": {"image": image}}), _input(rgb))
    assert (fed.shape, fed.dtype) == ((1, 2, 32, 32), np.float32)
    np.testing.assert_allclose(fed[0, :, 5, 7], [(2 * 50 - 10) / 4, (2 * 100 - 20) / 5])


@pytest.mark.parametrize(
    ("layout", "shape"),
    [("NCHW", (1, 3, 64, 96)), ("NHWC", (1, 64, 96, 3)), ("CHW", (3, 64, 96)), ("HWC", (64, 96, 3))],
)
def test_layouts(layout: str, shape: tuple[int, ...]) -> None:
    fed = _fed(made({**CITY, "layout": layout}), _input(stripes()))
    assert fed.shape == shape
    colours = fed.reshape(shape[-3:]) if "CHW" in layout else fed.reshape(shape[-3:]).transpose(2, 0, 1)
    np.testing.assert_array_equal(colours[:, 30, 95], [0, 0, 1])


def test_a_file_of_bytes_gets_bytes() -> None:
    plain = {**PLAIN, "scale": 1}
    fed = _fed(made({**CITY, "inputs": {"image": plain}}), _input(stripes()), dtype=np.dtype(np.uint8))
    assert fed.dtype == np.uint8
    assert fed[0, 0, 0, 0] == 255


def test_a_letterbox_is_filled_beside_the_image() -> None:
    description = made({**CITY, "fit": "letterbox"})
    fed = _fed(description, _input(stripes()), (96, 96))
    assert fed.shape == (1, 3, 96, 96)
    np.testing.assert_allclose(fed[0, :, :16], 114 / 255)
    np.testing.assert_allclose(fed[0, :, 80:], 114 / 255)
    np.testing.assert_array_equal(fed[0, 0, 16:80, :32], 1)


def test_any_size_is_a_multiple_of_the_stride() -> None:
    assert fit_of(made({**CITY, "stride": 64}), None, 96, 224).outer == (128, 256)
    assert fit_of(made(CITY), None, 96, 224).outer == (96, 224)


def test_channels_of_other_sensors_come_from_theirs() -> None:
    image = {"channels": ["red", "lidar height"], "scale": 1, "mean": [0, 0], "std": [1, 1]}
    given = _input(stripes(), 4)
    given.aux[..., 1] = 77
    fed = _fed(made({**CITY, "inputs": {"image": image}}), given)
    assert (fed[0, 1] == 77).all()
    image["channels"] = ["red", "lidar height", "infrared rank"]
    both = made({**CITY, "inputs": {"image": {**image, "mean": [0] * 3, "std": [1] * 3}}})
    given = _input(stripes(), 7)  # infrared comes first
    given.aux[..., 1], given.aux[..., 4] = 33, 77
    fed = _fed(both, given)
    assert ((fed[0, 1] == 77) & (fed[0, 2] == 33)).all()


@pytest.mark.parametrize("fit", ["stretch", "letterbox"])
def test_the_way_back_ends_where_it_began(fit: str) -> None:
    """A ramp along each axis comes back as it was, from an output of a quarter of the input."""
    for turned in (False, True):
        height, width = (64, 128) if not turned else (128, 64)
        ramp = np.linspace(40, 200, width)[None].repeat(height, 0).astype(np.uint8)
        given = _input(np.dstack([ramp] * 3))
        description = made({**CITY, "fit": fit})
        placed = fit_of(description, (96, 160), height, width)
        fed = feed(description, description.inputs["image"], given, placed, FLOAT)[0, 0]
        quarter = fed.reshape(24, 4, 40, 4).mean((1, 3))
        returned = 255 * back(quarter, placed)
        np.testing.assert_allclose(returned[20:-20, 20:-20], ramp[20:-20, 20:-20], atol=2.5)


def test_ids_come_back_without_means() -> None:
    ids = np.zeros((32, 32), np.uint8)
    ids[:, 16:] = 255
    returned = back(ids, Fit(64, 96, (64, 64), (64, 64), (0, 0)), nearest=True)
    assert returned.dtype == np.uint8
    assert (returned[:, :48] == 0).all()
    assert (returned[:, 48:] == 255).all()
    same = Fit(32, 32, (32, 32), (32, 32), (0, 0))
    assert back(ids, same) is ids
