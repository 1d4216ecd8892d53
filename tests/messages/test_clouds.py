# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from perception.errors import MessageError
from perception.messages.clouds import cloud_fields, read_columns, read_points, read_sweep
from perception.sensors.intensity import IntensityScale

CODES = {"i1": 1, "u1": 2, "i2": 3, "u2": 4, "i4": 5, "u4": 6, "f4": 7, "f8": 8}


def field(name: str, offset: int, datatype: int, count: int = 1) -> SimpleNamespace:
    return SimpleNamespace(name=name, offset=offset, datatype=datatype, count=count)


def cloud(points: np.ndarray, **changes: Any) -> SimpleNamespace:
    return SimpleNamespace(**{**cloud_fields(points.astype(np.float32), field), **changes})


@given(data=st.data(), big=st.booleans(), seed=st.integers(0, 2**31), height=st.integers(1, 4), width=st.integers(1, 9))
def test_any_order_offset_type_padding_and_byte_order(
    data: st.DataObject, big: bool, seed: int, height: int, width: int
) -> None:
    names = data.draw(st.permutations(["x", "y", "z", "intensity", "ring", "time"]))
    codes = [data.draw(st.sampled_from(["f4", "f8", "i2", "i4"]), label=name) for name in names]
    gaps = [data.draw(st.integers(0, 3)) for _ in names]
    row_padding = data.draw(st.integers(0, 7))
    rng = np.random.default_rng(seed)
    values = rng.integers(-100, 100, (height, width, len(names))).astype(np.float64)
    values[..., names.index("intensity")] = rng.integers(0, 2, (height, width))

    order, offset, fields = ">" if big else "<", 0, []
    for name, code, gap in zip(names, codes, gaps, strict=True):
        fields.append(field(name, offset + gap, CODES[code]))
        offset += gap + np.dtype(code).itemsize
    buffer = np.full((height, width * offset + row_padding), 0xEE, np.uint8)
    for column, (item, code) in enumerate(zip(fields, codes, strict=True)):
        raw = values[..., column].astype(order + code)
        for byte in range(raw.itemsize):
            start = item.offset + byte
            buffer[:, start : width * offset : offset] = raw.view(np.uint8).reshape(height, width, -1)[..., byte]
    message = SimpleNamespace(
        height=height, width=width, fields=fields, is_bigendian=big, point_step=offset,
        row_step=buffer.shape[1], data=buffer.tobytes(), is_dense=True,
    )  # fmt: skip
    got = read_points(message, intensity_max=1.0)
    wanted = np.stack([values[..., names.index(name)].ravel() for name in ("x", "y", "z", "intensity")], axis=1)
    np.testing.assert_array_equal(got, wanted.astype(np.float32))


def test_the_columns_that_are_asked_for_are_read_as_they_come() -> None:
    points = np.array([[1, 2, 3, 4], [np.nan, 0, 0, 0]], np.float32)
    found = read_columns(cloud(points), ("x", "y", "z", "intensity", "rcs"))
    assert list(found) == ["x", "y", "z", "intensity"]
    np.testing.assert_array_equal(np.stack(list(found.values()), 1), points)
    assert len(read_columns(cloud(np.zeros((0, 4))), ("x",))["x"]) == 0
    with pytest.raises(MessageError, match="fields: no x, y, z"):
        read_columns(cloud(points, fields=[field("rcs", 0, 7)]), ("x", "y", "z", "rcs"))


def test_round_trip_and_invalid_points_are_dropped() -> None:
    points = np.random.default_rng(0).random((50, 4), np.float32)
    np.testing.assert_array_equal(read_points(cloud(points)), points)
    broken = points.copy()
    broken[3, 0], broken[9, 2] = np.nan, np.inf
    np.testing.assert_array_equal(read_points(cloud(broken)), np.delete(points, [3, 9], axis=0))


@pytest.mark.parametrize("intensity", [np.nan, np.inf, -np.inf])
def test_a_point_whose_intensity_is_no_number_stays(intensity: float) -> None:
    points = np.random.default_rng(0).random((5, 4), np.float32)
    broken = points.copy()
    broken[2, 3], points[2, 3] = intensity, 0.0
    np.testing.assert_array_equal(read_points(cloud(broken)), points)


