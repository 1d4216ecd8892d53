# SPDX-License-Identifier: Apache-2.0
"""`perception replay --report`: a page about what was published and how a perception node responded."""

from __future__ import annotations

from perception.reporting import plots, plots_bars
from perception.reporting.drive_report import drive_plots, lead
from perception.reporting.page import Figure, Page, listed, number, table_of
from perception.reporting.provenance import versions
from perception.reporting.reports import plain
from perception.ros.replay import Summary
from perception.ros.watch.audience import Audience


def replay_page(audience: Audience, source: str, summary: Summary) -> Page:
    """The page about the replay that has just ended, after the last answers have arrived."""
    late = [(float(second), ms) for second, ms in summary.late_by_second.items()]
    page = Page(f"Perception replay: {source}", f"Published in {summary.seconds:.1f} s.")
    page.tiles = [
        ("messages", str(sum(summary.messages.values()))),
        ("greatest delay of a message [ms]", number(summary.late_ms, 1)),
    ]
    answers = audience.answers()
    if answers is None:
        page.notes = [f"{audience.silence()}, so this page shows only the published side."]
    else:
        told = plain(answers)
        page.lead += f" {lead(told)}"
        page.tiles += [("answered", f"{answers.frames_answered} / {answers.frames_sent}")]
        page.tiles += [(f"latency {name} [ms]", number(value, 0)) for name, value in answers.latency_ms.items()]
        page.plots = drive_plots(told)
        if audience.repeated:
            page.notes = ["Some stamps were published again: for each of them, the last time counts."]
        page.tables = [
            *table_of("Milliseconds by stage, in the node", answers.stages_ms),
            *table_of("Weight of each sensor, mean", answers.modality_weights),
        ]
    counts = dict(sorted(summary.messages.items()))
    if counts:
        drawn = plots_bars.bars_plot("messages by topic", dict(counts), "{:d}")
        page.plots.append(Figure(drawn, f"Messages by topic: {listed(dict(counts), 0)}."))
    if late:
        drawn = plots.line_plot("greatest delay of a message [ms]", late, "seconds of the replay")
        page.plots.append(Figure(drawn, f"Lateness by second; at most {summary.late_ms:.1f} ms."))
    page.tables += table_of("Messages by topic", counts)
    page.provenance = {"source": source, **versions()}
    return page
