"""Who is treated and who is left alone for comparison: the same prices choose for both.

The lot is drawn among everyone who has a candidate that gains. A held-out customer whom the
prices would not have chosen is simply below the cut, so that both arms hold like customers.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from keepline.decisions.allocation import Allocation, allocate
from keepline.decisions.prices import choose
from keepline.decisions.problem import NONE, Bools, Floats, Ints, Problem, chunks
from keepline.decisions.weeks import Weeks, spread
from keepline.holdout import is_held_out
from keepline.policy.documents import Limits


@dataclass(frozen=True)
class Assigned:
    """Rows of ASSIGNMENTS in order of customers; ``kind`` is a place in the problem's kinds."""

    customer_id: Ints
    treated: Bools
    kind: Ints
    by_rule: Bools
    gain: Ints
    week: Ints  # from 1 on; 0 for those left alone, and where policy knows no weeks

    def of(self, part: slice | Bools) -> Assigned:
        """Some of the rows."""
        kept = (self.customer_id[part], self.treated[part], self.kind[part], self.by_rule[part])
        return Assigned(*kept, self.gain[part], self.week[part])


def drawn(problem: Problem, limits: Limits) -> Bools:
    """Whom the lot leaves alone."""
    salt, share = limits.held_out_salt, limits.held_out_share
    each = (who for low, high in chunks(problem.customers) for who in problem.customer_id[low:high].tolist())
    lots = (is_held_out(who, salt=salt, share=share) for who in each)
    return np.fromiter(lots, dtype=np.bool_, count=problem.customers)


def assign(
    problem: Problem, held_out: Bools, *, weeks: Weeks | None = None, urgency: Floats | None = None
) -> tuple[Allocation, Assigned]:
    """The plan over those not held out, by weeks where there are some, and the rows of both arms."""
    open_to, alone = problem.only(~held_out), problem.only(held_out)
    plan = allocate(open_to)
    if weeks is not None:
        risk = np.zeros(problem.customers) if urgency is None else urgency
        plan = spread(open_to, plan, weeks, risk[~held_out])
    week = np.zeros(open_to.customers, dtype=np.int64) if plan.week is None else plan.week
    every = np.ones(alone.customers, dtype=np.bool_)
    chosen = choose(alone, plan.prices)
    rows = _both(
        _rows(open_to, plan.choice, by_rule=plan.by_rule, week=week, treated=True),
        _rows(alone, chosen, by_rule=every, week=np.zeros(alone.customers, dtype=np.int64), treated=False),
    )
    return plan, rows


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
