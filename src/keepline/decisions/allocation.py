"""Who gets what within our means: the most gain together, at most one offer a customer (D4).

Prices on the means are found first (``prices``); they choose by themselves, and alike for those
treated and those held out. What they choose is then made to fit and filled up (``repair``). The
prices' bound certifies how far from the best possible plan the result can be at most.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from keepline.decisions.prices import bound, choose
from keepline.decisions.problem import NONE, UNIT, Bools, Ints, Prices, Problem, Usage, usage
from keepline.decisions.repair import repaired, within
from keepline.decisions.search import lowest


@dataclass(frozen=True)
class Allocation:
    """The plan over the customers of a problem; candidates by place, NONE for nothing."""

    prices: Prices
    ruled: Ints  # what the prices choose
    choice: Ints  # what is done
    gain_fen: int
    bound_fen: int  # no plan within the means gains more
    used: Usage
    week: Ints | None = None  # from 1 on, 0 for nothing; None where policy knows no weeks

    @property
    def by_rule(self) -> Bools:
        """Treated by the prices alone, not by filling up or making room."""
        return np.asarray((self.choice != NONE) & (self.choice == self.ruled))

    @property
    def gap_share(self) -> float:
        """How much of the bound the plan leaves at most."""
        return (self.bound_fen - self.gain_fen) / self.bound_fen if self.bound_fen else 0.0


def allocate(problem: Problem) -> Allocation:
    """Solve the problem; nobody to treat gives an empty plan at prices of zero."""
    if not problem.customers:
        return _empty(problem)
    found = lowest(problem.compact())
    prices, narrowed = found.prices, found.narrowed
    chosen = choose(narrowed.few, prices)
    ruled, choice = narrowed.widened(chosen), narrowed.widened(repaired(narrowed.few, chosen, prices))
    if not within(problem, choice):  # the few could not give way enough
        choice = repaired(problem, ruled, prices)
    gain = int(problem.gain[choice[choice != NONE]].sum(dtype=np.int64))
    most = bound(narrowed.few, prices) // UNIT + narrowed.settled_fen
    return Allocation(prices, ruled, choice, gain, most, usage(problem, choice))


def _empty(problem: Problem) -> Allocation:
    none = np.zeros(0, dtype=np.int64)
    means = problem.means
    prices = Prices(0, np.zeros(len(means.channels), dtype=np.int64), np.zeros(len(means.minutes), dtype=np.int64))
    return Allocation(prices, none, none, 0, 0, usage(problem, none))
