"""The pilots the operator ran: lots among customers who may have an offer, half treated, half left alone.

The lots are drawn up to three times, a quarter apart, for once finds too few to see what an offer changes; the offers
are carried out in the month after, and what the treated do then really happens in their bills and departures. Nobody
is in two pilots at a time, and who took an offer is left in peace while it works.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from keepline.periods import Month
from keepline.policy.conditions import Condition
from keepline.policy.documents import Offer, Policy
from keepline.simulate import billing, days, people, response, world
from keepline.simulate.draws import Draws
from keepline.simulate.records import Rows, customer_no
from keepline.simulate.response import Delivered, Treated
from keepline.simulate.state import NEVER, Array, Customers

WAVES, EARLIEST = 3, 3  # how often lots are drawn; months after the first of the story
OUTCOME_MONTHS = 3  # until what came of it is known, and the next lots are drawn
MONTHS_AFTER = 6  # from the last lots to the story's end: three of outcome, three published
PILOT_SHARE = 0.30  # of the customers, at most, in one pilot
PAST_OFFER, PAST_SHARE, PAST_COST_FEN = "spring-gift", 0.02, 305  # an old campaign to whom nobody drew lots
Known = Mapping[str, Array]


def lot_months(first: Month, months: int) -> tuple[Month, ...]:
    """Months at whose end lots are drawn: three a quarter apart, the last just over when the first plan is made.

    In a short story fewer, the first not before the fourth month unless there is no other.
    """
    last = max(1, months - MONTHS_AFTER)
    waves = range(last, EARLIEST - 1, -OUTCOME_MONTHS)[:WAVES] or [last]
    return tuple(first + wave for wave in sorted(waves))


def draw_lots(c: Customers, draws: Draws, policy: Policy, p_leave: Array) -> None:
    """Put customers into pilots, the offer fewest may have first; ``c.pilot`` is 2 x offer + treated."""
    rng, now = draws.of("lots"), draws.month.index
    in_peace = response.held(c, draws.month) | ((c.pilot != NEVER) & (c.pilot_month > now - OUTCOME_MONTHS))
    c.pilot[~in_peace] = NEVER
    known = facts(c, draws.month, p_leave)
    may = {
        number: c.active & c.consent & ~c.blacklisted & ~in_peace & eligible(offer, known)
        for number, offer in enumerate(policy.offers.offer)
        if offer.effect.source == "experiment"
    }
    cap = int(PILOT_SHARE * c.active.sum())
    for number in sorted(may, key=lambda j: int(may[j].sum())):
        free = np.flatnonzero(may[number] & (c.pilot == NEVER))
        chosen = rng.permutation(free)[:cap]
        c.pilot[chosen] = 2 * number + (np.arange(len(chosen)) % 2)
        c.pilot_month[chosen] = now


def treated(c: Customers, offers: Sequence[Offer], lots_drawn: Month) -> Treated:
    rows = np.flatnonzero((c.pilot_month == lots_drawn.index) & (c.pilot % 2 == 1))
    number = c.pilot[rows] // 2
    channels = np.array([offer.channel for offer in offers])
    return Treated(rows, number, channels[number] if len(rows) else np.array([], dtype="<U8"), lots_drawn)


def experiments(c: Customers, offers: Sequence[Offer], lots_drawn: Month) -> Rows:
    """Whom the lots of the month put into which pilot, for the operator's records."""
    rows = np.flatnonzero(c.pilot_month == lots_drawn.index)
    number = c.pilot[rows] // 2
    return {
        "experiment_id": np.array([offer.effect.experiment_id for offer in offers])[number],
        "customer_id": customer_no(c.number[rows]),
        "offer_id": np.array([offer.id for offer in offers])[number],
        "arm": np.where(c.pilot[rows] % 2 == 1, "treated", "held_out"),
    }


def past_campaign(c: Customers, draws: Draws, p_leave: Array) -> Delivered:
    """An old campaign by hunch: those who looked likeliest to leave got a gift, and it changed nothing."""
    rng = draws.of("past campaign")
    may = np.flatnonzero(c.active & c.consent & ~c.blacklisted & ~c.organisation)
    hunch = p_leave[may] * rng.lognormal(0, 0.5, len(may))
    rows = np.sort(may[np.argsort(-hunch, kind="stable")[: int(PAST_SHARE * len(may))]])
    yes = rng.random(len(rows)) < 0.1
    c.contacted[rows] = draws.month.index
    return Delivered(
        row=rows, offer=np.full(len(rows), NEVER), channel=np.full(len(rows), "sms"),
        answer=np.where(yes, "accepted", "none"), day=days.some_day(rng, draws.month, len(rows)),
        cost_fen=np.where(yes, PAST_COST_FEN, 5),
    )  # fmt: skip


def facts(c: Customers, month: Month, p_leave: Array) -> dict[str, Array]:
    """What policy's conditions may ask, as far as the operator could have known it at the time."""
    bound = c.contract_end != NEVER
    tenure = month.index - days.month_of(c.joined)
    return {
        "kind": np.where(c.organisation, "organisation", "person"),
        "manager_id": np.where(c.manager == NEVER, "", "M"),
        "tenure_months": tenure,
        "contract_months_left": np.where(bound, c.contract_end - month.index, np.nan),
        "revenue_fen": c.revenue_fen,
        "revenue_3m_fen": c.revenue_fen + c.revenue_1_fen + c.revenue_2_fen,
        "recurring_fen": people.recurring_fen(c),
        "overage_3m_fen": 3 * billing.overage_a_line(c.data_kb, world.DATA[c.plan]) * c.mobiles * ~c.prepaid,
        "data_kb": c.data_kb,
        "data_3m_kb": 3 * c.data_kb,
        "products": c.products,
        "lines": c.lines,
        "plan_price_fen": world.PRICES[c.plan],
        "arrears_months": c.arrears_months,
        "leave_probability": 1 - (1 - p_leave) ** 3,
    }


def eligible(offer: Offer, known: Known) -> Array:
    """Who may have the offer; a condition on something not in ``known`` is taken to hold."""
    count = len(known["kind"])
    tests = [_holds(condition, known) for condition in offer.eligible if condition.feature in known]
    return np.asarray(np.all([np.ones(count, dtype="bool"), *tests], axis=0))


_COMPARED: dict[str, Callable[[Array, float], Array]] = {
    "at_least": np.greater_equal, "at_most": np.less_equal, "above": np.greater, "below": np.less,
}  # fmt: skip


def _holds(condition: Condition, known: Known) -> Array:
    values = known[condition.feature]
    text = values.dtype.kind == "U"
    missing = (values == "") if text else np.isnan(values.astype("float64"))
    asked = [compare(values, getattr(condition, name)) for name, compare in _COMPARED.items()
             if getattr(condition, name) is not None]  # fmt: skip
    if condition.one_of:
        asked.append(np.isin(values, condition.one_of))
    if condition.none_of:
        return ~np.isin(values, condition.none_of)
    if condition.missing:
        return np.asarray(missing)
    return np.asarray(np.all([~missing, *asked], axis=0))
