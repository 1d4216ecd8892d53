# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("torch")

from perception.frame import CameraModel, Frame
from perception.sample import Sample
from perception.sensors import encode
from perception.sensors.channels import log_depth
from perception.training.data.augment import Crop
from perception.training.data.lidar_fault import LidarFaults
from perception.training.data.mixture import Augmentation, Mixture, Source
from perception.training.data.paste import Paste, Shelf, Target, find_cutouts, paste
from perception.training.data.weather import Weather

CAMERA = CameraModel(np.array([[100.0, 0, 80], [0, 100, 40], [0, 0, 1]]), 160, 96)
TO_CAMERA = np.array([[0, -1, 0, 0.0], [0, 0, -1, 0], [1, 0, 0, 0], [0, 0, 0, 1]])


def _street(person: bool, sensors: bool) -> Sample:
    """A grey road below the horizon at row 40; a red person, 10 m ahead and 30 pixels high, perhaps on it."""
    labels = np.zeros((96, 160), np.uint8)
    labels[40:] = 1
    rgb = np.full((96, 160, 3), 100, np.uint8)
    depth = np.full((96, 160), 50, np.float32)
    infrared = np.full((96, 160), 60, np.uint8)
    if person:
        box = np.s_[30:60, 70:80]
        labels[box], rgb[box], depth[box], infrared[box] = 3, (250, 20, 20), 10, 220
    if not sensors:
        return Sample("camera", Frame(0, rgb), labels)
    v, u = (a.ravel() for a in np.mgrid[0:96:2, 0:160:2])
    away = depth[v, u]
    points = np.stack([away, -(u - 80) * away / 100, -(v - 40) * away / 100, np.ones(len(u))], 1)
    frame = Frame(0, rgb, depth, infrared, points.astype(np.float32), CAMERA, TO_CAMERA)
    return Sample("all", frame, labels)


def _target(sample: Sample) -> Target:
    frame = Crop(np.eye(3), 160, 96).frame(sample.frame)
    return Target(frame, encode(frame, 160, 96), sample.labels.copy(), 1.0, 40.0, 96)


def _shelf(sample: Sample) -> Shelf:
    return Shelf([sample], find_cutouts([sample]), horizon=40 / 96)


def test_finds_whole_upright_people() -> None:
    cutouts = find_cutouts([_street(False, False), _street(True, False)])
    assert [tuple(c) for c in cutouts[3]] == [(1, 3, 70, 30, 10, 30)]
    assert not cutouts[2]
    cut = _street(True, False)
    cut.labels = cut.labels[:, 75:].copy()
    assert not find_cutouts([cut])[3]


@pytest.mark.parametrize("seed", range(12))
def test_every_sensor_sees_what_was_pasted(seed: int) -> None:
    target, donor = _target(_street(False, True)), _street(True, True)
    shelf = _shelf(donor)
    assert paste(target, shelf, shelf.cutouts[3][0], np.random.default_rng(seed))
    where = target.labels == 3
    # Same cameras, so the same rows and the same size: the distance stays true.
    assert np.flatnonzero(where.any(1)).tolist() == list(range(30, 60))
    assert where.sum() == pytest.approx(300, abs=60)
    rgb, aux = target.network_input.rgb, target.network_input.aux
    core = where & np.roll(where, 2, 1) & np.roll(where, -2, 1) & np.roll(where, 2, 0) & np.roll(where, -2, 0)
    assert (rgb[core][:, 0] > 180).all()
    small = core[::2, ::2]
    assert (aux[small][:, 0] == log_depth(np.float32([10]))).all()
    assert (aux[small][:, 3] == 255).all()  # the warmest thing in the donor's image
    hit = small & (aux[..., 9] > 0)
    assert hit.any()
    assert (np.abs(aux[hit][:, 6].astype(int) - int(log_depth(np.float32([10]))[0])) <= 1).all()
    untouched = ~np.isin(np.arange(160), np.flatnonzero(where.any(0))[:, None] + np.arange(-3, 4))
    assert (rgb[:, untouched] == 100).all()


def test_without_cameras_the_size_goes_with_the_row() -> None:
    donor, rng = _street(True, False), np.random.default_rng(0)
    shelf, heights = _shelf(donor), []
    for _ in range(40):
        target = _target(_street(False, False))
        if paste(target, shelf, shelf.cutouts[3][0], rng):
            rows = np.flatnonzero((target.labels == 3).any(1))
            heights.append(len(rows))
            # Feet 20 rows below the horizon for every 30 of height.
            assert rows[-1] + 1 - 40 == pytest.approx(len(rows) * 20 / 30, abs=1.5)
    assert len(heights) > 20
    assert max(heights) > 1.3 * min(heights)


def test_nothing_is_pasted_where_it_cannot_be() -> None:
    donor, rng = _street(True, False), np.random.default_rng(0)
    shelf = _shelf(donor)
    thermal = _target(_street(False, True))
    assert not paste(thermal, shelf, shelf.cutouts[3][0], rng)  # nobody knows how warm the person is
    blocked = _target(_street(False, False))
    blocked.labels[45:] = 2
    assert not any(paste(blocked, shelf, shelf.cutouts[3][0], rng) for _ in range(5))


def test_a_crop_depends_on_seed_and_number_alone() -> None:
    samples = [_street(True, True), _street(False, True)]
    everything = Augmentation(weather=Weather(0.5, 0.5, 0.5, 0.5), lidar=LidarFaults(share=0.7), paste=Paste(share=1.0))
    source = Source(samples, 1.0, (0.8, 1.2), "street", donors=("street",))
    make = lambda: Mixture([source], (64, 96), 20, 5, everything)  # noqa: E731
    first, second = make(), make()
    for i in (7, 3, 12):
        a, b = first[i], second[i]
        assert all((a[key] == b[key]).all() for key in a)
    assert sum(int((make()[i]["labels"] == 3).sum()) for i in range(20)) > sum(
        int((Mixture([source], (64, 96), 20, 5)[i]["labels"] == 3).sum()) for i in range(20)
    )


def test_what_is_pasted_is_a_new_instance() -> None:
    target, donor = _target(_street(True, True)), _street(True, True)
    target.instances = np.where(target.labels == 3, 3004, 0).astype(np.uint16)
    shelf = _shelf(donor)
    assert any(paste(target, shelf, shelf.cutouts[3][0], np.random.default_rng(seed)) for seed in range(5))
    codes = np.unique(target.instances).tolist()
    assert codes[0] == 0
    assert codes[-1] == 3005
    np.testing.assert_array_equal(target.instances > 0, target.labels == 3)
