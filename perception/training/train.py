# SPDX-License-Identifier: Apache-2.0
"""Train a network of configs/networks by a recipe on a mixture of data sets, with mmengine's Runner."""

from __future__ import annotations

import json
import math
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import torch
from mmengine.config import Config, ConfigDict
from mmengine.device import get_device
from mmengine.logging import MMLogger
from mmengine.model import BaseModel, MMDistributedDataParallel
from mmengine.registry import init_default_scope
from mmengine.runner import Runner
from mmseg.registry import MODELS
from torch.utils.data import DataLoader, default_collate

import perception.models  # noqa: F401 (registers networks)
from perception.classes import Classes
from perception.engines import find_model
from perception.engines.described import classes_of
from perception.engines.manifest import digest_of
from perception.engines.weights import build_model, load_weights
from perception.errors import ModelError
from perception.frame import MODALITIES
from perception.memory import keep_memory
from perception.models import across, custom
from perception.models.aux_stem import sensors_in
from perception.models.heads import classes_of_config, widen
from perception.models.instance_head import has_instances
from perception.models.soft_losses import SoftLabelLoss
from perception.training.bf16 import computes_in_bf16
from perception.training.data.mixture import Source
from perception.training.data.sources import open_mixture, open_source
from perception.training.group import agreed, from_first, is_restarted, on_this_machine, run_name
from perception.training.grow import begin_with, with_classes
from perception.training.habits import Habits, habits_of
from perception.training.hooks import CheckpointHook, ProgressHook, read_checkpoint
from perception.training.mean_teacher import MeanTeacher
from perception.training.recipe import MeanTeaching, Recipe, Sides
from perception.training.shared_norm import share_statistics
from perception.training.stream import Shard
from perception.training.trainee import Supervision, Trainee


@dataclass(frozen=True)
class Options:
    """The settings of a run besides its network and its recipe.

    data: (name, root) pairs. init: weights file to start from; None takes the recipe's. resume: continue from
    work_dir/last.pt. teachers: weights files of networks, of any size, whose predictions are learnt too.
    iterations, batch_size, learning_rate: None takes the recipe's. workers: processes that make crops, shared by all
    that train on this machine.
    """

    data: Sequence[tuple[str, Path]]
    work_dir: Path
    iterations: int | None = None
    batch_size: int | None = None
    learning_rate: float | None = None
    seed: int = 0
    workers: int = 2
    init: Path | None = None
    resume: bool = False
    teachers: Sequence[Path] = ()
    save_interval: int = 250

    def over(self, recipe: Recipe) -> Recipe:
        """The recipe with the settings that these options override; ModelError for invalid ones."""
        names = ("iterations", "batch_size", "learning_rate")
        said = {name: getattr(self, name) for name in names if getattr(self, name) is not None}
        return replace(recipe, **said)


def read_network(path: Path) -> Config:
    """The mmengine config at `path`; ModelError as `custom.read_config` and `habits_of`, and if it has no `model`, or
    has a `training`, which belongs into a recipe."""
    config = custom.read_config(path)
    if "model" not in config:
        raise ModelError(f"{path}: no model in this config")
    if "training" in config:
        raise ModelError(
            f"{path}: `training` is not part of a network: write it as `recipe = Recipe(…)` into a separate file and "
            "give that with --recipe (docs/training.md)"
        )
    habits_of(config)
    return config


def train(
    config: Config,
    recipe: Recipe,
    options: Options,
    progress: Callable[[str], None] = print,
    checkpoints: type[CheckpointHook] = CheckpointHook,
    source: Callable[..., Source] = open_source,
) -> Path:
    """Train the network of `config`, see `read_network`, and return the path of the averaged weights.

    checkpoints, source: see `run`. Raises DataError for data that cannot be read, ModelError for weights that do not
    fit.
    """
    whole = bool(options.teachers or recipe.mean_teacher)
    return run(
        config,
        recipe,
        options,
        lambda: _build(config, recipe, options, progress),
        progress,
        whole,
        checkpoints=checkpoints,
        source=source,
    )


