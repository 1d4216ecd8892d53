# SPDX-License-Identifier: Apache-2.0
"""The viewer's process: it shows itself to this machine alone, and has nothing to report with."""

from __future__ import annotations

import http.client
import socket
from pathlib import Path

import pytest

pytest.importorskip("rerun")

import rerun as rr

from perception.errors import PerceptionError
from perception.viewing.viewer import QUIET, free_port, open_window, serve_page


def two_free_ports() -> int:
    """The first of two neighbours."""
    while True:
        port = free_port()
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port + 1))
            except OSError:
                continue
            return port


def test_a_page_is_served_with_a_policy_and_takes_recordings() -> None:
    port = two_free_ports()
    with serve_page(port) as viewer:
        assert viewer.running
        assert viewer.page is not None
        assert viewer.page.startswith(f"http://127.0.0.1:{port}/")
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
        wanted = (("/", 200, "text/html"), ("/re_viewer.js", 200, "javascript"), ("/nix", 404, ""))
        for path, status, kind in (*wanted, ("@localhost:9/", 404, "")):  # the last would be another host's
            connection.request("GET", path)
            answer = connection.getresponse()
            answer.read()
            connection.close()
            assert answer.status == status
            assert kind in (answer.getheader("Content-Type") or "")
            policy = answer.getheader("Content-Security-Policy") or ""
            assert f"connect-src 'self' http://127.0.0.1:{port + 1} http://localhost:{port + 1}" in policy
        environment = Path(f"/proc/{viewer.pid}/environ").read_bytes().decode().split("\0")
        assert {f"{name}={value}" for name, value in QUIET.items()} <= set(environment)
        recording = rr.RecordingStream("test")
        recording.connect_grpc(viewer.url)
        recording.log("value", rr.Scalars(1.0))
        recording.flush(timeout_sec=10.0)
        recording.disconnect()
    assert not viewer.running


def test_a_port_that_is_taken_is_told() -> None:
    port = two_free_ports()
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", port + 1))
        taken.listen()
        with pytest.raises(PerceptionError, match=f"port {port + 1} is taken"), serve_page(port):
            pass


def test_without_a_display_it_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DISPLAY", raising=False)
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    with pytest.raises(PerceptionError, match=r"no display here .* --save drive\.rrd, .* --web"):
        open_window()
