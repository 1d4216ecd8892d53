# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import openvino
import pytest

from perception.engines.specialise import leaves_something_out, specialise


@pytest.mark.parametrize(
    ("present", "idle"),
    [
        ((1, 1, 1, 1), False),
        ((1, 0, 0, 1), False),
        ((1, 0, 0, 0), True),
        ((0, 1, 1, 1), True),
        ((0, 0, 0, 0), True),
        ((1,), False),
    ],
)
def test_a_branch_is_idle_without_the_camera_or_with_it_alone(present: tuple[int, ...], idle: bool) -> None:
    assert leaves_something_out([bool(each) for each in present]) is idle


@pytest.mark.parametrize(("present", "inputs"), [((1, 0, 0, 0), {"rgb"}), ((0, 1, 0, 1), {"aux"})])
def test_a_narrow_graph_answers_as_the_whole_one(tiny_model: Path, present: tuple[int, ...], inputs: set[str]) -> None:
    whole = openvino.Core().read_model(tiny_model)
    rng = np.random.default_rng(0)
    given: dict[str, np.ndarray[Any, Any]] = {
        "rgb": rng.integers(0, 256, (1, 4, 6, 3), np.uint8) * np.uint8(present[0]),
        "aux": rng.integers(0, 256, (1, 4, 6, 10), np.uint8) * np.uint8(any(present[1:])),
        "present": np.array([present], np.float32),
    }
    whole.reshape({name: list(value.shape) for name, value in given.items()})
    narrow = specialise(whole, [bool(each) for each in present])
    assert {each.any_name for each in narrow.inputs} == inputs
    assert len(whole.inputs) == 3, "the whole one is left as it is"
    answers = [
        list(openvino.compile_model(model, "CPU")({name: given[name] for name in names}).values())
        for model, names in ((whole, given), (narrow, inputs))
    ]
    for ours, theirs in zip(*answers, strict=True):
        np.testing.assert_array_equal(ours, theirs)
