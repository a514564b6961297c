"""Maximum likelihood for models with a few positive parameters, and what the fit is unsure of.

Parameters are sought as logarithms, so that none can become negative. Near the maximum Newton's
method finishes with the curvature (the observed information), whose inverse over the number of
customers is the covariance of the logarithms (Fisher; Efron and Hinkley 1978, Biometrika 65:457).
An interval of any figure made from the parameters follows by the delta method:

    variance of f = g' C g,   g = change of f for a change of each log parameter
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize
from scipy.special import ndtri

Vector = npt.NDArray[np.float64]
Loss = Callable[[Vector], tuple[float, Vector]]  # mean minus log-likelihood, and its slope in each parameter

STEP = 1e-4  # of a log parameter, for differences
NEWTON_STEPS, NEWTON_ENOUGH = 12, 1e-13
EDGE = 14.0  # beyond e^14 or e^-14 a parameter says only that the data do not tell it


@dataclass(frozen=True)
class Fit:
    """Parameters by name, the log-likelihood there, and the covariance of the logs of the parameters."""

    names: tuple[str, ...]
    values: Vector
    loglik: float
    covariance: Vector

    @property
    def told(self) -> bool:
        """Whether the data tell every parameter; at the edge, or on a level ridge, they do not."""
        inside = np.abs(np.log(self.values)).max() < EDGE - 1
        return bool(inside and np.isfinite(self.covariance).all())

    def parameters(self) -> dict[str, float]:
        return {name: float(value) for name, value in zip(self.names, self.values, strict=True)}

    def intervals(self, level: float = 0.9) -> dict[str, tuple[float, float]]:
        """An interval of each parameter, by its logarithm."""
        reach = reach_of(level) * np.sqrt(np.diag(self.covariance))
        low, high = self.values * np.exp(-reach), self.values * np.exp(reach)
        return {name: (float(low[i]), float(high[i])) for i, name in enumerate(self.names)}


def reach_of(level: float) -> float:
    """Standard errors on either side of an interval that covers ``level``."""
    return float(ndtri((1 + level) / 2))


def maximise(loss: Loss, *, names: Sequence[str], start: Sequence[float], customers: float, near: bool = False) -> Fit:
    """The parameters of greatest likelihood. ``near``: start is close, so Newton's method begins at once."""

    def of_logs(at: Vector) -> tuple[float, Vector]:
        values = np.exp(at)
        mean, slope = loss(values)
        return mean, slope * values

    at = np.log(np.asarray(start, dtype=np.float64))
    if not near:
        at = _search(of_logs, at)
    at, curvature, mean = _newton(of_logs, at)
    return Fit(tuple(names), np.exp(at), -mean * customers, _inverse(curvature) / customers)


def _search(loss: Loss, at: Vector) -> Vector:
    options = {"ftol": 1e-12, "gtol": 1e-7, "maxiter": 500}
    bounds = [(-EDGE, EDGE)] * len(at)
    return np.asarray(minimize(loss, at, jac=True, method="L-BFGS-B", bounds=bounds, options=options).x)


def _newton(loss: Loss, at: Vector) -> tuple[Vector, Vector, float]:
    """Newton's steps, halved until they help; the curvature and the loss where they end."""
    mean, slope = loss(at)
    curvature = curvature_of(loss, at)
    for _ in range(NEWTON_STEPS):
        step = np.linalg.lstsq(curvature, slope, rcond=1e-12)[0]
        gain = float(step @ slope)
        if not gain > NEWTON_ENOUGH:  # there, or on a saddle that only a search leaves
            break
        step = step * min(1.0, 1.0 / float(np.abs(step).max()))
        size, (then, slope_then) = 1.0, loss(at - step)
        while not then <= mean and size > 1e-3:
            size /= 4
            then, slope_then = loss(at - size * step)
        if not then <= mean or np.abs(at - size * step).max() > EDGE:
            break
        at, mean, slope = at - size * step, then, slope_then
        if size < 1 or gain > 1e-7:  # still far: the curvature has changed
            curvature = curvature_of(loss, at)
    return at, curvature, mean


def curvature_of(loss: Loss, at: Vector) -> Vector:
    """Second derivatives of the loss by central differences of its slope."""
    made = np.empty((len(at), len(at)))
    for i in range(len(at)):
        step = np.zeros(len(at))
        step[i] = STEP
        made[i] = (loss(at + step)[1] - loss(at - step)[1]) / (2 * STEP)
    return (made + made.T) / 2


def _inverse(curvature: Vector) -> Vector:
    """The inverse, infinite where the likelihood is level."""
    size, directions = np.linalg.eigh(curvature)
    if size.min() <= 1e-10 * max(size.max(), 1e-300):
        return np.full_like(curvature, np.inf)
    return np.asarray(directions / size @ directions.T)


def spread_of(fit: Fit, figure: Callable[[Vector], Vector]) -> Vector:
    """Standard error of figures made from the parameters, by the delta method."""
    slopes = []
    for i in range(len(fit.values)):
        up, down = fit.values.copy(), fit.values.copy()
        up[i] *= np.exp(STEP)
        down[i] *= np.exp(-STEP)
        slopes.append((figure(up) - figure(down)) / (2 * STEP))
    made = np.asarray(slopes)
    return np.asarray(np.sqrt(np.maximum(np.einsum("i...,ij,j...->...", made, fit.covariance, made), 0.0)))


def interval_of(fit: Fit, figure: Callable[[Vector], Vector], *, level: float = 0.9) -> tuple[Vector, Vector, Vector]:
    """A positive figure with the ends of its interval, taken on its logarithm so that none is negative."""
    middle = np.asarray(figure(fit.values), dtype=np.float64)
    sure = np.where(middle > 0, middle, 1.0)
    factor = np.exp(reach_of(level) * spread_of(fit, figure) / sure)
    return middle, np.asarray(middle / factor), np.asarray(middle * factor)
