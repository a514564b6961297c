"""How well published probabilities ranked and told the level, from cells of equal probability that add.

A cell is every customer whose probability agrees to five decimals, so that ten million
customers become at most 100,001 rows whatever the engine and the parts.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from keepline.measurement.statistics import LEVEL, normal_quantile, shares_interval
from keepline.tables import SCORE_CELLS

Numbers = np.ndarray[Any, np.dtype[np.float64]]
TENTHS = 10
NEWTON_STEPS = 50
CLOSE_ENOUGH = 1e-9


@dataclass(frozen=True)
class Cells:
    """Cells in rising order of probability; every field is one array over the cells."""

    score: Numbers
    customers: Numbers
    gone: Numbers
    probability: Numbers
    squares: Numbers
    gone_probability: Numbers

    @property
    def people(self) -> float:
        return float(self.customers.sum())

    @property
    def leavers(self) -> float:
        return float(self.gone.sum())


@dataclass(frozen=True)
class Estimate:
    """A figure with its 90 % interval; the ends are None where no interval is defined."""

    value: float
    low: float | None
    high: float | None


def merge(tables: Iterable[pa.Table]) -> Cells:
    """Cells of all parts together; cells with the same score add."""
    whole = pa.concat_tables(tables)
    columns = {name: whole[name].to_numpy().astype(float) for name in SCORE_CELLS.names}
    score, where = np.unique(columns["score"], return_inverse=True)
    sums: dict[str, Numbers] = {
        name: np.bincount(where, weights=values, minlength=len(score)).astype(float)
        for name, values in columns.items()
        if name != "score"
    }
    return Cells(score=score, **sums)


def as_table(cells: Cells) -> pa.Table:
    """The cells as SCORE_CELLS, from which ``merge`` makes just these."""
    return pa.table({name: getattr(cells, name) for name in SCORE_CELLS.names}).cast(SCORE_CELLS.arrow)


def auc(cells: Cells, *, level: float = LEVEL) -> Estimate | None:
    """Chance that a leaver had a higher probability than a stayer, with DeLong's interval on the logit scale.

    DeLong, DeLong and Clarke-Pearson 1988, Biometrics 44:837–845; None without both kinds.
    """
    left, stayed = cells.gone, cells.customers - cells.gone
    leavers, stayers = left.sum(), stayed.sum()
    if min(leavers, stayers) < 1:
        return None
    above = (np.cumsum(stayed) - stayed / 2) / stayers  # of a leaver: share of stayers below
    below = (leavers - np.cumsum(left) + left / 2) / leavers  # of a stayer: share of leavers above
    found = float((left * above).sum() / leavers)
    if min(leavers, stayers) < 2 or not 0 < found < 1:
        return Estimate(found, None, None)
    variance = (left * (above - found) ** 2).sum() / (leavers - 1) / leavers
    variance += (stayed * (below - found) ** 2).sum() / (stayers - 1) / stayers
    half = normal_quantile(level) * float(np.sqrt(variance)) / (found * (1 - found))
    centre = float(np.log(found / (1 - found)))
    return Estimate(found, _share(centre - half), _share(centre + half))


def _share(logit: float) -> float:
    return float(1 / (1 + np.exp(-logit)))


@dataclass(frozen=True)
class Calibration:
    """``logit(leaving) = intercept + slope × logit(published)``: 0 and 1 when the probabilities are right."""

    intercept: Estimate
    slope: Estimate


def calibration(cells: Cells, *, level: float = LEVEL) -> Calibration | None:
    """Cox's recalibration line (1958) by Newton's steps; None when the data do not fix it."""
    if not 0 < cells.leavers < cells.people or len(cells.score) < 2:
        return None
    mean = np.clip(cells.probability / cells.customers, 1e-6, 1 - 1e-6)
    line = np.column_stack([np.ones_like(mean), np.log(mean / (1 - mean))])
    fitted = _newton(line, cells)
    if fitted is None:
        return None
    found, covariance = fitted
    half = normal_quantile(level) * np.sqrt(np.diag(covariance))
    ends = [Estimate(float(v), float(v - h), float(v + h)) for v, h in zip(found, half, strict=True)]
    return Calibration(ends[0], ends[1])


def _newton(line: Numbers, cells: Cells) -> tuple[Numbers, Numbers] | None:
    found = np.array([0.0, 1.0])
    for _ in range(NEWTON_STEPS):
        told = 1 / (1 + np.exp(-np.clip(line @ found, -30, 30)))
        weight = cells.customers * told * (1 - told)
        information = (line * weight[:, None]).T @ line
        if np.linalg.cond(information) > 1e12:
            return None
        step = np.linalg.solve(information, line.T @ (cells.gone - cells.customers * told))
        found = found + step
        if np.abs(step).max() < CLOSE_ENOUGH:
            return found, np.linalg.inv(information)
    return None


def brier(cells: Cells) -> float:
    """Mean square of probability less outcome; smaller is better."""
    return float((cells.squares.sum() - 2 * cells.gone_probability.sum() + cells.leavers) / cells.people)


def top_tenth_lift(cells: Cells) -> float | None:
    """Rate of leaving in the tenth with the highest probabilities over the rate of all."""
    if cells.leavers == 0:
        return None
    wanted = cells.people / TENTHS
    customers, left = cells.customers[::-1], cells.gone[::-1]
    room = np.clip(wanted - (np.cumsum(customers) - customers), 0, customers)
    return float((left * room / customers).sum() / wanted / (cells.leavers / cells.people))


def tenths(cells: Cells) -> list[dict[str, float]]:
    """Predicted and observed by tenth, the highest first; a cell falls whole where its middle falls."""
    middle = 1 - (np.cumsum(cells.customers) - cells.customers / 2) / cells.people
    tenth = np.minimum((middle * TENTHS).astype(int), TENTHS - 1)
    rows = []
    for number in range(TENTHS):
        inside = tenth == number
        n, left = float(cells.customers[inside].sum()), float(cells.gone[inside].sum())
        if n:
            low, high = shares_interval(int(left), int(n))
            predicted = float(cells.probability[inside].sum()) / n
            row = {"tenth": number + 1, "customers": int(n), "predicted": predicted, "observed": left / n}
            rows.append(row | {"low": low, "high": high})
    return rows
