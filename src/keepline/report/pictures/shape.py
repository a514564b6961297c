"""The shape of what a section is made of: pictures, tables and notes, as plain values the page and its script read."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from keepline.periods import in_chinese
from keepline.report.words import Words, both
from keepline.tables import TABLES

Block = dict[str, Any]
Cell = str | Words
NUMBER, TEXT, LONG = "number", "text", "text long"  # classes of the page's style sheet


def column(zh: str, en: str, kind: str = NUMBER) -> Block:
    return {"name": both(zh, en), "kind": kind}


def picture(
    name: str,
    kind: str,
    *,
    title: Words,
    unit: Words,
    source: Words,
    data: Any,
    columns: Sequence[Block],
    rows: Sequence[Sequence[Cell]],
    height: int = 320,
    note: Words | None = None,
) -> Block:
    """A picture with the table behind it; ``data`` is what the script draws."""
    return {
        "type": "picture",
        "id": name,
        "kind": kind,
        "title": title,
        "unit": unit,
        "source": source,
        "data": data,
        "columns": list(columns),
        "rows": list(rows),
        "height": height,
        "note": note,
    }


def table(
    name: str,
    *,
    title: Words,
    columns: Sequence[Block],
    rows: Sequence[Sequence[Cell]],
    source: Words | None = None,
    note: Words | None = None,
    folded: bool = False,
) -> Block:
    kind = "folded" if folded else "table"
    return {
        "type": kind,
        "id": name,
        "title": title,
        "columns": list(columns),
        "rows": list(rows),
        "source": source,
        "note": note,
    }


NOT_TABLES = {"plan": both("分配结果", "allocation"), "model_card": both("模型卡", "model card")}


def source(tables: str, figures: dict[str, Any]) -> Words:
    """Where a picture's numbers come from, and of which month; ``tables`` as in ``scores, bills``."""
    names = [name.strip() for name in tables.split(",")]
    zh = "、".join(NOT_TABLES[n]["zh"] if n in NOT_TABLES else f"{TABLES[n].zh} {n}" for n in names)
    en = ", ".join(NOT_TABLES[n]["en"] if n in NOT_TABLES else n for n in names)
    month = figures["head"]["month"]
    return both(f"来源：{zh}；账期 {in_chinese(month)}", f"Source: {en}; month {month}")


def note(zh: str, en: str) -> Block:
    """A plain paragraph, most often why there is nothing to show."""
    return {"type": "note", "text": both(zh, en)}


def caution(zh: str, en: str) -> Block:
    """A paragraph nobody should miss."""
    return {"type": "caution", "text": both(zh, en)}


def pair(picture_block: Block, other: Block) -> Block:
    """Two blocks side by side where there is room."""
    return {"type": "pair", "blocks": [picture_block, other]}


def section(name: str, zh: str, en: str, *, lead: Words | None, blocks: Sequence[Block]) -> Block:
    return {"id": name, "title": both(zh, en), "lead": lead, "blocks": list(blocks)}


def months(number: int) -> Words:
    return both(f"{number} 个月", "1 month" if number == 1 else f"{number} months")
