# SPDX-License-Identifier: Apache-2.0
"""Trains the same network by one recipe after the other, equally long, and writes the tables of a document.

    python benchmarks/recipes.py DATA DRIVES work_dirs/recipes docs/accuracy.md [COURSE [NAME …]]

DATA holds camvid, idd_lite, kitti_frustum and roadscene, DRIVES what `perception simulate` wrote. Three courses: from
random weights (`recipes`), with and without pre-training (`recipes_pretrained`), and on from the shipped weights
(`recipes_continued`). Each recipe changes one thing of the first of its course; a course of which there is nothing yet
leaves its table as it is. Short runs rank recipes, and say little of how good a long one would be. A run that was
stopped goes on where it was; COURSE and NAMEs choose what is trained.
"""

from __future__ import annotations

import json
import multiprocessing
import sys
from collections.abc import Callable, Mapping
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from accuracy_tables import NAMES
from mmengine.config import Config
from precisions import thinned
from tables import fill

from perception.benchmark.tables import Table
from perception.datasets.registry import open_dataset
from perception.evaluation.evaluate import evaluate
from perception.paths import WEIGHTS, config_path
from perception.pipeline import Pipeline
from perception.processes import begin_worker
from perception.simulation import SimulatedDrives
from perception.training.pretraining.pretrain import pretrain
from perception.training.recipe import Augmentation, LidarFaults, MeanTeaching, Paste, Recipe, Weather, read_recipe
from perception.training.train import Options, train

CROP, BATCH, PRETRAINING = (256, 512), 4, 400
SHIPPED = WEIGHTS / "dual_branch_s.safetensors"
SETS = {"camvid": "camvid", "idd-lite": "idd_lite", "kitti-frames": "kitti_frustum", "roadscene": "roadscene"}
SCORED = ("camvid", "idd-lite", "kitti-frames")
STREETS, FRAMES, EACH = range(10), 100, 2
COLUMNS = (("iou", "road"), ("iou", "vehicle"), ("iou", "pedestrian"))


@dataclass(frozen=True)
class Variant:
    """change: of the recipe `scratch`. teachers, pretrained: beside that."""

    change: Callable[[Recipe], Recipe] = lambda recipe: recipe
    teachers: tuple[Path, ...] = ()
    pretrained: bool = False
    seed: int = 0


def changed(**changes: Any) -> Callable[[Recipe], Recipe]:
    """Other settings of the recipe."""
    return lambda recipe: replace(recipe, **changes)


def sampled(settings: Mapping[str, Mapping[str, Any]], **changes: Any) -> Callable[[Recipe], Recipe]:
    """Other settings of sources, by name, and of the recipe."""

    def change(recipe: Recipe) -> Recipe:
        sources = {name: replace(sampling, **settings.get(name, {})) for name, sampling in recipe.sources.items()}
        return replace(recipe, sources=sources, **changes)

    return change


@dataclass(frozen=True)
class Course:
    """Recipes of one table. init: the weights that they begin with; None is random ones."""

    iterations: int
    learning_rate: float
    init: Path | None = None
    recipes: dict[str, Variant] = field(default_factory=dict)


CROSS_ENTROPY = dict(type="WeightedCrossEntropy", class_weight=(1.0, 1.0, 1.0, 1.2))
LOSSES = {
    "with Lovász": Variant(changed(losses=(CROSS_ENTROPY, dict(type="LovaszSoftmax", loss_weight=0.3)))),
    "with weight on borders": Variant(
        changed(losses=(CROSS_ENTROPY, dict(type="BoundaryCrossEntropy", radius=2, loss_weight=0.2)))
    ),
    "hardest pixels (OHEM)": Variant(
        changed(losses=(dict(type="HardPixelCrossEntropy", class_weight=(1.0, 1.0, 1.0, 1.2)),))
    ),
}
PLAIN = {"cross-entropy, soft labels hardened": Variant(), "the same with another seed": Variant(seed=1)}
"""The first is what the others are compared with; the second tells how much of a difference is chance."""

COPY_PASTE = Variant(
    sampled(
        {
            "camvid": dict(donors=("camvid", "idd-lite", "simulated"), horizon=0.49),
            "idd-lite": dict(donors=("idd-lite", "camvid"), horizon=0.48),
            "simulated": dict(donors=("simulated",)),
        },
        augmentation=Augmentation(paste=Paste(share=0.3, most=3, pedestrians=0.6)),
    )
)
SOFT = Variant(
    sampled({"kitti-frames": dict(soft=True, boxes=True), "roadscene": dict(soft=True), "msrs": dict(soft=True)})
)
FAULTS = Variant(
    changed(
        augmentation=Augmentation(
            weather=Weather(fog=0.04, darkness=0.08, motion_blur=0.08, jpeg=0.15),
            lidar=LidarFaults(share=0.4, dropout=0.5, intensity=0.4),
        )
    )
)
COURSES = {
    "recipes": Course(
        1000,
        2e-3,
        recipes={
            **PLAIN,
            **LOSSES,
            "soft labels as they are, 3D boxes and ground": SOFT,
            "copy-paste": COPY_PASTE,
            "weather and LiDAR faults": FAULTS,
            "mean teacher": Variant(changed(mean_teacher=MeanTeaching(weight=0.5))),
            "taught by the shipped network": Variant(teachers=(SHIPPED,)),
        },
    ),
    "recipes_pretrained": Course(
        PRETRAINING,
        2e-3,
        recipes={"from random weights": Variant(), "pre-trained without labels": Variant(pretrained=True)},
    ),
    # A network that knows all classes shows what a loss does for the rare one.
    "recipes_continued": Course(500, 5e-4, SHIPPED, {**PLAIN, **LOSSES, "copy-paste": COPY_PASTE}),
}


