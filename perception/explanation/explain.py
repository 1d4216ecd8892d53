# SPDX-License-Identifier: Apache-2.0
"""The explanation of one frame's prediction: saliency, attention, the effect of each sensor, confidence."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from perception.classes import Classes
from perception.engines.twice import once_of
from perception.errors import ModelError
from perception.evaluation.evaluate import fit
from perception.explanation.ablation import Ablation, ablate, areas, class_iou
from perception.explanation.methods import DEFAULT_STRIDE, GRAD_CAM
from perception.frame import Frame, Prediction
from perception.reporting.reports import INLINE

if TYPE_CHECKING:
    from perception.explanation.attention import Attention
    from perception.explanation.network import ExplainedNetwork
    from perception.explanation.saliency import Saliency
    from perception.pipeline import Pipeline
from perception.sensors.presence import without

SAME_NETWORK = 0.95
"""Share of pixels on which PyTorch must agree with the engine; bfloat16 and INT8 cost only 0.1 to 1 %."""


@dataclass(frozen=True)
class SaliencyFigures:
    """Of a class: the share of its saliency that lies on it, and the share of the image that the saliency covers."""

    inside: float
    area: float


@dataclass(frozen=True)
class SaliencyReport:
    """By name of each class that was predicted."""

    method: str
    stride: int
    classes: dict[str, SaliencyFigures]


@dataclass(frozen=True)
class AttentionFigures:
    """How much each sensor counted: as a whole, by stride of the fusion's stages, and by the mean of its gate."""

    weights: dict[str, float]
    stages: dict[str, dict[str, float]]
    gates: dict[str, float]


@dataclass(frozen=True)
class AblationFigures:
    """Without the sensor: the share of pixels whose label is another, by class how much of the image it gains or loses
    (as a share of it), and IoU, None without truth."""

    changed: float
    area_change: dict[str, float]
    iou: dict[str, float] | None


@dataclass(frozen=True, kw_only=True)
class Figures:
    """What of an `Explanation` are numbers: shares of the image, confidence and IoU by class, weights by sensor."""

    sensors: Sequence[str]
    agreement: float | None
    area: dict[str, float]
    confidence: dict[str, float]
    iou: dict[str, float] | None
    saliency: SaliencyReport
    weights: dict[str, float]
    attention: AttentionFigures | None
    without: dict[str, AblationFigures]


@dataclass(frozen=True, kw_only=True)
class ExplainReport:
    """The JSON of `perception explain`. frame: its name. notes: what is to be said of it."""

    frame: str
    notes: list[str]
    model: str
    weights_sha256: str
    engine: str
    figures: Figures = field(metadata=INLINE)


@dataclass(frozen=True)
class Explanation:
    """The result of `explain`.

    prediction: the pipeline's, of the whole frame. agreement: the share of pixels on which the network that was looked
    into gives the same label; it and attention are None, and saliency is empty, where none was. stride and method: of
    the saliency. saliency: by name of each foreground
    class that was predicted. ablations: by the name of the sensor taken away. iou: by class; None without truth.
    """

    frame: Frame
    prediction: Prediction
    truth: NDArray[np.uint8] | None
    agreement: float | None
    stride: int
    method: str
    saliency: dict[str, Saliency]
    attention: Attention | None
    ablations: dict[str, Ablation]
    iou: dict[str, float] | None

    def figures(self) -> Figures:
        """What of it are numbers; NaN where there is none."""
        labels, confidence, classes = self.prediction.labels, self.prediction.confidence, self.prediction.classes
        sure = {name: float(confidence[labels == i].mean() / 255) for name, i in _present(labels, classes).items()}
        seen = {name: SaliencyFigures(each.inside, each.area) for name, each in self.saliency.items()}
        return Figures(
            sensors=self.frame.modalities,
            agreement=self.agreement,
            area=areas(labels, classes),
            confidence={"mean": float(confidence.mean() / 255), **sure},
            iou=self.iou,
            saliency=SaliencyReport(self.method, self.stride, seen),
            weights=self.prediction.modality_weights,
            attention=_listened(self.attention) if self.attention else None,
            without={
                name: AblationFigures(each.changed, each.area_change, each.iou) for name, each in self.ablations.items()
            },
        )


def explain(
    frame: Frame,
    pipeline: Pipeline,
    network: ExplainedNetwork | None,
    truth: NDArray[np.uint8] | None = None,
    stride: int = DEFAULT_STRIDE,
    method: str = GRAD_CAM,
) -> Explanation:
    """Predict, look into the network, and predict again without each sensor.

    network: the one that `pipeline` runs, in PyTorch; None looks into none. truth: class ids at the frame's size, 255
    where unknown. stride, method: see `ExplainedNetwork.look`. Raises ModelError where the two give labels so different
    that they are not one network.
    """
    # What the network has no channels for explains nothing; where there is nothing else, so the answer will say.
    frame = without(frame, set(frame.extra) - set(pipeline.sensors)) or frame
    task = pipeline.prepare(frame)
    prediction = pipeline.decode(pipeline.infer(task))
    insight = network.look(task.network_input, stride, method) if network and task.network_input else None
    agreement = None
    if insight is not None and task.network_input is not None:  # of one look, as only that is looked into
        labels = once_of(pipeline.engine).infer(task.network_input).labels
        agreement = float((fit(insight.labels, labels) == labels).mean())
    if agreement is not None and agreement < SAME_NETWORK:
        raise ModelError(
            f"{pipeline.model}: its labels agree with those of the weights in PyTorch on only {agreement:.1%} of the "
            "pixels, so it is another network; export it again with `perception export`"
        )
    seen = insight.saliency if insight else {}
    return Explanation(
        frame=frame,
        prediction=prediction,
        truth=truth,
        agreement=agreement,
        stride=stride,
        method=method,
        saliency={name: seen[i] for name, i in pipeline.classes.foreground.items() if i in seen},
        attention=insight.attention if insight else None,
        ablations=ablate(pipeline, frame, prediction.labels, truth),
        iou=class_iou(prediction.labels, truth, pipeline.classes),
    )


def _listened(attention: Attention) -> AttentionFigures:
    stages = zip(attention.stages, attention.stage_weights, strict=True)
    return AttentionFigures(
        attention.weights,
        {str(stage.stride): weights for stage, weights in stages},
        {name: float(gate.mean()) for name, gate in attention.gates.items()},
    )


def _present(labels: NDArray[np.uint8], classes: Classes) -> dict[str, int]:
    return {name: i for i, name in enumerate(classes.names) if (labels == i).any()}
