# SPDX-License-Identifier: Apache-2.0
"""Engines that run a trained network, and the choice between them.

| engine | runs | on | needs |
|---|---|---|---|
| `openvino` | .xml | CPU | |
| `openvino-gpu` | .xml | Intel GPU | Intel's GPU driver |
| `openvino-auto` | .xml | what OpenVINO thinks best | |
| `onnxruntime` | .onnx | NVIDIA GPU where there is one, else CPU | extra `onnx`; for a GPU `onnxruntime-gpu` |
| `tensorrt` | .onnx | NVIDIA GPU | `tensorrt` and `onnxruntime-gpu` |
| `torch` | .safetensors | NVIDIA GPU where there is one, else CPU | extra `train` |
| `torch-compiled` | .safetensors | NVIDIA GPU; takes longer to start | extra `train`, a C compiler |

`auto` takes the first engine in this order whose file is there. A path with a suffix has said which file it is.
"""

from __future__ import annotations

from pathlib import Path

from perception.engines.base import Engine, NetworkOutput
from perception.engines.manifest import verify
from perception.errors import ModelError
from perception.paths import WEIGHTS

DEFAULT_MODEL = "dual_branch_s"
ENGINES: dict[str, str] = {
    "openvino": ".xml",
    "openvino-gpu": ".xml",
    "openvino-auto": ".xml",
    "onnxruntime": ".onnx",
    "tensorrt": ".onnx",
    "torch": ".safetensors",
    "torch-compiled": ".safetensors",
}
"""Engine names and the kind of file each runs, in the order in which `auto` looks."""

_OPENVINO_DEVICES = {"openvino": "CPU", "openvino-gpu": "GPU", "openvino-auto": "AUTO"}
_INSTALL = {
    "onnxruntime": "'multimodal_perception[onnx]'",
    "tensorrt": "tensorrt onnxruntime-gpu",
    "torch": "'multimodal_perception[train]'",
    "torch-compiled": "'multimodal_perception[train]'",
}

__all__ = ["DEFAULT_MODEL", "ENGINES", "Engine", "NetworkOutput", "find_model", "load_engine"]


def find_model(model: str | Path | None, engine: str) -> tuple[str, Path]:
    """(engine name, file) for a model's name among the shipped weights, or its path, with or without suffix.

    None and `auto` are the most accurate of the shipped ones that the engine has a file of. Raises ModelError where
    nothing fits, saying what was looked for.
    """
    if engine != "auto" and engine not in ENGINES:
        raise ModelError(f"engine {engine!r}: choose auto, {_or(ENGINES)}")
    if str(model or "auto") == "auto" and (best := _most_accurate(engine)) is not None:
        return best
    kinds = _or(dict.fromkeys(ENGINES.values()))
    base = Path(DEFAULT_MODEL if str(model or "auto") == "auto" else str(model))
    if base.suffix and base.suffix not in ENGINES.values():
        raise ModelError(f"{base}: a model is a {kinds} file, or a name")
    if not base.suffix and len(base.parts) == 1 and not any(map(Path.is_file, _files_of(base))):
        base = WEIGHTS / base
    names = [name for name in ENGINES if engine in ("auto", name)]
    if engine == "auto" and base.suffix:
        names = [name for name in names if ENGINES[name] == base.suffix]
    candidates = {name: base.with_suffix(ENGINES[name]) for name in names}
    for name, path in candidates.items():
        if path.is_file():
            return name, path
    weights = base.with_suffix(".safetensors")
    if engine != "auto" and weights.is_file():
        kind = {".xml": "openvino", ".onnx": "onnx"}[ENGINES[engine]]
        path = candidates[engine]
        if path.parent == WEIGHTS:  # which is the installed package's
            how = f"`perception export {path.stem} --format {kind} -o models`, then --model models/{path.name}"
            raise ModelError(f"{path.stem} is not shipped as {path.suffix}, which {engine} needs: {how}")
        raise ModelError(f"no {path}; make it with `perception export {weights} --format {kind}`")
    raise ModelError(f"no model: looked for {', '.join(map(str, dict.fromkeys(candidates.values())))}")


def load_engine(engine: str, path: Path, threads: int | None) -> Engine:
    """Load `path` into the engine of that name; only then are its libraries imported.

    Raises ModelError, also for files that are not what the manifest beside them says.
    """
    verify(path)
    if engine in _OPENVINO_DEVICES:
        from perception.engines.cache import compiled_cache
        from perception.engines.openvino import OpenVinoEngine

        return OpenVinoEngine(path, threads, _OPENVINO_DEVICES[engine], cache=compiled_cache())
    try:
        if engine == "onnxruntime":
            from perception.engines.onnxruntime import OnnxRuntimeEngine

            return OnnxRuntimeEngine(path, threads)
        if engine == "tensorrt":
            from perception.engines.tensorrt import TensorRtEngine

            return TensorRtEngine(path, threads)
        from perception.engines.pytorch import TorchEngine
    except ImportError as error:
        raise ModelError(f"engine {engine}: pip install {_INSTALL[engine]} ({error})") from error
    return TorchEngine(path, threads, compiled=engine == "torch-compiled")


def _most_accurate(engine: str) -> tuple[str, Path] | None:
    from perception.engines.family import family  # which asks for the files of each by `find_model`

    best = next(iter(family(engine)), None)
    return None if best is None else (best.engine, best.path)


def _files_of(base: Path) -> list[Path]:
    return [base.with_suffix(suffix) for suffix in ENGINES.values()]


def _or(names: dict[str, str] | dict[str, None]) -> str:
    *most, last = names
    return f"{', '.join(most)} or {last}"
