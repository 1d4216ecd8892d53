# SPDX-License-Identifier: Apache-2.0
"""The tables of KITTI's benchmarks in `perception eval`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from rich.table import Table

from perception.evaluation.kitti.road_benchmark import LANE, URBAN, VIEWS
from perception.evaluation.kitti.semantics_benchmark import OURS
from perception.evaluation.table import number

if TYPE_CHECKING:
    from perception.evaluation.kitti.road_benchmark import RoadBenchmark
    from perception.evaluation.kitti.semantics_benchmark import SemanticsBenchmark

_TITLES = dict(zip(VIEWS, ("in the image", "bird's-eye view"), strict=True))


def road_tables(benchmark: RoadBenchmark) -> Iterator[Table | str]:
    """KITTI road's figures by view and category, with notes."""
    table = Table("KITTI road", "MaxF", "AP", "PRE", "REC", "FPR", "FNR", "images")
    scores, images = benchmark.scores(), benchmark.images
    for view, title in _TITLES.items():
        table.add_section()
        table.add_row(f"[bold]{title}")
        for category, views in scores.items():
            score = views[view]
            values = ["–"] * 6 if score is None else [number(value) for value in score[:6]]
            table.add_row(category, *values, str(images[category]))
    yield table
    if images[LANE]:
        yield (
            f"{images[LANE]} images have the ego lane as truth, not the road: {LANE} counts road beside it as wrong, "
            f"and the IoU above ignores everything beside it, so it is a recall; {LANE} is not in {URBAN}"
        )
    missing = images[URBAN] + images[LANE] - benchmark.from_above
    if missing:
        yield f"{missing} images are not in the bird's-eye view: no Tr_cam_to_road in training/calib"


def semantics_tables(benchmark: SemanticsBenchmark) -> Iterator[Table | str]:
    """KITTI semantics' figures of the classes that the network knows, and the means as on its server."""
    figures = {"class": benchmark.class_iou(), "category": benchmark.category_iou()}
    table = Table("KITTI semantics", "is the benchmark's", "IoU")
    for name, (kind, theirs) in OURS.items():
        table.add_row(name, f"{kind} {theirs}", number(figures[kind][theirs]))
    means = benchmark.report()
    table.add_section()
    table.add_row("class IoU", "mean of 19 classes", number(means.mean_class_iou))
    table.add_row("category IoU", "mean of 7 categories", number(means.mean_category_iou))
    yield table
    yield (
        "the means are those of the files as written (road 7, car 26, person 24, else unlabelled 0): every class that "
        "the network does not know scores 0"
    )
