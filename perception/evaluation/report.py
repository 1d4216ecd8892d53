# SPDX-License-Identifier: Apache-2.0
"""A drive's report as one HTML file that needs nothing else: no network, no script, every picture inside."""

from __future__ import annotations

import base64
import html
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from perception.evaluation import plots


class Picture(NamedTuple):
    """An (H, W, 3) uint8 RGB image with what stands below it."""

    image: NDArray[np.uint8]
    caption: str


def write_report(
    path: Path, report: Mapping[str, Any], pictures: Sequence[Picture] = (), animation: bytes | None = None
) -> None:
    """Write `path` (HTML) from the content of report.json.

    report: what DriveScore.summary gives, with source, drops_by_cause, stages_ms, modality_weights, seconds, versions,
    weights_sha256, and series {frames, modality_weights}. animation: an animated WebP.
    """
    path.write_text(render(report, pictures, animation), "utf-8")


def render(report: Mapping[str, Any], pictures: Sequence[Picture], animation: bytes | None) -> str:
    """The report's HTML text; see write_report."""
    parts = [_head(report), _tiles(report)]
    if animation:
        parts.append(_figure(animation, "image/webp", "The drive: what the sensors saw, and the masks that came back."))
    parts += [_plots(report), _pictures(pictures), _details(report)]
    return _PAGE.replace("{{title}}", _text(_title(report))).replace("{{body}}", "\n".join(parts))


def _title(report: Mapping[str, Any]) -> str:
    return f"Perception report: {report['source']}"


def _head(report: Mapping[str, Any]) -> str:
    sent, answered, dropped = (report[f"frames_{name}"] for name in ("sent", "answered", "dropped"))
    why = ", ".join(f"{count} {cause}" for cause, count in report["drops_by_cause"].items())
    sentence = f"{sent} frames were sent, {answered} answered, {dropped} dropped{f' ({why})' if why else ''}."
    reason = report.get("iou_reason")
    note = f"<p class=note>{_text(reason)}</p>" if reason else ""
    return f"<h1>{_text(_title(report))}</h1><p>{_text(sentence)}</p>{note}"


def _tiles(report: Mapping[str, Any]) -> str:
    latency = report["latency_ms"]
    tiles = [("answered", f"{report['frames_answered']} / {report['frames_sent']}"), ("FPS", _number(report["fps"], 1))]
    tiles += [(f"latency {name} [ms]", _number(latency[name], 0)) for name in ("p50", "p95", "p99")]
    tiles += [(f"IoU {name}", _number(value, 3)) for name, value in report["iou"].items()]
    tiles.append(("pixel accuracy", _number(report["pixel_accuracy"], 4)))
    cells = (f"<div><b>{_text(value)}</b><span>{_text(name)}</span></div>" for name, value in tiles)
    return f"<section class=tiles>{''.join(cells)}</section>"


def _plots(report: Mapping[str, Any]) -> str:
    frames, weights = report["series"]["frames"], report["series"]["modality_weights"]
    drawn = [plots.latency_plot(frames, report["latency_ms"], report["period_ms"])]
    if report["pixel_accuracy"] is not None:
        drawn += [plots.iou_plot(report["iou"]), plots.iou_over_time_plot(frames)]
    if weights:
        drawn.append(plots.weights_plot(weights))
    if report["drops_by_cause"]:
        drawn.append(plots.drops_plot(report["drops_by_cause"]))
    return f"<section class=plots>{''.join(_figure(png, 'image/png') for png in drawn)}</section>"


def _pictures(pictures: Sequence[Picture]) -> str:
    return "".join(_figure(_jpeg(picture.image), "image/jpeg", picture.caption) for picture in pictures)


def _details(report: Mapping[str, Any]) -> str:
    tables = [
        ("Milliseconds by stage, in the node", report["stages_ms"]),
        ("Weight of each sensor, mean", report["modality_weights"]),
        ("Seconds by step of the demo", report["seconds"]),
        ("Versions", {**report["versions"], "weights sha256": report["weights_sha256"]}),
    ]
    return f"<section class=tables>{''.join(_table(title, rows) for title, rows in tables if rows)}</section>"


def _table(title: str, rows: Mapping[str, Any]) -> str:
    body = "".join(f"<tr><th>{_text(name)}</th><td>{_text(_cell(value))}</td></tr>" for name, value in rows.items())
    return f"<div><h2>{_text(title)}</h2><table>{body}</table></div>"


def _cell(value: Any) -> str:
    return f"{value:.3g}" if isinstance(value, float) else str(value)


def _figure(data: bytes, kind: str, caption: str = "") -> str:
    source = f"data:{kind};base64,{base64.b64encode(data).decode()}"
    text = f"<figcaption>{_text(caption)}</figcaption>" if caption else ""
    return f'<figure><img src="{source}" alt="{_text(caption)}">{text}</figure>'


def _jpeg(image: NDArray[np.uint8]) -> bytes:
    return cv2.imencode(".jpg", cv2.cvtColor(image, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, 85])[1].tobytes()


def _number(value: float | None, digits: int) -> str:
    return "n/a" if value is None else f"{value:.{digits}f}"


def _text(value: Any) -> str:
    return html.escape(str(value), quote=True)


_PAGE = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{{title}}</title>
<style>
:root { color-scheme: light; }
body { font: 16px/1.5 system-ui, "DejaVu Sans", sans-serif; color: #22272e; background: #f5f6f8; margin: 0; }
main { max-width: 1180px; margin: 0 auto; padding: 16px; }
h1 { font-size: 1.5rem; line-height: 1.25; margin: 8px 0; }
h2 { font-size: 1.1rem; margin: 24px 0 8px; }
.note { color: #8a5a00; }
.tiles { display: grid; grid-template-columns: repeat(auto-fill, minmax(150px, 1fr)); gap: 10px; margin: 16px 0; }
.tiles div { background: #fff; border-radius: 8px; padding: 10px 12px; }
.tiles b { display: block; font-size: 1.35rem; }
.tiles span { color: #5d6670; font-size: .9rem; }
.plots { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 420px), 1fr)); gap: 12px; }
figure { margin: 0 0 14px; background: #fff; border-radius: 8px; padding: 8px; }
.plots figure { margin: 0; }
img { display: block; width: 100%; height: auto; border-radius: 4px; }
figcaption { color: #5d6670; font-size: .9rem; padding: 6px 4px 0; }
.tables { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 340px), 1fr)); gap: 0 20px; }
table { border-collapse: collapse; background: #fff; border-radius: 8px; width: 100%; }
th, td { text-align: left; padding: 5px 12px; border-bottom: 1px solid #eceef1; vertical-align: top; }
th { font-weight: 500; white-space: nowrap; }
td { overflow-wrap: anywhere; }
</style>
</head>
<body><main>
{{body}}
</main></body>
</html>
"""
