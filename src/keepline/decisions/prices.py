"""The prices of our means: the lowest at which what customers are worth together is bought out.

The Lagrangian dual of the allocation: with a price on money, on each channel's contacts and on
each manager's minutes, every customer takes the best offer left after paying. The sum of what
is left, plus the means at their prices, is never below the best plan, whatever the prices; the
lowest such sum is the certificate. It is convex and piecewise linear in the prices of money
and contacts (managers' prices follow, see ``hours``), and is minimised by cutting planes within
a box around the best point so far (Kelley 1960; box as in Marsten, Hogan and Blankenship 1975).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
from scipy.optimize import linprog

from keepline.decisions.hours import best_places, join, settle
from keepline.decisions.problem import (
    NONE,
    PRICE_MAX,
    UNIT,
    Floats,
    Ints,
    Means,
    Prices,
    Problem,
    by_channel,
    chunks,
    first_where,
    ties,
    total,
)

SAMPLE = 20_000  # customers on whom the search begins
TOLERANCE = 1e-9  # share of the value at which the search ends
ROUNDS_MAX = 200
NEAR = 0.02  # how far from the sample's prices the search begins to look, in scaled prices
FLOOR_SHARE = 0.8  # of the sample's prices, below which they are not expected to fall


def reduced(problem: Problem, *, low: int, high: int, prices: Prices) -> Ints:
    """Gains of the candidates of customers ``low`` to ``high`` less what they use, in units."""
    rows = slice(int(problem.start[low]), int(problem.start[high]))
    kind = problem.kind[rows]
    left = problem.gain[rows].astype(np.int64) * UNIT - prices.of_kinds(problem.kinds)[kind]
    if not len(problem.means.minutes):
        return left
    minute = np.append(prices.minutes, 0)[problem.manager[low:high]]
    minute = np.repeat(minute, np.diff(problem.start[low : high + 1]))
    return np.asarray(left - minute * problem.kinds.minutes[kind], dtype=np.int64)


def choose(problem: Problem, prices: Prices) -> Ints:
    """The rule: each customer's candidate with the most left above zero, or NONE; one array over customers."""
    choice = np.full(problem.customers, NONE, dtype=np.int64)
    for low, high in chunks(problem.customers):
        start, owner = problem.start[low:high] - problem.start[low], problem.owner(low, high)
        left = reduced(problem, low=low, high=high, prices=prices) + ties(problem.customer_id[low:high])[owner]
        top = np.maximum.reduceat(left, start)
        pick = first_where(left == top[owner], start) + problem.start[low]
        choice[low:high] = np.where(top > 0, pick, NONE)
    return choice


def bound(problem: Problem, prices: Prices) -> int:
    """The certificate in whole fen: no plan within the means gains more."""
    value = means_at(problem, prices)
    for low, high in chunks(problem.customers):
        left = reduced(problem, low=low, high=high, prices=prices)
        top = np.maximum.reduceat(left, problem.start[low:high] - problem.start[low])
        value += total(top)
    return value // UNIT


def means_at(problem: Problem, prices: Prices) -> int:
    """All means at their prices, in units."""
    means = problem.means
    contacts = sum(int(p) * int(n) for p, n in zip(prices.channels, means.channels, strict=True))
    minutes = sum(int(p) * int(n) for p, n in zip(prices.minutes, means.minutes, strict=True))
    return prices.money * means.money + contacts + minutes


@dataclass(frozen=True)
class Point:
    """The dual at some prices: value and slopes, scaled so that both are of the order of one."""

    x: Floats
    value: float
    slope: Floats
    prices: Prices


