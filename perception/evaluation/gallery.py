# SPDX-License-Identifier: Apache-2.0
"""A drive's pictures: the video, the montage, and what the report shows of it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from perception.evaluation.scores.drive_score import DriveScore
from perception.frame import Frame
from perception.reporting.page import Picture
from perception.reporting.video import VideoWriter, animation
from perception.reporting.visualise import drive_panel, montage, outlined, overlay

Labels = NDArray[np.uint8]

MONTAGE_FRAMES = 4
ANIMATION_FRAMES = 50


class Gallery:
    """Draws a drive into `folder`: drive.mp4 (see VideoWriter) and montage.png.

    source: name of the drive. answers: labels by frame number, None for frames without an answer.
    truth: labels by recorded stamp [ns], as far as known. sensors: the drive's modalities. instances: those of a frame
    by its number, as `Prediction` has them, of a network that tells things apart.
    After `draw`: video is the file, pictures the best and worst frames beside their truth, animation a small WebP.
    """

    def __init__(
        self,
        folder: Path,
        source: str,
        score: DriveScore,
        answers: Sequence[Labels | None],
        truth: Mapping[int, Labels],
        sensors: Collection[str],
        rate_hz: float,
        instances: Callable[[int], NDArray[np.uint16] | None] = lambda index: None,
    ) -> None:
        self._instances = instances
        self._sensors = sensors
        self._folder, self._source, self._rate_hz = folder, source, rate_hz
        self._score, self._answers, self._truth = score, answers, truth
        self._extremes = {number: name for name, number in score.extremes().items()}
        self.video = folder / "drive.mp4"
        self.pictures: list[Picture] = []
        self.animation = b""

    def draw(self, frames: Iterable[Frame], advance: Callable[[], None]) -> None:
        """Draw every frame, one at a time; `advance` is called after each."""
        answered = [index for index, labels in enumerate(self._answers) if labels is not None]
        chosen = {answered[i * (len(answered) - 1) // (MONTAGE_FRAMES - 1)] for i in range(MONTAGE_FRAMES)}
        every = -(-len(self._answers) // ANIMATION_FRAMES)
        tiles: list[NDArray[np.uint8]] = []
        moving: list[NDArray[np.uint8]] = []
        with VideoWriter(self._folder / "drive", self._rate_hz) as video:
            for index, frame in enumerate(frames):
                panel = self._panel(frame, index)
                video.write(panel)
                if index in chosen:
                    tiles.append(panel)
                if index % every == 0:
                    half = cv2.resize(panel, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
                    moving.append(np.asarray(half, np.uint8))
                if index in self._extremes:
                    self._add_extreme(frame, index)
                advance()
        self.video = video.path
        self.animation = animation(moving, self._rate_hz / every)
        sheet = cv2.cvtColor(montage(tiles), cv2.COLOR_RGB2BGR)
        cv2.imwrite(str(self._folder / "montage.png"), sheet)

    def _panel(self, frame: Frame, index: int) -> NDArray[np.uint8]:
        latency = self._score.frames[index].latency_ms
        note = f"{latency:.0f} ms from sensor to mask" if latency is not None else "dropped"
        title = f"{self._source} · frame {index + 1}/{len(self._answers)}"
        labels, instances = self._answers[index], self._instances(index)
        return drive_panel(frame, labels, title, note, self._sensors, self._score.classes, instances)

    def _add_extreme(self, frame: Frame, index: int) -> None:
        """The answer, and the truth where it is known."""
        labels, truth, result = self._answers[index], self._truth.get(frame.stamp_ns), self._score.frames[index]
        if labels is None or frame.rgb is None:
            return
        figures = f"mean IoU {result.mean_iou:.3f}, " if result.mean_iou is not None else ""
        caption = f"The {self._extremes[index]} frame, number {index + 1}: {figures}{result.latency_ms:.0f} ms."
        shown, instances = overlay(frame.rgb, labels, classes=self._score.classes), self._instances(index)
        self.pictures.append(Picture(shown if instances is None else outlined(shown, instances), caption))
        if truth is not None:
            self.pictures.append(
                Picture(overlay(frame.rgb, truth, classes=self._score.classes), f"The truth of frame {index + 1}.")
            )
