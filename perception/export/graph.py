# SPDX-License-Identifier: Apache-2.0
"""From trained weights to the files that engines run: any input size, uint8 in, class ids out."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from pathlib import Path

import openvino
import torch

from perception.engines.described import ONNX_KEY, RT_INFO, classes_of, note
from perception.engines.openvino import INPUTS, OUTPUTS
from perception.engines.weights import build_model
from perception.extras import needs
from perception.models.deploy import DeployGraph
from perception.sensors.encode import AUX_SCALE
from perception.sensors.spec import SPECS

ONNX_OPSET = 18


def export_openvino(weights: str | Path, output: str | Path) -> Path:
    """Write the OpenVINO form of a .safetensors file: `output`.xml and .bin, weights in float16.

    Raises ModelError for weights that cannot be read.
    """
    graph = _graph(weights)
    example = example_input(graph.sensors)
    shapes = [[1, -1, -1, 3], [1, -1, -1, example[1].shape[3]], list(example[2].shape)]
    with warnings.catch_warnings(), torch.inference_mode():
        warnings.simplefilter("ignore")  # the tracer's remarks on shapes that are meant to be fixed
        model = openvino.convert_model(graph, example_input=example, input=shapes)
    for port, name in zip(model.inputs, INPUTS, strict=True):
        port.tensor.set_names({name})
    if noted := note(classes_of(Path(weights))):
        model.set_rt_info(noted, list(RT_INFO))
    path = _prepared(output, ".xml")
    openvino.save_model(model, path, compress_to_fp16=True)
    return path


def export_onnx(weights: str | Path, output: str | Path) -> Path:
    """Write the ONNX form of a .safetensors file: `output`.onnx, weights in float32.

    Raises ModelError for weights that cannot be read.
    """
    path, graph = _prepared(output, ".onnx"), _graph(weights)
    outputs = OUTPUTS if graph.instance_head else OUTPUTS[:3]
    images = {name: {1: f"{name}_height", 2: f"{name}_width"} for name in ("rgb", "aux", *OUTPUTS[:2])}
    cells = {name: {2: f"{name}_height", 3: f"{name}_width"} for name in outputs[3:]}
    with warnings.catch_warnings(), torch.inference_mode():
        warnings.simplefilter("ignore")
        torch.onnx.export(
            graph,
            example_input(graph.sensors),
            path,
            input_names=INPUTS,
            output_names=outputs,
            dynamic_axes=images | cells,
            opset_version=ONNX_OPSET,
            dynamo=False,  # the newer exporter needs two packages more for the same graph
        )
    if noted := note(classes_of(Path(weights))):
        with needs("to note classes of one's own in it, ONNX needs onnx", "onnx"):
            import onnx

        model = onnx.load(path)
        onnx.helper.set_model_props(model, {ONNX_KEY: noted})
        onnx.save(model, path)
    return path


def _graph(weights: str | Path) -> DeployGraph:
    return DeployGraph(build_model(weights)).eval()


def example_input(sensors: Sequence[str], height: int = 128, width: int = 256) -> tuple[torch.Tensor, ...]:
    """A black image of `height`×`width` and no measurement of any other of the sensors: the graph's arguments."""
    channels = sum(len(SPECS[name].channels) for name in sensors)
    return (
        torch.zeros(1, height, width, 3, dtype=torch.uint8),
        torch.zeros(1, height // AUX_SCALE, width // AUX_SCALE, channels, dtype=torch.uint8),
        torch.ones(1, len(sensors)),
    )


def _prepared(output: str | Path, suffix: str) -> Path:
    path = Path(output)
    if path.suffix in (".onnx", ".safetensors", ".xml"):
        path = path.with_suffix("")
    path = path.with_name(path.name + suffix)  # with_suffix would cut a name such as run-0.5
    path.parent.mkdir(parents=True, exist_ok=True)
    return path
