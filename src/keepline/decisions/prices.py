"""What the prices of our means choose, and what they prove.

The Lagrangian dual of the allocation: with a price on money, on each channel's contacts and on
each manager's minutes, every customer takes the best offer left after paying. The sum of what
is left, plus the means at their prices, is never below the best plan, whatever the prices; the
lowest such sum is the certificate. It is convex and piecewise linear in the prices of money
and contacts; managers' prices follow, see ``hours``.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from keepline.decisions import curvature, hours, loops
from keepline.decisions.blocks import Blocks
from keepline.decisions.loops import Crowd, Rates
from keepline.decisions.problem import (
    NONE,
    PRICE_MAX,
    UNIT,
    Floats,
    Ints,
    Kinds,
    Means,
    Prices,
    Problem,
    by_channel,
    chunks,
)

ASKED = 8_000  # customers whose choices tell the curvature


def crowd_of(problem: Problem) -> Crowd:
    """The arrays of a problem as the loops take them."""
    told = problem.compact()
    return Crowd(told.start, told.kind, told.gain, told.manager, told.customer_id)


def rates_of(problem: Problem, prices: Prices) -> Rates:
    """Prices by kind and by manager as the loops take them."""
    minute = np.append(prices.minutes, 0).astype(np.int64)
    return Rates(prices.of_kinds(problem.kinds), problem.kinds.minutes.astype(np.int64), minute)


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
    choice: Ints = np.full(problem.customers, NONE, dtype=problem.places)
    loops.choose(crowd_of(problem), rates_of(problem, prices), choice)
    return choice


def bound(problem: Problem, prices: Prices) -> int:
    """The certificate in units: no plan within the means gains more."""
    return joined(loops.worth(crowd_of(problem), rates_of(problem, prices))) + means_at(problem.means, prices)


def joined(sums: tuple[int, int]) -> int:
    """Whole fen and the rest, in units."""
    return int(sums[0]) * UNIT + int(sums[1])


def means_at(means: Means, prices: Prices) -> int:
    """All means at their prices, in units."""
    contacts = sum(int(p) * int(n) for p, n in zip(prices.channels, means.channels, strict=True))
    minutes = sum(int(p) * int(n) for p, n in zip(prices.minutes, means.minutes, strict=True))
    return prices.money * means.money + contacts + minutes


@dataclass(frozen=True)
class Box:
    """The lowest and highest prices among which the best are looked for."""

    low: Prices
    high: Prices

    @classmethod
    def whole(cls, kinds: Kinds, means: Means) -> Box:
        """From nothing to what the arithmetic allows."""
        dearest = PRICE_MAX // max(1, int(kinds.cost.max(initial=1)))
        minute = PRICE_MAX // max(1, int(kinds.minutes.max(initial=1)))
        none = Prices(0, np.zeros(len(means.channels), dtype=np.int64), np.zeros(len(means.minutes), dtype=np.int64))
        return cls(none, Prices(dearest, none.channels + PRICE_MAX, none.minutes + minute))


@dataclass(frozen=True)
class Point:
    """The dual at some prices: value and slopes, scaled so that both are of the order of one."""

    x: Floats
    value: float
    slope: Floats
    prices: Prices


@dataclass(frozen=True)
class Scale:
    """x = price of the whole limit / gain if there were no limits; the best x lie between 0 and 1."""

    gain: float
    means: Floats
    customers: int

    @classmethod
    def of(cls, blocks: Blocks) -> Scale:
        means = (blocks.means.money, *blocks.means.channels)
        return cls(float(blocks.best_fen), np.array([max(n, 1) for n in means], dtype=float), blocks.customers)

    def x(self, prices: Prices) -> Floats:
        """Prices of money and contacts, scaled."""
        units = np.array([prices.money, *prices.channels], dtype=float)
        return np.asarray(units * self.means / (self.gain * UNIT))

    def units(self, x: Floats) -> Floats:
        return np.asarray(x * self.gain * UNIT / self.means)


class Dual:
    """The dual of one problem as a function of the scaled prices of money and contacts, within a box.

    ``settled_fen`` is what the customers who are settled anyhow gain.
    """

    def __init__(self, problem: Problem, *, scale: Scale, box: Box, settled_fen: int = 0) -> None:
        self.problem, self.scale, self.box, self._settled = problem, scale, box, settled_fen
        self.low, self.high = scale.x(box.low), np.minimum(scale.x(box.high), 1.0)
        self.typical_fen = scale.gain / max(1, scale.customers)
        self._crowd = crowd_of(problem)
        self._groups = _groups(problem, box)
        self._most = int(np.diff(problem.start).max(initial=1))
        self._each = -(-problem.customers // ASKED)
        self.asked = -(-problem.customers // max(1, self._each))
        self._asked = _every(self._groups, problem.customers, max(1, self._each))

    def at(self, x: Floats) -> Point:
        """Evaluate at the nearest whole prices; the managers' prices are the best for them."""
        box, problem = self.box, self.problem
        lows, highs = (np.array([p.money, *p.channels], dtype=float) for p in (box.low, box.high))
        units = np.clip(np.rint(self.scale.units(x)), lows, highs).astype(np.int64)
        minute = np.zeros(len(problem.means.minutes) + 1, dtype=np.int64)
        free = Prices(int(units[0]), units[1:], minute[:-1])
        rates, counts = rates_of(problem, free), np.zeros(len(problem.kinds.offer))
        hours.settle(self._crowd, rates, self._groups, minute, counts)
        left = joined(loops.taken(self._crowd, rates._replace(minute=minute), counts))
        prices = Prices(free.money, free.channels, minute[:-1])
        value = (left + means_at(problem.means, prices)) / UNIT + self._settled
        used = np.array([counts @ problem.kinds.cost, *by_channel(problem, counts)])
        room = np.array([problem.means.money, *problem.means.channels], dtype=float)
        return Point(self.scale.x(prices), value / self.scale.gain, (room - used) / self.scale.means, prices)

    def curvature(self, at: Point, window: float) -> Floats:
        """Second derivatives at a point, seen through a window of so many fen; of many customers some are asked."""
        problem, kinds, size = self.problem, self.problem.kinds, len(self.scale.means)
        uses = curvature.Uses(kinds.cost.astype(np.int64), kinds.channel.astype(np.int64))
        priced = np.append((at.prices.minutes > self.box.low.minutes), False)
        people = curvature.People(*self._asked, priced, self._most)
        found = curvature.curve(self._crowd, rates_of(problem, at.prices), uses, people, window, size)
        found[0, 1:] = found[1:, 0]
        return np.asarray(found * self._each * self.scale.gain / np.outer(self.scale.means, self.scale.means))


