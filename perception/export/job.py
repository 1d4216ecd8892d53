# SPDX-License-Identifier: Apache-2.0
"""One run of `perception export`: engine files of trained weights, each checked before it takes its place."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from perception.disk import made_folder
from perception.engines import find_weights, manifest
from perception.engines.family import weights_of
from perception.errors import ModelError, PerceptionError
from perception.extras import needs
from perception.paths import WEIGHTS
from perception.sensors import NetworkInput

Status = Callable[[str], AbstractContextManager[object]]


@dataclass(frozen=True, kw_only=True)
class ExportOptions:
    """What is made of which weights.

    weights: a .safetensors file, or a shipped model's name. formats: openvino, onnx. int8: OpenVINO's INT8 form too.
    output: a folder, or a file's name; None writes beside the weights. data: names and folders of data sets, to check
    and calibrate with too. frames: of each kind, for the check; calibration_frames: for INT8's ranges.
    """

    weights: Path
    formats: Sequence[str] = ("openvino",)
    int8: bool = False
    output: Path | None = None
    data: Sequence[tuple[str, Path]] = ()
    frames: int = 4
    calibration_frames: int = 60


@dataclass(frozen=True)
class ExportedFile:
    """A file that was written. label_agreement: the share of pixels with PyTorch's label; agreement_iou: by class."""

    file: str
    megabytes: float
    label_agreement: float
    agreement_iou: dict[str, float]


@dataclass(frozen=True)
class ExportReport:
    """The JSON of `perception export`."""

    folder: str
    files: list[ExportedFile]


def run_export(options: ExportOptions, status: Status = lambda _: nullcontext()) -> ExportReport:
    """Write, check, and only then put in place. status: shows what is done meanwhile.

    Raises ModelError for weights that are not there and for a file that does not agree, and PerceptionError.
    """
    weights = find_weights(options.weights)
    target = _target(weights, options.output)
    if not weights.is_file():
        raise ModelError(f"{weights}: no such weights file")
    # Beside the target, so that what has passed the check takes its place at once, and nothing else ever does.
    with made_folder(target.parent), TemporaryDirectory(prefix=".export-", dir=target.parent) as scratch:
        files = list(_export(options, weights, Path(scratch) / target.name, status))
        written = [path.replace(target.parent / path.name) for path in Path(scratch).iterdir()]
        manifest.record(target.parent, written)
    return ExportReport(f"{target.parent}", files)


def _target(weights: Path, output: Path | None) -> Path:
    """Where the files go, without suffix. Raises PerceptionError where that would be among the shipped weights."""
    folder = output or (None if weights.parent == WEIGHTS else weights.parent)
    if folder is None:
        raise PerceptionError(f"{weights.stem}: shipped weights, whose folder stays as it is; say -o FOLDER")
    return folder.with_suffix("") if folder.suffix in (".xml", ".onnx") else folder / weights.stem


def _export(options: ExportOptions, weights: Path, base: Path, status: Status) -> Iterator[ExportedFile]:
    """Write and check one file after another; what is to be said of each."""
    with needs("export needs torch and mmseg", "train"):
        from perception.engines import self_check as canned
        from perception.engines.pytorch import TorchEngine
        from perception.export.graph import export_onnx, export_openvino
        from perception.export.parity import MIN_AGREEMENT, MIN_AGREEMENT_INT8, check_parity
    from perception.export.frames import check_frames, real_frames

    reference = TorchEngine(weights, device="cpu")
    frames: list[NetworkInput] = []

    def checked(path: Path, at_least: float) -> ExportedFile:
        with status(f"{path.name}: comparing with PyTorch on {options.frames} frames of each kind"):
            if not frames:
                frames.extend(check_frames(options.frames, reference.sensors))
                for name, root in options.data:
                    frames.extend(real_frames(name, root, options.frames, "val", reference.sensors))
            parity = check_parity(weights, path, frames, at_least)
            canned.write(path, frames[0], reference)
        size = weights_of(path).stat().st_size
        return ExportedFile(path.name, size / 1e6, parity.agreement, parity.iou)

    if "openvino" in options.formats or options.int8:
        with status("exporting to OpenVINO"):
            path = export_openvino(weights, base)
        yield checked(path, MIN_AGREEMENT)
    if options.int8:
        yield checked(_quantised(path, options, reference.sensors, status), MIN_AGREEMENT_INT8)
    if "onnx" in options.formats:
        with status("exporting to ONNX"):
            path = export_onnx(weights, base)
        yield checked(path, MIN_AGREEMENT)


def _quantised(exported: Path, options: ExportOptions, sensors: Sequence[str], status: Status) -> Path:
    with needs("--int8 needs NNCF", "int8"):
        from perception.export.int8 import quantise
    from perception.export.frames import calibration_frames, real_frames

    count = options.calibration_frames
    with status(f"gathering {count} simulated frames to calibrate with, and real ones where asked for"):
        frames = list(calibration_frames(count, sensors))
        for name, root in options.data:
            frames += real_frames(name, root, count, sensors=sensors)
    return quantise(exported, frames)  # NNCF shows its own progress
