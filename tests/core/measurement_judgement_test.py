"""Past forecasts are judged when their horizon is over, on customers whom the lots left alone."""

from __future__ import annotations

import datetime as dt
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score
from small_lake import add_rows, lake_of, write_rows
from small_policy import small_policy

from keepline import engine as engines
from keepline.engine import Engine
from keepline.holdout import NOBODY, Lot, is_held_out
from keepline.lake.store import Lake
from keepline.measurement.judgement import judge
from keepline.measurement.once import PastPlan
from keepline.measurement.untouched import SALT
from keepline.periods import Month

PLAN = Month.parse("2026-07")
IDS = range(1, 61)
TREATED, TREATED_LATER = (1, 2), 3
LEAVERS = (1, 5, 9, 20, 40)
LOT = Lot("2702", 0.6)
ALONE = [c for c in IDS if is_held_out(c, salt=LOT.salt, share=LOT.share)]  # 39, and neither of the treated


def probability(customer_id: int) -> float:
    return round(0.5 - customer_id / 130, 9)


def plan_of(folder: Path, month: Month, treated: tuple[int, ...]) -> PastPlan:
    scored = [
        {
            "customer_id": c,
            "month": str(month),
            "leave_probability": probability(c),
            "value_fen": 1000,
            "value_low_fen": 900,
            "value_high_fen": 1100,
            "word_of_mouth_fen": 0,
        }
        for c in IDS
    ]
    decided = [
        {"customer_id": c, "month": str(month), "arm": "treated" if c in treated else None, "state": "treated"}
        for c in IDS
    ]
    parts = [write_rows(folder / f"{month}-s{i}.parquet", "scores", scored[i * 30 : i * 30 + 30]) for i in (0, 1)]
    decisions = write_rows(folder / f"{month}-d.parquet", "decisions", decided)
    return PastPlan(month, (), tuple(parts), (decisions,), lot=LOT)


def small(folder: Path) -> tuple[Lake, list[PastPlan]]:
    plans = [plan_of(folder, PLAN, TREATED), plan_of(folder, PLAN + 1, (TREATED_LATER,))]
    bills = [
        {"customer_id": c, "month": str(month), "component": "recurring", "amount_fen": 1040}
        for c in IDS
        for month in (PLAN + 1, PLAN + 2)
    ]
    departures = [{"customer_id": c, "month": str(PLAN + 2)} for c in LEAVERS]
    deliveries = [
        {"customer_id": c, "month": str(month + 1), "plan_month": str(month), "offer_id": "o"}
        for month, treated in ((PLAN, TREATED), (PLAN + 1, (TREATED_LATER,)))
        for c in treated
    ]
    return lake_of(folder / "lake", bills=bills, departures=departures, deliveries=deliveries), plans


def judged(engine: Engine, folder: Path, **changed: dict[str, Any]) -> list[dict[str, Any]]:
    lake, plans = small(folder)
    return judge(engine, lake, small_policy(**changed), snapshot=PLAN + 2, past=plans)


def test_a_forecast_is_judged_on_those_left_alone_once_its_horizon_is_over(engine: Engine, tmp_path: Path) -> None:
    first, second = judged(engine, tmp_path)
    p = np.array([probability(c) for c in ALONE])
    gone = np.array([c in LEAVERS for c in ALONE], dtype=float)
    assert (first["verdict"], first["judged_on"]) == ("judged", "left_alone")
    assert (first["customers"], first["left"]) == (39, 4)
    assert first["auc"]["value"] == pytest.approx(roc_auc_score(gone, p), abs=5e-5)
    assert first["brier"] == pytest.approx(((p - gone) ** 2).mean(), abs=1e-6)
    assert first["predicted"] == pytest.approx(p.mean(), abs=1e-6)
    assert first["warning"] == "few_events"
    assert sum(row["customers"] for row in first["tenths"]) == 39
    assert first["value"] is None
    assert (second["verdict"], "auc" in second) == ("window_open", False)
    json.dumps([first, second], allow_nan=False)


