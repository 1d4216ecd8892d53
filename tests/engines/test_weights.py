# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pickle
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("mmseg")

from perception.engines.weights import build_model, load_weights, save_weights  # noqa: E402
from perception.errors import ModelError  # noqa: E402


def test_come_back_as_they_were_saved(weights: Path) -> None:
    state, config = load_weights(weights)
    model = build_model(weights)
    assert config["type"] == "EncoderDecoder"
    assert not model.training
    for name, tensor in model.state_dict().items():
        torch.testing.assert_close(tensor, state[name])


class Bomb:
    def __reduce__(self) -> tuple:
        return (pytest.fail, ("a checkpoint's code was run",))


@pytest.mark.parametrize("content", [b"", b"not a checkpoint", pickle.dumps(Bomb())])
def test_a_file_that_is_no_checkpoint_is_refused_and_never_run(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "weights.safetensors"
    path.write_bytes(content)
    with pytest.raises(ModelError, match="not a safetensors checkpoint"):
        load_weights(path)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"none\.safetensors: no such"):
        load_weights(tmp_path / "none.safetensors")


def test_tensors_without_a_config_are_refused(tmp_path: Path) -> None:
    from safetensors.numpy import save_file

    save_file({"a": np.zeros(3)}, tmp_path / "a.safetensors")
    with pytest.raises(ModelError, match="without a model config"):
        load_weights(tmp_path / "a.safetensors")


def test_tensors_of_another_network_are_refused(weights: Path, tmp_path: Path) -> None:
    state, config = load_weights(weights)
    state.pop(next(iter(state)))
    save_weights(tmp_path / "short.safetensors", state, config)
    with pytest.raises(ModelError, match="do not fit"):
        build_model(tmp_path / "short.safetensors")
