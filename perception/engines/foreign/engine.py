# SPDX-License-Identifier: Apache-2.0
"""An engine made of a file that others made and of its `model.yaml`. Imports neither torch nor mmseg."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import numpy as np

from perception.classes import UNLABELLED
from perception.engines.base import NetworkOutput
from perception.engines.foreign.decoding import decode
from perception.engines.foreign.description import CHANNELS, KINDS, Description, digest, read
from perception.engines.foreign.fitting import feed, fit_of
from perception.engines.foreign.running import Port, Runner
from perception.errors import ModelError
from perception.sensors import NetworkInput
from perception.settings import nearest


class ForeignEngine:
    """Runs a described file on images of any size.

    described: the model.yaml. runner: has opened the file. A frame in which a sensor that it takes tells nothing gets
    no labels. Raises ModelError where file and description contradict each other.
    """

    def __init__(self, described: Path, runner: Runner) -> None:
        self.description = read(described)
        self.runner = runner
        self.needs = self.description.sensors
        self.sensors = ("rgb", *(name for name in self.needs if name != "rgb"))
        self._described = described
        try:
            self._size = check(self.description, runner)
        except ModelError as error:
            raise ModelError(f"{described}: {error}") from error
        self._ports = {port.name: port for port in runner.inputs}
        self._name = f"{runner.name} {described.name} {digest(described)}"

    @property
    def name(self) -> str:
        """A description for users: what runs it, and which description."""
        return self._name

    def infer(self, network_input: NetworkInput) -> NetworkOutput:
        """Run the network. Raises ModelError for output that its kind does not have."""
        there = dict(zip(self.sensors, network_input.present, strict=False))
        height, width = network_input.rgb.shape[:2]
        weights = np.array([name in self.needs for name in self.sensors], np.float32)
        if not all(there[name] for name in self.needs):
            nothing = np.full((height, width), UNLABELLED, np.uint8)
            return NetworkOutput(nothing, np.zeros_like(nothing), 0 * weights)
        fit = fit_of(self.description, self._size, height, width)
        arrays = {}
        for name, given in self.description.inputs.items():
            dtype = self._ports[name].dtype
            assert dtype is not None  # by `check`
            arrays[name] = feed(self.description, given, network_input, fit, dtype)
        try:
            outputs = self.runner(arrays)
            parts = {part: outputs[self.description.outputs[part]] for part in KINDS[self.description.kind]}
            decoded = decode(self.description, parts, fit)
        except ModelError as error:
            raise ModelError(f"{self._described}: {error}") from error
        return NetworkOutput(decoded.labels, decoded.confidence, weights / weights.sum(), things=decoded.things)


def check(description: Description, runner: Runner) -> tuple[int, int] | None:
    """Rows and columns of the file's input; None for one that takes any. Raises ModelError where the two differ."""
    _named(description.inputs, runner.inputs, "inputs")
    _named([description.outputs[part] for part in KINDS[description.kind]], runner.outputs, "outputs", every=False)
    size = description.size
    for port in runner.inputs:
        where = f"inputs.{port.name}"
        if port.dtype is None or port.dtype.kind not in "fu":
            raise ModelError(f"{where}: the file takes {port.dtype}, which no image is")
        given = description.inputs[port.name]
        if port.dtype.kind == "u" and (given.scale != 1 or any(given.mean) or any(std != 1 for std in given.std)):
            raise ModelError(f"{where}: the file takes bytes: scale and std are 1, mean is 0")
        if port.shape is None:
            continue
        if len(port.shape) != len(description.layout):
            raise ModelError(f"{where}: the file takes {_shown(port)}, the layout is {description.layout}")
        sides = dict(zip(description.layout, port.shape, strict=True))
        if sides["C"] not in (None, len(given.channels)):
            raise ModelError(
                f"{where}: the file takes {_shown(port)}, {len(given.channels)} channels in {description.layout}"
            )
        if sides.get("N") not in (None, 1):
            raise ModelError(f"{where}: the file takes {sides['N']} images at once; export it for one")
        fixed = (sides["H"], sides["W"])
        if size is not None and any(side not in (None, ours) for side, ours in zip(fixed, size, strict=True)):
            raise ModelError(f"{where}: the file takes {_shown(port)}, size is {size[0]}, {size[1]}")
        if size is None and fixed[0] is not None and fixed[1] is not None:
            size = (fixed[0], fixed[1])
        elif size is None and (fixed[0] is not None or fixed[1] is not None):
            raise ModelError(f"{where}: the file takes {_shown(port)}: say size")
    return size


def sensors_shown(description: Description) -> dict[str, list[str]]:
    """By sensor, the channels that the file gets of it."""
    found: dict[str, list[str]] = {name: [] for name in description.sensors}
    for given in description.inputs.values():
        for channel in given.channels:
            found[CHANNELS[channel][0]].append(channel)
    return found


def _named(names: Iterable[str], ports: tuple[Port, ...], what: str, every: bool = True) -> None:
    there, said = [port.name for port in ports], list(names)
    for name in said:
        if name not in there:
            raise ModelError(f"{what}: the file has no {what[:-1]} {name!r}{nearest(name, there)}")
    missing = [name for name in there if name not in said] if every else []
    if missing:
        raise ModelError(f"{what}: the file's {missing[0]!r} is missing")


def _shown(port: Port) -> str:
    return "×".join("?" if side is None else str(side) for side in port.shape or ())
