"""Forecasts that are true are found true, however many plans and pilots ran within their horizon.

Simulated: every customer leaves within three months with a probability of 6 %, which was forecast. Each month an offer
reaches thousands of those still here, and keeps each of them; of those about to leave it finds three times as many.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from small_lake import lake_of, write_rows
from small_policy import small_policy

from keepline import engine as engines
from keepline.engine import Engine
from keepline.holdout import Lot, held_out
from keepline.measurement.judgement import judge
from keepline.measurement.once import PastPlan
from keepline.periods import Month

PLAN, MONTHS, TRUE = Month.parse("2026-07"), 3, 0.06
IDS = np.arange(1, 20_001)
LOT = Lot("2026", 0.3)
OFFERED = 3000  # each month
Rows = list[dict[str, Any]]


@dataclass
class Story:
    """Who would leave in which month of the window when nothing is done, and what was done."""

    leaves: np.ndarray[Any, Any]  # 1 to 3; 4: stays
    dice: np.random.Generator
    departures: Rows = field(default_factory=list)
    deliveries: Rows = field(default_factory=list)

    def months(self, able: np.ndarray[Any, Any], *, keen: float) -> Iterator[tuple[Month, np.ndarray[Any, Any]]]:
        """Month by month whom an offer finds, the keener the more of those about to leave; they are kept if they are
        here by the time."""
        kept, here = np.zeros(len(IDS), bool), np.ones(len(IDS), bool)
        for ahead in range(1, MONTHS + 1):
            going = here & ~kept & (self.leaves == ahead)
            may = np.flatnonzero(here & ~kept & able)
            chance = np.where(going[may], keen, 1.0)
            found = self.dice.choice(may, OFFERED, replace=False, p=chance / chance.sum())
            early = going & (self.dice.random(len(IDS)) < 0.5)  # before the offer can reach them
            reached = found[~early[found]]
            yield PLAN + ahead, reached
            kept[reached] = True
            gone = going & ~kept
            here &= ~gone
            self.departures += [{"customer_id": int(c), "month": str(PLAN + ahead)} for c in IDS[gone]]


def story(seed: int) -> Story:
    dice = np.random.default_rng(seed)
    return Story(np.minimum(dice.geometric(1 - (1 - TRUE) ** (1 / MONTHS), len(IDS)), MONTHS + 1), dice)


def plans(folder: Path, months: Sequence[Month]) -> list[PastPlan]:
    scored = [{"customer_id": int(c), "month": str(PLAN), "leave_probability": TRUE} for c in IDS]
    scores = write_rows(folder / "scores.parquet", "scores", scored)
    return [PastPlan(month, (), (scores,) if month == PLAN else (), (), id=str(month), lot=LOT) for month in months]


def found(engine: Engine, folder: Path, made: Story, past: list[PastPlan]) -> dict[str, Any]:
    bills = [{"customer_id": 1, "month": str(PLAN + i), "component": "recurring", "amount_fen": 1} for i in (1, 2, 3)]
    lake = lake_of(folder / "lake", bills=bills, departures=made.departures, deliveries=made.deliveries)
    policy = small_policy(leaving={"horizon_months": MONTHS})
    return judge(engine, lake, policy, snapshot=PLAN + MONTHS, past=past)[0]


@pytest.fixture
def duckdb() -> Engine:
    return engines.start("duckdb")


def test_with_several_plans_in_the_horizon_the_true_rate_is_found(duckdb: Engine, tmp_path: Path) -> None:
    made, alone = story(1), held_out(IDS, salt=LOT.salt, share=LOT.share)
    treated = np.zeros(len(IDS), bool)
    for month, reached in made.months(~alone, keen=3.0):
        treated[reached] = True
        made.deliveries += [
            {"customer_id": int(c), "month": str(month), "plan_month": str(month + -1), "offer_id": "gift"}
            for c in IDS[reached]
        ]
    said = found(duckdb, tmp_path, made, plans(tmp_path, [PLAN, PLAN + 1, PLAN + 2]))
    assert (said["judged_on"], said["customers"]) == ("left_alone", alone.sum())
    assert said["observed"]["low"] < TRUE < said["observed"]["high"]
    assert said["observed"]["value"] == pytest.approx(TRUE, abs=0.005)
    assert len(made.departures) / (len(IDS) - treated.sum()) > 1.1 * TRUE  # what those never treated would tell


def test_who_a_pilot_of_other_lots_reached_counts_for_the_time_before(duckdb: Engine, tmp_path: Path) -> None:
    """Nothing of the plan was carried out, so nobody was left alone by lot, and a pilot's lots know nothing of risk."""
    made = story(2)
    for month, reached in made.months(np.ones(len(IDS), bool), keen=1.0):
        made.deliveries += [
            {"customer_id": int(c), "month": str(month), "plan_month": "2025-01", "offer_id": "trial"}
            for c in IDS[reached]
        ]
    said = found(duckdb, tmp_path, made, plans(tmp_path, [PLAN]))
    assert said["judged_on"] == "everybody"
    assert len(IDS) - 3 * OFFERED < said["customers"] < len(IDS)
    assert said["observed"]["value"] == pytest.approx(TRUE, abs=0.003)
    assert said["predicted"] == TRUE
    assert len(made.departures) / (len(IDS) - 3 * OFFERED) > 1.15 * TRUE