def run(course: Course, variant: Variant, data: list[tuple[str, Path]], folder: Path) -> Path:
    """Train, or go on; the weights file."""
    config = Config.fromfile(config_path("networks/dual_branch_s.py"))
    recipe = variant.change(replace(read_recipe("scratch"), crop=CROP, batch_size=BATCH))

    def options(work_dir: Path, iterations: int, **more: Any) -> Options:
        resume = (work_dir / "last.pt").is_file()
        return Options(data, work_dir, iterations, BATCH, course.learning_rate, variant.seed, resume=resume, **more)

    init = course.init
    if variant.pretrained:
        init = folder / "first" / "weights.safetensors"
        if not (folder / "first" / "done").exists():
            pretrain(config, recipe, options(folder / "first", PRETRAINING))
            (folder / "first" / "done").touch()
    return train(config, recipe, options(folder, course.iterations, teachers=variant.teachers, init=init))


def score(weights: Path, data: Path) -> dict[str, Any]:
    """What `evaluate` reports of each set, without its frames."""
    pipeline = Pipeline.load(weights)
    sets = {name: open_dataset(name, data / SETS[name], "val") for name in SCORED if (data / SETS[name]).is_dir()}
    sets["simulated day"] = thinned(SimulatedDrives(STREETS, "day", FRAMES), EACH * len(STREETS))
    reports = {name: evaluate(pipeline, samples).to_dict() for name, samples in sets.items()}
    for report in reports.values():
        del report["per_frame"]
    return reports


def in_a_process_of_its_own(*task: Any) -> dict[str, Any]:
    """What `run_and_score` returns: a training's frames fill the memory, and go with their process."""
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn"), begin_worker) as pool:
        return pool.submit(run_and_score, *task).result()


def run_and_score(course: str, name: str, roots: list[tuple[str, Path]], folder: Path, data: Path) -> dict[str, Any]:
    """What `score` finds of the recipe."""
    return score(run(COURSES[course], COURSES[course].recipes[name], roots, folder), data)


def table(found: dict[str, dict[str, Any]]) -> Table:
    """IoU of the first recipe, and by how many points the others differ."""
    rows: list[tuple[str, ...]] = []
    first = next(iter(found.values()), {})
    for name, sets in found.items():
        for title, report in sets.items():
            cells = []
            for figure, each in COLUMNS:
                value, base = report[figure][each], first[title][figure][each]
                cells.append(f"{value:.3f}" if sets is first else f"{100 * (value - base):+.1f}")
            small = report["object_size"]["pedestrian"]["small"]["recall"]
            rows.append((name, title, *cells, "–" if small is None else f"{small:.3f}"))
    return Table("Recipes", ("recipe", "set", "road", "vehicle", "pedestrian", "recall of small pedestrians"), rows)


def main(arguments: list[str]) -> None:
    """Train and score what is missing, then write the document."""
    data, drives, folder, document = map(Path, arguments[:4])
    chosen, names = arguments[4:5] or list(COURSES), arguments[5:]
    roots = [(name, data / root) for name, root in SETS.items() if (data / root).is_dir()] + [("simulated", drives)]
    made = {}
    for title, course in COURSES.items():
        (folder / title).mkdir(parents=True, exist_ok=True)
        path = folder / f"{title}.json"
        found: dict[str, dict[str, Any]] = json.loads(path.read_text("utf-8")) if path.is_file() else {}
        for number, name in enumerate(course.recipes):
            if title not in chosen or name in found or (names and name not in names):
                continue
            print(f"{title}: {name} …", flush=True)
            found[name] = in_a_process_of_its_own(title, name, roots, folder / title / str(number), data)
            path.write_text(json.dumps(found, indent=1) + "\n", "utf-8")
        if found:
            made[title] = table({name: found[name] for name in course.recipes if name in found})
            print(made[title].markdown())
    document.write_text(fill(document.read_text("utf-8"), made, NAMES), "utf-8")


if __name__ == "__main__":
    if len(sys.argv) < 5:
        sys.exit(__doc__)
    main(sys.argv[1:])
