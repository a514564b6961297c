"""The living page of components: every part a page is made of, as it looks now, with the words that make it."""

from __future__ import annotations

from pathlib import Path

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from keepline_web.frame.charting import Series, month_by_month
from keepline_web.frame.pictures import Bar
from keepline_web.frame.words import Text
from keepline_web.people.access import page
from keepline_web.people.roles import Act

ICONS = sorted(path.stem for path in (Path(__file__).parents[1] / "frame" / "icons").glob("*.svg"))
BARS = [Bar(f"26-{month:02d}", value, str(value), marked=month == 10) for month, value in
        ((5, 12), (6, 18), (7, 9), (8, 21), (9, 16), (10, 24))]  # fmt: skip


MONTHS = [f"2026-{month:02d}" for month in range(5, 11)]
CHART = month_by_month(
    "shown", title=Text("标题写结论：近三月月均 20，较前三月增 56%", "The title says the finding: 20 a month, up 56%"),
    unit=Text("单位", "unit"), source=Text("来源与账期", "Source and month"), months=MONTHS,
    series=[Series(Text("当月", "the month"), [12, 18, 9, 21, 16, 24]),
            Series(Text("上年同月", "a year before"), [11, 13, 12, 15, 15, 17], line=True)],
    say=str, hrefs=["/components" for _ in MONTHS],
)  # fmt: skip


@page(Act.SIGNED_IN)
def components(request: HttpRequest) -> HttpResponse:
    """For whoever adds a page: choose from here before making anything new."""
    return render(
        request, "people/components.html", {"icons": ICONS, "bars_shown": BARS, "empty_bars": [], "chart_shown": CHART}
    )
