# SPDX-License-Identifier: Apache-2.0
"""Rerun's viewer as a separate process: a window, or a server for a browser. It sends no usage reports.

By default Rerun sends usage statistics, checks GitHub for a newer version, and listens on all networks. Here the
viewer's environment prevents that, and it listens only on 127.0.0.1.
"""

from __future__ import annotations

import importlib.util
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

from perception.errors import PerceptionError
from perception.viewing.relay import relay

START_TIMEOUT_S = 20.0
MEMORY = "2GB"
"""The viewer's memory limit; beyond it, the oldest data is dropped."""

NOWHERE = "http://127.0.0.1:9"
"""A proxy that does not exist: the port of the discard service."""

QUIET = {
    "CI": "1",  # no usage statistics are collected
    "FORCE_RERUN_ANALYTICS": "0",
    **dict.fromkeys(("ALL_PROXY", "HTTP_PROXY", "HTTPS_PROXY", "all_proxy", "http_proxy", "https_proxy"), NOWHERE),
    **dict.fromkeys(("NO_PROXY", "no_proxy"), "127.0.0.1,localhost"),
}
"""The viewer's environment. The proxy blocks other requests, such as the check for updates."""


class Viewer:
    """A running viewer. url: where recordings are sent to. page: for a browser, if there is one."""

    def __init__(self, process: subprocess.Popen[bytes], log: IO[bytes], port: int) -> None:
        self._process, self._log, self._port = process, log, port
        self.url = f"rerun+http://127.0.0.1:{port}/proxy"
        self.page: str | None = None

    @property
    def pid(self) -> int:
        """The process's number."""
        return self._process.pid

    @property
    def running(self) -> bool:
        """Whether it still runs; the user may close the window at any time."""
        return self._process.poll() is None

    def wait(self, *ports: int) -> None:
        """Wait until it listens on its own port and on `ports`.

        Raises PerceptionError, with its last output line, if it ends first or takes too long.
        """
        deadline = time.monotonic() + START_TIMEOUT_S
        while self.running and time.monotonic() < deadline:
            with suppress(OSError):
                for port in (self._port, *ports):
                    socket.create_connection(("127.0.0.1", port), 1).close()
                return
            time.sleep(0.05)
        self._log.seek(0)
        lines = self._log.read().decode(errors="replace").strip().splitlines()
        raise PerceptionError(
            f"Rerun's viewer did not start: {lines[-1] if lines else f'exit code {self._process.poll()}'}; "
            "write a file with --save drive.rrd instead"
        )

    def stop(self) -> None:
        """End it."""
        self._process.terminate()
        self._process.wait(10)


def open_window(*files: Path) -> Viewer:
    """A viewer with a window that outlives this process, showing `files` (.rrd) if there are any.

    Raises PerceptionError where there is no display.
    """
    if sys.platform == "linux" and not (os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")):
        raise PerceptionError(
            "no display here (neither DISPLAY nor WAYLAND_DISPLAY is set): write a file with --save drive.rrd, "
            "or show it in a browser with --web"
        )
    port = free_port()
    wait = () if files else ("--expect-data-soon",)
    viewer = _start(port, "--hide-welcome-screen", "--memory-limit", MEMORY, *wait, *map(str, files))
    viewer.wait()
    return viewer


@contextmanager
def serve_page(port: int) -> Iterator[Viewer]:
    """A viewer for browsers at http://127.0.0.1:`port`, and the port after it for its data, while the context lasts.

    Raises PerceptionError if one of the two is taken.
    """
    for needed in (port, port + 1):
        if not _is_free(needed):
            raise PerceptionError(f"port {needed} is taken: choose another, as in --web {port + 10}, which needs two")
    inner = free_port()
    viewer = _start(
        port + 1,
        "--serve-web",
        "--web-viewer-port",
        str(inner),
        "--memory-limit",
        MEMORY,
        "--server-memory-limit",
        MEMORY,
    )
    try:
        viewer.wait(inner)
        with relay(port, inner, data_port=port + 1):
            viewer.page = f"http://127.0.0.1:{port}/?url=rerun%2Bhttp%3A%2F%2F127.0.0.1%3A{port + 1}%2Fproxy"
            yield viewer
    finally:
        viewer.stop()


def free_port() -> int:
    """A free TCP port of this machine."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def _start(port: int, *options: str) -> Viewer:
    spec = importlib.util.find_spec("rerun_cli")
    if spec is None or not spec.submodule_search_locations:
        raise PerceptionError("rerun-sdk has no viewer here: pip install 'multimodal_perception[view]'")
    program = str(Path(next(iter(spec.submodule_search_locations))) / "rerun")
    log = tempfile.TemporaryFile()  # noqa: SIM115  # as long as the viewer may say something
    process = subprocess.Popen(
        [program, "--bind", "127.0.0.1", "--port", str(port), *options],
        env={**os.environ, **QUIET}, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=log,
        start_new_session=True,  # Ctrl-C is for us
    )  # fmt: skip
    return Viewer(process, log, port)
