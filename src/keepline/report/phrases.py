"""Sentences that more than one part of the report says the same way: what one more unit of a limit is worth."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from keepline.report.numbers import Money, decimal
from keepline.report.words import CHANNELS, Words, both, word


def place(district: str | None) -> Words:
    return both("未登记区县", "no district recorded") if district is None else both(district, f"district {district}")


def worth(row: Mapping[str, Any], money: Money, *, homes: Mapping[str, str | None]) -> tuple[Words, Words]:
    """The worth of one more unit, as a number and as a sentence; managers' minutes are told by the hour."""
    price = row["shadow_price"]
    if row["kind"] == "money":
        return _worth_of_money(price, money)
    if row["kind"] == "manager":
        return _worth_of_hour(row, money, homes)
    number = money.short(price)
    name = word(CHANNELS, row["of"]) if row["kind"] == "channel" else row["name"]
    return number, both(
        f"{name['zh']}渠道再多触达一户，可多得 {number['zh']}。",
        f"One more contact by {name['en']} is worth {number['en']}.",
    )


def _worth_of_money(price: float, money: Money) -> tuple[Words, Words]:
    each = decimal(price, 2)
    unit = money.unit
    number = both(each + unit["zh"], money.symbol + each)
    return number, both(
        f"维系费用每多一{unit['zh']}，可多得 {each} {unit['zh']}。",
        f"One more {unit['en']} of budget is worth {money.symbol}{each}.",
    )


def _worth_of_hour(row: Mapping[str, Any], money: Money, homes: Mapping[str, str | None]) -> tuple[Words, Words]:
    number = money.short(row["shadow_price"] * (60 if row["unit"] in ("minutes", "minute", "min") else 1))
    district = homes.get(row["of"])
    zh = f"{district}的客户经理 {row['of']} " if district else f"客户经理 {row['of']} "
    en = f"manager {row['of']} in {place(district)['en']}" if district else f"manager {row['of']}"
    return number, both(f"{zh}每多一小时，可多得 {number['zh']}。", f"One more hour of {en} is worth {number['en']}.")
