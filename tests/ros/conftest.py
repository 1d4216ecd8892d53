# SPDX-License-Identifier: Apache-2.0
"""A network that can be checked by eye, and a ROS network of this test process's own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest


@pytest.fixture(scope="session")
def tiny_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An OpenVINO network whose class is red // 64, with confidence 200 and all sensors that are there equal.

    It takes and gives what the trained networks do, so that the node's tests know the right answer to every pixel.
    """
    import openvino
    from openvino import Type
    from openvino import opset13 as ops

    rgb = ops.parameter([1, -1, -1, 3], Type.u8, name="rgb")
    aux = ops.parameter([1, -1, -1, 8], Type.u8, name="aux")
    present = ops.parameter([1, 4], Type.f32, name="present")
    red = ops.convert(ops.gather(rgb, ops.constant(np.int32(0)), ops.constant(np.int32(3))), "i32")
    # A network that ignores an input would lose it.
    nothing = ops.multiply(
        ops.reduce_sum(ops.convert(aux, "i32"), ops.constant([1, 2, 3]), True), ops.constant(np.int32(0))
    )
    labels = ops.divide(red, ops.constant(np.int32(64)))
    labels = ops.add(labels, ops.squeeze(nothing, ops.constant([3])))
    confidence = ops.add(ops.multiply(labels, ops.constant(np.int32(0))), ops.constant(np.int32(200)))
    weights = ops.divide(present, ops.reduce_sum(present, ops.constant([1]), True))
    outputs = [ops.convert(labels, "u8"), ops.convert(confidence, "u8"), weights]
    for parameter in (rgb, aux, present):
        parameter.output(0).get_tensor().set_names({parameter.get_friendly_name()})
    path = tmp_path_factory.mktemp("model") / "tiny.xml"
    openvino.save_model(openvino.Model(outputs, [rgb, aux, present], "tiny"), path, compress_to_fp16=False)
    return path


@pytest.fixture(scope="module")
def ros() -> Iterator[Any]:
    """An rclpy context on a ROS domain that nobody else uses; child processes inherit the domain."""
    rclpy = pytest.importorskip("rclpy")
    from perception.ros.dds import use_profile
    from perception.ros.node_process import private_network

    use_profile()
    with private_network() as domain:
        context = rclpy.Context()
        rclpy.init(context=context, domain_id=domain)
        yield context
        rclpy.try_shutdown(context=context)
