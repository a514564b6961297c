"""The drivers of loyalty over the base, and how they stand with the loyal and the wavering."""

from __future__ import annotations

from typing import Any

from sqlglot import exp

from keepline.policy.drivers import DRIVERS as NAMES
from keepline.report.tally import Row, Shelf

GROUPS = ("loyal", "wavering")


def driver_figures(shelf: Shelf) -> list[Row]:
    """One row a driver: mean of those it is known of, in the base and by loyalty, and the share of evidence known."""
    if not shelf.has("drivers"):
        return []
    sums: list[exp.Expr] = [exp.alias_(exp.Count(this=exp.Star()), "customers")]
    for name in NAMES:
        sums += [
            exp.alias_(exp.Sum(this=exp.column(name, table="drivers")), name),
            exp.alias_(exp.Count(this=exp.column(name, table="drivers")), f"{name}_of"),
            exp.alias_(exp.Sum(this=exp.column(f"{name}_known", table="drivers")), f"{name}_known"),
        ]
    same = exp.EQ(this=exp.column("customer_id", table="drivers"), expression=exp.column("customer_id", table="scores"))
    query = exp.select("loyalty", *sums).from_("drivers").join("scores", on=same).group_by("loyalty")
    rows = shelf.sums(query, ["drivers", "scores"], ("loyalty",))
    return [_driver(name, rows) for name in NAMES]


def _driver(name: str, rows: list[Row]) -> Row:
    customers = sum(row["customers"] for row in rows)
    told: dict[str, Any] = {"driver": name, "mean": _mean(name, rows)}
    told |= {group: _mean(name, [row for row in rows if row["loyalty"] == group]) for group in GROUPS}
    return told | {"known": sum(row[f"{name}_known"] or 0 for row in rows) / customers if customers else 0.0}


def _mean(name: str, rows: list[Row]) -> float | None:
    of = sum(row[f"{name}_of"] for row in rows)
    return sum(row[name] or 0.0 for row in rows) / of if of else None
