"""Sums that add, and the differences, intervals and sample sizes computed from them alone.

A large table is summed part by part; the statistics never see a row. Intervals hold 90 %
unless said otherwise, because a marketer's question is one-sided: did it earn?
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import astuple, dataclass
from math import ceil, sqrt
from typing import Self

from scipy import stats

LEVEL = 0.90
POWER = 0.80


class Adding:
    """Values of one kind add field by field, so that parts of customers can be summed apart."""

    def __add__(self, other: Self) -> Self:
        pairs = zip(astuple(self), astuple(other), strict=True)  # type: ignore[call-overload]
        return type(self)(*(a + b for a, b in pairs))


@dataclass(frozen=True)
class Sums(Adding):
    """One measure ``y`` over ``n`` customers, with what was known of each before, ``x``."""

    n: int
    y: float
    yy: float
    x: float = 0.0
    xx: float = 0.0
    xy: float = 0.0

    @property
    def mean(self) -> float:
        return self.y / self.n

    @property
    def variance(self) -> float:
        return _spread(self.n, self.y, self.y, self.yy)

    @property
    def covariance(self) -> float:
        return _spread(self.n, self.x, self.y, self.xy)

    @property
    def x_variance(self) -> float:
        return _spread(self.n, self.x, self.x, self.xx)


@dataclass(frozen=True)
class Difference:
    """Treated less held out: means, their difference and its interval."""

    treated: float
    held_out: float
    low: float
    high: float

    @property
    def estimate(self) -> float:
        return self.treated - self.held_out

    @property
    def includes_zero(self) -> bool:
        return self.low <= 0 <= self.high


def weighted(strata: Sequence[Difference | None], weights: Sequence[int]) -> Difference | None:
    """One difference from those of strata; None when a stratum has none, or there is none.

    The ends come from each stratum's own by the square root of the sum of squares (Zou and
    Donner 2008, Statist. Med. 27:1693-1702), so that intervals that are not symmetric stay so.
    """
    known = [found for found in strata if found is not None]
    if not known or len(known) < len(strata):
        return None
    shares = [weight / sum(weights) for weight in weights]
    treated = sum(share * found.treated for share, found in zip(shares, known, strict=True))
    held_out = sum(share * found.held_out for share, found in zip(shares, known, strict=True))
    below = sum((share * (found.estimate - found.low)) ** 2 for share, found in zip(shares, known, strict=True)) ** 0.5
    above = sum((share * (found.high - found.estimate)) ** 2 for share, found in zip(shares, known, strict=True)) ** 0.5
    estimate = treated - held_out
    return Difference(treated, held_out, estimate - below, estimate + above)


def _spread(n: int, a: float, b: float, ab: float) -> float:
    """Sample covariance from sums; never below zero by rounding when a and b are one."""
    found = (ab - a * b / n) / (n - 1)
    return max(found, 0.0) if a == b else found


def welch(treated: Sums, held_out: Sums, *, level: float = LEVEL) -> Difference | None:
    """Difference of means with Welch's interval (1947); None when it is not defined.

    It is not defined for an arm of one, nor when nobody differs from anybody.
    """
    if min(treated.n, held_out.n) < 2:
        return None
    return _welch((treated.n, treated.mean, treated.variance), (held_out.n, held_out.mean, held_out.variance), level)


def cuped(treated: Sums, held_out: Sums, *, level: float = LEVEL) -> Difference | None:
    """As :func:`welch`, after taking out what the time before already told.

    Both means are moved to the common mean of ``x`` with one slope, pooled within the arms
    (Deng, Xu, Kohavi and Walker 2013); lots do not depend on ``x``, so nothing is biased.
    """
    if min(treated.n, held_out.n) < 2:
        return None
    arms = _levelled(treated, held_out)
    return _welch(arms[0], arms[1], level)


def cuped_error(treated: Sums, held_out: Sums) -> tuple[float, float] | None:
    """The estimate of :func:`cuped` and its standard error, for whoever chooses the interval; None as there."""
    if min(treated.n, held_out.n) < 2:
        return None
    (n1, mean1, var1), (n0, mean0, var0) = _levelled(treated, held_out)
    error = sqrt(var1 / n1 + var0 / n0)
    return (mean1 - mean0, error) if error > 0 else None


def _levelled(treated: Sums, held_out: Sums) -> list[tuple[int, float, float]]:
    """Customers, mean and variance of each arm after both are moved to the common mean of ``x``."""
    slope = _slope(treated, held_out)
    centre = (treated.x + held_out.x) / (treated.n + held_out.n)
    return [(arm.n, arm.mean - slope * (arm.x / arm.n - centre), _residual(arm, slope)) for arm in (treated, held_out)]


def _slope(*arms: Sums) -> float:
    pooled = [((arm.n - 1) * arm.covariance, (arm.n - 1) * arm.x_variance) for arm in arms]
    below = sum(variance for _, variance in pooled)
    return sum(covariance for covariance, _ in pooled) / below if below > 0 else 0.0


def _residual(arm: Sums, slope: float) -> float:
    return max(arm.variance - 2 * slope * arm.covariance + slope**2 * arm.x_variance, 0.0)


def _welch(treated: tuple[int, float, float], held_out: tuple[int, float, float], level: float) -> Difference | None:
    """Each arm is customers, mean, variance."""
    (n1, mean1, var1), (n0, mean0, var0) = treated, held_out
    if var1 + var0 <= 0:
        return None
    a, b = var1 / n1, var0 / n0
    freedom = (a + b) ** 2 / (a**2 / (n1 - 1) + b**2 / (n0 - 1))
    half = float(stats.t.ppf((1 + level) / 2, freedom)) * sqrt(a + b)
    return Difference(mean1, mean0, mean1 - mean0 - half, mean1 - mean0 + half)


def shares(treated: tuple[int, int], held_out: tuple[int, int], *, level: float = LEVEL) -> Difference | None:
    """Difference of two shares, each ``(count, customers)``, with Newcombe's hybrid score interval.

    Newcombe 1998, Statistics in Medicine 17:873–890, method 10: it holds its level even when
    everybody or nobody stayed, where Welch's has no width.
    """
    if min(treated[1], held_out[1]) < 1:
        return None
    p1, p0 = treated[0] / treated[1], held_out[0] / held_out[1]
    low1, high1 = shares_interval(*treated, level=level)
    low0, high0 = shares_interval(*held_out, level=level)
    down = sqrt((p1 - low1) ** 2 + (high0 - p0) ** 2)
    up = sqrt((high1 - p1) ** 2 + (p0 - low0) ** 2)
    return Difference(p1, p0, p1 - p0 - down, p1 - p0 + up)


def shares_interval(count: int, customers: int, *, level: float = LEVEL) -> tuple[float, float]:
    """Wilson's score interval (1927) of one share."""
    z = normal_quantile(level)
    share = count / customers
    middle = (share + z * z / (2 * customers)) / (1 + z * z / customers)
    half = z * sqrt(share * (1 - share) / customers + z * z / (4 * customers**2)) / (1 + z * z / customers)
    return max(middle - half, 0.0), min(middle + half, 1.0)


