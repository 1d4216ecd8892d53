# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import os
import pty
import subprocess
import sys
import time

from perception.reporting.keyboard import RIGHT

CODE = """
import termios, time
from perception.reporting.keyboard import RIGHT, keys
before = termios.tcgetattr(0)
pressed = []
with keys({" ": lambda: pressed.append("space"), RIGHT: lambda: pressed.append("right")}) as there:
    print("ready", there, flush=True)
    while len(pressed) < 2:
        time.sleep(0.01)
print(*pressed, termios.tcgetattr(0) == before, flush=True)
"""


def test_keys_act_and_the_terminal_is_as_before() -> None:
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-c", CODE],
        stdin=theirs,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
        preexec_fn=lambda: os.close(os.open(os.ttyname(theirs), os.O_RDWR)),
    )
    os.close(theirs)
    assert process.stdout
    assert process.stdout.readline() == "ready True\n"
    for pressed in (b"x", RIGHT.encode(), b" "):
        os.write(ours, pressed)
        time.sleep(0.3)
    assert process.communicate(timeout=60)[0] == "right space True\n"
    os.close(ours)


def test_without_a_terminal_there_is_no_keyboard() -> None:
    code = "from perception.reporting.keyboard import keys\nwith keys({}) as there: print(there)"
    done = subprocess.run([sys.executable, "-c", code], stdin=subprocess.DEVNULL, capture_output=True, text=True)
    assert (done.stdout, done.stderr) == ("False\n", "")
