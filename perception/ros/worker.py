# SPDX-License-Identifier: Apache-2.0
"""The one thread that does the work: newest set → frame → prediction → messages."""

from __future__ import annotations

import threading
import traceback
from collections.abc import Callable

from perception.errors import PerceptionError
from perception.ros.collector import Change, SensorSet
from perception.ros.complaints import Complaints
from perception.ros.handover import Handover


class Worker:
    """Takes sets from `handover` and gives each to `answer`, until stopped; nothing that one set does stops it.

    on_change is told of sensors that come and go. Errors become complaints about `name`.
    """

    def __init__(
        self,
        name: str,
        handover: Handover,
        answer: Callable[[SensorSet], None],
        on_change: Callable[[Change], None],
        complaints: Complaints,
    ) -> None:
        self._name, self._handover, self._complaints = name, handover, complaints
        self._answer, self._on_change = answer, on_change
        self._thread = threading.Thread(target=self._run, name="perception worker", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Finish the set in hand and end the thread."""
        self._handover.close()
        self._thread.join()

    def _run(self) -> None:
        while not self._handover.closed:
            matched, changes = self._handover.take()
            for change in changes:
                self._on_change(change)
            if matched is None:
                continue
            try:
                self._answer(matched)
            except PerceptionError as error:
                self._fail(matched, str(error))
            except Exception as error:
                # Whatever one frame does, the vehicle needs the next.
                if not self._handover.closed:
                    trace = traceback.format_exc()
                    self._fail(matched, f"{type(error).__name__}: {error}; please report it\n{trace}")

    def _fail(self, matched: SensorSet, reason: str) -> None:
        self._handover.count_drop(matched.trigger, "failed")
        self._complaints.error(self._name, reason)
