"""How customers answer offers: who responds, whom contact wakes, and what then changes.

Most answer nothing. Whoever is only a little troubled can be held; whoever is deeply troubled has decided
already (lost causes); some who stay from habit begin to look around once they are spoken to (sleeping dogs).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from keepline.periods import Month
from keepline.policy.documents import Offer
from keepline.simulate import days, leaving, world
from keepline.simulate.draws import Draws
from keepline.simulate.state import NEVER, Array, Customers

DELIVERED_SHARE = 0.97
WOKEN_SHIFT, WOKEN_MONTHS = 0.8, 2
RENEWED_MONTHS = 24
LOST_FROM = 0.9  # trouble from which most have decided
REFUSED_SHARE = 0.3  # of those who are reached and do not respond


@dataclass(frozen=True)
class Spring:
    """The hidden response to one offer."""

    level: float  # log odds of responding, nothing special about the customer
    need: float  # added where the offer answers a need
    trouble: float  # added for one unit of trouble, up to 1.2
    restless: float  # added for one unit of log odds of leaving: who has reasons to look around listens
    cut: float  # change of the log odds of leaving of who responds
    months: int  # for so long
    waking: float  # greatest probability of waking a sleeping dog
    renews: bool = False  # responding is a new contract
    sells_broadband: bool = False


SPRINGS = {
    "renew-contract": Spring(-4.5, 3.6, 0.5, 0.6, -2.4, 12, 0.10, renews=True),
    "data-gift": Spring(-4.2, 2.3, 0.4, 0.4, -2.6, 8, 0.04),
    "bundle-broadband": Spring(-4.5, 3.0, 0.2, 0.3, -1.0, 12, 0.08, sells_broadband=True),
    "care-call": Spring(-2.9, 2.6, 0.6, 0.5, -2.6, 8, 0.02),
    "manager-visit": Spring(-2.6, 2.4, 0.6, 0.5, -2.6, 12, 0.01),
}
BY_PURPOSE = {
    "loyalty": Spring(-3.4, 0.6, 1.2, 0.6, -1.7, 6, 0.03),
    "profit": Spring(-3.4, 0.6, 1.0, 0.6, -1.5, 6, 0.06),
}


def spring(offer: Offer) -> Spring:
    """What is hidden behind an offer: by its id, else by its purpose."""
    return SPRINGS.get(offer.id, BY_PURPOSE[offer.purpose])


def responds(c: Customers, offer: Offer, month: Month) -> Array:
    """Probability that each customer responds when the offer reaches them in ``month``."""
    s = spring(offer)
    restless = np.clip(leaving.log_odds_of_month(c, month) + 4.0, -1.5, 2.5)
    odds = s.level + s.need * _need(c, offer, month) + s.trouble * np.minimum(c.mood, 1.2) + s.restless * restless
    odds = odds + 0.6 * c.responsive + 0.35 * (c.price_response - 1) * (offer.purpose == "profit")
    lost = leaving.probability((c.mood - LOST_FROM) / 0.18)
    return np.asarray(leaving.probability(odds) * (1 - lost))


def _need(c: Customers, offer: Offer, month: Month) -> Array:
    """Between 0 and 1: how well the offer fits, which the records show."""
    to_go = c.contract_end - month.index
    if offer.id == "renew-contract":
        return np.asarray(((c.contract_end != NEVER) & (to_go >= -3) & (to_go <= 3)).astype("float64"))
    if offer.id == "data-gift":
        return leaving.overuses(c).astype("float64")
    if offer.id == "bundle-broadband":
        age = (days.first_day(np.array([month.index]))[0] - c.birthday) / 365.25
        return np.asarray(0.4 * ((age >= 28) & (age <= 55)) + 0.6 * (c.mobiles >= 2))
    return np.asarray(np.minimum(c.mood_service + c.mood_network, 1.0).astype("float64"))


def wakes(c: Customers, offer: Offer, month: Month) -> Array:
    """Probability that contact wakes who does not respond: untroubled, from habit, under no contract."""
    free = (c.contract_end < month.index) & ~held(c, month)
    habit = 1 / (1 + np.exp(-2.0 * (c.inertia - 0.3)))
    return spring(offer).waking * free * habit * np.exp(-2.0 * c.mood)


def held(c: Customers, month: Month) -> Array:
    """An offer still works."""
    return c.shift_until >= month.index


def broadband_extra_fen(offer: Offer) -> int:
    """What the bundle's price differs from that of the plan it brings."""
    return offer.price_fen - int(world.PRICES[world.BROADBAND_PLANS[0]])


