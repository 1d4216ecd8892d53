# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest

from perception.classes import ROAD
from perception.evaluation.gallery import Gallery
from perception.evaluation.scores.drive_score import DriveScore
from perception.frame import Frame

STEP = 100_000_000


def frames(count: int) -> list[Frame]:
    return [Frame(i * STEP, rgb=np.full((48, 96, 3), 90, np.uint8)) for i in range(count)]


def drawn(
    folder: Path,
    found: list[float | None],
    instances: Callable[[int], np.ndarray | None] = lambda index: None,
) -> tuple[Gallery, list[Frame]]:
    """A drive whose answers find that share of the road, which is everywhere; None is no answer."""
    given, score = frames(len(found)), DriveScore()
    road = np.full((48, 96), ROAD, np.uint8)
    answers: list[np.ndarray | None] = []
    for frame, share in zip(given, found, strict=True):
        labels, received_ns = None, None
        if share is not None:
            labels = np.where(np.arange(96) < 96 * share, road, 0).astype(np.uint8)
            received_ns = frame.stamp_ns + 30_000_000
        answers.append(labels)
        score.add(frame.stamp_ns, received_ns, labels, road)
    truth = dict.fromkeys((frame.stamp_ns for frame in given), road)
    gallery = Gallery(folder, "street", score, answers, truth, ["rgb"], 10.0, instances)
    told: list[int] = []
    gallery.draw(given, lambda: told.append(1))
    assert len(told) == len(given)
    return gallery, given


@pytest.mark.parametrize("found", [[0.5], [None, 0.25, 1.0, None, 0.5, 0.75]])
def test_every_frame_is_in_the_video_and_four_answers_in_the_montage(tmp_path: Path, found: list[float | None]) -> None:
    gallery, _ = drawn(tmp_path, found)
    assert gallery.video.parent == tmp_path
    video = cv2.VideoCapture(str(gallery.video))
    assert round(video.get(cv2.CAP_PROP_FRAME_COUNT)) == len(found)
    assert cv2.imread(str(tmp_path / "montage.png")).shape[1] == 1800
    assert gallery.animation[8:12] == b"WEBP"


def test_best_and_worst_are_shown_beside_their_truth(tmp_path: Path) -> None:
    gallery, _ = drawn(tmp_path, [None, 0.25, 1.0, 0.5])
    captions = [picture.caption for picture in gallery.pictures]
    assert [caption.split(":")[0] for caption in captions[::2]] == [
        "The worst frame, number 2",
        "The best frame, number 3",
    ]
    assert "mean IoU 0.250" in captions[0]
    assert captions[1::2] == ["The truth of frame 2.", "The truth of frame 3."]
    answer, truth = (picture.image.astype(int) for picture in gallery.pictures[:2])
    np.testing.assert_array_equal(answer[:, :20], truth[:, :20])  # found
    assert (answer[:, 30:] != truth[:, 30:]).any(axis=2).all()
    np.testing.assert_array_equal(gallery.pictures[2].image, gallery.pictures[3].image)


def test_things_are_outlined_in_video_and_pictures(tmp_path: Path) -> None:
    things = np.zeros((48, 96), np.uint16)
    things[10:40, 20:70] = 2005
    (tmp_path / "plain").mkdir()
    (tmp_path / "things").mkdir()
    plain, _ = drawn(tmp_path / "plain", [0.5, 1.0])
    told, _ = drawn(tmp_path / "things", [0.5, 1.0], lambda index: things if index else None)
    for place, differs in ((0, False), (1, False), (2, True), (3, False)):  # the second frame's answer
        assert np.array_equal(plain.pictures[place].image, told.pictures[place].image) != differs
    assert (plain.pictures[2].image != told.pictures[2].image).any(2)[10:40, 20].all()
    videos = [cv2.VideoCapture(str(each.video)) for each in (plain, told)]
    first, second = ([video.read()[1] for video in videos] for _ in range(2))
    assert np.array_equal(*first)
    assert not np.array_equal(*second)
