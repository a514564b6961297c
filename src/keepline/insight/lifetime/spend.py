"""Gamma-gamma: how much a customer spends each time, from the mean of the times seen (prepaid top-ups).

Fader and Hardie (2013), "The gamma-gamma model of monetary value". Amounts of one customer are
gamma(p, nu), nu differs between customers as gamma(q, scale):

    log L = lnG(p x + q) - lnG(p x) - lnG(q) + q ln scale + (p x - 1) ln z + p x ln x - (p x + q) ln(scale + x z)
    expected amount = p (scale + x z) / (p x + q - 1)

x: how often, z: mean amount. Large p: one customer's amounts are alike. Small q: customers differ much,
so little is shrunk to the common mean p scale / (q - 1). Assumes that how much has nothing to do with how often.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import digamma, gammaln

from keepline.insight.lifetime.cells import Counts, Whole
from keepline.insight.lifetime.fitting import Fit, Loss, Vector, maximise

NAMES = ("p", "q", "scale")
ROWS_MANY = 200_000  # beyond it amounts are rounded, to a part in two hundred
FINE = 200.0


@dataclass(frozen=True)
class Amounts:
    """Unique pairs of times and mean amount, with how many customers share each."""

    times: Whole
    mean: Vector
    weight: Vector


def fold(times: Counts, mean: Vector) -> Amounts:
    """Fold customers who spent at least once; with many, amounts within a part in two hundred are one."""
    some = (times > 0) & (mean > 0)
    times, mean = times[some].astype(np.int64), mean[some].astype(np.float64)
    if len(times) <= ROWS_MANY:
        return Amounts(times, mean, np.ones(len(times)))
    level = np.rint(np.log(mean) * FINE).astype(np.int64)
    low = int(level.min())
    width = int(level.max()) - low + 1
    found, where, weight = np.unique(times * width + level - low, return_inverse=True, return_counts=True)
    middle = np.bincount(where, weights=mean) / weight
    return Amounts(found // width, middle, weight.astype(np.float64))


def fit(amounts: Amounts) -> Fit:
    """Parameters of greatest likelihood."""
    middle = float(np.average(amounts.mean, weights=amounts.weight))
    customers = float(amounts.weight.sum())
    return maximise(loss_of(amounts), names=NAMES, start=(2.0, 3.0, middle), customers=customers)


def loss_of(amounts: Amounts) -> Loss:
    """The mean minus log-likelihood with its slope, ready to be asked many times."""
    counts = np.arange(1, int(amounts.times.max()) + 1)
    which, x, weight = amounts.times - 1, amounts.times, amounts.weight
    by_x = np.bincount(which, weights=weight)
    log_mean = np.log(amounts.mean)
    by_mean = np.bincount(which, weights=weight * log_mean)
    total = x * amounts.mean
    customers = float(weight.sum())

    def loss(at: Vector) -> tuple[float, Vector]:
        p, q, scale = at
        px = p * counts
        spent = np.log(scale + total)
        spent_by_x = np.bincount(which, weights=weight * spent)
        told = by_x @ (gammaln(px + q) - gammaln(px) + px * np.log(counts)) + (px - 1) @ by_mean
        told += customers * (q * np.log(scale) - gammaln(q)) - (px + q) @ spent_by_x
        slope = np.array([
            (counts * by_x) @ (digamma(px + q) - digamma(px) + np.log(counts)) + counts @ (by_mean - spent_by_x),
            by_x @ digamma(px + q) + customers * (np.log(scale) - digamma(q)) - spent_by_x.sum(),
            customers * q / scale - (weight / (scale + total)) @ (p * x + q),
        ])  # fmt: skip
        return float(-told / customers), -slope / customers

    return loss


def expected(at: Vector, times: Counts, mean: Vector) -> Vector:
    """The amount expected each time; who never came back is expected to spend the common mean.

    Without a common mean (q <= 1 and nothing seen) the answer is unknown.
    """
    p, q, scale = at
    below = p * times + q - 1
    seen = np.where(times > 0, mean, 0.0)
    return np.asarray(np.where(below > 0, p * (scale + times * seen) / np.where(below > 0, below, 1.0), np.nan))
