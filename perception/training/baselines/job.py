# SPDX-License-Identifier: Apache-2.0
"""One run of `perception train` with a baseline's name."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from perception.disk import write_file
from perception.engines.described import MODEL_YAML
from perception.engines.foreign.description import FORMAT, made
from perception.engines.manifest import record
from perception.errors import ModelError
from perception.extras import needs
from perception.training.baselines import BASELINES
from perception.training.baselines.examples import Examples

MODEL = "model.onnx"


@dataclass(frozen=True, kw_only=True)
class BaselineOptions:
    """How one is trained.

    data: names and folders of data sets. output: the folder that it writes. iterations, batch_size, learning_rate: None
    for the baseline's own. workers: processes that make batches. init: weights of its library to start from; None for
    random ones, as nothing is ever fetched.
    """

    data: Sequence[tuple[str, Path]]
    output: Path
    iterations: int | None = None
    batch_size: int | None = None
    learning_rate: float | None = None
    seed: int = 0
    workers: int = 2
    init: Path | None = None


def train_baseline(name: str, options: BaselineOptions, say: Callable[[str], None]) -> Path:
    """Train one of BASELINES, and write its model.onnx with model.yaml into the output folder; returns the former.

    say: is told of the progress. Raises PerceptionError where its library is not installed, DataError for data that
    tells no things apart, and ModelError for weights that do not fit.
    """
    with needs(f"{name} is another library's", BASELINES[name]):
        if name == "mask_rcnn":
            from perception.training.baselines.mask_rcnn import train
        else:
            from perception.training.baselines.yolo import train
    if options.init is not None and not options.init.is_file():
        raise ModelError(f"{options.init}: no such weights file")
    examples = Examples(options.data, say)
    path = options.output / MODEL
    options.output.mkdir(parents=True, exist_ok=True)
    description = train(examples, options, path, say)
    write_description(options.output / MODEL_YAML, description)
    record(options.output, [path])
    return path


def write_description(path: Path, content: dict[str, Any]) -> None:
    """Write a model.yaml. Raises ModelError for one that could not be read again, and as `write_file` does."""
    content = {"format": FORMAT, **content}
    made(content)
    write_file(path, yaml.safe_dump(content, sort_keys=False).encode())
