"""How concentrated an amount is over customers (K2): the Pareto curve, its Gini coefficient, and value bands."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

from keepline.report.tally import Row

TOPS = (0.01, 0.05, 0.10, 0.20, 0.50)
STEPS = 100  # points of the curve
FEWEST = 5  # customers between two points, so that no point tells of one customer
BANDS = (("top", 0.2), ("next", 0.5))


def concentration(measure: str, spread: list[Row]) -> dict[str, Any]:
    """The curve of cumulated shares, richest customers first.

    ``spread`` holds steps of the amount; customers within a step count as equal. Customers
    whose amount is unknown are left out and counted. Gini is 2·area − 1 of the curve from the
    richest down, 0 when all bring the same and towards 1 when few bring everything.
    """
    known = sorted((r for r in spread if r["step_fen"] is not None), key=lambda r: -r["step_fen"])
    customers = sum(row["customers"] for row in known)
    amount = sum(row["amount_fen"] for row in known)
    unknown = sum(row["customers"] for row in spread if row["step_fen"] is None)
    said = {"measure": measure, "customers": customers, "unknown": unknown, "total_fen": amount if known else None}
    if amount <= 0 or customers < FEWEST:
        return said | {"gini": None, "tops": [], "points": []}
    curve = _curve(known, customers, amount)
    tops = [{"share": share, "of": _at(curve, share)} for share in TOPS if share * customers >= FEWEST]
    points = [[x, _at(curve, x)] for x in _places(customers)]
    return said | {"gini": round(2 * _area(curve) - 1, 4), "tops": tops, "points": points}


def _curve(known: list[Row], customers: int, amount: int) -> list[tuple[float, float]]:
    curve, people, money = [(0.0, 0.0)], 0, 0
    for row in known:
        people, money = people + row["customers"], money + row["amount_fen"]
        curve.append((people / customers, money / amount))
    return curve


def _places(customers: int) -> list[float]:
    steps = min(STEPS, customers // FEWEST)
    return [round(i / steps, 6) for i in range(steps + 1)]


def _at(curve: list[tuple[float, float]], x: float) -> float:
    """The curve between its corners is straight."""
    for (x0, y0), (x1, y1) in pairwise(curve):
        if x <= x1:
            return round(y0 + (y1 - y0) * (x - x0) / (x1 - x0), 6)
    return 1.0


def _area(curve: list[tuple[float, float]]) -> float:
    return sum((x1 - x0) * (y0 + y1) / 2 for (x0, y0), (x1, y1) in pairwise(curve))


def value_bands(spread: list[Row]) -> dict[str, int]:
    """From which value on a customer is among the top 20 %, and among the next 30 %, in fen."""
    known = sorted((r for r in spread if r["step_fen"] is not None), key=lambda r: -r["step_fen"])
    customers = sum(row["customers"] for row in known)
    return {band: _threshold(known, share * customers) for band, share in BANDS}


def _threshold(known: list[Row], wanted: float) -> int:
    seen, last = 0, 1
    for row in known:
        seen += row["customers"]
        if seen > wanted + 0.5:
            return last
        last = row["step_fen"]
    return last
