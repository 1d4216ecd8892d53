# SPDX-License-Identifier: Apache-2.0
"""Engines that run a trained network, and the choice between them.

| engine | runs | on | needs |
|---|---|---|---|
| `openvino` | .xml | CPU | |
| `openvino-gpu` | .xml | Intel GPU | Intel's GPU driver |
| `openvino-auto` | .xml | the device that OpenVINO chooses | |
| `onnxruntime` | .onnx | NVIDIA GPU if there is one, else CPU | extra `onnx`; for a GPU `onnxruntime-gpu` |
| `tensorrt` | .onnx | NVIDIA GPU | `tensorrt` and `onnxruntime-gpu` |
| `torch` | .safetensors | NVIDIA GPU if there is one, else CPU | extra `train` |
| `torch-compiled` | .safetensors | NVIDIA GPU; takes longer to start | extra `train`, a C compiler |

Files that others made run by the same engines, with a `model.yaml` beside them (`perception.engines.foreign`).

`auto` takes the first engine in this order whose file exists. A path with a suffix already names the file. Further
engines are registered by `engine` (docs/extending.md).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from perception.engines.base import Engine, NetworkOutput
from perception.engines.described import MODEL_YAML, described_by
from perception.engines.manifest import NAME, verify
from perception.errors import ModelError
from perception.paths import WEIGHTS
from perception.registry import Registry, unknown
from perception.storage import local, source

DEFAULT_MODEL = "dual_branch_s"

Load = Callable[[Path, int | None], Engine]


@dataclass(frozen=True)
class EngineKind:
    """One kind of engine.

    suffix: of the files that it runs. load: makes an engine from a file and a number of CPU threads, None for every
    core; it imports the engine's libraries. install: the argument of pip if they are missing. on_cpu: whether as many
    of these engines as there are cores may run at once.
    """

    suffix: str
    load: Load
    install: str = ""
    on_cpu: bool = False


ENGINES: Registry[EngineKind] = Registry("engine", "engines", ModelError)
"""Engines by name, in the order in which `auto` looks."""

EXPORTED = {".xml": "openvino", ".onnx": "onnx"}
"""The names that `perception export --format` uses for the files made from weights."""

__all__ = [
    "DEFAULT_MODEL",
    "ENGINES",
    "Engine",
    "EngineKind",
    "NetworkOutput",
    "engine",
    "find_model",
    "find_weights",
    "load_engine",
]


def engine(name: str, suffix: str, install: str = "", on_cpu: bool = False) -> Callable[[Load], Load]:
    """Register the loader of the engine `name`, as a decorator; see `EngineKind`. Raises ModelError for a taken
    name."""

    def decorate(load: Load) -> Load:
        ENGINES.add(name, EngineKind(suffix, load, install, on_cpu))
        return load

    return decorate


def _openvino(device: str) -> Load:
    def load(path: Path, threads: int | None) -> Engine:
        if described := described_by(path):
            from perception.engines.foreign.engine import ForeignEngine
            from perception.engines.foreign.running import OpenVinoRunner

            return ForeignEngine(described, OpenVinoRunner(path, threads, device))
        from perception.engines.cache import compiled_cache
        from perception.engines.openvino import OpenVinoEngine

        return OpenVinoEngine(path, threads, device, cache=compiled_cache())

    return load


engine("openvino", ".xml", on_cpu=True)(_openvino("CPU"))
engine("openvino-gpu", ".xml")(_openvino("GPU"))
engine("openvino-auto", ".xml")(_openvino("AUTO"))


@engine("onnxruntime", ".onnx", install="'multimodal_perception[onnx]'", on_cpu=True)
def _onnxruntime(path: Path, threads: int | None) -> Engine:
    if described := described_by(path):
        from perception.engines.foreign.engine import ForeignEngine
        from perception.engines.foreign.running import OnnxRuntimeRunner

        return ForeignEngine(described, OnnxRuntimeRunner(path, threads))
    from perception.engines.onnxruntime import OnnxRuntimeEngine

    return OnnxRuntimeEngine(path, threads)


@engine("tensorrt", ".onnx", install="tensorrt onnxruntime-gpu")
def _tensorrt(path: Path, threads: int | None) -> Engine:
    if described := described_by(path):
        raise ModelError(f"engine tensorrt: takes files of `perception export` alone; run {described} by onnxruntime")
    from perception.engines.tensorrt import TensorRtEngine

    return TensorRtEngine(path, threads)


@engine("torch", ".safetensors", install="'multimodal_perception[train]'")
def _torch(path: Path, threads: int | None) -> Engine:
    from perception.engines.pytorch import TorchEngine

    return TorchEngine(path, threads)


@engine("torch-compiled", ".safetensors", install="'multimodal_perception[train]'")
def _torch_compiled(path: Path, threads: int | None) -> Engine:
    from perception.engines.pytorch import TorchEngine

    return TorchEngine(path, threads, compiled=True)


def find_model(model: str | Path | None, engine: str) -> tuple[str, Path]:
    """(engine name, file) for a model's name among the shipped weights, or its path or URL, with or without suffix.

    None and `auto` select the most accurate shipped model for which the engine has a file. Raises ModelError if
    nothing fits, with the files that were looked for.
    """
    if engine != "auto" and engine not in ENGINES:
        raise ModelError(unknown("engine", engine, ("auto", *ENGINES)))
    model = None if model is None or str(model) == "auto" else model
    if model is None and (best := _most_accurate(engine)) is not None:
        return best
    suffixes = list(dict.fromkeys(kind.suffix for kind in ENGINES.values()))
    base = source(model or DEFAULT_MODEL)
    if base.suffix and base.suffix not in suffixes:
        raise ModelError(f"{base}: a model is a {_or(suffixes)} file, or a name")
    if not base.suffix and len(base.parts) == 1 and not any(base.with_suffix(each).is_file() for each in suffixes):
        base = WEIGHTS / base
    names = [name for name in ENGINES if engine in ("auto", name)]
    if engine == "auto" and base.suffix:
        names = [name for name in names if ENGINES[name].suffix == base.suffix]
    candidates = {name: base.with_suffix(ENGINES[name].suffix) for name in names}
    for name, path in candidates.items():
        if path.is_file():
            return name, local(path, f"{path.stem}.*", NAME, MODEL_YAML)
    weights = base.with_suffix(".safetensors")
    kind = EXPORTED.get(ENGINES[engine].suffix) if engine != "auto" else None
    if kind and weights.is_file():
        path = candidates[engine]
        if path.parent == WEIGHTS:  # the folder of the installed package
            how = f"`perception export {path.stem} --format {kind} -o models`, then --model models/{path.name}"
            raise ModelError(f"{path.stem} is not shipped as {path.suffix}, which {engine} needs: {how}")
        raise ModelError(f"no {path}; make it with `perception export {weights} --format {kind}`")
    raise ModelError(f"no model: looked for {', '.join(map(format, dict.fromkeys(candidates.values())))}")


def find_weights(given: str | Path) -> Path:
    """The .safetensors file of a model that is given by path, URL or name. Raises ModelError for an unknown name."""
    path = source(given)
    return local(path) if path.suffix else find_model(given, "torch")[1]


def load_engine(engine: str, path: Path, threads: int | None) -> Engine:
    """Load `path` into the engine of that name; only then are its libraries imported.

    Raises ModelError, also for files that do not match the manifest beside them.
    """
    verify(path)
    kind = ENGINES.find(engine)
    try:
        return kind.load(path, threads)
    except ImportError as error:
        how = f"pip install {kind.install} ({error})" if kind.install else str(error)
        raise ModelError(f"engine {engine}: {how}") from error


def _most_accurate(engine: str) -> tuple[str, Path] | None:
    from perception.engines.family import family  # here, since it finds each model's file by `find_model`

    best = next(iter(family(engine)), None)
    return None if best is None else (best.engine, best.path)


def _or(names: Iterable[str]) -> str:
    *most, last = names
    return f"{', '.join(most)} or {last}"
