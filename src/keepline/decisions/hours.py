"""What a minute of each account manager is worth, from the manager's own customers alone.

At given prices of money and contacts, a customer's best offer depends on the manager's price of
a minute alone: as it rises the customer steps down to offers that take fewer minutes, at prices
that can be computed. A manager's price is the lowest at which the minutes suffice. So thousands
of limits cost one sort.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np

from keepline.decisions.problem import NONE, Bools, Floats, Ints, Problem, first_where

FAR = np.iinfo(np.int64).max // 4


@dataclass(frozen=True)
class Steps:
    """Steps down: at ``price`` a minute, the customer leaves candidate ``before`` for ``after`` (NONE: nothing)."""

    manager: Ints
    price: Floats
    level: Ints  # steps the customer took before this one
    saved: Ints  # minutes
    before: Ints
    after: Ints


@dataclass(frozen=True)
class _Place:
    """Where customers stand: the candidate (NONE: nothing), its reduced gain and minutes."""

    pick: Ints
    reduced: Ints
    minutes: Ints

    def moved(self, where: Bools, to: _Place) -> _Place:
        pairs = ((getattr(to, f.name), getattr(self, f.name)) for f in fields(self))
        return _Place(*(np.where(where, new, old) for new, old in pairs))


@dataclass(frozen=True)
class _Rungs:
    """The candidates of some customers; places count from the first of them."""

    start: Ints
    owner: Ints
    minutes: Ints
    reduced: Ints

    def without_minutes(self) -> _Place:
        """The best offer that takes no minutes, or nothing."""
        free = self.minutes == 0
        top = np.maximum(np.maximum.reduceat(np.where(free, self.reduced, -FAR), self.start), 0)
        pick = first_where(free & (self.reduced == top[self.owner]) & (self.reduced > 0), self.start)
        pick = np.where(pick == len(free), NONE, pick)
        return _Place(pick, top, np.zeros(len(top), dtype=np.int64))

    def fewest_minutes(self, allowed: Bools) -> _Place:
        """Of the allowed candidates the one of fewest minutes; NONE where none is allowed."""
        fewest = np.minimum.reduceat(np.where(allowed, self.minutes, FAR), self.start)
        pick = first_where(allowed & (self.minutes == fewest[self.owner]), self.start)
        none = pick == len(allowed)
        safe = np.where(none, 0, pick)
        return _Place(np.where(none, NONE, pick), self.reduced[safe], self.minutes[safe])

    def best(self, free: _Place) -> _Place:
        """Where customers stand when minutes cost nothing."""
        top = np.maximum.reduceat(self.reduced, self.start)
        found = self.fewest_minutes(self.reduced == top[self.owner])
        return free.moved(top > free.reduced, found)

    def next(self, now: _Place, free: _Place) -> tuple[Floats, _Place]:
        """The price of a minute at which each leaves its place, and where it goes."""
        lower = (self.minutes > 0) & (self.minutes < now.minutes[self.owner])
        lost = (now.reduced[self.owner] - self.reduced).astype(float)
        spared = np.where(lower, now.minutes[self.owner] - self.minutes, 1)
        price = np.where(lower, lost / spared, np.inf)
        soonest = np.minimum.reduceat(price, self.start)
        to_free = (now.reduced - free.reduced) / np.maximum(now.minutes, 1)
        down = self.fewest_minutes(lower & (price == soonest[self.owner]))
        return np.minimum(soonest, to_free), down.moved(to_free <= soonest, free)


def best_places(problem: Problem, *, low: int, high: int, reduced: Ints) -> tuple[Ints, list[Steps]]:
    """The best candidates of customers ``low`` to ``high`` while minutes are free, and their steps down.

    ``reduced`` are their candidates' gains less the prices of money and contacts, in units.
    """
    first = int(problem.start[low])
    minutes = problem.kinds.minutes[problem.kind[first : problem.start[high]]]
    rungs = _Rungs(problem.start[low:high] - first, problem.owner(low, high), minutes, reduced)
    free = rungs.without_minutes()
    now = rungs.best(free)
    top = _whole(now.pick, first)
    steps: list[Steps] = []
    while (active := now.minutes > 0).any():
        price, then = rungs.next(now, free)
        steps.append(
            Steps(
                manager=problem.manager[low:high][active],
                price=price[active],
                level=np.full(int(active.sum()), len(steps)),
                saved=(now.minutes - then.minutes)[active],
                before=_whole(now.pick, first)[active],
                after=_whole(then.pick, first)[active],
            )
        )
        now = now.moved(active, then)
    return top, steps


def _whole(pick: Ints, first: int) -> Ints:
    """Places in the whole problem."""
    return np.where(pick == NONE, NONE, pick + first)


def join(steps: list[Steps]) -> Steps:
    """All steps together."""
    return Steps(*(np.concatenate([getattr(s, f.name) for s in steps]) for f in fields(Steps)))


def settle(steps: Steps, minutes: Ints) -> tuple[Ints, Floats]:
    """Each manager's price in units a minute, and the share of each step that is taken at it.

    The marginal step is taken in part, so that a priced manager's minutes are used up exactly;
    this makes the slope in the other prices a true one.
    """
    order = np.lexsort((steps.before, -steps.level, -steps.price, steps.manager))
    manager, saved = steps.manager[order], steps.saved[order]
    total = np.cumsum(saved)
    opens = np.r_[True, manager[1:] != manager[:-1]]
    base = np.repeat((total - saved)[opens], np.diff(np.r_[np.flatnonzero(opens), len(manager)]))
    room = minutes[manager] - (total - saved - base)  # left for this step after the dearer ones
    taken = np.empty(len(order))
    taken[order] = 1 - np.clip(room, 0, saved) / saved
    price = np.zeros(len(minutes))
    over = taken > 0
    np.maximum.at(price, steps.manager[over], np.floor(steps.price[over]) + 1)
    return price.astype(np.int64), taken
