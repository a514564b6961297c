"""The report's own pictures and tables of a month, for another program to show: each with title, source and its rows.

None of them counts who is held out: what leaves here is concentration, class moves, risk, limits, niches, circles,
price, what past plans expected beside what they earned, and what moved since the models learnt.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from keepline.report.numbers import Money
from keepline.report.pictures.act import limits
from keepline.report.pictures.circles import circles
from keepline.report.pictures.know import moves, pareto
from keepline.report.pictures.leave import drift_blocks, leaving
from keepline.report.pictures.niches import niches
from keepline.report.pictures.past import past_table
from keepline.report.pictures.pricing import pricing

Row = dict[str, Any]
WANTED = {"pareto": (pareto, "concentration"), "moves": (moves, "moves"), "bands": (leaving, "leaving"),
          "limits": (limits, "limits")}  # fmt: skip
REPORT = Path(__file__).parents[1] / "report"
CHART_LIBRARY, CHART_DRAWING = REPORT / "vendor", REPORT / "drawing"


def month_pictures(figures: Row) -> dict[str, Row]:
    """Those that the figures support, by name."""
    money = Money(figures["head"]["currency"])
    found = {}
    for name, (make, needs) in WANTED.items():
        for block in make(figures, money)["blocks"] if figures.get(needs) else ():
            for inner in block.get("blocks", [block]):
                if inner["type"] == "picture" and inner["id"] == name:
                    found[name] = inner
    return found


def month_tables(figures: Row) -> dict[str, Row]:
    """The tables of past plans, of niches, of circles and of price where the figures have them, by name."""
    money = Money(figures["head"]["currency"])
    sections = [
        *([niches(figures, money)] if figures.get("niches") else []),
        *([circles(figures, money)] if figures.get("circles") else []),
        *([pricing(figures)] if figures.get("price") else []),
    ]
    told = {block["id"]: block for one in sections for block in one["blocks"] if block["type"] == "table"}
    past = past_table(figures, money)
    return told if past is None else told | {"past": past}


def month_watch(figures: Row) -> list[Row]:
    """What moved since the models learnt, as cautions; or a note that nothing did or could be compared."""
    return drift_blocks(figures.get("drift") or {})
