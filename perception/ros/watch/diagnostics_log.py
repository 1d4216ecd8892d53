# SPDX-License-Identifier: Apache-2.0
"""A node's state during a drive, read from its diagnostics."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from perception.assembly.collector import LEFT_BEHIND
from perception.assembly.statistics import falls_behind
from perception.frame import MODALITIES
from perception.reporting.dropout import Dropout
from perception.ros.watch.recorder import Status
from perception.sensors.spec import SPECS

UNEXPLAINED = "lost on the way"
"""The cause of drops that the node does not know about."""

SLOW = 0.05
"""A node that skips more than this share of its frames for newer ones does not keep up."""

SURE = 3
"""The seconds needed to distinguish a rate from a short delay."""


def node_names(statuses: Sequence[Status]) -> list[str]:
    """The perception nodes found in the diagnostics, by name, without the first slash."""
    suffix = ": fusion"
    return sorted({status.name.removesuffix(suffix) for status in statuses if status.name.endswith(suffix)})


class DiagnosticsLog:
    """The statuses of one node, "perception: fusion" and one per sensor, in the order in which they came."""

    def __init__(self, statuses: Sequence[Status], node: str = "perception") -> None:
        self._prefix = f"{node}: "
        self._statuses = statuses
        self._fusion = [s for s in self._of("fusion") if int(s.values.get("frames", 0)) > 0]

    def drops_by_cause(self, dropped: int) -> dict[str, int]:
        """Why `dropped` frames got no answer: the trigger's drops as the node counted them, and frames it never
        received."""
        last = self._of(self._trigger)[-1:]
        counts = {
            key[len("dropped_") :].replace("_", " "): int(value)
            for status in last
            for key, value in status.values.items()
            if key.startswith("dropped_") and int(value)
        }
        missing = dropped - sum(counts.values())
        return counts | ({UNEXPLAINED: missing} if missing > 0 else {})

    def falls_behind(self) -> str:
        """How far the node is from keeping up with its sensors, and what to try; empty if it keeps up."""
        states = self._of(self._trigger)
        if not states:
            return ""
        first, last = states[0].values, states[-1].values
        received, *behind = (
            int(last.get(key, 0)) - int(first.get(key, 0))
            for key in ("received", *(f"dropped_{cause}" for cause in LEFT_BEHIND))
        )
        if sum(behind) <= SLOW * received:
            return ""
        answered = {status.received_ns: float(status.values.get("rate_hz", 0)) for status in self._fusion}
        rates = sorted(
            (float(state.values["rate_hz"]), answered[state.received_ns])
            for state in states
            if state.received_ns in answered and float(state.values.get("rate_hz", 0)) > 0
        )
        if len(rates) < SURE:
            return ""
        sent_hz, answered_hz = rates[len(rates) // 2]
        return falls_behind(answered_hz, sent_hz, self._trigger, "model_steps" in self._fusion[-1].values)

    def model(self) -> tuple[str, float, int]:
        """Name, scale and looks of the model that ran for most of the time; empty, 1 and 1 if the node never reported
        one."""
        told = [status.values for status in self._fusion if "model" in status.values]
        ran = [
            (values["model"], float(values.get("model_scale", 1)), int(values.get("model_looks", 1))) for values in told
        ]
        return max(dict.fromkeys(ran), key=ran.count, default=("", 1.0, 1))

    def weights(self, start_ns: int) -> list[dict[str, float]]:
        """How much each sensor counted, once a second, by modality; time_s: seconds after start_ns [wall clock]."""
        return [
            {
                "time_s": (s.received_ns - start_ns) / 1e9,
                **{
                    m: float(s.values.get(f"weight_{m}", 0))
                    for m in SPECS
                    if m in MODALITIES or f"weight_{m}" in s.values
                },
            }
            for s in self._fusion
        ]

    def dropouts(self, start_ns: int, end_ns: int) -> list[Dropout]:
        """When a sensor that had sent messages was silent between two wall times, in seconds after start_ns."""
        gaps: list[Dropout] = []
        for name in SPECS:
            since: float | None = None
            for status in self._of(name):
                if status.received_ns > end_ns:
                    break
                now, age = (status.received_ns - start_ns) / 1e9, status.values.get("age_s", "")
                if status.values.get("alive") == "False" and age:
                    since = max(0.0, now - float(age)) if since is None else since
                elif since is not None:
                    gaps.append(Dropout(name, since, now))
                    since = None
            if since is not None:
                gaps.append(Dropout(name, since, (end_ns - start_ns) / 1e9))
        return gaps

    def mean_weights(self) -> dict[str, float]:
        """The mean of `weights` by modality; empty if the node never reported any."""
        return self._means({f"weight_{name}": name for name in SPECS})

    def stages_ms(self) -> dict[str, float]:
        """Milliseconds by stage, the mean of the reports once a second."""
        keys = self._fusion[-1].values if self._fusion else {}
        stages = [key for key in keys if key.startswith("stage_") and key.endswith("_ms")]
        return self._means({key: key[len("stage_") : -len("_ms")] for key in stages})

    @property
    def _trigger(self) -> str:
        return self._fusion[-1].values.get("trigger", "rgb") if self._fusion else "rgb"

    def _of(self, component: str) -> list[Status]:
        return [status for status in self._statuses if status.name == self._prefix + component]

    def _means(self, names: dict[str, str]) -> dict[str, float]:
        means: dict[str, float] = {}
        for key, name in names.items():
            values = [float(status.values[key]) for status in self._fusion if key in status.values]
            if values:
                means[name] = float(np.mean(values))
        return means
