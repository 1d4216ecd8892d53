# SPDX-License-Identifier: Apache-2.0
"""What can be learnt from few labels: each way from 5 %, 20 % and all labels of real sets, three seeds each.

    python benchmarks/few_labels.py DATA DRIVES FIRST work_dirs/few_labels docs/training.md [--iterations N] [ROW …]

DATA is the folder of data sets, DRIVES what `perception simulate` wrote, whose labels cost nothing: all begin with one
network that was trained on these alone, for FIRST_STAGES as long as a stage. It is in the folder FIRST, as are the
weights that are pre-trained without labels; what is there of an earlier run is taken. Every stage is N steps, and a row
of two stages is compared with the one that has labels alone, twice as long. Each run is short: it ranks ways of
learning, and says little of how good a long one would be. Scored, as the ablation, on real frames alone, whose truth
people marked. A run that was stopped goes on where it was; ROWs choose what is trained.
"""

from __future__ import annotations

import argparse
import functools
import json
import statistics
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from ablation import BATCH, SEEDS, SETS, TABLES, finished, score, spread
from mmengine.config import Config
from tables import fill

from perception.benchmark.tables import Table
from perception.datasets.registry import open_dataset
from perception.engines.family import member_name
from perception.paths import config_path
from perception.sample import Sample
from perception.training import pseudo_label_run
from perception.training.data import sources
from perception.training.data.level import expect_ground
from perception.training.pretraining.contrast import Contraster
from perception.training.pretraining.pretrain import Pretrainer, Reconstructor, pretrain
from perception.training.pseudo_label_run import ALL, PseudoLabelOptions, run_pseudo_label
from perception.training.recipe import MeanTeaching, Recipe, Sampling, read_recipe
from perception.training.train import Options, train

SHARES = (0.05, 0.2, 1.0)
SCALE, CROP, FIRST_STAGES = 0.5, (192, 384), 4
"""The part of the usual resolution that all are trained and scored at: so a step takes a quarter of the time."""

TRAINED = {"camvid": "camvid", **SETS}
"""Sets: people's masks of camera images, and soft labels of the ablation's sets."""

PSEUDO = 48
"""Frames of each set that get pseudo-labels."""


@dataclass(frozen=True)
class Place:
    """Where and how long: the folders of data, of simulated drives, of what runs begin with, and of runs, and the steps
    of a stage."""

    data: Path
    drives: Path
    first: Path
    work: Path
    iterations: int


Row = Callable[[Place, float, int], Path]
"""(place, share of labels, seed) → weights, trained if they are missing."""


def recipe(share: float, **sampling: Any) -> Recipe:
    """`scratch` on small crops of TRAINED with this share of labels, and other settings of every source."""
    known = read_recipe("real").sources
    changed = {name: replace(known[name], donors=(), boxes=False, labels=share, **sampling) for name in TRAINED}
    return replace(read_recipe("scratch"), crop=CROP, sources=changed).at(SCALE)


def network() -> Config:
    """The network that everybody trains."""
    return Config.fromfile(config_path("networks/dual_branch_s.py"))


def options(place: Place, folder: Path, seed: int, **more: Any) -> Options:
    """Of a stage in `folder`."""
    roots = [(name, place.data / root) for name, root in TRAINED.items()]
    settings = {"data": roots, "workers": 1, "iterations": place.iterations, **more}
    return Options(work_dir=folder, batch_size=BATCH, seed=seed, **settings)


def folder_of(place: Place, name: str, share: float, seed: int) -> Path:
    """Where a run is."""
    return place.work / f"{name}-{round(100 * share)}-{seed}"


def simulated(place: Place) -> Path:
    """What all begin with: from random weights, with simulated frames alone."""
    known = read_recipe("scratch")
    alone = replace(known, crop=CROP, sources={"simulated": known.sources["simulated"]}).at(SCALE)
    data, iterations = [("simulated", place.drives)], FIRST_STAGES * place.iterations
    run = options(place, place.first / "simulated", 0, data=data, iterations=iterations)
    return finished(train, network(), alone, run)


