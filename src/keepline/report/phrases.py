"""Sentences that more than one part of the report says the same way: what more of a limit is worth."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from keepline.report.numbers import Money, count, decimal
from keepline.report.words import CHANNELS, Words, both, word

Limit = Mapping[str, Any]
SAID = ("区", "县", "市", "旗")


def district(name: str | None) -> Words:
    """A name that says what it is needs no word before it in Chinese."""
    if not name:
        return both("区县不详处", "no known district")
    return both(name if name.endswith(SAID) else f"区县 {name} ", f"district {name}")


def binds(row: Limit) -> bool:
    return (row["shadow_price"] or 0) > 0


def hardest(rows: Sequence[Limit]) -> Limit | None:
    """The limit that holds the plan back most: the worth of one more unit, times the units there are."""
    binding = [row for row in rows if binds(row)]
    return max(binding, key=lambda row: (_stake(row), row["limit"])) if binding else None


def dearest_first(rows: Sequence[Limit]) -> list[Limit]:
    """The limits that hold the plan back and of which there is some, the hardest first."""
    return sorted((row for row in rows if binds(row) and known(row)), key=lambda row: (-_stake(row), row["limit"]))


def known(row: Limit) -> bool:
    """What more of it would earn can be told: it has a price, and there is some of it."""
    return row["shadow_price"] is not None and bool(row["available"])


def in_words(row: Limit, money: Money) -> Words:
    """One limit without a full stop: what more of it earns, that more of it earns nothing, or that nobody knows."""
    if not known(row):
        name = row["name"]
        return both(f"{name['zh']}：多一些能多得多少，无从得知", f"What more of {name['en']} would earn cannot be told")
    if not binds(row):
        rest = left(row, money)
        return both(f"{rest['zh']}，多了也不会多得", f"More of {rest['en']} would earn nothing")
    said = worth(row, money)[1]
    if row.get("tenth_fen") is None:
        return said
    tenth = money.short(row["tenth_fen"])
    return both(
        f"{said['zh']}；多一成，至多多得 {tenth['zh']}", f"{said['en']}; a tenth more earns at most {tenth['en']}"
    )


def left(row: Limit, money: Money) -> Words:
    """A limit by name, with what is left of it where that is told."""
    name: Words = row["name"]
    if row["used"] is None or row["available"] is None:
        return name
    rest = row["available"] - row["used"]
    if not rest:
        return both(f"{name['zh']}（已用完）", f"{name['en']} (used up)")
    shown = money.exact(rest) if row["unit"] == "fen" else count(rest)
    return both(f"{name['zh']}（尚余 {shown}）", f"{name['en']} ({shown} left)")


def _stake(row: Limit) -> float:
    units = (row["available"] or 0) / (60 if row["kind"] in ("hours", "manager") else 1)
    return float(row["shadow_price"] * units)


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
    if row["kind"] == "manager":
        return number, both(
            f"客户经理 {row['of']} 每多一个走访小时，值 {number['zh']}",
            f"One more visit hour of manager {row['of']} is worth {number['en']}",
        )
    name = word(CHANNELS, row["of"]) if row["kind"] == "channel" else row["name"]
    return number, both(
        f"{name['zh']}每多一次触达，值 {number['zh']}", f"One more contact by {name['en']} is worth {number['en']}"
    )


def _worth_of_money(price: float, money: Money) -> tuple[Words, Words]:
    each, unit = decimal(price, 2), money.unit
    number = both(each + unit["zh"], money.symbol + each)
    return number, both(
        f"维系费用每多 1 {unit['zh']}，收回之外还值 {each} {unit['zh']}",
        f"One more {unit['en']} of money is worth {money.symbol}{each} beyond itself",
    )


def ends(row: Mapping[str, Any], money: Money, *, name: str = "gain") -> Words:
    """The interval in a sentence, where there is one."""
    low, high = row.get(f"{name}_low_fen"), row.get(f"{name}_high_fen")
    if low is None or high is None:
        return both("", "")
    told = money.short(low), money.short(high)
    return both(
        f"（90% 区间 {told[0]['zh']} 至 {told[1]['zh']}）", f" (90% interval {told[0]['en']} to {told[1]['en']})"
    )
