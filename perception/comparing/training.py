# SPDX-License-Identifier: Apache-2.0
"""Trains the networks of a comparison alike, one after another, each in a folder of its own that it goes on from."""

from __future__ import annotations

import copy
import gc
import hashlib
import json
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import torch
from mmengine.config import Config
from mmengine.runner import Runner

from perception.classes import CLASSES
from perception.comparing.budget import Budget
from perception.comparing.report import Training
from perception.disk import write_json
from perception.engines.weights import load_weights
from perception.errors import ModelError
from perception.models.heads import classes_of_config
from perception.training.data.mixture import Source
from perception.training.data.sources import once, open_source
from perception.training.habits import habits_of
from perception.training.hooks import CheckpointHook, read_checkpoint
from perception.training.recipe import Recipe
from perception.training.train import Options, read_network, train

RUN = "run.json"
"""In a network's folder: what it is trained with, how many iterations, and whether that is done."""

WEIGHTS = "weights.safetensors"

PROBED, ENOUGH, WARM_UP = 10, 4, 2
"""Steps that are taken to measure how long one takes; with how many that may end, once PROBE_SHARE of the budget is
spent; how many of them do not count."""

PROBE_SHARE = 0.1

SAVE_S, SAVE_STEPS = 120.0, 50
"""About how often a run is saved, where the time of a step is known, and where it is not."""


@dataclass(frozen=True)
class Alike:
    """What all networks are trained with. recipe_name: its name or path. data: those that the recipe names.
    resolution: the part of it, of each side, at which the crops are seen."""

    budget: Budget
    recipe_name: str
    recipe: Recipe
    data: Sequence[tuple[str, Path]]
    seed: int = 0
    workers: int = 2
    resolution: float = 1.0
    source: Callable[..., Source] = field(default_factory=lambda: once(open_source))

    def __post_init__(self) -> None:
        if self.recipe.init:
            raise ModelError(
                f"--recipe {self.recipe_name}: begins with weights ({self.recipe.init}), which fit one network; all "
                "are trained from random ones: take scratch, or a recipe without `init`"
            )

    @property
    def at_resolution(self) -> Recipe:
        """The recipe as it is trained by."""
        return self.recipe.at(self.resolution)


class TrainingFailed(ModelError):
    """This network cannot be trained so, which says nothing of the others."""


@contextmanager
def _failures() -> Iterator[None]:
    try:
        yield
    except (ModelError, RuntimeError) as error:  # PyTorch's, for example of memory
        raise TrainingFailed(f"{error}".strip().splitlines()[0] if str(error) else type(error).__name__) from error


def read_alike(path: Path) -> Config:
    """The network's config. Raises ModelError as `read_network`, and for one with other classes than the shipped."""
    config = read_network(path)
    if classes_of_config(config, path) != CLASSES:
        raise ModelError(f"{path}: has classes of its own; compare scores {', '.join(CLASSES.names)}")
    return config


def trained(name: str, config: Config, alike: Alike, folder: Path, say: Callable[[str], None]) -> Training:
    """Train the network in `folder`, or go on there, or find that it is done.

    Raises ModelError for a folder in which it was trained otherwise; TrainingFailed where the network itself cannot be
    trained, or its weights are not finite in the end; DataError as `train`.
    """
    run = measured(name, config, alike, folder, say)
    if run["done"]:
        say(f"{name}: trained already, {run['iterations']} iterations")
        return training_of(folder)
    checkpoint = folder / "last.pt"
    begun = read_checkpoint(checkpoint)["iteration"] if checkpoint.is_file() else 0
    if begun < run["iterations"]:
        every = SAVE_STEPS if run["seconds_per_step"] is None else max(1, round(SAVE_S / run["seconds_per_step"]))
        options = replace(_options(alike, folder, run["iterations"]), resume=begun > 0, save_interval=every)
        with _failures():
            _train(config, alike, options, say)
    state, _ = load_weights(folder / WEIGHTS)
    if not all(bool(torch.isfinite(values).all()) for values in state.values()):
        raise TrainingFailed(f"diverged: its weights are not finite after {run['iterations']} iterations")
    write_json(folder / RUN, {**run, "done": True})
    checkpoint.unlink(missing_ok=True)
    return training_of(folder)


def measured(name: str, config: Config, alike: Alike, folder: Path, say: Callable[[str], None]) -> dict[str, Any]:
    """What the network of `folder` is, or is going to be, trained with, and for how many iterations: where the folder
    does not say so yet, a few steps are timed if the budget is one of time.

    Raises as `trained`.
    """
    said, run = _said(config, alike), _read_run(folder)
    if run is None:
        with _failures():
            run = {"said": said, **_length(name, config, alike, say), "done": False}
        write_json(folder / RUN, run)
    _check_same(folder, run["said"], said)
    return run


def is_done(folder: Path) -> bool:
    """Whether the network of the folder is trained to the end."""
    run = _read_run(folder)
    return run is not None and bool(run["done"]) and (folder / WEIGHTS).is_file()


def training_of(folder: Path) -> Training:
    """How the network of the folder was trained. Raises ModelError where it was not."""
    run = _read_run(folder)
    if run is None or not run["done"]:
        raise ModelError(f"{folder}: no network that is trained to the end; train it with --train BUDGET")
    return _training(run["said"], run["iterations"], run["seconds_per_step"])