def test_labels_and_colours_are_written_as_rviz_reads_them() -> None:
    points = np.random.default_rng(0).random((5, 4), np.float32)
    labels = np.array([0, 1, 2, 3, 255], np.uint8)
    colours = np.arange(15, dtype=np.uint8).reshape(5, 3)
    message = SimpleNamespace(**cloud_fields(points, field, labels, colours))
    np.testing.assert_array_equal(read_points(message), points)
    raw = np.frombuffer(message.data, np.uint8).reshape(5, message.point_step)
    offsets = {item.name: item.offset for item in message.fields}
    np.testing.assert_array_equal(raw[:, offsets["rgb"] : offsets["rgb"] + 3], colours[:, ::-1])
    np.testing.assert_array_equal(raw[:, offsets["label"]], labels)


def test_labelled_clouds_have_autowares_fields_and_the_former_ones_where_they_were() -> None:
    points = np.random.default_rng(0).random((5, 4), np.float32)
    labels = np.array([0, 1, 2, 3, 255], np.uint8)
    confidence = np.array([255, 51, 102, 204, 0], np.uint8)
    fields = cloud_fields(points, field, labels, np.zeros((5, 3), np.uint8), confidence)
    layout = [(each.name, each.offset, each.datatype, each.count) for each in fields["fields"]]
    assert layout == [
        ("x", 0, 7, 1), ("y", 4, 7, 1), ("z", 8, 7, 1), ("intensity", 12, 7, 1), ("rgb", 16, 7, 1),
        ("label", 20, 4, 1), ("class_id", 22, 2, 1), ("probability", 24, 7, 1),
    ]  # fmt: skip
    assert (fields["point_step"], fields["row_step"], len(fields["data"])) == (28, 140, 140)
    raw = np.frombuffer(fields["data"], np.uint8).reshape(5, 28)
    np.testing.assert_array_equal(raw[:, 20:22].copy().view("<u2").ravel(), labels)
    np.testing.assert_array_equal(raw[:, 22], labels)
    np.testing.assert_allclose(raw[:, 24:].copy().view("<f4").ravel(), [1, 0.2, 0.4, 0.8, 0], rtol=1e-6)
    unsure = np.frombuffer(cloud_fields(points, field, labels, np.zeros((5, 3), np.uint8))["data"], np.uint8)
    assert np.isnan(unsure.reshape(5, 28)[:, 24:].copy().view("<f4")).all()


@pytest.mark.parametrize(
    ("intensity", "maximum", "wanted"),
    [([0, 0.5, 1], 0, [0, 0.5, 1]), ([0, 51, 255], 0, [0, 0.2, 1]), ([0, 50, 300], 100, [0, 0.5, 1])],
)
def test_intensity_is_scaled_to_one(intensity: list[float], maximum: float, wanted: list[float]) -> None:
    points = np.ones((3, 4), np.float32)
    points[:, 3] = intensity
    np.testing.assert_allclose(read_points(cloud(points), maximum)[:, 3], wanted, rtol=1e-6)


def test_clouds_without_intensity_get_zero() -> None:
    message = cloud(np.ones((4, 4)))
    message.fields = message.fields[:3]
    np.testing.assert_array_equal(read_points(message), [[1, 1, 1, 0]] * 4)


BAD_CLOUDS: list[tuple[dict[str, Any], str]] = [
    ({"width": 0, "data": b"", "row_step": 0}, "size"),
    ({"width": 2**30}, "size"),
    ({"fields": []}, "fields"),
    ({"fields": [field("x", 0, 7), field("y", 4, 7)]}, "fields"),
    ({"fields": [field("x", 0, 7), field("y", 4, 7), field("z", 8, 9)]}, "fields"),
    ({"fields": [field("x", 0, 7), field("y", 4, 7), field("z", 14, 7)]}, "fields"),
    ({"point_step": 0}, "point_step"),
    ({"row_step": 10}, "row_step"),
    ({"data": b"1234"}, "data"),
    ({"data": b""}, "data"),
]


@pytest.mark.parametrize(("changes", "name"), BAD_CLOUDS)
def test_broken_clouds_name_the_field(changes: dict[str, Any], name: str) -> None:
    with pytest.raises(MessageError, match=f"^{name}: "):
        read_points(cloud(np.ones((4, 4)), **changes))


