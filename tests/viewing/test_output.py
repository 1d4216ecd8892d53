# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import subprocess
import sys
import threading
from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console

pytest.importorskip("rerun")

import rerun as rr
from helpers.rerun_file import columns

from perception.errors import DataError
from perception.viewing.output import Output, open_output, show_file


def test_a_file_is_complete_after_the_context_and_its_size_is_told(tmp_path: Path) -> None:
    said, path = StringIO(), tmp_path / "new/drive.rrd"
    with open_output(path, None, Console(file=said)) as output:
        assert output.running()
        assert not output.ends_with_us
        output.recording.log("here", rr.TextLog("hello"))
        output.finish(threading.Event())
    assert "/here" in columns(path)
    assert f"{path}: 0.0 MB" in said.getvalue()


def test_what_ends_with_us_stays_until_it_is_closed_or_stopped() -> None:
    recording = rr.RecordingStream("test")
    looks = iter([True, True, False])
    Output(recording, lambda: next(looks), ends_with_us=True).finish(threading.Event())
    assert list(looks) == []  # it looked until the viewer was closed
    stopped = threading.Event()
    stopped.set()
    Output(recording, lambda: True, ends_with_us=True).finish(stopped)
    Output(recording, lambda: True).finish(threading.Event())  # a viewer of its own is not waited for


INTERRUPTED = """
import os, signal, sys
from perception.viewing.output import interruptible
number = signal.Signals[sys.argv[1]]
before = signal.getsignal(number)
with interruptible() as stop:
    assert not stop.is_set()
    os.kill(os.getpid(), number)
    assert stop.wait(5.0)
assert signal.getsignal(number) is before
print("done")
"""


@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM"])
def test_a_signal_sets_the_event_and_means_what_it_did_before_afterwards(name: str) -> None:
    """In a process of its own: the one that runs the tests has other uses for signals."""
    done = subprocess.run(
        [sys.executable, "-c", INTERRUPTED, name], capture_output=True, text=True, timeout=60, check=False
    )
    assert (done.returncode, done.stdout) == (0, "done\n"), done.stderr


def test_a_view_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no such file"):
        show_file(tmp_path / "drive.rrd")
