# SPDX-License-Identifier: Apache-2.0
"""The classes of a model's file: stored in it, and read without the library that runs it.

A file without this entry has the shipped network's classes, and so has one that others made: what each of its own
classes is of ours stands in a `model.yaml` beside it, which `perception.engines.foreign` reads.
"""

from __future__ import annotations

import html
import json
import re
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from perception.classes import CLASSES, Classes
from perception.errors import ModelError

KEY = "classes"
ONNX_KEY = "perception.classes"
RT_INFO = ("perception", KEY)
"""The path of the entry in OpenVINO's `rt_info`."""

MODEL_YAML = "model.yaml"
"""Describes the files of its folder, which are one network's that was not made here."""


def described_by(path: Path) -> Path | None:
    """The model.yaml of an .onnx or .xml file; None for one of ours."""
    beside = path.with_name(MODEL_YAML)
    return beside if path.suffix in (".onnx", ".xml") and beside.is_file() else None


def how_to_run(path: Path) -> str:
    """The end of a sentence about an .onnx or .xml file that is none of ours."""
    if described_by(path):
        return f"{MODEL_YAML} describes another's network, which `bench` and TensorRT do not run"
    return f"another's needs a {MODEL_YAML} beside it (`perception export-check FILE --describe` begins one)"


def note(classes: Classes) -> str | None:
    """The entry for a file; None if it needs none."""
    return json.dumps(classes.beyond) if classes.beyond else None


def classes_of(path: Path) -> Classes:
    """The classes of a .safetensors, .xml or .onnx file. Raises ModelError if the entry is invalid."""
    reader = {".safetensors": _of_weights, ".xml": _of_openvino, ".onnx": _of_onnx}.get(path.suffix)
    if reader is None or not path.is_file() or described_by(path):
        return CLASSES
    try:
        said = reader(path)
    except (ValueError, AttributeError, struct.error):
        return CLASSES  # not a model: its loader reports that
    try:
        return CLASSES.extended(json.loads(said)) if said else CLASSES
    except (ModelError, ValueError, TypeError) as error:
        raise ModelError(f"{path}: its classes cannot be read: {error}") from error


def _of_weights(path: Path) -> str | None:
    with path.open("rb") as file:
        (length,) = struct.unpack("<Q", file.read(8))
        header: dict[str, Any] = json.loads(file.read(min(length, path.stat().st_size)))
    said: str | None = header.get("__metadata__", {}).get(KEY)
    return said


def _of_openvino(path: Path) -> str | None:
    # Not parsed: a megabyte of layers comes first, and an XML parser would expand the entities that a file defines.
    found = re.search(rb'<perception>\s*<classes value="([^"]*)"', path.read_bytes())
    return html.unescape(found[1].decode("utf-8")) if found else None


def _of_onnx(path: Path) -> str | None:
    return onnx_notes(path).get(ONNX_KEY)


def onnx_notes(path: Path) -> dict[str, str]:
    """The entries of an .onnx file's metadata: ModelProto's metadata_props (field 14), each with a key (1) and a value
    (2)."""
    pairs = (dict(_fields(value)) for number, value in _fields(path.read_bytes()) if number == 14)
    return {pair.get(1, b"").decode("utf-8"): pair.get(2, b"").decode("utf-8") for pair in pairs}


def _fields(data: bytes) -> Iterator[tuple[int, bytes]]:
    """The length-delimited fields of a protobuf message."""
    at = 0

    def varint() -> int:
        nonlocal at
        value = shift = 0
        while at < len(data):
            byte = data[at]
            at, value, shift = at + 1, value | (byte & 127) << shift, shift + 7
            if byte < 128:
                break
        return value

    while at < len(data):
        tag = varint()
        kind = tag & 7
        if kind == 0:
            varint()
        elif kind == 2:
            length = varint()
            yield tag >> 3, data[at : at + length]
            at += length
        elif kind in (1, 5):
            at += 8 if kind == 1 else 4
        else:
            return  # not protobuf
