# SPDX-License-Identifier: Apache-2.0
"""The sections of an explanation's figure, in order, as titled pictures; absent sensors have none."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from perception.explanation import views
from perception.explanation.ablation import Ablation
from perception.explanation.explain import Explanation
from perception.explanation.methods import METHODS
from perception.sensors.spec import SPECS

if TYPE_CHECKING:
    from perception.explanation.attention import Attention

SENSOR_NAMES = {name: spec.title for name, spec in SPECS.items()}
"""Sensors by their modality's name, for people."""


@dataclass(frozen=True)
class Section:
    """A heading, what stands beside it, pictures with their titles, and the colour scale with its two ends, if any."""

    heading: str
    note: str
    panels: list[tuple[str, views.RGB]]
    columns: int
    scale: tuple[str, str, str] | None = None


def sections(found: Explanation) -> Iterator[Section]:
    """The figure's sections from top to bottom; those that would be empty are left out."""
    yield _answer(found)
    if found.saliency:
        yield _saliency(found)
    if found.attention:
        listened = _stages(found, found.attention), _gates(found, found.attention)
        yield from (section for section in listened if section.panels)
    if found.ablations:
        yield _ablations(found)


def _answer(found: Explanation) -> Section:
    prediction, size = found.prediction, found.frame.size
    weights = ", ".join(
        f"{SENSOR_NAMES[n]} {prediction.modality_weights.get(n, 0.0):.0%}" for n in found.frame.modalities
    )
    sure = prediction.confidence.astype(np.float32) / 255
    masks = "masks" + (f", IoU {_figures(found.iou)}" if found.iou else "")
    panels = [(masks, views.masks(found.frame, prediction.labels, prediction.classes))]
    if found.truth is not None:
        panels.append(("truth", views.masks(found.frame, found.truth, prediction.classes)))
    panels.append((f"confidence, mean {sure.mean():.1%}", views.painted(sure, views.CONFIDENCE, size, smooth=False)))
    scale = (views.CONFIDENCE, "0", "1")
    return Section("What it said", f"weight of each sensor: {weights}", panels, len(panels), scale)


def _saliency(found: Explanation) -> Section:
    panels = []
    for name, saliency in found.saliency.items():
        view = views.heated(found.frame, saliency.heat, found.prediction, name)
        panels.append(
            (f"{name}: {saliency.inside:.0%} of the heat on its mask, {saliency.area:.1%} of the image", view)
        )
    note = f"{METHODS[found.method]} of the fused features at stride {found.stride}; the line is the mask"
    return Section("Evidence for each class", note, panels, max(len(panels), 2), (views.HEAT, "nothing", "strongest"))


def _stages(found: Explanation, attention: Attention) -> Section:
    size = found.frame.size
    panels = []
    if {"rgb"} < set(found.frame.modalities):  # with one branch alone there is nothing to share
        for stage in attention.stages:
            constant = "" if stage.spatial else ", the same everywhere"
            title = f"stride {stage.stride}: camera {stage.camera.mean():.0%}{constant}"
            panels.append((title, views.painted(stage.camera, views.SHARE, size, smooth=False)))
    scale = (views.SHARE, "other sensors", "camera")
    return Section("Weights of each fusion", "the spatial gate of every stage", panels, 4, scale)


def _gates(found: Explanation, attention: Attention) -> Section:
    size = found.frame.size
    gates = {name: gate for name, gate in attention.gates.items() if name in found.frame.modalities}
    panels = [(f"what {SENSOR_NAMES[name]} saw", views.sensor(found.frame, name)) for name in gates]
    for name, gate in gates.items():
        panels.append((f"gate of {SENSOR_NAMES[name]}: open {gate.mean():.0%}", views.painted(gate, views.GATE, size)))
    scale = (views.GATE, "closed", "open")
    return Section("Gates of the sensors", "the gate of each in the auxiliary stem", panels, max(len(gates), 2), scale)


def _ablations(found: Explanation) -> Section:
    panels = []
    for name, ablation in found.ablations.items():
        view = views.changed(found.frame, found.prediction.labels, ablation.labels, found.prediction.classes)
        panels.append((f"without {SENSOR_NAMES[name]}: {_change(found, ablation)}", view))
    note = "pixels with another label, in the colour of their new class; white: background"
    return Section("What changes without a sensor", note, panels, 2)


def _change(found: Explanation, ablation: Ablation) -> str:
    if ablation.iou and found.iou:
        return f"{ablation.changed:.1%} of the image, IoU {_figures(ablation.iou)}"
    names = found.prediction.classes.foreground
    area = ", ".join(f"{name} {round(100 * ablation.area_change[name], 1) + 0.0:+.1f}" for name in names)
    return f"{ablation.changed:.1%} of the image ({area})"


def _figures(iou: Mapping[str, float]) -> str:
    return ", ".join(f"{name} {value:.2f}" for name, value in iou.items() if not np.isnan(value))
