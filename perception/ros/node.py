# SPDX-License-Identifier: Apache-2.0
"""The lifecycle node `perception`: sensors in, masks out.

configure loads the network and warms it up; activate subscribes and publishes; deactivate and cleanup undo that. The
callbacks only store messages; the worker's threads do everything else.
"""

from __future__ import annotations

import time
import traceback
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import Future
from dataclasses import dataclass, replace
from functools import partial, wraps
from pathlib import Path
from typing import Any

from diagnostic_msgs.msg import DiagnosticArray
from rcl_interfaces.msg import SetParametersResult
from rclpy.clock import Clock, ClockType  # type: ignore[attr-defined]  # Humble has no rclpy.clock_type
from rclpy.lifecycle import LifecycleNode, LifecycleState, TransitionCallbackReturn

from perception.assembly.assembler import Assembler, Observation
from perception.assembly.calibration import Calibration, read_calibration_file
from perception.assembly.collector import JUMP_NS, LEFT_BEHIND, Change, Collector, SensorSet, SensorState
from perception.assembly.levelling import Levelling
from perception.assembly.lidar_names import first_of, modality_of
from perception.assembly.motion import EgoMotion
from perception.assembly.settings import parameters
from perception.assembly.settings.topics import CAMERA_INFOS
from perception.assembly.statistics import Statistics
from perception.assembly.throttled_log import ThrottledLog
from perception.engines.choice import USUAL_HZ, Times
from perception.engines.family import Member, family, find_member
from perception.engines.pool import EnginePool
from perception.engines.twice import once_of
from perception.errors import PerceptionError
from perception.frame import Prediction
from perception.messages.bit_depth import BitDepth
from perception.pipeline import Pipeline, Task
from perception.ros.bond import Bond
from perception.ros.diagnostics import Diagnostics, Snapshot
from perception.ros.publishers import Publishers
from perception.ros.subscriptions import INPUTS, Subscriptions
from perception.ros.tf.listener import listen
from perception.runtime.fit import Fit
from perception.runtime.mailbox import Mailbox
from perception.runtime.rates import Rates
from perception.runtime.worker import STOP_S, Worker
from perception.sensors import network_size
from perception.sensors.alignment import AlignmentMonitor
from perception.sensors.intensity import IntensityScale
from perception.sensors.presence import FrozenWatch
from perception.sensors.spec import FURTHER
from perception.threads import begin, cores, leaves_one, share_threads

WARM_UP_SIZE = (1242, 375)
"""The image size for warming up the network until a camera's size is known."""

SLOW_S = 2.0
"""Time at one frame after which the node logs a warning."""


KNOWN_AFTER = 50
"""Messages after which the camera's rate is kept for the next start."""


@dataclass(frozen=True)
class Job:
    """A set of messages on its way through the worker; stages_ms: the time that the node itself has spent on it.

    pipeline: the one that has prepared it and finishes it: the node may use another by then.
    """

    matched: SensorSet
    seen: Observation
    settings: parameters.Settings
    pipeline: Pipeline
    task: Task
    stages_ms: dict[str, float]


def _heard(sensors: Iterable[str], pipeline: Pipeline) -> tuple[str, ...]:
    """Those of the sensors that the network has channels for."""
    return tuple(name for name in sensors if modality_of(name) in pipeline.sensors)


Callback = Callable[["PerceptionNode", LifecycleState], TransitionCallbackReturn]


def _transition(callback: Callable[[PerceptionNode, LifecycleState], None]) -> Callback:
    """A transition that logs its errors and leaves the node in a state from which it can be configured again."""

    @wraps(callback)
    def guarded(node: PerceptionNode, state: LifecycleState) -> TransitionCallbackReturn:
        try:
            callback(node, state)
        except (PerceptionError, ValueError) as error:
            node.failure = str(error)
            node.get_logger().error(f"{callback.__name__[3:]}: {error}")
            return TransitionCallbackReturn.FAILURE
        except Exception as error:
            # rclpy would swallow it silently.
            node.failure = f"{type(error).__name__}: {error}"
            node.get_logger().error(f"{callback.__name__[3:]}: {traceback.format_exc()}")
            return TransitionCallbackReturn.ERROR
        if callback.__name__ != "on_error":  # it only cleans up after a failure, which remains
            node.failure = None
        return TransitionCallbackReturn.SUCCESS

    return guarded


