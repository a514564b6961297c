"""Customers whose lifetimes follow known parameters, and published sets, for the tests of lifetime models."""

from __future__ import annotations

import csv
import datetime as dt
from collections import defaultdict
from pathlib import Path

import numpy as np
import numpy.typing as npt

from keepline.insight.lifetime.cells import Cells, fold

Vector = npt.NDArray[np.float64]
WEEK = 7


def cdnow(data: Path) -> tuple[Vector, Vector, Vector, Vector]:
    """Frequency, recency and age in weeks to two digits, and mean spend of repeat purchases, as published."""
    path = data / "cdnow" / "cdnow_customers_summary_with_transactions.csv"
    rows = np.loadtxt(path, delimiter=",", skiprows=1)
    return rows[:, 1].astype(np.int64), rows[:, 2], rows[:, 3], rows[:, 4]


def cdnow_days(data: Path) -> tuple[Cells, Vector]:
    """The same from single purchases, in whole days, with what each cell's customers bought in the 39 weeks after."""
    end, later = dt.date(1997, 9, 30).toordinal(), dt.date(1998, 6, 30).toordinal()
    days: dict[str, set[int]] = defaultdict(set)
    with (data / "cdnow" / "CDNOW_sample.txt").open(encoding="ascii") as file:
        for line in file:
            _, customer, day, *_ = line.split()
            days[customer].add(dt.date(int(day[:4]), int(day[4:6]), int(day[6:])).toordinal())
    seen = [sorted(day for day in each if day <= end) for each in days.values()]
    after = np.array([sum(end < day <= later for day in each) for each in days.values()], dtype=float)
    x = np.array([len(each) - 1 for each in seen])
    cells = fold(x, np.array([each[-1] - each[0] for each in seen]), np.array([end - each[0] for each in seen]))
    made = Cells(cells.frequency, cells.recency, cells.age, cells.weight, cells.place, step=1 / WEEK)
    return made, np.bincount(cells.place, weights=after)


def donations(data: Path) -> Cells:
    """The donations of Fader, Hardie and Shang (2010): six yearly chances each."""
    rows = np.loadtxt(data / "cdnow" / "donations.csv", delimiter=",", skiprows=1).astype(np.int64)
    return fold(*(np.repeat(rows[:, i], rows[:, 3]) for i in range(3)))


def retention(data: Path, name: str) -> Vector:
    """Share still here after 0 to 12 years."""
    with (data / "sbg-retention" / "sbg_survival.csv").open(encoding="ascii") as file:
        return np.array([1.0, *(float(row[name]) for row in csv.DictReader(file))])


def buyers(customers: int, *, p: tuple[float, float, float, float], seed: int, drops_out: str) -> Cells:
    """Buyers by day over half a year to nine months, who drop out after a purchase or at any time."""
    random = np.random.default_rng(seed)
    r, alpha, a, b = p
    rate = random.gamma(r, 1 / alpha, customers) / WEEK
    age = (189 + random.integers(0, 85, customers)).astype(float)
    loss = random.beta(a, b, customers) if drops_out == "after a purchase" else np.zeros(customers)
    ends = random.exponential(1, customers) / random.gamma(a, 1 / b, customers) * WEEK
    until = age if drops_out == "after a purchase" else np.minimum(age, ends)
    frequency, last, now = np.zeros(customers, np.int64), np.zeros(customers), np.zeros(customers)
    here = np.arange(customers)
    while len(here):
        now[here] += random.exponential(1, len(here)) / np.maximum(rate[here], 1e-12)
        here = here[now[here] <= until[here]]
        frequency[here] += 1
        last[here] = now[here]
        here = here[random.random(len(here)) >= loss[here]]
    return fold(frequency, last / WEEK, age / WEEK, step=1 / WEEK / 24)


def monthly(customers: int, months: int, *, p: tuple[float, float, float, float], seed: int) -> Cells:
    """Customers who top up in some months and drop out at the beginning of any; half began later."""
    random = np.random.default_rng(seed)
    buys, leaves = random.beta(p[0], p[1], customers), random.beta(p[2], p[3], customers)
    age = random.integers(months // 2, months + 1, customers)
    life = np.minimum(random.geometric(np.clip(leaves, 1e-9, 1)) - 1, age)
    frequency, last = np.zeros(customers, np.int64), np.zeros(customers, np.int64)
    for month in range(1, months + 1):
        active = (month <= life) & (random.random(customers) < buys)
        frequency += active
        last[active] = month
    return fold(frequency, last, age)
