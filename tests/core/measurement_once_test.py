"""Sums of past plans are made once, and anew as soon as anything they hang on changes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from core import measurement_effects_test as effects
from core import measurement_judgement_test as forecasts
from core.small_lake import add_rows
from core.small_policy import small_policy
from keepline import engine as engines
from keepline.engine import Engine
from keepline.lake.store import Lake
from keepline.measurement.effects import measure_plans
from keepline.measurement.judgement import judge
from keepline.measurement.once import PastPlan
from keepline.periods import Month
from keepline.tables import Table

PLAN, NOW = Month.parse("2026-07"), Month.parse("2026-09")
assert (effects.PLAN, forecasts.PLAN) == (PLAN, PLAN)


@dataclass
class Memory:
    """Where sums are found again, and which had to be made."""

    known: dict[tuple[str, Month, str], pa.Table] = field(default_factory=dict)
    made: list[tuple[str, str]] = field(default_factory=list)

    def __call__(self, table: Table, month: Month, made_from: str, make: Callable[[], pa.Table]) -> pa.Table:
        key = (table.name, month, made_from)
        if key not in self.known:
            self.made.append((table.name, str(month)))
            self.known[key] = make()
        return self.known[key]


@dataclass
class Measured:
    """Effects of one plan, month after month."""

    root: Path
    lake: Lake
    plans: list[PastPlan]
    engine: Engine = field(default_factory=lambda: engines.start("duckdb"))
    memory: Memory = field(default_factory=Memory)

    def rows(self, snapshot: Month, **policy: dict[str, Any]) -> tuple[object, list[tuple[str, str]]]:
        """What is told, which is what nothing kept would tell, and what had to be made for it."""
        told = [self._rows(snapshot, policy, keep) for keep in ({"keep": self.memory}, {})]
        assert told[0] == told[1]
        made, self.memory.made = self.memory.made, []
        return told[0], made

    def _rows(self, snapshot: Month, policy: dict[str, Any], keep: dict[str, Any]) -> object:
        to, said = self.root / "effects.parquet", small_policy(**policy)
        measure_plans(self.engine, self.lake, said, snapshot=snapshot, past=self.plans, to=to, **keep)
        return effects.rows_of(to)


class Judged(Measured):
    def _rows(self, snapshot: Month, policy: dict[str, Any], keep: dict[str, Any]) -> object:
        return judge(self.engine, self.lake, small_policy(**policy), snapshot=snapshot, past=self.plans, **keep)


def bill(month: Month, customer_id: int = 7) -> dict[str, Any]:
    return {"customer_id": customer_id, "month": str(month), "component": "overage", "amount_fen": 5000}


def delivery(month: Month, plan: Month, customer_id: int) -> dict[str, Any]:
    return {"customer_id": customer_id, "month": str(month), "plan_month": str(plan), "offer_id": "care"}


@pytest.fixture
def plan(tmp_path: Path) -> Measured:
    given = [effects.proof(c) for c in effects.TREATED if c != 39]
    return Measured(
        tmp_path, effects.lake_with(tmp_path / "lake", deliveries=given), [replace(effects.plan_of(tmp_path), id="a")]
    )


MARGINS = small_policy().value.margin_share
ARMS = [("arm_sums", str(PLAN))]


def test_a_plan_whose_window_is_over_is_summed_once(plan: Measured) -> None:
    told, made = plan.rows(NOW)
    assert made == ARMS
    plan.lake = add_rows(plan.lake, bills=[bill(NOW + 1)], deliveries=[delivery(NOW + 1, NOW, 5)])
    assert plan.rows(NOW + 1) == (told, [])


@pytest.mark.parametrize(
    "news",
    [
        {"bills": [bill(PLAN + 1)]},
        {"departures": [{"customer_id": 20, "month": str(PLAN + 2)}]},
        {"deliveries": [delivery(NOW + 1, PLAN, 39)]},
        {"approvals": [{"approval_id": "1", "customer_id": 20, "month": str(PLAN + 1), "decision": "approved"}]},
    ],
)
def test_what_comes_late_of_its_months_or_of_its_deliveries_sums_it_anew(plan: Measured, news: dict[str, Any]) -> None:
    before, _ = plan.rows(NOW + 1)
    plan.lake = add_rows(plan.lake, **news)
    after, made = plan.rows(NOW + 1)
    assert made == ARMS
    assert after != before


def test_a_bill_that_comes_after_the_window_was_published_counts_from_then_on(plan: Measured) -> None:
    before, _ = plan.rows(NOW)
    more = add_rows(plan.lake, bills=[bill(PLAN + 1)])
    came = [f if f in plan.lake.files else replace(f, holds_from=str(NOW + 1)) for f in more.files]
    also = [
        replace(f, holds_from=str(NOW + 1)) for f in plan.lake.files if (f.table, f.month) == ("bills", str(PLAN + 1))
    ]
    plan.lake = replace(more, files=(*came, *also))
    assert plan.rows(NOW) == (before, [])
    after, made = plan.rows(NOW + 1)
    assert made == ARMS
    assert after != before


def test_another_policy_or_publication_sums_it_anew(plan: Measured) -> None:
    plan.rows(NOW)
    assert plan.rows(NOW, value={"margin_share": MARGINS | {"recurring": 0.3}})[1] == ARMS
    plan.plans = [replace(plan.plans[0], id="b")]
    assert plan.rows(NOW)[1] == ARMS


@pytest.fixture
def forecast(tmp_path: Path) -> Judged:
    lake, plans = forecasts.small(tmp_path)
    return Judged(tmp_path, lake, [replace(plan, id=str(plan.month)) for plan in plans])


VALUE = {"horizon_months": 2, "discount_rate_year": 0.21}
BOTH = [("score_cells", str(PLAN)), ("value_sums", str(PLAN))]


def test_a_forecast_is_summed_once_and_the_next_alone_is_new(forecast: Judged) -> None:
    (first, _), made = forecast.rows(NOW, value=VALUE)  # type: ignore[misc]
    assert made == BOTH
    forecast.lake = add_rows(forecast.lake, bills=[bill(NOW + 1, who) for who in forecasts.IDS])
    (again, second), made = forecast.rows(NOW + 1, value=VALUE)  # type: ignore[misc]
    assert again == first
    assert second["verdict"] == "judged"
    assert made == [(name, str(PLAN + 1)) for name, _ in BOTH]


def test_a_plan_of_the_window_that_proves_to_be_carried_out_sums_it_anew(forecast: Judged) -> None:
    """It has lots of its own: fewer are left alone by both."""
    whole = forecast.lake
    forecast.plans[1] = replace(forecast.plans[1], lot=replace(forecasts.LOT, salt="another"))
    forecast.lake = Lake(whole.root, tuple(f for f in whole.files if (f.table, f.month) != ("deliveries", str(NOW))))
    before, _ = forecast.rows(NOW, value=VALUE)
    forecast.lake = whole
    after, made = forecast.rows(NOW, value=VALUE)
    assert made == BOTH
    assert after != before


def test_an_offer_that_proves_to_have_reached_who_was_left_alone_sums_the_forecast_anew(forecast: Judged) -> None:
    before, _ = forecast.rows(NOW, value=VALUE)
    given = [delivery(NOW, PLAN, who) for who in forecasts.ALONE]
    forecast.lake = add_rows(forecast.lake, deliveries=given)
    after, made = forecast.rows(NOW, value=VALUE)
    assert made == BOTH[:1]
    assert after != before
