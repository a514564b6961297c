"""How a cohort under contract melts: shifted-beta-geometric and beta-discrete-Weibull, fitted on counts.

Fader and Hardie (2007), "How to project customer retention", Journal of Interactive Marketing
21:76-90; Fader, Hardie, Liu, Davin and Steenburgh (2018), the same journal 43:1-16. Each customer
leaves in a period with a chance of their own, spread as beta(alpha, beta); with the Weibull's c the
chance also changes with the time a customer has been here:

    S(t) = B(alpha, beta + t^c) / B(alpha, beta)        c = 1: shifted-beta-geometric

alpha / (alpha + beta): the share lost in the first period. The smaller alpha and beta, the more
customers differ, so that those who are left are ever more loyal although nobody changes. c > 1: each
grows more likely to leave with time; c < 1: less.

The likelihood multiplies, over ages t, chances to leave at t of those still here before, so customers who
were first seen at a later age count as they should (left truncation) as do those still here (censoring).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import betaln, digamma

from keepline.errors import TooFewError
from keepline.insight.lifetime.cells import Counts
from keepline.insight.lifetime.fitting import Fit, Loss, Vector, interval_of, maximise

EVENTS_MIN = 30  # as every model of leaving
PERIODS_MIN = 4  # with leavers; fewer do not tell a curve's shape


@dataclass(frozen=True)
class Melting:
    """Customers here at the beginning of each period of age (1, 2, ...), and how many of them left in it."""

    here: Vector
    left: Vector

    @classmethod
    def of_survivors(cls, survivors: Vector) -> Melting:
        """From the customers left after 0, 1, 2 ... periods of one cohort."""
        return cls(survivors[:-1].astype(np.float64), survivors[:-1] - survivors[1:])

    @classmethod
    def of_customers(cls, age_first: Counts, age_last: Counts, left: Counts) -> Melting:
        """From customers seen from an age on to another, in whole periods, who then left or not.

        Age 0 is before the first period; who is seen from 3 to 5 and leaves was at risk in periods 4
        and 5 and left in the 5th.
        """
        most = int(age_last.max(initial=0))
        came = np.bincount(age_first, minlength=most + 1)[: most + 1]
        went = np.bincount(age_last, minlength=most + 1)
        here = np.cumsum(came)[:-1] - np.r_[0, np.cumsum(went)[1:-1]] if most else np.zeros(0)
        here = here - went[0] if most else here
        gone = np.bincount(age_last[left.astype(bool)], minlength=most + 1)[1:]
        return cls(here.astype(np.float64), gone.astype(np.float64))

    def check(self) -> None:
        """Refuse where there are too few leavers, or too few ages, to tell a curve."""
        events, periods = float(self.left.sum()), int((self.left > 0).sum())
        if events >= EVENTS_MIN and periods >= PERIODS_MIN:
            return
        raise TooFewError(
            f"{events:g} customers left at {periods} different ages; a survival curve needs {EVENTS_MIN} at "
            f"{PERIODS_MIN} or more: load more past months, or take a larger group",
            f"仅有 {events:g} 位客户在 {periods} 个不同网龄离开；存续曲线至少需要 {PERIODS_MIN} 个网龄上的 "
            f"{EVENTS_MIN} 位：请装载更多历史账期，或取更大的客户群",
            code="too_few_events",
        )


def fit_sbg(melting: Melting) -> Fit:
    """Shifted-beta-geometric; raises TooFewError as check does."""
    melting.check()
    loss = loss_of(melting)

    def at_one(p: Vector) -> tuple[float, Vector]:
        mean, slope = loss(np.r_[p, 1.0])
        return mean, slope[:2]

    return maximise(at_one, names=("alpha", "beta"), start=(1.0, 1.0), customers=float(melting.here.max()))


def fit_bdw(melting: Melting) -> Fit:
    """Beta-discrete-Weibull, from the shifted-beta-geometric on; raises TooFewError as check does."""
    start = (*fit_sbg(melting).values, 1.0)
    loss, customers = loss_of(melting), float(melting.here.max())
    return maximise(loss, names=("alpha", "beta", "c"), start=start, customers=customers)


def loss_of(melting: Melting) -> Loss:
    """Minus log-likelihood for each customer of the largest age, with its slope in alpha, beta and c."""
    ages = np.arange(len(melting.here) + 1, dtype=np.float64)
    logs = np.log(np.maximum(ages, 1.0))
    left, kept, most = melting.left, melting.here - melting.left, float(melting.here.max())

    def loss(p: Vector) -> tuple[float, Vector]:
        alpha, beta, c = p
        aged = ages**c
        stays = np.diff(betaln(alpha, beta + aged))
        leaves = -np.expm1(stays)
        told = left @ np.log(np.maximum(leaves, 1e-300)) + kept @ stays
        both, own = digamma(alpha + beta + aged), digamma(beta + aged)
        slopes = np.diff(np.stack([-both, own - both, (own - both) * aged * logs]), axis=1)
        odds = kept - left * np.exp(stays) / np.maximum(leaves, 1e-300)
        return float(-told / most), -(slopes @ odds) / most

    return loss


def survival(p: Vector, ages: Counts | Vector, *, given: Counts | Vector | float = 0.0) -> Vector:
    """S(age) of those who were still here at age ``given``. ``p`` holds alpha, beta and, if it has three, c."""
    c = float(p[2]) if len(p) > 2 else 1.0
    aged = [np.asarray(age, dtype=np.float64) ** c for age in (ages, given)]
    return np.asarray(np.exp(betaln(p[0], p[1] + aged[0]) - betaln(p[0], p[1] + aged[1])))


def curves(p: Vector, ages: Counts | Vector, *, ahead: int) -> Vector:
    """A survival curve for each customer, customers x periods ahead, from the age each has reached."""
    known, which = np.unique(np.asarray(ages, dtype=np.float64), return_inverse=True)
    return survival(p, known[:, None] + np.arange(1, ahead + 1), given=known[:, None])[which]


def expected_margin(curve: Vector, margin: Vector, *, discount: float) -> Vector:
    """Expected margin over the curve's periods: margin x sum over m of S(m) d^m, d = 1 / (1 + discount a period)."""
    weights = (1 + discount) ** -np.arange(1.0, curve.shape[-1] + 1)
    return np.asarray(margin * (curve @ weights))


def residual_lifetime(p: Vector, *, age: float, discount: float, periods: int = 2000) -> float:
    """Discounted periods still to come of a customer who stayed ``age`` of them, the one now due undiscounted: DERL.

    Fader and Hardie (2010), "Customer-base valuation in a contractual setting", Marketing Science 29:85-93.
    """
    times = np.arange(periods, dtype=np.float64)
    return float(survival(p, age + 1 + times, given=age) @ (1 + discount) ** -times)


def survival_interval(fitted: Fit, ages: Counts | Vector, *, level: float = 0.9) -> tuple[Vector, Vector, Vector]:
    """S at some ages with the ends of its interval, by the delta method."""
    middle, low, high = interval_of(fitted, lambda p: survival(p, ages), level=level)
    return middle, low, np.minimum(high, 1.0)
