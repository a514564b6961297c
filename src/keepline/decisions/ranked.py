"""The plan most operators make: those most at risk first; here to be compared with, never carried out.

Customers are taken by falling probability of leaving, equal ones by id. Each gets, of the offers
that still fit what is left of the means, the one that gains most. The list is thereby given our
own gains, which a list by risk does not know; the comparison flatters it.
"""

from __future__ import annotations

import numpy as np

from keepline.decisions.problem import NONE, Bools, Floats, Ints, Problem, first_where

BLOCK = 2048


def ranked_gain(problem: Problem, risk: Floats) -> int:
    """What the list gains under the same means, in fen; unknown risks (NaN) come last."""
    order = np.lexsort((problem.customer_id, -np.nan_to_num(risk, nan=-1.0)))
    left = _Left(problem)
    done = gain = 0
    while done < len(order) and left.open_kinds().any():
        block = order[done : done + BLOCK]
        picks = left.best(block)
        count = left.prefix(block, picks)
        gain += left.take(block[:count], picks[:count])
        done += count
    return gain


class _Left:
    """What is left of the means while the list is worked down."""

    def __init__(self, problem: Problem) -> None:
        self.problem = problem
        self.money = problem.means.money
        self.channels = problem.means.channels.copy()
        self.minutes = problem.means.minutes.copy()

    def open_kinds(self) -> Bools:
        """Kinds of offer that money and contacts still allow."""
        kinds = self.problem.kinds
        return np.asarray((kinds.cost <= self.money) & np.append(self.channels > 0, True)[kinds.channel])

    def best(self, block: Ints) -> Ints:
        """Each customer's candidate that gains most of those that fit now; NONE where none does."""
        problem = self.problem
        counts = problem.start[block + 1] - problem.start[block]
        start = np.cumsum(counts) - counts
        owner = np.repeat(np.arange(len(block)), counts)
        rows = problem.start[block][owner] + np.arange(len(owner)) - start[owner]
        kind, manager = problem.kind[rows], problem.manager[block][owner]
        room = np.append(self.minutes, 0)[manager]
        fits = self.open_kinds()[kind] & ((manager == NONE) | (problem.kinds.minutes[kind] <= room))
        gain = np.where(fits, problem.gain[rows], 0)
        top = np.maximum.reduceat(gain, start)
        pick = first_where(gain == top[owner], start)
        return np.where(top > 0, rows[pick], NONE)

    def prefix(self, block: Ints, picks: Ints) -> int:
        """How many of the block, in order, can be served before the first that no longer fits."""
        cost, channel, manager, minutes = self._uses(block, picks)
        over = np.cumsum(cost) > self.money
        for place in range(len(self.channels)):
            over |= (channel == place) & (np.cumsum(channel == place) > self.channels[place])
        over |= (minutes > 0) & (manager != NONE) & (_running(manager, minutes) > np.append(self.minutes, 0)[manager])
        return int(np.argmax(over)) if over.any() else len(block)

    def take(self, block: Ints, picks: Ints) -> int:
        cost, channel, manager, minutes = self._uses(block, picks)
        self.money -= int(cost.sum())
        np.subtract.at(self.channels, channel[channel != NONE], 1)
        bound = manager != NONE
        np.subtract.at(self.minutes, manager[bound], minutes[bound])
        return int(self.problem.gain[picks[picks != NONE]].sum(dtype=np.int64))

    def _uses(self, block: Ints, picks: Ints) -> tuple[Ints, Ints, Ints, Ints]:
        kinds, kind = self.problem.kinds, self.problem.kind[picks]
        taken = picks != NONE
        cost, minutes = np.where(taken, kinds.cost[kind], 0), np.where(taken, kinds.minutes[kind], 0)
        return cost, np.where(taken, kinds.channel[kind], NONE), self.problem.manager[block], minutes


def _running(manager: Ints, minutes: Ints) -> Ints:
    """Each manager's minutes up to and with this customer, in the block's order."""
    order = np.argsort(manager, kind="stable")
    total = np.cumsum(minutes[order])
    opens = np.r_[True, np.diff(manager[order]) != 0]
    before = (total - minutes[order])[opens]
    sums = total - np.repeat(before, np.diff(np.r_[np.flatnonzero(opens), len(order)]))
    found = np.empty_like(sums)
    found[order] = sums
    return found
