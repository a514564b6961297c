"""Random tariffs and customers: everything a tariff's file can say, and months that lie on its borders."""

from __future__ import annotations

import random
from typing import Any

import pyarrow as pa

from keepline.policy.tariff import PRODUCTS, Tariff
from keepline.tables import METERED, POOLED

USES = {"voice": 30_000, "voice_in": 30_000, "roaming": 900, "data": 80_000_000, "sms": 300}
APART = {"voice_onnet": 15_000, "voice_offnet": 15_000}
STEPS = (1, 1, 6, 60, 1024, 1_048_576)
ROUNDINGS = ("half_up", "up", "down")
Row = dict[str, Any]


def random_tariff(dice: random.Random) -> dict[str, Any]:
    """A tariff as TOML gives it; what is left out has its default."""
    uses = {name: most for name, most in USES.items() if dice.random() < 0.5}
    if "voice" not in uses and dice.random() < 0.5:
        uses |= APART
    made: dict[str, Any] = {
        "version": "1",
        "valid_from": "2026-01-01",
        "id": "random",
        "name": {"zh": "随机", "en": "random"},
        "base_fen": dice.choice([1, 990, 9900, 13_999]),
        "charge": [_charge(dice, use, most) for use, most in uses.items()],
    }
    fees = dice.sample(PRODUCTS, dice.randrange(4))
    made["fee"] = [{"product": p, "fen": dice.randrange(9000), "included": dice.randrange(3)} for p in fees]
    if dice.random() < 0.4:
        made["bundle"] = [{"products": dice.sample(PRODUCTS, 2), "off_fen": dice.choice([500, 3000, 90_000])}]
    for name, values in (
        ("least_fen", [0, 5000, 20_000]),
        ("bill_step_fen", [1, 5, 10, 100]),
        ("bill_rounding", ROUNDINGS),
        ("keeps_other_products", [True, False]),
        ("line", ["mobile", "mobile", "broadband"]),
        ("replaces", [["recurring", "overage"], ["overage"], ["recurring", "overage", "topup", "roaming"]]),
    ):
        if dice.random() < 0.5:
            made[name] = dice.choice(values)  # type: ignore[arg-type]
    return made


def _charge(dice: random.Random, use: str, most: int) -> dict[str, Any]:
    step = dice.choice(STEPS)
    starts = [0, *sorted(dice.sample(range(1, most), dice.randrange(3)))]
    made: dict[str, Any] = {
        "use": use,
        "per": dice.choice([1, 3, step, 60, 1000, 1_048_576]),
        "tiers": [{"above": above, "fen": dice.choice([0, 1, 7, 15, 300, 999])} for above in starts],
        "tiering": dice.choice(["part", "part", "whole"]),
        "rounding": dice.choice(ROUNDINGS),
    }
    if use in ("voice", "data", "sms") and dice.random() < 0.4:
        made["shared"] = "organisation"
    for name, value in (
        ("step", step),
        ("included", dice.randrange(most)),
        ("included_line", dice.randrange(most // 4)),
        ("cap_fen", dice.choice([0, 100, 6000])),
        ("cap_line_fen", dice.choice([0, 500, 3000])),
    ):
        if dice.random() < 0.5:
            made[name] = value
    return made


def tariff_of(said: dict[str, Any]) -> Tariff:
    return Tariff.model_validate(said)


def random_customers(dice: random.Random, count: int, said: dict[str, Any]) -> list[Row]:
    """Months of customers, many on the borders of the tariff: at an allowance, a tier, a half fen, or unknown."""
    made = []
    for number in sorted(dice.sample(range(1, 1 << 61), count)):
        row: Row = {"customer_id": number, "month": "2026-10", "group_id": dice.choice([1, 2, number])}
        row |= {product: dice.choice([0, 0, 1, 1, 2, 5]) for product in PRODUCTS}
        row["today_fen"] = dice.randrange(-500, 60_000)
        row["replaced_fen"] = dice.randrange(30_000)
        row["kept_fen"] = None if dice.random() < 0.03 else dice.randrange(20_000)
        for use, most in (USES | APART).items():
            row[use] = None if dice.random() < 0.01 else _used(dice, use, most, said)
        made.append(row)
    return made


def _used(dice: random.Random, use: str, most: int, said: dict[str, Any]) -> int:
    charge = next((c for c in said["charge"] if c["use"] == use), None)
    if charge is None or dice.random() < 0.5:
        return dice.randrange(2 * most)
    border = charge.get("included", 0) + dice.choice(charge["tiers"])["above"]
    return max(0, border + dice.choice([-1, 0, 1, charge.get("step", 1), charge["per"]]))


def batch_of(said: dict[str, Any], rows: list[Row]) -> pa.RecordBatch:
    """The rows as a stage gets them, with the sums of those who share; Python adds them up here, SQL elsewhere."""
    tariff = tariff_of(said)
    table = POOLED if tariff.pooled else METERED
    full = [row | _shared(tariff, row, rows) for row in rows]
    return pa.RecordBatch.from_pylist([{name: row.get(name) for name in table.names} for row in full], table.arrow)


def _shared(tariff: Tariff, row: Row, rows: list[Row]) -> Row:
    moved = row[tariff.line] > 0 or not tariff.needs_lines
    mine = [
        o for o in rows if o["group_id"] == row["group_id"] and moved == (o[tariff.line] > 0 or not tariff.needs_lines)
    ]
    made: Row = {"members": len(mine), "all_lines": sum(o[tariff.line] for o in mine)}
    for use in ("voice", "data", "sms"):
        known = all(o[use] is not None for o in mine)
        made[f"all_{use}"] = sum(o[use] for o in mine) if known else None
        upto = [o[use] or 0 for o in mine if o["customer_id"] <= row["customer_id"]]
        made[f"upto_{use}"] = sum(upto)
    return made