class PerceptionNode(LifecycleNode):
    """See the module. failure: why the last failed transition failed.

    pool: the source of its engines; None creates its own. calibration: the file that is used if the parameter
    calibration_file is empty. turns: how many nodes take turns at the pool's engines, this one included. sharing: how
    many processes of such nodes share the cores, this one included; the parameter threads 0 means this one's part.
    options: those of rclpy's Node.
    """

    def __init__(
        self,
        pool: EnginePool | None = None,
        calibration: Path | None = None,
        turns: int = 1,
        sharing: int = 1,
        **options: Any,
    ) -> None:
        super().__init__("perception", **options)
        self._pool, self._calibration_file = pool or EnginePool(), calibration
        self._turns, self._sharing = turns, sharing
        self.failure: str | None = None
        self.settings = self._configured = parameters.declare(self)
        for line in parameters.unknown(self._parameter_overrides):
            self.get_logger().warning(line)
        self.add_on_set_parameters_callback(self._on_parameters)
        self._refuse_what_cannot_be()
        self._complaints = ThrottledLog(self.get_logger().error, self.get_logger().warning)
        self._transforms = listen(self)
        self._diagnostics_publisher = self.create_publisher(DiagnosticArray, "/diagnostics", 10)
        self._name = self.get_fully_qualified_name().lstrip("/")
        self._diagnostics = Diagnostics(self._name, self._topics(), self._complaints, self._info_topics())
        self.create_timer(1.0, self._report, clock=Clock(clock_type=ClockType.STEADY_TIME))

        self._pipeline: Pipeline | None = None
        self._fit: Fit | None = None
        self._rates, self._camera_name = Rates(), f"{self._name} {self.resolve_topic_name('image')}"
        self._image_size = WARM_UP_SIZE
        self._counted: dict[str, SensorState] = {}
        self._outputs: Publishers | None = None
        self._calibration = Calibration()
        self._inputs: Subscriptions | None = None
        self._mailbox: Mailbox | None = None
        self._bit_depth = BitDepth()
        self._worker: Worker | None = None
        self._revival: Future[Pipeline] | None = None
        self._bond: Bond | None = None
        self._restarts = 0
        self._statistics, self._alignment, self._check_due = Statistics(), AlignmentMonitor(), 0.0
        self._scales, self._frozen = defaultdict[str, IntensityScale](IntensityScale), FrozenWatch()
        self._levelling = Levelling()
        self._motion: EgoMotion | None = None
        self._newest_ns = 0
        self._unheard: set[str] = set()

    @_transition
    def on_configure(self, state: LifecycleState) -> None:
        """Load calibration and network, and create the publishers."""
        began = time.monotonic()
        self.settings = parameters.read(self)
        settings = self._configured = self._divided(self.settings)
        path = settings.calibration_file or self._calibration_file
        file = read_calibration_file(path) if path else None
        self._calibration = Calibration(file, settings.lidar_to_camera, self._transforms)
        camera = self._calibration.file_camera
        self._image_size = (camera.width, camera.height) if camera else WARM_UP_SIZE
        fit = self._make_fit()
        known_hz = settings.rate_hz or self._rates.known(self._camera_name)
        pipeline = fit.choose((known_hz or USUAL_HZ) * self._turns, *self._image_size, guessed=not known_hz)
        agreement = pipeline.self_check()
        if not _heard(settings.sensors, pipeline):
            only = ", ".join(settings.sensors)
            raise PerceptionError(f"only {only} is enabled: the network {pipeline.model.stem} has no channels for it")
        self._outputs = Publishers(
            self, settings.model, self._transforms, self._complaints, pipeline.classes, pipeline.tells_instances
        )
        self._pipeline, self._fit = pipeline, fit
        known = "" if agreement is None else f", {agreement:.1%} of the stored frame's labels correct"
        self.get_logger().info(f"configured in {time.monotonic() - began:.1f} s{known}")

    @_transition
    def on_activate(self, state: LifecycleState) -> None:
        """Listen to the sensors and answer."""
        assert self._fit is not None
        if self._pipeline is None:  # it hung when the node was deactivated
            self._pipeline = self._fit.reload(*self._image_size)
        self._fit.pause()
        self._counted = {}
        assert self._outputs is not None
        super().on_activate(state)
        self._outputs.publish_label_info()
        self._statistics, self._alignment, self._check_due = Statistics(), AlignmentMonitor(), 0.0
        self._scales, self._frozen = defaultdict[str, IntensityScale](IntensityScale), FrozenWatch()
        self._newest_ns = 0
        settings = self._configured
        self._diagnostics = Diagnostics(self._name, self._topics(), self._complaints, self._info_topics())
        sensors = _heard(settings.sensors, self._pipeline)
        self._unheard = set(settings.sensors) - set(sensors)
        self._mailbox = Mailbox(Collector(sensors, self.settings.timing))
        motion = EgoMotion(self._transforms, settings.fixed_frame) if settings.motion_compensation else None
        self._levelling = Levelling(self._transforms, settings.ground_frame)
        self._bit_depth = BitDepth()
        self._motion, self._restarts = motion, 0
        self._begin()
        others: dict[str, Callable[[Any], None]] = {
            topic: partial(self._calibration.put_camera_info, sensor=sensor)
            for sensor, topic in CAMERA_INFOS.items()
            if sensor == "rgb" or sensor in sensors
        }
        if motion is not None and not {"lidar", *FURTHER}.isdisjoint(sensors):
            others["odometry"] = motion.put_odometry
            if settings.imu_topic is not None:
                others[settings.imu_topic] = motion.put_imu
        self._inputs = Subscriptions(
            self,
            sensors,
            self._mailbox.put,
            others,
            self._complaints,
            settings.lidar_topics,
            settings.imu_topic,
        )
        if not settings.autostart:  # a lifecycle manager activated it
            self._bond = Bond(self)
        self.get_logger().info(
            f"ready: engine {self._pipeline.engine.name}, model {self._pipeline.name}, listening to "
            + ", ".join(self._inputs.topics)
        )

    @_transition
    def on_deactivate(self, state: LifecycleState) -> None:
        """Stop listening; the network stays loaded."""
        self._stop()
        super().on_deactivate(state)

    @_transition
    def on_cleanup(self, state: LifecycleState) -> None:
        """Release the network and the publishers."""
        self._release()

    @_transition
    def on_shutdown(self, state: LifecycleState) -> None:
        """Stop for good, from any state."""
        self._stop()
        self._release()

    @_transition
    def on_error(self, state: LifecycleState) -> None:
        """Release everything, so that the node can be configured again."""
        self._stop()
        self._release()

    def survive(self, error: Exception) -> None:
        """Log an error in a callback, and go on."""
        where = "".join(traceback.format_exception(error))
        self._complaints.error(self._name, f"{type(error).__name__}: {error}; please report it\n{where}")

    def destroy_node(self) -> None:
        """Stop the worker before the publishers that it uses are destroyed."""
        self._stop()
        super().destroy_node()

    def _refuse_what_cannot_be(self) -> None:
        """Answer "no" to a transition that the state does not have: rclpy up to 7.1 raises, and does not answer."""
        service = self._service_change_state
        change = service.callback

        def answer(request: Any, response: Any) -> Any:
            try:
                return change(request, response)
            except RuntimeError as error:  # rclpy's own RCLError
                self.get_logger().warning(f"transition {request.transition.id} refused: {error}")
                response.success = False
                return response

        service.callback = answer

    def _topics(self) -> dict[str, tuple[str, ...]]:
        topics = {sensor: tuple(topic for topic, _ in inputs) for sensor, inputs in INPUTS.items()}
        topics |= {sensor: (topic,) for sensor, topic in self._configured.lidar_topics.items()}
        return {sensor: tuple(map(self.resolve_topic_name, each)) for sensor, each in topics.items()}

    def _info_topics(self) -> dict[str, str]:
        return {sensor: self.resolve_topic_name(topic) for sensor, topic in CAMERA_INFOS.items()}

    def _divided(self, settings: parameters.Settings) -> parameters.Settings:
        """With this process's part of the cores, where others share them and the parameter does not say how many."""
        if settings.threads is not None or self._sharing == 1:
            return settings
        threads = max(1, cores() // self._sharing)
        self.get_logger().info(f"threads: {threads}, as {self._sharing} cameras share {cores()} cores")
        return replace(settings, threads=threads)

    def _make_fit(self) -> Fit:
        """The models that the parameters allow: the named one, or all."""
        settings = self._configured
        engine_threads = share_threads(settings.threads)

        def open_member(member: Member) -> Pipeline:
            threads = max(1, engine_threads - member.aside)
            loaded = self._pool.load(member.engine, member.path, threads, member.scale)
            engine, overlap = member.looking(loaded), settings.threads != 1 and not member.aside
            return Pipeline(engine, member.path, overlap=overlap, scale=member.scale, steady=settings.steady)

        ladder = family(settings.engine) if settings.model is None else ()
        if not ladder:
            ladder = (find_member(settings.model, settings.engine),)
        ladder = tuple(replace(member, crowded=not leaves_one(settings.threads)) for member in ladder)
        times = Times(settings.threads, network_size(*self._image_size))
        return Fit(ladder, open_member, times, self.get_logger().info, self._turns == 1)

    def _adapt(self, sensors: Mapping[str, SensorState], trigger: str) -> None:
        """Run a faster model if frames are left out, and a more accurate one if there is time for it."""
        before, self._counted = self._counted, dict(sensors)
        if self._fit is None or self._worker is None or trigger not in before:
            return
        then, now, rate_hz = before[trigger], sensors[trigger], self.settings.rate_hz
        period_ns = 1e9 / rate_hz if rate_hz else now.habits.period_ns
        if period_ns and not rate_hz and now.received >= KNOWN_AFTER:
            self._rates.add(self._camera_name, 1e9 / period_ns)
        pipeline = self._fit.step(
            time.monotonic(),
            1e-9 * period_ns if period_ns else None,
            now.received - then.received - (now.drops["duplicate"] - then.drops["duplicate"]),
            sum(now.drops[cause] - then.drops[cause] for cause in LEFT_BEHIND),
            self._image_size,
        )
        self._pipeline = pipeline or self._pipeline

    def _begin(self) -> None:
        """Start a new worker on the sets."""
        assert self._mailbox is not None
        drop, see = self._mailbox.count_drop, self._frozen.see
        assembler = Assembler(
            self._calibration,
            self._info_topics(),
            self._complaints,
            drop,
            self._motion,
            self._bit_depth,
            self._scales,
            see,
        )
        steps: dict[str, Callable[[Any], Any]] = {
            "prepare": partial(self._prepare, assembler),
            "infer": self._infer,
            "publish": self._publish,
        }
        self._worker = Worker(self._name, self._mailbox, steps, self._say, self._complaints)

    def _watch(self) -> None:
        """Abandon a worker that hangs; another one starts as soon as an engine is loaded for it.

        Native code cannot be interrupted: its thread and engine stay in memory.
        """
        if self._revival is not None:
            self._revive(self._revival)
        elif self._worker is not None and (hang := self._worker.hang(time.monotonic())) is not None:
            if hang.seconds >= self.settings.hang_timeout:
                self._complaints.error(
                    self._name,
                    f"hang: {hang.step} has not returned for {hang.seconds:.0f} s; worker and engine restart",
                )
                self._give_up(0.0)
                self._revival = self._reload()
            elif hang.seconds >= SLOW_S:
                self._complaints.warn(self._name, f"slow: {hang.step} has been at one frame for {hang.seconds:.0f} s")

    def _revive(self, revival: Future[Pipeline]) -> None:
        if not revival.done():
            self._complaints.error(self._name, "hang: worker and engine restart; the engine is being loaded")
            return
        try:
            self._pipeline, self._revival = revival.result(), None
        except Exception as error:
            self._complaints.error(self._name, f"hang: the engine cannot be loaded; trying again: {error}")
            self._revival = self._reload()
        else:
            self._restarts += 1
            self._begin()
            self.get_logger().info("worker and engine restarted")

    def _reload(self) -> Future[Pipeline]:
        assert self._fit is not None
        return begin(partial(self._fit.reload, *self._image_size), "perception revival")

    def _give_up(self, within: float) -> bool:
        """Release the worker; if it does not end `within` so many seconds, release its engine too and return False."""
        worker, pipeline, self._worker = self._worker, self._pipeline, None
        if worker is None or worker.stop(within):
            return True
        assert pipeline is not None
        self._pool.discard(once_of(pipeline.engine))
        self._pipeline = None
        return False

    def _stop(self) -> None:
        if self._bond is not None:
            self._bond.end()
        if self._inputs is not None:
            self._inputs.destroy()
        if not self._give_up(STOP_S):
            self._complaints.error(self._name, f"hang: the worker has not returned for {STOP_S:g} s and is abandoned")
        self._inputs = self._mailbox = self._revival = self._bond = None

    def _release(self) -> None:
        if self._outputs is not None:
            self._outputs.destroy()
        self._outputs = self._pipeline = self._fit = None

    def _prepare(self, assembler: Assembler, matched: SensorSet) -> Job | None:
        """Step 1 of the worker: a set → the network's input. None if none of its messages can be used."""
        pipeline = self._pipeline
        assert pipeline is not None
        began, settings = time.perf_counter(), self.settings
        if matched.stamp_ns < self._newest_ns - JUMP_NS and self._transforms is not None:
            self._transforms.forget()
        self._newest_ns = matched.stamp_ns
        self._frozen.repeats = settings.frozen_after
        seen = assembler(
            matched,
            settings.reading,
            settings.infrared_distance,
            image_rectified=settings.image_rectified,
            black_hot=settings.black_hot,
            vehicle=settings.vehicle,
        )
        if seen is None:
            return None
        seen.frame.ground = self._levelling.expected(seen.frame)
        convert_ms = 1e3 * (time.perf_counter() - began)
        self._image_size = seen.frame.size
        return Job(matched, seen, settings, pipeline, pipeline.prepare(seen.frame), {"convert": convert_ms})

    def _infer(self, job: Job) -> Job:
        """Step 2 of the worker: run the network."""
        assert self._fit is not None
        job.pipeline.infer(job.task)
        if job.task.output is not None:
            self._fit.saw(job.task.timings_ms["infer"])
        return job

    def _publish(self, job: Job) -> None:
        """Step 3 of the worker: publish everything about the frame."""
        assert self._outputs is not None
        arrived = job.matched.arrivals[job.matched.trigger].arrived
        if self._too_old(job, time.monotonic() - arrived):
            return
        heard = self._outputs
        prediction = job.pipeline.decode(job.task, heard.instances_heard, heard.points_heard)
        self._complain_of_absent(job, prediction)
        if (word := self._levelling.add(job.seen.frame, prediction)) is not None:
            self._complaints.warn(self._name, word)
        spent = self._outputs.publish(job.seen, prediction, job.settings)
        if job.settings.check_extrinsics:
            self._check_extrinsics(job.task)
        used = tuple(name for name in job.seen.frame.modalities if name not in prediction.absent)
        self._statistics.answered(
            job.matched.trigger,
            used,
            prediction,
            {**job.stages_ms, **prediction.timings_ms, **spent},
            latency_s=time.monotonic() - arrived,
            stamp_latency_s=(self.get_clock().now().nanoseconds - job.matched.stamp_ns) * 1e-9,
            ground=prediction.ground or job.seen.frame.ground,
            offsets_ms={
                name: 1e-6 * (arrival.stamp_ns - job.matched.stamp_ns)
                for name, arrival in job.matched.arrivals.items()
                if name in used
            },
        )

    def _too_old(self, job: Job, age_s: float) -> bool:
        """Whether the frame is too old for its masks to be published; if so, log and count it."""
        assert self._mailbox is not None
        if not 0 < job.settings.max_age_s < age_s:
            return False
        limit, trigger = job.settings.max_age_s, job.matched.trigger
        self._mailbox.count_drop(trigger, "too old")
        self._complaints.warn(
            self._name, f"age: masks {age_s:.3g} s after the message of {trigger} > max_age_s {limit:g}: not published"
        )
        return True

    def _complain_of_absent(self, job: Job, prediction: Prediction) -> None:
        """Log and count the sensors without information, each by the topic of its message."""
        assert self._mailbox is not None
        prediction.absent |= job.seen.frozen
        for sensor, reason in prediction.absent.items():
            self._complaints.warn(first_of(job.matched.arrivals, sensor).message.topic, reason)
            self._mailbox.count_drop(sensor, "frozen" if sensor in job.seen.frozen else "no information")

    def _check_extrinsics(self, task: Task) -> None:
        """Once a second, since it takes some milliseconds."""
        now = time.monotonic()
        if task.projection is not None and now >= self._check_due:
            self._check_due = now + 1.0
            self._alignment.add(task.frame, task.projection)

    def _say(self, change: Change) -> None:
        topics = " or ".join(self._topics()[change.sensor])
        if change.alive:
            self._statistics.expect(change.sensor)
            self.get_logger().info(f"{change.sensor}: {'first message' if change.first else 'back'} on {topics}")
        else:
            timeout = self.settings.timing.timeouts_s[change.sensor]
            self.get_logger().warning(f"{change.sensor}: silent for {timeout:g} s on {topics}, now left out")

    def _say_unheard(self) -> None:
        """Log once for each sensor that is published but that the network has no channels for."""
        published = {
            sensor for sensor in self._unheard if any(self.count_publishers(topic) for topic in self._topics()[sensor])
        }
        self._unheard -= published
        for sensor in sorted(published):
            topics = " or ".join(self._topics()[sensor])
            self.get_logger().info(f"{sensor}: {topics} is not listened to, the network has no channels for it")

    def _report(self) -> None:
        if self._mailbox is None or self._inputs is None:
            state = "inactive" if self._outputs is not None else "not configured"
            array = self._diagnostics.idle(state, self.failure)
        else:
            self._watch()
            self._inputs.settle()
            self._say_unheard()
            if self._outputs is not None:
                self._outputs.complain_of_refused()
            sensors, clock_jumps = self._mailbox.snapshot()
            summary, refused, misaligned = (
                self._statistics.summary(),
                self._inputs.refused(),
                self._alignment.verdict() if self.settings.check_extrinsics else None,
            )
            self._adapt(sensors, summary.trigger)
            bits, scales = self._bit_depth.bits, {name: scale.described for name, scale in dict(self._scales).items()}
            silent = any(state.last_arrived is None for state in sensors.values())
            snapshot = Snapshot(
                time.monotonic(),
                sensors,
                clock_jumps,
                summary,
                refused,
                misaligned,
                bits,
                scales,
                self.settings.limits,
                self.settings.timing,
                self._inputs.nearest() if silent else {},
                self._restarts,
                self._fit.values if self._fit is not None else {},
            )
            array = self._diagnostics.report(snapshot)
        array.header.stamp = self.get_clock().now().to_msg()
        self._diagnostics_publisher.publish(array)

    def _on_parameters(self, changed: list[Any]) -> SetParametersResult:
        """Check new values; live ones take effect with the next frame."""
        changes = {each.name: each.value for each in changed if each.name in parameters.BY_NAME}
        try:
            self.settings = parameters.read(self, changes)
        except ValueError as error:
            return SetParametersResult(successful=False, reason=str(error))
        if self._mailbox is not None:
            self._mailbox.set_timing(self.settings.timing)
        later = [name for name in changes if not parameters.BY_NAME[name].live]
        if later and self._outputs is not None:
            self.get_logger().info(f"{', '.join(later)}: takes effect at the next configure")
        return SetParametersResult(successful=True)