def test_who_was_reached_all_the_same_counts_as_staying_for_the_part_before(engine: Engine, tmp_path: Path) -> None:
    """By hand in the first of two months, by a delivery in the second: kept with chances of 1/4 and 3/4."""
    lake, plans = small(tmp_path)
    hand, other = ALONE[:20], ALONE[20:]
    given = {"month": str(PLAN + 1), "decision": "approved"}
    lake = add_rows(
        lake,
        approvals=[
            given | {"approval_id": f"{c}-{used}", "customer_id": c, "used_on": dt.date(2026, 8, 9) if used else None}
            for c in ALONE
            for used in (True, False)
            if c in hand or not used
        ],
        deliveries=[
            {
                "customer_id": c,
                "month": str(PLAN + 2),
                "plan_month": "2026-01",
                "offer_id": "pilot",
                "withdrawn": c == 40,
            }
            for c in (*other, *hand)
        ],
    )
    first, _ = judge(engine, lake, small_policy(), snapshot=PLAN + 2, past=plans)
    kept = [
        c for among, share in ((hand, 0.25), (other, 0.75)) for c in among if is_held_out(c, salt=SALT, share=share)
    ]
    assert 40 in other
    assert first["customers"] == len({*kept, 40})
    assert first["left"] == 1


def test_a_plan_of_which_no_delivery_is_on_record_treated_nobody(tmp_path: Path) -> None:
    lake, plans = small(tmp_path)
    idle = Lake(lake.root, tuple(f for f in lake.files if f.table != "deliveries"))
    first, _ = judge(engines.start("duckdb"), idle, small_policy(), snapshot=PLAN + 2, past=plans)
    assert (first["customers"], first["judged_on"]) == (len(IDS), "everybody")
    assert "60 customers (all of them, as no plan was carried out)" in first["en"]
    assert "期内未执行方案，全部 60 人" in first["zh"]


def test_where_no_lot_leaves_anybody_alone_there_is_nobody_to_judge_by(tmp_path: Path) -> None:
    lake, plans = small(tmp_path)
    first, _ = judge(
        engines.start("duckdb"),
        lake,
        small_policy(),
        snapshot=PLAN + 2,
        past=[replace(plan, lot=NOBODY) for plan in plans],
    )
    assert first["verdict"] == "nobody"
    assert "held_out_share" in first["en"]
    assert "held_out_share" in first["zh"]


def test_the_sentence_says_who_was_judged_in_both_languages(tmp_path: Path) -> None:
    first, second = judged(engines.start("duckdb"), tmp_path)
    assert "39 customers left alone by lot" in first["en"]
    assert "抽签留作对照的 39 人" in first["zh"]
    assert "hint only" in first["en"]
    assert second["en"] == "the horizon of 2026-08 ends with 2026-10; not judged before"


def test_value_is_judged_when_its_own_horizon_is_over(engine: Engine, tmp_path: Path) -> None:
    """Two months of 520 fen margin at 21 % a year: 520 / 1.21^(1/12) + 520 / 1.21^(2/12) = 1015.6."""
    first, _ = judged(engine, tmp_path, value={"horizon_months": 2, "discount_rate_year": 0.21})
    value = first["value"]
    assert value["customers"] == 39
    assert value["predicted_fen"] == 39_000
    assert value["realised_fen"] == 39 * 1016
    assert (value["realised_share"], value["judged_on"]) == (1.016, "left_alone")
    assert not any("inside" in name for name in value)  # one customer's margin is not held against an expectation
    assert value["share"] == 1.0


def test_of_many_customers_value_is_judged_on_an_interval(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Pseudonyms of this test are small, so an interval of half the space holds nobody: nothing is told of value."""
    monkeypatch.setattr("keepline.measurement.judgement.VALUED_MAX", 30)
    first, _ = judged(engines.start("duckdb"), tmp_path, value={"horizon_months": 2, "discount_rate_year": 0.21})
    assert (first["customers"], first["value"]) == (39, None)


def test_nothing_is_judged_where_departures_or_months_are_absent(tmp_path: Path) -> None:
    lake, plans = small(tmp_path)
    unknown = Lake(lake.root, tuple(f for f in lake.files if f.table != "departures"))
    absent = Lake(lake.root, tuple(f for f in lake.files if f.table != "bills" or f.month != str(PLAN + 1)))
    for seen, verdict in ((unknown, "leaving_unknown"), (absent, "months_absent")):
        said = judge(engines.start("duckdb"), seen, small_policy(), snapshot=PLAN + 2, past=plans)
        assert said[0]["verdict"] == verdict
        assert said[0]["zh"]
