"""Pareto/NBD: who buys at any time and may drop out at any time (Schmittlein, Morrison and Colombo 1987).

Management Science 33:1-24; the likelihood as Fader and Hardie (2005), "A note on deriving the
Pareto/NBD model", write it before the hypergeometric functions come in:

    L = Gamma(r + x) / Gamma(r) alpha^r beta^s
        { (alpha + T)^-(r + x) (beta + T)^-s + s J },
    J = integral from t to T of (alpha + u)^-(r + x) (beta + u)^-(s + 1) du

r / alpha: the mean rate of purchase; s / beta: the mean rate of dropping out; small r or s: customers
differ much. J is found by Gauss's quadrature in the logarithm of time, exact to the last digits, which
gives slopes as well and needs no special functions.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.polynomial.legendre import leggauss
from scipy.special import digamma, gammaln

from keepline.insight.lifetime.cells import Cells
from keepline.insight.lifetime.fitting import Fit, Loss, Vector, maximise

NAMES = ("r", "alpha", "s", "beta")
NODES, WEIGHTS = leggauss(32)
NOTHING_LEFT = 40.0  # e^-40 of the integrand's height: no digit of the sum
BLOCK = 4096


def fit(cells: Cells) -> Fit:
    """Parameters of greatest likelihood."""
    span = float(cells.age.mean() * cells.step) or 1.0
    return maximise(loss_of(cells), names=NAMES, start=(1.0, span / 3, 1.0, span / 3), customers=cells.customers)


def loss_of(cells: Cells) -> Loss:
    """The mean minus log-likelihood with its slope, ready to be asked many times."""
    customers = cells.customers

    def loss(p: Vector) -> tuple[float, Vector]:
        r, alpha, s, beta = p
        told, slope = 0.0, np.zeros(4)
        for x, late, old, weight in _blocks(cells):
            shift = gammaln(r + x) - gammaln(r) + r * np.log(alpha) + s * np.log(beta)
            top, stays, gone, slopes = _courses(p, x, late, old)
            likely = stays + gone
            told += float(weight @ (shift + top + np.log(likely)))
            slopes /= likely
            slopes[0] += digamma(r + x) - digamma(r) + np.log(alpha)
            slopes[1] += r / alpha
            slopes[2] += np.log(beta)
            slopes[3] += s / beta
            slope += slopes @ weight
        return -told / customers, -slope / customers

    return loss


def _blocks(cells: Cells) -> Iterator[tuple[Vector, Vector, Vector, Vector]]:
    for begin in range(0, len(cells.weight), BLOCK):
        part = slice(begin, begin + BLOCK)
        x, late, old = (a[part].astype(np.float64) for a in (cells.frequency, cells.recency, cells.age))
        yield x, late * cells.step, old * cells.step, cells.weight[part]


def _courses(p: Vector, x: Vector, late: Vector, old: Vector) -> tuple[Vector, Vector, Vector, Vector]:
    """Log of a common factor; the two terms of { } without it; and the slopes of their sum in each parameter."""
    r, alpha, s, beta = p
    top = -(r + x) * np.log(alpha + late) - s * np.log(beta + late)
    old_a, old_b = np.log(alpha + old), np.log(beta + old)
    stays = np.exp(-(r + x) * old_a - s * old_b - top)
    times, weight = _nodes(p, x, late, old)
    first, second = np.log(alpha + times), np.log(beta + times)
    height = weight * np.exp(-(r + x)[:, None] * first - (s + 1) * second - top[:, None])
    area = height.sum(axis=1)
    slopes = np.stack([
        -old_a * stays - s * (height * first).sum(axis=1),
        -(r + x) * (stays / (alpha + old) + s * (height / (alpha + times)).sum(axis=1)),
        -old_b * stays + area - s * (height * second).sum(axis=1),
        -s * stays / (beta + old) - s * (s + 1) * (height / (beta + times)).sum(axis=1),
    ])  # fmt: skip
    return top, stays, s * area, slopes


def _nodes(p: Vector, x: Vector, late: Vector, old: Vector) -> tuple[Vector, Vector]:
    """Times between t and T, even in log(c + time), c the smaller of alpha and beta, and their weights."""
    r, alpha, _, beta = p
    c = min(alpha, beta)
    with np.errstate(over="ignore"):
        end = np.minimum(old, (alpha + late) * np.exp(NOTHING_LEFT / (r + x)) - alpha)
    begin = np.log(c + late)
    half = (np.log(c + end) - begin)[:, None] / 2
    shifted = np.exp(begin[:, None] + half * (NODES + 1))
    return shifted - c, half * WEIGHTS * shifted


def alive(p: Vector, cells: Cells) -> Vector:
    """Probability that a customer of each cell is still alive."""
    made = [stays / (stays + gone) for _, stays, gone, _ in _each(p, cells)]
    return np.concatenate(made) if made else np.zeros(0)


def _each(p: Vector, cells: Cells) -> Iterator[tuple[Vector, Vector, Vector, Vector]]:
    return (_courses(p, x, late, old) for x, late, old, _ in _blocks(cells))


def expected(p: Vector, cells: Cells, *, ahead: float) -> Vector:
    """Purchases expected of a customer of each cell in the time ahead.

    P(alive) (r + x) (beta + T) / (alpha + T) x (1 - q^(s - 1)) / (s - 1),  q = (beta + T) / (beta + T + ahead)
    """
    r, alpha, s, beta = p
    old = cells.age * cells.step
    power = (s - 1) * np.log((beta + old) / (beta + old + ahead))
    share = np.where(np.abs(power) > 1e-12, np.expm1(power) / np.where(power == 0, 1.0, power), 1.0)
    months = np.log((beta + old + ahead) / (beta + old)) * share
    return np.asarray(alive(p, cells) * (r + cells.frequency) * (beta + old) / (alpha + old) * months)
