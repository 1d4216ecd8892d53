# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from perception import Frame, Pipeline
from perception.classes import CLASSES
from perception.evaluation.scores.flicker import Flicker
from perception.steadying import Steadying, motion

HEIGHT, WIDTH = 120, 416
PERIOD_NS = 100_000_000


def street(shift: int, height: int = HEIGHT, width: int = WIDTH) -> NDArray[np.uint8]:
    """(H, W, 3) a smooth random texture, the same surface `shift` pixels further to the right."""
    rng = np.random.default_rng(0)
    coarse = rng.integers(40, 216, (height // 8 + 2, (width + 64) // 8 + 2)).astype(np.float32)
    texture = np.kron(coarse, np.ones((8, 8), np.float32))
    kernel = np.ones(9) / 9
    for axis in (0, 1):
        texture = np.apply_along_axis(np.convolve, axis, texture, kernel, "same")
    return np.repeat(texture[:height, 64 - shift : 64 - shift + width, None], 3, 2).astype(np.uint8)


def said(label: int, confidence: float) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    return np.full((HEIGHT, WIDTH), label, np.uint8), np.full((HEIGHT, WIDTH), round(255 * confidence), np.uint8)


def frame(number: int, shift: int = 0) -> Frame:
    return Frame(number * PERIOD_NS, rgb=street(shift))


def test_a_first_frame_is_left_as_it_is() -> None:
    labels, confidence = Steadying()(frame(0), *said(1, 0.7))
    assert (labels == 1).all()
    assert (confidence == 178).all()


def test_a_doubtful_change_waits_and_a_sure_one_does_not() -> None:
    steadying = Steadying()
    steadying(frame(0), *said(1, 0.9))
    labels, confidence = steadying(frame(1), *said(2, 0.55))
    assert (labels == 1).all()
    assert np.median(confidence) == pytest.approx(255 * (0.5 * 0.9 + 0.25 * 0.45), abs=2)
    steadying = Steadying()
    steadying(frame(0), *said(1, 0.9))
    assert (steadying(frame(1), *said(2, 0.99))[0] == 2).all()


def test_a_change_that_stays_comes_two_frames_later_at_most() -> None:
    steadying = Steadying()
    for number in range(5):
        steadying(frame(number), *said(0, 0.99))
    late = [int(np.median(steadying(frame(5 + number), *said(2, 0.62))[0])) for number in range(3)]
    assert late == [0, 0, 2]


def test_people_come_at_once_where_they_are_likelier_than_not() -> None:
    """They are small and seldom seen surely; in a table of classes of one's own, so are those that are people."""
    riders = CLASSES.extended([{"name": "rider", "colour": (255, 0, 0), "within": "pedestrian"}])
    for classes, person in ((CLASSES, 3), (riders, 4)):
        steadying = Steadying(classes)
        steadying(frame(0), *said(0, 0.99))
        assert (steadying(frame(1), *said(person, 0.45))[0] == 0).all()
        assert (steadying(frame(2), *said(person, 0.52))[0] == person).all()


def test_the_past_moves_with_the_image() -> None:
    """Labels that are split in the middle of a surface that moves 12 pixels to the right stay on their surface."""
    steadying = Steadying()
    labels, confidence = said(0, 0.95)
    labels[:, 200:] = 1
    steadying(frame(0), labels, confidence)
    unsure = said(2, 0.4)
    moved, _ = steadying(frame(1, shift=12), *unsure)
    inside = moved[20:-20]
    assert (inside[:, 60:205] == 0).mean() > 0.98
    assert (inside[:, 219:360] == 1).mean() > 0.98


@pytest.mark.parametrize("later_ns", [600_000_000, -PERIOD_NS], ids=["after a gap", "back in time"])
def test_frames_of_another_time_have_no_common_past(later_ns: int) -> None:
    steadying = Steadying()
    steadying(Frame(PERIOD_NS, rgb=street(0)), *said(1, 0.95))
    labels, _ = steadying(Frame(PERIOD_NS + later_ns, rgb=street(0)), *said(2, 0.5))
    assert (labels == 2).all()


def test_another_image_has_no_common_past() -> None:
    steadying = Steadying()
    steadying(frame(0), *said(1, 0.95))
    labels, _ = steadying(Frame(PERIOD_NS, rgb=np.full_like(street(0), 250)), *said(2, 0.5))
    assert (labels == 2).all()


def test_the_same_frame_again_changes_nothing() -> None:
    """As `perception label --cross-check` does, with a sensor left out."""
    steadying = Steadying()
    steadying(frame(0), *said(1, 0.9))
    assert (steadying(frame(0), *said(2, 0.5))[0] == 2).all()
    assert (steadying(frame(1), *said(2, 0.5))[0] == 1).all()


def test_thermal_images_move_too() -> None:
    steadying = Steadying()
    thermal = [street(shift)[..., 0].astype(np.uint16) * 8 + 20000 for shift in (0, 6)]
    steadying(Frame(0, infrared=thermal[0]), *said(1, 0.9))
    labels, _ = steadying(Frame(PERIOD_NS, infrared=thermal[1]), *said(2, 0.5))
    assert (labels[20:-20, 40:-40] == 1).mean() > 0.95


def test_a_frame_without_an_image_forgets_the_past() -> None:
    steadying = Steadying()
    steadying(frame(0), *said(1, 0.9))
    depth = np.full((HEIGHT, WIDTH), 5, np.float32)
    assert (steadying(Frame(PERIOD_NS, depth=depth), *said(2, 0.5))[0] == 2).all()
    assert (steadying(frame(2), *said(2, 0.5))[0] == 2).all()


def test_motion_is_where_a_pixel_is_in_the_other_image() -> None:
    flow = motion(street(0)[..., 0], street(7)[..., 0])
    assert np.median(flow[20:-20, 40:-40, 0]) == pytest.approx(7, abs=0.3)
    assert np.median(flow[20:-20, 40:-40, 1]) == pytest.approx(0, abs=0.3)


def test_a_pipeline_steadies_a_drive_and_not_single_frames() -> None:
    """The same frame with a little noise flickers less."""
    rng = np.random.default_rng(1)
    noisy = [np.clip(street(0) + rng.normal(0, 25, (HEIGHT, WIDTH, 3)), 0, 255).astype(np.uint8) for _ in range(6)]
    shares = []
    for steady in (False, True):
        pipeline, flicker = Pipeline.load(threads=1, steady=steady), Flicker()
        for number, rgb in enumerate(noisy):
            flicker.add(Frame(number * PERIOD_NS, rgb=street(0)), pipeline(Frame(number * PERIOD_NS, rgb=rgb)).labels)
        shares.append(flicker.share)
    assert shares[1] < 0.7 * shares[0]
