# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

import cv2
import numpy as np
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
def thermal(tmp_path: Path) -> Path:
    """Two aligned pairs with soft labels: road below."""
    rng = np.random.default_rng(0)
    soft = np.zeros((32, 48, 4), np.uint8)
    soft[:16, :, 0], soft[16:, :, 1] = 255, 240
    for name in "ab":
        for folder, image in (
            ("visible", rng.integers(0, 256, (64, 96, 3), np.uint8)),
            ("infrared", rng.integers(0, 256, (64, 96), np.uint8)),
            ("soft_label", soft),
        ):
            path = tmp_path / "thermal" / folder / f"{name}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            cv2.imwrite(str(path), image)
    return tmp_path / "thermal"


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
