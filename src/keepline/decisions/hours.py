"""What a minute of each account manager is worth, from the manager's own customers alone.

At given prices of money and contacts, a customer's best offer depends on the manager's price of
a minute alone: as it rises the customer steps down to offers that take fewer minutes, at prices
that can be computed. A manager's price is the lowest at which the minutes suffice. So thousands
of limits cost one sort of each manager's steps.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from keepline.compiled import compiled
from keepline.decisions.loops import SHIFT, Crowd, Rates
from keepline.decisions.problem import NONE, TIE_STEP, TIES


class Groups(NamedTuple):
    """Customers by manager: those of manager ``m`` are ``who[first[m] : first[m + 1]]``, in order of id."""

    first: Any
    who: Any
    minutes: Any  # what each manager has
    low: Any  # between these prices of a minute, in units, the managers' prices are looked for
    high: Any


class Steps(NamedTuple):
    """Steps down: just above ``price`` a minute the customer leaves kind ``before`` for ``after`` (NONE: nothing)."""

    price: Any
    saved: Any
    before: Any
    after: Any


@compiled
def settle(crowd: Crowd, rates: Rates, groups: Groups, minute: Any, counts: Any) -> None:
    """Writes each manager's price, and to ``counts`` what is undone of the marginal steps.

    The marginal step is taken in part, so that a priced manager's minutes are used up exactly;
    this makes the slope in the other prices a true one.
    """
    for m in range(len(groups.minutes)):
        who = groups.who[groups.first[m] : groups.first[m + 1]]
        size = 0
        for i in who:
            size += crowd.start[i + 1] - crowd.start[i]
        steps = Steps(
            np.empty(size, np.int64), np.empty(size, np.int64), np.empty(size, np.int64), np.empty(size, np.int64)
        )
        used, made = 0, 0
        for i in who:
            more, made = descend(crowd, rates, groups.low[m], groups.high[m], i, steps, made)
            used += more
        minute[m] = price_of(steps, made, used - groups.minutes[m], groups.low[m], groups.high[m], counts)


@compiled
def price_of(steps: Steps, made: int, over: int, low: int, high: int, counts: Any) -> int:
    """The lowest price that saves the minutes there are too many; of its last step the part not needed is undone."""
    if over <= 0:
        return low
    for n in np.argsort(steps.price[:made], kind="mergesort"):
        over -= steps.saved[n]
        if over <= 0:
            part = -over / steps.saved[n]
            counts[steps.before[n]] += part
            if steps.after[n] >= 0:
                counts[steps.after[n]] -= part
            price: int = min(steps.price[n] + 1, high)
            return price
    return high


@compiled
def descend(crowd: Crowd, rates: Rates, low: int, high: int, i: int, steps: Steps, made: int) -> tuple[int, int]:
    """A customer's steps between two prices of a minute, and the minutes taken at the lower."""
    tie = TIES - 1 - crowd.ids[i] // TIE_STEP
    left, spent, kind = 0, 0, NONE  # where the customer stands: nothing
    for j in range(crowd.start[i], crowd.start[i + 1]):
        k = crowd.kind[j]
        here, needs = (np.int64(crowd.gain[j]) << SHIFT) - rates.kind[k] + tie, rates.minutes[k]
        better = (here - low * needs) - (left - low * spent)
        if better > 0 or (better == 0 and needs < spent):
            left, spent, kind = here, needs, k
    first = spent
    while spent > 0:
        soonest, then, fewer, to = left // spent, 0, 0, NONE
        for j in range(crowd.start[i], crowd.start[i + 1]):
            k = crowd.kind[j]
            needs = rates.minutes[k]
            if needs < spent:
                here = (np.int64(crowd.gain[j]) << SHIFT) - rates.kind[k] + tie
                price = (left - here) // (spent - needs)
                if price < soonest or (price == soonest and (needs < fewer or (needs == fewer and here > then))):
                    soonest, then, fewer, to = price, here, needs, k
        if soonest >= high:
            break
        steps.price[made], steps.saved[made] = soonest, spent - fewer
        steps.before[made], steps.after[made] = kind, to
        made += 1
        left, spent, kind = then, fewer, to
    return first, made
