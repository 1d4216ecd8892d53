# SPDX-License-Identifier: Apache-2.0
"""Measures several cameras on one computer: masks a second, latency and what of each sweep is labelled.

    python benchmarks/rig.py out/rig.json docs/scale.md [SECONDS [HZ]]

Each row is 1, 2 or 3 cameras, 60° apart, and one LiDAR of POINTS points all around, at 10 Hz for 30 s: first all
cameras in one process, then each in its own. The nodes choose their model themselves. The second table is what the
points outside a camera's view cost, from one frame of the same drive.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from numpy.typing import NDArray
from tables import SCALE, fill

from perception.benchmark.frames import drive_frames, with_points
from perception.benchmark.measure import interleave
from perception.benchmark.process import read_usage
from perception.benchmark.tables import NONE, Table
from perception.disk import write_json
from perception.engines import DEFAULT_MODEL
from perception.frame import CameraModel, Frame
from perception.pipeline import Pipeline
from perception.sensors.projection import project_sweep
from perception.threads import cores

POINTS = 34_720
"""Of a 32-beam LiDAR's sweep, as nuScenes' car has."""

APART_DEG = 60
CAMERAS = (1, 2, 3)
PROCESSES = ("one", "several")

SETTLE_S = 15.0
"""Nodes that share cores find the model that runs in time meanwhile; it is not measured."""

ROUNDS = 50


def turned(lidar_to_camera: NDArray[np.float64], degrees: float) -> NDArray[np.float64]:
    """The (4, 4) mounting of a camera turned to the right by so much about the LiDAR's upright axis."""
    c, s = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    about = np.array([[c, -s, 0, 0], [s, c, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1]])
    return np.asarray(lidar_to_camera @ about, np.float64)


def write_rig(folder: Path, camera: CameraModel, lidar_to_camera: NDArray[np.float64], count: int) -> Path:
    """The file of a rig of `count` cameras that share one LiDAR."""
    lines = ["points: /points", "camera_info: /camera_info", "cameras:"]
    for number in range(count):
        mount = ", ".join(f"{value:.9g}" for value in turned(lidar_to_camera, APART_DEG * number).ravel())
        (folder / f"camera{number}.yaml").write_text(f"lidar_to_camera: [{mount}]\n")
        lines.append(f"  camera{number}: {{image: /image{number}, calibration_file: camera{number}.yaml}}")
    path = folder / "rig.yaml"
    path.write_text("\n".join(lines) + "\n")
    return path


