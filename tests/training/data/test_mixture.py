# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from perception.frame import MODALITIES, Frame  # noqa: E402
from perception.sample import Sample  # noqa: E402
from perception.training.data.mixture import Mixture, Source  # noqa: E402


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


def test_soft_labels_stand_side_by_side_with_their_frames() -> None:
    """Each tile's probabilities under its own frame, at half the size, and zeros beside hard labels."""
    soft = [
        Sample(str(c), Frame(0, np.full((64, 64, 3), 60 * c + 30, np.uint8)), probabilities=np.eye(4, dtype=np.float32)[
            np.full((32, 32), c)
        ])
        for c in range(4)
    ]  # fmt: skip
    crops = Mixture(
        [Source(soft, 1.0, (2.0, 2.0), tiles=2, soft=True), Source(_samples(), 1.0, (2.0, 2.0))], (64, 128), 30
    )
    kinds = set()
    for item in (crops[i] for i in range(len(crops))):
        assert item["soft"].shape == (4, 32, 64)
        if not item["soft"].any():
            kinds.add("hard")
            assert (item["labels"] != 255).all()
            continue
        shown = [int(tile.amax((1, 2)).argmax()) for tile in item["soft"].split(32, 2)]
        brightness = [float(tile.float().mean()) for tile in item["rgb"].split(64, 2)]
        assert [round(float(value)) for value in item["soft"].float().mean((1, 2)) / 255 * 2] == [
            shown.count(c) for c in range(4)
        ]
        if abs(shown[0] - shown[1]) > 1:  # the exposure is drawn for each tile
            kinds.add("two")
            assert (brightness[0] < brightness[1]) == (shown[0] < shown[1])
    assert kinds == {"hard", "two"}


def test_a_crop_depends_on_seed_and_number_alone() -> None:
    first, again = (Mixture([Source(_samples(), 1.0, (1.0, 2.0), tiles=2)], (64, 128), 9, seed=3) for _ in range(2))
    first[0]
    for name, tensor in first[5].items():
        torch.testing.assert_close(tensor, again[5][name])


def test_a_network_of_the_camera_alone_gets_the_same_crops_never_without_it() -> None:
    frames = [
        Sample(str(c), Frame(0, np.full((64, 64, 3), 60 * c, np.uint8), infrared=np.full((64, 64), 90, np.uint8)),
               np.full((64, 64), c, np.uint8))
        for c in range(4)
    ]  # fmt: skip
    sources = [Source(frames, 1.0, (1.0, 1.0))]
    whole, alone = (Mixture(sources, (64, 64), 30, sensors=sensors) for sensors in (MODALITIES, ("rgb",)))
    for expected, item in zip((whole[i] for i in range(30)), (alone[i] for i in range(30)), strict=True):
        assert item["present"].tolist() == [1.0]
        assert item["aux"].shape == (0, 32, 32)
        assert torch.equal(item["labels"], expected["labels"])
        if expected["present"][0]:
            assert torch.equal(item["rgb"], expected["rgb"])
    assert {float(whole[i]["present"][0]) for i in range(30)} == {0.0, 1.0}
    taught = Mixture(sources, (64, 64), 1, whole=True, sensors=("rgb",))[0]
    assert taught["kept"].tolist() == [1.0]


def _people() -> Sample:
    """Two people side by side, before a known background on the left and nothing known on the right."""
    labels, instances = np.zeros((64, 128), np.uint8), np.zeros((64, 128), np.uint16)
    labels[:, 64:] = 255
    labels[20:52, 10:22], labels[20:52, 22:34] = 3, 3
    instances[20:52, 10:22], instances[20:52, 22:34] = 3001, 3002
    rgb = np.zeros((64, 128, 3), np.uint8)
    rgb[instances > 0] = 250
    return Sample("people", Frame(0, rgb), labels, instances=instances)


def test_centres_and_offsets_follow_the_crop() -> None:
    crops = Mixture([Source([_people()], 1.0, (1.0, 1.0))], (64, 128), 12, instances=True)
    mirrored = set()
    for item in (crops[i] for i in range(len(crops))):
        vehicles, people, down, right, known, things = item["instances"].numpy()
        assert not vehicles.any()
        rows, columns = np.nonzero(people == 1)
        assert rows.tolist() == [9, 9] or rows.tolist() == [8, 8]
        in_things = things > 0
        np.testing.assert_array_equal(in_things, item["labels"].numpy()[2::4, 2::4] == 3)
        mirrored.add(bool(columns.min() > 16))
        # Each cell points at one of the two.
        at = (np.nonzero(in_things)[1] + right[in_things] / 4).round()
        assert set(np.unique(at).astype(int)) <= set(columns.tolist()) | set((columns + 1).tolist())
        assert known[:, 16:].any() == (columns.min() > 16)
        assert np.abs(down[in_things]).max() < 17
    assert mirrored == {False, True}


def test_tiles_of_the_same_numbers_are_other_people_and_samples_without_truth_teach_nothing() -> None:
    unknown = _people()
    unknown.instances = None
    tiles = Mixture([Source([_people()], 1.0, (0.9, 1.1), tiles=2)], (64, 256), 4, instances=True)
    assert tiles[0]["instances"].shape == (6, 16, 64)
    assert np.count_nonzero(tiles[0]["instances"][1] == 1) == 4
    crops = Mixture([Source([unknown], 1.0, (1.0, 1.0))], (64, 128), 2, instances=True)
    assert not crops[0]["instances"].any()
    assert "instances" not in Mixture([Source([_people()], 1.0, (1.0, 1.0))], (64, 128), 2)[0]
