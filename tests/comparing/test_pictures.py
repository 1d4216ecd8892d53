# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("mmseg")

from perception.comparing.parts import Part
from perception.comparing.pictures import COUNT, HEIGHT, WIDTH, sheet, shown, strip, truth_strip, write_strip
from perception.errors import DataError
from perception.frame import Frame
from perception.pipeline import Pipeline
from perception.sample import Sample


def part(name: str, count: int) -> Part:
    """Frames whose red tells the tiny network that all is road."""
    image = np.random.default_rng(0).integers(0, 256, (64, 96, 3)).astype(np.uint8)
    image[..., 0] = 90
    samples = [Sample(str(i), Frame(stamp_ns=i, rgb=image), np.ones((64, 96), np.uint8)) for i in range(count)]
    return Part(name, "val", samples, list(range(count)), samples)


def test_six_frames_are_of_all_real_sets_in_turn() -> None:
    found = shown([part("camvid", 10), part("idd-lite", 10), part("simulated", 10)])
    assert list(found) == ["camvid: 1", "camvid: 5", "camvid: 8", "idd-lite: 1", "idd-lite: 5", "idd-lite: 8"]
    assert list(shown([part("camvid", 1)])) == ["camvid: 0"]
    assert shown([part("simulated", 3)]) == {}


def test_rows_are_of_one_size_and_come_below_each_other(tiny_model: Path, tmp_path: Path) -> None:
    frames = shown([part("camvid", 2)])
    truth = truth_strip(frames)
    row = strip(Pipeline.load(tiny_model, threads=1), frames, "tiny")
    assert (truth.shape, row.shape) == ((2 * HEIGHT, COUNT * WIDTH, 3), (HEIGHT, COUNT * WIDTH, 3))
    right = row[60:, WIDTH : 2 * WIDTH]  # without the name
    np.testing.assert_array_equal(right, truth[HEIGHT + 60 :, WIDTH : 2 * WIDTH])
    for name, image in (("a", truth), ("b", row)):
        write_strip(tmp_path / f"{name}.jpg", image)
    both = sheet([tmp_path / "a.jpg", tmp_path / "b.jpg"])
    assert both.shape == (3 * HEIGHT, COUNT * WIDTH, 3)
    assert np.abs(both.astype(float) - np.concatenate([truth, row])).mean() < 10  # JPEG
    write_strip(tmp_path / "b.jpg", row[:, :50])
    with pytest.raises(DataError, match="not a row of 6 frames; remove it"):
        sheet([tmp_path / "b.jpg"])
