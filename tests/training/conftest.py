# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any

import pytest


@pytest.fixture
def small_config() -> Callable[[str], Any]:
    """Makes a shipped network narrow."""
    from mmengine.config import Config

    from perception.paths import config_path

    def load(name: str) -> Config:
        config = Config.fromfile(config_path(f"networks/{name}.py"))
        config.model.backbone.rgb.hidden = ((16,), (16,), (16,), (16,))
        return config

    return load


@pytest.fixture
def stopped_at() -> Callable[[int], AbstractContextManager[None]]:
    """A training inside `with stopped_at(crop)` is interrupted when that crop is read."""
    from perception.training.data.mixture import Mixture

    class Stopped(Exception):
        pass

    original = Mixture.__getitem__

    @contextmanager
    def stopped(crop: int) -> Iterator[None]:
        def stop(self: Mixture, index: int) -> dict[str, Any]:
            if index >= crop:
                raise Stopped
            return original(self, index)

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(Mixture, "__getitem__", stop)
            with pytest.raises(Stopped):
                yield

    return stopped
