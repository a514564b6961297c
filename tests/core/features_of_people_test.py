"""What people promised, granted and took back counts in the next month's features, on both engines."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from core.features_build_test import ANNA, BORIS, CHEN, NOW, Build, built, small, told
from core.measurement_effects_test import (
    HELD_OUT,
    PLAN,
    SNAPSHOT,
    TREATED,
    lake_with,
    plan_of,
    proof,
    rows_of,
)
from core.small_lake import add_rows
from core.small_policy import small_policy
from keepline.canonical import file_hash
from keepline.engine import Engine
from keepline.lake import store
from keepline.lake.merging import lake_rows
from keepline.lake.store import LakeFile
from keepline.measurement.effects import measure_plans
from keepline.report.numbers import Money
from keepline.report.pictures.prove import effects as effects_section
from keepline.tables import OF_PEOPLE, TABLES

END = NOW.last_day
Row = dict[str, Any]


@pytest.fixture
def build(engine: Engine, tmp_path: Path) -> Build:
    return lambda lake: built(engine, lake, tmp_path / "part.parquet")


def promise(number: str, due: dt.date, ended: dt.date | None = None, kept: bool | None = None) -> Row:
    said = told(ANNA, 3, promised_on=(NOW + -3).first_day, due_on=due, ended_on=ended, kept=kept)
    return {"promise_id": number} | said


def approval(who: int, day: dt.date, **more: Any) -> Row:
    said = told(who, 0, plan_month=str(NOW + -1), offer_id="care", planned=False, decision="approved", decided_on=day)
    return {"approval_id": f"W-{who}-{day}", "cost_fen": 900} | said | more


def contact(who: int, day: dt.date, **more: Any) -> Row:
    said = told(who, contacted_on=day, direction="out", purpose="marketing")
    return {"contact_id": f"{who}-{day}-{more.get('withdrawn')}"} | said | more


def test_a_promise_is_kept_broken_or_still_open_at_the_end_of_the_month(build: Build, tmp_path: Path) -> None:
    lake = small(tmp_path / "lake", promises=[
        promise("kept", END, ended=END, kept=True),
        promise("broken", END, ended=END, kept=False),
        promise("late", END - dt.timedelta(days=1)),
        promise("due today", END),
        promise("told next month", END - dt.timedelta(days=3), ended=END + dt.timedelta(days=2), kept=True),
        promise("long ago", (NOW + -3).last_day, ended=(NOW + -3).last_day, kept=True),
    ])  # fmt: skip
    rows = build(lake)
    assert (rows[ANNA]["promises_kept_3m"], rows[ANNA]["promises_broken_3m"]) == (1, 3)
    assert (rows[BORIS]["promises_kept_3m"], rows[BORIS]["promises_broken_3m"]) == (0, 0)


def test_a_site_without_a_workbench_lacks_nothing_and_knows_nothing_of_it(build: Build, tmp_path: Path) -> None:
    from keepline.features.lacks import lacking

    lake = small(tmp_path / "lake")
    assert {name: build(lake)[ANNA][name] for name in OF_PEOPLE} == dict.fromkeys(OF_PEOPLE)
    assert not {"promises", "approvals"} & {lack.table for lack in lacking(lake, NOW)}


def test_an_offer_granted_outside_the_plan_is_a_contact_of_its_day_unless_one_was_logged(
    build: Build,
    tmp_path: Path,
) -> None:
    day = END - dt.timedelta(days=4)
    lake = small(
        tmp_path / "lake",
        contacts=[contact(BORIS, day), contact(CHEN, END - dt.timedelta(days=1), withdrawn=True)],
        approvals=[
            approval(ANNA, day, used_on=END - dt.timedelta(days=2)), approval(BORIS, day),
            approval(CHEN, day, planned=True), approval(CHEN, day - dt.timedelta(days=1), decision="refused"),
        ],
    )  # fmt: skip
    rows = build(lake)
    names = ("contacts_out_1m", "days_since_contact", "granted_3m_fen")
    assert [rows[ANNA][name] for name in names] == [2, 2, 900]
    assert [rows[BORIS][name] for name in names] == [1, 4, 0]
    assert [rows[CHEN][name] for name in names] == [0, None, 0]  # taken back, planned, refused: no contact


def test_a_file_written_before_a_table_gained_a_column_is_read_as_ever(build: Build, tmp_path: Path) -> None:
    lake = small(tmp_path / "lake", contacts=[contact(ANNA, END)])
    old = next(f for f in lake.files if f.table == "contacts")
    path = lake.root / old.path
    pq.write_table(pq.read_table(path).drop_columns(["withdrawn"]), path)
    files = [f for f in lake.files if f.table != "contacts"]
    lake = store.switch(lake, [*files, LakeFile(old.table, old.month, old.path, 1, file_hash(path))], ())
    assert build(lake)[ANNA]["contacts_out_1m"] == 1
    known = lake_rows(TABLES["contacts"], [path], None)
    assert known.schema.names == list(TABLES["contacts"].names)


def test_customers_left_alone_who_were_given_an_offer_by_hand_are_counted_and_compared_as_drawn(
    engine: Engine, tmp_path: Path
) -> None:
    given = [proof(c) for c in TREATED]
    plain, marked = tmp_path / "plain", tmp_path / "marked"
    measure_plans(engine, lake_with(plain, deliveries=given), small_policy(), snapshot=SNAPSHOT,
                  past=[plan_of(tmp_path)], to=tmp_path / "a.parquet")  # fmt: skip
    hand = [
        {"approval_id": f"W-{c}", "customer_id": c, "month": "2026-08", "plan_month": str(PLAN), "offer_id": "care",
         "planned": c in TREATED, "decision": "approved", "decided_on": dt.date(2026, 8, 3), "cost_fen": 5}
        for c in (*TREATED[:2], *HELD_OUT[:12])
    ]  # fmt: skip
    hand.append(hand[-1] | {"approval_id": "W-other", "decision": "refused", "customer_id": HELD_OUT[20]})
    lake = add_rows(lake_with(marked, deliveries=given), approvals=hand)
    measure_plans(engine, lake, small_policy(), snapshot=SNAPSHOT, past=[plan_of(tmp_path)], to=tmp_path / "b.parquet")
    before, after = rows_of(tmp_path / "a.parquet")["*", "margin"], rows_of(tmp_path / "b.parquet")["*", "margin"]
    assert (before["held_out_given"], after["held_out_given"], after["treated_given"]) == (0, 12, 0)
    same = [name for name in before if not name.endswith("_given")]
    assert {name: before[name] for name in same} == {name: after[name] for name in same}


@pytest.mark.parametrize(("number", "told_as"), [(12, "12"), (3, "<10")])
def test_the_report_says_how_many_left_alone_were_given_an_offer_and_tells_of_nobody(number: int, told_as: str) -> None:
    row = {"plan_month": "2026-08", "month": "2026-09", "offer_id": "*", "measure": "margin", "verdict": "window_open",
           "name": {"zh": "方案", "en": "plan"}, "treated": 90, "held_out": 40, "delivered": 80, "earned_fen": None,
           "said": {"zh": "", "en": ""}, "low": None, "held_out_given": number, "treated_given": 0}  # fmt: skip
    figures = {
        "effects": [row],
        "pilots": [],
        "base": {},
        "head": {"month": "2026-09", "leave_months": 3, "value_months": 12},
    }
    said = str(effects_section(figures, Money("CNY")))
    assert f"对照 40 户中有 {told_as} 户" in said
    assert f"{told_as} of the 40 left alone" in said


def test_a_delivery_taken_back_proves_nothing(engine: Engine, tmp_path: Path) -> None:
    rows = [proof(c) | {"withdrawn": True} for c in TREATED]
    measure_plans(engine, lake_with(tmp_path / "lake", deliveries=rows), small_policy(), snapshot=SNAPSHOT,
                  past=[plan_of(tmp_path)], to=tmp_path / "e.parquet")  # fmt: skip
    assert rows_of(tmp_path / "e.parquet")["*", "margin"]["verdict"] == "no_delivery"
