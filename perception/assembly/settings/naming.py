# SPDX-License-Identifier: Apache-2.0
"""Which topic of a recording is which input: by a named file or preset, a rig.yaml beside it, or the best match."""

from __future__ import annotations

import difflib
import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import NamedTuple

from perception.assembly.settings.topic import Topic
from perception.assembly.settings.topics import (
    CAMERA_INFOS,
    INPUT_TYPES,
    SENSORS,
    calibration_beside,
    input_type,
    presets,
    read_topics,
)
from perception.errors import DataError

BAG_SUFFIXES = (".mcap", ".db3")
"""One of the files in a rosbag2's folder."""

RIG = "rig.yaml"
"""The file that `perception init` writes, and that is looked for if no topics are named."""

_GROUPS = (*SENSORS.values(), *((name,) for name in CAMERA_INFOS.values()), ("odometry",))
"""Inputs of which one is enough."""


class Naming(NamedTuple):
    """topics: by input, if the topic's name differs from the input's own. words: messages about them.

    calibration: the file that holds a calibration beside the topics, None without.
    """

    topics: dict[str, str]
    words: list[str]
    calibration: Path | None = None


def rig_beside(path: Path) -> Path | None:
    """The rig.yaml in the bag's folder, beside it, or in the working folder; None where there is none."""
    folder = path.parent if path.suffix in BAG_SUFFIXES else path
    found = (place / RIG for place in (folder, folder.resolve().parent, Path.cwd()))
    return next((file.resolve() for file in found if file.is_file()), None)


def name_topics(
    recorded: Mapping[str, Topic], named: str | Mapping[str, str] | None = None, rig: Path | None = None
) -> Naming:
    """The topics by input: those that are `named` (as `read_topics` takes it), else `rig`'s, else the best match.

    A rig that has none of the sensors' topics belongs to something else: a message says so and it is ignored. The match
    is the inputs' own names or a preset, whichever finds more sensors. For topics that a file names and the recording
    lacks, or has with another type, there is a message in words. Raises DataError or ModelError if the named file
    cannot be read.
    """
    if named is not None:
        topics = dict(read_topics(named) if isinstance(named, str) else named)
        calibration = calibration_beside(named) if isinstance(named, str) else None
        return Naming(topics, missing(topics, recorded), calibration)
    words = []
    if rig is not None:
        try:
            topics = read_topics(os.fspath(rig))
        except DataError as error:
            raise DataError(f"{error}; the file was found by its name: remove it, or give other --topics") from error
        sensors = [name for names in SENSORS.values() for name in names if name in topics]
        if any(_fits(name, topics[name], recorded) for name in sensors):
            said = [f"topics from {rig}", *missing(topics, recorded)]
            return Naming(topics, said, calibration_beside(os.fspath(rig)))
        words.append(f"{rig}: none of its sensor topics is recorded; it is not used")
    topics, preset = {}, ""
    for name in presets():
        candidate = read_topics(name)
        if _sensors(candidate, recorded) > _sensors(topics, recorded):
            topics, preset = candidate, name
    return Naming(topics, [*words, f"topics from {preset}", *missing(topics, recorded)] if preset else words)


def heard(topics: Mapping[str, str], recorded: Mapping[str, Topic]) -> dict[str, str]:
    """Input by recorded topic, for every input that is recorded with its type."""
    found = {f"/{name}": name for name in INPUT_TYPES if name not in topics}
    found.update({topic: name for name, topic in topics.items()})
    return {topic: name for topic, name in found.items() if _fits(name, topic, recorded)}


def second_names(topics: Mapping[str, str], recorded: Mapping[str, Topic]) -> tuple[dict[str, str], dict[str, str]]:
    """(also, moved) by recorded topic: the node's own names beside the recorded ones, and topics that must be renamed.

    If an input is another topic, a topic recorded under the input's own name would be that input too: it is published
    under its own input's name, or below /recorded.
    """
    inputs = heard(topics, recorded)
    also = {topic: f"/{name}" for topic, name in inputs.items() if topic != f"/{name}"}
    taken = {name for name in also.values() if name in recorded}
    moved = {topic: also.pop(topic, f"/recorded{topic}") for topic in taken}
    return also, moved


def missing(topics: Mapping[str, str], recorded: Mapping[str, Topic]) -> list[str]:
    """A line for each sensor or camera_info that a file names and that is not recorded with its type, with the
    nearest."""
    lines = []
    for group in (*_GROUPS, *((name,) for name in topics if name not in INPUT_TYPES)):
        named = {name: topics[name] for name in group if name in topics}
        if not named or any(_fits(name, topic, recorded) for name, topic in named.items()):
            continue
        if not _sensor_is_there(group[0], topics, recorded):
            continue
        said = [_word(name, topic, recorded) for name, topic in named.items()]
        lines.append(next((line for line, hinted in said if hinted), said[0][0]))
    return lines


def nearest(topic: str, kind: str, recorded: Mapping[str, Topic], but: Iterable[str] = ()) -> str | None:
    """The topic of that type with the name most like `topic`'s, except those in `but`; None if none is similar."""
    taken = set(but)
    names = [name for name, each in recorded.items() if each.type == kind and name not in taken and name != topic]
    return next(iter(difflib.get_close_matches(topic, names, n=1)), None)


def _word(name: str, topic: str, recorded: Mapping[str, Topic]) -> tuple[str, bool]:
    """What is wrong with the topic of an input, and whether the message says what to do about it."""
    kind, there = input_type(name), recorded.get(topic)
    if there is not None:
        compressed = next((other for other in _siblings(name) if INPUT_TYPES[other] == there.type), None)
        hint = f"; write '{compressed}: {topic}'" if compressed else ""
        return f"{name}: {topic} is of the type {there.type}, not {kind}: left out{hint}", True
    near = nearest(topic, kind, recorded)
    return f"{name}: {topic} is missing" + (f"; the nearest is {near}" if near else ""), near is not None


def _siblings(name: str) -> list[str]:
    return [other for group in _GROUPS if name in group for other in group if other != name]


def _fits(name: str, topic: str, recorded: Mapping[str, Topic]) -> bool:
    return topic in recorded and recorded[topic].type == input_type(name)


def _sensor_is_there(name: str, topics: Mapping[str, str], recorded: Mapping[str, Topic]) -> bool:
    """For a camera_info, whether its camera is recorded; for anything else, True."""
    sensor = next((sensor for sensor, info in CAMERA_INFOS.items() if info == name), None)
    return sensor is None or any(_fits(each, topics.get(each, f"/{each}"), recorded) for each in SENSORS[sensor])


def _sensors(topics: Mapping[str, str], recorded: Mapping[str, Topic]) -> int:
    """The number of sensors that are found."""
    return sum(any(_fits(name, topics.get(name, f"/{name}"), recorded) for name in names) for names in SENSORS.values())
