# SPDX-License-Identifier: Apache-2.0
"""What each part of the recipe `real` brings, what was tried beside it, and each fusion: three seeds each.

    python benchmarks/ablation.py DATA DRIVES INIT work_dirs/ablation docs/training.md [NAME …]

DATA is the folder of data sets, DRIVES what `perception simulate` wrote, INIT the weights to begin with: those from
before the recipe, or there is nothing left to learn from it. Each run is short: it ranks parts, and says little of how
good a long one would be. Scored on real frames alone, whose truth people marked. A run that was stopped goes on where
it was; NAMEs choose what is trained.

Every fusion gets the other parts' weights from INIT and begins with random ones of its own, the shipped one too.
"""

from __future__ import annotations

import gc
import json
import statistics
import sys
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from ablation_models import DERIVED
from accuracy_sets import by_boxes, by_sensors, marked
from accuracy_targets import gain
from mmengine.config import Config, ConfigDict
from precisions import thinned
from tables import fill

from perception.benchmark.measure import interleave
from perception.benchmark.tables import Table
from perception.classes import FOREGROUND
from perception.datasets.registry import open_dataset
from perception.engines.choice import noise
from perception.engines.family import member_name
from perception.engines.openvino import OpenVinoEngine
from perception.engines.weights import load_weights, save_weights
from perception.export.cost import HEIGHT, WIDTH, cost_of
from perception.export.graph import export_openvino
from perception.paths import config_path
from perception.pipeline import Pipeline
from perception.sample import Sample
from perception.training.data.sources import once, open_source
from perception.training.recipe import DepthFaults, Patches, Recipe, Sides, ThermalFaults, read_recipe
from perception.training.train import Options, train

CROP, BATCH, ITERATIONS, RATE, SEEDS = (256, 512), 4, 40, 6e-4, (0, 1, 2)
FUSION_CROP, FUSION_ITERATIONS = (192, 384), 150
"""Smaller and longer: a fusion begins with random weights."""

SETS = {
    "kitti-stereo": "kitti_frustum/drive_0005",
    "roadscene": "roadscene",
    "msrs-more": "msrs_more",
}
SCORED = {"night pairs": 12, "another thermal camera": 12, "cityscapes-stereo": 11, "kitti-stereo": 6}
"""Sets, and how many of their frames are scored: KITTI's at its LiDAR points, the others at every pixel."""

TABLES = ("ablation", "fusions", "few_labels")
"""Of docs/training.md; the last is made by few_labels.py."""

WEIGHTS = "weights.safetensors"
"""In the folder of a run."""

SOURCE = once(open_source)

Change = Callable[[ConfigDict, Recipe], Recipe]
"""Changes the network's config, or returns another recipe."""


def _with(**changes: Any) -> Change:
    return lambda model, recipe: replace(recipe, **changes)


def _augmented(**changes: Any) -> Change:
    return lambda model, recipe: replace(recipe, augmentation=replace(recipe.augmentation, **changes))


def _derived(name: str) -> Change:
    def change(model: ConfigDict, recipe: Recipe) -> Recipe:
        model.backbone.aux_stem.update(type="DerivedStem", derived=name)
        return recipe

    return change


def _token(model: ConfigDict, recipe: Recipe) -> Recipe:
    model.backbone.fusion.update(type="TokenFusion")
    return recipe


def _unconditioned(model: ConfigDict, recipe: Recipe) -> Recipe:
    model.backbone.pop("condition")
    return recipe


def _fused(name: str) -> Change:
    def change(model: ConfigDict, recipe: Recipe) -> Recipe:
        model.backbone.fusion.update(type=name)
        return replace(recipe, sides=Sides(alone=0.5))

    return change


