"""Months and days as whole columns: days are counted from 1970-01-01, as Parquet does."""

from __future__ import annotations

import numpy as np

from keepline.periods import Month
from keepline.simulate.state import Array

_EPOCH_MONTH = 1970 * 12


def first_day(month_index: Array) -> Array:
    """The first day of each month, in days since 1970-01-01."""
    months = (np.asarray(month_index, dtype="int64") - _EPOCH_MONTH).astype("datetime64[M]")
    return months.astype("datetime64[D]").astype("int64").astype("int32")


def last_day(month_index: Array) -> Array:
    """The last day of each month, in days since 1970-01-01."""
    return (first_day(np.asarray(month_index) + 1) - 1).astype("int32")


def some_day(rng: np.random.Generator, month: Month, size: int) -> Array:
    """A day of the month for each, evenly drawn."""
    first, last = (int(first_day(np.array([i]))[0]) for i in (month.index, month.index + 1))
    return rng.integers(first, last, size).astype("int32")


def month_of(days: Array) -> Array:
    """The month index of each day."""
    return days.astype("int64").astype("datetime64[D]").astype("datetime64[M]").astype("int64") + _EPOCH_MONTH
