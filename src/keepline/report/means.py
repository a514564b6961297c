"""The plan by district, manager and offer, and our means: how much is used and what one more unit is worth."""

from __future__ import annotations

from typing import Any

from keepline.policy.documents import Offer, Policy
from keepline.report.expected import UNKNOWN, offer_ends, plan_ends
from keepline.report.past import offer_name
from keepline.report.tally import Row, Shelf, group, model, total
from keepline.report.words import both

SUMS = ("customers", "gain_fen", "cost_fen", "minutes")
NOTHING = {"customers": 0, "gain_fen": 0, "cost_fen": 0, "minutes": 0}
ORDER = {"money": 0, "channel": 1, "hours": 2, "manager": 2}
TOLD = ("dual_value_fen", "primal_value_fen", "gap_share", "comparison", "held_out")


def plan_figures(shelf: Shelf, *, policy: Policy, summary: dict[str, Any]) -> dict[str, Any]:
    """Sums over treated customers, with the minutes and bounds that the allocation reported."""
    catalogue = {offer.id: offer for offer in policy.offers.offer}
    rows = shelf.sums(model("plan").query, ["decisions", "features"], ("district", "manager_id", "offer_id", "channel"))
    for row in rows:
        row["minutes"] = row["customers"] * _minutes(catalogue.get(row["offer_id"]))
    told = {key: summary.get(key) for key in TOLD}
    offers = _offers(shelf, rows, policy, summary)
    return (
        told
        | plan_ends(offers, policy)
        | {
            "customers": total(rows, "customers") or 0,
            "gain_fen": total(rows, "gain_fen"),
            "cost_fen": total(rows, "cost_fen"),
            "districts": _districts(rows, summary),
            "managers": _managers(shelf, rows, summary),
            "offers": offers,
        }
    )


def _minutes(offer: Offer | None) -> int:
    return offer.manager_minutes if offer else 0


def _managers(shelf: Shelf, rows: list[Row], summary: dict[str, Any]) -> list[Row]:
    """Every manager of the base, of the plan or of the operator's list, with their minutes."""
    homes, listed = _homes(shelf), {row["manager_id"]: row for row in summary.get("by_manager") or []}
    planned = {row["manager_id"]: row for row in group(rows, ("manager_id",), SUMS)}
    ids = sorted({*homes, *listed, *planned} - {None}) + ([None] if None in planned else [])
    return [
        {
            "manager_id": who,
            "district": listed.get(who, {}).get("district") or homes.get(who),
            "available": listed.get(who, {}).get("minutes_available"),
            "hour_fen": listed.get(who, {}).get("shadow_price_hour_fen"),
        }
        | {key: planned.get(who, NOTHING)[key] for key in SUMS}
        for who in ids
    ]


def _homes(shelf: Shelf) -> dict[str, str | None]:
    """The district in which most of a manager's customers are."""
    rows = shelf.sums(model("managers").query, ["features"], ("manager_id", "district"))
    rows.sort(key=lambda r: (r["district"] is None, -r["customers"], r["district"] or ""))
    homes: dict[str, str | None] = {}
    for row in rows:
        homes.setdefault(row["manager_id"], row["district"])
    return homes


def _districts(rows: list[Row], summary: dict[str, Any]) -> list[Row]:
    """Customers, gain and cost by the customer's district; minutes are those of the district's managers."""
    listed = {row["district"]: row for row in summary.get("by_district") or []}
    found = {row["district"]: row for row in group(rows, ("district",), SUMS)}
    names = sorted({*listed, *found}, key=lambda name: (name is None, name or ""))
    return [
        {"district": name}
        | {key: found.get(name, NOTHING)[key] for key in SUMS}
        | {"minutes": listed.get(name, {}).get("minutes_used", found.get(name, NOTHING)["minutes"])}
        | {"available": listed.get(name, {}).get("minutes_available")}
        | {"hour_fen": listed.get(name, {}).get("shadow_price_hour_fen")}
        for name in names
    ]


def _offers(shelf: Shelf, rows: list[Row], policy: Policy, summary: dict[str, Any]) -> list[Row]:
    arms = shelf.sums(model("arms").query, ["assignments"], ("offer_id", "arm")) if shelf.has("assignments") else None
    catalogue = {offer.id: offer for offer in policy.offers.offer}
    assumed = {row["offer_id"]: row.get("assumed") for row in summary.get("offers") or []}
    found, ends = [], offer_ends(shelf)
    for row in group(rows, ("offer_id", "channel"), SUMS):
        offer = catalogue.get(row["offer_id"])
        stated = offer.effect.source == "assumed" if offer else None
        more = {
            "name": offer_name(policy.offers, row["offer_id"]),
            "purpose": offer.purpose if offer else None,
            "assumed": assumed.get(row["offer_id"], stated),
            "held_out": _held_out(arms, row["offer_id"]),
        }
        found.append(row | more | ends.get(row["offer_id"], UNKNOWN))
    return sorted(found, key=lambda r: (-r["gain_fen"], r["offer_id"]))


def _held_out(arms: list[Row] | None, offer_id: str) -> int | None:
    if arms is None:
        return None
    alone = [row for row in arms if row["offer_id"] == offer_id and row["arm"] == "held_out"]
    return total(alone, "customers") or 0


def limit_figures(summary: dict[str, Any]) -> list[Row]:
    """Money first, then channels, then hours by district; within a kind the dearest first.

    An operator may have thousands of managers, so their hours are told by district; each
    manager's own stand in the table of managers. Hours are priced by the hour.
    """
    told = [_limit(row) for row in summary.get("limits") or []]
    hours = [_hours(row) for row in summary.get("by_district") or [] if row.get("minutes_available")]
    rows = [row for row in told if row["kind"] != "manager" or not hours] + hours
    rows = [row | {"tenth_fen": _tenth(row)} for row in rows]
    return sorted(rows, key=lambda r: (ORDER.get(r["kind"], 3), -(r["shadow_price"] or 0), r["limit"]))


def _tenth(row: Row) -> int | None:
    """What a tenth more of a limit adds at most: its price times those units.

    Prices that bound every plan within the means bound those within larger means too, and the bound grows by no more
    than that (Geoffrion 1974). None where nothing is there to have a tenth of, or no price is known.
    """
    price, available = row["shadow_price"], row["available"]
    if price is None or not available:
        return None
    return round(float(price) * int(available) / (600 if row["unit"] == "minutes" else 10))


def _limit(row: Row) -> Row:
    """``channel:sms`` and ``manager:M01`` tell their kind and whose it is; ``money`` stands alone."""
    kind, _, of = str(row["limit"]).partition(":")
    price = row.get("shadow_price")
    if price is not None and row.get("price_unit") == "fen/minute":
        price = round(60 * price, 2)
    name = both(row.get("zh") or row["limit"], row.get("en") or row["limit"])
    told = {"limit": row["limit"], "kind": kind, "of": of, "unit": row.get("unit"), "shadow_price": price, "name": name}
    return told | _used(row.get("available"), row.get("used"))


def _hours(row: Row) -> Row:
    where = row["district"]
    return {
        "limit": f"hours:{where or ''}",
        "kind": "hours",
        "of": where or "",
        "unit": "minutes",
        "shadow_price": row.get("shadow_price_hour_fen"),
        "name": both(f"客户经理分钟数（{where or '区县不详'}）", f"manager minutes in {where or 'no known district'}"),
    } | _used(row["minutes_available"], row.get("minutes_used"))


def _used(available: int | None, used: int | None) -> Row:
    share = round(used / available, 6) if available and used is not None else None
    return {"available": available, "used": used, "share": share}
