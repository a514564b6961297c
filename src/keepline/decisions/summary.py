"""The plan in figures: the funnel, what limits cost, and how it compares with plans made otherwise."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from sqlglot import exp

from keepline.decisions import words
from keepline.decisions.allocation import Priced
from keepline.decisions.arms import Arms, Assigned
from keepline.decisions.base import see, see_in_turn
from keepline.decisions.managers import Manager, minutes_of
from keepline.decisions.offers import by_manager
from keepline.decisions.problem import UNIT, Ints, Kinds
from keepline.decisions.ranked import ranked_gain
from keepline.decisions.shortlist import Shortlist
from keepline.engine import Engine
from keepline.policy.documents import Policy
from keepline.tables import STATES

Row = dict[str, Any]


@dataclass(frozen=True)
class Totals:
    """Customers and gain of each kind of offer, those held out in the first row and those treated in the second."""

    customers: Ints
    gain_fen: Ints

    @classmethod
    def none(cls, kinds: Kinds) -> Totals:
        empty = np.zeros((2, len(kinds.offer)), dtype=np.int64)
        return cls(empty, empty.copy())

    def add(self, rows: Assigned) -> None:
        """Count some rows in."""
        place = (rows.treated.astype(np.int64), rows.kind)
        np.add.at(self.customers, place, 1)
        np.add.at(self.gain_fen, place, rows.gain)


@dataclass(frozen=True)
class Result:
    """Everything the plan was made from and came to."""

    policy: Policy
    known: Mapping[str, Manager]
    arms: Arms
    totals: Totals

    @property
    def plan(self) -> Priced:
        return self.arms.plan

    @property
    def short(self) -> Shortlist:
        return self.arms.short


def summary(engine: Engine, result: Result, *, features: Path, decisions: Path) -> Row:
    """JSON-able: funnel, limits with shadow prices, certificate, offers, districts, managers, comparison."""
    plan, treated = result.plan, _treated(engine, features=features, decisions=decisions)
    see(engine, "features", features)
    see(engine, "decisions", decisions)
    people = _managers(engine, result, treated)
    districts = _districts(treated, people)
    return {
        "funnel": _funnel(engine),
        "limits": [_money(result), *_contacts(result), *_hours(result, people)],
        "dual_value_fen": plan.bound_fen,
        "primal_value_fen": plan.gain_fen,
        "gap_share": plan.gap_share,
        "offers": _offers(result),
        "by_district": districts,
        "by_manager": people,
        "comparison": _comparison(result),
        "held_out": _held_out(result),
        "tenure_benefits": _tenure_benefits(engine, result.policy),
        "prices": _prices(result),
    }


def _funnel(engine: Engine) -> list[Row]:
    """Customers by state, in the order of the states; together they are the base."""
    count = exp.alias_(exp.Count(this=exp.Star()), "customers")
    rows = engine.fetch(exp.select("state", count).from_("decisions").group_by("state")).to_pylist()
    found = {row["state"]: int(row["customers"]) for row in rows}
    return [{"state": state, "customers": found.get(state, 0), **_both(words.STATES[state])} for state in STATES]


def _treated(engine: Engine, **tables: Path) -> list[Row]:
    """Treated customers, their gain and cost by manager, district and offer."""
    found: dict[tuple[str | None, ...], Row] = {}
    for _ in see_in_turn(engine, **tables):
        for row in engine.fetch(_treated_here()).to_pylist():
            key = (row["manager_id"], row["district"], row["offer_id"])
            found[key] = row | (_totals([row, found[key]]) if key in found else {})
    return list(found.values())


def _treated_here() -> exp.Select:
    """The same of the parts that are seen."""
    keys = [exp.column("manager_id", table="decisions"), exp.column("district"), exp.column("offer_id")]
    sums = [_sum("gain_fen"), _sum("cost_fen")]
    same = exp.EQ(
        this=exp.column("customer_id", table="decisions"), expression=exp.column("customer_id", table="features")
    )
    return (
        exp.select(*keys, exp.alias_(exp.Count(this=exp.Star()), "customers"), *sums)
        .from_("decisions")
        .join("features", on=same)
        .where(exp.EQ(this=exp.column("state"), expression=exp.Literal.string("treated")))
        .group_by(*keys)
        .order_by(*keys)
    )


def _sum(column: str) -> exp.Expr:
    return exp.alias_(exp.cast(exp.Sum(this=exp.column(column)), "BIGINT"), column)


def _both(said: words.Words) -> Row:
    return {"zh": said.zh, "en": said.en}


def _managers(engine: Engine, result: Result, treated: list[Row]) -> list[Row]:
    """Every manager the table or the base tells of: what the plan gives them, and what an hour is worth."""
    named = engine.fetch(exp.select("manager_id").distinct().from_("features")).to_pylist()
    ids = {row["manager_id"] for row in named if row["manager_id"] is not None} | set(result.known)
    prices = dict(zip(result.short.managers, result.plan.prices.minutes.tolist(), strict=True))
    minutes = {offer.id: offer.manager_minutes for offer in result.policy.offers.offer if by_manager(offer)}
    mine: dict[str, list[Row]] = {who: [] for who in ids}
    for row in treated:
        if row["manager_id"] is not None:
            mine[row["manager_id"]].append(row)
    return [_manager(result, who, mine[who], minutes) | _hour(prices.get(who, 0)) for who in sorted(ids)]


def _manager(result: Result, who: str, rows: list[Row], minutes: Mapping[str, int]) -> Row:
    known = result.known.get(who, Manager(None, None, None))
    used = sum(row["customers"] * minutes.get(row["offer_id"], 0) for row in rows)
    available = minutes_of(who, result.known, result.policy.limits)
    return {
        "manager_id": who,
        "district": known.district,
        **_totals(rows),
        "minutes_used": used,
        "minutes_available": available,
        "authority_fen": known.authority_fen,
    }


def _hour(units_a_minute: float) -> Row:
    return {"shadow_price_hour_fen": round(60 * units_a_minute / UNIT, 2)}


def _totals(rows: list[Row]) -> Row:
    return {name: sum(row[name] for row in rows) for name in ("customers", "gain_fen", "cost_fen")}


def _districts(treated: list[Row], people: list[Row]) -> list[Row]:
    """The plan by the customers' district, and the hours of the managers of that district.

    An hour of the district is shared out as its managers' hours are, so its price is their
    mean weighted by minutes.
    """
    names = {row["district"] for row in (*treated, *people)}
    return [_district(name, treated, people) for name in sorted(names, key=lambda n: (n is None, n or ""))]


def _district(name: str | None, treated: list[Row], people: list[Row]) -> Row:
    here = [p for p in people if p["district"] == name and p["minutes_available"] is not None]
    available = sum(p["minutes_available"] for p in here)
    priced = sum(p["minutes_available"] * p["shadow_price_hour_fen"] for p in here)
    price = round(priced / available, 2) if available else 0.0
    return {
        "district": name,
        **_totals([row for row in treated if row["district"] == name]),
        "minutes_used": sum(p["minutes_used"] for p in people if p["district"] == name),
        "minutes_available": available if here else None,
        "shadow_price_hour_fen": price,
        **_worth(words.worth_hour(name, price)),
    }


def _money(result: Result) -> Row:
    price = result.plan.prices.money / UNIT
    return {
        "limit": "money",
        "unit": "fen",
        "price_unit": "fen/fen",
        "available": result.policy.limits.money_fen,
        "used": result.plan.used.money,
        "shadow_price": round(price, 6),
        **_both(words.money_limit()),
        **_worth(words.worth_money(price)),
    }


def _worth(said: words.Words) -> Row:
    return {"worth_zh": said.zh, "worth_en": said.en}


def _contacts(result: Result) -> list[Row]:
    prices = (result.plan.prices.channels / UNIT).tolist()
    used = result.plan.used.channels.tolist()
    return [
        {
            "limit": f"channel:{channel}",
            "unit": "contacts",
            "price_unit": "fen/contact",
            "available": result.policy.limits.month_contacts[channel],
            "used": used[place],
            "shadow_price": round(prices[place], 2),
            **_both(words.contact_limit(channel)),
            **_worth(words.worth_contact(channel, prices[place])),
        }
        for place, channel in enumerate(result.short.channels)
    ]


def _hours(result: Result, people: list[Row]) -> list[Row]:
    """Each manager whose minutes are limited; the price is of one minute."""
    prices = dict(zip(result.short.managers, result.plan.prices.minutes.tolist(), strict=True))
    return [
        {
            "limit": f"manager:{row['manager_id']}",
            "unit": "minutes",
            "price_unit": "fen/minute",
            "available": row["minutes_available"],
            "used": row["minutes_used"],
            "shadow_price": round(prices.get(row["manager_id"], 0) / UNIT, 4),
            **_both(words.hours_limit(row["manager_id"])),
            **_worth(words.worth_hour(row["manager_id"], row["shadow_price_hour_fen"])),
        }
        for row in people
        if row["minutes_available"] is not None
    ]


def _offers(result: Result) -> list[Row]:
    """Every offer of the catalogue with what the plan does with it."""
    kinds, totals = result.short.open_to.kinds, result.totals
    named = np.array(kinds.offer, dtype=object)
    found = []
    for offer in result.policy.offers.offer:
        here = np.flatnonzero(named == offer.id)
        alone, treated = totals.customers[:, here]
        found.append(
            {
                "offer_id": offer.id,
                **_both(words.Words(offer.name.zh, offer.name.en)),
                "purpose": offer.purpose,
                "channel": offer.channel,
                "customers": int(treated.sum()),
                "held_out": int(alone.sum()),
                "gain_fen": int(totals.gain_fen[1, here].sum()),
                "cost_fen": int(treated @ kinds.cost[here]),
                "assumed": offer.effect.source == "assumed",
            }
        )
    return found


def _comparison(result: Result) -> Row:
    """The same customers and means under other rules; gains are ours, see docs/mechanisms/allocation.md."""
    mine = result.short.open_to
    return {"without_limits_fen": mine.best_fen, "ranked_by_risk_fen": ranked_gain(mine)}


def _held_out(result: Result) -> Row:
    open_to, alone = result.short.open_to, result.short.alone
    return {
        "share": result.policy.limits.held_out_share,
        "drawn_from": open_to.customers + alone.customers,
        "drawn": alone.customers,
        "compared": int(result.totals.customers[0].sum()),
        "forgone_fen": int(result.totals.gain_fen[0].sum()),
    }


def _tenure_benefits(engine: Engine, policy: Policy) -> list[Row]:
    """What customers of long standing earn a year by policy, outside the allocation (D6)."""
    bands = sorted(policy.offers.tenure_benefit, key=lambda band: band.from_months)
    found = []
    for place, band in enumerate(bands):
        customers = _in_band(engine, band.from_months, [b.from_months for b in bands[place + 1 :]])
        found.append(
            {
                "from_months": band.from_months,
                **_both(words.Words(band.name.zh, band.name.en)),
                "customers": customers,
                "yearly_benefit_fen": band.yearly_benefit_fen,
                "yearly_cost_fen": customers * band.yearly_benefit_fen,
            }
        )
    return found


def _in_band(engine: Engine, first: int, later: list[int]) -> int:
    """Customers of the base with so long a tenure, and not long enough for a later band."""
    tenure = exp.column("tenure_months")
    tests: list[exp.Expr] = [tenure >= exp.Literal.number(first)]
    tests += [tenure.copy() < exp.Literal.number(end) for end in later[:1]]
    count = exp.alias_(exp.Count(this=exp.Star()), "customers")
    return int(engine.fetch(exp.select(count).from_("features").where(*tests)).to_pylist()[0]["customers"])


def _prices(result: Result) -> Row:
    """The prices to the last unit, as they chose; ``unit`` units are one fen."""
    prices = result.plan.prices
    return {
        "unit": UNIT,
        "money": prices.money,
        "contacts": dict(zip(result.short.channels, prices.channels.tolist(), strict=True)),
        "minutes": dict(zip(result.short.managers, prices.minutes.tolist(), strict=True)),
    }
