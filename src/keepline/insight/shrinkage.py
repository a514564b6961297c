"""Many noisy figures drawn to what they have in common: a normal model whose spread is averaged over, not guessed.

Each group's own estimate b has variance v, and the groups' true values differ with standard deviation t about a mean m:

    b ~ N(theta, v),  theta ~ N(m, t²)        theta told = m + t² / (t² + v) (b − m), averaged over t

How likely each t is follows from the restricted likelihood (Harville 1977), flat in t beforehand (Gelman 2006). An
interval therefore holds what a group's own data leave open, the error of the mean, and how badly t is known: with t
put in at its likeliest value intervals are too short (Morris 1983).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

Vector = np.ndarray[Any, np.dtype[np.float64]]

GRID, FAR = 64, 12.0  # values of t looked at; differences of log likelihood beyond which they do not count
WIDE = 3.0  # t is at most so many times the spread of the estimates and their errors together


@dataclass(frozen=True)
class Shrunk:
    """What is told of each group, how sure it is, and what the groups have in common."""

    values: Vector
    errors: Vector  # standard errors
    mean: float
    mean_error: float
    spread: float  # standard deviation of true values between groups


def shrink(estimates: Vector, variances: Vector) -> Shrunk:
    """Draw each estimate to the common mean, the more the less it knows; variances are above zero."""
    if len(estimates) < 2:
        mean, error = (float(estimates[0]), float(variances[0] ** 0.5)) if len(estimates) else (np.nan, np.nan)
        return Shrunk(estimates, np.sqrt(variances), mean, error, 0.0)
    spreads, chances = _likely(estimates, variances)
    w = 1 / (variances + spreads[:, None] ** 2)
    total = w.sum(axis=1)
    means = w @ estimates / total
    away = estimates - means[:, None]
    kept = variances * w  # of the distance to the mean, what is taken away
    values = chances @ (estimates - kept * away)
    inside = variances * (1 - kept) + kept**2 / total[:, None]
    across = chances @ (estimates - kept * away - values) ** 2
    mean = float(chances @ means)
    return Shrunk(
        values=values,
        errors=np.sqrt(chances @ inside + across),
        mean=mean,
        mean_error=float(chances @ (1 / total + (means - mean) ** 2)) ** 0.5,
        spread=float(chances @ spreads**2) ** 0.5,
    )


def _likely(estimates: Vector, variances: Vector) -> tuple[Vector, Vector]:
    """Values of t and how likely each is: a coarse look first, then a fine one where the likelihood lies."""
    most = WIDE * float(np.sqrt(np.var(estimates) + np.mean(variances)))
    spreads = np.linspace(0.0, most, GRID)
    found = _restricted(estimates, variances, spreads)
    near = np.flatnonzero(found > found.max() - FAR)
    low, high = spreads[max(near[0] - 1, 0)], spreads[min(near[-1] + 1, GRID - 1)]
    spreads = np.linspace(low, high, GRID)
    found = _restricted(estimates, variances, spreads)
    chances = np.exp(found - found.max())
    return spreads, chances / chances.sum()


def _restricted(estimates: Vector, variances: Vector, spreads: Vector) -> Vector:
    """The restricted log likelihood at each t, but for a constant."""
    w = 1 / (variances + spreads[:, None] ** 2)
    total = w.sum(axis=1)
    squares = w @ estimates**2 - (w @ estimates) ** 2 / total
    return np.asarray(0.5 * (np.log(w).sum(axis=1) - np.log(total) - squares))
