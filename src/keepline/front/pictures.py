"""The report's own pictures of a month, for another program to show: each with title, unit, source and its table.

None of them counts who is held out: what leaves here is concentration, class moves, risk and limits.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from keepline.report.numbers import Money
from keepline.report.pictures.act import limits
from keepline.report.pictures.know import moves, pareto
from keepline.report.pictures.leave import leaving

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
