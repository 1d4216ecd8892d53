# SPDX-License-Identifier: Apache-2.0
"""Narrows an OpenVINO network to a subset of sensors, so that an absent sensor's branch costs nothing."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import openvino
from openvino import opset13


def leaves_something_out(present: Sequence[bool]) -> bool:
    """Whether a whole branch is idle with these sensors: the camera's, or that of all other sensors, if it has one."""
    return not present[0] or (len(present) > 1 and not any(present[1:]))


def specialise(model: openvino.Model, present: Sequence[bool]) -> openvino.Model:
    """A copy of `model`, whose input sizes must be fixed, for one subset of sensors; `model` is not changed.

    present: per modality, RGB first. The copy has no input `present`, no `rgb` if RGB is absent and no `aux` if
    everything else is: they are constants, and compilation precomputes everything that depends only on constants.
    """
    model = model.clone()
    idle = {"rgb": not present[0], "aux": not any(present[1:])}
    constants = {name: np.zeros(list(model.input(name).shape), np.uint8) for name, is_idle in idle.items() if is_idle}
    constants["present"] = np.array([present], np.float32)
    for name, value in constants.items():
        parameter = model.input(name).get_node()
        source = opset13.constant(value).output(0)
        for target in parameter.output(0).get_target_inputs():
            target.replace_source_output(source)
        model.remove_parameter(parameter)
    model.validate_nodes_and_infer_types()
    return model