def labels_alone(place: Place, share: float, seed: int) -> Path:
    """One stage with labels of real frames."""
    run = options(place, folder_of(place, "alone", share, seed), seed, init=simulated(place))
    return finished(train, network(), recipe(share), run)


def weakly(way: str) -> Row:
    """The same from weak labels."""

    def row(place: Place, share: float, seed: int) -> Path:
        run = options(place, folder_of(place, way, share, seed), seed, init=simulated(place))
        return finished(train, network(), recipe(share, weak=way), run)

    return row


def pretrained(kind: type[Pretrainer]) -> Row:
    """A stage without labels, the same for every share, and one with them."""

    def row(place: Place, share: float, seed: int) -> Path:
        learn = functools.partial(pretrain, kind=kind)
        begin = options(place, place.first / f"{kind.way}-{seed}", seed, init=simulated(place))
        first = finished(learn, network(), recipe(1), begin)
        run = options(place, folder_of(place, kind.way, share, seed), seed, init=first)
        return finished(train, network(), recipe(share), run)

    return row


def longer(place: Place, share: float, seed: int) -> Path:
    """Labels alone, and as long again."""
    first = labels_alone(place, share, seed)
    run = options(place, folder_of(place, "longer", share, seed), seed, init=first)
    return finished(train, network(), recipe(share), run)


def mean_teacher(place: Place, share: float, seed: int) -> Path:
    """Labels alone, then with all frames and a mean teacher."""
    first = labels_alone(place, share, seed)
    run = options(place, folder_of(place, "mean_teacher", share, seed), seed, init=first)
    return finished(train, network(), replace(recipe(share), mean_teacher=MeanTeaching()), run)


def distillation(place: Place, share: float, seed: int) -> Path:
    """Labels alone, then with all frames and the networks of all seeds as teachers (Hinton et al., 2015)."""
    teachers = [labels_alone(place, share, each) for each in SEEDS]
    first = labels_alone(place, share, seed)
    run = options(place, folder_of(place, "distilled", share, seed), seed, init=first, teachers=teachers)
    return finished(train, network(), recipe(share), run)


