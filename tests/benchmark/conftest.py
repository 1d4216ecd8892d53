# SPDX-License-Identifier: Apache-2.0
"""A small bench.json, and a small frame of every sensor."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from perception.frame import CameraModel, Frame

SPENT = {"median": 20.0, "p95": 22.0, "p99": 25.0, "n": 40}
STAGES_MS = {"receive": 1.0, "infer": 20.0}


def drive(hz: float, late: float | None) -> dict[str, Any]:
    """As bench.json has one."""
    return {
        "model": "dual_branch_s",
        "hz": hz,
        "seconds": 10,
        "frames_sent": 100,
        "frames_answered": 97,
        "answered_share": 0.97,
        "drops_by_cause": {"superseded": 3},
        "latency_ms": {"p50": 40.0, "p95": 50.0, "p99": late},
        "stages_ms": STAGES_MS,
        "ready_s": 2.0,
        "ready_again_s": 1.0 if hz == 10.0 else None,
        "memory_mb": {"start": 300.0, "steady": 320.0, "peak": 330.0, "growth": 0.0},
        "cpu_percent": 90.0,
    }


@pytest.fixture
def report() -> dict[str, Any]:
    network = {"f32": {**SPENT, "ratio": 0.5}, "bf16": {**SPENT, "median": 12.0, "ratio": 0.4}}
    return {
        "ratio_to_pidnet_s": 0.4,
        "overhead_ratio": 0.15,
        "overhead_ms": SPENT,
        "stages_ms": STAGES_MS,
        "stages": {"receive": SPENT, "infer": SPENT},
        "network": network,
        "network_camera_alone": network,
        "peers": {"PIDNet-S": {precision: {**SPENT, "median": 30.0, "ratio": 1.0} for precision in network}},
        "dds": [drive(10.0, 60.0), drive(20.0, None)],
        "overload": drive(50.0, 48.0),
        "growth": {
            "image_scale": [{"scale": 0.5, "width": 621, "height": 188, "stages_ms": STAGES_MS, "total_ms": 21.0}],
            "points": [{"points": 10_000, "stages_ms": STAGES_MS, "total_ms": 21.0}],
            "outputs": [{"outputs": "labels", "stages_ms": STAGES_MS, "total_ms": 21.0}],
            "cameras": [{"cameras": 2, "all_ms": SPENT, "rate_hz": 50.0}],
        },
        "engine": "openvino CPU bf16",
        "precision": "bf16",
        "threads": 2,
        "model": "model.xml",
        "weights_sha256": "0" * 64,
        "input": {
            "source": "drive",
            "frames": 8,
            "image": [1242, 375],
            "network": [1248, 384],
            "points": 120_000,
            "sha256": "1" * 64,
        },
        "machine": {"cores": 2, "flags": [], "memory_gb": 8.0, "load": 0.1, "versions": {"cpu": "C × 2", "numpy": "2"}},
        "seconds": {},
    }


@pytest.fixture
def frame() -> Frame:
    rng = np.random.default_rng(0)
    return Frame(
        stamp_ns=1,
        rgb=rng.integers(0, 256, (20, 60, 3), np.uint8),
        depth=rng.uniform(1, 50, (20, 60)).astype(np.float32),
        infrared=rng.integers(0, 60000, (20, 60), np.uint16),
        points=np.arange(400, dtype=np.float32).reshape(100, 4) / np.array([1, 1, 1, 400], np.float32),
        camera=CameraModel(np.array([[30.0, 0, 30], [0, 30, 10], [0, 0, 1]]), 60, 20),
        lidar_to_camera=np.eye(4),
    )
