"""Hands a month of a block over to the files: which rows of which table the operator delivers when."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from keepline.periods import Month
from keepline.policy.documents import Offer
from keepline.simulate import circles, organisations, quotes, records, troubles, world
from keepline.simulate.behaviour import Happened
from keepline.simulate.draws import Draws
from keepline.simulate.pilots import PAST_OFFER
from keepline.simulate.records import Rows, customer_no
from keepline.simulate.response import Delivered
from keepline.simulate.state import Array, Customers
from keepline.simulate.world import World
from keepline.simulate.writing import Delivery

MINUTES_A_FAULT = 45
Done = Sequence[tuple[Delivered, str]]  # what was delivered, and the month of the plan it belongs to


def deliver_operator(to: Delivery, op: World, month: Month, *, first: bool) -> None:
    """What is known of the operator itself: faults every month; plans and managers once."""
    faults = troubles.faults(op, month)
    minutes = faults * MINUTES_A_FAULT + Draws(op.seed, month).of("fault minutes").integers(0, 30, len(faults))
    names = np.array([name for _, name in op.districts])
    to.add("network_faults", {"district": names, "faults": faults, "fault_minutes": minutes})
    if first:
        to.add("plans", _plans())
        to.add("managers", _managers(op, month))


def _plans() -> Rows:
    return {
        "plan_id": np.array([plan.plan_id for plan in world.PLANS]),
        "name": np.array([plan.name for plan in world.PLANS]),
        "product": np.array([plan.product for plan in world.PLANS]),
        "price_fen": world.PRICES,
        "voice_s": world.VOICE.astype("int64"),
        "data_kb": world.DATA.astype("int64"),
    }


def _managers(op: World, month: Month) -> Rows:
    """Minutes for visits and calls, and an authority that grows with standing."""
    count = len(op.manager_districts)
    rng = Draws(op.seed, month).of("account managers")
    return {
        "manager_id": records.managers_of(np.arange(count)),
        "district": np.array([name for _, name in op.districts])[op.manager_districts],
        "visit_minutes": rng.choice([90, 120, 180, 240], count),
        "authority_fen": rng.choice([5000, 8000, 15000], count, p=[0.15, 0.45, 0.4]),
    }


def deliver(
    to: Delivery,
    op: World,
    c: Customers,
    h: Happened,
    *,
    draws: Draws,
    done: Done,
    offers: Sequence[Offer],
    first: bool,
) -> None:
    """All rows of a block; tables as of a month hold everyone at first, then who is new or changed."""
    new = np.flatnonzero(h.here if first else h.new)
    changed = np.flatnonzero(h.here if first else h.here & h.changed)
    relined = np.flatnonzero(h.here if first else h.here & h.changed_lines)
    to.add("customers", records.customers(op, c, changed))
    to.add("lines", records.lines(c, relined, mobiles_before=h.mobiles_before, draws=draws))
    to.add_all("bills", records.bills(c, h))
    to.add("usage", records.usage(c, h, draws.of("usage rows")))
    to.add("payments", records.payments(c, h))
    to.add_all("contacts", records.contacts(c, h, [each for each, _ in done], draws))
    to.add("complaints", records.complaints(c, h, draws))
    to.add_all("survey_answers", records.survey_answers(c, h, draws))
    to.add_all("deliveries", (_delivered(c, each, month, offers) for each, month in done))
    to.add("price_quotes", quotes.price_quotes(c, h.here & ~h.leaving, draws))
    to.add("departures", records.departures(c, h))
    to.add("referrals", records.referrals(c, h))
    to.add_all("call_edges", records.call_edges(c, h, draws.of("calls")))
    to.add_all("call_edges", circles.calls(c, h, draws))
    to.add("attributes", records.attributes(c, new, draws.of("places")))
    to.add("contact_details", records.contact_details(c, new))
    to.add("affiliations", organisations.affiliations(c, new, draws))
    to.add("contact_persons", organisations.contact_persons(c, new, draws))


def _delivered(c: Customers, done: Delivered, plan_month: str, offers: Sequence[Offer]) -> Rows:
    return {
        "customer_id": customer_no(c.number[done.row]),
        "plan_month": np.full(len(done.row), plan_month),
        "offer_id": _offer_ids(done.offer, offers),
        "channel": done.channel,
        "delivered_on": records.as_days(done.day),
        "answer": done.answer,
        "cost_fen": done.cost_fen,
    }


def _offer_ids(number: Array, offers: Sequence[Offer]) -> Array:
    """Names of offers; the old campaign's offer is not in the catalogue."""
    return np.array([*(offer.id for offer in offers), PAST_OFFER])[number]
