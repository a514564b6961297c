"""The living page of components: every part a page is made of, as it looks now, with the words that make it."""

from __future__ import annotations

from pathlib import Path

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from keepline_web.frame.pictures import Bar
from keepline_web.people.access import page
from keepline_web.people.roles import Act

ICONS = sorted(path.stem for path in (Path(__file__).parents[1] / "frame" / "icons").glob("*.svg"))
BARS = [Bar(f"26-{month:02d}", value, str(value), marked=month == 10) for month, value in
        ((5, 12), (6, 18), (7, 9), (8, 21), (9, 16), (10, 24))]  # fmt: skip


@page(Act.SIGNED_IN)
def components(request: HttpRequest) -> HttpResponse:
    """For whoever adds a page: choose from here before making anything new."""
    return render(request, "people/components.html", {"icons": ICONS, "bars_shown": BARS, "empty_bars": []})
