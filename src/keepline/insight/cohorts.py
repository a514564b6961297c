"""How the rate of leaving goes on with the months here: the curve of a cohort in the place of one rate for all.

Within the model's horizon a customer's own probability holds. After it value takes

    rate in month m = base(m) + lasting x (own rate - base(0))

With one rate for all, base is that of the whole base. With cohorts it is the hazard of the
beta-discrete-Weibull at the months the customer will then have been here (lifetime/retention.py), fitted
on the samples models learn from: each is one period of the model's horizon at risk, by its tenure.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from keepline.errors import TooFewError
from keepline.insight.inputs import Vector
from keepline.insight.lifetime.retention import Melting, fit_bdw, survival


@dataclass(frozen=True)
class Cohort:
    """A fitted curve; ``period`` is the months of one of its periods."""

    parameters: tuple[float, float, float]
    period: int
    customers: int
    left: int

    def monthly(self, tenure: Vector) -> Vector:
        """The rate of leaving in the month after so many months here."""
        p = np.array(self.parameters)
        ages = np.asarray(tenure) / self.period
        return np.asarray(1 - survival(p, ages + 1 / self.period, given=ages))


def learn_cohort(tenure: Vector, left: Vector, *, period: int) -> Cohort | None:
    """Fit on samples of known tenure and outcome; None where there are too few, or they tell no curve."""
    known = ~np.isnan(tenure + left)
    ages = np.maximum(tenure[known], 0).astype(np.int64) // period
    gone = left[known] == 1
    if not len(ages):
        return None
    here = np.bincount(ages).astype(np.float64)
    melting = Melting(here, np.bincount(ages[gone], minlength=len(here)).astype(np.float64))
    try:
        made = fit_bdw(melting)
    except TooFewError:
        return None
    if not made.told:
        return None
    alpha, beta, c = (float(value) for value in made.values)
    return Cohort((alpha, beta, c), period, len(ages), int(gone.sum()))


def later_rates(cohort: Cohort, *, tenure: Vector, monthly: Vector, lasting: float, months: int) -> Vector:
    """The rate in each month ahead, customers x months; without meaning where the tenure is unknown."""
    whole = np.clip(np.nan_to_num(tenure), 0, 600).astype(np.int64)
    ages, which = np.unique(whole, return_inverse=True)
    table = cohort.monthly(ages[:, None] + np.arange(months, dtype=np.float64))
    start = table[which, : cohort.period].mean(axis=1)
    return np.asarray(table[which] + (lasting * (monthly - start))[:, None])
