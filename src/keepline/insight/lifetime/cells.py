"""Customers folded into unique cells of (frequency, recency, age), all that models of repeat purchase depend on.

Ten million customers with ages in days are some 200,000 cells, in months a few thousand; whatever
is computed for a cell holds for all of its customers, so cost does not grow with them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from keepline.insight.lifetime.fitting import Vector

Whole = npt.NDArray[np.int64]
Places = npt.NDArray[np.int32]
Counts = npt.NDArray[Any]  # whole numbers of any width

BLOCK = 1 << 18  # customers at a time: what fits the processor's cache
SPARE = 1 << 20


@dataclass(frozen=True)
class Cells:
    """Unique combinations, in whole steps of time, with how many customers share each.

    frequency: times a customer came back (the first purchase does not count)
    recency: when the last of them was, in steps since the first purchase; 0 where none was
    age: how long ago the first purchase was, in steps
    place: the cell of each customer
    """

    frequency: Whole
    recency: Whole
    age: Whole
    weight: Vector
    place: Places
    step: float = 1.0  # length of one step in the unit of time of rates and horizons

    @property
    def customers(self) -> float:
        return float(self.weight.sum())

    def each(self, of_cells: Vector) -> Vector:
        """A figure of cells, given to each customer."""
        return np.asarray(np.take(of_cells, self.place))

    def coarser(self, factor: int) -> Cells:
        """The same customers by steps ``factor`` times as long; only for a first guess."""
        recency = -(-self.recency // factor)
        age = np.maximum(-(-self.age // factor), recency)
        made = fold(self.frequency, recency, age)
        weight = np.bincount(made.place, weights=self.weight, minlength=len(made.weight)).astype(np.float64)
        return Cells(made.frequency, made.recency, made.age, weight, made.place, self.step * factor)


def fold(frequency: Counts, recency: Counts | Vector, age: Counts | Vector, *, step: float = 1.0) -> Cells:
    """Fold customers into cells. Times are rounded to whole steps: a day, a month, a hundredth of a week.

    Cells are counted in a table of all combinations with recency <= age where that is small beside
    the customers, and by sorting otherwise.
    """
    if not len(frequency):
        nothing = np.zeros(0, np.int64)
        return Cells(nothing, nothing, nothing, np.zeros(0), np.zeros(0, np.int32), step)
    most = int(frequency.max())
    oldest = int(np.rint(float(age.max()) / step))
    width = (oldest + 1) * (oldest + 2) // 2
    key = _keys(frequency, recency, age, step=step, width=width)
    if (most + 1) * width <= 8 * len(key) + SPARE:
        found, counts, place = _counted(key)
    else:
        found, inverse, counts = np.unique(key, return_inverse=True, return_counts=True)
        place = inverse.astype(np.int32)
    times, when = np.divmod(found, width)
    ages = ((np.sqrt(8.0 * when + 1) - 1) / 2).astype(np.int64)
    return Cells(times, when - ages * (ages + 1) // 2, ages, counts.astype(np.float64), place, step)


def _keys(frequency: Counts, recency: Counts | Vector, age: Counts | Vector, *, step: float, width: int) -> Whole:
    """One number a cell: frequency x width + age (age + 1) / 2 + recency."""
    made = np.empty(len(frequency), dtype=np.int64)
    for begin in range(0, len(made), BLOCK):
        part = slice(begin, begin + BLOCK)
        late, old = _steps(recency[part], step), _steps(age[part], step)
        key = frequency[part] * np.int64(width)
        key += late
        old *= old + 1
        old >>= 1
        key += old
        made[part] = key
    return made


def _steps(times: Counts | Vector, step: float) -> Whole:
    if np.issubdtype(times.dtype, np.integer) and step == 1.0:
        return np.asarray(times.astype(np.int64))
    return np.asarray(np.rint(times * (1 / step)).astype(np.int64))


def _counted(key: Whole) -> tuple[Whole, Whole, Places]:
    counts = np.bincount(key)
    found = np.flatnonzero(counts)
    cell_of = np.empty(len(counts), dtype=np.int32)
    cell_of[found] = np.arange(len(found), dtype=np.int32)
    place = np.empty(len(key), dtype=np.int32)
    for begin in range(0, len(key), BLOCK):
        np.take(cell_of, key[begin : begin + BLOCK], out=place[begin : begin + BLOCK])
    return found, counts[found], place