@dataclass(frozen=True)
class Treated:
    """Who is to get which offer by which channel, and in which plan: one row a customer."""

    row: Array  # place in the block
    offer: Array  # number in the catalogue
    channel: Array
    plan_month: Month


@dataclass(frozen=True)
class Delivered:
    """What became of it."""

    row: Array
    offer: Array
    channel: Array
    answer: Array
    day: Array
    cost_fen: Array


def treat(c: Customers, treated: Treated, offers: Sequence[Offer], draws: Draws) -> Delivered:
    """Deliver, draw who responds and who is woken, and change their hidden state."""
    rng, size = draws.of("responses"), len(treated.row)
    reached, luck, other = (rng.random(size) for _ in range(3))
    day = days.some_day(rng, draws.month, size)
    answer = np.full(size, "", dtype="<U8")
    cost = np.zeros(size, dtype="int64")
    for number, offer in enumerate(offers):
        mine = np.flatnonzero((treated.offer == number) & (reached < DELIVERED_SHARE) & c.active[treated.row])
        rows = treated.row[mine]
        these = c.take(rows)
        yes = luck[mine] < responds(these, offer, draws.month)
        woken = ~yes & (other[mine] < wakes(these, offer, draws.month))
        answer[mine] = np.where(yes, "accepted", np.where(other[mine] > 1 - REFUSED_SHARE, "refused", "none"))
        cost[mine] = offer.contact_cost_fen + yes * offer.benefit_cost_fen
        _hold(c, rows[yes], offer, draws.month)
        _wake(c, rows[woken], draws.month)
    done = answer != ""
    c.contacted[treated.row[done]] = draws.month.index
    return Delivered(treated.row[done], treated.offer[done], treated.channel[done], answer[done], day[done], cost[done])


def _hold(c: Customers, rows: Array, offer: Offer, month: Month) -> None:
    s = spring(offer)
    before = np.where(c.shift_until[rows] >= month.index, c.shift[rows], 0.0)
    c.shift[rows] = np.minimum(before, s.cut)
    c.shift_until[rows] = np.maximum(c.shift_until[rows], month.index + s.months - 1)
    if s.renews:
        c.contract_end[rows] = month.index + RENEWED_MONTHS
    if s.sells_broadband:
        new = rows[c.broadband[rows] == NEVER]
        c.broadband[new] = world.BROADBAND_PLANS[0]
        c.extra_fen[new] = broadband_extra_fen(offer)
        c.extra_until[new] = month.index + 60


def _wake(c: Customers, rows: Array, month: Month) -> None:
    c.shift[rows] = WOKEN_SHIFT
    c.shift_until[rows] = month.index + WOKEN_MONTHS - 1


def extra_margin_fen(c: Customers, offer: Offer, share: float) -> Array:
    """Margin a month that a responding customer brings on top; ``share`` is that of recurring charges."""
    if not spring(offer).sells_broadband:
        return np.zeros(len(c))
    return np.where(c.broadband == NEVER, offer.price_fen * share, 0.0)


def with_response(c: Customers, offer: Offer, month: Month) -> Customers:
    """The same customers had they all responded in ``month``."""
    then = c.take(np.arange(len(c)))
    _hold(then, np.arange(len(c)), offer, month)
    return then


def all_woken(c: Customers, month: Month) -> Customers:
    """The same customers had contact woken them all in ``month``."""
    then = c.take(np.arange(len(c)))
    _wake(then, np.arange(len(c)), month)
    return then
