# SPDX-License-Identifier: Apache-2.0
"""The perception node as a separate process, on a separate ROS domain: started, watched, and stopped."""

from __future__ import annotations

import fcntl
import os
import random
import re
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from lifecycle_msgs.msg import State
from lifecycle_msgs.srv import GetState
from rclpy.node import Node

from perception.errors import PerceptionError

START_TIMEOUT_S = 120.0
"""Loading a network takes seconds; on a busy machine it may take this long."""
ANSWER_TIMEOUT_S = 0.5
"""DDS loses an answer if the node has not discovered all of the client yet: then ask again."""

STOP_TIMEOUT_S = 10.0

DOMAINS = range(1, 102)
"""ROS domains whose ports lie outside the range that operating systems give to clients."""

UNSEEN_TIMEOUT_S = 60.0
"""A node that has not been discovered after so long is started again on another domain."""

PROBED = 8
"""How many participants' ports are tried before a domain counts as free: the first participants may have ended."""

SHARED_MEMORY = Path("/dev/shm")


class NodeUnseenError(PerceptionError):
    """The node's process is alive, but DDS has not discovered the node."""


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
        """The process id."""
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
        """Raise PerceptionError with the end of the log if the node is no longer running."""
        code = self._process.poll()
        if code is not None:
            raise PerceptionError(f"the node ended with code {code}; the end of {self.log}:\n{self._tail()}")

    def wait_until_active(self, node: Node, name: str = "/perception", timeout: float = START_TIMEOUT_S) -> None:
        """Return when the lifecycle node `name` reports that it is active.

        node: our own node, spun elsewhere. Raises PerceptionError if the process ends or `timeout` [s] passes,
        NodeUnseenError if the node has not answered once by then.
        """
        client = node.create_client(GetState, f"{name}/get_state")
        try:
            deadline, state, answer, asked = time.monotonic() + timeout, None, None, 0.0
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
        error = NodeUnseenError if state is None else PerceptionError
        raise error(
            f"the node was not active within {timeout:g} s ({state or 'not found by DDS'}); "
            f"the end of {self.log}:\n{self._tail()}"
        )

    def _tail(self, lines: int = 15) -> str:
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-lines:]) or "(empty)"


@contextmanager
def private_network() -> Iterator[int]:
    """Give this process and its children a ROS domain that nobody else on this machine uses, and release it after.

    Yields the domain. Set it before rclpy.init; traffic on the user's own domain is neither received nor disturbed.
    """
    with _free_domain() as domain:
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


@contextmanager
def _free_domain() -> Iterator[int]:
    """A domain without participants, locked against other processes that look for one.

    The n-th participant of a domain listens on UDP port 7410 + 250 · domain + 2 · n.
    """
    for domain in random.sample(DOMAINS, len(DOMAINS)):
        with ExitStack() as held:
            try:
                lock = held.enter_context((Path(tempfile.gettempdir()) / f"perception_domain_{domain}.lock").open("ab"))
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                continue  # in use by another process like this
            first = 7400 + 250 * domain
            if all(_is_free(first + 10 + 2 * participant) for participant in range(PROBED)):
                _remove_left_ports(range(first, first + 250))
                yield domain
                return
    raise PerceptionError(f"every ROS domain from {DOMAINS[0]} to {DOMAINS[-1]} is in use on this machine")


def _is_free(port: int) -> bool:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.bind(("", port))
        except OSError:
            return False
        return True


def _remove_left_ports(ports: range) -> None:
    """Remove the shared memory of Fast DDS's `ports`, of a domain without participants.

    A participant that is killed leaves it behind, and the next one of the same number may then neither find nor be
    found by others (https://github.com/eProsima/Fast-DDS/issues/3535).
    """
    for file in SHARED_MEMORY.glob("*fastrtps_port*"):
        number = re.search(r"fastrtps_port(\d+)", file.name)
        if number and int(number[1]) in ports:
            with suppress(OSError):  # another user's, or removed meanwhile
                file.unlink()
