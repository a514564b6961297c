"""How fast the use of the limits changes with their prices: the curvature of the dual, seen through a window.

The dual is piecewise linear; over many customers it curves, as ever more of them change their choice. Within a
window of some fen each customer is taken to choose at random, the likelier the more is left (logit
choice; McFadden 1974), so that the curvature is the sum of the variances of what they use. A manager's price
follows the others, which takes away what it evens out (a Schur complement for each manager).
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from keepline.compiled import compiled
from keepline.decisions.loops import Crowd, Rates
from keepline.decisions.problem import UNIT

SWEEPS = 200  # over all prices
FAR = 20.0  # windows; e^-20 of the choices lie beyond


class Uses(NamedTuple):
    """What each kind uses of money and of which channel."""

    cost: Any
    channel: Any


class People(NamedTuple):
    """Customers by manager, those of none last; whose minutes have a price; the most candidates of anyone."""

    first: Any
    who: Any
    priced: Any
    most: int


class Sums(NamedTuple):
    """Second moments: of money and channels among themselves, and with minutes, the last with itself."""

    own: Any
    minutes: Any


@compiled
def add(crowd: Crowd, rates: Rates, uses: Uses, minute: int, i: int, window: float, sums: Sums, shares: Any) -> None:
    """The variances of one customer."""
    begin, end, top = crowd.start[i], crowd.start[i + 1], 0.0
    for j in range(begin, end):
        k = crowd.kind[j]
        shares[j - begin] = crowd.gain[j] - (rates.kind[k] + minute * rates.minutes[k]) / UNIT
        top = max(top, shares[j - begin])
    total = np.exp(-top / window)
    for j in range(end - begin):
        away = (shares[j] - top) / window
        shares[j] = np.exp(away) if away > -FAR else 0.0
        total += shares[j]
    for a in range(end - begin):
        one = shares[a] / total
        if one == 0.0:
            continue
        add_pair(rates, uses, sums, crowd.kind[begin + a], crowd.kind[begin + a], one)
        for b in range(end - begin):
            if shares[b] > 0.0:
                add_pair(rates, uses, sums, crowd.kind[begin + a], crowd.kind[begin + b], -one * shares[b] / total)


@compiled
def add_pair(rates: Rates, uses: Uses, sums: Sums, k: int, other: int, share: float) -> None:
    """The product of what two kinds use, so many times."""
    cost, minutes = uses.cost[other] * share, rates.minutes[other] * share
    here, there = uses.channel[k], uses.channel[other]
    sums.own[0, 0] += uses.cost[k] * cost
    sums.minutes[0] += uses.cost[k] * minutes
    sums.minutes[-1] += rates.minutes[k] * minutes
    if here >= 0:
        sums.own[here + 1, 0] += cost
        sums.minutes[here + 1] += minutes
        if there >= 0:
            sums.own[here + 1, there + 1] += share


@compiled
def curve(crowd: Crowd, rates: Rates, uses: Uses, people: People, window: float, size: int) -> Any:
    """Second derivatives by money and channels, ``size`` in all."""
    sums, shares = Sums(np.zeros((size, size)), np.zeros(size + 1)), np.empty(people.most)
    for m in range(len(people.first) - 1):
        sums.minutes[:] = 0
        minute = rates.minute[m]
        for i in people.who[people.first[m] : people.first[m + 1]]:
            add(crowd, rates, uses, minute, i, window, sums, shares)
        if people.priced[m] and sums.minutes[-1] > 0:
            for a in range(size):
                for b in range(a + 1):
                    sums.own[a, b] -= sums.minutes[a] * sums.minutes[b] / sums.minutes[-1]
                    if b > 0 and a != b:
                        sums.own[b, a] -= sums.minutes[a] * sums.minutes[b] / sums.minutes[-1]
    return sums.own / window


@compiled
def lowest(curved: Any, slope: Any, low: Any, high: Any) -> Any:
    """The step within bounds at which slope and curvature promise most, one price after the other (Gauss-Seidel)."""
    step, gradient = np.zeros(len(slope)), slope.copy()
    for _ in range(SWEEPS):
        most = 0.0
        for a in range(len(slope)):
            new = min(max(step[a] - gradient[a] / curved[a, a], low[a]), high[a])
            change = new - step[a]
            if change != 0.0:
                gradient += curved[:, a] * change
                step[a] = new
                most = max(most, abs(change * gradient[a]), change * change * curved[a, a])
        if most < 1e-14:
            break
    return step