def self_training(place: Place, share: float, seed: int) -> Path:
    """Labels alone, then with pseudo-labels of a few frames that have none, drawn as often as the others."""
    first = labels_alone(place, share, seed)
    folder = folder_of(place, "self", share, seed)
    labelled, more = recipe(share), {}
    roots = [(name, place.data / root) for name, root in TRAINED.items()]
    for name, root in list(roots):
        made = folder / name
        if not (made / "pseudo_labels.json").is_file():
            _, rest = sources.few_labelled(_in_memory(name, root, "train"), share)
            names = {sample.name for sample in rest[:: max(1, len(rest) // PSEUDO)][:PSEUDO]}
            run_pseudo_label(
                PseudoLabelOptions(
                    dataset=name,
                    root=root,
                    model=Path(member_name(f"{first}", SCALE)),
                    output=made,
                    split="train",
                    which=ALL,
                    names=names,
                )
            )
        own = labelled.sources[name]
        more[f"pseudo {name}"] = Sampling(own.weight, own.scale, "all", "pseudo", soft=True, tiles=own.tiles)
        roots.append((f"pseudo {name}", made))
    run = options(place, folder, seed, init=first, data=roots)
    return finished(train, network(), replace(labelled, sources={**labelled.sources, **more}), run)


ROWS: dict[str, tuple[int, Row]] = {
    "labels alone": (1, labels_alone),
    "boxes of things": (1, weakly("boxes")),
    "scribbles": (1, weakly("scribbles")),
    "labels alone, twice as long": (2, longer),
    "pre-trained, masked reconstruction": (2, pretrained(Reconstructor)),
    "pre-trained, contrastive": (2, pretrained(Contraster)),
    "self-training": (2, self_training),
    "mean teacher": (2, mean_teacher),
    "distillation from three networks": (2, distillation),
}
"""Stages, and what trains them."""

WITHOUT_ALL = ("self-training",)
"""Rows that have nothing to do where every frame has labels."""


def table(found: Mapping[str, Mapping[str, Mapping[str, Mapping[str, Any]]]], begun: Mapping[str, Any]) -> Table:
    """Mean IoU over the scored sets, mean ± deviation over the seeds, by row, share and seed. begun: the scores of what
    all begin with."""
    rows = [("none, as all begin", "0", *len(SHARES) * [f"{_mean(begun):.1f}"])]
    for name, (stages, _) in ROWS.items():
        if name not in found:
            continue
        cells = []
        for share in SHARES:
            seeds = found[name].get(f"{share}", {}).values()
            means = [_mean(sets) for sets in seeds]
            cells.append(spread(means) if means else "–")
        rows.append((name, str(stages), *cells))
    header = ("way of learning", "stages", *(f"{100 * share:.0f} % of the labels" for share in SHARES))
    return Table("Few labels", header, rows)


def _mean(sets: Mapping[str, Any]) -> float:
    return 100 * statistics.mean(each["together"] for each in sets.values())


@functools.cache
def _in_memory(name: str, root: Path, split: str) -> Sequence[Sample]:
    """A data set read once: reading it takes longer than a run."""
    return expect_ground(list(open_dataset(name, root, split)))


def _opened(name: str, root: Path, split: str, *_classes: Any) -> Sequence[Sample]:
    """In place of `open_dataset`; the network has the classes that every reader begins with."""
    return _in_memory(name, root, split) if name in TRAINED else open_dataset(name, root, split)


def main(arguments: list[str]) -> None:
    """Train and score what is missing, then write the document."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in ("data", "drives", "first", "work", "document"):
        parser.add_argument(name, type=Path, metavar=name.upper())
    parser.add_argument("rows", nargs="*", metavar="ROW", help=", ".join(ROWS))
    parser.add_argument("--iterations", type=int, default=300, help="steps of each stage (%(default)s)")
    args = parser.parse_intermixed_args(arguments)
    if unknown := {*args.rows} - {*ROWS}:
        parser.error(f"no row {min(unknown)!r}; there are {', '.join(ROWS)}")
    args.work.mkdir(parents=True, exist_ok=True)
    path = args.work / "few_labels.json"
    report: dict[str, Any] = {"iterations": args.iterations, "rows": {}}
    if path.is_file():
        report = json.loads(path.read_text("utf-8"))
    if report["iterations"] != args.iterations:
        parser.error(f"{path} is of {report['iterations']} iterations: ask for as many, or take another folder")
    for module in (sources, pseudo_label_run):
        vars(module)["open_dataset"] = _opened
    place = Place(args.data, args.drives, args.first, args.work, args.iterations)
    found = report["rows"]
    if not found:
        report["simulated alone"] = score(simulated(place), args.data, False, SCALE)
    for name, (_, row) in ROWS.items():
        for share in SHARES:
            for seed in SEEDS:
                seeds = found.setdefault(name, {}).setdefault(f"{share}", {})
                left_out = (args.rows and name not in args.rows) or (share == 1 and name in WITHOUT_ALL)
                if left_out or f"{seed}" in seeds:
                    continue
                print(f"{name}, {share:.0%} of the labels, seed {seed} …", flush=True)
                seeds[f"{seed}"] = score(row(place, share, seed), args.data, False, SCALE)
                path.write_text(json.dumps(report, indent=1) + "\n", "utf-8")
    made = table({name: shares for name, shares in found.items() if any(shares.values())}, report["simulated alone"])
    print(made.markdown())
    document = args.document.read_text("utf-8")
    args.document.write_text(fill(document, {"few_labels": made}, TABLES), "utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