@pytest.mark.parametrize("nothing", [np.nan, np.inf, 0.0])
def test_a_cloud_without_any_echo_is_empty(nothing: float) -> None:
    with pytest.raises(MessageError, match=r"^data: no point with an echo among 4"):
        read_points(cloud(np.full((4, 4), nothing)))


def test_points_without_an_echo_are_left_out_of_organised_clouds() -> None:
    """A third at 0, 0, 0 as the velodyne driver leaves them, a third NaN as the ouster driver does."""
    points = np.random.default_rng(0).uniform(1, 30, (16, 90, 4)).astype(np.float32)
    points[..., 3] /= 30
    points[:, ::3, :3], points[:, 1::3, :3] = 0.0, np.nan
    message = cloud(points.reshape(-1, 4), height=16, width=90, row_step=90 * 16)
    np.testing.assert_array_equal(read_points(message), points[:, 2::3].reshape(-1, 4))
    on_an_axis = np.array([[0, 5, 0, 0.5], [0, 0, -1, 0.5], [2, 0, 0, 0.5], [-0.0, 0, 0, 0.5]], np.float32)
    np.testing.assert_array_equal(read_points(cloud(on_an_axis)), on_an_axis[:3])


def test_the_times_of_the_points_that_stay() -> None:
    points = np.random.default_rng(0).uniform(1, 30, (9, 4)).astype(np.float32)
    points[:, 3], points[::3, :3] = 0.5, np.nan
    layout = [("x", "<f4"), ("y", "<f4"), ("z", "<f4"), ("i", "<f4"), ("t", "<u4")]
    content = np.zeros(9, layout)
    for column, name in enumerate("xyzi"):
        content[name] = points[:, column]
    content["t"] = np.arange(9) * 10_000_000
    fields = [field(name, 4 * place, 6 if name == "t" else 7) for place, (name, _) in enumerate(layout)]
    message = cloud(points, fields=fields, point_step=20, row_step=180, data=content.tobytes())
    sweep = read_sweep(message)
    assert (sweep.time_field, sweep.times is not None and sweep.times.tolist()) == (
        "t",
        [10_000_000, 20_000_000, 40_000_000, 50_000_000, 70_000_000, 80_000_000],
    )
    np.testing.assert_array_equal(sweep.points, points[[1, 2, 4, 5, 7, 8]])
    for broken in ({"count": 2}, {"datatype": 9}):
        message.fields[4] = SimpleNamespace(**{**vars(fields[4]), **broken})
        assert read_sweep(message).times is None, "64 bits that PointField does not have"
    assert read_sweep(cloud(points)).times is None


def test_what_is_far_away_is_moved_before_it_is_rounded() -> None:
    near = np.random.default_rng(0).uniform(-30, 30, (50, 3))
    origin = np.eye(4)
    origin[:3, 3] = -458_000.0, -5_429_000.0, -110.0
    content = np.ascontiguousarray(near - origin[:3, 3])
    fields = [field(name, 8 * place, 8) for place, name in enumerate("xyz")]
    message = cloud(near, fields=fields, point_step=24, row_step=24 * 50, data=content.tobytes())
    np.testing.assert_allclose(read_sweep(message, into=origin).points[:, :3], near, atol=1e-5)
    assert np.abs(read_points(message)[:, :3] + origin[:3, 3] - near).max() > 0.1


def test_reflectivity_stands_in_for_intensity() -> None:
    points = np.random.default_rng(0).random((50, 4), np.float32)
    message = cloud(points)
    message.fields = [*message.fields[:3], field("reflectivity", 12, 7)]
    np.testing.assert_array_equal(read_points(message), points)


def test_ring_alone_is_no_intensity_and_is_told_once() -> None:
    scale = IntensityScale()
    message = cloud(np.ones((4, 4)))
    message.fields = [*message.fields[:3], field("ring", 12, 4)]
    for _ in range(2):
        np.testing.assert_array_equal(read_points(message, scale=scale), [[1, 1, 1, 0]] * 4)
    assert scale.words() == ["intensity: none, nor reflectivity, among x, y, z, ring; it is 0 for every point"]
    assert scale.described == "none"
