# SPDX-License-Identifier: Apache-2.0
"""What mmengine's Runner does besides training: averaged weights, checkpoints with only tensors, a progress bar."""

from __future__ import annotations

import io
import statistics
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from mmengine.hooks import Hook
from mmengine.model import is_model_wrapper
from mmengine.runner import Runner
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from torch import nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from perception.classes import CLASSES, Classes
from perception.disk import write_file
from perception.engines.weights import save_weights
from perception.errors import ModelError
from perception.models import across
from perception.training.group import run_name


def read_checkpoint(path: Path) -> dict[str, Any]:
    """A checkpoint written by `CheckpointHook`; loads tensors and numbers, never code. ModelError for anything else."""
    try:
        checkpoint = torch.load(path, map_location="cpu", weights_only=True)
        iteration = checkpoint["iteration"]
    except FileNotFoundError:
        raise ModelError(f"{path}: nothing to resume from; start without --resume") from None
    except Exception as error:  # torch.load raises half a dozen types
        raise ModelError(f"{path}: not a checkpoint of `perception train` ({error})") from error
    assert isinstance(iteration, int)
    return dict(checkpoint)


def trained(runner: Runner) -> nn.Module:
    """The model that a Runner trains, without what shares it with other processes."""
    model: nn.Module = runner.model.module if is_model_wrapper(runner.model) else runner.model
    return model


def moving_average(decay: float) -> Callable[[Any, Any, Any], None]:
    """An exponential moving average for `AveragedModel` whose decay grows to `decay`, as (1 + n) / (10 + n).

    Otherwise a short run would keep much of its initial weights.
    """

    def update(averages: Any, currents: Any, count: Any) -> None:
        done = int(count)
        get_ema_multi_avg_fn(min(decay, (1 + done) / (10 + done)))(averages, currents, count)

    return update


class CheckpointHook(Hook):
    """Every `interval` iterations: `last.pt` to resume from, and the averaged model as `weights.safetensors`.

    Where several processes train, the first averages and saves; the others average only for a mean teacher.

    model, custom: the mmseg config of the weights, and the `custom_imports` that it needs. decay: as in
    `moving_average`. resumed: a checkpoint to continue from. described: the settings of the run, checked when it is
    resumed. classes: of the network.
    """

    priority = "VERY_LOW"

    def __init__(
        self,
        work_dir: Path,
        model: dict[str, Any],
        interval: int,
        decay: float,
        resumed: dict[str, Any] | None = None,
        custom: dict[str, Any] | None = None,
        described: dict[str, str] | None = None,
        classes: Classes = CLASSES,
    ) -> None:
        self.work_dir = work_dir
        self.model, self.custom, self.described, self.classes = model, custom, described, classes
        self.interval = interval
        self.decay = decay
        self.resumed = resumed
        self.average: AveragedModel | None = None

    def before_train(self, runner: Runner) -> None:
        """Create the average, and restore everything from the checkpoint that is resumed."""
        model = trained(runner)
        supervision = getattr(model, "supervision", None)
        mean_teacher = supervision.mean_teacher if supervision is not None else None
        if self.resumed:
            model.load_state_dict(self.resumed["model"])
        if across.rank() == 0 or mean_teacher is not None:
            self.average = AveragedModel(model, multi_avg_fn=moving_average(self.decay), use_buffers=True)
        if self.resumed:
            if self.average is not None:
                self.average.load_state_dict(self.resumed["average"])
            runner.optim_wrapper.load_state_dict(self.resumed["optimizer"])
            for scheduler, state in zip(runner.param_schedulers, self.resumed["schedulers"], strict=True):
                scheduler.load_state_dict(state)
            runner.train_loop._iter = self.resumed["iteration"]
        if mean_teacher is not None and self.average is not None:
            mean_teacher.average = self.average.module.eval()

    def after_train_iter(self, runner: Runner, batch_idx: int, data_batch: Any = None, outputs: Any = None) -> None:
        """Average; save at intervals and at the end."""
        if self.average is not None:
            self.average.update_parameters(trained(runner))
        done = runner.iter + 1
        if across.rank() > 0:
            return
        if done % self.interval == 0 or done == runner.max_iters:
            self._save(runner, done)

    def _save(self, runner: Runner, iteration: int) -> None:
        assert self.average is not None
        checkpoint = dict(
            iteration=iteration,
            model=trained(runner).state_dict(),
            average=self.average.state_dict(),
            optimizer=runner.optim_wrapper.state_dict(),
            schedulers=[_plain(scheduler.state_dict()) for scheduler in runner.param_schedulers],
            described=self.described or {},
            run=run_name(),
        )
        # Through memory: torch reports a full disk as an internal error.
        content = io.BytesIO()
        torch.save(checkpoint, content)
        write_file(self.work_dir / "last.pt", content.getvalue())
        save_weights(self.work_dir / "weights.safetensors", self.weights(), self.model, self.custom, self.classes)

    def weights(self) -> dict[str, Any]:
        """The averaged tensors that go with `model`."""
        return dict(self.averaged().state_dict())

    def averaged(self) -> nn.Module:
        """The average, in the first process once training has begun."""
        assert self.average is not None
        module: nn.Module = self.average.module
        return module


def _plain(state: dict[str, Any]) -> dict[str, Any]:
    """The numbers of a scheduler's state: the rest is rebuilt from the config."""
    return {key: value for key, value in state.items() if isinstance(value, (int, float, bool, str, list))}


class ProgressHook(Hook):
    """A progress bar of the first process with the loss of the last 50 iterations and the remaining time."""

    def __init__(self) -> None:
        self.losses: deque[float] = deque(maxlen=50)
        self.bar = Progress(
            TextColumn("training"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("loss {task.fields[loss]:.3f}"),
            TimeElapsedColumn(),
            TimeRemainingColumn(),
            refresh_per_second=1,
        )

    def before_train(self, runner: Runner) -> None:
        """Show the bar."""
        self.task = self.bar.add_task("training", total=runner.max_iters, completed=runner.iter, loss=float("nan"))
        if across.rank() == 0:
            self.bar.start()

    def after_train_iter(self, runner: Runner, batch_idx: int, data_batch: Any = None, outputs: Any = None) -> None:
        """Move the bar."""
        self.losses.append(float(across.total(outputs["loss"])) / across.processes())
        if across.rank() > 0:
            return
        self.bar.update(self.task, completed=runner.iter + 1, loss=statistics.fmean(self.losses))
        if not self.bar.console.is_terminal and (runner.iter + 1) % 50 == 0:
            self.bar.console.print(
                f"iteration {runner.iter + 1}/{runner.max_iters} loss {statistics.fmean(self.losses):.3f}"
            )

    def after_train(self, runner: Runner) -> None:
        """Leave the finished bar on the screen."""
        if across.rank() == 0:
            self.bar.stop()
