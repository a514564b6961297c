"""Customers whose choice is the same at all prices that still come into question are settled; the few others remain.

What is settled uses up part of the means, and the rest is a smaller problem of the same kind.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from keepline.decisions import loops
from keepline.decisions.loops import Kept
from keepline.decisions.prices import Box, parts, rates_of
from keepline.decisions.problem import NONE, Ints, Means, Problem, usage


@dataclass(frozen=True)
class Narrowed:
    """The few customers not settled, where they are in the whole, and what the settled choose."""

    whole: Problem
    few: Problem
    rows: Ints | None  # candidates of the few in the whole; None: all
    customers: Ints | None  # their places in the whole
    settled: Ints | None  # the choice of every customer of the whole, NONE for the few
    settled_fen: int

    @classmethod
    def none(cls, whole: Problem) -> Narrowed:
        """Nobody is settled."""
        return cls(whole, whole, None, None, None, 0)

    def closer(self, box: Box) -> Narrowed:
        """Only those whose choice differs among the prices of the box."""
        low, high = rates_of(self.few, box.low), rates_of(self.few, box.high)
        customers, places = self.few.customers, self.few.places
        counts, settled = np.empty(customers, np.int32), np.empty(customers, places)
        rows: list[Ints] = []
        for at, first, crowd in parts(self.few):
            here = slice(at, at + len(crowd.manager))
            kept = Kept(np.empty(len(crowd.gain), np.int32), counts[here], np.empty(len(crowd.manager), np.int32))
            made = loops.narrow(crowd, low, high, kept)
            rows.append(kept.rows[:made].astype(places) + first)
            settled[here] = np.where(kept.settled == NONE, NONE, kept.settled + np.int64(first))
        return self._with(np.concatenate(rows), counts, settled)

    def _with(self, rows: Ints, counts: Ints, settled: Ints) -> Narrowed:
        few, kept = self.few, np.flatnonzero(counts)
        used, gain = usage(few, settled), int(few.gain[settled[settled != NONE]].sum(dtype=np.int64))
        means = few.means
        left = Means(means.money - used.money, means.channels - used.channels, means.minutes - used.minutes)
        smaller = Problem(
            few.customer_id[kept],
            np.concatenate([[0], np.cumsum(counts[kept], dtype=np.int64)]),
            few.manager[kept],
            few.gain[rows],
            few.kind[rows],
            few.kinds,
            left,
        )
        customers = kept if self.customers is None else self.customers[kept]
        places = rows if self.rows is None else self.rows[rows]
        return Narrowed(self.whole, smaller, places, customers, self.widened(settled), self.settled_fen + gain)

    def widened(self, choice: Ints) -> Ints:
        """A choice of the few and the settled as one choice of the whole."""
        if self.settled is None or self.rows is None or self.customers is None:
            return choice
        made = self.settled.copy()
        taken = choice != NONE
        made[self.customers[taken]] = self.rows[choice[taken]]
        return made
