"""Who gets what within our means: the most gain together, at most one offer a customer (D4).

Prices on the means are found first (``prices``); they choose by themselves, and alike for those
treated and those held out. What they choose is then made to fit and filled up (``repair``). The
prices' bound certifies how far from the best possible plan the result can be at most.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from keepline.decisions.blocks import Block, Blocks, unknown
from keepline.decisions.narrowing import Narrowed
from keepline.decisions.prices import bound, choose
from keepline.decisions.problem import NONE, UNIT, Bools, Floats, Ints, Prices, Problem, Usage, usage
from keepline.decisions.repair import repaired, within
from keepline.decisions.search import Found, loosened, lowest
from keepline.decisions.weeks import Weekly


@dataclass(frozen=True)
class Exceptions:
    """Customers for whom something else is done than the prices choose, in order, and their candidates (NONE: nothing).

    Both by their places among all.
    """

    customer: Ints
    to: Ints

    @classmethod
    def none(cls) -> Exceptions:
        return cls(np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int64))

    @classmethod
    def among(cls, narrowed: Narrowed, ruled: Ints, choice: Ints) -> Exceptions:
        """Where a choice of the few differs from what the prices choose."""
        who = np.flatnonzero(choice != ruled)
        to = choice[who]
        return cls(narrowed.customers[who], np.where(to == NONE, NONE, narrowed.candidates[to].astype(np.int64)))


@dataclass(frozen=True)
class Priced:
    """A plan as its prices and the exceptions from what they choose: whatever it does for anyone follows."""

    prices: Prices
    exceptions: Exceptions
    gain_fen: int
    bound_fen: int  # no plan within the means gains more
    used: Usage
    weekly: Weekly | None = None  # where policy knows weeks

    @property
    def gap_share(self) -> float:
        """How much of the bound the plan leaves at most."""
        return (self.bound_fen - self.gain_fen) / self.bound_fen if self.bound_fen else 0.0

    def weeks_of(self, block: Block, choice: Ints) -> Ints:
        """The week of each customer of a block, from 1 on; 0 for nothing, and where policy knows no weeks."""
        return np.zeros(len(choice), dtype=np.int64) if self.weekly is None else self.weekly.of(block, choice)

    def of(self, block: Block) -> tuple[Ints, Ints]:
        """What the prices choose for the customers of a block, and what is done; candidates by place in the block."""
        ruled = choose(block.problem, self.prices)
        low, high = np.searchsorted(self.exceptions.customer, [block.customer, block.end])
        to, choice = self.exceptions.to[low:high], ruled.copy()
        choice[self.exceptions.customer[low:high] - block.customer] = np.where(to == NONE, NONE, to - block.candidate)
        return ruled, choice


@dataclass(frozen=True)
class Allocation:
    """The plan over the customers of a problem that is held; candidates by place, NONE for nothing."""

    prices: Prices
    ruled: Ints  # what the prices choose
    choice: Ints  # what is done
    gain_fen: int
    bound_fen: int
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


def priced(blocks: Blocks) -> Priced:
    """Solve the problem; nobody to treat gives an empty plan at prices of zero."""
    return fitted(blocks, lowest(blocks)) if blocks.customers else _empty(blocks)


def fitted(blocks: Blocks, found: Found) -> Priced:
    """What the prices found choose, made to fit the means and filled up by those whose choice they leave open."""
    most = bound(found.narrowed.few, found.prices) // UNIT + found.narrowed.settled_fen
    ruled, choice = _chosen(found)
    while not within(found.narrowed.few, choice):
        found = loosened(blocks, found)  # the few could not give way enough
        ruled, choice = _chosen(found)
    few, settled = found.narrowed.few, found.narrowed
    gain = int(few.gain[choice[choice != NONE]].sum(dtype=np.int64)) + settled.settled_fen
    used = settled.used.plus(usage(few, choice))
    return Priced(found.prices, Exceptions.among(settled, ruled, choice), gain, most, used)


def _chosen(found: Found) -> tuple[Ints, Ints]:
    """What the prices choose for the few, and what is done."""
    few = found.narrowed.few
    ruled = choose(few, found.prices)
    return ruled, repaired(few, ruled, found.prices)


def allocate(problem: Problem) -> Allocation:
    """The plan of a problem that is held."""
    plan = priced(Blocks.of(problem))
    return held(problem, plan)


def held(problem: Problem, plan: Priced, risk: Floats | None = None) -> Allocation:
    """The plan written out."""
    block = Block(problem, 0, 0, unknown(problem.customers) if risk is None else risk)
    ruled, choice = plan.of(block)
    week = None if plan.weekly is None else plan.weekly.of(block, choice)
    return Allocation(plan.prices, ruled, choice, plan.gain_fen, plan.bound_fen, plan.used, week)


def _empty(blocks: Blocks) -> Priced:
    means = blocks.means
    prices = Prices(0, np.zeros(len(means.channels), dtype=np.int64), np.zeros(len(means.minutes), dtype=np.int64))
    return Priced(prices, Exceptions.none(), 0, 0, Usage.none(means))
