"""A plan by weeks keeps every week's contacts and hours, and a policy without weeks knows nothing of them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from decisions_allocation_test import CHANNELS, MANAGERS, keeps_limits, random_problem
from decisions_cast import MONTH, VISIT, Row, Stage, features_of, high, policy_with, stage, write
from scipy.optimize import LinearConstraint, milp
from scipy.sparse import lil_array

from keepline import engine as engines
from keepline.canonical import table_hash
from keepline.decisions.allocation import Allocation, allocate, priced
from keepline.decisions.blocks import Blocks
from keepline.decisions.checker import verify
from keepline.decisions.problem import NONE, Kinds, Means, Problem
from keepline.decisions.spreading import by_weeks, spread
from keepline.decisions.urgency import Some, cuts, urgency
from keepline.decisions.weeks import Weeks
from keepline.engine import Engine
from keepline.errors import PublicationError
from keepline.policy.documents import Limits, Policy
from keepline.tables import ASSIGNMENTS, DECISIONS, SCHEDULE

WEEKS = 4


def weekly_problem(seed: int, customers: int) -> tuple[Problem, Weeks]:
    """The month's means are no more than the weeks have together."""
    problem = random_problem(seed, customers)
    dice = np.random.default_rng(seed)
    contacts = dice.integers(1, 2 + customers // 12, (CHANNELS, WEEKS))
    weeks = Weeks(contacts, 90)
    means = replace(
        problem.means,
        channels=np.minimum(problem.means.channels, contacts.sum(axis=1)),
        minutes=np.minimum(problem.means.minutes, WEEKS * weeks.minutes),
    )
    return replace(problem, means=means), weeks


def spread_plan(problem: Problem, weeks: Weeks) -> Allocation:
    return spread(problem, allocate(problem), weeks, np.linspace(0, 1, problem.customers))


def keeps_weeks(problem: Problem, plan: Allocation, weeks: Weeks) -> bool:
    assert plan.week is not None
    who = np.flatnonzero(plan.choice != NONE)
    kind, week = problem.kind[plan.choice[who]], plan.week[who]
    assert ((week >= 1) & (week <= WEEKS)).all()
    assert (plan.week[plan.choice == NONE] == 0).all()
    made, spent = np.zeros((CHANNELS + 1, WEEKS + 1), int), np.zeros((MANAGERS + 1, WEEKS + 1), int)
    np.add.at(made, (problem.kinds.channel[kind], week), 1)
    np.add.at(spent, (problem.manager[who], week), problem.kinds.minutes[kind])
    return bool((made[:-1, 1:] <= weeks.contacts).all() and (spent[:-1, 1:] <= weeks.minutes).all())


def best_by_weeks(problem: Problem, weeks: Weeks) -> int:
    """The optimum over customers, offers and weeks by mixed-integer programming."""
    size, owner, kinds = problem.candidates, problem.owner(0, problem.customers), problem.kinds
    first, sheets = problem.customers + 1 + CHANNELS + MANAGERS, CHANNELS + MANAGERS
    uses = lil_array((first + WEEKS * sheets, size * WEEKS))
    for n in range(size * WEEKS):
        j, week = n % size, n // size
        kind, manager = problem.kind[j], problem.manager[owner[j]]
        uses[owner[j], n] = 1
        uses[problem.customers, n] = kinds.cost[kind]
        for row, amount in (
            (kinds.channel[kind], 1),
            (CHANNELS + manager if manager != NONE else NONE, kinds.minutes[kind]),
        ):
            if row != NONE:
                uses[problem.customers + 1 + row, n] = amount
                uses[first + week * sheets + row, n] = amount
    by_week = np.concatenate([np.r_[weeks.contacts[:, w], np.full(MANAGERS, weeks.minutes)] for w in range(WEEKS)])
    means = (np.ones(problem.customers), [problem.means.money], problem.means.channels, problem.means.minutes, by_week)
    most = LinearConstraint(uses.tocsr(), ub=np.concatenate(means))
    found = milp(
        -np.tile(problem.gain, WEEKS).astype(float), constraints=most, integrality=1, options={"time_limit": 20}
    )
    return round(-found.fun)


@pytest.mark.parametrize("seed", range(4))
def test_a_plan_by_weeks_and_its_bound_enclose_the_optimum(seed: int) -> None:
    problem, weeks = weekly_problem(seed, 30)
    plan, best = spread_plan(problem, weeks), best_by_weeks(problem, weeks)
    assert keeps_limits(problem, plan)
    assert keeps_weeks(problem, plan, weeks)
    assert plan.gain_fen <= best <= plan.bound_fen
    assert plan.gain_fen >= 0.8 * best


def test_many_customers_fill_the_weeks_within_a_thousandth_of_the_bound() -> None:
    problem, weeks = weekly_problem(5, 30_000)
    plan = spread_plan(problem, weeks)
    assert keeps_limits(problem, plan)
    assert keeps_weeks(problem, plan, weeks)
    assert plan.gap_share < 1e-3


@pytest.mark.parametrize("seed", range(10, 18))
def test_no_week_is_overrun_however_visits_were_moved(seed: int) -> None:
    problem, weeks = weekly_problem(seed, 1_000)
    assert keeps_weeks(problem, spread_plan(problem, weeks), weeks)


def test_a_visit_goes_to_another_week_where_one_of_the_same_manager_can_be_made_in_this_alone() -> None:
    kinds = Kinds(("long", "short"), np.array([1, 1]), np.array([0, 1]), np.array([60, 30]))
    means = Means(100, np.array([2, 1]), np.array([120]))
    two = (np.array([5, 9]), np.arange(3), np.zeros(2, int), np.array([500, 400]), np.arange(2))
    plan = spread_plan(Problem(*two, kinds, means), Weeks(np.array([[1, 1], [1, 0]]), 60))
    assert plan.gain_fen == 900
    assert plan.week is not None
    assert plan.week.tolist() == [2, 1]


def test_the_more_urgent_of_like_customers_come_in_an_earlier_week() -> None:
    problem, weeks = weekly_problem(6, 300)
    plan = spread_plan(problem, weeks)
    who = np.flatnonzero(plan.choice != NONE)
    kind = problem.kind[plan.choice[who]]
    assert plan.week is not None
    for channel in range(CHANNELS):
        here = who[(problem.kinds.channel[kind] == channel) & (problem.kinds.minutes[kind] == 0)]
        assert (np.diff(plan.week[here]) <= 0).all(), "urgency rises with the place"


@pytest.mark.parametrize("seed", range(4))
def test_moves_and_urgency_looked_at_a_few_at_a_time_make_the_same_plan(seed: int) -> None:
    problem, weeks = weekly_problem(seed, 2_000)
    blocks = Blocks.of(problem, np.random.default_rng(seed).random(2_000).round(2))
    month = priced(blocks)
    whole, few = (by_weeks(blocks, month, weeks, ahead=ahead) for ahead in (2_000, 3))
    (block,) = blocks
    for one, other in zip(whole.of(block), few.of(block), strict=True):
        assert one.tolist() == other.tolist()
    assert whole.weeks_of(block, whole.of(block)[1]).tolist() == few.weeks_of(block, few.of(block)[1]).tolist()
    assert (whole.gain_fen, whole.used.money) == (few.gain_fen, few.used.money)


def test_who_stands_at_a_place_of_a_list_is_found_without_sorting_it() -> None:
    dice = np.random.default_rng(4)
    risk = np.concatenate([dice.random(500).round(2), [0.0, -0.0, np.nan, 1.0, 1e-300], np.full(300, 0.5)])
    some = Some(np.arange(len(risk)) * 3, dice.integers(0, 2, len(risk)), urgency(risk))
    parts = [Some(*(column[low : low + 100] for column in some)) for low in range(0, len(risk), 100)]
    order = np.lexsort((some.customer, -np.nan_to_num(risk, nan=-1.0)))
    for group in (0, 1):
        ordered = [int(some.customer[i]) for i in order if some.group[i] == group]
        places = [0, 1, 57, 200, len(ordered) - 1]
        found = cuts(lambda: iter(parts), [(group, place) for place in places])
        assert [cut.customer for cut in found] == [ordered[place] for place in places]
        assert [int((cut.after(some) & (some.group == group)).sum()) for cut in found] == [
            len(ordered) - place for place in places
        ]


LIMITS = {
    "money_fen": 60_000,
    "weeks": 4,
    "channel_week_contacts": {"sms": [6, 5, 4, 3]},
    "manager_week_minutes": 60,
    "manager_minutes_each": 600,
    "held_out_share": 0.2,
}


def weekly_policy(**changed: object) -> Policy:
    lines = {name: tuple(v) if isinstance(v, list) else v for name, v in (LIMITS | changed).items()}
    lines["channel_week_contacts"] = {name: tuple(v) for name, v in lines["channel_week_contacts"].items()}  # type: ignore[attr-defined]
    return policy_with(limits=lines)


def crowd() -> list[Row]:
    many = [features_of(1_000 + i if i % 2 else high(i), value_fen=90_000 + 1_000 * i) for i in range(60)]
    firms = [
        features_of(2_000 + i, kind="organisation", manager_id="M1", value_fen=200_000 + i, leave_probability=0.3)
        for i in range(6)
    ]
    return [*many, *firms]


def made(engine: Engine, root: Path, *, policy: Policy, parts: int = 2) -> Stage:
    ready = stage(engine, root, crowd(), policy=policy, parts=parts)
    ready.build()
    ready.decide()
    return ready


def check(ready: Stage) -> Row:
    names = ("features", "scores", "candidates", "decisions", "assignments", "schedule")
    return verify(
        ready.engine, ready.lake, ready.policy, snapshot=MONTH, **{name: ready.folder(name) for name in names}
    )


@pytest.fixture
def duck(tmp_path: Path) -> Engine:
    return engines.start("duckdb", spill=tmp_path / "spill")


def test_each_treated_customer_has_one_week_and_the_checker_counts_them(duck: Engine, tmp_path: Path) -> None:
    ready = made(duck, tmp_path, policy=weekly_policy())
    treated = {who for who, row in ready.by_customer("decisions").items() if row["state"] == "treated"}
    week = {row["customer_id"]: row["week"] for row in ready.rows("schedule")}
    assert week.keys() == treated
    sms = [week[who] for who in treated if ready.by_customer("decisions")[who]["channel"] == "sms"]
    assert [sms.count(n) for n in (1, 2, 3, 4)] == [6, 5, 4, 3]
    visits = [week[who] for who in treated if ready.by_customer("decisions")[who]["channel"] == "visit"]
    assert sorted(visits) == sorted(set(visits)), "an hour a week is one visit a week"
    assert visits
    codes = {c["code"]: c["breaches"] for c in check(ready)["checks"]}
    assert [codes[name] for name in ("scheduled", "week_contacts", "week_hours")] == [0, 0, 0]


@pytest.mark.parametrize(
    ("channel", "code"), [("sms", "contacts of each channel in each week"), ("visit", "minutes in each week")]
)
def test_a_week_too_full_is_refused(duck: Engine, tmp_path: Path, channel: str, code: str) -> None:
    ready = made(duck, tmp_path, policy=weekly_policy(), parts=1)
    mine = {who for who, row in ready.by_customer("decisions").items() if row["channel"] == channel}
    rows = [row | ({"week": 1} if row["customer_id"] in mine else {}) for row in ready.rows("schedule")]
    write(next(ready.folder("schedule").glob("*.parquet")), "schedule", rows)
    with pytest.raises(PublicationError, match=code):
        check(ready)


def test_a_customer_without_a_week_is_refused(duck: Engine, tmp_path: Path) -> None:
    ready = made(duck, tmp_path, policy=weekly_policy(), parts=1)
    write(next(ready.folder("schedule").glob("*.parquet")), "schedule", ready.rows("schedule")[1:])
    with pytest.raises(PublicationError, match="exactly one week"):
        check(ready)


def test_ranges_and_engines_make_the_same_schedule(spark: Engine, duck: Engine, tmp_path: Path) -> None:
    hashes = []
    for name, engine, parts in (("whole", duck, 1), ("parts", duck, 2), ("spark", spark, 2)):
        ready = made(engine, tmp_path / name, policy=weekly_policy(), parts=parts)
        check(ready)
        tables = (SCHEDULE, DECISIONS, ASSIGNMENTS)
        hashes.append([table_hash(sorted(ready.folder(t.name).glob("*.parquet")), t) for t in tables])
    assert hashes[0] == hashes[1] == hashes[2]


def test_without_weeks_there_is_no_schedule_and_no_rule_about_it(duck: Engine, tmp_path: Path) -> None:
    policy = weekly_policy(weeks=None, channel_week_contacts={}, manager_week_minutes=None)
    ready = made(duck, tmp_path, policy=policy)
    assert not ready.folder("schedule").exists()
    assert not {"scheduled", "week_contacts", "week_hours"} & {c["code"] for c in check(ready)["checks"]}


def test_weeks_that_suffice_leave_the_plan_as_it_is(duck: Engine, tmp_path: Path) -> None:
    wide = weekly_policy(channel_week_contacts={"sms": [99] * 4}, manager_week_minutes=600)
    none = weekly_policy(weeks=None, channel_week_contacts={}, manager_week_minutes=None)
    plans = [made(duck, tmp_path / name, policy=p) for name, p in (("wide", wide), ("none", none))]
    tables = [[table_hash(sorted(p.folder(t.name).glob("*")), t) for t in (ASSIGNMENTS, DECISIONS)] for p in plans]
    assert tables[0] == tables[1]
    assert {row["week"] for row in plans[0].rows("schedule")} == {1}


def test_a_visit_longer_than_a_week_allows_is_no_candidate(duck: Engine, tmp_path: Path) -> None:
    policy = policy_with([VISIT], limits={"weeks": 2, "manager_week_minutes": 59})
    ready = stage(duck, tmp_path, [features_of(1, manager_id="M1", value_fen=900_000)], policy=policy)
    ready.build()
    ready.decide()
    assert ready.by_customer("decisions")[1]["state"] in ("below_cut", "held_out")
    assert pq.read_table(next(ready.folder("schedule").glob("*.parquet"))).num_rows == 0


@pytest.mark.parametrize(
    ("lines", "says"),
    [
        ({"channel_week_contacts": {"sms": (1, 2)}}, "need 'weeks'"),
        ({"weeks": 3, "channel_week_contacts": {"sms": (1, 2)}}, "has 2 numbers, and there are 3 weeks"),
        ({"weeks": 1, "channel_week_contacts": {"pigeon": (1,)}}, "unknown channels pigeon"),
        ({"weeks": 9}, "less than or equal to 6"),
    ],
)
def test_limits_by_week_that_do_not_fit_are_refused(lines: dict[str, object], says: str) -> None:
    plain = {"version": "t", "valid_from": "2020-01-01", "money_fen": 1, "held_out_share": 0.1, "held_out_salt": "s"}
    with pytest.raises(Exception, match=says):
        Limits.model_validate(plain | lines)
