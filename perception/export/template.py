# SPDX-License-Identifier: Apache-2.0
"""Begins a `model.yaml` with what a file says of itself; what it does not say is left as null, which is refused."""

from __future__ import annotations

import json
from ast import literal_eval
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from perception.disk import write_file
from perception.engines.described import MODEL_YAML, onnx_notes
from perception.engines.foreign.description import COLOURS, FORMAT, KINDS, LAYOUTS
from perception.engines.foreign.running import Port, Runner
from perception.errors import ModelError

UNKNOWN = "null"

HEAD = f"""\
# How a network that was not made here is fed, and how its output is read: docs/export.md has every key.
# Fill in what is null, then run `perception export-check` again.
format: {FORMAT}
"""

IMAGENET = "ImageNet's are [0.485, 0.456, 0.406] and [0.229, 0.224, 0.225] with a scale of 1/255"


def write(model: Path, runner: Runner) -> Path:
    """The template beside a file. Raises ModelError where there is a description already, and as `write_file` does."""
    path = model.with_name(MODEL_YAML)
    if path.exists():
        raise ModelError(f"{path}: is there already, and stays as it is; move it away to begin another")
    notes = onnx_notes(model) if model.suffix == ".onnx" else {}
    write_file(path, text(runner, notes).encode())
    return path


def text(runner: Runner, notes: Mapping[str, str]) -> str:
    """The template. notes: an ONNX file's metadata, of which those that Ultralytics writes are read."""
    kind, parts = _outputs(runner.outputs)
    images = [port for port in runner.inputs if len(port.shape or ()) in (3, 4)]
    layout = next(filter(None, map(_layout, images)), None)
    # Both bring their normalisation with them: YOLO has none, torchvision's Mask R-CNN does it inside.
    inside = kind in ("yolo", "masks")
    lines = [HEAD + "inputs:"]
    for port in runner.inputs:
        lines += _input(port, layout, inside)
    lines.append(f"layout: {layout or UNKNOWN}  # one of {', '.join(LAYOUTS)}")
    size = _size(images[0], layout) if images else None
    lines.append(f"size: {size}  # height, width" if size else "# size: [384, 640]  # where it takes this size alone")
    lines.append(f"fit: {'letterbox' if kind == 'yolo' else 'stretch'}  # stretch or letterbox, for other shapes")
    lines += ["outputs:", f"  kind: {kind or UNKNOWN}  # one of {', '.join(KINDS)}"]
    lines += [f"  {part}: {json.dumps(name)}" for part, name in parts.items()]
    if not parts:
        lines += [f"  # {port.name}: {_shape(port)} {port.dtype}" for port in runner.outputs]
    lines += _names(kind, notes)
    lines.append("others: background  # all classes that nothing else is said of: unlabelled where they say nothing")
    if kind in (None, "yolo", "masks"):
        lines.append("elsewhere: unlabelled  # what is outside of all things: nobody says that it is background")
    return "\n".join(lines) + "\n"


def _input(port: Port, layout: str | None, inside: bool) -> list[str]:
    count = None
    if layout is not None and port.shape is not None and len(port.shape) == len(layout):
        count = port.shape[layout.index("C")]
    channels = json.dumps(COLOURS) if count in (3, None) else UNKNOWN
    plain = inside and count in (3, None)
    named = {"scale": "1/255", "mean": "[0, 0, 0]", "std": "[1, 1, 1]"} if plain else {}
    if port.dtype is not None and port.dtype.kind == "u" and count:
        named = {"scale": "1", "mean": json.dumps([0] * count), "std": json.dumps([1] * count)}
    lines = [f"  {json.dumps(port.name)}:  # {_shape(port)} {port.dtype}; value = (byte * scale - mean) / std"]
    lines.append(f"    channels: {channels}  # or blue, green, red, as OpenCV has them; or those of other sensors")
    lines += [f"    {key}: {named.get(key, UNKNOWN)}" for key in ("scale", "mean", "std")]
    return lines if named else [*lines, f"    # {IMAGENET}"]


def _layout(port: Port) -> str | None:
    shape = port.shape or ()
    batch = "N" if len(shape) == 4 else ""
    if len(shape) not in (3, 4):
        return None
    first, last = shape[len(batch)], shape[-1]
    small = (1, 3, 4)
    if first in small and last not in small:
        return f"{batch}CHW"
    return f"{batch}HWC" if last in small and first not in small else None


def _size(port: Port, layout: str | None) -> str | None:
    if layout is None or port.shape is None:
        return None
    sides = [port.shape[layout.index(side)] for side in "HW"]
    return None if None in sides else json.dumps(sides)


def _outputs(ports: tuple[Port, ...]) -> tuple[str | None, dict[str, str]]:
    """The kind, where shapes or names tell it, and the output of each part."""
    names = {port.name for port in ports}
    if {*KINDS["masks"], "boxes"} <= names:
        return "masks", {part: part for part in KINDS["masks"]}
    by_rank = {len(port.shape): port for port in ports if port.shape is not None}
    if len(ports) == 2 and {3, 4} == set(by_rank):
        return "yolo", {"predictions": by_rank[3].name, "prototypes": by_rank[4].name}
    if len(ports) == 1 and ports[0].shape is not None and ports[0].dtype is not None:
        port, rank = ports[0], len(ports[0].shape)
        if port.dtype.kind in "iu" and rank in (3, 4):  # type: ignore[union-attr]
            return "labels", {"labels": port.name}
        if port.dtype.kind == "f" and rank == 4:  # type: ignore[union-attr]
            return "logits", {"scores": port.name}
    return None, {}


def _names(kind: str | None, notes: Mapping[str, str]) -> list[str]:
    said = _said_names(notes)
    lines = [f"names: {json.dumps(said) if said else UNKNOWN}"]
    if not said:
        lines[0] += (
            "  # the file's classes by id: [road, sidewalk, ...], or coco, coco-91 (torchvision's) or cityscapes"
        )
    lines += [
        "# classes:  # what each is of road, vehicle, pedestrian, background, unlabelled, where its name does not"
    ]
    return [*lines, "#   lorry: vehicle"]


def _said_names(notes: Mapping[str, str]) -> list[str] | None:
    """As Ultralytics notes them: a dictionary by id."""
    try:
        found: Any = literal_eval(notes.get("names", ""))
    except (ValueError, SyntaxError):
        return None
    if not isinstance(found, dict) or sorted(found) != list(range(len(found))):
        return None
    return [str(found[number]) for number in range(len(found))] or None


def _shape(port: Port) -> str:
    return "any shape" if port.shape is None else "×".join("?" if side is None else str(side) for side in port.shape)
