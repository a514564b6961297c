"""What an account paid and used, month by month, and how long such customers stay, as pictures that say it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from django.conf import settings

from keepline.front import numbers
from keepline_web.customers.models import Account, MonthPaid, Standing
from keepline_web.frame.charting import Series, month_by_month
from keepline_web.frame.pictures import Bar
from keepline_web.frame.words import Text, say

MONTHS, YEAR = 12, 12
GB, MINUTE = 1024 * 1024, 60
Said = Callable[[float | None], str]


def months_of(account: Account) -> list[MonthPaid]:
    """The months known, the last two years of them, oldest first."""
    return list(MonthPaid.objects.filter(account=account).order_by("-month")[: MONTHS + YEAR])[::-1]


def pictures_of(account: Account) -> list[dict[str, Any]]:
    """Bills, data and calls of the last twelve months known, held against the same months a year before."""
    rows = months_of(account)
    known, shown = {row.month: row for row in rows}, rows[-MONTHS:]
    if not shown:
        return []
    money = numbers.Money(settings.SITE.settings.currency)
    wanted: tuple[tuple[str, str, Text, Text, str, float, Said], ...] = (
        ("bills", "revenue_fen", Text("账单", "Bills"), Text("元/月", "yuan a month"), "money", 1,
         lambda v: money.exact(None if v is None else round(v))),
        ("data", "data_kb", Text("流量（GB）", "Data, GB"), Text("GB/月", "GB a month"), "count", GB, _decimal),
        ("calls", "voice_s", Text("主叫（分钟）", "Calls made, minutes"), Text("分钟/月", "minutes a month"), "count",
         MINUTE, _whole),
    )  # fmt: skip
    found = [_picture(*one, shown, known) for one in wanted]
    return [picture for picture in found if picture is not None]


def staying_of(standing: Standing | None) -> list[Bar]:
    """One bar a time ahead: the share of customers alike who are here still; the year is marked."""
    points = (standing.staying or {}).get("points", []) if standing else []
    return [
        Bar(
            say("{n} 个月", "{n} mo.", n=point["months"]), point["share"], numbers.percent(point["share"], 0),
            marked=point["months"] == YEAR,
        )
        for point in points
    ]  # fmt: skip


def _decimal(value: float | None) -> str:
    return numbers.EMPTY if value is None else numbers.decimal(value, 1)


def _whole(value: float | None) -> str:
    return numbers.EMPTY if value is None else numbers.count(round(value))


def _picture(
    name: str, field: str, what: Text, unit: Text, form: str, scale: float, say: Said,
    shown: Sequence[MonthPaid], known: dict[str, MonthPaid],
) -> dict[str, Any] | None:  # fmt: skip
    values = [_scaled(row, field, scale) for row in shown]
    if all(value is None for value in values):
        return None
    before = [_scaled(known.get(_year_before(row.month)), field, scale) for row in shown]
    series = [Series(Text("当月", "the month"), values)]
    if any(value is not None for value in before):
        series.append(Series(Text("上年同月", "a year before"), before, line=True))
    months = [row.month for row in shown]
    source = Text(f"来源：账单与用量；截至 {months[-1]}", f"Source: bills and usage; until {months[-1]}")
    return month_by_month(
        name, title=_finding(what, values, say), unit=unit, source=source, months=months, series=series, say=say,
        form=form,
    )  # fmt: skip


def _scaled(row: MonthPaid | None, field: str, scale: float) -> float | None:
    value = getattr(row, field) if row else None
    return None if value is None else value / scale


def _year_before(month: str) -> str:
    return f"{int(month[:4]) - 1}{month[4:]}"


def _finding(what: Text, values: Sequence[float | None], say: Said) -> Text:
    """The mean of the last three months, and how it stands to the three before, where all six are known."""
    last, former = values[-3:], values[-6:-3]
    late, early = (sum(v for v in part if v is not None) / 3 for part in (last, former))
    if None in last or len(last) < 3:
        return Text(f"{what.zh}：最近一月 {say(values[-1])}", f"{what.en}: {say(values[-1])} in the last month")
    zh, en = f"{what.zh}近三月月均 {say(late)}", f"{what.en}: {say(late)} a month of late"
    if None in former or len(former) < 3 or early <= 0:
        return Text(zh, en)
    change = late / early - 1
    share = numbers.percent(abs(change), 0)
    if abs(change) < 0.005:
        return Text(f"{zh}，与前三月持平", f"{en}, as in the three months before")
    word = ("增", "up") if change > 0 else ("降", "down")
    return Text(f"{zh}，较前三月{word[0]} {share}", f"{en}, {word[1]} {share} on the three before")
