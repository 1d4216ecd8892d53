# SPDX-License-Identifier: Apache-2.0
"""Engines that run a trained network, and the choice between them."""

from __future__ import annotations

from pathlib import Path

from perception.engines.base import Engine, NetworkOutput
from perception.errors import ModelError
from perception.paths import WEIGHTS

DEFAULT_MODEL = "dual_branch_s"
ENGINES: dict[str, str] = {"openvino": ".xml", "torch": ".safetensors"}
"""Engine names and the kind of file each runs; `auto` takes the first whose file is there."""

__all__ = ["DEFAULT_MODEL", "ENGINES", "Engine", "NetworkOutput", "find_model", "load_engine"]


def find_model(model: str | Path | None, engine: str) -> tuple[str, Path]:
    """(engine name, file) for a model's name among the shipped weights, or its path, with or without suffix.

    Raises ModelError where nothing fits, saying what was looked for.
    """
    if engine != "auto" and engine not in ENGINES:
        raise ModelError(f"engine {engine!r}: choose auto, {' or '.join(ENGINES)}")
    suffixes = ENGINES if engine == "auto" else {engine: ENGINES[engine]}
    base = Path(model or DEFAULT_MODEL)
    if base.suffix and base.suffix not in ENGINES.values():
        raise ModelError(f"{base}: a model is a {' or '.join(ENGINES.values())} file, or a name")
    if not base.suffix and len(base.parts) == 1 and not base.with_name(f"{base.name}.xml").exists():
        base = WEIGHTS / base
    if engine == "auto" and base.suffix:
        suffixes = {name: suffix for name, suffix in ENGINES.items() if suffix == base.suffix}
    candidates = {name: base.with_suffix(suffix) for name, suffix in suffixes.items()}
    for name, path in candidates.items():
        if path.is_file():
            return name, path
    looked_for = ", ".join(str(path) for path in candidates.values())
    if engine == "openvino" and base.with_suffix(".safetensors").is_file():
        raise ModelError(f"no {looked_for}; make it with `perception export {base.with_suffix('.safetensors')}`")
    raise ModelError(f"no model: looked for {looked_for}")


def load_engine(engine: str, path: Path, threads: int | None) -> Engine:
    """Load `path` into the engine of that name; only then are its libraries imported."""
    if engine == "openvino":
        from perception.engines.openvino import OpenVinoEngine

        return OpenVinoEngine(path, threads)
    try:
        from perception.engines.pytorch import TorchEngine
    except ImportError as error:
        raise ModelError(f"engine torch: pip install 'multimodal_perception[train]' ({error})") from error
    return TorchEngine(path, threads)