class Dual:
    """The dual of one problem in scaled prices, nowhere under a floor.

    x = price of the whole limit / gain if there were no limits; at its lowest the dual is at
    most one, so every x lies between 0 and 1.
    """

    def __init__(self, problem: Problem, *, scale: float, floor: Prices | None = None) -> None:
        takes = np.maximum.reduceat(problem.kinds.minutes[problem.kind] > 0, problem.start[:-1])
        managed = takes & (problem.manager != NONE)
        self._managed, self._plain = problem.only(managed), problem.only(~managed)
        self._means = np.array([max(n, 1) for n in (problem.means.money, *problem.means.channels)], dtype=float)
        self._problem, self._scale = problem, scale
        dearest = PRICE_MAX // max(1, int(problem.kinds.cost.max(initial=1)))
        self._dearest = np.array([dearest] + [PRICE_MAX] * len(problem.means.channels), dtype=float)
        self.floor = np.zeros(len(self._means)) if floor is None else self.x(floor)

    def x(self, prices: Prices) -> Floats:
        """Prices of money and contacts, scaled."""
        units = np.array([prices.money, *prices.channels], dtype=float)
        return np.asarray(units * self._means / (self._scale * UNIT))

    def at(self, x: Floats) -> Point:
        """Evaluate at the nearest whole prices; the managers' prices are the best for them."""
        units = np.minimum(np.rint(x * self._scale * UNIT / self._means), self._dearest).astype(np.int64)
        none = np.zeros(len(self._problem.means.minutes), dtype=np.int64)
        free = Prices(int(units[0]), units[1:], none)
        left_plain, counts = _taken(self._plain, free)
        minutes, hour_counts = _hours(self._managed, free)
        prices = Prices(free.money, free.channels, minutes)
        left = left_plain + _left(self._managed, prices) + means_at(self._problem, prices)
        counts = counts + hour_counts
        used = np.array([counts @ self._problem.kinds.cost, *by_channel(self._problem, counts)])
        return Point(self.x(prices), left / UNIT / self._scale, 1 - used / self._means, prices)


def _tops(problem: Problem, prices: Prices) -> Iterator[tuple[int, Ints, Ints, Ints]]:
    """By chunk: its first customer, where candidates start, what is left of each, and the most of each customer."""
    for low, high in chunks(problem.customers):
        owner = problem.owner(low, high)
        left = reduced(problem, low=low, high=high, prices=prices) + ties(problem.customer_id[low:high])[owner]
        start = problem.start[low:high] - problem.start[low]
        yield low, start, left, np.maximum.reduceat(left, start)


def _left(problem: Problem, prices: Prices) -> int:
    return sum(total(top) for _, _, _, top in _tops(problem, prices))


def _taken(problem: Problem, prices: Prices) -> tuple[int, Floats]:
    """What is left to customers in all, and how many take each kind."""
    value, counts = 0, np.zeros(len(problem.kinds.offer))
    for low, start, left, top in _tops(problem, prices):
        size = np.diff(np.append(start, len(left)))
        best = left == np.repeat(np.where(top > 0, top, -1), size)
        best &= left > 0
        rows = np.flatnonzero(best)
        if len(rows) != int((top > 0).sum()):  # equal offers of one customer: the first counts
            rows = np.asarray(first_where(best, start)[top > 0], dtype=np.intp)
        counts += np.bincount(problem.kind[problem.start[low] + rows], minlength=len(counts))
        value += total(top)
    return value, counts


