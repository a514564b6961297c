"""Charts: the same numbers as a table and a file without any script, and nothing of a name becomes code."""

from __future__ import annotations

import csv
import html
import io
import json
import re
from collections.abc import Callable
from urllib.parse import unquote

from django.template import Context, Template
from django.test import Client

from keepline_web.customers.models import MonthPaid
from keepline_web.customers.pictures import pictures_of
from keepline_web.frame.charting import Series, chart_of, month_by_month
from keepline_web.frame.words import Text
from web.cast import Cast

SAID = Text("名称", "name")


def picture(names: list[str], values: list[float | None]) -> dict[str, object]:
    return month_by_month(
        "p", title=SAID, unit=SAID, source=SAID, months=names, series=[Series(SAID, values)], say=str,
        hrefs=["/accounts?plan=1"] * len(names),
    )  # fmt: skip


def paid(cast: Cast, amounts: list[int | None], first: int = 1) -> None:
    MonthPaid.objects.filter(account=cast.own).delete()
    for at, amount in enumerate(amounts):
        year, month = divmod(first - 1 + at, 12)
        MonthPaid.objects.create(account=cast.own, month=f"{2025 + year}-{month + 1:02d}", revenue_fen=amount)


def test_a_chart_is_a_table_and_a_file_before_any_script_runs() -> None:
    text = Template("{% chart p %}").render(Context({"p": picture(["2026-09", "2026-10"], [1, 2])}))
    assert "<details open>" in text
    assert '<a href="/accounts?plan=1">2026-09</a>' in text
    assert 'class="drawing" hidden' in text
    assert "style=" not in text
    sent = unquote(re.search(r'href="data:text/csv;charset=utf-8,([^"]+)"', text)[1])
    assert list(csv.reader(io.StringIO(sent.lstrip("\ufeff")))) == [
        ["账期", "名称"],
        ["2026-09", "1"],
        ["2026-10", "2"],
    ]


def test_a_name_cannot_end_the_data_it_stands_in_nor_become_a_formula() -> None:
    text = Template("{% chart p %}").render(Context({"p": picture(["</script><b>", "=1+1"], [1, -2])}))
    assert "<b>" not in text
    drawn = html.unescape(re.search(r'data-picture="([^"]*)"', text)[1])
    assert json.loads(drawn)["data"]["names"][0]["zh"] == "</script><b>"
    sent = unquote(str(chart_of(picture(["=1+1"], [-2]))["file"]))
    assert "'=1+1" in sent
    assert "'-2" not in sent


def test_bills_say_what_became_of_them_and_are_held_against_the_year_before(cast: Cast) -> None:
    paid(cast, [10_000] * 20 + [20_000] * 3)
    (bills,) = pictures_of(cast.own)
    assert bills["title"]["zh"] == "账单近三月月均 ¥200，较前三月增 100%"
    assert len(bills["data"]["names"]) == 12
    assert [one["line"] for one in bills["data"]["series"]] == [False, True]
    assert bills["rows"][-1] == ["2026-11", "¥200", "¥100"]


def test_without_a_year_before_there_is_one_series_and_without_figures_no_picture(cast: Cast) -> None:
    paid(cast, [10_000] * 12)
    assert [len(p["data"]["series"]) for p in pictures_of(cast.own)] == [1]
    paid(cast, [None])
    assert pictures_of(cast.own) == []
    paid(cast, [])
    assert pictures_of(cast.own) == []


def test_only_pages_that_draw_load_the_library_and_it_is_the_reports_own(
    cast: Cast, entered: Callable[[str], Client]
) -> None:
    paid(cast, [10_000] * 12)
    client = entered("account_manager")
    assert "echarts.min.js" in client.get(f"/accounts/{cast.own.pk}").content.decode()
    assert "echarts.min.js" not in client.get("/today").content.decode()
    from django.contrib.staticfiles import finders

    assert str(finders.find("vendor/echarts/echarts.min.js")).endswith("keepline/report/vendor/echarts.min.js")
    assert str(finders.find("drawing/charts.js")).endswith("keepline/report/drawing/charts.js")
