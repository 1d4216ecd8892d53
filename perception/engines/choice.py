# SPDX-License-Identifier: Apache-2.0
"""Which member of the family this machine can run at the camera's rate: each is timed here, once."""

from __future__ import annotations

import hashlib
import math
import os
import platform
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import NamedTuple

import numpy as np

from perception.engines.base import Engine
from perception.engines.cache import Kept
from perception.engines.family import Member, weights_of
from perception.engines.manifest import digest_of
from perception.frame import MODALITIES
from perception.sensors import NetworkInput
from perception.sensors.channels import AUX_CHANNELS
from perception.sensors.encode import AUX_SCALE

USUAL_HZ = 10.0
"""The camera's rate where nobody knows it yet."""

BUDGET_S = 0.3
"""How long a member is timed, after the run that compiles it."""

DISTURBED = 0.1
"""A run whose threads waited for a core for more than this part of it was not alone."""

_PACKAGES = {"openvino": "openvino", "onnxruntime": "onnxruntime", "tensorrt": "tensorrt", "torch": "torch"}


@dataclass(frozen=True)
class Choice:
    """The member at `place` of `ladder`, and why. times_s: of a run here, by place, as far as it is known."""

    ladder: tuple[Member, ...]
    place: int
    rate_hz: float
    times_s: tuple[float | None, ...]

    @property
    def member(self) -> Member:
        """The chosen one."""
        return self.ladder[self.place]

    @property
    def held(self) -> bool:
        """Whether it holds the rate with time to spare."""
        return holds(self.member, self.times_s[self.place], self.rate_hz)

    def __str__(self) -> str:
        seconds = self.times_s[self.place]
        text = f"model {self.member.name}"
        if seconds is not None:
            verb = "holds" if self.held else "is the fastest, and does not hold"
            text = f"{text} takes {1e3 * seconds:.0f} ms here and {verb} {self.rate_hz:g} Hz with time to spare"
        slower = [
            f"{self.ladder[place].name} {1e3 * known:.0f} ms"
            for place, known in enumerate(self.times_s)
            if place < self.place and known is not None and known < math.inf
        ]
        return f"{text}{'; ' if slower else ''}{', '.join(slower)}; accuracy: {price(self.ladder, self.place)}"


def price(ladder: Sequence[Member], place: int) -> str:
    """What the member costs against the most accurate one, for people."""
    best, member = ladder[0].accuracy, ladder[place].accuracy
    if place == 0:
        return "the best there is"
    if best is None or member is None:
        return "not measured with these weights"
    return f"{100 * (member - best):+.1f} points of mean IoU beside {ladder[0].name}"


def holds(member: Member, seconds: float | None, rate_hz: float) -> bool:
    """Whether a member that takes so long holds the rate with time to spare."""
    return seconds is not None and member.spare * seconds * rate_hz <= 1.0


def choose(ladder: Sequence[Member], rate_hz: float, time_of: Callable[[Member], float]) -> Choice:
    """The first, that is the most accurate, that holds the rate; the fastest where none does.

    time_of: seconds of one run here, infinite for one that cannot be run. Is asked of no more members than it takes.
    """
    times: list[float | None] = [None] * len(ladder)
    for place, member in enumerate(ladder):
        seconds = times[place] = time_of(member)
        if holds(member, seconds, rate_hz):
            return Choice(tuple(ladder), place, rate_hz, tuple(times))
    fastest = min(range(len(ladder)), key=lambda place: ladder[place].spare * (times[place] or math.inf))
    return Choice(tuple(ladder), fastest, rate_hz, tuple(times))


class Run(NamedTuple):
    """What one run of a network took [s], and whether it had the cores that it wanted to itself."""

    seconds: float
    alone: bool


def noise(width: int, height: int) -> NetworkInput:
    """An input of `width`×`height` with every sensor; what they show does not matter to the time."""
    rng = np.random.default_rng(0)
    rgb = rng.integers(0, 256, (height, width, 3), np.uint8)
    aux = rng.integers(0, 256, (height // AUX_SCALE, width // AUX_SCALE, sum(AUX_CHANNELS.values())), np.uint8)
    return NetworkInput(rgb, aux, np.ones(len(MODALITIES), np.float32))


def time_run(engine: Engine, width: int, height: int, budget_s: float = BUDGET_S) -> Run:
    """The shortest run of the network on an input of `width`×`height` with every sensor.

    The shortest, because others may want the cores meanwhile. The first run, which compiles, is not counted.
    """
    network_input = noise(width, height)
    engine.infer(network_input)
    best, until = Run(math.inf, alone=False), time.perf_counter() + budget_s
    while math.isinf(best.seconds) or time.perf_counter() < until:
        waited, began = _waited_s(), time.perf_counter()
        engine.infer(network_input)
        seconds = time.perf_counter() - began
        if seconds < best.seconds:
            best = Run(seconds, _waited_s() - waited <= DISTURBED * seconds)
    return best


class Times:
    """What members took on this machine, in the user's cache folder; nothing is kept where there is none.

    threads: of the process. size: width and height of the network's input at full scale.
    """

    def __init__(self, threads: int | None, size: tuple[int, int], folder: Path | None = None) -> None:
        self._kept = Kept("times.json", folder)
        cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
        self._keys: dict[Member, str] = {}
        self._machine = f"{_processor()} {cores} cores, {threads or 'all'} threads, {size[0]}x{size[1]}"

    def known(self, member: Member) -> float | None:
        """What the member takes when it is alone [s]; None where it was never measured so."""
        run = self.last(member)
        return run.seconds if run is not None and run.alone else None

    def last(self, member: Member) -> Run | None:
        """The measurement that is kept of the member; None where it was never measured here."""
        match self._kept.get(self._key(member)):
            case {"seconds": float(seconds), "alone": bool(alone)} if seconds > 0:
                return Run(seconds, alone)
        return None

    def add(self, member: Member, run: Run) -> None:
        """Keep a measurement; one beside others that wanted the cores only until there is a better one."""
        last = self.last(member)
        if last is None or not last.alone or run.alone:
            self._kept.put(self._key(member), run._asdict())

    def _key(self, member: Member) -> str:
        if member not in self._keys:
            weights = digest_of(weights_of(member.path))[:16]
            self._keys[member] = (
                f"{self._machine}, {_versioned(member.engine)}, {weights}@{member.scale:g}{'x2' * member.twice}"
            )
        return self._keys[member]


def _waited_s() -> float:
    """How long this process's threads have waited for a core so far, all together [s]; 0 where nobody tells."""
    waited_ns = 0
    with suppress(OSError, ValueError, IndexError):  # no Linux; or a thread that ended meanwhile
        for task in Path("/proc/self/task").iterdir():
            waited_ns += int((task / "schedstat").read_text("utf-8").split()[1])
    return 1e-9 * waited_ns


def _versioned(engine: str) -> str:
    package = next((package for prefix, package in _PACKAGES.items() if engine.startswith(prefix)), engine)
    try:
        return f"{engine} {version(package)}"
    except PackageNotFoundError:
        return engine


def _processor() -> str:
    """Its name, and a hash of what it can do: virtual machines hide some of that."""
    try:
        lines = Path("/proc/cpuinfo").read_text("utf-8").splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    told = {line.split(":")[0].strip(): line.partition(":")[2].strip() for line in reversed(lines) if ":" in line}
    features = hashlib.sha256(told.get("flags", told.get("Features", "")).encode()).hexdigest()[:8]
    return f"{told.get('model name', platform.machine())} {features}"