def measure(frames: Sequence[Frame], count: int, processes: str, seconds: float, hz: float) -> dict[str, Any]:
    """A row of the report: that many cameras, in one or several processes."""
    import rclpy
    from rclpy.context import Context
    from rclpy.signals import SignalHandlerOptions

    from perception.ros.dds import use_profile
    from perception.ros.node_process import NodeProcess, private_network
    from perception.ros.spinning import spinning

    use_profile()
    first, names = frames[0], [f"camera{number}" for number in range(count)]
    assert first.camera is not None
    assert first.lidar_to_camera is not None
    with ExitStack() as stack:
        folder = Path(stack.enter_context(TemporaryDirectory()))
        rig = write_rig(folder, first.camera, first.lidar_to_camera, count)
        context, domain = Context(), stack.enter_context(private_network())
        rclpy.init(context=context, domain_id=domain, signal_handler_options=SignalHandlerOptions.NO)
        stack.callback(rclpy.try_shutdown, context=context)  # type: ignore[attr-defined]
        commands = [f"{rig}"] if processes == "one" else [f"{rig}:{name}" for name in (*names, "rig")]
        nodes = [
            stack.enter_context(NodeProcess(["--topics", command], folder / f"{place}.log"))
            for place, command in enumerate(commands)
        ]
        node = rclpy.create_node("rig_benchmark", context=context)
        stack.enter_context(spinning(node))
        for name in names:
            nodes[0].wait_until_active(node, f"/{name}/perception")
        vehicle = _Vehicle(node, frames, names)
        vehicle.drive(SETTLE_S, hz)
        before, began = [read_usage(each.pid) for each in nodes], time.monotonic()
        sent = vehicle.drive(seconds, hz)
        after, spent = [read_usage(each.pid) for each in nodes], time.monotonic() - began
        time.sleep(2.0)  # for the last answers
        for each in nodes:
            each.check()
        return {
            "cameras": count,
            "processes": processes,
            "threads": cores() if processes == "one" else max(1, cores() // count),
            "hz": hz,
            "seconds": spent,
            "cores": sum(b.cpu_s - a.cpu_s for a, b in zip(before, after, strict=True)) / spent,
            "memory_mb": sum(each.rss_mb for each in after),
            **vehicle.answers(sent, spent),
        }


class _Vehicle:
    """Publishes images, camera_info and sweeps, and keeps when each answer came."""

    def __init__(self, node: Any, frames: Sequence[Frame], names: Sequence[str]) -> None:
        from diagnostic_msgs.msg import DiagnosticArray
        from rclpy.qos import qos_profile_sensor_data
        from sensor_msgs.msg import CameraInfo, Image, PointCloud2, PointField

        from perception.messages.convert import camera_info_fields, cloud_fields, image_fields

        self._node, self._names = node, names
        self._arrived: dict[str, dict[int, int]] = {name: {} for name in (*names, "rig")}
        self._models: dict[str, str] = {}
        self._rounds: list[list[tuple[Any, Any]]] = []
        quality = qos_profile_sensor_data
        images = [node.create_publisher(Image, f"/image{number}", quality) for number in range(len(names))]
        info, points = (
            node.create_publisher(kind, topic, quality)
            for kind, topic in ((CameraInfo, "/camera_info"), (PointCloud2, "/points"))
        )
        for frame in frames:
            assert frame.rgb is not None
            assert frame.camera is not None
            assert frame.points is not None
            image = Image(**image_fields(frame.rgb, "rgb8"))
            image.header.frame_id = "camera"
            camera_info = CameraInfo(**camera_info_fields(frame.camera))
            camera_info.header.frame_id = "camera"
            cloud = PointCloud2(**cloud_fields(frame.points, PointField))
            cloud.header.frame_id = "lidar"
            self._rounds.append([(info, camera_info), *((each, image) for each in images), (points, cloud)])
        for name in names:
            node.create_subscription(Image, f"/{name}/perception/labels", self._keeper(name), quality)
        node.create_subscription(PointCloud2, "/rig/points", self._keeper("rig"), quality)
        node.create_subscription(DiagnosticArray, "/diagnostics", self._diagnosed, 10)
        self._whole = self._before = (0, 0)

    def drive(self, seconds: float, hz: float) -> list[int]:
        """Publish for so long; the stamps."""
        stamps, self._before = [], self._whole
        began = time.monotonic()
        for number in range(max(1, round(seconds * hz))):
            time.sleep(max(0.0, began + number / hz - time.monotonic()))
            stamp_ns = time.time_ns()
            for publisher, message in self._rounds[number % len(self._rounds)]:
                message.header.stamp.sec, message.header.stamp.nanosec = divmod(stamp_ns, 1_000_000_000)
                publisher.publish(message)
            stamps.append(stamp_ns)
        return stamps

    def answers(self, sent: Sequence[int], seconds: float) -> dict[str, Any]:
        """What came of these stamps."""
        late_ms = [
            (arrived[stamp] - stamp) / 1e6
            for arrived in (self._arrived[name] for name in self._names)
            for stamp in sent
            if stamp in arrived
        ]
        merged = [stamp for stamp in sent if stamp in self._arrived["rig"]]
        p50, p95 = np.percentile(late_ms, (50, 95)).tolist() if late_ms else (None, None)
        sweeps, whole = (now - before for now, before in zip(self._whole, self._before, strict=True))
        return {
            "masks_hz": min(sum(stamp in self._arrived[name] for stamp in sent) for name in self._names) / seconds,
            "latency_ms": {"p50": p50, "p95": p95},
            "merged_hz": len(merged) / seconds,
            "whole_share": whole / sweeps if sweeps else None,
            "models": sorted(set(self._models.values())),
        }

    def _keeper(self, name: str) -> Any:
        from perception.messages.convert import stamp_ns

        return lambda message: self._arrived[name].setdefault(stamp_ns(message), time.time_ns())

    def _diagnosed(self, array: Any) -> None:
        for status in array.status:
            values = {value.key: value.value for value in status.values}
            if "model" in values:
                self._models[status.name] = f"{values['model']} × {float(values['model_scale']):g}"
            if status.name == "rig: points":
                self._whole = int(values["sweeps"]), int(values["whole"])


def outside(frame: Frame, rounds: int) -> dict[str, Any]:
    """Milliseconds of everything but the network, with all points of the sweep and with those in view alone."""
    seen = project_sweep(frame)
    assert seen is not None
    assert frame.points is not None
    pipeline = Pipeline.load(DEFAULT_MODEL, threads=1)
    frames = {"all around": frame, "in view alone": replace(frame, points=frame.points[seen.rows])}
    outputs = {name: pipeline.infer(pipeline.prepare(each)).output for name, each in frames.items()}

    def step(name: str) -> None:
        task = pipeline.prepare(frames[name])
        task.output = outputs[name]
        pipeline.decode(task)

    times = interleave({name: (lambda name=name: step(name)) for name in frames}, rounds)  # type: ignore[misc]
    return {
        name: {"points": len(each.points if each.points is not None else ()), "ms": float(np.median(times[name]))}
        for name, each in frames.items()
    }


def tables(report: Mapping[str, Any]) -> dict[str, Table]:
    """The tables `rig` and `rig_points` of the document."""
    header = ("cameras", "processes", "threads of each", "masks a second of each camera", "latency p50, p95 [ms]")
    more = ("merged sweeps a second", "with every camera", "cores used", "memory [MB]", "model")
    rows = [
        [
            str(row["cameras"]),
            row["processes"] if row["processes"] == "one" else f"{row['cameras']} and 1",
            str(row["threads"]),
            f"{row['masks_hz']:.1f}",
            ", ".join(NONE if value is None else f"{value:.0f}" for value in row["latency_ms"].values()),
            f"{row['merged_hz']:.1f}",
            NONE if row["whole_share"] is None else f"{row['whole_share']:.0%}",
            f"{row['cores']:.1f}",
            f"{row['memory_mb']:.0f}",
            ", ".join(row["models"]),
        ]
        for row in report["rows"]
    ]
    outside_rows = [[name, str(each["points"]), f"{each['ms']:.1f}"] for name, each in report["outside"].items()]
    return {
        "rig": Table("Several cameras", (*header, *more), rows),
        "rig_points": Table("Points", ("sweep", "points", "all but the network [ms]"), outside_rows),
    }


def main(output: Path, document: Path, seconds: float = 30.0, hz: float = 10.0) -> None:
    """Measure, write the report and fill the document's tables."""
    frames = [with_points(replace(frame, depth=None, infrared=None), POINTS) for frame in drive_frames(2)]
    report: dict[str, Any] = {"cores": cores(), "outside": outside(frames[0], ROUNDS), "rows": []}
    for count in CAMERAS:
        for processes in PROCESSES:
            row = measure(frames, count, processes, seconds, hz)
            print(row, flush=True)
            report["rows"].append(row)
    write_json(output, report)
    text = document.read_text("utf-8")
    document.write_text(fill(text, tables(report), SCALE), "utf-8")


if __name__ == "__main__":
    if not 3 <= len(sys.argv) <= 5:
        sys.exit(__doc__)
    main(Path(sys.argv[1]), Path(sys.argv[2]), *map(float, sys.argv[3:]))