def normal_quantile(level: float) -> float:
    """How many standard errors reach to each side of an interval of this level."""
    return float(stats.norm.ppf((1 + level) / 2))


def needed_each(variance: float, size: float, *, level: float = LEVEL, power: float = POWER) -> int | None:
    """Customers in each of two equal arms to see a true difference of ``size`` with this power.

    2 σ² (z₁ + z₂)² / δ²; None when there is no difference to look for or nothing varies.
    """
    if size == 0 or variance <= 0:
        return None
    reach = normal_quantile(level) + float(stats.norm.ppf(power))
    return max(2, ceil(2 * variance * reach**2 / size**2))


def adjusted_variance(arms: Sequence[Sums]) -> float:
    """Variance of ``y`` within the arms, after taking out what ``x`` tells; 0 where no arm has two customers."""
    able = [arm for arm in arms if arm.n >= 2]
    slope = _slope(*able)
    freedom = sum(arm.n - 1 for arm in able)
    return sum((arm.n - 1) * _residual(arm, slope) for arm in able) / freedom if freedom else 0.0


def ratio_p(treated: int, held_out: int, *, treated_share: float) -> float | None:
    """Chance of arms as unequal as these when lots are drawn with ``treated_share``; None when there is nobody.

    Two-sided binomial. Far too small a value (below 0.001) says that customers went missing from one
    arm, and then nothing may be concluded (the sample-ratio check; Fabijan and others 2019, KDD).
    """
    if treated + held_out == 0:
        return None
    return float(stats.binomtest(treated, treated + held_out, treated_share).pvalue)


def lots_p(strata: list[tuple[int, int]]) -> float | None:
    """Chance of arms so uneven over the strata by lot alone (χ²); None when there is nothing to compare.

    Each stratum is (treated, held out). Lots know nothing of the strata, so a small value says
    that the lots were not kept to.
    """
    filled = [pair for pair in strata if sum(pair)]
    totals = [sum(pair[arm] for pair in filled) for arm in (0, 1)]
    n = sum(totals)
    if len(filled) < 2 or min(totals) == 0:
        return None
    far = sum(
        (pair[arm] - totals[arm] * sum(pair) / n) ** 2 / (totals[arm] * sum(pair) / n)
        for pair in filled
        for arm in (0, 1)
    )
    return float(stats.chi2.sf(far, len(filled) - 1))
