"""BG/NBD: who buys at any time and may drop out after a purchase (prepaid top-ups by day).

Fader, Hardie and Lee (2005), "Counting your customers the easy way", Marketing Science 24:275-284.
While alive a customer buys at a rate of their own, spread over customers as gamma(r, alpha), and
after each purchase drops out with a probability of their own, spread as beta(a, b).

    L = A1 A2 (A3 + [x > 0] A4)
    A1 = Gamma(r + x) alpha^r / Gamma(r)          A2 = B(a, b + x) / B(a, b)
    A3 = (alpha + T)^-(r + x)                      A4 = a / (b + x - 1) (alpha + t)^-(r + x)

x: purchases after the first, t: time of the last, T: time observed. r / alpha is the mean rate of
an average customer; small r: a few buy much, most little. a / (a + b): the mean chance to be lost
after a purchase.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy.special import betaln, digamma, expit, gammaln, hyp2f1

from keepline.insight.lifetime.cells import Cells, Counts
from keepline.insight.lifetime.fitting import Fit, Loss, Vector, interval_of, maximise

NAMES = ("r", "alpha", "a", "b")
CELLS_MANY = 20_000  # above it a first guess on coarser steps saves time


def fit(cells: Cells) -> Fit:
    """Parameters of greatest likelihood."""
    start, near = (1.0, float(cells.age.mean() * cells.step) / 5 or 1.0, 1.0, 1.0), False
    if len(cells.weight) > CELLS_MANY:
        start, near = tuple(fit(cells.coarser(7)).values), True
    return maximise(loss_of(cells), names=NAMES, start=start, customers=cells.customers, near=near)


def loss_of(cells: Cells) -> Loss:
    """The mean minus log-likelihood with its slope, ready to be asked many times.

    What depends on x alone, or on a time alone, is computed once for each x and each step of time.
    """
    once = cells.frequency > 0
    x, late, old, weight = cells.frequency[once], cells.recency[once], cells.age[once], cells.weight[once]
    times = np.arange(int(cells.age.max()) + 1) * cells.step
    counts = np.arange(int(cells.frequency.max()) + 1)
    by_x = np.bincount(cells.frequency, weights=cells.weight)
    by_age = np.bincount(cells.age, weights=cells.weight, minlength=len(times))
    by_both = np.bincount(cells.age, weights=cells.weight * cells.frequency, minlength=len(times))
    customers = cells.customers

    def loss(p: Vector) -> tuple[float, Vector]:
        r, alpha, a, b = p
        grid = np.log(alpha + times)
        z = _log_odds_lost(p, counts)[x]
        longer = grid[old] - grid[late]
        z += (r + x) * longer
        lost = expit(z)
        least = np.exp(-np.abs(z))
        told = by_x @ (gammaln(r + counts) - gammaln(r) + betaln(a, b + counts) - betaln(a, b))
        told += r * np.log(alpha) * customers - (r * by_age + by_both) @ grid
        told += weight @ (np.maximum(z, 0) + np.log1p(least))
        lost *= weight
        lost_by_x = np.bincount(x, weights=lost, minlength=len(counts))
        inverse = 1 / (alpha + times)
        all_lost = lost.sum()
        slope = np.array([
            by_x @ (digamma(r + counts) - digamma(r)) + np.log(alpha) * customers - by_age @ grid + lost @ longer,
            r / alpha * customers - (r * by_age + by_both) @ inverse
            + (lost * (r + x)) @ (inverse[old] - inverse[late]),
            by_x @ (digamma(a + b) - digamma(a + b + counts)) + all_lost / a,
            by_x @ (digamma(a + b) - digamma(a + b + counts) + digamma(b + counts) - digamma(b))
            - lost_by_x[1:] @ (1 / (b + counts[1:] - 1)),
        ])  # fmt: skip
        return float(-told / customers), -slope / customers

    return loss


def _log_odds_lost(p: Vector, counts: Counts) -> Vector:
    """The part of log A4 / A3 that depends on x alone."""
    a, b = p[2], p[3]
    return np.asarray(np.log(a) - np.log(b + np.maximum(counts, 1) - 1))


def alive(p: Vector, cells: Cells) -> Vector:
    """Probability that a customer of each cell is still alive: 1 / (1 + [x > 0] A4 / A3)."""
    r, alpha = p[0], p[1]
    x = cells.frequency
    longer = np.log(alpha + cells.age * cells.step) - np.log(alpha + cells.recency * cells.step)
    z = _log_odds_lost(p, x) + (r + x) * longer
    return np.where(x > 0, expit(-z), 1.0)


def expected(p: Vector, cells: Cells, *, ahead: float) -> Vector:
    """Purchases expected of a customer of each cell in the time ahead (equation 10).

    (a + b + x - 1) / (a - 1) [1 - ((alpha + T) / (alpha + T + s))^(r + x) F] x P(alive), with Gauss's
    F = 2F1(r + x, b + x; a + b + x - 1; s / (alpha + T + s)); all but the last factor depends on x and T alone.
    """
    r, alpha, a, b = p
    width = int(cells.age.max()) + 1
    pairs, where = np.unique(cells.frequency * width + cells.age, return_inverse=True)
    x, old = pairs // width, pairs % width * cells.step
    share = (alpha + old) / (alpha + old + ahead)
    series = hyp2f1(r + x, b + x, a + b + x - 1, 1 - share)
    if_alive = (a + b + x - 1) / (a - 1) * (1 - share ** (r + x) * series)
    return np.asarray(if_alive[where] * alive(p, cells))


def expected_total(fitted: Fit, cells: Cells, *, ahead: float, level: float = 0.9) -> tuple[float, float, float]:
    """Purchases expected of all customers of the cells, with an interval from the uncertainty of the parameters."""
    made = interval_of(fitted, _total(cells, ahead), level=level)
    return float(made[0]), float(made[1]), float(made[2])


def _total(cells: Cells, ahead: float) -> Callable[[Vector], Vector]:
    return lambda p: np.asarray(cells.weight @ expected(p, cells, ahead=ahead))
