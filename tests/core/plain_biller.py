"""A biller as slow and plain as it can be: one customer after the other, fractions of fen, no array and no bound.

Written from docs/mechanisms/tariffs.md alone; it takes a tariff as a dictionary, as TOML gives it, and shares no line
with the one it judges.
"""

from __future__ import annotations

import math
from fractions import Fraction
from typing import Any

Tariff = dict[str, Any]
Customer = dict[str, Any]


def bills(tariff: Tariff, customers: list[Customer]) -> dict[int, int | None]:
    """The month of each customer under the tariff in fen, None where it cannot be billed."""
    by_line = any(c.get("included_line") or c.get("cap_line_fen") for c in tariff.get("charge", []))
    billed = {"mobile", "broadband", "tv", "fixed", "iot", "circuit", "other"}
    own = {tariff.get("line", "mobile")} | {fee["product"] for fee in tariff.get("fee", [])}
    recurring = "recurring" in tariff.get("replaces", ["recurring", "overage"])
    keeps = recurring and tariff.get("keeps_other_products", True) and own != billed
    needs_lines = bool(keeps or by_line or tariff.get("fee") or tariff.get("bundle"))
    made: dict[int, int | None] = {}
    for customer in customers:
        if needs_lines and not customer[tariff.get("line", "mobile")]:
            made[customer["customer_id"]] = None
            continue
        group = [
            other
            for other in customers
            if other["group_id"] == customer["group_id"]
            and (not needs_lines or other[tariff.get("line", "mobile")] > 0)
        ]
        made[customer["customer_id"]] = _bill(tariff, customer, group, keeps)
    return made


def _bill(tariff: Tariff, customer: Customer, group: list[Customer], keeps: bool) -> int | None:
    if keeps and customer["kept_fen"] is None:
        return None
    total = _fees(tariff, customer)
    for charge in tariff.get("charge", []):
        who = group if charge.get("shared") == "organisation" else [customer]
        if any(other[charge["use"]] is None or other[charge["use"]] < 0 for other in who):
            return None
        total += _part(tariff, charge, customer, who)
    total = max(total, tariff.get("least_fen", 0))
    step = tariff.get("bill_step_fen", 1)
    month = step * _round(Fraction(total, step), tariff.get("bill_rounding", "half_up"))
    today = customer["today_fen"] - customer["replaced_fen"]
    return today + month + (customer["kept_fen"] if keeps else 0)


def _fees(tariff: Tariff, customer: Customer) -> int:
    total = tariff.get("base_fen", 0)
    for fee in tariff.get("fee", []):
        for line in range(customer[fee["product"]]):
            if line >= fee.get("included", 0):
                total += fee["fen"]
    for bundle in tariff.get("bundle", []):
        if all(customer[product] for product in bundle["products"]):
            total -= bundle["off_fen"]
    return max(total, 0)


def _part(tariff: Tariff, charge: dict[str, Any], customer: Customer, who: list[Customer]) -> int:
    """What the customer pays of a charge that those of ``who`` share."""
    all_use = sum(other[charge["use"]] for other in who)
    whole = _charge(charge, all_use, len(who), sum(other[tariff.get("line", "mobile")] for other in who))
    before = 0
    for other in sorted(who, key=lambda each: int(each["customer_id"])):
        after = before + other[charge["use"]]
        if other is customer:
            if len(who) == 1 or not all_use:
                return whole
            return math.floor(Fraction(whole * after, all_use)) - math.floor(Fraction(whole * before, all_use))
        before = after
    raise AssertionError("the customer is among those who share")


def _charge(charge: dict[str, Any], use: int, customers: int, lines: int) -> int:
    step = charge.get("step", 1)
    counted = step * math.ceil(Fraction(use, step))
    left = counted - charge.get("included", 0) * customers - charge.get("included_line", 0) * lines
    price = Fraction(0)
    if left > 0 and charge.get("tiering", "part") == "whole":
        reached = [tier for tier in charge["tiers"] if tier.get("above", 0) < left]
        price = Fraction(reached[-1]["fen"] * left, charge.get("per", 1))
    elif left > 0:
        for tier in reversed(charge["tiers"]):
            if left > tier.get("above", 0):
                price += Fraction(tier["fen"] * (left - tier.get("above", 0)), charge.get("per", 1))
                left = tier.get("above", 0)
    fen = _round(price, charge.get("rounding", "half_up"))
    if "cap_fen" in charge or "cap_line_fen" in charge:
        fen = min(fen, charge.get("cap_fen", 0) * customers + charge.get("cap_line_fen", 0) * lines)
    return fen


def _round(value: Fraction, rule: str) -> int:
    if rule == "up":
        return math.ceil(value)
    return math.floor(value + Fraction(1, 2)) if rule == "half_up" else math.floor(value)
