# SPDX-License-Identifier: Apache-2.0
"""One run of `perception explain`: open the frame, look into the network, draw the figure."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from perception.datasets.simulated import Relabelled
from perception.evaluation.evaluate import truth_of
from perception.explanation.asked import Asked, open_frame
from perception.explanation.explain import ExplainReport, Explanation, explain
from perception.explanation.figure import draw, write
from perception.explanation.methods import DEFAULT_STRIDE, GRAD_CAM
from perception.pipeline import Pipeline

if TYPE_CHECKING:
    from perception.explanation.network import ExplainedNetwork

LEFT_OUT = "saliency, and whom each fusion listened to, are left out"


@dataclass(frozen=True, kw_only=True)
class ExplainOptions:
    """What is explained, with what, and where the figure goes. saliency, stride: see `ExplainedNetwork.look`."""

    asked: Asked
    output: Path
    saliency: str = GRAD_CAM
    stride: int = DEFAULT_STRIDE
    model: str | Path | None = None
    engine: str = "auto"
    threads: int | None = None


def run_explain(
    options: ExplainOptions, status: Callable[[str], AbstractContextManager[object]] = lambda _: nullcontext()
) -> tuple[Explanation, ExplainReport]:
    """Explain the frame and write the figure. status: shows what is done meanwhile. Raises DataError and ModelError."""
    with status(f"{options.asked.frame}: reading or rendering"):
        sample, notes = open_frame(options.asked)
    pipeline = Pipeline.load(options.model, engine=options.engine, threads=options.threads)
    with status(f"{options.asked.frame}: explaining"):
        sample = Relabelled([sample], pipeline.classes)[0]  # only the simulator gives a truth
        network = _network(options.model, options.threads, notes)
        found = explain(sample.frame, pipeline, network, truth_of(sample), options.stride, options.saliency)
        write(options.output, draw(found, sample.name))
    engine = pipeline.engine.name
    if found.agreement is not None:
        notes.append(f"{engine} and PyTorch, which was looked into, agree on {found.agreement:.2%} of the labels")
    return found, ExplainReport(
        frame=sample.name,
        notes=notes,
        model=pipeline.name,
        weights_sha256=pipeline.weights_sha256,
        engine=engine,
        figures=found.figures(),
    )


def _network(model: str | Path | None, threads: int | None, notes: list[str]) -> ExplainedNetwork | None:
    """What is looked into; None without PyTorch or the model's weights in it, which is noted."""
    try:
        import torch

        from perception.explanation.network import ExplainedNetwork, NotInPyTorch
    except ImportError as error:
        notes.append(f"{LEFT_OUT}: they need PyTorch: pip install 'multimodal_perception[train]' ({error})")
        return None
    if threads is not None:
        torch.set_num_threads(threads)
    try:
        return ExplainedNetwork.load(model)
    except NotInPyTorch as error:
        notes.append(f"{LEFT_OUT}: {error}")
        return None
