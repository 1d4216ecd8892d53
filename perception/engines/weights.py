# SPDX-License-Identifier: Apache-2.0
"""Weight files: tensors and a JSON description of the network, never code (safetensors).

A network with custom parts is stored with the names of the modules that register them; these are looked
for in the folder of the config that it was trained with and on Python's path, never beside the weights.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from perception.classes import CLASSES, Classes
from perception.disk import write_file
from perception.engines.described import KEY, note
from perception.errors import ModelError

if TYPE_CHECKING:
    from torch import Tensor, nn


def save_weights(
    path: str | Path,
    state: Mapping[str, Tensor],
    model: Mapping[str, Any],
    custom: Mapping[str, Any] | None = None,
    classes: Classes = CLASSES,
) -> None:
    """Write `state` and the mmseg config `model` to the safetensors file `path`, as `write_file` does.

    custom: the `custom_imports` that the model needs, as `perception.models.custom.read_config` returns them. classes:
    the network's.
    """
    from safetensors.torch import save

    tensors = {name: tensor.detach().cpu().contiguous() for name, tensor in state.items()}
    metadata = {"model": model, **({"custom_imports": custom} if custom else {})}
    said = {name: json.dumps(value) for name, value in metadata.items()}
    if noted := note(classes):
        said[KEY] = noted
    write_file(Path(path), save(tensors, metadata=said))


def load_weights(path: str | Path) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """(state, model config) of a file written by `save_weights`; ModelError for anything else."""
    state, model, _ = _load(Path(path))
    return state, model


def _load(path: Path) -> tuple[dict[str, Tensor], dict[str, Any], dict[str, Any]]:
    """(state, model config, custom imports)."""
    from safetensors import SafetensorError, safe_open

    if not path.is_file():
        raise ModelError(f"{path}: no such weights file")
    try:
        with safe_open(path, framework="pt") as file:
            metadata = file.metadata() or {}
            state = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 (not a mapping)
    except (SafetensorError, OSError) as error:
        raise ModelError(f"{path}: not a safetensors checkpoint ({error})") from error
    if "model" not in metadata:
        raise ModelError(f"{path}: tensors without a model config; write it with `perception train`")
    return state, json.loads(metadata["model"]), json.loads(metadata.get("custom_imports", "{}"))


def build_model(path: str | Path) -> nn.Module:
    """The mmseg segmentor of a weights file, in eval mode.

    Raises ModelError if weights and config do not fit, and for a part that no importable module has.
    """
    from mmengine.registry import init_default_scope
    from mmseg.registry import MODELS

    import perception.models  # noqa: F401 (registers the parts)
    from perception.models.custom import building, import_custom

    state, config, custom = _load(Path(path))
    if custom:
        import_custom(custom, Path(path))
    init_default_scope("mmseg")
    with building(path):
        model: nn.Module = MODELS.build(config)
    try:
        model.load_state_dict(state)
    except RuntimeError as error:
        raise ModelError(f"{path}: the tensors do not fit the model config: {error}") from error
    return model.eval()
