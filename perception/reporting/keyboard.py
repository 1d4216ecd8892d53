# SPDX-License-Identifier: Apache-2.0
"""Single keys from the terminal while a command runs."""

from __future__ import annotations

import os
import select
import sys
import termios
import threading
import tty
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

RIGHT = "\x1b[C"
"""The terminal's code of the right arrow key."""


@contextmanager
def keys(actions: Mapping[str, Callable[[], None]]) -> Iterator[bool]:
    """Call an action when its key is pressed, until the context ends; yields whether there is a keyboard at all.

    Ctrl-C works as before. Where standard input is no terminal, or the command runs in the background, nothing is read.
    """
    if not sys.stdin.isatty() or os.tcgetpgrp(sys.stdin.fileno()) != os.getpgrp():
        yield False
        return
    number, ended = sys.stdin.fileno(), threading.Event()
    before = termios.tcgetattr(number)
    tty.setcbreak(number)
    thread = threading.Thread(target=_read, args=(number, actions, ended), daemon=True)
    thread.start()
    try:
        yield True
    finally:
        ended.set()
        thread.join()
        termios.tcsetattr(number, termios.TCSADRAIN, before)


def _read(number: int, actions: Mapping[str, Callable[[], None]], ended: threading.Event) -> None:
    while not ended.is_set():
        if select.select([number], [], [], 0.1)[0]:
            pressed = os.read(number, 8).decode(errors="ignore")
            if not pressed:  # the terminal has gone
                return
            action = actions.get(pressed)
            if action is not None:
                action()
