"""Features say what was known at the end of the snapshot month, on both engines, and nothing later."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from core.small_lake import add_rows, lake_of, random_lake
from core.small_policy import small_policy
from keepline import engine as engines
from keepline.canonical import table_hash
from keepline.engine import Engine, Range, ranges
from keepline.errors import PolicyError, TooFewError
from keepline.features.build import build_features
from keepline.lake.store import Lake
from keepline.periods import Month
from keepline.tables import FEATURES

NOW = Month.parse("2026-10")
ALL = ranges(1, 1)[0]
ANNA, BORIS, CHEN = 5, 6, 7
Rows = dict[int, dict[str, Any]]
Build = Callable[..., Rows]


def told(who: int, ago: int = 0, **facts: Any) -> dict[str, Any]:
    """A row of a customer, so many months before the snapshot."""
    return {"customer_id": who, "month": str(NOW + -ago), **facts}


def bill(who: int, ago: int, amount: int, component: str = "recurring") -> dict[str, Any]:
    return told(who, ago, component=component, amount_fen=amount)


def small(root: Path, **more: Any) -> Lake:
    """Three customers, the two required tables, and what a test adds."""
    tables: dict[str, Any] = {
        "customers": [told(who, 9) for who in (ANNA, BORIS, CHEN)],
        "bills": [bill(who, ago, 1000 * who) for who in (ANNA, BORIS, CHEN) for ago in range(8)],
    }
    return lake_of(root, **(tables | more))


def built(engine: Engine, lake: Lake, to: Path, *, only: Range = ALL, **policy: Any) -> Rows:
    build_features(engine, lake, small_policy(**policy), snapshot=NOW, only=only, to=to)
    return {row["customer_id"]: row for row in pq.read_table(to).to_pylist()}


@pytest.fixture
def build(engine: Engine, tmp_path: Path) -> Build:
    return lambda lake, **policy: built(engine, lake, tmp_path / "part.parquet", **policy)


@pytest.fixture
def quick(tmp_path: Path) -> Build:
    """The embedded engine alone, for facts the random lake proves equal on Spark."""
    engine = engines.start("duckdb")
    return lambda lake, **policy: built(engine, lake, tmp_path / "part.parquet", **policy)


def test_customers_and_bills_suffice_and_the_rest_is_unknown(build: Build, tmp_path: Path) -> None:
    rows = build(small(tmp_path / "lake"))
    assert sorted(rows) == [ANNA, BORIS, CHEN]
    assert rows[ANNA]["revenue_fen"] == 5000
    unknown = ("voice_s", "complaints_3m", "lines", "arrears_fen", "months_silent", "peers_left_3m", "referrals_12m")
    assert {name: rows[ANNA][name] for name in unknown} == dict.fromkeys(unknown)


def test_engines_and_ranges_give_the_same_features(engine: Engine, tmp_path: Path) -> None:
    lake = random_lake(tmp_path / "lake", last=NOW, months=13, customers=25, seed=3)
    whole = tmp_path / "whole.parquet"
    assert len(built(engines.start("duckdb"), lake, whole)) > 10
    halves = [tmp_path / only.part for only in ranges(2, 1)]
    for only, to in zip(ranges(2, 1), halves, strict=True):
        built(engine, lake, to, only=only)
    assert table_hash(halves, FEATURES) == table_hash([whole], FEATURES)


def test_rows_of_later_months_change_no_feature(quick: Build, tmp_path: Path) -> None:
    lake = random_lake(tmp_path / "lake", last=NOW, months=6, customers=25, seed=4)
    before = quick(lake)
    later = random_lake(tmp_path / "later", last=NOW + 4, months=4, customers=25, seed=4)
    rows: dict[str, list[dict[str, Any]]] = {}
    for file in later.files:
        rows.setdefault(file.table, []).extend(pq.read_table(later.root / file.path).to_pylist())
    assert Month.parse(min(file.month for file in later.files if file.table == "bills")) > NOW
    del rows["plans"]
    assert quick(add_rows(lake, **rows)) == before


def test_days_after_the_month_end_are_not_yet_known(quick: Build, tmp_path: Path) -> None:
    end = NOW.last_day
    after = end + dt.timedelta(days=1)
    rows = quick(
        small(
            tmp_path / "lake",
            complaints=[
                told(ANNA, complaint_id="1", opened_on=end, closed_on=after),
                told(BORIS, complaint_id="2", opened_on=after),
                told(CHEN, complaint_id="3", opened_on=end, closed_on=end),
            ],
            contacts=[
                told(who, contact_id=str(who), direction="out", purpose="marketing", contacted_on=day)
                for who, day in ((ANNA, end), (BORIS, after))
            ],
            lines=[
                told(who, line_id=who, started_on=day, ended_on=ended)
                for who, day, ended in ((ANNA, end, after), (BORIS, after, None), (CHEN, end, end))
            ],
        )
    )
    assert [rows[who]["complaints_open"] for who in (ANNA, BORIS, CHEN)] == [1, 0, 0]
    assert [rows[who]["contacts_out_1m"] for who in (ANNA, BORIS, CHEN)] == [1, 0, 0]
    assert [rows[who]["days_since_contact"] for who in (ANNA, BORIS, CHEN)] == [0, None, None]
    assert [rows[who]["lines"] for who in (ANNA, BORIS, CHEN)] == [1, 0, 0]


@pytest.mark.parametrize(
    ("table", "facts", "feature", "inside", "values"),
    [
        ("complaints", {"complaint_id": "c"}, "complaints_3m", 2, (1, 0)),
        ("complaints", {"complaint_id": "c"}, "complaints_12m", 11, (1, 0)),
        ("complaints", {"complaint_id": "c"}, "months_since_complaint", 11, (11, None)),
        ("contacts", {"contact_id": "c", "direction": "out", "purpose": "marketing"}, "contacts_out_1m", 0, (1, 0)),
        ("contacts", {"contact_id": "c", "direction": "out", "purpose": "marketing"}, "contacts_out_3m", 2, (1, 0)),
        ("usage", {"voice_s": 60}, "voice_3m_s", 2, (60, 0)),
        ("usage", {"voice_s": 60}, "voice_s", 0, (60, 0)),
        ("usage", {"voice_s": 60}, "months_silent", 5, (5, 2)),
        ("payments", {"arrears_fen": 60}, "late_6m", 5, (1, 0)),
        ("survey_answers", {"question": "stay", "score": 4.0, "scale_max": 5.0}, "stay_intention", 11, (0.8, None)),
        ("call_edges", {"peer_id": 99}, "peers", 0, (1, 0)),
        ("experiments", {"experiment_id": "p", "arm": "held_out"}, "months_since_lots", 11, (11, None)),
        ("bills", {"component": "overage", "amount_fen": 7}, "overage_3m_fen", 2, (7, 0)),
        ("bills", {"component": "overage", "amount_fen": 7}, "revenue_12m_fen", 11, (1007, 1000)),
    ],
)
def test_a_window_holds_its_oldest_month_and_not_the_one_before(
    quick: Build, tmp_path: Path, *, table: str, facts: dict[str, Any], feature: str, inside: int, values: Any
) -> None:
    required = {"customers": [told(ANNA)], "bills": [bill(ANNA, 0, 1000)]}
    for ago, wanted in zip((inside, inside + 1), values, strict=True):
        others = [told(CHEN, 0, **facts), told(CHEN, 1, **facts)]
        rows = [*required.get(table, []), *others, told(ANNA, ago, **facts)]
        lake = lake_of(tmp_path / f"{ago}", **(required | {table: rows}))
        assert quick(lake)[ANNA][feature] == wanted


def test_a_table_that_stopped_before_the_window_is_unknown_not_zero(quick: Build, tmp_path: Path) -> None:
    old = [told(who, 3, complaint_id=str(who)) for who in (ANNA, BORIS)]
    rows = quick(small(tmp_path / "lake", complaints=old, usage=[told(ANNA, 1, voice_s=5)]))
    assert [rows[who]["complaints_3m"] for who in (ANNA, CHEN)] == [None, None]
    assert [rows[who]["complaints_12m"] for who in (ANNA, CHEN)] == [1, 0]
    assert [rows[ANNA][name] for name in ("voice_s", "voice_3m_s", "months_silent")] == [None, 5, None]


def test_where_others_have_rows_none_means_zero_but_an_answer_stays_unknown(quick: Build, tmp_path: Path) -> None:
    rows = quick(
        small(
            tmp_path / "lake",
            usage=[told(ANNA, voice_s=600, data_kb=5)],
            complaints=[told(ANNA, complaint_id="1")],
            survey_answers=[told(ANNA, question="satisfaction", score=9.0, scale_max=10.0)],
            referrals=[{"customer_id": 900, "month": str(NOW), "referrer_id": ANNA}],
            network_faults=[{"district": "A", "month": str(NOW), "faults": 3}],
        )
    )
    names = ("voice_s", "data_3m_kb", "roaming_3m_s", "complaints_3m", "satisfaction", "referrals_12m", "months_silent")
    assert [rows[ANNA][name] for name in names] == [600, 5, None, 1, 0.9, 1, 0]
    assert [rows[BORIS][name] for name in names] == [0, 0, None, 0, None, 0, 1]
    assert rows[BORIS]["district_faults_3m"] is None


def test_money_is_summed_by_component_and_margin_by_the_stated_shares(quick: Build, tmp_path: Path) -> None:
    bills = [
        bill(ANNA, 0, 3001),
        bill(ANNA, 0, -1000, "discount"),
        bill(ANNA, 0, 9000, "topup"),
        *[bill(ANNA, ago, 4000) for ago in (1, 2, 3, 4, 5)],
    ]
    row = quick(lake_of(tmp_path / "lake", customers=[told(ANNA)], bills=bills))[ANNA]
    assert (row["revenue_fen"], row["margin_fen"]) == (11_001, 501)  # 0.5 * 3001 - 1000, half a fen up
    assert (row["discount_3m_fen"], row["topup_3m_fen"], row["months_billed"]) == (1000, 9000, 6)
    assert (row["recurring_fen"], row["recurring_drop_fen"]) == (3001, 999)
    assert row["revenue_change"] == pytest.approx((19_001 - 12_000) / 12_000)


def test_the_slope_is_least_squares_over_six_months(quick: Build, tmp_path: Path) -> None:
    amounts = [900, 1100, 800, 1400, 1000, 1700]  # newest first
    bills = [bill(ANNA, ago, amount) for ago, amount in enumerate(amounts)]
    row = quick(lake_of(tmp_path / "lake", customers=[told(ANNA)], bills=bills))[ANNA]
    x = [-ago for ago in range(6)]
    mean_x, mean_y = sum(x) / 6, sum(amounts) / 6
    slope = sum((a - mean_x) * (b - mean_y) for a, b in zip(x, amounts, strict=True)) / sum(
        (a - mean_x) ** 2 for a in x
    )
    assert row["revenue_slope_fen"] == pytest.approx(slope)


@pytest.mark.parametrize(("first_ago", "known"), [(5, True), (4, False)])
def test_change_needs_six_months_of_the_customer(quick: Build, tmp_path: Path, *, first_ago: int, known: bool) -> None:
    bills = [bill(ANNA, ago, 1000) for ago in range(first_ago + 1)] + [bill(BORIS, 5, 1000)]
    row = quick(lake_of(tmp_path / "lake", customers=[told(ANNA)], bills=bills))[ANNA]
    assert (row["revenue_change"] is not None) is known
    assert (row["revenue_slope_fen"] is not None) is known


def test_the_latest_facts_at_or_before_the_snapshot_count(quick: Build, tmp_path: Path) -> None:
    end = NOW.last_day
    lake = small(
        tmp_path / "lake",
        customers=[
            told(
                ANNA, 9, kind="person", district="old", joined_on=dt.date(2024, 11, 30), birthday=dt.date(1990, 11, 1)
            ),
            told(
                ANNA, 1, kind="person", district="new", joined_on=dt.date(2024, 11, 30), birthday=dt.date(1990, 11, 1)
            ),
            told(ANNA, -1, kind="person", district="later"),
            told(BORIS, 3, kind="organisation", birthday=dt.date(2000, 10, 31)),
            told(CHEN, 3, kind="person", birthday=dt.date(1990, 10, 31)),
        ],
        lines=[
            told(BORIS, 5, line_id=1, product="mobile", started_on=dt.date(2025, 1, 1), plan_id="P"),
            told(BORIS, 2, line_id=1, product="mobile", started_on=dt.date(2025, 1, 1), plan_id="Q", ported_in=True),
            told(BORIS, 2, line_id=2, product="tv", started_on=end, contract_end_on=dt.date(2027, 1, 1), plan_id="P"),
            told(BORIS, 2, line_id=3, product="fixed", status="disconnected"),
            told(CHEN, 2, line_id=4, contract_end_on=dt.date(2026, 9, 1)),
        ],
        plans=[
            {"plan_id": "P", "month": str(NOW + -9), "price_fen": 9000},
            {"plan_id": "P", "month": str(NOW + -1), "price_fen": 5000},
            {"plan_id": "Q", "month": str(NOW + -9), "price_fen": 6000},
        ],
    )
    rows = quick(lake)
    assert (rows[ANNA]["district"], rows[ANNA]["tenure_months"], rows[ANNA]["age_years"]) == ("new", 23, 35)
    assert [rows[who]["age_years"] for who in (BORIS, CHEN)] == [None, 36]
    assert [rows[who]["months_to_birthday"] for who in (ANNA, CHEN)] == [1, 0]
    held = ("lines", "products", "plan_price_fen", "contract_months_left", "ported_in", "tenure_months")
    assert [rows[BORIS][name] for name in held] == [2, 2, 6000, 3, True, 21]
    assert rows[CHEN]["contract_months_left"] == -1


def test_the_base_is_whom_any_condition_finds_active(quick: Build, tmp_path: Path) -> None:
    bills = [bill(ANNA, 0, 1), bill(BORIS, 1, 1000), bill(CHEN, 1, 1000), bill(900, 0, 5)]
    customers = [told(who) for who in (ANNA, BORIS, CHEN)]
    lake = lake_of(tmp_path / "lake", customers=customers, bills=bills, usage=[told(BORIS, voice_s=1)])
    assert sorted(quick(lake)) == [ANNA, BORIS, 900]
    assert sorted(quick(lake, leaving={"active_when": [{"feature": "months_billed", "above": 0}]})) == [5, 6, 7, 900]


@pytest.mark.parametrize("asked", [[], [{"feature": "leave_probability", "above": 0.1}]])
def test_a_base_nobody_can_be_found_in_is_refused(quick: Build, tmp_path: Path, *, asked: list[Any]) -> None:
    with pytest.raises(PolicyError, match="active_when"):
        quick(small(tmp_path / "lake"), leaving={"active_when": asked})


def test_who_left_is_out_unless_bills_and_use_began_again(quick: Build, tmp_path: Path) -> None:
    ids = {"this month": 1, "before": 2, "final bill": 3, "back": 4, "never": 5}
    left = {1: 0, 2: 2, 3: 1, 4: 2}
    lake = lake_of(
        tmp_path / "lake",
        customers=[told(who, 9) for who in ids.values()],
        bills=[bill(who, ago, 1000) for who in ids.values() for ago in range(6) if who != 2 or ago >= 2],
        departures=[told(who, ago) for who, ago in left.items()],
        usage=[told(1, voice_s=1), told(4, voice_s=1), told(5, voice_s=1)],
    )
    everyone = {"active_when": [{"feature": "months_billed", "above": 0}]}
    assert sorted(quick(lake, leaving=everyone)) == [ids["back"], ids["never"]]


def test_peers_who_left_are_found_whatever_their_range(quick: Build, tmp_path: Path) -> None:
    far = ranges(2, 1)[1].low + 1
    calls = [told(ANNA, 0, peer_id=BORIS), told(ANNA, 2, peer_id=far), told(ANNA, 2, peer_id=far + 1)]
    departures = [told(far, 2), told(far + 1, 3), told(BORIS, -1)]
    row = quick(small(tmp_path / "lake", call_edges=calls, departures=departures), only=ranges(2, 1)[0])[ANNA]
    assert (row["peers"], row["peers_left_3m"]) == (1, 1)


@pytest.mark.parametrize("absent", ["customers", "bills"])
def test_a_required_table_that_is_absent_is_named(quick: Build, tmp_path: Path, *, absent: str) -> None:
    with pytest.raises(TooFewError, match=absent):
        quick(small(tmp_path / "lake", **{absent: []}))
