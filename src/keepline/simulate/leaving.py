"""The hidden hazard: the true probability that a customer leaves in a month, and who does.

log odds = base + contract + tenure + troubles + arrears + ties + hidden loyalty + what offers did

Everything but the hidden loyalty shows in the operator's records, some of it only through its traces
(falling use, complaints, answers to surveys).
"""

from __future__ import annotations

import numpy as np

from keepline.periods import Month
from keepline.simulate import days, world
from keepline.simulate.state import NEVER, Array, Customers

BASE_PERSON, BASE_ORGANISATION = -4.28, -4.25
CHEAP_FEN = 5900  # the dearer the plan the fewer leave
MOOD = 1.6  # log odds for one unit of trouble
LOCKED, ENDING = -1.2, 1.4
REASONS = ("price", "network", "service", "competitor")


def log_odds(c: Customers, month: Month, *, mood: Array, arrears: Array) -> Array:
    """Log odds of leaving in ``month``, without contract and offers; ``mood`` as it stood the month before."""
    base = np.where(c.organisation, BASE_ORGANISATION, BASE_PERSON) + 0.8 * c.prepaid
    price = np.where(c.organisation | c.prepaid, CHEAP_FEN, world.PRICES[c.plan])
    base = base - 0.60 * np.log(price / CHEAP_FEN) + 1.4 * overuses(c) * c.price_response
    tenure_years = np.maximum(month.index - days.month_of(c.joined), 0) / 12.0
    ties = 0.30 * np.log1p(tenure_years) + 0.32 * (c.products - 1) - 0.25 * c.ported_in
    loyalty = 0.28 * c.attachment + 0.18 * c.inertia - 0.15 * (c.price_response - 1)
    season = 0.08 * np.sin(2 * np.pi * (month.index % 12) / 12.0)
    troubles = MOOD * mood + 0.28 * np.minimum(arrears, 4) + 1.0 * (c.offnet - 0.4)
    return np.asarray(base - ties - loyalty + season + troubles)


def overuses(c: Customers) -> Array:
    """Who keeps paying for use beyond the allowance."""
    return ~c.prepaid & (np.exp(c.data_level) > 0.95 * world.DATA[c.plan])


def contract_effect(contract_end: Array, month: Month) -> Array:
    """A contract with two months or more to run holds; about its end people look around."""
    bound = contract_end != NEVER
    to_go = contract_end - month.index
    return np.where(bound & (to_go >= 2), LOCKED, 0.0) + np.where(bound & (np.abs(to_go) <= 1), ENDING, 0.0)


def offer_effect(c: Customers, month: Month) -> Array:
    return np.where(c.shift_until >= month.index, c.shift, 0.0)


def probability(log_odds_of_leaving: Array) -> Array:
    return 1.0 / (1.0 + np.exp(-log_odds_of_leaving))


def log_odds_of_month(c: Customers, month: Month) -> Array:
    """Log odds that each active customer leaves in ``month``, seen from the end of the month before."""
    x = log_odds(c, month, mood=c.mood, arrears=c.arrears_months)
    return x + contract_effect(c.contract_end, month) + offer_effect(c, month)


def monthly(c: Customers, month: Month) -> Array:
    """True probability that each active customer leaves in ``month``."""
    return probability(log_odds_of_month(c, month))


def reasons(c: Customers, rng: np.random.Generator) -> Array:
    """The code recorded for each customer, or empty for the 40 % nobody asked."""
    count = len(c)
    moods = np.stack([c.mood_price, c.mood_network, c.mood_service, c.mood_rival])
    blurred = moods + rng.gumbel(0, 0.12, moods.shape)
    known = np.array(REASONS)[blurred.argmax(axis=0)]
    none = moods.sum(axis=0) < 0.25
    vague = np.where(rng.random(count) < 0.4, "moved", "other")
    said = np.where(none | (rng.random(count) < 0.1), vague, known)
    return np.where(rng.random(count) < 0.6, said, "")
