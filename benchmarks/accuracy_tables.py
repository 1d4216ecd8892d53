# SPDX-License-Identifier: Apache-2.0
"""What the report of `accuracy.py` holds, as the tables of docs/accuracy.md."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from accuracy_targets import BLACK, PEOPLE, UNBOXED, gain, look, singles, subset_rows, targets

from perception.benchmark.tables import NONE, Table
from perception.classes import FOREGROUND, PEDESTRIAN, VEHICLE
from perception.evaluation.robustness.suite import CAMERA, CORRUPTION, EMM, LIDAR, NM
from perception.evaluation.robustness.summary import LOSS_PROBABILITIES
from perception.evaluation.scores.distance import BANDS
from perception.evaluation.scores.object_size import SIZES

Report = Mapping[str, Any]

LESS = "all less the best alone"
"""What fusion brings, in points."""

NAMES = (
    "measured", "targets", "data", "real", "points", "people", "faults_kitti", "faults_thermal", "scores", "rigs",
    "conditions", "subsets", "black", "distance", "sizes", "road",
    "robustness", "disturbances", "steadiness", "recipes", "recipes_pretrained", "recipes_continued",
    "biases_pedestrian", "biases_vehicle",
)  # fmt: skip
"""Of the document's tables. Those of recipes are made by `recipes.py`, those of biases by `biases.py`,
that of steadiness by `steadiness.py`."""

OBJECTS = tuple(name for name, label in FOREGROUND.items() if label in (VEHICLE, PEDESTRIAN))
ROAD_FIGURES = {
    "MaxF": "max_f",
    "AP": "average_precision",
    "PRE": "precision",
    "REC": "recall",
    "FPR": "false_positive_rate",
    "FNR": "false_negative_rate",
}
BY_HAND = "marked by hand in this project"
TRUTH = {
    "night pairs": BY_HAND,
    "day pairs": BY_HAND,
    "another thermal camera": BY_HAND,
    "cityscapes-stereo": BY_HAND,
    "kitti-stereo": "soft labels",
    "kitti-frames": "soft labels",
    "kitti-object": "3D boxes at LiDAR points",
    **dict.fromkeys(UNBOXED.values(), "3D boxes at LiDAR points; vehicles without one left out by hand"),
    "camvid": "pixel labels",
    "idd-lite": "pixel labels",
    "cityscapes-small": "pixel labels",
    PEOPLE: "people outlined by hand",
}
"""Of recorded sets; that of simulated ones is exact."""

SENSORS = {"all": "all", "rgb": "camera", "infrared": "thermal", "depth": "depth", "lidar": "LiDAR"}
"""What the tables call them."""


def tables(report: Report) -> dict[str, Table]:
    """Every table of the document by name; what was not measured is –."""
    parts = report["parts"]
    return {
        "measured": _measured(report),
        "targets": targets(report),
        "data": _data(parts),
        "real": _real(parts),
        "points": _points(parts),
        "people": _people(parts),
        "faults_kitti": _faults(parts, "kitti-stereo"),
        "faults_thermal": _faults(parts, "day pairs"),
        "scores": _scores(parts),
        "rigs": _rigs(parts),
        "conditions": _conditions(parts),
        "subsets": _subsets(parts),
        "black": _black(parts),
        "distance": _distance(parts),
        "sizes": _sizes(parts),
        "road": _road(parts),
        "robustness": _robustness(look(parts, "robustness", "summary")),
        "disturbances": _disturbances(look(parts, "robustness", "rows") or ()),
    }


def _measured(report: Report) -> Table:
    versions = {name: version for name, version in report["machine"]["versions"].items() if name != "cpu"}
    rows = [
        ("command", f"`{report['command']}`"),
        ("commit", report["commit"] or "not known"),
        ("model", report["model"]),
        ("parameters", NONE if report["parameters"] is None else f"{report['parameters']:,}"),
        ("weights' SHA-256", report["weights_sha256"]),
        ("engine", report["engine"]),
        ("processor", report["machine"]["versions"]["cpu"]),
        ("versions", ", ".join(f"{name} {version}" for name, version in versions.items())),
        ("frames", "a few (`--quick`): not to be quoted" if report["quick"] else "all that the sets below have"),
        ("left out", ", ".join(report["left_out"]) or "nothing"),
    ]
    return Table("Measured with", ("", "value"), rows)


def _data(parts: Report) -> Table:
    rows = []
    for name, part in parts.items():
        settings = part["settings"]
        seeds = settings.get("seeds")
        origin = f"seeds {seeds[0]}–{seeds[-1]}" if seeds else f"`{settings['folder']}`, {settings['split']}"
        frames = f"{part['frames']} of {settings['of']}"
        rows.append((name, TRUTH.get(name, "exact"), origin, frames, part["input_sha256"][:12]))
    return Table("Data", ("part", "truth", "from", "frames", "their hash"), rows)


def _real(parts: Report) -> Table:
    """Every real set with pixel truth: each sensor, each pair, all, and what fusion brings."""
    rows: list[tuple[str, ...]] = []
    for name in TRUTH:
        scores = look(parts, name, "scores") or {}
        if name in UNBOXED.values() or look(scores, "all", "mean_iou") is None:
            continue
        for kept in _alone_first(scores):
            cells = [look(scores, kept, "iou", each) for each in FOREGROUND]
            recall = look(scores, kept, "recall", "pedestrian")
            rows.append((name, _sensors(kept, scores), *map(_number, [*cells, recall])))
        if singles(parts[name]):
            gains = [gain(parts[name], "iou", each) for each in FOREGROUND]
            rows.append((name, LESS, *map(_points_of, [*gains, gain(parts[name], "recall", "pedestrian")])))
    return Table("Real", ("set", "sensors", *FOREGROUND, "people's pixels found"), rows)


def _points(parts: Report) -> Table:
    columns = [(figure, each) for each in OBJECTS for figure in ("point_iou", "point_recall")]
    rows: list[tuple[str, ...]] = []
    for name in UNBOXED.values():
        scores = look(parts, name, "scores") or {}
        for kept in _alone_first(scores):
            cells = (_number(look(scores, kept, *column)) for column in columns)
            rows.append((name, _sensors(kept, scores), *cells, f"{scores[kept]['points']:,}"))
        if scores:
            rows.append((name, LESS, *(_points_of(gain(parts[name], *column)) for column in columns), ""))
    header = [f"{each} {figure}" for each in OBJECTS for figure in ("IoU", "recall")]
    return Table("At LiDAR points", ("set", "sensors", *header, "points"), rows)


def _people(parts: Report) -> Table:
    bands = look(parts, PEOPLE, "people") or {}
    rows = [(f"{band['low']:.0f}–{band['high']:.0f} pixels", _number(band["found"])) for band in bands.values()]
    return Table("People by height", ("height in the image", "share of their pixels found"), rows)


def _faults(parts: Report, name: str) -> Table:
    """Per fault: mean IoU of all together, of the best alone, and what each combination is better than its best."""
    faults = look(parts, f"{name}, disturbed", "faults") or {}
    combined = list(
        dict.fromkeys(kept for scores in faults.values() for kept in scores if kept == "all" or "+" in kept)
    )
    rows = []
    for fault, scores in faults.items():
        cells = [_number(scores["all"]["mean_iou"])]
        for kept in combined:
            alone = (
                kept.split(" + ") if kept != "all" else [each for each in scores if each != "all" and "+" not in each]
            )
            best = max((scores[each]["mean_iou"] for each in alone if each in scores), default=None)
            fused = look(scores, kept, "mean_iou")
            cells.append(_points_of(None if best is None or fused is None else 100 * (fused - best)))
        rows.append((fault, *cells))
    names = ("all" if kept == "all" else _sensors(kept, {}) for kept in combined)
    header = (f"{name} less the best alone" for name in names)
    return Table(f"Disturbed, {name}", ("what is disturbed", "mean IoU, all", *header), rows)


def _rigs(parts: Report) -> Table:
    rows: list[tuple[str, ...]] = []
    for name, part in parts.items():
        if name.startswith("simulated rig "):
            scores = part["scores"]
            best = [max(scores[each]["iou"][label] for each in singles(part)) for label in FOREGROUND]
            everything = max(scores, key=lambda kept: kept.count("+"))
            for kept in sorted(scores, key=lambda kept: kept.count("+")):
                cells = (_number(scores[kept]["iou"][label]) for label in FOREGROUND)
                rows.append((name.removeprefix("simulated rig "), _sensors(kept, scores), *cells))
            fused = [scores[everything]["iou"][label] for label in FOREGROUND]
            less = [_points_of(100 * (a - b)) for a, b in zip(fused, best, strict=True)]
            rows.append((name.removeprefix("simulated rig "), LESS, *less))
    return Table("Simulated rigs", ("vehicle", "sensors", *FOREGROUND), rows)


def _scores(parts: Report) -> Table:
    rows = []
    for name, score in _with_pixels(parts):
        cells = [*(score["iou"][each] for each in FOREGROUND), score["mean_iou"]]
        cells += [score["recall"][each] for each in OBJECTS]
        cells += [score["pixel_accuracy"], look(score, "calibration", "expected_calibration_error")]
        rows.append((name, *map(_number, cells)))
    recall = (f"{each} recall" for each in OBJECTS)
    return Table("IoU", ("set", *FOREGROUND, "mean IoU", *recall, "pixel accuracy", "ECE"), rows)


def _conditions(parts: Report) -> Table:
    rows = []
    for name, part in parts.items():
        if name.startswith("simulated") and look(part, "scores", "all"):
            values = [look(part, "scores", kept, "mean_iou") for kept in ("all", "rgb", "lidar")]
            known = [value for value in values[1:] if value is not None]
            less = None if values[0] is None or not known else 100 * (values[0] - max(known))
            rows.append((name, *map(_number, values), _points_of(less)))
    return Table("Mean IoU", ("set", "all", "camera alone", "LiDAR alone", LESS), rows)


def _subsets(parts: Report) -> Table:
    whole = look(parts, "subsets", "summary", "all_sensors")
    rows = [
        (row["name"], *_row_iou(row), _number(row["mean_iou"] / whole if whole else None))
        for row in subset_rows(parts).values()
        if row["group"] == EMM
    ]
    emm = look(parts, "subsets", "summary", "emm") or {}
    rows.append(("mean", *[""] * len(FOREGROUND), _number(emm.get("average")), _number(emm.get("share_of_all"))))
    return Table("Subsets", ("sensors", *FOREGROUND, "mean IoU", "/ all four"), rows)


def _black(parts: Report) -> Table:
    subsets = subset_rows(parts)
    rows = [(title, *_row_iou(subsets[name])) for name, title in BLACK.items() if name in subsets]
    return Table("Camera black", ("", *FOREGROUND, "mean IoU"), rows)


def _distance(parts: Report) -> Table:
    rows = []
    for name, score in _with_pixels(parts):
        for each in OBJECTS if score.get("distance") else ():
            cells = (look(score, "distance", band, figure, each) for figure in ("iou", "recall") for band in BANDS)
            rows.append((name, each, *map(_number, cells)))
    header = (f"{figure} {band}" for figure in ("IoU", "recall") for band in BANDS)
    return Table("By distance", ("set", "class", *header), rows)


def _sizes(parts: Report) -> Table:
    rows = []
    for name, score in _with_pixels(parts):
        for each in OBJECTS:
            cells: list[str] = []
            for size in SIZES:
                figures = score["object_size"][each][size]
                cells += [str(figures["objects"]), _number(figures["found"]), _number(figures["recall"])]
            rows.append((name, each, *cells))
    header = (f"{size} {figure}" for size in SIZES for figure in ("objects", "found", "recall"))
    return Table("By size", ("set", "class", *header), rows)


def _road(parts: Report) -> Table:
    rows = []
    for name, score in _with_pixels(parts):
        for view, key in (("image", "kitti_road"), ("bird's-eye view", "kitti_road_bev")):
            if score.get(key):
                rows.append((name, view, *(_number(score[key][figure]) for figure in ROAD_FIGURES.values())))
    return Table("Road, as KITTI scores it", ("set", "view", *ROAD_FIGURES), rows)


def _robustness(summary: Report | None) -> Table:
    losses = [f"{loss:.2f}" for loss in LOSS_PROBABILITIES]
    lines: dict[str, Any] = {}
    if summary:
        lines["every subset of the sensors (EMM)"] = summary["emm"]
        for ratio, part in summary["rmm"].items():
            lines[f"every subset, {float(ratio):.0%} of the others lost (RMM)"] = part
        corruptions = summary["corruptions"]
        lines["15 corruptions × 5 severities"] = {**corruptions, "average": corruptions["mean"]}
    rows = []
    for name, part in lines.items():
        expected = (_number(look(part, "expected", loss)) for loss in losses)
        rows.append((name, _number(part["average"]), _number(part["share_of_all"]), *expected))
    return Table("Robustness", ("mean IoU", "mean", "/ all, undisturbed", *(f"p = {loss}" for loss in losses)), rows)


def _disturbances(rows: Sequence[Report]) -> Table:
    """Corruptions as means over their severities."""
    groups: dict[str, list[Report]] = {}
    for row in rows:
        if row["group"] in (NM, CORRUPTION, CAMERA, LIDAR):
            titles = {NM: f"salt and pepper in every sensor, {row['name']}", CAMERA: f"camera {row['name']}"}
            titles |= {LIDAR: f"LiDAR {row['name']}", CORRUPTION: str(row.get("corruption")).replace("_", " ")}
            groups.setdefault(titles[row["group"]], []).append(row)
    lines = []
    for title, same in groups.items():
        means = [_mean([row[figure] for row in same]) for figure in ("mean_iou", "mean_iou_less_undisturbed")]
        change = NONE if means[1] is None else f"{100 * means[1]:+.1f}"
        lines.append((title, _number(means[0]), change, str(same[0]["frames"])))
    return Table("Disturbances", ("disturbance", "mean IoU", "change in points", "frames"), lines)


def _with_pixels(parts: Report) -> Iterator[tuple[str, Any]]:
    """Name and scores with every sensor of the parts whose pixels have truth."""
    for name, part in parts.items():
        score = look(part, "scores", "all")
        if score and score["mean_iou"] is not None:
            yield name, score


def _row_iou(row: Report) -> list[str]:
    return [*(_number(row["iou"][each]) for each in FOREGROUND), _number(row["mean_iou"])]


def _sensors(kept: str, scores: Mapping[str, Any]) -> str:
    """What the tables call a combination; a camera that is all there is, is that."""
    if kept == "all" and len(scores) == 1:
        return SENSORS["rgb"]
    return " + ".join(SENSORS[each] for each in kept.split(" + "))


def _alone_first(scores: Mapping[str, Any]) -> list[str]:
    """The combinations by how many sensors they have; all of them last."""
    return sorted(scores, key=lambda kept: (kept == "all", kept.count("+")))


def _mean(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return sum(known) / len(known) if known else None


def _points_of(value: float | None) -> str:
    return NONE if value is None else f"{value:+.1f}"


def _number(value: float | None) -> str:
    return NONE if value is None else f"{value:.3f}"
