"""When a customer leaves: the chance to leave in each month ahead, from what is known of them.

A discrete-time hazard (Singer and Willett 1993, Journal of Educational Statistics 18:155-195; Allison 1982):

    log-odds of leaving in a month = b + f(months here) + steps about the contract's end + sum of f(input)

by the additive model of additive.py, so it is smooth in the months here, refuses with too few events
and cannot be led far by a few customers. Each customer gives one row a month at risk; months in which
nothing happened are taken by lot, some tens of thousands, and weighted up, so that rows do not explode.
Sums such as "billed in all" grow with the months here and so tell them: leave them out of the inputs.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.special import expit

from keepline.insight.additive import Additive, check_events, fit_additive
from keepline.insight.lifetime.cells import Counts, Whole
from keepline.insight.lifetime.fitting import Vector

QUIET_MAX = 60_000  # of all months in which nothing happened; measured: more tell no more, a third of it tells less
EVENTS_MAX = 16_000
SPIKES = ((-3, -1), (0, 0), (1, 2), (3, 1_000))  # months to the contract's end: just over, ends now, soon, bound
TIMES = 1 + len(SPIKES)  # columns that change from month to month


@dataclass(frozen=True)
class Spells:
    """Customers watched for some time, all arrays of one length.

    here_from, here_to: months here when the watch began and ended; at risk in the months between
    left: whether the watch ended because the customer left
    contract_end: months here when the contract ends; NaN without one
    inputs: what is known of them, customers x inputs, NaN where unknown
    """

    here_from: Counts
    here_to: Counts
    left: npt.NDArray[np.bool_]
    contract_end: Vector
    inputs: Vector

    def __post_init__(self) -> None:
        assert len({len(a) for a in (self.here_from, self.here_to, self.left, self.contract_end, self.inputs)}) == 1


@dataclass(frozen=True)
class Hazard:
    """A fitted hazard. Its first columns are months here and the steps about the contract's end."""

    model: Additive

    def log_odds(self, inputs: Vector, here: Counts | Vector, contract_end: Vector) -> Vector:
        """Log-odds of leaving in the month that makes the months here ``here``."""
        times = _times(np.asarray(here, dtype=np.float64), contract_end)
        return self._fixed(inputs) + self._moving(times)

    def odds_of_average(self, here: Vector, to_go: Vector) -> Vector:
        """The same of somebody average in all inputs; ``to_go``: months to the contract's end, -inf without one."""
        return np.asarray(self.model.intercept + self._moving(_stretches(here, to_go)))

    def survival(self, inputs: Vector, here: Counts | Vector, contract_end: Vector, *, ahead: int) -> Vector:
        """Probability to be here after each month ahead, customers x months."""
        alive, fixed = np.ones(len(inputs)), self._fixed(inputs)
        made = np.empty((len(inputs), ahead))
        for month in range(ahead):
            times = _times(np.asarray(here, dtype=np.float64) + month + 1, contract_end)
            alive = alive * (1 - expit(fixed + self._moving(times)))
            made[:, month] = alive
        return made

    def _fixed(self, inputs: Vector) -> Vector:
        total = np.full(len(inputs), self.model.intercept)
        for term in self.model.terms:
            if term.column >= TIMES:
                total = total + term.contribution(inputs[:, term.column - TIMES])
        return total

    def _moving(self, times: Vector) -> Vector:
        total = np.zeros(len(times))
        for term in self.model.terms:
            if term.column < TIMES:
                total = total + term.contribution(times[:, term.column])
        return total


def fit(spells: Spells, *, seed: int) -> Hazard:
    """Fit by penalised maximum likelihood; raises TooFewError as fit_additive does."""
    left = spells.left & (spells.here_to > spells.here_from)
    check_events(np.r_[left.astype(np.float64), np.zeros(len(left))])
    random = np.random.default_rng(seed)
    leavers = np.flatnonzero(left)
    events = len(leavers)
    if events > EVENTS_MAX:
        leavers = np.sort(random.choice(leavers, EVENTS_MAX, replace=False))
    quiet, month, each = _quiet_months(spells, left, random=random)
    who = np.r_[leavers, quiet]
    here = np.r_[spells.here_to[leavers], month].astype(np.float64)
    y = np.r_[np.ones(len(leavers)), np.zeros(len(quiet))]
    weight = np.r_[np.full(len(leavers), events / len(leavers)), np.full(len(quiet), each)]
    matrix = np.column_stack([_times(here, spells.contract_end[who]), spells.inputs[who]])
    return Hazard(fit_additive(matrix, y, weight))


def _quiet_months(
    spells: Spells, left: npt.NDArray[np.bool_], *, random: np.random.Generator
) -> tuple[Whole, Whole, float]:
    """Months by lot in which somebody was at risk and stayed: who, months here, and for how many each stands.

    Drawn with replacement from all customer-months by their place, so that they are never laid out.
    """
    quiet = np.maximum(spells.here_to - spells.here_from - left, 0).astype(np.int64)
    end = np.cumsum(quiet)
    total = int(end[-1]) if len(end) else 0
    count = min(total, QUIET_MAX)
    place = np.arange(total) if count == total else np.sort(random.integers(0, total, count))
    who = np.searchsorted(end, place, side="right")
    month = spells.here_from[who] + 1 + place - (end[who] - quiet[who])
    return who, month.astype(np.int64), total / max(count, 1)


def _times(here: Vector, contract_end: Vector) -> Vector:
    """Months here, and a step for each stretch about the contract's end."""
    return _stretches(here, np.where(np.isnan(contract_end), -np.inf, contract_end) - here)


def _stretches(here: Vector, to_go: Vector) -> Vector:
    steps = [((to_go >= first) & (to_go <= last)).astype(np.float64) for first, last in SPIKES]
    return np.column_stack([here, *steps])
