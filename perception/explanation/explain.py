# SPDX-License-Identifier: Apache-2.0
"""One frame's prediction with what it came from: saliency, attention, what each sensor changes, confidence."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from perception.classes import CLASS_NAMES, FOREGROUND
from perception.errors import ModelError
from perception.evaluation.evaluate import fit, plain
from perception.explanation.ablation import Ablation, ablate, areas, class_iou
from perception.explanation.methods import DEFAULT_STRIDE, GRAD_CAM
from perception.frame import Frame, Prediction

if TYPE_CHECKING:
    from perception.explanation.attention import Attention
    from perception.explanation.network import ExplainedNetwork
    from perception.explanation.saliency import Saliency
    from perception.pipeline import Pipeline
from perception.sensors.presence import without

SAME_NETWORK = 0.95
"""Share of pixels on which PyTorch must give the engine's label; bfloat16 and INT8 cost 0.1 to 1 %, not this."""


@dataclass(frozen=True)
class Explanation:
    """What `explain` found.

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

    def to_dict(self) -> dict[str, Any]:
        """The figures as plain values for JSON; NaN becomes None."""
        labels, confidence = self.prediction.labels, self.prediction.confidence
        sure = {name: float(confidence[labels == i].mean() / 255) for name, i in _present(labels).items()}
        report = {
            "sensors": list(self.frame.modalities),
            "agreement": self.agreement,
            "area": areas(labels),
            "confidence": {"mean": float(confidence.mean() / 255), **sure},
            "iou": self.iou,
            "saliency": {
                "method": self.method,
                "stride": self.stride,
                "classes": {name: {"inside": s.inside, "area": s.area} for name, s in self.saliency.items()},
            },
            "weights": self.prediction.modality_weights,
            "attention": _listened(self.attention) if self.attention else None,
            "without": {
                name: {"changed": a.changed, "area_change": a.area_change, "iou": a.iou}
                for name, a in self.ablations.items()
            },
        }
        return {name: plain(value) for name, value in report.items()}


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
    agreement = float((fit(insight.labels, prediction.labels) == prediction.labels).mean()) if insight else None
    if agreement is not None and agreement < SAME_NETWORK:
        raise ModelError(
            f"{pipeline.model}: its labels are those of the weights in PyTorch on {agreement:.1%} of the pixels only: "
            "another network; make the file again with `perception export`"
        )
    seen = insight.saliency if insight else {}
    return Explanation(
        frame=frame,
        prediction=prediction,
        truth=truth,
        agreement=agreement,
        stride=stride,
        method=method,
        saliency={name: seen[i] for name, i in FOREGROUND.items() if i in seen},
        attention=insight.attention if insight else None,
        ablations=ablate(pipeline, frame, prediction.labels, truth),
        iou=class_iou(prediction.labels, truth),
    )


def _listened(attention: Attention) -> dict[str, Any]:
    stages = zip(attention.stages, attention.stage_weights, strict=True)
    return {
        "weights": attention.weights,
        "stages": {str(stage.stride): weights for stage, weights in stages},
        "gates": {name: float(gate.mean()) for name, gate in attention.gates.items()},
    }


def _present(labels: NDArray[np.uint8]) -> dict[str, int]:
    return {name: i for i, name in enumerate(CLASS_NAMES) if (labels == i).any()}
