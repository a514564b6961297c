"""When a limit moves, the plan is allocated anew, and the change is bounded by what the limit's price says."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from decisions_allocation_test import random_problem
from decisions_cast import GIFT, MONTH, VISIT, features_of, policy_with, stage

from keepline import engine as engines
from keepline.decisions.allocation import allocate
from keepline.decisions.arms import Arms
from keepline.decisions.managers import Manager, managers, see_managers
from keepline.decisions.moved_limits import Means, difference, moved, parse_moves, planned
from keepline.decisions.problem import UNIT, Ints
from keepline.decisions.shortlist import shortlist
from keepline.errors import UsageError
from keepline.policy.documents import Policy
from keepline.sensitivity import Moved

POLICY = policy_with(
    [GIFT, VISIT],
    limits={"money_fen": 30_000, "channel_contacts": {"sms": 20}, "held_out_share": 0.2, "held_out_salt": "autumn-3"},
)


@pytest.mark.parametrize("seed", range(5))
def test_no_plan_within_more_money_gains_more_than_its_price_says(seed: int) -> None:
    """The dual at the old prices is a bound within the new limits too."""
    problem = random_problem(seed, 2_000)
    before = allocate(problem)
    more = problem.means.money // 10
    after = allocate(replace(problem, means=replace(problem.means, money=problem.means.money + more)))
    promised = before.prices.money * more / UNIT
    assert before.prices.money > 0
    assert after.gain_fen <= before.bound_fen + promised + 1
    assert after.gain_fen > before.gain_fen


@pytest.fixture
def means(tmp_path: Path) -> tuple[Means, list[Path]]:
    duck = engines.start("duckdb", spill=tmp_path / "spill")
    people = [features_of(1 + i, value_fen=60_000 + 1_000 * i, manager_id="M1") for i in range(60)]
    staff = [{"manager_id": "M1", "month": "2026-09", "visit_minutes": 180, "authority_fen": 90_000}]
    made = stage(duck, tmp_path, people, policy=POLICY, managers=staff)
    made.build()
    see_managers(duck, made.lake, MONTH)
    return Means(POLICY, managers(duck, POLICY.limits)), sorted(made.folder("candidates").glob("*"))


def plan_of(means: Means, candidates: list[Path]) -> Arms:
    return planned(shortlist(candidates, means.policy, means.known), means.policy)


def all_key(part: int, who: Ints) -> list[str]:
    return ["key"] * len(who) if part == 0 else []


def test_a_limit_that_stays_changes_nothing(means: tuple[Means, list[Path]]) -> None:
    before = plan_of(*means)
    after = plan_of(moved(means[0], parse_moves(["money=+0"])), means[1])
    found = difference(before, after, all_key)
    assert (found["added"], found["dropped"], found["other_offer"]) == (0, 0, 0)
    assert found["before"] == found["after"]


def test_more_contacts_and_money_add_customers_who_are_told_by_class_and_offer(means: tuple[Means, list[Path]]) -> None:
    before = plan_of(*means)
    after = plan_of(moved(means[0], parse_moves(["money=+50%", "channel:sms=+15"])), means[1])
    found = difference(before, after, all_key)
    assert found["added"] > 0
    assert found["by_class"]["key"] == {"added": found["added"], "dropped": found["dropped"]}
    assert found["after"]["customers"] - found["before"]["customers"] == found["added"] - found["dropped"]
    assert sum(row["after"] for row in found["by_offer"].values()) == found["after"]["customers"]
    assert found["after"]["gain_fen"] > found["before"]["gain_fen"]


def test_hours_move_for_one_manager_or_for_all(means: tuple[Means, list[Path]]) -> None:
    for word, minutes in (("manager:M1=-60", 120), ("hours=+10%", 198), ("hours=-200%", 0)):
        assert moved(means[0], parse_moves([word])).known["M1"].minutes == minutes
    known = {"M1": Manager(None, None, None)}
    with pytest.raises(UsageError, match="no limit 'hours'"):
        moved(Means(POLICY, known), parse_moves(["hours=+10%"]))


def test_a_channel_moves_its_weeks_in_proportion() -> None:
    weekly: Policy = policy_with(limits={"weeks": 2, "channel_week_contacts": {"sms": (10, 30)}})
    limits = moved(Means(weekly, {}), parse_moves(["channel:sms=+50%"])).policy.limits
    assert limits.channel_week_contacts == {"sms": (15, 45)}
    assert limits.month_contacts == {"sms": 60}


def test_what_moves_is_told_in_words_and_units() -> None:
    words = ["money=-5000", "channel:sms=+200", "hours=+10%", "manager:M1=-60"]
    figures = {side: {"gain_fen": 0, "cost_fen": 0, "customers": 0} for side in ("before", "after")}
    same = figures | {"added": 0, "dropped": 0, "other_offer": 0, "by_class": {}, "by_offer": {}}
    told = Moved(MONTH, parse_moves(words), same, {}, as_published=True)
    head = "money -50 yuan, contacts by SMS +200 contacts, hours of all managers +10%, hours of manager M1 -60 minutes"
    assert told.text("en").splitlines()[0] == f"2026-10, limits moved: {head}"
    assert told.text("zh").splitlines()[0] == (
        "2026-10 限额变动：维系费用 -50 元，短信触达次数 +200 次，全部客户经理的工时 +10%，客户经理 M1 的工时 -60 分钟"
    )


@pytest.mark.parametrize("word", ["money", "money=10%", "money=+1.5", "sms=+3", "channel:SMS=+1", "=+1", "hours=+x%"])
def test_a_move_that_cannot_be_read_is_refused(word: str) -> None:
    with pytest.raises(UsageError, match="does not move a limit"):
        parse_moves([word])


def test_a_limit_moves_once_and_must_be_there() -> None:
    with pytest.raises(UsageError, match="each limit once"):
        parse_moves(["money=+1", "money=+2"])
    with pytest.raises(UsageError, match="at least one limit"):
        parse_moves([])
    with pytest.raises(UsageError, match="limits of this kind: channel:sms"):
        moved(Means(POLICY, {}), parse_moves(["channel:app=+1"]))
