"""BG/BB: who buys or not in each month and may drop out at the end of any (prepaid top-ups by month).

Fader, Hardie and Shang (2010), "Customer-base analysis in a discrete-time noncontractual setting",
Marketing Science 29:1086-1108. While alive a customer is active in a month with a probability of
their own, spread as beta(alpha, beta), and drops out at its beginning with one spread as beta(gamma, delta).

    L = B(al + x, be + n - x) B(ga, de + n) / (B(al, be) B(ga, de))
        + sum over i from t to n - 1 of B(al + x, be + i - x) B(ga + 1, de + i) / (B(al, be) B(ga, de))

x: active months of n, t: the last of them. al / (al + be): how often an average customer tops up in a
month; ga / (ga + de): the mean monthly chance to be lost. All sums are differences of one table of
x by month, so that the cost of a fit depends on the months, not on customers nor cells.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.polynomial.legendre import leggauss
from scipy.special import betaincinv, betaln, digamma

from keepline.insight.lifetime.cells import Cells, Counts
from keepline.insight.lifetime.fitting import Fit, Loss, Vector, maximise

NAMES = ("alpha", "beta", "gamma", "delta")
NODES = 24  # in each direction, for what one customer's own rates may be


def fit(cells: Cells) -> Fit:
    """Parameters of greatest likelihood."""
    return maximise(loss_of(cells), names=NAMES, start=(1.0, 1.0, 1.0, 1.0), customers=cells.customers)


def loss_of(cells: Cells) -> Loss:
    """The mean minus log-likelihood with its slope, ready to be asked many times."""
    x, late, old, weight = cells.frequency, cells.recency, cells.age, cells.weight
    active, months = np.meshgrid(np.arange(int(x.max()) + 1), np.arange(int(old.max()) + 1), indexing="ij")
    possible = active <= months
    missed = np.where(possible, months - active, 0)
    customers = cells.customers

    def loss(p: Vector) -> tuple[float, Vector]:
        al, be, ga, de = p
        bought = np.where(possible, np.exp(betaln(al + active, be + missed) - betaln(al, be)), 0.0)
        stays = np.exp(betaln(ga, de + months) - betaln(ga, de))
        lost = np.exp(betaln(ga + 1, de + months) - betaln(ga, de))
        whole, after = bought * stays, bought * lost
        both = _after(after)
        likely = whole[x, old] + both[x, late] - both[x, old]
        slopes = []
        for of_stays, of_lost in _log_slopes(p, active, missed, months):
            part = _after(after * of_lost)
            slopes.append(weight @ (((whole * of_stays)[x, old] + part[x, late] - part[x, old]) / likely))
        return float(-(weight @ np.log(likely)) / customers), -np.array(slopes) / customers

    return loss


def _after(table: Vector) -> Vector:
    """Sums over this month and all later ones: small terms first, so that differences keep their digits."""
    return np.asarray(table[:, ::-1].cumsum(axis=1)[:, ::-1])


def _log_slopes(p: Vector, active: Counts, missed: Counts, months: Counts) -> list[tuple[Vector, Vector]]:
    """Change of log(bought x stays) and of log(bought x lost) for a change of each parameter."""
    al, be, ga, de = p
    all_now = digamma(al + be) - digamma(al + be + active + missed)
    first = digamma(al + active) - digamma(al) + all_now
    second = digamma(be + missed) - digamma(be) + all_now
    ends = digamma(ga + de) - digamma(ga + de + months)
    ends_lost = digamma(ga + de) - digamma(ga + de + 1 + months)
    fourth = digamma(de + months) - digamma(de)
    lost_third = digamma(ga + 1) - digamma(ga) + ends_lost
    return [(first, first), (second, second), (ends, lost_third), (fourth + ends, fourth + ends_lost)]


def likelihood(p: Vector, cells: Cells) -> Vector:
    """The probability of what each cell did."""
    al, be, ga, de = p
    x, late, old = cells.frequency, cells.recency, cells.age
    total = np.exp(betaln(al + x, be + old - x) + betaln(ga, de + old))
    for i in range(int(old.max(initial=0))):
        here = (i >= late) & (i < old)
        total[here] += np.exp(betaln(al + x[here], be + i - x[here]) + betaln(ga + 1, de + i))
    return np.asarray(total * np.exp(-betaln(al, be) - betaln(ga, de)))


def alive(p: Vector, cells: Cells) -> Vector:
    """Probability that a customer of each cell is alive in the month after the last observed (equation 11)."""
    al, be, ga, de = p
    x, old = cells.frequency, cells.age
    stays = betaln(al + x, be + old - x) - betaln(al, be) + betaln(ga, de + old + 1) - betaln(ga, de)
    return np.asarray(np.exp(stays) / likelihood(p, cells))


def expected(p: Vector, cells: Cells, *, ahead: int) -> Vector:
    """Active months expected of a customer of each cell among the months ahead (equation 13)."""
    return np.asarray(expected_by_month(p, cells, ahead=ahead).sum(axis=1))


def expected_by_month(p: Vector, cells: Cells, *, ahead: int) -> Vector:
    """Probability to be active in each month ahead, cells x months; discount it to get value.

    B(al + x + 1, be + n - x) B(ga, de + n + m) / (B(al, be) B(ga, de)) / L for the month m ahead.
    """
    al, be, ga, de = p
    x, old = cells.frequency, cells.age
    buys = betaln(al + x + 1, be + old - x) - betaln(al, be) - np.log(likelihood(p, cells))
    months = old[:, None] + np.arange(1, ahead + 1)
    return np.asarray(np.exp(buys[:, None] + betaln(ga, de + months) - betaln(ga, de)))


@dataclass(frozen=True)
class Range:
    """A figure with the ends of its interval, for each cell."""

    middle: Vector
    low: Vector
    high: Vector


def expected_range(p: Vector, cells: Cells, *, weights: Vector, level: float = 0.9) -> Range:
    """What one customer may truly be expected to bring: sum over months ahead of weights x P(active).

    Customers who look alike differ: each grid point is a pair of own rates; its share is the prior's
    times the likelihood of what the customer did; the interval holds ``level`` of the shares.
    """
    buys, leaves, prior = _grid(p)
    stay_months = (1 - leaves[:, None]) ** np.arange(1, len(weights) + 1)
    brings = buys * (stay_months @ weights)
    shares = np.empty((len(cells.weight), len(prior)))
    worth = np.empty_like(shares)
    for i, (x, late, old) in enumerate(zip(cells.frequency, cells.recency, cells.age, strict=True)):
        here, gone = _courses(buys, leaves, x=int(x), late=int(late), old=int(old))
        shares[i] = prior * (here + gone)
        worth[i] = brings * here / (here + gone)
    shares /= shares.sum(axis=1, keepdims=True)
    middle = (shares * worth).sum(axis=1)
    order = np.argsort(worth, axis=1)
    cumulated = np.take_along_axis(shares, order, axis=1).cumsum(axis=1)
    ends = []
    for share in ((1 - level) / 2, (1 + level) / 2):
        at = np.minimum((cumulated < share).sum(axis=1), len(prior) - 1)
        ends.append(worth[np.arange(len(worth)), order[np.arange(len(order)), at]])
    return Range(middle, np.minimum(ends[0], middle), np.maximum(ends[1], middle))


def _grid(p: Vector) -> tuple[Vector, Vector, Vector]:
    """Pairs of own rates that stand for the priors: quantiles at Gauss's nodes, with their weights."""
    at, weight = leggauss(NODES)
    share = (at + 1) / 2
    floor = 1e-12
    buys = np.clip(betaincinv(p[0], p[1], share), floor, 1 - floor)
    leaves = np.clip(betaincinv(p[2], p[3], share), floor, 1 - floor)
    first, second = np.meshgrid(buys, leaves, indexing="ij")
    return first.ravel(), second.ravel(), np.outer(weight, weight).ravel() / 4


def _courses(buys: Vector, leaves: Vector, *, x: int, late: int, old: int) -> tuple[Vector, Vector]:
    """Likelihood of the course with the customer still here, and with them lost after the last active month."""
    here = buys**x * (1 - buys) ** (old - x) * (1 - leaves) ** old
    each = (1 - buys) * (1 - leaves)
    months = np.arange(old - late)
    gone = buys**x * (1 - buys) ** (late - x) * (1 - leaves) ** late * leaves * (each[:, None] ** months).sum(axis=1)
    return here, gone