VARIANTS: dict[str, Change] = {
    "the whole recipe": _with(),
    "without the sides alone": _with(sides=Sides()),
    "without learning from all together": _with(sides=Sides(alone=0.5)),
    "without hidden patches": _augmented(patches=Patches()),
    "without weights per image": _unconditioned,
    "without faults of depth": _augmented(depth=DepthFaults()),
    "without faults of thermal images": _augmented(thermal=ThermalFaults()),
    **{f"with {title}": _derived(name) for name, (title, _) in DERIVED.items()},
    "with a learnt token for a missing branch": _token,
}
SHIPPED, ROUNDS = "gate (shipped)", 40
FUSIONS: dict[str, Change] = {
    title: _fused(name)
    for title, name in {
        "sum": "AddFusion",
        "concatenation": "ConcatFusion",
        "maximum": "MaxFusion",
        "squeeze-and-excitation": "SEFusion",
        "CBAM": "CBAMFusion",
        "cross-attention": "CrossAttentionFusion",
        SHIPPED: "GatedAttentionFusion",
        "sum weighted by the condition": "ConditionFusion",
    }.items()
}


def trained(change: Change, seed: int, data: Path, drives: Path, init: Path, folder: Path, fresh: bool = False) -> Path:
    """Train, or go on; the weights file. fresh: the fusion begins with random weights, whatever INIT has."""
    config = Config.fromfile(config_path("networks/dual_branch_s.py"))
    roots = [(name, data / root) for name, root in SETS.items()] + [("simulated", drives)]
    recipe = replace(read_recipe("real"), sides=Sides(alone=0.5, distil=0.3))  # as it was when this was begun
    sources = {name: replace(recipe.sources[name], donors=()) for name, _ in roots}
    crop, iterations = (FUSION_CROP, FUSION_ITERATIONS) if fresh else (CROP, ITERATIONS)
    recipe = change(config.model, replace(recipe, crop=crop, sources=sources))
    folder.mkdir(parents=True, exist_ok=True)
    state, model = load_weights(init)
    if "condition" not in config.model.backbone:
        state = {name: tensor for name, tensor in state.items() if ".condition." not in name}
    if fresh:
        state = {name: tensor for name, tensor in state.items() if ".fusions." not in name}
    save_weights(folder / "init.safetensors", state, model)
    begin = folder / "init.safetensors"
    options = Options(roots, folder, iterations, BATCH, RATE, seed, workers=1, init=begin)
    return finished(partial(train, source=SOURCE), config, recipe, options)


def finished(learn: Callable[..., Path], config: Config, recipe: Recipe, options: Options) -> Path:
    """The weights of a run, which is begun, or goes on, where it has not ended."""
    weights, last = options.work_dir / WEIGHTS, options.work_dir / "last.pt"
    if last.is_file() or not weights.is_file():
        learn(config, recipe, replace(options, resume=last.is_file()))
        last.unlink(missing_ok=True)
        gc.collect()  # or the processes that made its crops wait on, one after the other
    return weights


def score(weights: Path, data: Path, alone: bool = True, scale: float = 1.0) -> dict[str, Any]:
    """Per set: mean IoU of all sensors together, and how much better than the best alone, mean over classes.

    alone: also score each sensor by itself. scale: the part of the usual resolution.
    """
    pipeline, found = Pipeline.load(Path(member_name(f"{weights}", scale))), {}
    for name, count in SCORED.items():
        points = name == "kitti-stereo"
        whole = open_dataset(name, data / SETS[name], "val") if points else marked(name, data)
        samples = thinned(whole, count)
        kept = _all_and_each(samples[0]) if alone else {"all": None}
        scorer = by_boxes(name, samples, kept) if points else by_sensors(kept)
        found[name] = _figures(
            scorer(pipeline, dict(enumerate(samples)), lambda: None), "point_iou" if points else "iou"
        )
    return found


def _all_and_each(sample: Sample) -> dict[str, list[str] | None]:
    return {"all": None, **{name: [name] for name in sample.frame.modalities}}


def _figures(part: Mapping[str, Any], figure: str) -> dict[str, float]:
    gains = [gain(part, figure, label) for label in FOREGROUND]
    known = [each for each in gains if each is not None]
    return {
        **{name: _mean(part, figure, name) for name in part["scores"] if name != "all"},
        "together": _mean(part, figure, "all"),
        **({"gain": statistics.mean(known)} if known else {}),
    }


def _mean(part: Mapping[str, Any], figure: str, sensors: str) -> float:
    values = part["scores"][sensors][figure]
    return statistics.mean(value for label, value in values.items() if label in FOREGROUND and value is not None)


