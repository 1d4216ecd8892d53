# SPDX-License-Identifier: Apache-2.0
"""Rerun's page for browsers, relayed with a policy that prevents the browser from reporting usage.

The page has no switch for its usage statistics, and loads fonts from the internet. The header
Content-Security-Policy makes the browser refuse every connection except those to this machine.
"""

from __future__ import annotations

import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

_DIRECT = urllib.request.build_opener(urllib.request.ProxyHandler({}))
"""An opener that ignores the environment's proxy."""


def policy(data_port: int) -> str:
    """The page may run its own code, and connect to its origin and its data server."""
    data = f"http://127.0.0.1:{data_port} http://localhost:{data_port}"
    return "; ".join(
        (
            "default-src 'none'",
            "script-src 'self' 'unsafe-inline' 'wasm-unsafe-eval' blob:",
            "style-src 'self' 'unsafe-inline'",
            "font-src 'self' data:",
            "img-src 'self' data: blob:",
            "worker-src 'self' blob:",
            f"connect-src 'self' {data}",
        )
    )


@contextmanager
def relay(port: int, inner_port: int, data_port: int) -> Iterator[None]:
    """Serve on 127.0.0.1:`port` what is on `inner_port`, with the policy, while the context lasts."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            try:
                where = self.path.lstrip("/")  # behind our slash it cannot name another host
                with _DIRECT.open(f"http://127.0.0.1:{inner_port}/{where}", timeout=30) as answer:
                    status, kind, body = answer.status, answer.headers.get_content_type(), answer.read()
            except urllib.error.HTTPError as error:
                status, kind, body = error.code, "text/plain", b""
            except OSError:
                status, kind, body = 502, "text/plain", b""
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.send_header("Content-Security-Policy", policy(data_port))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:
            """Requests are not logged."""

    server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, name="relay", daemon=True)
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
