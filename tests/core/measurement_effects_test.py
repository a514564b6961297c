"""What a past plan earned: measured as assigned, and silence where nothing can be known."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from small_lake import add_rows, lake_of, write_rows
from small_policy import small_policy

from keepline import engine as engines
from keepline.canonical import table_hash
from keepline.engine import Engine
from keepline.lake.store import Lake
from keepline.measurement.effects import CUSTOMERS_MIN, Arm, Arms, compare, compare_plan, measure_plans
from keepline.measurement.once import PastPlan
from keepline.periods import Month
from keepline.tables import EFFECTS

PLAN = Month.parse("2026-07")
SNAPSHOT = Month.parse("2026-09")
TREATED, HELD_OUT = range(1, 41), range(101, 141)
EVERYBODY = (*TREATED, *HELD_OUT)
NEVER_BY_RULE = 999


def margin_fen(customer_id: int, month: str) -> int:
    """2,000 fen billed are 1,000 of margin; the treated bring 50 more a month, and everyone differs a little."""
    own = (customer_id % 7) * 20 + (customer_id * 37 % 11) * 2
    return 2000 + own + (100 if customer_id in TREATED else 0) + (5 if month == "2026-08" else 0)


def plan_of(folder: Path) -> PastPlan:
    """Two parts; a treated customer who was not chosen by the rule counts nowhere."""
    assigned = [
        {
            "customer_id": c,
            "month": str(PLAN),
            "arm": "treated" if c in TREATED else "held_out",
            "offer_id": "care" if c % 2 else "gift",
            "by_rule": True,
            "gain_fen": 500,
            "margin_before_fen": 3000 + (c % 7) * 30,
        }
        for c in EVERYBODY
    ]
    filled_up = {"customer_id": NEVER_BY_RULE, "month": str(PLAN), "arm": "treated", "offer_id": "care"}
    assigned.append(filled_up | {"by_rule": False, "gain_fen": 1, "margin_before_fen": 10**6})
    decided = [{"customer_id": c, "month": str(PLAN), "arm": "treated", "cost_fen": 60} for c in TREATED]
    halves = (assigned[:50], assigned[50:])
    return PastPlan(
        PLAN,
        tuple(write_rows(folder / f"a{i}.parquet", "assignments", half) for i, half in enumerate(halves)),
        (),
        (write_rows(folder / "d.parquet", "decisions", decided),),
    )


def lake_with(folder: Path, *, deliveries: list[dict[str, Any]], left: tuple[int, ...] = (101, 103)) -> Lake:
    months = ("2026-08", "2026-09")
    bills = [
        {"customer_id": c, "month": month, "component": "recurring", "amount_fen": margin_fen(c, month)}
        for c in (*EVERYBODY, NEVER_BY_RULE)
        for month in months
    ]
    departures = [{"customer_id": c, "month": "2026-09", "kind": "left"} for c in left]
    return lake_of(folder, bills=bills, departures=departures, deliveries=deliveries)


def proof(customer_id: int, cost_fen: int | None = None) -> dict[str, Any]:
    said = {"customer_id": customer_id, "month": "2026-08", "plan_month": str(PLAN), "cost_fen": cost_fen}
    return said | {"offer_id": "care" if customer_id % 2 else "gift"}


def rows_of(path: Path) -> dict[tuple[str, str], dict[str, Any]]:
    return {(row["offer_id"], row["measure"]): row for row in pq.read_table(path).to_pylist()}


def test_a_delivered_plan_is_measured_against_those_left_alone(engine: Engine, tmp_path: Path) -> None:
    """39 of 40 reached: as many with a known cost of 100 as without, who cost the expected 60."""
    given = [proof(c, 100 if c <= 20 else None) for c in TREATED if c != 40]
    lake, to = lake_with(tmp_path / "lake", deliveries=given), tmp_path / "effects.parquet"
    expected = measure_plans(engine, lake, small_policy(), snapshot=SNAPSHOT, past=[plan_of(tmp_path)], to=to)
    whole = rows_of(to)["*", "margin"]
    assigned = [row for path in plan_of(tmp_path).assignments for row in pq.read_table(path).to_pylist()]
    treated = [row for row in assigned if row["by_rule"] and row["arm"] == "treated"]
    sums = {name: sum(row[name] or 0 for row in treated) for name in ("gain_fen", "cost_fen")}
    assert expected == {str(PLAN): {"customers": 40} | sums}
    assert (whole["treated"], whole["held_out"], whole["delivered"]) == (40, 40, 39)
    assert whole["month"] == "2026-09"
    assert whole["difference"] == pytest.approx(100, abs=4)
    assert whole["low"] < whole["difference"] < whole["high"]
    assert whole["cost_fen"] == 20 * 100 + 19 * 60
    assert whole["earned_fen"] == round(whole["difference"] * 40) - whole["cost_fen"]
    kept = rows_of(to)["*", "retention"]
    assert kept["difference"] == pytest.approx(0.05)
    assert kept["earned_fen"] is None
    assert rows_of(to)["care", "margin"]["verdict"] == "too_few"


def test_the_parts_and_the_engine_do_not_change_the_figures(engine: Engine, tmp_path: Path) -> None:
    lake = lake_with(tmp_path / "lake", deliveries=[proof(c) for c in TREATED])
    plan, other = plan_of(tmp_path), engines.start("duckdb")
    one = pq.read_table(list(plan.assignments)).to_pylist()
    whole = PastPlan(PLAN, (write_rows(tmp_path / "whole.parquet", "assignments", one),), (), plan.decisions)
    paths = [tmp_path / "parts", tmp_path / "one"]
    for path, past, worker in zip(paths, (plan, whole), (engine, other), strict=True):
        measure_plans(worker, lake, small_policy(), snapshot=SNAPSHOT, past=[past], to=path)
    assert table_hash(paths[:1], EFFECTS) == table_hash(paths[1:], EFFECTS)


@pytest.fixture
def duckdb() -> Engine:
    return engines.start("duckdb")


def test_a_plan_without_proof_of_delivery_has_no_figures(duckdb: Engine, tmp_path: Path) -> None:
    lake, to = lake_with(tmp_path / "lake", deliveries=[]), tmp_path / "effects.parquet"
    measure_plans(duckdb, lake, small_policy(), snapshot=SNAPSHOT, past=[plan_of(tmp_path)], to=to)
    rows = rows_of(to)
    assert {row["verdict"] for row in rows.values()} == {"no_delivery"}
    assert {row[name] for row in rows.values() for name in FIGURES} == {None}


FIGURES = ("treated_mean", "held_out_mean", "difference", "low", "high", "earned_fen", "cost_fen", "needed")


def test_a_plan_of_this_month_waits_and_so_does_one_whose_months_are_not_loaded(duckdb: Engine, tmp_path: Path) -> None:
    lake, to = lake_with(tmp_path / "lake", deliveries=[]), tmp_path / "effects.parquet"
    late = PastPlan(SNAPSHOT, (), (), ())
    for snapshot in (SNAPSHOT, SNAPSHOT + 1):
        measure_plans(duckdb, lake, small_policy(), snapshot=snapshot, past=[late], to=to)
        assert {row["verdict"] for row in rows_of(to).values()} == {"window_open"}


def test_no_retention_is_told_where_no_departure_was_ever_recorded(duckdb: Engine, tmp_path: Path) -> None:
    given = [proof(c) for c in TREATED]
    lake, to = lake_with(tmp_path / "lake", deliveries=given, left=()), tmp_path / "effects.parquet"
    measure_plans(duckdb, lake, small_policy(), snapshot=SNAPSHOT, past=[plan_of(tmp_path)], to=to)
    assert {measure for _, measure in rows_of(to)} == {"margin"}


def test_no_retention_is_told_while_departures_of_a_month_are_not_loaded(duckdb: Engine, tmp_path: Path) -> None:
    """A dozen left in August, and of September nobody is on record though its bills are."""
    given = [proof(c) for c in TREATED]
    lake, to = lake_with(tmp_path / "lake", deliveries=given, left=()), tmp_path / "effects.parquet"
    lake = add_rows(lake, departures=[{"customer_id": 900 + c, "month": "2026-08"} for c in range(12)])
    measure_plans(duckdb, lake, small_policy(), snapshot=SNAPSHOT, past=[plan_of(tmp_path)], to=to)
    assert {measure for _, measure in rows_of(to)} == {"margin"}


def test_months_after_the_snapshot_change_nothing(duckdb: Engine, tmp_path: Path) -> None:
    plan, paths = plan_of(tmp_path), [tmp_path / "now", tmp_path / "early"]
    lake = lake_with(tmp_path / "lake", deliveries=[proof(c) for c in TREATED])
    known = Lake(lake.root, tuple(f for f in lake.files if f.month <= "2026-08"))
    for path, seen in zip(paths, (lake, known), strict=True):
        measure_plans(duckdb, seen, small_policy(), snapshot=PLAN + 1, past=[plan], to=path)
    assert pq.read_table(paths[0])["month"].to_pylist()[0] == "2026-08"
    same = [row for row in pq.read_table(paths[0]).to_pylist() if row["measure"] == "margin"]
    assert same == [row for row in pq.read_table(paths[1]).to_pylist() if row["measure"] == "margin"]


def arm(customers: int, *, delivered: int = 0) -> Arm:
    """Every second customer brought 90, the others 110; one in ten left."""
    half = customers // 2
    squares = half * 90.0**2 + (customers - half) * 110.0**2
    margin = half * 90 + (customers - half) * 110
    stayed = customers - customers // 10
    return Arm(customers, delivered, stayed, 0, 50 * customers, margin, 0, squares, 0.0, 0.0)


@pytest.mark.parametrize(
    ("customers", "verdict"), [(CUSTOMERS_MIN - 1, "too_few"), (CUSTOMERS_MIN, "measured"), (0, "too_few")]
)
def test_the_fewest_customers_an_arm_are_asked_for(customers: int, verdict: str) -> None:
    rows = compare(Arms(arm(400, delivered=1), arm(customers)), covered=0.25)
    assert {row["verdict"] for row in rows} == {verdict}


def test_too_few_say_how_many_are_needed_and_print_no_figure() -> None:
    margin, retention = compare(Arms(arm(400, delivered=1), arm(20)), covered=0.05)
    assert margin["needed"] == 199  # variance 100, expected 2.5 within the window
    assert retention["needed"] > 1000
    assert not set(margin) & set(FIGURES[:-1])


def test_what_must_be_seen_is_the_expected_difference_before_cost() -> None:
    """A gain of 50 after a cost of 150 is a difference of 200, four times that of a gain without cost."""
    free, dear = (
        [replace(arm(customers, delivered=1), expected_cost_fen=cost * customers) for customers in (400, 20)]
        for cost in (0, 150)
    )
    needed = [compare(Arms(*arms), covered=0.05)[0]["needed"] for arms in (free, dear)]
    assert needed == [199, CUSTOMERS_MIN]
    narrow = [compare(Arms(*arms), covered=0.0125)[0]["needed"] for arms in (free, dear)]
    assert narrow[0] == pytest.approx(16 * narrow[1], rel=0.01)


def test_never_fewer_than_the_least_are_said_to_be_needed_and_a_handful_tell_nothing() -> None:
    assert compare(Arms(arm(400, delivered=1), arm(20)), covered=1.0)[0]["needed"] == CUSTOMERS_MIN
    assert {row["needed"] for row in compare(Arms(arm(6, delivered=1), arm(3)), covered=1.0)} == {None}


def test_an_offer_nobody_got_is_not_measured_though_the_plan_was_carried_out() -> None:
    assert {row["verdict"] for row in compare(Arms(arm(40), arm(40)), covered=1.0)} == {"no_delivery"}


def arms_of(*, treated: int, held_out: int, level: int, effect: int) -> Arms:
    """Two arms around a level of margin, alternating a little; the treated earn ``effect`` more."""

    def arm(customers: int, mean: int) -> Arm:
        margins = [mean + (10 if i % 2 else -10) for i in range(customers)]
        befores = [level] * customers
        squares = float(sum(m * m for m in margins))
        before = (sum(befores), float(sum(b * b for b in befores)))
        products = float(sum(m * level for m in margins))
        return Arm(customers, customers, customers, 0, 0, sum(margins), before[0], squares, before[1], products)

    return Arms(arm(treated, level + effect), arm(held_out, level))


def test_large_accounts_in_one_arm_do_not_pass_for_an_effect() -> None:
    """Every offer earns 5 more; the dear one has more of its customers held out than the cheap one."""
    cheap = arms_of(treated=900, held_out=90, level=100, effect=5)
    dear = arms_of(treated=60, held_out=40, level=100_000, effect=5)
    margin = compare_plan([cheap, dear], covered=1.0)[0]
    assert margin["difference"] == pytest.approx(5)
    assert margin["low"] < 5 < margin["high"]


def test_an_offer_too_small_to_compare_is_left_out_of_the_plan() -> None:
    large, small = (arms_of(treated=n, held_out=n // 10, level=100, effect=5) for n in (900, 50))
    margin = compare_plan([large, small], covered=1.0)[0]
    assert (margin["treated"], margin["held_out"]) == (900, 90)
