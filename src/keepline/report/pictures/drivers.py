"""What holds customers: the six drivers of loyalty, with the loyal beside the wavering."""

from __future__ import annotations

from typing import Any

from keepline.report.numbers import decimal, percent
from keepline.report.pictures.shape import TEXT, Block, Cell, column, note, section, source, table
from keepline.report.words import both
from keepline.tables import DRIVERS

LEAD = both(
    "六个驱动因素，0 为最低、1 为最高；各以什么度量写在 loyalty.toml，没有依据的客户不计入平均。",
    "Six drivers from 0 to 1. What each is measured by stands in loyalty.toml; customers of whom nothing is known are "
    "left out of the mean.",
)
HOW = both(
    "忠诚与游离之间的差别是相关，不是因果：要知道改善哪一项能留住客户，须做试点。",
    "What differs between loyal and wavering customers goes together with loyalty and need not cause it; a pilot tells "
    "which of them keeps customers.",
)


def drivers(figures: dict[str, Any]) -> Block:
    """One row a driver; why there is none where there is none."""
    rows, title = figures.get("drivers") or [], ("什么留住客户", "What holds customers")
    if not rows or all(row["mean"] is None for row in rows):
        why = note("loyalty.toml 没有写明驱动因素如何度量。", "loyalty.toml does not say what drivers are measured by.")
        return section("drivers", *title, lead=LEAD, blocks=[why])
    columns = [
        column("驱动因素", "driver", TEXT),
        column("全部客户", "all customers"),
        column("忠诚客户", "loyal"),
        column("游离客户", "wavering"),
        column("依据已知", "evidence known"),
    ]
    cells: list[list[Cell]] = [
        [
            both(DRIVERS.column(row["driver"]).zh, DRIVERS.column(row["driver"]).en.split(",")[0]),
            *(decimal(row[group]) for group in ("mean", "loyal", "wavering")),
            percent(row["known"], 0),
        ]
        for row in rows
    ]
    shown = table(
        "drivers", title=both("忠诚的六个驱动因素", "Six drivers of loyalty"), columns=columns, rows=cells,
        source=source("drivers, scores", figures), note=HOW,
    )  # fmt: skip
    return section("drivers", *title, lead=LEAD, blocks=[shown])
