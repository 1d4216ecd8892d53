# SPDX-License-Identifier: Apache-2.0
"""`perception replay --report`: what was published, and what a perception node made of it, as a page."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

import numpy as np
from rclpy.node import Node

from perception.evaluation import plots, plots_bars
from perception.evaluation.page import Figure, Page, listed, number, table_of
from perception.evaluation.provenance import versions
from perception.evaluation.report import drive_plots, lead
from perception.ros.diary import Diary
from perception.ros.frames import MODALITY_OF_TOPIC
from perception.ros.recorder import Recorder
from perception.ros.replay import Published, Summary

QUIET_S = 2.0
"""Without an answer for so long after the end, no more will come."""


class Audience:
    """Listens to the node /perception while a replay runs, and notes what goes out. Use it as a context manager.

    names: the topic that each recorded one is published as, where that is another.
    """

    def __init__(self, node: Node, names: Mapping[str, str]) -> None:
        self._recorder, self._names = Recorder(node, keep_images=False), names
        self._sent: dict[str, dict[int, int]] = {}  # by modality, the wall time by stamp, in the order of sending
        self._again = False

    def __enter__(self) -> Audience:
        self._recorder.__enter__()
        return self

    def __exit__(self, *error: object) -> None:
        self._recorder.__exit__(*error)

    def note(self, message: Published) -> None:
        """A message went out just now. Of a stamp that goes out again, as in a loop, the last time counts."""
        modality = MODALITY_OF_TOPIC.get(self._names.get(message.topic, message.topic))
        if modality is not None:
            sent = self._sent.setdefault(modality, {})
            self._again |= sent.pop(message.stamp_ns, None) is not None
            sent[message.stamp_ns] = time.time_ns()

    def page(self, source: str, summary: Summary) -> Page:
        """The page of the replay that has just ended, after the last answers have come."""
        late = [(float(second), ms) for second, ms in summary.late_by_second.items()]
        page = Page(f"Perception replay: {source}", f"Published in {summary.seconds:.1f} s.")
        page.tiles = [
            ("messages", str(sum(summary.messages.values()))),
            ("most that one was late [ms]", number(summary.late_ms, 1)),
        ]
        answers = self._answers()
        if answers is None:
            page.notes = ["No node named /perception answered, so this is the published side alone."]
        else:
            page.lead += f" {lead(answers)}"
            latency = answers["latency_ms"].items()
            page.tiles += [("answered", f"{answers['frames_answered']} / {answers['frames_sent']}")]
            page.tiles += [(f"latency {name} [ms]", number(value, 0)) for name, value in latency]
            page.plots = drive_plots(answers)
            if self._again:
                page.notes = ["Frames went out again under the same stamps: of each, the last time counts."]
            page.tables = [
                *table_of("Milliseconds by stage, in the node", answers["stages_ms"]),
                *table_of("Weight of each sensor, mean", answers["modality_weights"]),
            ]
        counts = dict(sorted(summary.messages.items()))
        if counts:
            drawn = plots_bars.bars_plot("messages by topic", dict(counts), "{:d}")
            page.plots.append(Figure(drawn, f"Messages by topic: {listed(dict(counts), 0)}."))
        if late:
            drawn = plots.line_plot("most that a message was late [ms]", late, "seconds of the replay")
            page.plots.append(Figure(drawn, f"Lateness by second; at most {summary.late_ms:.1f} ms."))
        page.tables += table_of("Messages by topic", counts)
        page.provenance = {"source": source, **versions()}
        return page

    def _answers(self) -> dict[str, Any] | None:
        """What `drive_plots` takes; None where nobody answered. A frame is what the node was triggered by."""
        if not self._sent or self._recorder.missing:
            return None
        self._recorder.wait_for(max(next(reversed(sent)) for sent in self._sent.values()), QUIET_S, QUIET_S)
        self._recorder.wait_for_diagnostics(time.time_ns(), QUIET_S)
        images = self._recorder.images()
        arrived = {
            stamp: max(answers[stamp].received_ns for answers in images.values())
            for stamp in images["labels"]
            if all(stamp in answers for answers in images.values())
        }
        sent = max(self._sent.values(), key=lambda sent: len(sent.keys() & arrived.keys()))
        answered = {stamp: (arrived[stamp] - at) / 1e6 for stamp, at in sent.items() if arrived.get(stamp, 0) > at}
        if not answered:
            return None
        start, end = min(sent.values()), max(sent.values())
        diary, dropped = Diary(self._recorder.diagnostics()), len(sent) - len(answered)
        causes = diary.drops_by_cause(dropped)
        percentiles = np.percentile(list(answered.values()), (50, 95, 99)).tolist()
        frames = [{"time_s": (at - start) / 1e9, "latency_ms": answered.get(stamp)} for stamp, at in sent.items()]
        return {
            "frames_sent": len(sent),
            "frames_answered": len(answered),
            "frames_dropped": dropped,
            # The node counts all that it ever dropped: where that is more than these frames, it does not explain them.
            "drops_by_cause": causes if sum(causes.values()) == dropped else {},
            "latency_ms": dict(zip(("p50", "p95", "p99"), percentiles, strict=True)),
            "period_ms": float(np.median(np.diff(list(sent.values())))) / 1e6 if len(sent) > 1 else None,
            "iou": {},
            "pixel_accuracy": None,
            "stages_ms": diary.stages_ms(),
            "modality_weights": diary.mean_weights(),
            "sensor_dropouts": diary.dropouts(start, end),
            "series": {"frames": frames, "modality_weights": diary.weights(start)},
        }