def _every(groups: hours.Groups, customers: int, step: int) -> tuple[Ints, Ints]:
    """Where each manager's customers begin and who they are, every so many-th of them; those of none come last."""
    plain = np.ones(customers, dtype=np.bool_)
    plain[groups.who] = False
    whole = np.concatenate([groups.who, np.flatnonzero(plain)])
    first = -(-np.append(groups.first, len(whole)) // step)
    return first, whole[::step]


def _groups(problem: Problem, box: Box) -> hours.Groups:
    """By manager the customers who could take minutes."""
    takes = np.maximum.reduceat(problem.kinds.minutes[problem.kind] > 0, problem.start[:-1])
    managed = takes & (problem.manager != NONE)
    who = np.flatnonzero(managed)
    who = who[np.argsort(problem.manager[who], kind="stable")]
    size = np.bincount(problem.manager[who], minlength=len(problem.means.minutes))
    first = np.concatenate([[0], np.cumsum(size)])
    minutes = problem.means.minutes.astype(np.int64)
    return hours.Groups(first, who, minutes, box.low.minutes, box.high.minutes)


def parts(problem: Problem) -> Iterator[tuple[int, int, Crowd]]:
    """The customers in pieces of moderate size, each counted from its own first candidate."""
    whole = crowd_of(problem)
    for low, high in chunks(problem.customers):
        first, last = int(problem.start[low]), int(problem.start[high])
        yield (
            low,
            first,
            Crowd(
                whole.start[low : high + 1] - first,
                whole.kind[first:last],
                whole.gain[first:last],
                whole.manager[low:high],
                whole.ids[low:high],
            ),
        )
