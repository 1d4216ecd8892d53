# SPDX-License-Identifier: Apache-2.0
"""What one core of this processor can do: multiply-accumulates a second in OpenVINO's best case, and bytes a second."""

from __future__ import annotations

from math import prod
from time import perf_counter

import numpy as np
import openvino
from openvino import opset13 as ops

SHAPES: tuple[tuple[int, int, int], ...] = ((64, 48, 156), (128, 24, 78), (256, 24, 78))
"""Channels (in and out), height and width of 3×3 convolutions: as large as the network's, with channels by 64."""

ROUNDS = 40


def peak(precision: str, rounds: int = ROUNDS) -> float:
    """MACs a second of the fastest of some large 3×3 convolutions on one thread.

    precision: f32, bf16, or int8 (8-bit weights and activations).
    """
    return max(_convolution(precision, *shape, rounds) for shape in SHAPES)


def _convolution(precision: str, channels: int, height: int, width: int, rounds: int) -> float:
    """MACs a second of three convolutions in a row, of which the middle one is timed: its neighbours give it the input
    in the layout that it wants, and take its output as it comes."""
    rng = np.random.default_rng(0)
    values = image = ops.parameter([1, channels, height, width], np.float32, "image")
    for _ in range(3):
        weights = ops.constant(rng.normal(size=(channels, channels, 3, 3)).astype(np.float32) / channels)
        if precision == "int8":
            values, weights = _quantised(values, 0, 2.55, 256), _quantised(weights, -0.1, 0.1, 255)
        values = ops.relu(ops.convolution(values, weights, [1, 1], [1, 1], [1, 1], [1, 1]))
    settings = {
        "PERFORMANCE_HINT": "LATENCY",
        "INFERENCE_PRECISION_HINT": "f32" if precision == "int8" else precision,
        "INFERENCE_NUM_THREADS": 1,
        "PERF_COUNT": True,
    }
    core = openvino.Core()
    shortest = np.inf
    for _ in range(rounds):
        # Anew: the counters hold the mean of all runs since; the first is left out.
        request = core.compile_model(openvino.Model([values], [image]), "CPU", settings).create_infer_request()
        totals = []
        for run in (1, 2, 3):
            request.infer()
            spent = [each for each in request.get_profiling_info() if each.node_type == "Convolution"]
            totals.append(run * spent[1].real_time.total_seconds())
        shortest = min(shortest, *np.diff(totals))
    return channels * channels * 9 * height * width / float(shortest)


def _quantised(values: openvino.Node, low: float, high: float, levels: int) -> openvino.Node:
    bounds = [ops.constant(np.float32(bound)) for bound in (low, high)]
    return ops.fake_quantize(values, *bounds, *bounds, levels)


def bandwidth(size: int, rounds: int = 200) -> float:
    """Bytes read and written in a second by copying arrays of `size` bytes: from the caches where they fit."""
    source, target = np.ones(size, np.uint8), np.empty(size, np.uint8)
    shortest = np.inf
    for _ in range(max(5, min(rounds, (4 << 30) // size))):
        began = perf_counter()
        np.copyto(target, source)
        shortest = min(shortest, perf_counter() - began)
    return 2 * prod(source.shape) / float(shortest)
