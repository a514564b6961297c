"""Totals are told as surely as they are known, and what was expected stands beside what was earned."""

from __future__ import annotations

from math import hypot
from pathlib import Path
from typing import Any

import pytest

from core.decisions_cast import GIFT, VISIT, features_of, high, policy_with, stage
from keepline.engine import Engine
from keepline.report.expected import ENDS, earned_ends, offer_ends, past_figures, plan_ends
from keepline.report.numbers import Money
from keepline.report.pictures.past import past_table
from keepline.report.tally import Shelf
from keepline.report.words import both

SMS = GIFT | {"id": "sms"}
MONEY = Money("CNY")


def measured(offer: dict[str, Any], experiment: str) -> dict[str, Any]:
    return offer | {"effect": {"source": "experiment", "experiment_id": experiment}}


def row(offer_id: str, gain: int, low: int | None, high: int | None) -> dict[str, Any]:
    return {"offer_id": offer_id, "gain_fen": gain, "gain_low_fen": low, "gain_high_fen": high}


def test_ends_add_within_an_experiment_and_in_squares_between_them() -> None:
    policy = policy_with([measured(GIFT, "one"), measured(SMS, "one"), measured(VISIT, "two")])
    rows = [row("gift", 1000, 700, 1200), row("sms", 500, 400, 550), row("visit", 2000, 1700, 2400)]
    found = plan_ends(rows, policy)
    assert found["unsure"] is None
    assert found["gain_low_fen"] == round(3500 - hypot(300 + 100, 300))
    assert found["gain_high_fen"] == round(3500 + hypot(200 + 50, 400))
    assert plan_ends(rows[:1], policy)["gain_low_fen"] == 700


PILOT: dict[str, Any] = {
    "offer_id": "gift", "outcome": "leave", "times": "one", "term": "intercept", "experiment_id": "one",
    "coefficient": -0.05, "centre": 0.0, "scale": 1.0, "treated": 500, "held_out": 500, "mean_effect": -0.05,
    "low": -0.08, "high": -0.03, "verdict": "measured",
}  # fmt: skip


def test_the_ends_of_an_offer_are_those_of_its_treated_customers_added_up(engine: Engine, tmp_path: Path) -> None:
    policy = policy_with([measured(GIFT, "one"), VISIT], limits={"money_fen": 10**7, "channel_contacts": {"sms": 9}})
    people = [features_of(100 + i if i % 2 else high(i), value_fen=200_000 + 1_000 * i) for i in range(30)]
    firms = [features_of(500 + i, kind="organisation", manager_id="M1") for i in range(3)]
    made = stage(engine, tmp_path, [*people, *firms], policy=policy, pilots=[PILOT], parts=2)
    made.build()
    made.decide()
    found = offer_ends(Shelf(engine, tmp_path))
    treated = {row["customer_id"] for row in made.rows("decisions") if row["offer_id"] == "gift"}
    mine = [row for row in made.rows("candidates") if row["offer_id"] == "gift" and row["customer_id"] in treated]
    assert len(mine) == 9
    assert found["gift"] == {name: sum(row[name] for row in mine) for name in ENDS}
    assert found["gift"]["gain_low_fen"] < sum(row["gain_fen"] for row in mine) < found["gift"]["gain_high_fen"]
    assert found["visit"] == {"gain_low_fen": None, "gain_high_fen": None}


def test_a_sum_with_an_assumed_effect_has_no_interval_and_says_why() -> None:
    policy = policy_with([measured(GIFT, "one"), VISIT])
    found = plan_ends([row("gift", 1000, 700, 1200), row("visit", 50, None, None)], policy)
    assert (found["gain_low_fen"], found["gain_high_fen"]) == (None, None)
    assert (found["measured_fen"], found["measured_low_fen"], found["measured_high_fen"]) == (1000, 700, 1200)
    nothing = plan_ends([row("visit", 50, None, None)], policy)
    assert (nothing["measured_fen"], nothing["measured_low_fen"]) == (None, None)
    assert "假设" in found["unsure"]["zh"]
    assert "assumed" in found["unsure"]["en"]


EFFECT: dict[str, Any] = {
    "plan_month": "2026-06", "month": "2026-09", "offer_id": "*", "measure": "margin", "verdict": "measured",
    "treated": 400, "held_out": 60, "difference": 100.0, "low": 20.0, "high": 180.0, "cost_fen": 10_000,
    "earned_fen": 30_000, "said": both("测", "told"),
}  # fmt: skip
PLAN: dict[str, Any] = {
    "plan_month": "2026-06", "customers": 450, "gain_fen": 300_000, "gain_low_fen": None, "gain_high_fen": None,
    "value_months": 24, "compared": {"customers": 400, "gain_fen": 260_000, "cost_fen": 20_000},
}  # fmt: skip


def test_what_was_earned_has_the_interval_of_its_effect_over_the_treated_less_the_cost_on_record() -> None:
    assert earned_ends(EFFECT) == {"earned_low_fen": 400 * 20 - 10_000, "earned_high_fen": 400 * 180 - 10_000}
    for unknown in ({"verdict": "too_few"}, {"measure": "retention"}, {"low": None}):
        assert set(earned_ends(EFFECT | unknown).values()) == {None}


@pytest.mark.parametrize(
    ("difference", "stands"), [(100.0, "as expected"), (10.0, "less than expected"), (400.0, "more than expected")]
)
def test_what_was_expected_by_now_is_held_against_the_interval_of_what_was_earned(
    difference: float, stands: str
) -> None:
    effect = EFFECT | {"difference": difference, "low": difference - 40, "high": difference + 40}
    effect |= {"earned_fen": round(difference * 400) - 10_000}
    (found,) = past_figures([PLAN], [effect | earned_ends(effect)])
    assert found["by_now_fen"] == round((260_000 + 20_000) * 3 / 24) - 10_000
    assert (found["months"], found["compared"]) == (3, 400)
    assert stands in found["said"]["en"]


def test_a_plan_that_is_not_measured_says_why_and_shows_what_it_expected() -> None:
    open_window = {"plan_month": "2026-09", "offer_id": "*", "measure": "margin", "verdict": "window_open",
                   "said": both("未满", "still open")}  # fmt: skip
    later = PLAN | {"plan_month": "2026-09", "compared": None}
    found = past_figures([PLAN, later], [EFFECT | earned_ends(EFFECT), open_window])
    assert [row["plan_month"] for row in found] == ["2026-09", "2026-06"]
    assert (found[0]["earned_fen"], found[0]["by_now_fen"], found[0]["gain_fen"]) == (None, None, 300_000)
    assert found[0]["said"]["en"] == "no month of it can be measured yet"
    block = past_table({"past": found, "head": {"month": "2026-10"}}, MONEY)
    assert block is not None
    told = [cell["en"] if isinstance(cell, dict) else cell for cell in block["rows"][1]]
    assert told[6] == "¥300 [-\u2060¥20, ¥620]"
    assert past_table({"past": [], "head": {"month": "2026-10"}}, MONEY) is None
