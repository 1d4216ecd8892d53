# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from pathlib import Path

from helpers.training.compared import report, row

from perception.comparing.page import compare_page
from perception.comparing.report import CompareReport


def test_it_has_the_tables_the_plot_and_the_picture_where_there_is_one(tmp_path: Path) -> None:
    found = report(unet=row(), dual_unet=row(0.6, 1.5, ("rgb", "lidar")))
    page = compare_page(found, {}, tmp_path / "none.png")
    assert [table.title for table in page.tables] == ["Networks", "What fusion brings, in points"]
    assert page.tables[0].rows[0][0] == "dual_unet"
    assert page.pictures == []
    (tmp_path / "one.png").write_bytes(b"png")
    assert len(compare_page(found, {}, tmp_path / "one.png").pictures) == 1
    assert "Nothing is trained" in compare_page(CompareReport(), {}, tmp_path / "none.png").html()
