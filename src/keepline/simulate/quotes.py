"""The prices customers were quoted for a data pack, and how many they bought: mostly by lot, some aimed at leavers.

A pack is bought beside the bill, so that quotes change nothing else of the story. What is bought on average is
``level × (price / list price)^elasticity``; the elasticity is hidden, and follows price response and the plan.
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from keepline.simulate import leaving, world
from keepline.simulate.draws import Draws
from keepline.simulate.records import Rows, customer_no
from keepline.simulate.state import Array, Customers

PRODUCT, LIST_FEN = "data-pack", 1000
PRICES_FEN = np.array([600, 800, 1000, 1200, 1400])
PANEL_EVERY, LOT_SHARE, AIMED_SHARE = 16, 0.04, 0.02  # one in so many is quoted every month; of the others, a month
CHEAP_PLANS, DEAR_PLANS = (0, 1), (4, 5, 6)  # of persons


def elasticity(c: Customers) -> Array:
    """Hidden: change of what is bought for one percent of price; organisations are not quoted."""
    plan = np.where(np.isin(c.plan, CHEAP_PLANS), 1.25, np.where(np.isin(c.plan, DEAR_PLANS), 0.7, 1.0))
    return np.where(c.organisation, np.nan, -(0.4 + 1.1 * c.price_response) * plan)


def price_quotes(c: Customers, here: Array, draws: Draws) -> Rows:
    """The quotes of the month: prices by lot, and lower ones to those who seemed about to leave."""
    rng = draws.of("price quotes")
    luck, hunch = rng.random(len(c)), rng.lognormal(0, 0.5, len(c))
    price, bought = rng.integers(0, len(PRICES_FEN), len(c)), rng.random(len(c))
    may = here & ~c.organisation
    panel = may & (c.number % PANEL_EVERY == 0)
    lot = panel | (may & (luck < LOT_SHARE))
    risk = leaving.monthly(c, draws.month)
    aim = np.where(may, np.minimum(risk * hunch, 1.0), 0.0)
    aimed = may & ~lot & (luck > 1 - AIMED_SHARE)
    rank = np.argsort(np.argsort(-np.where(aimed, aim, -1.0), kind="stable"), kind="stable")
    place = np.minimum(rank * len(PRICES_FEN) // max(int(aimed.sum()), 1), len(PRICES_FEN) - 1)
    chosen = np.where(aimed, place, price)
    rows = np.flatnonzero(lot | aimed)
    mean = _level(c.take(rows)) * (PRICES_FEN[chosen[rows]] / LIST_FEN) ** elasticity(c)[rows]
    return {
        "customer_id": customer_no(c.number[rows]),
        "product_id": np.full(len(rows), PRODUCT),
        "price_fen": PRICES_FEN[chosen[rows]],
        "list_price_fen": np.full(len(rows), LIST_FEN),
        "bought": _poisson(mean, bought[rows]),
        "by_lot": lot[rows],
        "aim": pa.array(aim[rows], mask=~aimed[rows]),
    }


def _level(c: Customers) -> Array:
    """Bought a month at the list price: more by who uses up the allowance, less by who is troubled."""
    allowance = np.where(c.prepaid, 3.0 * world.GB, world.DATA[c.plan])
    short = np.clip(c.data_level - np.log(np.maximum(allowance, 1.0)), -1.5, 0.7)
    return np.asarray(np.exp(0.1 + 0.6 * short + 0.3 * c.responsive - 0.5 * np.minimum(c.mood, 2.0)))


def _poisson(mean: Array, luck: Array) -> Array:
    """A count by inversion: one number of luck each, so that a price moves nobody else's luck."""
    count, term = np.zeros(len(mean)), np.exp(-mean)
    below = term.copy()
    for k in range(1, 60):
        count += luck > below
        term = term * mean / k
        below += term
    return count