def run(
    config: Config,
    recipe: Recipe,
    options: Options,
    build: Callable[[], BaseModel],
    progress: Callable[[str], None] = print,
    whole: bool = False,
    pretrain: str | None = None,
    checkpoints: type[CheckpointHook] = CheckpointHook,
    source: Callable[..., Source] = open_source,
) -> Path:
    """Train the model that `build` creates, uninitialised, by `recipe`'s schedule; returns the averaged weights' path.

    Several processes (see `perception.training.group`) train together as one would; the first of them saves.
    whole, source: see `open_mixture`. pretrain: the way in which it learns without labels. checkpoints: the hook that
    saves. Raises as `train` does, and ModelError for a batch that the processes cannot share equally.
    """
    resumed = from_first(lambda: _resumed(options))
    with agreed():
        runner_of = _prepare(config, recipe, options, build, progress, whole, pretrain, checkpoints, resumed, source)
    runner_of().train()
    return options.work_dir / "weights.safetensors"


def _resumed(options: Options) -> dict[str, Any] | None:
    """The checkpoint to continue from, which is this run's own if it was started again; None to begin."""
    path = options.work_dir / "last.pt"
    if options.resume:
        return read_checkpoint(path)
    if is_restarted(path) and path.exists() and (checkpoint := read_checkpoint(path)).get("run") == run_name():
        return checkpoint
    return None


def _prepare(
    config: Config,
    recipe: Recipe,
    options: Options,
    build: Callable[[], BaseModel],
    progress: Callable[[str], None],
    whole: bool,
    pretrain: str | None,
    checkpoints: type[CheckpointHook],
    resumed: dict[str, Any] | None,
    source: Callable[..., Source],
) -> Callable[[], Runner]:
    """Everything of `run` that can go wrong without the other processes; the result makes the Runner, with them."""
    habits = habits_of(config)
    recipe = options.over(habits.over(recipe))
    processes = across.processes()
    if recipe.batch_size % processes:
        raise ModelError(
            f"{recipe.batch_size} crops a step cannot be shared equally by {processes} processes: choose a "
            f"--batch-size that is a multiple of {processes}, or another number of processes"
        )
    if get_device() == "cpu":
        keep_memory()
    init = options.init or (find_model(recipe.init, "torch")[1] if recipe.init else None)
    if recipe.frozen and not (init or options.resume):
        raise ModelError("Recipe.frozen: random weights would stay unchanged; give weights to start from with --init")
    torch.manual_seed(options.seed)
    options.work_dir.mkdir(parents=True, exist_ok=True)
    started = resumed["iteration"] if resumed else 0
    if started >= recipe.iterations:
        raise ModelError(
            f"{options.work_dir}: already trained for {started} iterations; ask for more with --iterations"
        )

    classes = classes_of_config(config, Path(config.filename or "the config"))
    described = _describe(config, recipe, options, pretrain)
    if resumed:
        _check_same(resumed, described, options.work_dir)
    length, sensors, labelled = recipe.iterations * recipe.batch_size, _sensors(config.model), pretrain is None
    instances = labelled and has_instances(config.model)
    crops = open_mixture(
        recipe, options.data, length, options.seed, progress, whole, labelled, classes, sensors, instances, source
    )
    init_default_scope("mmseg")
    with custom.building(config.filename or "the config"):
        model = build()
    _initialise(model)
    if processes > 1:
        share_statistics(model)
    if init:
        state, _ = load_weights(init)
        if classes_of(init) != classes:
            state = with_classes(state, classes_of(init), classes)
        try:
            new = begin_with(model, state)
        except ModelError as error:
            raise ModelError(f"{init}: {error}") from error
        progress(f"starts from {init}" + (f"; {new} tensors are new" if new else ""))
    _freeze(model, recipe.frozen)
    if resumed:
        progress(f"continues after iteration {started}")
    parameters = sum(p.numel() for p in model.parameters())
    shared = f", shared by {processes} processes" if processes > 1 else ""
    progress(
        f"{parameters / 1e6:.2f} M parameters, {recipe.iterations - started} iterations of {recipe.batch_size} "
        f"crops{shared}"
    )
    if recipe.bf16 and not computes_in_bf16():
        progress("in float32, which is faster than bfloat16 on this processor")
    hook = checkpoints(
        options.work_dir,
        _plain(config.model),
        options.save_interval,
        recipe.average_decay,
        resumed,
        _plain(config.get("custom_imports", ConfigDict())),
        described,
        classes,
    )
    workers = math.ceil(options.workers / on_this_machine())
    return lambda: Runner(
        model=_replica(model) if processes > 1 else model,
        work_dir=str(options.work_dir),
        launcher="pytorch" if processes > 1 else "none",
        train_dataloader=DataLoader(
            crops,
            batch_size=recipe.batch_size // processes,
            # Unlike a plain sampler it can skip the crops that a resumed run has already seen.
            sampler=Shard(len(crops), across.rank(), processes),
            num_workers=workers,
            collate_fn=default_collate,
            worker_init_fn=_quiet_worker,
            prefetch_factor=4 if workers else None,
        ),
        train_cfg=dict(by_epoch=False, max_iters=recipe.iterations),
        optim_wrapper=_optimiser(recipe, habits),
        param_scheduler=_schedule(recipe),
        custom_hooks=[hook, ProgressHook()],
        # mmengine's checkpoints are pickles and its logger has no progress bar: ours replace both.
        default_hooks=dict(checkpoint=None, logger=None, timer=None, runtime_info=None),
        randomness=dict(seed=options.seed),
        log_level="ERROR",  # its warnings list every frozen parameter separately
        default_scope="mmseg",
        cfg=dict(),
    )


