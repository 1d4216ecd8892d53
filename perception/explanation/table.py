# SPDX-License-Identifier: Apache-2.0
"""The tables of `perception explain`."""

from __future__ import annotations

from collections.abc import Iterator

from rich.table import Table

from perception.evaluation.table import number
from perception.explanation.explain import Explanation


def tables(found: Explanation) -> Iterator[Table]:
    """By class, by stage of the fusion and by removed sensor; the last only with several sensors."""
    figures = found.figures()
    yield _classes(found, figures.area, figures.confidence)
    yield _attention(found)
    if found.ablations:
        yield _ablations(found)


def _classes(found: Explanation, area: dict[str, float], confidence: dict[str, float]) -> Table:
    table = Table("class", "of the image", "confidence", "saliency on it", *(["IoU"] if found.iou else []))
    for name in found.prediction.classes.foreground:
        heat = found.saliency.get(name)
        row = [
            name,
            f"{area[name]:.1%}",
            f"{confidence[name]:.1%}" if name in confidence else "–",
            f"{heat.inside:.0%}" if heat else "–",
        ]
        table.add_row(*row, *([number(found.iou[name])] if found.iou else []))
    return table


def _attention(found: Explanation) -> Table:
    sensors, attention = found.frame.modalities, found.attention
    table = Table("weight of each", *sensors)
    for stage, weights in zip(attention.stages, attention.stage_weights, strict=True) if attention else ():
        table.add_row(f"stride {stage.stride}", *(f"{weights[name]:.0%}" for name in sensors))
    table.add_section()
    table.add_row("all", *(f"{found.prediction.modality_weights.get(name, 0.0):.0%}" for name in sensors))
    return table


def _ablations(found: Explanation) -> Table:
    what = "± area, IoU" if found.iou else "± area"
    names = found.prediction.classes.foreground
    table = Table("without", "changed", *(f"{name}\n{what}" for name in names))
    for sensor, ablation in found.ablations.items():
        cells = []
        for name in names:
            iou = f", {number(ablation.iou[name])}" if ablation.iou else ""
            cells.append(f"{100 * ablation.area_change[name]:+.2f} %{iou}")
        table.add_row(sensor, f"{ablation.changed:.2%}", *cells)
    return table
