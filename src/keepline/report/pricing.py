"""How many customers answer strongly, hardly or unknowably to price, as far as their whole interval says it."""

from __future__ import annotations

from typing import Any

from sqlglot import exp

from keepline.report.tally import Row, Shelf
from keepline.vocabulary import PRICE_STRONG, PRICE_WEAK

STRENGTHS = ("strong", "middling", "weak", "unsure", "unknown")


def price_figures(shelf: Shelf, quotes: dict[str, Any] | None) -> dict[str, Any] | None:
    """Counts by strength with the quotes they were learnt from; None where nobody was quoted a price."""
    if not quotes or not shelf.has("price_sensitivity"):
        return None
    rows = shelf.sums(_query(), ["price_sensitivity"], ("strength",))
    found = {row["strength"]: row["customers"] for row in rows}
    whole = sum(found.values()) or 1
    return {"quotes": quotes, "rows": [_row(name, found.get(name, 0), whole) for name in STRENGTHS]}


def _row(name: str, customers: int, whole: int) -> Row:
    return {"strength": name, "customers": customers, "share": round(customers / whole, 6)}


def _query() -> exp.Select:
    low, high = exp.column("low"), exp.column("high")
    strong, weak = exp.Literal.number(str(PRICE_STRONG)), exp.Literal.number(str(PRICE_WEAK))
    strength = (
        exp.case()
        .when(exp.column("elasticity").is_(exp.null()), _text("unknown"))
        .when(high < strong, _text("strong"))
        .when(low > weak, _text("weak"))
        .when(high.copy() < weak.copy(), _text("middling"))
        .else_(_text("unsure"))
    )
    inner = exp.select(exp.alias_(strength, "strength")).from_("price_sensitivity")
    count = exp.alias_(exp.Count(this=exp.Star()), "customers")
    return exp.select("strength", count).from_(inner.subquery("told")).group_by("strength")


def _text(word: str) -> exp.Expr:
    return exp.Literal.string(word)
