# SPDX-License-Identifier: Apache-2.0
"""The perception node as a process of its own, on a network of its own: started, watched, and stopped."""

from __future__ import annotations

import os
import random
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from lifecycle_msgs.msg import State
from lifecycle_msgs.srv import GetState
from rclpy.node import Node

from perception.errors import PerceptionError

START_TIMEOUT_S = 120.0
"""Loading a network takes seconds; on a machine that is busy with others it may take this long."""
ANSWER_TIMEOUT_S = 2.0
"""DDS loses an answer when the node has not discovered all of the client yet: then ask again."""

STOP_TIMEOUT_S = 10.0

DOMAINS = range(1, 102)
"""ROS domains whose ports lie outside the range that operating systems give to clients."""


class NodeProcess:
    """`perception node` with `arguments` (such as --ros-args -p …), its output in the file `log`.

    Use it as a context manager; leaving it stops the node.
    """

    def __init__(self, arguments: Sequence[str], log: Path) -> None:
        self.log = log
        with log.open("wb") as output:
            command = [sys.executable, "-m", "perception", "node", *arguments]
            self._process = subprocess.Popen(command, stdout=output, stderr=subprocess.STDOUT)

    @property
    def pid(self) -> int:
        """The process's number."""
        return self._process.pid

    def __enter__(self) -> NodeProcess:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        try:
            self._process.wait(STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def check(self) -> None:
        """Raise PerceptionError with the end of the log if the node is not running any more."""
        code = self._process.poll()
        if code is not None:
            raise PerceptionError(f"the node ended with code {code}; the end of {self.log}:\n{self._tail()}")

    def wait_until_active(self, node: Node, name: str = "/perception", timeout: float = START_TIMEOUT_S) -> None:
        """Return when the lifecycle node `name` says that it is active.

        node: our own node, spun elsewhere. Raises PerceptionError when the process ends or `timeout` [s] passes.
        """
        client = node.create_client(GetState, f"{name}/get_state")
        try:
            deadline, state, answer, asked = time.monotonic() + timeout, "not there yet", None, 0.0
            while time.monotonic() < deadline:
                self.check()
                if client.service_is_ready() and (answer is None or time.monotonic() - asked > ANSWER_TIMEOUT_S):
                    answer, asked = client.call_async(GetState.Request()), time.monotonic()
                elif answer is not None and answer.done():
                    current = answer.result().current_state
                    if current.id == State.PRIMARY_STATE_ACTIVE:
                        return
                    state, answer = current.label, None
                time.sleep(0.05)
        finally:
            node.destroy_client(client)
        raise PerceptionError(
            f"the node was not active within {timeout:g} s ({state}); the end of {self.log}:\n{self._tail()}"
        )

    def _tail(self, lines: int = 15) -> str:
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-lines:]) or "(empty)"


@contextmanager
def private_network() -> Iterator[int]:
    """Give this process and its children a ROS domain that nobody else on this machine uses, and release it after.

    Yields the domain. Set it before rclpy.init; what talks on the user's own domain is neither heard nor disturbed.
    """
    domain = _free_domain()
    changes = {"ROS_DOMAIN_ID": str(domain), "ROS_AUTOMATIC_DISCOVERY_RANGE": "LOCALHOST"}
    before = {name: os.environ.get(name) for name in changes}
    os.environ.update(changes)
    try:
        yield domain
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


def _free_domain() -> int:
    """A domain without participants: the first one of a domain listens on UDP port 7410 + 250 · domain."""
    for domain in random.sample(DOMAINS, len(DOMAINS)):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
            try:
                probe.bind(("", 7410 + 250 * domain))
            except OSError:
                continue
            return domain
    raise PerceptionError(f"every ROS domain from {DOMAINS[0]} to {DOMAINS[-1]} is in use on this machine")