def times(weights: Mapping[str, Path]) -> dict[str, float]:
    """By fusion, the time of a frame with every sensor beside that with the shipped fusion, on one thread."""
    given, calls = noise(WIDTH, HEIGHT), {}
    with TemporaryDirectory() as folder:
        for number, (name, path) in enumerate(weights.items()):
            calls[name] = partial(OpenVinoEngine(export_openvino(path, Path(folder) / f"{number}"), 1).infer, given)
        shortest = {name: min(spent) for name, spent in interleave(calls, ROUNDS).items()}
    return {name: spent / shortest[SHIPPED] for name, spent in shortest.items()}


def fusion_table(found: Mapping[str, Mapping[str, Mapping[str, Any]]], took: Mapping[str, float]) -> Table:
    """Mean ± deviation over the seeds of all sensors together, and where all but one are missing. took: see `times`."""
    columns = [(each, figure) for each in SCORED for figure in ("together", *_singles(found, each))]
    rows = []
    for name, seeds in found.items():
        cells = [spread([100 * score[each][figure] for score in seeds.values()]) for each, figure in columns]
        rows.append((name, f"{next(iter(seeds.values()))['gmac']:.2f}", f"{took[name]:.2f}", *cells))
    return Table("Fusions", ("fusion", "GMAC", "time", *(f"{each}: {figure}" for each, figure in columns)), rows)


def spread(values: list[float], sign: str = "") -> str:
    """Mean ± standard deviation."""
    deviation = statistics.stdev(values) if len(values) > 1 else 0.0
    return f"{statistics.mean(values):{sign}.1f} ± {deviation:.1f}"


def _singles(found: Mapping[str, Mapping[str, Mapping[str, Any]]], name: str) -> list[str]:
    """The sensors that every run was scored with alone."""
    scores = next(iter(next(iter(found.values())).values()))[name]
    return [each for each in scores if each not in ("together", "gain")]


def table(found: Mapping[str, Mapping[str, Mapping[str, Any]]]) -> Table:
    """Mean ± deviation over the seeds."""
    rows = []
    for name, seeds in found.items():
        cells = []
        for each in SCORED:
            for figure, factor in (("together", 100), ("gain", 1)):
                values = [factor * score[each][figure] for score in seeds.values()]
                cells.append(spread(values, "+" if figure == "gain" else ""))
        rows.append((name, *cells))
    header = (f"{each}: {figure}" for each in SCORED for figure in ("mean IoU", "less the best alone"))
    return Table("Ablation", ("recipe", *header), rows)


def _folder(work_dir: Path, name: str, seed: int) -> Path:
    return work_dir / f"{name.replace(' ', '_')}-{seed}"


def main(arguments: list[str]) -> None:
    """Train and score what is missing, then write the document."""
    data, drives, init, folder, document = map(Path, arguments[:5])
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "ablation.json"
    found: dict[str, dict[str, Any]] = json.loads(path.read_text("utf-8")) if path.is_file() else {}
    wanted = {
        name: change for name, change in (VARIANTS | FUSIONS).items() if name in arguments[5:] or not arguments[5:]
    }
    for seed in SEEDS:
        for name, change in wanted.items():
            if str(seed) in found.get(name, {}):
                continue
            print(f"{name}, seed {seed} …", flush=True)
            weights = trained(change, seed, data, drives, init, _folder(folder, name, seed), fresh=name in FUSIONS)
            found.setdefault(name, {})[str(seed)] = score(weights, data)
            if name in FUSIONS:
                found[name][str(seed)]["gmac"] = cost_of(weights).gmac
            path.write_text(json.dumps(found, indent=1) + "\n", "utf-8")
    made = {}
    if parts := {name: found[name] for name in VARIANTS if name in found}:
        made["ablation"] = table(parts)
    if fusions := {name: found[name] for name in FUSIONS if name in found}:
        made["fusions"] = fusion_table(
            fusions, times({name: _folder(folder, name, SEEDS[0]) / WEIGHTS for name in fusions})
        )
    for each in made.values():
        print(each.markdown())
    document.write_text(fill(document.read_text("utf-8"), made, TABLES), "utf-8")


if __name__ == "__main__":
    if len(sys.argv) < 6:
        sys.exit(__doc__)
    main(sys.argv[1:])
