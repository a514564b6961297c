"""Every customer ends in one state with its reason, both arms are alike, and both engines agree to the row."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from decisions_cast import GIFT, MONTH, VISIT, Row, Stage, features_of, high, policy_with, stage

from keepline import engine as engines
from keepline.canonical import table_hash
from keepline.decisions import base
from keepline.decisions.checker import verify
from keepline.decisions.words import REASONS
from keepline.decisions.words import STATES as STATE_WORDS
from keepline.engine import Engine
from keepline.errors import PublicationError
from keepline.holdout import is_held_out
from keepline.policy.documents import TenureBenefit
from keepline.tables import ASSIGNMENTS, CANDIDATES, DECISIONS, STATES

MANAGERS: list[Row] = [
    {"manager_id": "M1", "month": "2026-08", "district": "D1", "visit_minutes": 600, "authority_fen": 90_000},
    {"manager_id": "M1", "month": "2026-09", "district": "D1", "visit_minutes": 120, "authority_fen": 90_000},
    {"manager_id": "M2", "month": "2026-09", "district": "D2", "visit_minutes": 600, "authority_fen": 100},
    {"manager_id": "M3", "month": "2026-09", "district": "D2", "visit_minutes": None, "authority_fen": None},
]
FIRM = {"kind": "organisation", "district": "D2"}
CAST: dict[int, tuple[Row, str, str]] = {
    1: ({"consent": None}, "no_consent", "consent_unknown"),
    2: ({"consent": False}, "no_consent", "consent_refused"),
    3: ({"blacklisted": True}, "blacklisted", "blacklisted"),
    4: ({"arrears_months": 2}, "in_arrears", "arrears_too_old"),
    5: ({"contacts_out_1m": 2}, "contacted_recently", "month_cap_reached"),
    6: ({"days_since_contact": 6}, "contacted_recently", "gap_too_short"),
    7: ({"days_since_contact": 20, "contact_gap_days": 21}, "contacted_recently", "own_rhythm"),
    8: ({"complaints_open": 1}, "complaint_open", "complaint_open"),
    16: ({"months_since_lots": 1}, "in_pilot", "pilot_running"),
    9: (FIRM, "no_offer_fits", "offer_needs_manager"),
    10: (FIRM | {"manager_id": "M2"}, "beyond_authority", "cost_beyond_authority"),
    11: ({"leave_probability": 0.001}, "no_gain", "gain_not_positive"),
    12: ({"value_fen": None}, "no_gain", "scores_unknown"),
    13: ({"leave_probability": 0.001, "manager_id": "M2", "value_fen": 60_000_000}, "treated", "worth_its_price"),
    14: ({"blacklisted": True, "arrears_months": 9}, "blacklisted", "blacklisted"),
    15: (FIRM | {"manager_id": "M3"}, "treated", "worth_its_price"),
}
POLICY = policy_with(
    limits={"money_fen": 30_000, "channel_contacts": {"sms": 40}, "held_out_share": 0.2, "held_out_salt": "autumn-3"}
)


def crowd() -> list[Row]:
    """The named cast in the first range, and customers of rising value in both."""
    named = [features_of(who, **facts) for who, (facts, _, _) in CAST.items()]
    value = range(40_000, 120_000, 1_000)
    many = [features_of(1_000 + i if i % 2 else high(i), value_fen=v) for i, v in enumerate(value)]
    firms = [features_of(2_000 + i, manager_id="M1", value_fen=90_000 + 9_000 * i, **FIRM) for i in range(6)]
    return [*named, *many, *firms]


def planned(engine: Engine, root: Path) -> tuple[Stage, Row]:
    made = stage(engine, root, crowd(), policy=POLICY, managers=MANAGERS, parts=2)
    made.build()
    return made, made.decide()


def checked(made: Stage) -> Row:
    names = ("features", "scores", "candidates", "decisions", "assignments", "schedule")
    folders = {name: made.folder(name) for name in names}
    return verify(made.engine, made.lake, made.policy, snapshot=MONTH, **folders)


@pytest.fixture
def duck(tmp_path: Path) -> Engine:
    return engines.start("duckdb", spill=tmp_path / "spill")


@pytest.fixture
def month(duck: Engine, tmp_path: Path) -> tuple[Stage, Row]:
    return planned(duck, tmp_path / "month")


def test_each_customer_ends_in_the_state_the_facts_ask_for(month: tuple[Stage, Row]) -> None:
    rows = month[0].by_customer("decisions")
    lots = {who for who in CAST if is_held_out(who, salt="autumn-3", share=0.2)}
    for who, (_, state, reason) in CAST.items():
        if state != "treated" or who not in lots:
            assert (rows[who]["state"], rows[who]["reason"]) == (state, reason), who


def test_states_in_order_add_up_to_the_base(month: tuple[Stage, Row]) -> None:
    made, summary = month
    assert [row["state"] for row in summary["funnel"]] == list(STATES)
    assert sum(row["customers"] for row in summary["funnel"]) == len(crowd()) == len(made.by_customer("decisions"))
    assert set(STATES) == set(STATE_WORDS)
    assert {row["reason"] for row in made.rows("decisions")} <= set(REASONS)


def test_an_offer_is_named_exactly_when_something_is_to_be_done(month: tuple[Stage, Row]) -> None:
    for row in month[0].rows("decisions"):
        done = row["state"] == "treated"
        assert [row[name] is not None for name in ("offer_id", "channel", "gain_fen", "cost_fen")] == [done] * 4
        assert row["arm"] == (row["state"] if row["state"] in ("treated", "held_out") else None)


def test_the_held_out_are_those_the_prices_would_have_chosen(month: tuple[Stage, Row]) -> None:
    made, summary = month
    decisions, assigned = made.by_customer("decisions"), made.by_customer("assignments")
    gains = {(r["customer_id"], r["offer_id"]): r for r in made.rows("candidates")}
    prices, unit = summary["prices"], summary["prices"]["unit"]

    def left(row: Row) -> float:
        minute = prices["minutes"].get(row["manager_id"], 0)
        used = prices["money"] * row["cost_fen"] + prices["contacts"].get(row["channel"], 0) + minute * row["minutes"]
        return row["gain_fen"] - used / unit

    for who, row in assigned.items():
        drawn = is_held_out(who, salt="autumn-3", share=0.2)
        assert row["arm"] == ("held_out" if drawn else "treated") == decisions[who]["arm"]
        if row["by_rule"]:
            assert left(gains[who, row["offer_id"]]) > -0.02
        assert row["margin_before_fen"] == 9000
    below = {who for who, row in decisions.items() if row["state"] == "below_cut"}
    assert all(left(row) < 0.02 for (who, _), row in gains.items() if who in below and row["manager_id"] is None)
    assert {"held_out", "treated"} == {row["arm"] for row in assigned.values()}


def test_limits_are_kept_and_what_one_more_unit_is_worth_is_told(month: tuple[Stage, Row]) -> None:
    limits = {row["limit"]: row for row in month[1]["limits"]}
    assert all(row["used"] <= row["available"] for row in limits.values())
    assert limits["manager:M1"]["available"] == 120, "the latest row at or before the snapshot counts"
    assert limits["manager:M1"]["shadow_price"] > 0
    assert "manager:M3" not in limits, "unknown minutes are no limit where policy states none"
    [district] = [row for row in month[1]["by_district"] if row["district"] == "D1"]
    assert district["shadow_price_hour_fen"] == pytest.approx(60 * limits["manager:M1"]["shadow_price"], abs=1)
    assert "D1" in district["worth_zh"]


def test_the_summary_compares_with_other_plans(month: tuple[Stage, Row]) -> None:
    found = month[1]
    treated = [row for row in month[0].rows("decisions") if row["state"] == "treated"]
    assert found["primal_value_fen"] == sum(row["gain_fen"] for row in treated) <= found["dual_value_fen"]
    assert found["gap_share"] == pytest.approx(1 - found["primal_value_fen"] / found["dual_value_fen"])
    assert found["comparison"]["ranked_by_risk_fen"] <= found["primal_value_fen"]
    assert found["primal_value_fen"] < found["comparison"]["without_limits_fen"]
    assert sum(row["customers"] for row in found["offers"]) == len(treated)
    assert sum(row["customers"] for row in found["by_district"]) == len(treated)


def test_the_summary_is_the_same_however_many_parts_are_joined_at_once(
    duck: Engine, month: tuple[Stage, Row], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(base, "AT_ONCE", 1)
    assert planned(duck, tmp_path / "one-by-one")[1] == month[1]


def test_tenure_benefits_are_counted_by_the_highest_band_reached(duck: Engine, tmp_path: Path) -> None:
    bands = [
        {"from_months": months, "yearly_benefit_fen": fen, "name": {"zh": "老友礼", "en": "thanks"}}
        for months, fen in ((120, 3000), (60, 1200))
    ]
    plain, earned = policy_with(), tuple(TenureBenefit.model_validate(band) for band in bands)
    policy = replace(plain, offers=plain.offers.model_copy(update={"tenure_benefit": earned}))
    tenures = (59, 60, 119, 120, None)
    people = [features_of(i + 1, tenure_months=months) for i, months in enumerate(tenures)]
    made = stage(duck, tmp_path, people, policy=policy)
    made.build()
    found = made.decide()["tenure_benefits"]
    assert [(b["from_months"], b["customers"], b["yearly_cost_fen"]) for b in found] == [(60, 2, 2400), (120, 1, 3000)]


@pytest.mark.parametrize(
    ("policy", "state", "reason"),
    [
        (policy_with([]), "no_offer_fits", "no_offers"),
        (policy_with([VISIT]), "not_contactable", "no_manager"),
        (policy_with(contact={"contacts_month_max": 0}), "not_contactable", "no_contacts_allowed"),
        (policy_with(limits={"money_fen": 0}), "below_cut", "outbid"),
        (policy_with(limits={"channel_contacts": {"sms": 0}}), "below_cut", "outbid"),
        (
            policy_with([GIFT | {"eligible": [{"feature": "lines", "at_least": 9}]}]),
            "no_offer_fits",
            "conditions_not_met",
        ),
    ],
)
def test_a_policy_that_lets_nothing_happen_says_why(
    duck: Engine, tmp_path: Path, policy: object, state: str, reason: str
) -> None:
    made = stage(duck, tmp_path, [features_of(1), features_of(2)], policy=policy)  # type: ignore[arg-type]
    made.build()
    summary = made.decide()
    assert {(row["state"], row["reason"]) for row in made.rows("decisions")} == {(state, reason)}
    assert summary["dual_value_fen"] == 0
    checked(made)


def test_both_engines_write_the_same_plan_and_the_checker_agrees(spark: Engine, duck: Engine, tmp_path: Path) -> None:
    hashes, results = [], []
    for engine in (duck, spark):
        made, summary = planned(engine, tmp_path / engine.name)
        tables = {t: sorted(made.folder(t.name).glob("*")) for t in (CANDIDATES, ASSIGNMENTS, DECISIONS)}
        hashes.append([table_hash(parts, table) for table, parts in tables.items()])
        results.append((summary, checked(made)))
    assert hashes[0] == hashes[1]
    assert results[0] == results[1]


def test_the_cut_into_ranges_changes_no_decision(duck: Engine, tmp_path: Path, month: tuple[Stage, Row]) -> None:
    whole = stage(duck, tmp_path / "whole", crowd(), policy=POLICY, managers=MANAGERS, parts=1)
    whole.build()
    assert whole.decide() == month[1]
    assert whole.by_customer("decisions") == month[0].by_customer("decisions")


def test_a_part_that_is_there_is_kept(month: tuple[Stage, Row]) -> None:
    made, summary = month
    before = {path: path.stat().st_mtime_ns for path in made.folder("decisions").glob("*")}
    assert made.decide() == summary
    assert {path: path.stat().st_mtime_ns for path in made.folder("decisions").glob("*")} == before


def test_candidates_of_an_offer_that_policy_dropped_are_refused(month: tuple[Stage, Row]) -> None:
    made, _ = month
    made.policy = policy_with([VISIT])
    with pytest.raises(PublicationError, match="make the candidates again"):
        made.decide()
