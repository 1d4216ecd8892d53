# SPDX-License-Identifier: Apache-2.0
"""One run of `perception compare`: train what is not trained, score, time, and write."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

from mmengine.config import Config
from rich.console import Console

from perception.benchmark.peers import write_untrained
from perception.comparing import page, pictures, report, scoring, tables, timing
from perception.comparing.budget import Budget
from perception.comparing.pareto import pareto_plot
from perception.comparing.parts import Part, drive_of, held_out, trained_on
from perception.comparing.report import CompareReport, Row, Scored, Training
from perception.comparing.training import (
    WEIGHTS,
    Alike,
    TrainingFailed,
    check_alike,
    is_done,
    measured,
    planned,
    read_alike,
    trained,
    training_of,
)
from perception.disk import write_file
from perception.engines import find_weights
from perception.engines.base import sensors_of_engine
from perception.engines.described import described_by
from perception.engines.manifest import digest_of
from perception.errors import ModelError
from perception.export.cost import cost_of
from perception.models.networks import NETWORKS, find_network
from perception.paths import config_path
from perception.pipeline import Pipeline
from perception.reporting.progress import Steps
from perception.reporting.provenance import processor, versions
from perception.sample import Sample
from perception.storage import local, source
from perception.training.recipe import read_recipe

DEFAULT = "dual_branch_s"
RECIPE = "scratch"
PLOT, PICTURE, TRUTH, PAGE = "pareto.png", "networks.jpg", "truth.jpg", "compare.html"


@dataclass(frozen=True, kw_only=True)
class CompareOptions:
    """What is compared. names: networks of configs/networks, or paths of configs. all: every one of the zoo and the
    default too. train: None trains nothing. weights: rows of weights that were trained elsewhere, by their name.
    recipe: None is that of what is trained already, else RECIPE. frames: at most so many of each set. document: whose
    tables are filled. threads: None takes every core. resolution: the part of it, of each side, at which all are
    trained, scored and timed.
    """

    names: Sequence[str]
    data: Sequence[tuple[str, Path]]
    output: Path
    all: bool = False
    train: Budget | None = None
    weights: Sequence[tuple[str, str | Path]] = ()
    recipe: str | None = None
    seed: int = 0
    frames: int = 12
    document: Path | None = None
    threads: int | None = None
    workers: int = 2
    resolution: float = 1.0


def run_compare(options: CompareOptions, console: Console) -> CompareReport:
    """Compare, and write compare.json after every step, so that a run that is stopped goes on from there.

    Raises DataError, ModelError: see `held_out`, `trained`, and where a network is not trained and shall not be.
    """
    return _Run(options, console).all()


def rebuild(path: Path, output: Path, document: Path | None) -> CompareReport:
    """Tables, plot and page from compare.json alone. Raises DataError as `report.read` and `tables.fill`."""
    found = report.read(path)
    report.summarise(found)
    _write(found, output, document)
    return found


def zoo() -> list[str]:
    """The names of all networks of configs/networks/zoo, and the default."""
    folder = config_path("networks/zoo/unet.py").parent
    names = [path.stem for path in folder.rglob("*.py")]
    return [DEFAULT, *(name for name in NETWORKS if name in names)]


@dataclass
class _Run:
    options: CompareOptions
    console: Console
    networks: dict[str, Config] = field(default_factory=dict)
    kept: dict[str, Config] = field(default_factory=dict)
    elsewhere: dict[str, Path] = field(default_factory=dict)
    found: CompareReport = field(default_factory=CompareReport)

    def all(self) -> CompareReport:
        options = self.options
        self._find()
        if options.document:
            tables.check_document(options.document)
        recipe_name = options.recipe or self._former_recipe() or RECIPE
        recipe = read_recipe(recipe_name)
        data = trained_on(options.data, recipe) if options.train else []
        parts = held_out(options.data, recipe, options.frames, self._say)
        if (options.output / report.NAME).is_file():
            self.found = report.read(options.output / report.NAME)
        self._keep(parts)
        if options.train:
            alike = Alike(options.train, recipe_name, recipe, data, options.seed, options.workers, options.resolution)
            self._train(alike)
        else:
            self._expect_trained()
        trainings = {name: training_of(self._folder(name)) for name in self.networks}
        check_alike(self._trainings() | trainings)
        weights = {name: self._folder(name) / WEIGHTS for name in self.networks} | self.elsewhere
        if not weights and not self.kept:
            raise ModelError(
                "nothing to compare: " + "; ".join(f"{n}: {why}" for n, why in self.found.left_out.items())
            )
        self._rows(weights, trainings)
        self.found.sets = {part.name: self._scored(part) for part in parts}
        models = self._export(weights)
        self._score(models, parts)
        self._time(models)
        self.found.versions = versions()
        self._save()
        _write(self.found, options.output, options.document)
        return self.found

    def _find(self) -> None:
        """The networks that are asked for, the camera's first: those see the same data."""
        options = self.options
        names = [*options.names, *(zoo() if options.all else ())]
        if not names and not options.weights:
            raise ModelError("no network is named: say which, for example unet pidnet_s, or --all")
        configs = {Path(name).stem: read_alike(find_network(name)) for name in dict.fromkeys(names)}
        self.networks = dict(sorted(configs.items(), key=lambda item: item[1].model.backbone.type != "RgbEncoder"))
        for name, given in options.weights:
            if name in NETWORKS or name in self.networks:
                raise ModelError(
                    f"--weights {name}={given}: {name} is the row of the network that is trained here; give weights "
                    f"that were trained elsewhere a name of their own, for example {name}-elsewhere"
                )
            if Path(name).name != name:
                raise ModelError(f"--weights {name}={given}: {name!r} shall be a plain name, which a folder can have")
            theirs = source(given)
            self.elsewhere[name] = local(theirs) if described_by(theirs) else find_weights(given)

    def _keep(self, parts: Sequence[Part]) -> None:
        """Leave networks as they are whose rows are complete and whose weights are gone: these need not be shipped."""
        drive = drive_of(parts, self.options.frames)
        for name in list(self.networks):
            row = self.found.networks.get(name)
            known = row is not None and row.training is not None and not self._lacks(name, parts, drive)
            if known and not (self._folder(name) / WEIGHTS).is_file():
                self._say(f"{name}: trained and scored before; its weights are gone, its row stays")
                self.kept[name] = self.networks.pop(name)

    def _folder(self, name: str) -> Path:
        return self.options.output / name

    def _say(self, text: str) -> None:
        self.console.print(text, highlight=False, soft_wrap=True)

    def _former_recipe(self) -> str | None:
        done = [name for name in self.networks if is_done(self._folder(name))]
        return training_of(self._folder(done[0])).recipe if done else None

    def _trainings(self) -> dict[str, Training]:
        """Of the rows that are there already."""
        return {name: row.training for name, row in self.found.networks.items() if row.training}

    def _expect_trained(self) -> None:
        missing = [name for name in self.networks if not is_done(self._folder(name))]
        if missing:
            raise ModelError(
                f"{', '.join(missing)}: not trained in {self.options.output}: add --train BUDGET, for example "
                "--train 25min or --train 200it; weights that were trained elsewhere are a row by --weights NAME=FILE"
            )

    def _train(self, alike: Alike) -> None:
        todo = [name for name in self.networks if not is_done(self._folder(name))]
        for name, config in self.networks.items():
            if name in todo:
                check_alike({**self._trainings(), name: planned(config, alike)})
            else:
                trained(name, config, alike, self._folder(name), self._say)  # checks that it is alike
        for name in todo:  # in one go, so that the machine is alike for all
            with self._left_out(name):
                measured(name, self.networks[name], alike, self._folder(name), self._say)
        todo = [name for name in todo if name in self.networks]
        spent: list[float] = []
        for number, name in enumerate(todo):
            each = sum(spent) / len(spent) if spent else alike.budget.seconds
            left = f", about {timedelta(seconds=round(each * (len(todo) - number)))} left" if each else ""
            self._say(f"training {number + 1} of {len(todo)}: {name}, {alike.budget} each{left}")
            began = time.monotonic()
            with self._left_out(name):
                trained(name, self.networks[name], alike, self._folder(name), self._say)
            spent.append(time.monotonic() - began)

    @contextmanager
    def _left_out(self, name: str) -> Iterator[None]:
        """Goes on without the network if it cannot be trained."""
        try:
            yield
            self.found.left_out.pop(name, None)
        except TrainingFailed as error:
            self._say(f"{name}: left out: {error}")
            self.found.left_out[name] = str(error)
            del self.networks[name]

    def _rows(self, weights: Mapping[str, Path], trainings: Mapping[str, Training]) -> None:
        """A row for each of the weights; one of other weights than before begins anew."""
        for name, path in weights.items():
            described, before = described_by(path), self.found.networks.get(name)
            digest = " ".join(digest_of(each) for each in (path, described) if each)
            if before is not None and before.weights_sha256 == digest:
                continue
            parameters, gmac, sensors = cost_of(path) if described is None else (None, None, _sensors(path))
            self.found.networks[name] = Row(
                weights_sha256=digest,
                training=trainings.get(name),
                sensors=list(sensors),
                parameters=parameters,
                gmac=None if gmac is None else round(gmac, 2),
            )

    def _export(self, weights: Mapping[str, Path]) -> dict[str, Path]:
        steps, models = Steps(self.console), {}
        with steps.step("export", "exporting", len(weights)) as done:
            for name, path in weights.items():
                models[name] = path if described_by(path) else scoring.exported(path, self._folder(name))
                done()
        return models

    def _score(self, models: Mapping[str, Path], parts: Sequence[Part]) -> None:
        """Each network on each set that it has not been scored on, in turn; real sets first."""
        drive = drive_of(parts, self.options.frames)
        strips = {name: self._folder(name) / pictures.STRIP for name in models}
        todo = [name for name in models if self._lacks(name, parts, drive) or not strips[name].is_file()]
        if not todo:
            return
        steps = Steps(self.console)
        reading = [*parts, *([drive] if drive else [])]
        with steps.step("read", "reading frames", sum(len(part.chosen) for part in reading)) as done:
            for part in reading:
                part.read(done)
        frames = pictures.shown(parts)
        if frames:
            pictures.write_strip(self.options.output / TRUTH, pictures.truth_strip(frames))
        wanted = {name: [part for part in parts if self._unscored(name, part)] for name in todo}
        total = sum(
            scoring.passes(self.found.networks[name].sensors, part) for name, some in wanted.items() for part in some
        )
        total += sum(len(drive.frames) for name in todo if drive and self._unsteady(name, drive))
        with steps.step("score", "scoring all networks", total) as done:
            for name in todo:
                row = self.found.networks[name]
                pipeline = scoring.load(models[name], self.options.threads, self.options.resolution)
                for part in wanted[name]:
                    row.sets[part.name] = scoring.score(pipeline, part, done)
                if drive and self._unsteady(name, drive):
                    row.flicker = scoring.flicker(pipeline, drive, done)
                self._draw(pipeline, name, frames, strips[name])
                self._save()

    def _draw(self, pipeline: Pipeline, name: str, frames: Mapping[str, Sample], path: Path) -> None:
        row = self.found.networks[name]
        if frames and (row.pictures != list(frames) or not path.is_file()):
            pictures.write_strip(path, pictures.strip(pipeline, frames, name))
            row.pictures = list(frames)

    def _unscored(self, name: str, part: Part) -> bool:
        before = self.found.networks[name].sets.get(part.name)
        return before is None or before.scored != self._scored(part)

    def _unsteady(self, name: str, drive: Part) -> bool:
        before = self.found.networks[name].flicker
        return before is None or (before.name, before.scored) != (drive.name, self._scored(drive))

    def _scored(self, part: Part) -> Scored:
        return scoring.scored_of(part, self.options.resolution)

    def _lacks(self, name: str, parts: Sequence[Part], drive: Part | None) -> bool:
        return any(self._unscored(name, part) for part in parts) or bool(drive and self._unsteady(name, drive))

    def _time(self, models: Mapping[str, Path]) -> None:
        """Beside each other, unless all have been so on this machine."""
        rows, size = self.found.networks, timing.size_at(self.options.resolution)
        names = [*models, *self.kept]
        before = [rows[name].timing for name in names]
        runs = {each.run if each and each.cpu == processor() else None for each in before}
        if len(runs) == 1 and None not in runs and self.found.image == list(size):
            return
        steps = Steps(self.console)
        with (
            self._with_untrained(models) as files,
            steps.step("time", "timing in turns", timing.ROUNDS * len(files)) as done,
        ):
            found = timing.timed(files, self.options.threads, size, done)
        for name in names:
            rows[name].timing = found[name]
        self.found.image, self.found.reference = list(size), timing.REFERENCE
        self.found.reference_ms = found[timing.REFERENCE].median_ms

    @contextmanager
    def _with_untrained(self, models: Mapping[str, Path]) -> Iterator[dict[str, Path]]:
        """The models, and with random weights, which do not change a network's time, those whose own are gone, and the
        reference if it is not among them."""
        missing = dict(self.kept)
        if timing.REFERENCE not in models:
            missing[timing.REFERENCE] = read_alike(find_network(timing.REFERENCE))
        with tempfile.TemporaryDirectory() as made:
            found = dict(models)
            for name, config in missing.items():
                folder = Path(made) / name
                folder.mkdir()
                weights = write_untrained(config.model.to_dict(), folder / WEIGHTS)
                found[name] = scoring.exported(weights, folder)
            yield found

    def _save(self) -> None:
        report.write(self.options.output / report.NAME, self.found)


def _sensors(path: Path) -> tuple[str, ...]:
    """Of a network that others made."""
    return sensors_of_engine(scoring.engine_of(path, 1))


def _write(found: CompareReport, output: Path, document: Path | None) -> None:
    """Plot, pictures, page, and the document's tables."""
    published = tables.read_published()
    write_file(output / PLOT, pareto_plot(found))
    strips = [output / TRUTH, *(output / name / pictures.STRIP for name in tables.ordered(found))]
    there = [path for path in strips if path.is_file()]
    if len(there) > 1:
        pictures.write_strip(output / PICTURE, pictures.sheet(there))
    page.compare_page(found, published, output / PICTURE).write(output / PAGE)
    if document:
        tables.fill(document, found, published)