def _hours(problem: Problem, prices: Prices) -> tuple[Ints, Floats]:
    """Each manager's best price of a minute, and how many customers then take each kind."""
    size, found = len(problem.kinds.offer), []
    counts = np.zeros(size)
    for low, _, left, top in _tops(problem, prices):
        picks, steps = best_places(problem, low=low, high=low + len(top), reduced=left)
        counts += np.bincount(problem.kind[picks[picks != NONE]], minlength=size)
        found += steps
    if not found:
        return np.zeros(len(problem.means.minutes), dtype=np.int64), counts
    joined = join(found)
    minutes, taken = settle(joined, problem.means.minutes)
    minutes = np.minimum(minutes, PRICE_MAX // int(problem.kinds.minutes.max()))
    counts -= np.bincount(problem.kind[joined.before], weights=taken, minlength=size)
    kept = joined.after != NONE
    counts += np.bincount(problem.kind[joined.after[kept]], weights=taken[kept], minlength=size)
    return minutes, counts


def lowest(problem: Problem) -> Prices:
    """The prices at which the dual is lowest; a sample of customers tells where to look.

    Among many customers, only the candidates that could be chosen somewhat below the sample's
    prices are looked at again; the found prices are good as long as they keep above that floor.
    """
    gain = float(np.maximum.reduceat(problem.gain, problem.start[:-1]).sum(dtype=np.int64))
    if problem.customers <= SAMPLE:
        dual = Dual(problem, scale=gain)
        return _search(dual, dual.floor, radius=1.0).prices
    near = lowest(thinned(problem, -(-problem.customers // SAMPLE)))
    floor = _share_of(near, FLOOR_SHARE)
    few = Dual(above(problem, floor), scale=gain, floor=floor)
    found = _search(few, few.x(near), radius=NEAR)
    if not ((found.x <= few.floor) & (few.floor > 0)).any():
        return found.prices
    whole = Dual(problem, scale=gain)
    return _search(whole, found.x, radius=NEAR).prices


def _share_of(prices: Prices, share: float) -> Prices:
    """Lower prices of money and contacts, minutes free."""
    channels = (prices.channels * share).astype(np.int64)
    return Prices(int(prices.money * share), channels, np.zeros_like(prices.minutes))


def above(problem: Problem, floor: Prices) -> Problem:
    """The candidates that are worth something at the floor; the others are at no higher price."""
    parts = []
    for low, high in chunks(problem.customers):
        worth = ties(problem.customer_id[low:high])[problem.owner(low, high)]
        parts.append(reduced(problem, low=low, high=high, prices=floor) + worth > 0)
    return problem.among(np.concatenate(parts))


def thinned(problem: Problem, each: int) -> Problem:
    """Every ``each``-th customer, with as much less means; pseudonyms are random, so this is a fair sample."""
    keep = np.arange(problem.customers) % each == 0
    means = problem.means
    less = Means(means.money // each, means.channels // each, means.minutes // each)
    return replace(problem.only(keep), means=less)


def _search(dual: Dual, begin: Floats, radius: float) -> Point:
    """Cutting planes within a box: step where they promise most, widen when they told true, else narrow.

    What a box of radius r promises at its edge bounds what lies beyond by 1 / r times as much.
    """
    best = dual.at(np.maximum(begin, dual.floor))
    cuts = [best]
    for _ in range(ROUNDS_MAX):
        x, promised = _lowest_by_cuts(cuts, best, floor=dual.floor, radius=radius)
        edge = bool((np.abs(x - best.x) > radius * (1 - 1e-9)).any()) and radius < 1
        if promised <= TOLERANCE * best.value * (max(radius, NEAR) if edge else 1.0):
            break
        found = dual.at(x)
        cuts.append(found)
        gained = best.value - found.value
        if gained < promised / 10:
            radius /= 2
        elif edge:
            radius = min(1.0, radius * 2)
        best = found if gained > 0 else best
    return best


def _lowest_by_cuts(cuts: list[Point], best: Point, *, floor: Floats, radius: float) -> tuple[Floats, float]:
    """Where the cuts' upper envelope is lowest within the box, and how far below the best point that is.

    Measured from the best point in units of the radius, so that the solver's tolerance shrinks
    with the box; where the envelope is level, the smaller prices win.
    """
    slopes = np.array([cut.slope for cut in cuts])
    heights = np.array([cut.value - best.value + cut.slope @ (best.x - cut.x) for cut in cuts]) / radius
    lows = np.clip((floor - best.x) / radius, -1, 0)
    highs = np.clip((1 - best.x) / radius, 0, 1)
    solved = linprog(
        np.append(np.full(len(best.x), 1e-9), 1.0),
        A_ub=np.column_stack([slopes, -np.ones(len(cuts))]),
        b_ub=-heights,
        bounds=[*zip(lows, highs, strict=True), (None, None)],
        method="highs",
    )
    step = np.asarray(solved.x[:-1])
    return best.x + radius * step, -radius * float((slopes @ step + heights).max())
