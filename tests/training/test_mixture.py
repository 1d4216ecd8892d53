# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from perception.frame import Frame  # noqa: E402
from perception.sample import Sample  # noqa: E402
from perception.training.mixture import Mixture, Source  # noqa: E402


def _samples() -> list[Sample]:
    """Frames of one class each, as small as the crops are high."""
    return [
        Sample(str(c), Frame(0, np.full((64, 64, 3), 60 * c, np.uint8)), np.full((64, 64), c, np.uint8))
        for c in range(4)
    ]


def test_small_frames_stand_side_by_side() -> None:
    crops = Mixture([Source(_samples(), 1.0, (2.0, 2.0), tiles=2)], (64, 128), 20)
    seen = set()
    for item in (crops[i] for i in range(len(crops))):
        assert item["rgb"].shape == (3, 64, 128)
        assert item["aux"].shape == (10, 32, 64)
        assert item["present"].tolist() == [1, 0, 0, 0]
        left, right = item["labels"][:, :64].unique(), item["labels"][:, 64:].unique()
        assert len(left) == len(right) == 1
        seen.add((int(left), int(right)))
    assert any(left != right for left, right in seen)


def test_a_crop_depends_on_seed_and_number_alone() -> None:
    first, again = (Mixture([Source(_samples(), 1.0, (1.0, 2.0), tiles=2)], (64, 128), 9, seed=3) for _ in range(2))
    first[0]
    for name, tensor in first[5].items():
        torch.testing.assert_close(tensor, again[5][name])
