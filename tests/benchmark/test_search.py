# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import importlib
import sys
from pathlib import Path

import pytest

pytest.importorskip("torch")
pytest.importorskip("mmseg")

from perception.engines.weights import build_model

SCRIPTS = Path(__file__).resolve().parents[2] / "benchmarks"


def test_every_variant_is_a_network_of_its_own(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.syspath_prepend(str(SCRIPTS))
    search = importlib.import_module("search")
    monkeypatch.delitem(sys.modules, "search")
    sizes = {}
    for number, (name, change) in enumerate(search.VARIANTS.items()):
        model = build_model(search.write_variant(change, tmp_path / f"{number}.safetensors"))
        sizes[name] = sum(p.numel() for p in model.parameters())
    full = sizes["full blocks"]
    assert all(size != full for name, size in sizes.items() if name not in ("full blocks", "shipped"))
    assert sizes["a quarter"] < sizes["blocks half as wide inside"] < full
