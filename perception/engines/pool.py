# SPDX-License-Identifier: Apache-2.0
"""One engine for several cameras: it is loaded once, and they use it in turn, in the order in which they ask."""

from __future__ import annotations

import threading
from collections import deque
from pathlib import Path
from types import TracebackType
from weakref import WeakValueDictionary

from perception.engines import load_engine
from perception.engines.base import Engine, NetworkOutput, needs_of_engine, prepare, sensors_of_engine
from perception.sensors import NetworkInput


class FairLock:
    """A lock that goes to the thread that has waited longest: `threading.Lock` may starve one of two busy threads."""

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._taken = False
        self._waiting: deque[threading.Event] = deque()

    def __enter__(self) -> None:
        with self._guard:
            if not self._taken:
                self._taken = True
                return
            turn = threading.Event()
            self._waiting.append(turn)
        turn.wait()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        with self._guard:
            if self._waiting:
                self._waiting.popleft().set()  # the lock stays taken, now by the next thread
            else:
                self._taken = False


class SharedEngine:
    """An engine that any number of threads may call; an error in one call does not affect the others.

    prepares: whether it makes itself ready for a new size while it runs another, so that nobody waits for that.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._turn = FairLock()
        self.prepares = hasattr(engine, "prepare")

    @property
    def name(self) -> str:
        """The engine's."""
        return self._engine.name

    @property
    def sensors(self) -> tuple[str, ...]:
        """The engine's."""
        return sensors_of_engine(self._engine)

    @property
    def needs(self) -> tuple[str, ...]:
        """The engine's."""
        return needs_of_engine(self._engine)

    def prepare(self, height: int, width: int) -> None:
        """See `Engine.infer`; takes no turn."""
        prepare(self._engine, height, width)

    def forget(self, runs: int) -> None:
        """See `OpenVinoEngine.forget`; other engines keep nothing."""
        if hasattr(self._engine, "forget"):
            with self._turn:
                self._engine.forget(runs)

    def infer(self, network_input: NetworkInput) -> NetworkOutput:
        """Run the network when it is this caller's turn."""
        self.prepare(*network_input.rgb.shape[:2])
        with self._turn:
            return self._engine.infer(network_input)


class EnginePool:
    """Loads each engine once and shares it while in use; thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._engines: WeakValueDictionary[tuple[str, Path, int | None, float], SharedEngine] = WeakValueDictionary()

    def load(self, engine: str, path: Path, threads: int | None, scale: float = 1.0) -> Engine:
        """As `load_engine`. scale: of the network's input; an engine that does not prepare beside its work is not
        shared with another scale, whose compilation cameras would wait for."""
        key = (engine, path.resolve(), threads, scale)
        with self._lock:
            for other, shared in self._engines.items():
                if other == key or (other[:3] == key[:3] and shared.prepares):
                    return shared
            shared = self._engines[key] = SharedEngine(load_engine(*key[:3]))
            return shared

    def discard(self, engine: Engine) -> None:
        """Stop sharing `engine`, which hangs: the next `load` creates another."""
        with self._lock:
            for key in [key for key, shared in self._engines.items() if shared is engine]:
                del self._engines[key]
