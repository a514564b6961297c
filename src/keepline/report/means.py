"""The plan by district, manager and offer, and our means: how much is used and what one more unit is worth."""

from __future__ import annotations

from typing import Any

from keepline.policy.documents import Offer, Policy
from keepline.report.past import offer_name
from keepline.report.tally import Row, Shelf, group, model, total
from keepline.report.words import both

SUMS = ("customers", "gain_fen", "cost_fen", "minutes")


def plan_figures(shelf: Shelf, *, policy: Policy, summary: dict[str, Any]) -> dict[str, Any]:
    """Treated customers alone, except the number held out of each offer."""
    catalogue = {offer.id: offer for offer in policy.offers.offer}
    rows = shelf.sums(model("plan").query, ["decisions", "features"], ("district", "manager_id", "offer_id", "channel"))
    for row in rows:
        row["minutes"] = row["customers"] * _minutes(catalogue.get(row["offer_id"]))
    managers = _managers(shelf, rows, _available(summary))
    bounds = {key: summary.get(key) for key in ("dual_value_fen", "primal_value_fen", "gap_share")}
    return bounds | {
        "customers": total(rows, "customers") or 0,
        "gain_fen": total(rows, "gain_fen"),
        "cost_fen": total(rows, "cost_fen"),
        "districts": _districts(rows, managers),
        "managers": managers,
        "offers": _offers(shelf, rows, policy, summary),
    }


def _minutes(offer: Offer | None) -> int:
    return offer.manager_minutes if offer else 0


def _available(summary: dict[str, Any]) -> dict[str, int]:
    limits = (_limit(row) for row in summary.get("limits") or [])
    return {row["of"]: row["available"] for row in limits if row["kind"] == "manager"}


def _managers(shelf: Shelf, rows: list[Row], available: dict[str, int]) -> list[Row]:
    """Every manager with customers of the base or a limit, and the district most of their customers are in."""
    homes = _homes(shelf)
    planned = {row["manager_id"]: row for row in group(rows, ("manager_id",), SUMS)}
    unmanaged = [None] if None in planned else []
    ids = sorted({*homes, *available, *(m for m in planned if m is not None)})
    nothing = {"customers": 0, "gain_fen": 0, "cost_fen": 0, "minutes": 0}
    return [
        {"manager_id": m, "district": homes.get(m), "available": available.get(m)}
        | {key: planned.get(m, nothing)[key] for key in SUMS}
        for m in [*ids, *unmanaged]
    ]


def _homes(shelf: Shelf) -> dict[str, str | None]:
    rows = shelf.sums(model("managers").query, ["features"], ("manager_id", "district"))
    rows.sort(key=lambda r: (r["district"] is None, -r["customers"], r["district"] or ""))
    homes: dict[str, str | None] = {}
    for row in rows:
        homes.setdefault(row["manager_id"], row["district"])
    return homes


def _districts(rows: list[Row], managers: list[Row]) -> list[Row]:
    """By the customer's district; minutes available are those of the managers at home there."""
    found = group(rows, ("district",), SUMS)
    for row in found:
        at_home = [m for m in managers if m["manager_id"] is not None and m["district"] == row["district"]]
        row["managers"] = len(at_home)
        row["available"] = total(at_home, "available")
    return found


def _offers(shelf: Shelf, rows: list[Row], policy: Policy, summary: dict[str, Any]) -> list[Row]:
    arms = shelf.sums(model("arms").query, ["assignments"], ("offer_id", "arm")) if shelf.has("assignments") else None
    catalogue = {offer.id: offer for offer in policy.offers.offer}
    assumed = {row["offer_id"]: row.get("assumed") for row in summary.get("offers") or []}
    found = []
    for row in group(rows, ("offer_id", "channel"), SUMS):
        offer = catalogue.get(row["offer_id"])
        stated = offer.effect.source == "assumed" if offer else None
        found.append(
            row
            | {
                "name": offer_name(policy.offers, row["offer_id"]),
                "purpose": offer.purpose if offer else None,
                "assumed": assumed.get(row["offer_id"], stated),
                "held_out": _held_out(arms, row["offer_id"]),
            }
        )
    return sorted(found, key=lambda r: (-r["gain_fen"], r["offer_id"]))


def _held_out(arms: list[Row] | None, offer_id: str) -> int | None:
    if arms is None:
        return None
    return sum(row["customers"] for row in arms if row["offer_id"] == offer_id and row["arm"] == "held_out")


def limit_figures(summary: dict[str, Any]) -> list[Row]:
    """Money first, then channels, then managers; within a kind the dearest first."""
    order = {"money": 0, "channel": 1, "manager": 2}
    rows = [_limit(row) for row in summary.get("limits") or []]
    return sorted(rows, key=lambda r: (order.get(r["kind"], 3), -(r["shadow_price"] or 0), r["limit"]))


def _limit(row: Row) -> Row:
    """``channel:sms`` and ``manager:M01`` tell their kind and whose it is; ``money`` stands alone."""
    kind, _, of = str(row["limit"]).partition(":")
    available, used = row.get("available"), row.get("used")
    return {
        "limit": row["limit"],
        "kind": "manager" if kind.startswith("manager") else kind,
        "of": of,
        "unit": row.get("unit"),
        "available": available,
        "used": used,
        "share": round(used / available, 6) if available and used is not None else None,
        "shadow_price": row.get("shadow_price"),
        "name": both(row.get("zh") or row["limit"], row.get("en") or row["limit"]),
    }
