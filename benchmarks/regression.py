# SPDX-License-Identifier: Apache-2.0
"""Fails where this tree is slower than the last release: ratios alone, which busy machines share; about a minute.

    python benchmarks/regression.py [--release]

Measures the network's time to PIDNet-S's, in float32 and in INT8, and the time around the network, from serialised
messages to published ones, to that in it; all of the processor, so that other processes have no part in them. Compares
them with `release.json`, which has the last release's for processors with the same instructions; and exits with 1 where
one is MARGIN worse, by the shortest times of up to ATTEMPTS. --release writes what it measures there.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Collection, Mapping
from itertools import cycle
from pathlib import Path
from tempfile import TemporaryDirectory
from time import process_time, thread_time

from perception.benchmark.frames import drive_frames
from perception.benchmark.int8 import quantise_peers
from perception.benchmark.measure import WARM_UP, turns
from perception.benchmark.networks import REFERENCE
from perception.benchmark.peers import write_peer
from perception.disk import write_json
from perception.engines.base import NetworkOutput
from perception.engines.openvino import OpenVinoEngine
from perception.export.graph import export_openvino
from perception.frame import Frame
from perception.paths import WEIGHTS
from perception.pipeline import Pipeline
from perception.reporting.provenance import processor, processor_flags
from perception.ros.bench.stages import DEFAULT_OUTPUTS, frame_stages, serialised
from perception.sensors import NetworkInput, encode, network_size

RELEASE = Path(__file__).with_name("release.json")
MARGIN = 0.15
ATTEMPTS = 3
ROUNDS = 25
PRECISIONS = ("f32", "int8")
MODEL = WEIGHTS / "dual_branch_s.xml"
INSTRUCTIONS: dict[str, str] = {
    "amx_int8": "amx",
    "avx512_vnni": "avx512_vnni",
    "avx512f": "avx512",
    "avx_vnni": "avx2_vnni",
    "avx2": "avx2",
}
"""What release.json calls a processor by the first of these flags that it has."""


def instructions(flags: Collection[str], limited: str | None) -> str:
    """The key in release.json. limited: the environment's ONEDNN_MAX_CPU_ISA, by which one processor plays another."""
    return limited.lower() if limited else next((INSTRUCTIONS[flag] for flag in INSTRUCTIONS if flag in flags), "other")


def worse(measured: Mapping[str, float], released: Mapping[str, float]) -> dict[str, str]:
    """What is MARGIN worse than it was, by name, as text. What the release lacks is compared with nothing."""
    return {
        name: f"{name}: {measured[name]:.3f}, in the last release {before:.3f}: {measured[name] / before - 1:+.0%}"
        for name, before in released.items()
        if measured[name] > before * (1 + MARGIN)
    }


def ratios(attempts: Collection[Mapping[str, float]]) -> dict[str, float]:
    """What is compared, of the shortest times of all attempts: a disturbance makes times longer, but ratios either."""
    least = {name: min(each[name] for each in attempts) for name in next(iter(attempts))}
    found = {f"network / {REFERENCE}, {of}": least[f"ours {of}"] / least[f"{REFERENCE} {of}"] for of in PRECISIONS}
    return {**found, "around / network, f32": least["around"] / least["ours f32"]}


def measure(frames: list[Frame], peers: Mapping[str, Path], rounds: int) -> dict[str, float]:
    """Seconds by what took them. peers: PIDNet-S by precision."""
    given = encode(frames[0], *network_size(*frames[0].size))
    ours = dict(zip(PRECISIONS, (MODEL, MODEL.with_name(f"{MODEL.stem}_int8.xml")), strict=True))
    files = {f"{who} {of}": path for who, group in (("ours", ours), (REFERENCE, peers)) for of, path in group.items()}
    engines = {key: OpenVinoEngine(path, threads=1, precision="f32") for key, path in files.items()}
    shortest = dict.fromkeys(engines, float("inf"))
    for key, counts in turns(list(engines), rounds):
        began = thread_time()  # of the processor: what others took meanwhile is not in it
        engines[key].infer(given)
        if counts:
            shortest[key] = min(shortest[key], thread_time() - began)
    return {**shortest, "around": _around(engines["ours f32"], frames, rounds)}


class Stored:
    """An engine that answers at once, with what another said of the first input."""

    def __init__(self, engine: OpenVinoEngine, first: NetworkInput) -> None:
        self.name, self.sensors = engine.name, engine.sensors
        self._output = engine.infer(first)

    def infer(self, network_input: NetworkInput) -> NetworkOutput:
        """The stored answer."""
        return self._output


def _around(engine: OpenVinoEngine, frames: list[Frame], rounds: int) -> float:
    """Seconds of all threads for all of a frame but the network: the shortest of `rounds`."""
    stored = Stored(engine, encode(frames[0], *network_size(*frames[0].size)))
    messages = cycle([serialised(frame) for frame in frames])
    spent = []
    with frame_stages(Pipeline(stored, MODEL), frames[0], DEFAULT_OUTPUTS) as stages:
        for _ in range(WARM_UP + rounds):
            began = process_time()
            stages(next(messages))
            spent.append(process_time() - began)
    return min(spent[WARM_UP:])


def reference_files(folder: Path, frames: list[Frame]) -> dict[str, Path]:
    """PIDNet-S with random weights, by precision."""
    peer = export_openvino(write_peer(REFERENCE, folder / "peer.safetensors"), folder / "peer.xml")
    given = [encode(frame, *network_size(*frame.size)) for frame in frames]
    return dict(zip(PRECISIONS, (peer, quantise_peers({REFERENCE: peer}, given)[REFERENCE]), strict=True))


def main(release: bool) -> int:
    """Measure, tell, and compare or write; the exit code."""
    key = instructions(processor_flags(), os.environ.get("ONEDNN_MAX_CPU_ISA"))
    written = json.loads(RELEASE.read_text("utf-8"))
    before = written.get(key, {}).get("ratios", {})
    frames = list(drive_frames(2))
    attempts: list[dict[str, float]] = []
    with TemporaryDirectory() as folder:
        peers = reference_files(Path(folder), frames)
        while len(attempts) < ATTEMPTS and (release or not attempts or worse(ratios(attempts), before)):
            attempts.append(measure(frames, peers, ROUNDS))
    found = ratios(attempts)
    for name, ratio in found.items():
        print(f"{name}: {ratio:.3f}" + (f" (last release {before[name]:.3f})" if name in before else ""))
    if release:
        rounded = {name: round(ratio, 3) for name, ratio in found.items()}
        write_json(RELEASE, {**written, key: {"processor": processor(), "ratios": rounded}})
        return 0
    if not before:
        print(f"{RELEASE.name} has no figures of processors with {key}: nothing to compare with")
    slower = worse(found, before)
    for line in slower.values():
        print(f"slower than the last release by more than {MARGIN:.0%}: {line}", file=sys.stderr)
    return 1 if slower else 0


if __name__ == "__main__":
    if sys.argv[1:] not in ([], ["--release"]):
        sys.exit(__doc__)
    sys.exit(main(sys.argv[1:] == ["--release"]))
