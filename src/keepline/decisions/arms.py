"""Who is treated and who is left alone for comparison: the same prices choose for both.

The lot is drawn among everyone who has a candidate that gains. A held-out customer whom the
prices would not have chosen is simply below the cut, so that both arms hold like customers.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from keepline.decisions.allocation import Priced, priced
from keepline.decisions.prices import choose
from keepline.decisions.problem import NONE, Bools, Ints, Problem
from keepline.decisions.shortlist import Shortlist
from keepline.decisions.spreading import by_weeks
from keepline.decisions.weeks import Weeks


@dataclass(frozen=True)
class Assigned:
    """Rows of ASSIGNMENTS in order of customers; ``kind`` is a place in the problem's kinds."""

    customer_id: Ints
    treated: Bools
    kind: Ints
    by_rule: Bools
    gain: Ints
    week: Ints  # from 1 on; 0 for those left alone, and where policy knows no weeks


@dataclass(frozen=True)
class Arms:
    """The plan over those not held out, by weeks where there are some, and with it the rows of both arms."""

    short: Shortlist
    plan: Priced

    def rows(self, part: int) -> Assigned:
        """Of the customers of one part of the candidates, in order."""
        block, alone = self.short.open_to.block(part), self.short.alone.block(part).problem
        ruled, choice = self.plan.of(block)
        week = self.plan.weeks_of(block, choice)
        chosen = choose(alone, self.plan.prices)
        every, none = np.ones(alone.customers, dtype=np.bool_), np.zeros(alone.customers, dtype=np.int64)
        return _both(
            _rows(block.problem, choice, by_rule=choice == ruled, week=week, treated=True),
            _rows(alone, chosen, by_rule=every, week=none, treated=False),
        )

    def __iter__(self) -> Iterator[Assigned]:
        """Part after part."""
        return (self.rows(part) for part in range(len(self.short.open_to.pieces)))


def assign(short: Shortlist, weeks: Weeks | None = None) -> Arms:
    """Plan over those whom the lot does not leave alone."""
    plan = priced(short.open_to)
    return Arms(short, plan if weeks is None else by_weeks(short.open_to, plan, weeks))


def _rows(problem: Problem, choice: Ints, *, by_rule: Bools, week: Ints, treated: bool) -> Assigned:
    found = choice != NONE
    picks = choice[found]
    return Assigned(
        problem.customer_id[found],
        np.full(len(picks), treated),
        problem.kind[picks],
        by_rule[found],
        problem.gain[picks].astype(np.int64),
        week[found],
    )


def _both(one: Assigned, other: Assigned) -> Assigned:
    pairs = [np.concatenate(pair) for pair in zip(_columns(one), _columns(other), strict=True)]
    order = np.argsort(pairs[0], kind="stable")
    return Assigned(*(column[order] for column in pairs))


def _columns(rows: Assigned) -> tuple[npt.NDArray[np.generic], ...]:
    return rows.customer_id, rows.treated, rows.kind, rows.by_rule, rows.gain, rows.week
