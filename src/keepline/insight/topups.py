"""What prepaid customers bring who are bound by nothing: months with a top-up, times the amount of one.

    value = sum over m of P(tops up in month m) d^m x expected margin of a month with top-ups

The first by BG/BB (lifetime/bgbb.py) from how often, when last and since when in the last twelve months,
the second by gamma-gamma (lifetime/spend.py). Both are fitted on the prepaid customers of the lake, of a large base on
as large a share as the other models learn from, those who fell silent too: the base alone holds only who topped up
lately, and would teach that nobody stops.
Prepaid is who topped up within twelve months and was never billed a recurring charge in such a month.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from sqlglot import exp, parse_one

from keepline import sqlmodel
from keepline.engine import Engine, Range
from keepline.errors import TooFewError
from keepline.insight.inputs import Shelf, Vector
from keepline.insight.lifetime import bgbb, spend
from keepline.insight.lifetime.cells import Cells, Whole
from keepline.periods import Month
from keepline.policy.documents import Value
from keepline.sampled import EVERYBODY, Sampled

WINDOW = 12  # months looked back
CUSTOMERS_MIN = 500
SILENT_MIN = 30  # who fell silent, and who came back: without both nothing tells one who stopped from one who pauses
COLUMNS = ("topup_frequency", "topup_recency", "topup_age", "topup_mean_fen")
ACTIVE = """WITH monthly AS (
SELECT customer_id, months_ago,
SUM(CASE WHEN component = 'topup' THEN amount_fen ELSE 0 END) AS topup,
SUM(CASE WHEN component = 'recurring' THEN amount_fen ELSE 0 END) AS recurring
FROM bills GROUP BY customer_id, months_ago)
SELECT customer_id, COUNT(*) - 1 AS topup_frequency, MAX(months_ago) - MIN(months_ago) AS topup_recency,
MAX(months_ago) AS topup_age, SUM(CAST(topup AS DOUBLE)) / COUNT(*) AS topup_mean_fen
FROM monthly WHERE topup > 0 GROUP BY customer_id HAVING SUM(recurring) = 0"""


@dataclass(frozen=True)
class TopUps:
    """Fitted models, and what every course of the last twelve months may be expected to bring."""

    months: tuple[float, ...]  # BG/BB: alpha, beta, gamma, delta
    amounts: tuple[float, ...]  # gamma-gamma: p, q, scale, in fen
    customers: int
    place: Whole  # of each (frequency, recency, age) in the arrays below, -1 where it cannot be
    expected: Vector  # discounted months with a top-up
    reach: Vector  # half of their interval
    stays: Vector  # months here, not discounted

    def at(self, frequency: Vector, recency: Vector, age: Vector) -> Whole:
        """The entry of each customer; -1 for who is not prepaid."""
        known = ~np.isnan(frequency + recency + age)
        key = np.where(known, (frequency * WINDOW + recency) * WINDOW + age, 0).astype(np.int64)
        return np.asarray(np.where(known, self.place[key], -1))


@dataclass(frozen=True)
class Brought:
    """What prepaid customers are expected to bring, in fen; ``mine`` says who is one."""

    mine: npt.NDArray[np.bool_]
    value: Vector
    reach: Vector  # half of the interval
    months: Vector


def active_query() -> exp.Query:
    """One row a prepaid customer: months with a top-up after the first, when the last, since when, mean amount."""
    return sqlmodel.as_query(parse_one(ACTIVE, read="duckdb"))


def see_bills(engine: Engine, lake: Shelf, *, snapshot: Month, only: Range | None) -> None:
    engine.see("bills", lake.scan("bills", snapshot, months=WINDOW), only)


def learn_topups(engine: Engine, lake: Shelf, policy: Value, *, snapshot: Month, some: Sampled = EVERYBODY) -> TopUps:
    """Fit on the prepaid of the lake, or of a share of its customers: all at once need a year of bills in memory.

    Raises TooFewError where there are too few of them, too few who fell silent or came back after a month
    without, or the amounts tell no spread; then everybody is valued by their rate of leaving.
    """
    see_bills(engine, lake, snapshot=snapshot, only=some.alone)
    by_cell = exp.select(*COLUMNS[:3], exp.alias_(exp.Count(this=exp.Star()), "customers"))
    cells_query = by_cell.from_(active_query().subquery("active")).group_by(*COLUMNS[:3]).order_by(*COLUMNS[:3])
    found = engine.fetch(cells_query)
    x, late, old, count = (found.column(name).cast("int64").to_numpy() for name in (*COLUMNS[:3], "customers"))
    check_courses(x, late, old, count)
    months = bgbb.fit(Cells(x, late, old, count.astype(np.float64), np.zeros(0, np.int32)))
    amounts = _amounts(engine)
    if not months.told or amounts is None:
        raise TooFewError(
            "the top-ups of prepaid customers do not tell how customers differ, so they are valued by their rate of "
            "leaving as everybody is",
            "预付费客户的充值记录不足以看出客户之间的差异，按离网率估值，与其他客户相同",
            code="topups_untold",
        )
    return _tabled(months.values, amounts, policy=policy, customers=int(count.sum()))


def check_courses(x: Whole, late: Whole, old: Whole, count: Whole) -> None:
    """Refuse where too few customers, silences or gaps are seen to tell one who stopped from one who pauses."""
    customers, silent, paused = (int(count[which].sum()) for which in (count > 0, late < old, x < late))
    if customers >= CUSTOMERS_MIN and min(silent, paused) >= SILENT_MIN:
        return
    raise TooFewError(
        f"{customers} prepaid customers topped up within {WINDOW} months, {silent} of them fell silent and {paused} "
        f"skipped a month and came back; {CUSTOMERS_MIN}, {SILENT_MIN} and {SILENT_MIN} are needed, so they are valued "
        "by their rate of leaving as everybody is",
        f"{WINDOW} 个月内有充值的预付费客户 {customers} 位，其中 {silent} 位已沉默、{paused} 位曾间断后又充值；"
        f"至少需要 {CUSTOMERS_MIN}、{SILENT_MIN}、{SILENT_MIN} 位，因此按离网率估值，与其他客户相同",
        code="too_few_topups",
    )


def _amounts(engine: Engine) -> Vector | None:
    """Gamma-gamma on mean amounts to ten fen, so that cost does not grow with customers."""
    rounded = parse_one("ROUND(topup_mean_fen / 10)")
    query = exp.select("topup_frequency", exp.alias_(rounded, "tens"), exp.alias_(exp.Count(this=exp.Star()), "many"))
    grouped = query.from_(active_query().subquery("active")).group_by("topup_frequency", rounded.copy())
    rows = engine.fetch(grouped.order_by("topup_frequency", "tens"))
    times, tens, many = (rows.column(n).cast("double").to_numpy() for n in ("topup_frequency", "tens", "many"))
    some = tens > 0
    if not some.any():
        return None
    made = spend.fit(spend.Amounts(times[some].astype(np.int64) + 1, 10 * tens[some], many[some]))
    return made.values if made.told and made.values[1] > 1 else None


def _tabled(months: Vector, amounts: Vector, *, policy: Value, customers: int) -> TopUps:
    """Every course there can be: some hundreds."""
    ages = range(WINDOW)
    every = [(0, 0, age) for age in ages]
    every += [(x, t, age) for age in ages for t in range(1, age + 1) for x in range(1, t + 1)]
    x, late, old = np.array(every).T
    cells = Cells(x, late, old, np.ones(len(x)), np.arange(len(x), dtype=np.int32))
    ahead = np.arange(1, policy.horizon_months + 1)
    discount = (1 + policy.discount_rate_year) ** (-ahead / 12)
    made = bgbb.expected_range(months, cells, weights=discount, level=policy.interval)
    place = np.full(WINDOW**3, -1, dtype=np.int64)
    place[(x * WINDOW + late) * WINDOW + old] = np.arange(len(x))
    by_month = bgbb.expected_by_month(months, cells, ahead=policy.horizon_months)
    often = months[0] + x, months[0] + months[1] + old  # of one still here
    stays = by_month.sum(axis=1) * often[1] / often[0]
    half = (made.high - made.low) / 2
    return TopUps(tuple(months.tolist()), tuple(amounts.tolist()), customers, place, by_month @ discount, half, stays)


def brought(model: TopUps, column: dict[str, Vector], *, policy: Value, reach_of_error: float) -> Brought:
    """What each prepaid customer brings; the parts of the interval add in squares.

    The amount's own mean is p / nu, nu being gamma(q + p x, scale + x z): relative variance 1 / (q + p x - 2).
    """
    frequency, recency, age, mean = (column[name] for name in COLUMNS)
    at = model.at(frequency, recency, age)
    mine = at >= 0
    at = np.maximum(at, 0)
    p, q, _ = model.amounts
    times = np.where(mine, frequency + 1, 1.0)
    margin = policy.margin_share["topup"] * spend.expected(np.array(model.amounts), times, np.where(mine, mean, 0.0))
    unsure = 1 / np.sqrt(np.maximum(q + p * times - 2, 1.0))
    value = margin * model.expected[at]
    reach = np.hypot(margin * model.reach[at], reach_of_error * unsure * value)
    return Brought(mine, value, reach, model.stays[at])