def _replica(model: BaseModel) -> MMDistributedDataParallel:
    """`model`, with the first process's weights, whose gradients are averaged over the processes."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="`broadcast_buffers` is deprecated")  # mmengine hands it on
        # No step uses other parameters than the first: some networks, and pre-training, leave a few unused.
        return MMDistributedDataParallel(model.to(get_device()), broadcast_buffers=False, static_graph=True)


def _build(config: Config, recipe: Recipe, options: Options, progress: Callable[[str], None]) -> BaseModel:
    """The config's segmentor; as a `Trainee` if the recipe needs more than the head's own loss."""
    soft = any(recipe.sources[name].soft for name, _ in options.data)
    sided = recipe.sides != Sides()
    more = soft or sided or options.teachers or recipe.losses or recipe.mean_teacher or recipe.frozen_statistics
    if not (more or has_instances(config.model)):
        return MODELS.build(config.model)
    model = {key: value for key, value in config.model.items() if key != "type"}
    if config.model.type != "EncoderDecoder":
        raise ModelError(
            f"model of type {config.model.type}: soft labels, teachers, losses and instances need an EncoderDecoder"
        )
    classes = classes_of_config(config, Path(config.filename or "the config"))
    sides = recipe.sides
    if sides != Sides() and config.model.backbone.type != "DualBranchEncoder":
        progress("Recipe.sides is left out: the network has one side, the camera's")
        sides = Sides()
    for path in options.teachers:
        if classes_of(path) != classes:
            raise ModelError(f"{path}: a teacher of {_said(classes_of(path))}; it must know {_said(classes)}")
    teachers = [build_model(path).requires_grad_(False) for path in options.teachers]
    for path, teacher in zip(options.teachers, teachers, strict=True):
        if sensors_in(teacher) != _sensors(config.model):
            raise ModelError(
                f"{path}: a teacher that sees {', '.join(sensors_in(teacher))}; it must see what the network sees: "
                f"{', '.join(_sensors(config.model))}"
            )
    if teachers:
        progress("taught by " + ", ".join(str(path) for path in options.teachers))
    losses = [dict(loss) for loss in recipe.losses]
    widen(losses, classes, "Recipe.losses")
    supervision = Supervision(
        losses,
        SoftLabelLoss(**vars(recipe.soft)),
        teachers,
        **vars(recipe.teacher),
        **vars(sides),
        mean_teacher=_mean_teacher(recipe.mean_teacher, classes) if recipe.mean_teacher else None,
        frozen_statistics=recipe.frozen_statistics,
    )
    return Trainee(supervision, **model)


def _mean_teacher(settings: MeanTeaching, classes: Classes) -> MeanTeacher:
    thresholds = classes.per_class(settings.thresholds, "Recipe.mean_teacher.thresholds")
    return MeanTeacher(settings.weight, thresholds)


def _said(classes: Classes) -> str:
    return ", ".join(classes.names)


def _sensors(model: ConfigDict) -> tuple[str, ...]:
    """Those that the config of a network names, in its order; the camera's for an `RgbEncoder`; else MODALITIES."""
    backbone = model.get("backbone", {})
    if backbone.get("type") == "RgbEncoder":
        return MODALITIES[:1]
    stem = backbone.get("aux_stem", {})
    return (MODALITIES[0], *stem.get("modalities", MODALITIES[1:]))