def planned(config: Config, alike: Alike) -> Training:
    """How the network is going to be trained, but for the number of iterations, which is 0."""
    return _training(_said(config, alike), 0, None)


def _training(said: dict[str, Any], iterations: int, seconds_per_step: float | None) -> Training:
    names = ("budget", "recipe", "resolution", "seed", "data", "learning_rate", "optimizer", "crop", "batch_size")
    own = {name: said[name] for name in names}
    return Training(**own, iterations=iterations, seconds_per_step=seconds_per_step)


def check_alike(trainings: dict[str, Training]) -> None:
    """Raises ModelError where two networks were trained with another budget, recipe, seed, crop or data: their rows
    would say nothing of the networks."""
    what = ("budget", "recipe", "resolution", "seed", "crop", "batch_size", "data")
    first = next(iter(trainings), None)
    for name, training in trainings.items():
        assert first is not None
        other = trainings[first]
        differ = [each for each in what if getattr(training, each) != getattr(other, each)]
        if differ:
            said = "; ".join(f"{each} {getattr(training, each)} and {getattr(other, each)}" for each in differ)
            raise ModelError(
                f"{name} and {first} are not trained alike: {said}; they would say nothing of each other: take another "
                "--output for another budget, recipe or data"
            )


def _said(config: Config, alike: Alike) -> dict[str, Any]:
    """All that a result depends on, as JSON has it."""
    recipe = habits_of(config).over(alike.at_resolution)
    return {
        "budget": str(alike.budget),
        "recipe": alike.recipe_name,
        "resolution": alike.resolution,
        "seed": alike.seed,
        "data": [name for name, _ in alike.data],
        "learning_rate": recipe.learning_rate,
        "optimizer": habits_of(config).optimizer,
        "crop": list(recipe.crop),
        "batch_size": recipe.batch_size,
        "network_sha256": _digest(config.model.to_dict()),
        "recipe_sha256": _digest(asdict(recipe)),
    }


def _digest(value: Any) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True, default=repr).encode()).hexdigest()


def _read_run(folder: Path) -> dict[str, Any] | None:
    path = folder / RUN
    if not path.is_file():
        return None
    try:
        found: dict[str, Any] = json.loads(path.read_text("utf-8"))
        if not {"said", "iterations", "seconds_per_step", "done"} <= found.keys():
            raise ValueError("keys are missing")
    except ValueError as error:
        raise ModelError(f"{path}: cannot be read ({error}); remove the folder to train it anew") from error
    return found


def _check_same(folder: Path, before: dict[str, Any], said: dict[str, Any]) -> None:
    differ = [name for name in said if before.get(name) != said[name]]
    if differ:
        told = "; ".join(f"{name} was {before.get(name)}, is {said[name]}" for name in differ)
        raise ModelError(
            f"{folder}: trained otherwise: {told}; ask for the same, take another --output, or remove the folder"
        )


def _length(name: str, config: Config, alike: Alike, say: Callable[[str], None]) -> dict[str, Any]:
    """iterations, and the seconds per step that they come from."""
    if alike.budget.seconds is None:
        return {"iterations": alike.budget.iterations, "seconds_per_step": None}
    say(f"{name}: measuring the seconds of a step")
    # Rounded first, so that the iterations follow from the figure that is kept.
    seconds = float(f"{_seconds_per_step(config, alike, alike.budget.seconds):.3g}")
    return {"iterations": alike.budget.steps(seconds), "seconds_per_step": seconds}


def _seconds_per_step(config: Config, alike: Alike, budget_s: float) -> float:
    """Of a few steps as they are in training, whose result is thrown away."""
    ends: list[float] = []

    class Stopwatch(CheckpointHook):
        """Notes when each step ends, and saves nothing."""

        def _save(self, runner: Runner, iteration: int) -> None:
            pass

        def after_train_iter(self, runner: Runner, batch_idx: int, data_batch: Any = None, outputs: Any = None) -> None:
            super().after_train_iter(runner, batch_idx, data_batch, outputs)
            ends.append(time.monotonic())
            if len(ends) >= ENOUGH and ends[-1] - ends[0] > PROBE_SHARE * budget_s:
                runner.train_loop.stop_training = True

    with tempfile.TemporaryDirectory() as folder:
        options = _options(alike, Path(folder), PROBED)
        _train(config, alike, options, lambda _: None, Stopwatch)
    return (ends[-1] - ends[WARM_UP - 1]) / (len(ends) - WARM_UP)


def _train(
    config: Config,
    alike: Alike,
    options: Options,
    say: Callable[[str], None],
    checkpoints: type[CheckpointHook] = CheckpointHook,
) -> None:
    """Train, and free what mmengine's Runner, which refers to itself, holds: the network, the data and the workers."""
    try:
        own = copy.deepcopy(config)  # parts of mmseg change the config that they are built from
        train(own, alike.at_resolution, options, say, checkpoints, alike.source)
    finally:
        gc.collect()


def _options(alike: Alike, folder: Path, iterations: int) -> Options:
    return Options(alike.data, folder, iterations, seed=alike.seed, workers=alike.workers)
