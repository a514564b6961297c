"""Customers, value and risk by their part in the calling graph: figures of one section."""

from __future__ import annotations

from typing import Any

from keepline.report.tally import Row, Shelf, model

PARTS = ("leader", "gatekeeper", "member", "outside")
AT_RISK = ("high", "medium")


def circle_figures(shelf: Shelf, said: dict[str, Any] | None) -> dict[str, Any] | None:
    """Customers, value and risk by part in a circle; None where the operator brings no calling graph."""
    if not said:
        return None
    if said["abstains"]:
        return said
    rows = shelf.sums(model("circles").query, ["circles", "scores"], ("part", "risk_band"))
    return said | {"parts": [_part(name, rows) for name in PARTS]}


def _part(name: str, rows: list[Row]) -> Row:
    mine = [row for row in rows if row["part"] == name]
    risky = [row for row in mine if row["risk_band"] in AT_RISK]
    return {
        "part": name,
        "customers": _sum(mine, "customers"),
        "value_fen": _sum(mine, "value_fen"),
        "brought": _sum(mine, "brought"),
        "at_risk": _sum(risky, "customers"),
        "risk_value_fen": _sum(risky, "value_fen"),
        "risk_around": _sum(risky, "around"),
    }


def _sum(rows: list[Row], name: str) -> int | None:
    """Nothing of nobody is none; the unknown of somebody stays unknown."""
    known = [row[name] for row in rows if row[name] is not None]
    return sum(known) if known or not rows else None
