"""The plan most operators make: those most at risk first; here to be compared with, never carried out.

Customers are taken by falling probability of leaving, equal ones by id, unknown ones last. Each gets, of the offers
that still fit what is left of the means, the one that gains most. The list is thereby given our
own gains, which a list by risk does not know; the comparison flatters it.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from keepline.decisions.blocks import Blocks
from keepline.decisions.problem import NONE, Bools, Floats, Ints, Kinds, Means, Problem, first_where

BLOCK = 2048
AHEAD = 1 << 20  # customers of the list that are held at a time


def ranked_gain(blocks: Blocks, *, ahead: int = AHEAD) -> int:
    """What the list gains under the same means, in fen."""
    left, gain = _Left(blocks.kinds, blocks.means), 0
    for place in _by_risk(blocks, ahead):
        who = np.sort(place)
        problem = blocks.gathered(who).problem(blocks.kinds, blocks.means)
        gain += left.serve(problem, np.searchsorted(who, place))
        if not left.open_kinds().any():
            break
    return gain


def _by_risk(blocks: Blocks, ahead: int) -> Iterator[Ints]:
    """The places of all customers, the most likely to leave first, some at a time; the risks are read each time."""
    last: tuple[float, int] = (-np.inf, NONE)
    for _ in range(0, blocks.customers, ahead):
        risk, place = _next(blocks, last, ahead)
        last = (float(risk[-1]), int(place[-1]))
        yield place


def _next(blocks: Blocks, last: tuple[float, int], ahead: int) -> tuple[Floats, Ints]:
    """The next customers after the last, with their risks, lowest (that is: most negative) first."""
    risk: Floats = np.zeros(0)
    place: Ints = np.zeros(0, dtype=np.int64)
    most = np.inf
    for first, known in blocks.risks():
        here = -np.nan_to_num(known, nan=-1.0)
        who = np.arange(first, first + len(here))
        after = (here < most) & ((here > last[0]) | ((here == last[0]) & (who > last[1])))
        risk, place = np.append(risk, here[after]), np.append(place, who[after])
        if len(place) > 2 * ahead:
            risk, place = _first(risk, place, ahead)
            most = risk[-1]  # those after have larger ids
    return _first(risk, place, ahead)


def _first(risk: Floats, place: Ints, ahead: int) -> tuple[Floats, Ints]:
    order = np.lexsort((place, risk))[:ahead]
    return risk[order], place[order]


class _Left:
    """What is left of the means while the list is worked down."""

    def __init__(self, kinds: Kinds, means: Means) -> None:
        self.kinds = kinds
        self.money = means.money
        self.channels = means.channels.copy()
        self.minutes = means.minutes.copy()

    def serve(self, problem: Problem, order: Ints) -> int:
        """Serve some customers in order as long as anything is left; what they gain."""
        done = gain = 0
        while done < len(order) and self.open_kinds().any():
            block = order[done : done + BLOCK]
            picks = self.best(problem, block)
            count = self.prefix(problem, block, picks)
            gain += self.take(problem, block[:count], picks[:count])
            done += count
        return gain

    def open_kinds(self) -> Bools:
        """Kinds of offer that money and contacts still allow."""
        kinds = self.kinds
        return np.asarray((kinds.cost <= self.money) & np.append(self.channels > 0, True)[kinds.channel])

    def best(self, problem: Problem, block: Ints) -> Ints:
        """Each customer's candidate that gains most of those that fit now; NONE where none does."""
        counts = problem.start[block + 1] - problem.start[block]
        start = np.cumsum(counts) - counts
        owner = np.repeat(np.arange(len(block)), counts)
        rows = problem.start[block][owner] + np.arange(len(owner)) - start[owner]
        kind, manager = problem.kind[rows], problem.manager[block][owner]
        room = np.append(self.minutes, 0)[manager]
        fits = self.open_kinds()[kind] & ((manager == NONE) | (self.kinds.minutes[kind] <= room))
        gain = np.where(fits, problem.gain[rows], 0)
        top = np.maximum.reduceat(gain, start)
        pick = first_where(gain == top[owner], start)
        return np.where(top > 0, rows[pick], NONE)

    def prefix(self, problem: Problem, block: Ints, picks: Ints) -> int:
        """How many of the block, in order, can be served before the first that no longer fits."""
        cost, channel, manager, minutes = self._uses(problem, block, picks)
        over = np.cumsum(cost) > self.money
        for place in range(len(self.channels)):
            over |= (channel == place) & (np.cumsum(channel == place) > self.channels[place])
        over |= (minutes > 0) & (manager != NONE) & (_running(manager, minutes) > np.append(self.minutes, 0)[manager])
        return int(np.argmax(over)) if over.any() else len(block)

    def take(self, problem: Problem, block: Ints, picks: Ints) -> int:
        cost, channel, manager, minutes = self._uses(problem, block, picks)
        self.money -= int(cost.sum())
        np.subtract.at(self.channels, channel[channel != NONE], 1)
        bound = manager != NONE
        np.subtract.at(self.minutes, manager[bound], minutes[bound])
        return int(problem.gain[picks[picks != NONE]].sum(dtype=np.int64))

    def _uses(self, problem: Problem, block: Ints, picks: Ints) -> tuple[Ints, Ints, Ints, Ints]:
        kinds, kind = self.kinds, problem.kind[picks]
        taken = picks != NONE
        cost, minutes = np.where(taken, kinds.cost[kind], 0), np.where(taken, kinds.minutes[kind], 0)
        return cost, np.where(taken, kinds.channel[kind], NONE), problem.manager[block], minutes


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
