"""The words, numbers, days, icons and small pictures of a template."""

from __future__ import annotations

import datetime as dt
import uuid
from functools import cache
from importlib import resources
from typing import Any

from django import template
from django.conf import settings
from django.core.paginator import Page
from django.http import QueryDict
from django.utils.html import conditional_escape, format_html
from django.utils.safestring import SafeString, mark_safe

from keepline.front import numbers
from keepline_web.frame import clock, words
from keepline_web.frame.charting import chart_of, table_of
from keepline_web.frame.pictures import Bar, bars_of
from keepline_web.frame.words import language, told

register = template.Library()
WEEKDAYS = (
    ("周一", "Mon"),
    ("周二", "Tue"),
    ("周三", "Wed"),
    ("周四", "Thu"),
    ("周五", "Fri"),
    ("周六", "Sat"),
    ("周日", "Sun"),
)


@register.simple_tag
def say(zh: str, en: str, **values: Any) -> SafeString:
    """The words in the reader's language; what is filled in is escaped."""
    return mark_safe(words.say(zh, en, **{name: conditional_escape(value) for name, value in values.items()}))


@register.filter(name="words")
def words_filter(value: Any) -> str:
    """``{"zh": …, "en": …}`` or a Text, said."""
    return told(value)


def _money() -> numbers.Money:
    return numbers.Money(settings.SITE.settings.currency)


def _known(value: Any) -> Any:
    """A template's unknown is an empty text: what hangs on a row that is not there."""
    return None if value == "" else value


@register.filter
def yuan(fen: int | None) -> str:
    """¥1,235: whole, in tables."""
    return _money().exact(_known(fen))


@register.filter
def yuan_exact(fen: int | None) -> str:
    """¥1,234.56."""
    return _money().exact(_known(fen), 2)


@register.filter
def yuan_short(fen: int | None) -> str:
    """3.11万元, ¥31.1K: in a sentence or on a card."""
    return str(_money().short(_known(fen))[language()])


@register.filter
def count(value: float | None) -> str:
    return numbers.count(_known(value))


@register.filter
def short(value: float | None) -> str:
    return str(numbers.short_count(_known(value))[language()])


@register.filter
def percent(share: float | None, places: int = 0) -> str:
    return numbers.percent(_known(share), places)


@register.filter
def change(share: Any) -> str:
    """▲ 3% or ▼ 3%: the arrow says it without colour; which colour grows is each person's setting."""
    if share is None or share == "":  # a template's unknown is an empty text
        return numbers.EMPTY
    arrow, way = ("▲", "grew") if share > 0 else ("▼", "fell") if share < 0 else ("■", "stayed")
    return format_html('<span class="{} nowrap">{} {}</span>', way, arrow, numbers.percent(abs(share), 0))


@register.filter
def day(value: dt.date | None) -> str:
    """2026-11-03, and nothing known is ``--``."""
    return value.isoformat() if value else numbers.EMPTY


@register.filter
def day_words(value: dt.date | None) -> str:
    """How far a day is from today, as one says it: 今天, 明天, 3 天后, 逾期 2 天."""
    if value is None:
        return numbers.EMPTY
    days = (value - clock.today()).days
    known = {0: ("今天", "today"), 1: ("明天", "tomorrow"), -1: ("昨天", "yesterday")}
    if days in known:
        return words.say(*known[days])
    if days < 0:
        return words.say("{n} 天前", "{n} days ago", n=-days)
    return words.say("{n} 天后", "in {n} days", n=days) if days < 60 else value.isoformat()


@register.filter
def weekday(value: dt.date) -> str:
    return words.say(*WEEKDAYS[value.weekday()])


@register.filter
def moment(value: dt.datetime | None) -> str:
    """2026-11-03 14:30, in the business zone and calendar."""
    if value is None:
        return numbers.EMPTY
    local = value.astimezone(dt.timezone(dt.timedelta(hours=8)))
    return f"{clock.day_of(value).isoformat()} {local:%H:%M}"


@register.filter
def month_words(value: str) -> str:
    """2026-10 as 2026年10月 in Chinese."""
    year, month = value.split("-")
    return words.say(f"{year}年{int(month)}月", value)


@register.filter
def empty(value: Any) -> Any:
    """``--`` for what is not known; zero is known."""
    return numbers.EMPTY if value is None or value == "" else value


@register.filter
def item(mapping: dict[Any, Any], key: Any) -> Any:
    return mapping.get(key)


@cache
def _icon(name: str) -> str:
    text = resources.files("keepline_web.frame").joinpath(f"icons/{name}.svg").read_text(encoding="utf-8")
    start = text.index(">", text.index("<svg")) + 1
    return text[start : text.rindex("</svg>")].strip()


@register.simple_tag
def icon(name: str) -> SafeString:
    """A drawing beside words; it says nothing of its own."""
    shell = '<svg class="icon" viewBox="0 0 24 24" aria-hidden="true">{}</svg>'
    return format_html(shell, mark_safe(_icon(name)))


@register.inclusion_tag("frame/parts/bars.html")
def bars(values: list[Bar], title: str, unit: str = "") -> dict[str, Any]:
    """A picture of a few numbers in a row, with the same numbers as a table behind it."""
    return {"picture": bars_of(values), "values": values, "title": title, "unit": unit}


@register.inclusion_tag("frame/parts/chart.html")
def chart(picture: dict[str, Any]) -> dict[str, Any]:
    """A chart with its finding, unit, source, and the same numbers as a table and a file."""
    return chart_of(picture)


@register.inclusion_tag("frame/parts/table.html")
def told_table(block: dict[str, Any]) -> dict[str, Any]:
    """A table of the report's with its title, source, note and file."""
    return table_of(block)


@register.inclusion_tag("frame/parts/tip.html")
def tip(name: str, zh: str, en: str) -> dict[str, Any]:
    """A short word for who is new here; whoever puts it away does not see it again in this browser."""
    return {"name": name, "said": words.say(zh, en)}


@register.filter
def near(page: Page[Any]) -> list[int]:
    """The numbers of pages around this one, the first and the last; 0 where some are left out."""
    numbers_of = page.paginator.get_elided_page_range(page.number, on_each_side=1, on_ends=1)
    return [n if isinstance(n, int) else 0 for n in numbers_of]


@register.simple_tag(takes_context=True)
def query(context: Any, **changes: Any) -> str:
    """The page's own filters with some changed, so that a link keeps the rest."""
    kept: QueryDict = context["request"].GET.copy()
    for name, value in changes.items():
        kept.pop(name, None)
        if value not in (None, ""):
            kept[name] = str(value)
    return "?" + kept.urlencode()


@register.simple_tag
def new_key() -> str:
    """A number for an entry, so that the same entry sent twice is there once."""
    return str(uuid.uuid4())


@register.filter
def in_yuan(fen: int) -> str:
    """An amount to be typed over: 69 or 69.50, without sign or separators."""
    return f"{fen // 100}.{fen % 100:02d}" if fen % 100 else str(fen // 100)


@register.filter
def less(value: int) -> int:
    """How much below nothing, said without the sign."""
    return -value


@register.filter
def text_of(value: Any) -> str:
    """Words of a policy: an object with ``zh`` and ``en``."""
    return words.say(value.zh, value.en)
