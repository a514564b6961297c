"""Sentences that more than one part of the report says the same way: what one more unit of a limit is worth."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from keepline.report.numbers import Money, decimal
from keepline.report.words import CHANNELS, Words, both, word

Limit = Mapping[str, Any]
KINDS = ("hours", "contacts", "money")  # told first where several bind: what a chief can act on
BINDING_SHARE = 0.995


def district(name: str | None) -> Words:
    return both(f"区县 {name} ", f"district {name}") if name else both("区县不详处", "no known district")


def binds(row: Limit) -> bool:
    return (row["shadow_price"] or 0) > 0


def hardest(rows: Sequence[Limit]) -> Limit | None:
    """The dearest limit of the kind that is told first."""
    for kind in KINDS:
        of_kind = [row for row in rows if row["kind"] == kind and binds(row)]
        if of_kind:
            return max(of_kind, key=lambda r: (r["shadow_price"], r["limit"]))
    return next((row for row in rows if binds(row)), None)


def worth(row: Limit, money: Money) -> tuple[Words, Words]:
    """The worth of one more unit: as a number, and as a sentence without its full stop."""
    if row["kind"] == "money":
        return _worth_of_money(row["shadow_price"], money)
    number = money.short(row["shadow_price"])
    if row["kind"] == "hours":
        where = district(row["of"])
        return number, both(
            f"{where['zh']}每多一个走访小时，值 {number['zh']}",
            f"One more visit hour in {where['en']} is worth {number['en']}",
        )
    name = word(CHANNELS, row["of"]) if row["kind"] == "contacts" else row["name"]
    return number, both(
        f"{name['zh']}每多一次触达，值 {number['zh']}", f"One more contact by {name['en']} is worth {number['en']}"
    )


def _worth_of_money(price: float, money: Money) -> tuple[Words, Words]:
    each, unit = decimal(price, 2), money.unit
    number = both(each + unit["zh"], money.symbol + each)
    return number, both(
        f"维系费用每多 1 {unit['zh']}，值 {each} {unit['zh']}",
        f"One more {unit['en']} of money is worth {money.symbol}{each}",
    )
