# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import socket
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from perception.viewing.relay import policy, relay


class Inner(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        found = self.path == "/page.html?a=1"
        self.send_response(200 if found else 404)
        self.send_header("Content-Type", "text/html")
        self.end_headers()
        self.wfile.write(b"<p>here</p>" if found else b"nothing")

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def inner() -> Iterator[int]:
    server = HTTPServer(("127.0.0.1", 0), Inner)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server.server_port
    server.shutdown()
    server.server_close()


def free_port() -> int:
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        return int(held.getsockname()[1])


def ask(port: int, path: str) -> tuple[int, bytes, str]:
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with direct.open(f"http://127.0.0.1:{port}/{path}", timeout=30) as answer:
            return answer.status, answer.read(), answer.headers["Content-Security-Policy"]
    except urllib.error.HTTPError as error:
        return error.code, error.read(), error.headers["Content-Security-Policy"]


def test_what_is_inside_comes_out_with_the_policy(inner: int) -> None:
    port = free_port()
    with relay(port, inner, 9876):
        assert ask(port, "page.html?a=1") == (200, b"<p>here</p>", policy(9876))
        assert ask(port, "other") == (404, b"", policy(9876))
    with pytest.raises(urllib.error.URLError):
        ask(port, "page.html?a=1")


def test_where_nobody_is_inside_it_says_so() -> None:
    port = free_port()
    with relay(port, free_port(), 9876):
        assert ask(port, "page.html") == (502, b"", policy(9876))


@pytest.mark.parametrize("path", ["/127.0.0.1:1/page.html", "@127.0.0.1:1/", "http://127.0.0.1:1/"])
def test_no_path_leads_to_another_host(inner: int, path: str) -> None:
    port = free_port()
    with relay(port, inner, 9876):
        assert ask(port, path)[0] == 404


def test_the_page_may_talk_to_this_machine_alone() -> None:
    rules = dict(rule.split(" ", 1) for rule in policy(1234).split("; "))
    assert rules["default-src"] == "'none'"
    assert rules["connect-src"] == "'self' http://127.0.0.1:1234 http://localhost:1234"
