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
from keepline.decisions.problem import NONE, Bools, Ints, Problem
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


def drawn(problem: Problem, limits: Limits) -> Bools:
    """Whom the lot leaves alone."""
    salt, share = limits.held_out_salt, limits.held_out_share
    lots = (is_held_out(int(who), salt=salt, share=share) for who in problem.customer_id.tolist())
    return np.fromiter(lots, dtype=np.bool_, count=problem.customers)


def assign(problem: Problem, held_out: Bools) -> tuple[Allocation, Assigned]:
    """The plan over those not held out, and the rows of both arms."""
    open_to, alone = problem.only(~held_out), problem.only(held_out)
    plan = allocate(open_to)
    rows = _both(
        _rows(open_to, plan.choice, by_rule=plan.by_rule, treated=True),
        _rows(alone, choose(alone, plan.prices), by_rule=np.ones(alone.customers, dtype=np.bool_), treated=False),
    )
    return plan, rows


def _rows(problem: Problem, choice: Ints, *, by_rule: Bools, treated: bool) -> Assigned:
    found = choice != NONE
    picks = choice[found]
    return Assigned(
        problem.customer_id[found],
        np.full(len(picks), treated),
        problem.kind[picks],
        by_rule[found],
        problem.gain[picks].astype(np.int64),
    )


def _both(one: Assigned, other: Assigned) -> Assigned:
    pairs = [np.concatenate(pair) for pair in zip(_columns(one), _columns(other), strict=True)]
    order = np.argsort(pairs[0], kind="stable")
    return Assigned(*(column[order] for column in pairs))


def _columns(rows: Assigned) -> tuple[npt.NDArray[np.generic], ...]:
    return rows.customer_id, rows.treated, rows.kind, rows.by_rule, rows.gain
