"""When a customer leaves: the chance to be here still after each month ahead, in agreement with the chance to leave.

    b(m)     rate of leaving in month m ahead of an average customer with these months here and to the contract's end
    1 - r(m) = (1 - b(m))^k       until the horizon h of the model, k = log(1 - p) / sum of log(1 - b(m)) until h
    1 - r(m) = (1 - b(m))^(1 + lasting (k - 1))                                                       after it
    S(m)     = product of 1 - r until m

b is the monthly hazard of lifetime/hazard.py, learnt from the months the samples left in. p is the customer's own
probability of leaving, so S(h) = 1 - p whoever the customer is: the hazard says when, the model says how likely. The
power k is the proportional hazard of grouped times (Prentice and Gloeckler 1978, Biometrics 34:57-67). After the
horizon the part of a risk that passes is taken away; ``lasting`` is the share that value learns (value.py).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.special import expit

from keepline.errors import TooFewError
from keepline.insight.inputs import Vector
from keepline.insight.lifetime import hazard
from keepline.insight.lifetime.hazard import Hazard, Spells

AHEAD = {"stay_1m": 1, "stay_3m": 3, "stay_6m": 6, "stay_12m": 12, "stay_24m": 24}
FURTHEST = max(AHEAD.values())
RATE_MAX, SURE = 0.999, 1e-9
LONGEST = 1_200  # months; longer tenures and contracts say nothing more
UNBOUND = -LONGEST - 1.0  # months to the end of a contract that nobody knows of
READS = ("tenure_months", "contract_months_left")


@dataclass(frozen=True)
class Course:
    """How the rate of leaving runs ahead; without a hazard it is level."""

    horizon: int  # months the probability of leaving is for
    base: float  # monthly rate of the base
    lasting: float  # share of a risk that stays
    hazard: Hazard | None = None
    customers: int = 0
    events: int = 0
    refused: dict[str, str] | None = None  # why there is no hazard

    def curve(self, leave: Vector, tenure: Vector, contract_left: Vector) -> Vector:
        """S after each month up to FURTHEST, customers x months; NaN where ``leave`` is."""
        base = self._base(tenure, contract_left)
        each, h = np.log1p(-base), self.horizon
        power = np.log1p(-np.clip(leave, SURE, 1 - SURE)) / each[:, :h].sum(axis=1)
        lasts = np.maximum(1 + self.lasting * (power - 1), 0.0)
        ahead = np.column_stack([each[:, :h] * power[:, None], each[:, h:] * lasts[:, None]])
        return np.asarray(np.exp(np.cumsum(ahead, axis=1)))

    def _base(self, tenure: Vector, contract_left: Vector) -> Vector:
        """b of each customer and month; customers with the same months here and to go share a row."""
        if self.hazard is None:
            return np.full((len(tenure), FURTHEST), np.clip(self.base, SURE, RATE_MAX))
        here = np.clip(np.rint(np.nan_to_num(tenure, nan=UNBOUND)), UNBOUND, LONGEST)
        to_go = np.clip(np.rint(np.nan_to_num(contract_left, nan=UNBOUND)), UNBOUND, LONGEST)
        pairs, which = np.unique(here * 4 * LONGEST + to_go, return_inverse=True)
        first = np.zeros(len(pairs), dtype=np.int64)
        first[which] = np.arange(len(which))
        table = _rates(self.hazard, here[first], to_go[first])
        return np.asarray(table[which])


def _rates(made: Hazard, here: Vector, to_go: Vector) -> Vector:
    now, left = np.where(here == UNBOUND, np.nan, here), np.where(to_go == UNBOUND, -np.inf, to_go)
    months = [expit(made.odds_of_average(now + m, left - m)) for m in range(1, FURTHEST + 1)]
    return np.asarray(np.clip(np.column_stack(months), SURE, RATE_MAX))


def learn_course(
    column: dict[str, Vector], left: Vector, left_after: Vector, alone: Vector, *, plain: Course, seed: int
) -> Course:
    """Learn the hazard from samples: when those left who did; ``plain`` where it cannot be told, with the reason.

    left: 1, 0 or unknown; left_after: the month they left in, counted from the sample; alone: the share of the
    horizon before an offer reached the customer, who is watched until then.
    """
    tenure = column["tenure_months"]
    gone = (left == 1) & ~np.isnan(left_after)
    usable = ~np.isnan(tenure) & (gone | (left == 0))
    here, gone = np.maximum(tenure[usable], 0).astype(np.int64), gone[usable]
    alone = np.nan_to_num(alone[usable], nan=1.0)
    watched = np.where(gone, np.nan_to_num(left_after[usable]), np.floor(alone * plain.horizon)).astype(np.int64)
    contract_end = here + column["contract_months_left"][usable]
    spells = Spells(here, here + watched, gone, contract_end, np.empty((len(here), 0)))
    said: dict[str, Any] = {"customers": len(here), "events": int(gone.sum())}
    try:
        return Course(plain.horizon, plain.base, plain.lasting, hazard.fit(spells, seed=seed), **said)
    except TooFewError as error:
        return Course(plain.horizon, plain.base, plain.lasting, **said, refused={"zh": error.zh, "en": error.en})
