# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import io
import time

import pytest
from rich.console import Console

from perception.reporting.progress import Steps


def test_a_step_is_shown_and_timed() -> None:
    shown = io.StringIO()
    steps = Steps(Console(file=shown, width=100))
    with steps.step("render", "rendering", 2) as done:
        done()
        time.sleep(0.05)
        done()
    assert "rendering" in shown.getvalue()
    assert "2/2" in shown.getvalue()
    assert "left: 00:00" in shown.getvalue()
    assert steps.seconds["render"] >= 0.05


def test_a_step_that_fails_took_no_time() -> None:
    steps = Steps(Console(file=io.StringIO()))
    with pytest.raises(ValueError, match="broken"), steps.step("render", "rendering", 1):
        raise ValueError("broken")
    assert steps.seconds == {}