def _describe(config: Config, recipe: Recipe, options: Options, pretrain: str | None) -> dict[str, str]:
    """Everything that a run's result depends on, except its length and the location of its data; values as JSON."""
    facts = {
        "model": config.model.to_dict(),
        "classes": config.get("classes", []),
        "recipe": {key: value for key, value in asdict(recipe).items() if key not in ("iterations", "init")},
        "seed": options.seed,
        "data": [name for name, _ in options.data],
        "teachers": [digest_of(path) for path in options.teachers],
        **({"train": dict(config.train)} if "train" in config else {}),
        **({"pretrain": pretrain} if pretrain else {}),
    }
    return {key: json.dumps(value, sort_keys=True, default=repr) for key, value in _flat(facts)}


def _flat(value: Any, name: str = "") -> Iterator[tuple[str, Any]]:
    """The leaves of nested dicts, with names such as recipe.soft.weight."""
    if not isinstance(value, dict):
        yield name, value
        return
    for key, inner in value.items():
        yield from _flat(inner, f"{name}.{key}" if name else key)


def _check_same(resumed: Mapping[str, Any], described: Mapping[str, str], work_dir: Path) -> None:
    """Raises ModelError if the checkpoint is of a different run; older checkpoints without this record are accepted."""
    before = resumed.get("described", described)
    if any(key.startswith("training.") for key in before):
        raise ModelError(
            f"{work_dir}/last.pt: from a version in which networks contained the recipe: continue with that version, "
            "or start a new run in another --work-dir, with --init from its weights"
        )
    differing = sorted(key for key in before.keys() | described.keys() if before.get(key) != described.get(key))
    if differing:
        said = "; ".join(
            f"{key} was {before.get(key, 'not set')}, is {described.get(key, 'not set')}" for key in differing
        )
        raise ModelError(
            f"{work_dir}/last.pt: from another run: {said}; resume it with its own settings, or start a new run in "
            "another --output, with --init from its weights"
        )


def _initialise(model: BaseModel) -> None:
    """Random weights, without mmengine's line per tensor."""
    logger = MMLogger.get_current_instance()
    level = logger.level
    logger.setLevel("WARNING")
    model.init_weights()
    logger.setLevel(level)


def _freeze(model: BaseModel, prefixes: Sequence[str]) -> None:
    """Do not train the parameters whose names begin with one of `prefixes`."""
    for prefix in prefixes:
        chosen = [parameter for name, parameter in model.named_parameters() if name.startswith(prefix)]
        if not chosen:
            raise ModelError(f"Recipe.frozen: the model has no parameter whose name begins with {prefix!r}")
        for parameter in chosen:
            parameter.requires_grad_(False)


def _optimiser(recipe: Recipe, habits: Habits) -> dict[str, Any]:
    return dict(
        type="Bf16OptimWrapper" if recipe.bf16 and computes_in_bf16() else "OptimWrapper",
        optimizer=habits.optimiser(recipe.learning_rate, recipe.weight_decay),
        clip_grad=dict(max_norm=5.0),
        paramwise_cfg=dict(norm_decay_mult=0.0, bias_decay_mult=0.0),
    )


def _schedule(recipe: Recipe) -> list[dict[str, Any]]:
    iterations = recipe.iterations
    warm_up = max(1, min(recipe.warm_up, iterations // 10))
    return [
        dict(type="LinearLR", start_factor=0.05, by_epoch=False, begin=0, end=warm_up),
        dict(type="CosineAnnealingLR", eta_min=1e-6, by_epoch=False, begin=warm_up, end=max(iterations, warm_up + 1)),
    ]


def _quiet_worker(_worker: int) -> None:
    """One thread per process that makes crops: the cores are for the training."""
    import cv2

    cv2.setNumThreads(0)
    torch.set_num_threads(1)


def _plain(config: ConfigDict) -> dict[str, Any]:
    return dict(config.to_dict())
