"""What is true of each customer: risk, value, loyalty and what each offer would earn; for tests alone.

Everything is an expectation computed from the hidden processes, never a realisation. Survival and margin
follow their means month by month; troubles still to come enter by the mean of their effect on the hazard.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from keepline.periods import Month
from keepline.policy.documents import Offer, Policy
from keepline.simulate import billing, leaving, moves, quotes, response, troubles
from keepline.simulate.state import Array, Customers
from keepline.simulate.world import World

PART_OF_LAST_MONTH = 0.5  # billed of the month a customer leaves, on average
ARREARS_KEPT = 0.45
KINDS = ("attachment", "inertia", "price", "none")


@dataclass(frozen=True)
class Course:
    """The expected course of customers: probabilities of leaving and margins by month ahead."""

    hazard: Array  # months x customers
    margin_fen: Array  # of the month, for who stays through it

    def survival(self) -> Array:
        """Probability to be here at the end of each month ahead."""
        return np.cumprod(1 - self.hazard, axis=0)

    def leaves_within(self, months: int) -> Array:
        return np.asarray(1 - self.survival()[months - 1])

    def earned(self, months: int, discount_year: float) -> Array:
        """Expected margin in fen of so many months, each discounted from its end."""
        stays = self.survival()[:months]
        before = np.vstack([np.ones_like(stays[:1]), stays[:-1]])
        weight = (1 + discount_year) ** (-np.arange(1, months + 1) / 12.0)
        present = stays + PART_OF_LAST_MONTH * (before - stays)
        return np.asarray((weight[:, None] * present * self.margin_fen[:months]).sum(axis=0))


class Future:
    """The expected future of a block at the end of a snapshot month, with and without offers."""

    def __init__(self, op: World, c: Customers, snapshot: Month, policy: Policy) -> None:
        self._c, self._snapshot, self._policy = c, snapshot, policy
        self.months = policy.value.horizon_months
        self._outlook = outlook = troubles.Outlook(op, c)
        coming = [outlook.shock_of_discount(snapshot, k) for k in range(self.months + 1)]
        self._moods = [outlook.steady(k) + coming[k] for k in range(self.months)]
        drift = moves.drift(c)
        self._margins = np.stack(
            [
                billing.expected_margin(
                    c, snapshot + k, months=k, mood=outlook.mean(k) + coming[k], drift=drift, shares=self._shares
                ) + self._shares["recurring"] * billing.extra(c, snapshot + k)
                for k in range(1, self.months + 1)
            ]
        )  # fmt: skip

    @property
    def next_month(self) -> Month:
        return self._snapshot + 1

    @property
    def _shares(self) -> dict[str, float]:
        return self._policy.value.margin_share

    def untreated(self) -> Course:
        return Course(self._hazard(self._c), self._margins)

    def if_responding(self, offer: Offer) -> Course:
        extra = response.extra_margin_fen(self._c, offer, self._shares["recurring"])
        then = response.with_response(self._c, offer, self.next_month)
        return Course(self._hazard(then), self._margins + extra)

    def if_woken(self) -> Course:
        return Course(self._hazard(response.all_woken(self._c, self.next_month)), self._margins)

    def _hazard(self, c: Customers) -> Array:
        """Probability of leaving in each month ahead, for who is still here."""
        signed = np.zeros(len(c))
        hazards = []
        for ahead in range(1, self.months + 1):
            month = self._snapshot + ahead
            arrears = c.arrears_months * ARREARS_KEPT ** (ahead - 1)
            x = leaving.log_odds(c, month, mood=self._moods[ahead - 1], arrears=arrears)
            x = x + leaving.offer_effect(c, month)
            free = self._outlook.raised(x + leaving.contract_effect(c.contract_end, month), ahead - 1)
            hazards.append((1 - signed) * free + signed * self._outlook.raised(x + leaving.LOCKED, ahead - 1))
            signed = signed + (1 - signed) * moves.signing_rate(c, month)
        return np.stack(hazards)


def of_customers(op: World, c: Customers, snapshot: Month, policy: Policy) -> tuple[dict[str, Array], dict[str, Array]]:
    """Columns of the two truth tables: one row a customer; one row a customer and offer."""
    future = Future(op, c, snapshot, policy)
    now = future.untreated()
    about = {
        "customer_id": c.pseudonym,
        "p_leave": now.hazard[0],
        "p_leave_horizon": now.leaves_within(policy.leaving.horizon_months),
        "value_fen": np.round(now.earned(future.months, policy.value.discount_rate_year)).astype("int64"),
        "loyalty_kind": loyalty_kind(c),
        "attachment": c.attachment,
        "inertia": c.inertia,
        "price_response": c.price_response,
        "place": c.place,
        "elasticity": quotes.elasticity(c),
    }
    effects = [_of_offer(c, offer, future, now, policy) for offer in policy.offers.offer]
    return about, {name: np.concatenate([e[name] for e in effects]) for name in (effects[0] if effects else ())}


def _of_offer(c: Customers, offer: Offer, future: Future, now: Course, policy: Policy) -> dict[str, Array]:
    """What putting a customer on the plan for this offer changes; an offer that does not arrive changes nothing."""
    next_month = future.next_month
    yes = response.DELIVERED_SHARE * response.responds(c, offer, next_month)
    woken = (response.DELIVERED_SHARE - yes) * response.wakes(c, offer, next_month)
    then, worse = future.if_responding(offer), future.if_woken()
    rate, months = policy.value.discount_rate_year, policy.leaving.horizon_months
    cost = response.DELIVERED_SHARE * offer.contact_cost_fen + yes * offer.benefit_cost_fen

    def change(of: Array, if_yes: Array, if_woken: Array) -> Array:
        return np.asarray(yes * (if_yes - of) + woken * (if_woken - of))

    gain = change(*(course.earned(future.months, rate) for course in (now, then, worse)))
    near = change(*(course.earned(months, 0.0) for course in (now, then, worse)))
    leave = change(*(course.leaves_within(months) for course in (now, then, worse)))
    return {
        "customer_id": c.pseudonym,
        "offer_id": np.full(len(c), offer.id),
        "responds": yes,
        "gain_fen": np.round(gain - cost).astype("int64"),
        "margin_window_fen": np.round(near).astype("int64"),
        "leave_change": leave,
        "cost_fen": np.round(cost).astype("int64"),
    }


def loyalty_kind(c: Customers) -> Array:
    """What keeps the customer: the strongest of attachment, inertia and price, where any is strong."""
    strength = np.stack([c.attachment - 0.3, c.inertia - 0.3, c.price_response - 1.3])
    return np.where(strength.max(axis=0) > 0, np.array(KINDS)[strength.argmax(axis=0)], "none")
