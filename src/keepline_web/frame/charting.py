"""Charts: a picture as the core's report shapes it, with the same numbers as a table that needs no script."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from django.conf import settings

from keepline.front import numbers
from keepline_web.frame.words import Text, told

Words = Text | Mapping[str, str]
FORMULA = ("=", "+", "-", "@")  # what a spreadsheet would take for one
KINDS = {"number": "right", "text long": "long"}  # of columns, and the class of their cells
DRAWN = ("id", "kind", "title", "unit", "height", "data")


@dataclass(frozen=True)
class Series:
    """One row of values, drawn as bars or as a line."""

    name: Text
    values: Sequence[float | None]
    line: bool = False


def both(words: Words) -> dict[str, str]:
    return {"zh": words.zh, "en": words.en} if isinstance(words, Text) else dict(words)


def month_by_month(
    name: str,
    *,
    title: Words,
    unit: Words,
    source: Words,
    months: Sequence[str],
    series: Sequence[Series],
    say: Any,
    form: str = "count",
    limit: float | None = None,
    hrefs: Sequence[str] = (),
) -> dict[str, Any]:
    """A picture over months; ``say`` writes a value in the table, ``hrefs`` lead from a month to its list."""
    rows = [[month, *(say(one.values[at]) for one in series)] for at, month in enumerate(months)]
    drawn = [{"name": both(one.name), "values": list(one.values), "line": one.line} for one in series]
    data = {"names": [{"zh": m, "en": m} for m in months], "format": form, "series": drawn, "hrefs": list(hrefs)}
    columns = [{"name": {"zh": "账期", "en": "month"}, "kind": "text"}]
    columns += [{"name": both(one.name), "kind": "number"} for one in series]
    return {
        "id": name, "kind": "months", "title": both(title), "unit": both(unit), "source": both(source),
        "data": data | ({"limit": limit} if limit is not None else {}), "columns": columns, "rows": rows,
        "height": 220, "note": None, "hrefs": list(hrefs),
    }  # fmt: skip


def chart_of(picture: Mapping[str, Any]) -> dict[str, Any]:
    """What the template is given: the table with its ways, the file, and what the script draws."""
    money = numbers.Money(settings.SITE.settings.currency)
    drawn = {key: picture[key] for key in DRAWN} | {"money": {"symbol": money.symbol, "unit": money.unit["zh"]}}
    return {"drawn": json.dumps(drawn, ensure_ascii=False)} | table_of(picture)


def table_of(picture: Mapping[str, Any]) -> dict[str, Any]:
    """The table of a picture, or one that is no picture, with its ways and its file."""
    ways = list(picture.get("hrefs") or [])
    rows = [[_cell(cell) for cell in row] for row in picture["rows"]]
    columns = [(_cell(column["name"]), KINDS.get(column["kind"], "")) for column in picture["columns"]]
    table = [
        (ways[at] if at < len(ways) else "", [(cell, columns[i][1]) for i, cell in enumerate(row)])
        for at, row in enumerate(rows)
    ]
    return {"picture": picture, "columns": columns, "table": table, "file": _file([name for name, _ in columns], rows)}


def _cell(cell: Any) -> str:
    return told(cell) if isinstance(cell, Mapping | Text) else str(cell)


def _file(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """The table as a file inside the page's own link, so that no address and no script is needed."""
    written = io.StringIO()
    writer = csv.writer(written)
    writer.writerows([[_plain(cell) for cell in row] for row in (head, *rows)])
    return "data:text/csv;charset=utf-8," + quote("\ufeff" + written.getvalue())


def _plain(cell: str) -> str:
    """No formula; a negative number is none."""
    number = cell.lstrip("-").replace(",", "").replace(".", "").replace("%", "").isdigit()
    return "'" + cell if cell.startswith(FORMULA) and not number else cell
