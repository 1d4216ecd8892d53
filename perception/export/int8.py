# SPDX-License-Identifier: Apache-2.0
"""INT8 by calibration (NNCF): an OpenVINO network whose convolutions compute in 8 bits."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path

import nncf
import openvino
from nncf.quantization.range_estimator import RangeEstimatorParametersSet

from perception.engines.described import RT_INFO, classes_of, note
from perception.engines.openvino import INPUTS
from perception.errors import ModelError
from perception.sensors import NetworkInput

FLOAT_LAYERS = (
    r".*fusions\.\d+/.*",
    r".*fusions\.\d+\.(context|channel|bias|rgb_gate|aux_gate)[./].*",
    r".*aux_stem/.*",
    r".*aux_stem\.(scores|spread|merge).*",
    r".*(class_logits|conv_seg).*",
    r".*instance_head\.predict.*",
    r"Add_\d+",
)
"""What stays in float, by name: the attention, whose gates need fine steps and whose layers cost little; the logits of
the classes; and the sum of the softmax over them; centres and offsets of instances."""

FLOAT_TYPES = ("Divide", "Exp", "Greater", "Maximum", "Sigmoid", "Softmax", "Subtract")
"""The same by type: of normalisation, attention and decision, none of which a convolution follows directly."""


def quantise(exported: Path, inputs: Sequence[NetworkInput]) -> Path:
    """Write the INT8 form of the OpenVINO file NAME.xml as NAME_int8.xml and .bin beside it.

    inputs: show the ranges of the activations; every subset of sensors that the network is to meet must be among them.
    Raises ModelError where there are none.
    """
    if not inputs:
        raise ModelError(f"{exported}: INT8 needs frames to calibrate with")
    nncf.set_log_level(logging.ERROR)
    quantised = nncf.quantize(
        openvino.Core().read_model(exported),
        nncf.Dataset(inputs, lambda x: {name: getattr(x, name)[None] for name in INPUTS}),
        # Symmetric weights, asymmetric activations: the latter are negative where nothing rectifies them.
        preset=nncf.QuantizationPreset.MIXED,
        subset_size=len(inputs),
        ignored_scope=nncf.IgnoredScope(patterns=list(FLOAT_LAYERS), types=list(FLOAT_TYPES), validate=False),
        # The default, the mean of the frames' extremes, would clip frames with all sensors for those with few.
        advanced_parameters=nncf.AdvancedQuantizationParameters(
            activations_range_estimator_params=RangeEstimatorParametersSet.MINMAX
        ),
    )
    path = exported.with_name(f"{exported.stem}_int8.xml")
    if noted := note(classes_of(exported)):
        quantised.set_rt_info(noted, list(RT_INFO))
    openvino.save_model(quantised, path)
    return path
