# SPDX-License-Identifier: Apache-2.0
"""The model that the node runs: chosen for this machine and the camera's rate, changed while others want the cores.

The next model is loaded and compiled in a thread of its own while the one before goes on answering, and no frame is
lost when it takes over: what was prepared for the one is inferred by it. Ways to run one file share its engine, so that
stepping between them costs neither time nor memory twice; of files, the one that runs is kept alone.

What is timed is each file as usual; how long its other ways take follows from that (`Member.work`).
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from functools import partial
from statistics import median
from typing import NamedTuple

from perception.engines.choice import Run, Times, choose, holds, price, time_run
from perception.engines.family import Member, input_size
from perception.engines.pool import SharedEngine
from perception.engines.twice import once_of
from perception.errors import ModelError
from perception.pipeline import Pipeline
from perception.runtime.controller import QUICKER, Controller, Tick
from perception.threads import begin, stand_back

PROBE_S = 0.1
"""How long a model is timed before it is stepped to: others want the cores just then."""

RUNS = 20
"""The latest runs that tell what the network takes now."""


class _Loaded(NamedTuple):
    """A model that is ready. run: of its base; None where that was known before."""

    pipeline: Pipeline
    run: Run | None


class Fit:
    """One node's model. `saw` is for the worker's threads, all else for one thread.

    ladder: the models to choose from, the most accurate first; of one alone nothing is timed and nothing changes.
    open_member: loads one; those of one file on the same engine. times: what is known of this machine. say: is told of
    every step, in one line. alone: no other node uses its engines.
    """

    def __init__(
        self,
        ladder: Sequence[Member],
        open_member: Callable[[Member], Pipeline],
        times: Times,
        say: Callable[[str], object],
        alone: bool = True,
    ) -> None:
        self._ladder, self._open, self._times, self._say = tuple(ladder), open_member, times, say
        self._alone = alone
        self._held: dict[int, Pipeline] = {}
        self._runs: dict[Member, Run] = {}
        self._pending: tuple[int, Future[_Loaded]] | None = None
        self._controller = self._controlling(0)
        self._took: deque[float] = deque(maxlen=RUNS)
        self._steps = 0
        self._word = ""

    def choose(self, rate_hz: float, width: int, height: int, guessed: bool = False) -> Pipeline:
        """Load the most accurate model that holds the rate on images of that size, and make it ready for them.

        guessed: the rate is not known yet; then none is chosen that looks twice, which `step` does once it is. A model
        that cannot be loaded is left out, with a word. Raises ModelError where none can.
        """
        place, broken = 0, set[int]()
        while len(self._ladder) > 1:
            time_of = partial(self._time, width, height, broken, guessed)
            choice = choose(self._ladder, rate_hz, time_of)
            place = choice.place
            if place in broken:  # as all are: the first says why
                break
            try:
                self._hold(place)
            except ModelError as error:  # its time was known, and so it was not loaded until now
                self._leave_out(place, error, broken)
            else:
                self._word = str(choice)
                self._say(self._word)
                break
        self._controller = self._controlling(place)
        self._controller.barred |= broken
        pipeline = self._hold(place)
        self._drop_all_but(place)
        pipeline.warm_up(width, height)
        engine = once_of(pipeline.engine)
        if self._alone and isinstance(engine, SharedEngine):
            # What was compiled to be timed: 70 MB, and later there is no time for it.
            engine.forget(1 + self._ladder[place].twice)
        return pipeline

    def reload(self, width: int, height: int) -> Pipeline:
        """The same model anew, beside an engine that hangs; in any thread."""
        self._pending = None
        self._held.clear()
        pipeline = self._hold(self._controller.place)
        pipeline.warm_up(width, height)
        return pipeline

    def saw(self, infer_ms: float) -> None:
        """The network ran."""
        self._took.append(1e-3 * infer_ms)

    def pause(self) -> None:
        """Nothing is listened to for now."""
        self._controller.pause()
        self._took.clear()

    def step(
        self, now: float, period_s: float | None, came: int, left_behind: int, size: tuple[int, int]
    ) -> Pipeline | None:
        """Once a second: the pipeline that is to answer from now on, where it is another. size: of the images.

        now, period_s, came, left_behind: as of `Tick`.
        """
        if self._pending is not None:
            place, loading = self._pending
            if not loading.done():
                return None
            self._pending = None
            return self._arrive(place, loading, now, period_s)
        took = list(self._took)
        if not took or len(self._ladder) < 2:
            return None
        wanted = self._controller.step(Tick(now, period_s, came, left_behind, median(took)))
        if wanted is None:
            return None
        if wanted in self._held:
            return self._move(wanted, now, period_s)
        self._drop_all_but(self._controller.place)
        up = wanted < self._controller.place
        self._pending = wanted, begin(partial(self._load, wanted, size, up), "perception model")
        return None

    @property
    def values(self) -> dict[str, object]:
        """For diagnostics: what runs, what it takes when it is alone, what it costs, and how often it was changed."""
        place = self._controller.place
        member = self._ladder[place]
        seconds = self._expected(member)
        values: dict[str, object] = {
            "model": member.path.stem,
            "model_scale": member.scale,
            "model_looks": 1 + member.twice,
        }
        if len(self._ladder) > 1:
            values["model_ms"] = "" if seconds is None else round(1e3 * seconds, 1)
            values["model_accuracy"] = price(self._ladder, place)
            values["model_steps"] = self._steps
            values["model_choice"] = self._word
        return values

    def _controlling(self, place: int) -> Controller:
        """From `place` on."""
        for base in dict.fromkeys(member.base for member in self._ladder):
            if (known := self._times.known(base)) is not None:
                self._runs[base] = Run(known, alone=True)
        times_s = [self._expected(member) for member in self._ladder]
        return Controller(times_s, place, [member.spare for member in self._ladder])

    def _expected(self, member: Member) -> float | None:
        """What the member takes when it is alone on the machine, if its file was timed so."""
        run = self._runs.get(member.base)
        return run.seconds * member.work if run is not None and run.alone else None

    def _time(self, width: int, height: int, broken: set[int], guessed: bool, member: Member) -> float:
        """guessed: whether the camera's rate is."""
        place = self._ladder.index(member)
        if place in broken or (member.twice and guessed):
            return math.inf
        run = self._runs.get(member.base)
        if run is None:
            try:
                engine = once_of(self._hold(place).engine)
            except ModelError as error:
                self._leave_out(place, error, broken)
                return math.inf
            run = self._runs[member.base] = time_run(engine, *input_size(width, height))
            self._times.add(member.base, run)
        return run.seconds * member.work

    def _load(self, place: int, size: tuple[int, int], up: bool) -> _Loaded:
        """In a thread of its own: everything that takes long."""
        member = self._ladder[place]
        pipeline = self._open(member)
        if up:  # there is no hurry, and the frames that are answered meanwhile come first
            begin(partial(_compile_behind, pipeline, size), "perception compiler").result()
        pipeline.warm_up(*size)
        if self._expected(member) is not None:
            return _Loaded(pipeline, None)
        run = time_run(pipeline.engine, *input_size(*size, member.scale), PROBE_S)
        run = run._replace(seconds=run.seconds / member.work)
        self._times.add(member.base, run)
        return _Loaded(pipeline, run)

    def _arrive(self, place: int, loading: Future[_Loaded], now: float, period_s: float | None) -> Pipeline | None:
        name = self._ladder[place].name
        try:
            loaded = loading.result()
        except Exception as error:  # whatever it is: the model that runs goes on
            self._leave_out(place, error, self._controller.barred)
            return None
        if loaded.run is not None:
            member = self._ladder[place]
            if loaded.run.alone:
                self._runs[member.base] = loaded.run
                self._controller.times_s[:] = [self._expected(each) for each in self._ladder]
            seconds = loaded.run.seconds * member.work
            if place > self._controller.place and self._took and seconds > QUICKER * median(self._took):
                self._controller.barred.add(place)
                self._say(f"model {name} is no quicker here ({1e3 * seconds:.0f} ms) and is left out")
                return None
            up = place < self._controller.place
            if up and period_s and not holds(member, seconds, 1 / period_s):
                self._controller.declined(now)
                return None
        self._held[place] = loaded.pipeline
        return self._move(place, now, period_s)

    def _move(self, place: int, now: float, period_s: float | None) -> Pipeline:
        before = self._controller.place
        took = f"{1e3 * median(self._took):.0f} ms" if self._took else "some time"
        rate = f"{1 / period_s:.0f} Hz" if period_s else "the camera's rate"
        why = "too slow for" if place > before else "quick enough for a better one at"
        self._word = (
            f"model {self._ladder[before].name} takes {took} now, {why} {rate}: from here on "
            f"{self._ladder[place].name}; accuracy: {price(self._ladder, place)}"
        )
        self._say(self._word)
        self._controller.moved(place, now)
        self._steps += 1
        self._took.clear()
        self._drop_all_but(place)
        return self._held[place]

    def _leave_out(self, place: int, error: Exception, broken: set[int]) -> None:
        """With all other ways to run its file."""
        base = self._ladder[place].base
        broken |= {each for each, member in enumerate(self._ladder) if member.base == base}
        self._say(f"model {base.name} cannot be loaded and is left out: {error}")

    def _hold(self, place: int) -> Pipeline:
        """The model, from memory or loaded."""
        if place not in self._held:
            self._held[place] = self._open(self._ladder[place])
        return self._held[place]

    def _drop_all_but(self, place: int) -> None:
        """Keep the ways to run the file of this one on as many threads: they are one engine."""
        kept = self._ladder[place]
        shares = {each for each, way in enumerate(self._ladder) if (way.base, way.aside) == (kept.base, kept.aside)}
        self._held = {each: held for each, held in self._held.items() if each in shares}


def _compile_behind(pipeline: Pipeline, size: tuple[int, int]) -> None:
    """In a thread of its own, which does not come forward again. Runs nothing: others would wait for their turn."""
    stand_back()
    pipeline.compile(*size)
