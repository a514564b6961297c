"""How good probabilities are: order, calibration and sharpness, each with its interval; and the prior correction."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.optimize import minimize
from scipy.special import expit, logit
from scipy.stats import norm, rankdata

from keepline.insight.inputs import Vector

LEVEL = 0.90  # of every interval we give
BINS = 10
FLOOR = 1e-9

Figure = dict[str, float]


def judged(y: Vector, p: Vector) -> dict[str, Any]:
    """All figures of probabilities ``p`` against what happened, JSON-able; intervals of 90 %."""
    return {
        "customers": len(y),
        "events": int(y.sum()),
        "mean_probability": _short(float(p.mean())),
        "rate": _short(float(y.mean())),
        "auc": auc(y, p),
        "log_loss": _mean_figure(_log_losses(y, p)),
        "brier": _mean_figure((p - y) ** 2),
        "calibration_slope": slope_and_intercept(y, p)["slope"],
        "calibration_intercept": slope_and_intercept(y, p)["intercept"],
        "ece": _short(expected_error(y, p)),
        "top_decile_lift": _short(lift(y, p)),
        "calibration": table(y, p),
    }


def _short(value: float) -> float:
    return round(value, 6)


def _figure(value: float, error: float) -> Figure:
    reach = float(norm.ppf((1 + LEVEL) / 2)) * error
    return {"value": _short(value), "low": _short(value - reach), "high": _short(value + reach)}


def _mean_figure(values: Vector) -> Figure:
    return _figure(float(values.mean()), float(values.std(ddof=1) / np.sqrt(len(values))))


def _log_losses(y: Vector, p: Vector) -> Vector:
    inside = np.clip(p, FLOOR, 1 - FLOOR)
    return np.asarray(-(y * np.log(inside) + (1 - y) * np.log1p(-inside)))


def auc(y: Vector, p: Vector) -> Figure:
    """Area under the ROC curve with the interval of DeLong, DeLong, Clarke-Pearson (Biometrics 1988, 44:837).

    Ranks instead of pairs: Sun and Xu (IEEE Signal Processing Letters 2014, 21:1389).
    """
    left, stayed = p[y == 1], p[y == 0]
    m, n = len(left), len(stayed)
    ranks = rankdata(np.concatenate([left, stayed]))
    above = (ranks[:m] - rankdata(left)) / n  # share of stayers each leaver is ranked above
    below = 1 - (ranks[m:] - rankdata(stayed)) / m
    variance = above.var(ddof=1) / m + below.var(ddof=1) / n
    made = _figure(float(above.mean()), float(np.sqrt(variance)))
    return made | {"low": max(0.0, made["low"]), "high": min(1.0, made["high"])}


def slope_and_intercept(y: Vector, p: Vector) -> dict[str, Figure]:
    """Cox calibration: the slope of log-odds of truth on predicted log-odds; the intercept at slope 1.

    Slope under 1: too sure. Intercept above 0: too low on average.
    """
    z = logit(np.clip(p, FLOOR, 1 - FLOOR))
    both = np.column_stack([np.ones(len(z)), z])
    fitted, errors = _logistic(both, y, np.zeros(len(z)), start=np.r_[0.0, 1.0])
    level, level_errors = _logistic(np.ones((len(z), 1)), y, z, start=np.zeros(1))
    return {
        "slope": _figure(float(fitted[1]), float(errors[1])),
        "intercept": _figure(float(level[0]), float(level_errors[0])),
    }


def _logistic(x: Vector, y: Vector, offset: Vector, *, start: Vector) -> tuple[Vector, Vector]:
    """Maximum likelihood and Wald errors of a small logistic model."""

    def loss(at: Vector) -> tuple[float, Vector]:
        z = offset + (x * at).sum(axis=1)
        error = expit(z) - y
        return float((np.logaddexp(0, z) - y * z).sum()), np.asarray((x * error[:, None]).sum(axis=0))

    found = minimize(loss, start, jac=True, method="BFGS").x
    p = expit(offset + (x * found).sum(axis=1))
    information = (x * (p * (1 - p))[:, None]).T @ x
    return np.asarray(found), np.sqrt(np.diag(np.linalg.inv(information)))


def _bins(p: Vector) -> list[Any]:
    """Positions of ten groups of even size, from the lowest probability to the highest."""
    return [part for part in np.array_split(np.argsort(p, kind="stable"), BINS) if len(part)]


def table(y: Vector, p: Vector) -> list[dict[str, float]]:
    """What was predicted and what happened, by tenths of the customers."""
    return [
        {
            "customers": len(part),
            "events": int(y[part].sum()),
            "predicted": _short(float(p[part].mean())),
            "happened": _short(float(y[part].mean())),
        }
        for part in _bins(p)
    ]


def expected_error(y: Vector, p: Vector) -> float:
    """Expected calibration error: mean distance of prediction and truth over the tenths."""
    return float(sum(abs(p[part].mean() - y[part].mean()) * len(part) for part in _bins(p)) / len(p))


def lift(y: Vector, p: Vector) -> float:
    """Rate among the tenth most at risk over the rate of all."""
    count = max(1, len(y) // 10)
    top = np.argsort(-p, kind="stable")[:count]
    return float(y[top].mean() / y.mean())


def horizon_rate(monthly: float, months: int) -> float:
    """The share that leaves within some months at a constant monthly rate."""
    return float(1 - (1 - monthly) ** months)


def prior_shift(*, sample_rate: float, true_rate: float) -> float:
    """What to add to log-odds learnt where leavers were over-sampled (King and Zeng 2001, Political Analysis 9:137)."""
    return float(logit(true_rate) - logit(sample_rate))
