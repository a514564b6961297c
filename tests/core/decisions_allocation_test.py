"""The allocation keeps every limit, and its certificate tells the truth about the best possible plan."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import LinearConstraint, milp
from scipy.sparse import lil_array

from keepline.decisions.allocation import Allocation, allocate, fitted, held
from keepline.decisions.blocks import Blocks
from keepline.decisions.narrowing import Narrowed
from keepline.decisions.prices import Box, bound, choose
from keepline.decisions.problem import NONE, UNIT, Kinds, Means, Problem
from keepline.decisions.ranked import ranked_gain
from keepline.decisions.repair import within
from keepline.decisions.search import lowest
from keepline.engine import ID_SPACE

CHANNELS, MANAGERS = 3, 4


def random_problem(seed: int, customers: int, *, offers: int = 5, tight: float = 0.3, levels: int = 0) -> Problem:
    """Customers with some of the offers each; ``tight`` is the share of what all would use."""
    dice = np.random.default_rng(seed)
    minutes = np.where(np.arange(offers) % 2, dice.choice([15, 30, 90], offers), 0)
    kinds = Kinds(
        tuple(f"offer-{j}" for j in range(offers)), dice.integers(1, 900, offers), np.arange(offers) % 4 - 1, minutes
    )
    counts = dice.integers(1, offers + 1, customers)
    kind = np.concatenate([np.sort(dice.choice(offers, n, replace=False)) for n in counts])
    gain = dice.integers(1, 3000, len(kind)) if not levels else 100 * dice.integers(1, levels + 1, len(kind))
    means = Means(
        int(tight * customers * kinds.cost.mean()) + 900,
        np.array([max(1, int(tight * customers / 3))] * CHANNELS),
        dice.integers(90, 90 + int(tight * 60 * customers), MANAGERS),
    )
    ids = np.sort(dice.choice(ID_SPACE, customers))
    start = np.concatenate([[0], np.cumsum(counts)])
    return Problem(ids, start, dice.integers(NONE, MANAGERS, customers), gain, kind, kinds, means)


def best_possible(problem: Problem) -> int:
    """The optimum by mixed-integer programming, an independent solver."""
    size, rows = problem.candidates, problem.customers + 1 + CHANNELS + MANAGERS
    uses = lil_array((rows, size))
    owner = problem.owner(0, problem.customers)
    kinds = problem.kinds
    for j in range(size):
        kind, manager = problem.kind[j], problem.manager[owner[j]]
        uses[owner[j], j] = 1
        uses[problem.customers, j] = kinds.cost[kind]
        if kinds.channel[kind] != NONE:
            uses[problem.customers + 1 + kinds.channel[kind], j] = 1
        if manager != NONE:
            uses[problem.customers + 1 + CHANNELS + manager, j] = kinds.minutes[kind]
    most = np.concatenate(
        [np.ones(problem.customers), [problem.means.money], problem.means.channels, problem.means.minutes]
    )
    found = milp(-problem.gain.astype(float), constraints=LinearConstraint(uses.tocsr(), ub=most), integrality=1)
    return round(-found.fun)


def keeps_limits(problem: Problem, plan: Allocation) -> bool:
    used, means = plan.used, problem.means
    return bool(
        used.money <= means.money and (used.channels <= means.channels).all() and (used.minutes <= means.minutes).all()
    )


@pytest.mark.parametrize("seed", range(6))
def test_the_plan_and_its_bound_enclose_the_optimum(seed: int) -> None:
    problem = random_problem(seed, 60)
    plan, best = allocate(problem), best_possible(problem)
    assert keeps_limits(problem, plan)
    assert plan.gain_fen <= best <= plan.bound_fen
    assert plan.gain_fen >= 0.95 * best


def test_the_bound_closes_in_as_customers_grow_many() -> None:
    gaps = [allocate(random_problem(7, customers)).gap_share for customers in (100, 1_000, 30_000)]
    assert gaps[2] < gaps[1] < gaps[0]
    assert gaps[2] < 1e-4


@pytest.mark.parametrize("tight", [0.05, 0.3, 0.9])
def test_settling_most_customers_changes_neither_the_rule_nor_the_certificate(tight: float) -> None:
    problem = random_problem(11, 40_000, tight=tight)
    plan = allocate(problem)
    assert plan.ruled.tolist() == choose(problem, plan.prices).tolist()
    assert plan.bound_fen == bound(problem, plan.prices) // UNIT
    assert keeps_limits(problem, plan)
    assert plan.bound_fen - plan.gain_fen <= 4 * problem.gain.max()


@pytest.mark.parametrize("seed", range(3))
def test_where_too_few_are_open_to_give_way_more_are_opened_until_every_limit_holds(seed: int) -> None:
    """A box of no size leaves open only customers whom the very prices leave undecided."""
    problem = random_problem(seed, 40_000)
    blocks = Blocks.of(problem)
    found = lowest(blocks)
    plan, closed = fitted(blocks, found), Narrowed.of(blocks, Box(found.prices, found.prices))
    assert closed.few.customers < 100
    assert not within(closed.few, choose(closed.few, found.prices))
    opened = fitted(blocks, replace(found, narrowed=closed))
    assert opened.bound_fen == plan.bound_fen
    assert opened.bound_fen - opened.gain_fen <= 4 * problem.gain.max()
    assert keeps_limits(problem, held(problem, opened))


def test_a_thousand_managers_keep_their_hours_and_the_gap_is_a_few_visits() -> None:
    """Each manager has few customers, so that the sample says little of their prices."""
    problem = random_problem(12, 50_000)
    dice = np.random.default_rng(12)
    means = replace(problem.means, minutes=dice.integers(60, 1_500, 1_000))
    problem = replace(problem, manager=dice.integers(NONE, 1_000, 50_000), means=means)
    plan = allocate(problem)
    assert keeps_limits(problem, plan)
    assert plan.bound_fen == bound(problem, plan.prices) // UNIT
    binding = 1 + (plan.prices.channels > 0).sum() + (plan.prices.minutes > 0).sum()
    assert plan.bound_fen - plan.gain_fen <= binding * problem.gain.max()


def test_twenty_limits_are_kept_and_close_to_the_bound() -> None:
    dice = np.random.default_rng(3)
    offers, customers = 20, 30_000
    none = np.zeros(offers, dtype=int)
    kinds = Kinds(tuple(f"offer-{j:02}" for j in range(offers)), dice.integers(1, 900, offers), np.arange(offers), none)
    kind = np.sort(dice.permuted(np.tile(np.arange(offers), (customers, 1)), axis=1)[:, :8], axis=1).ravel()
    gain = dice.integers(1, 3_000, len(kind))
    money = int(0.2 * customers * kinds.cost.mean())
    means = Means(money, dice.integers(20, customers // 15, offers), np.zeros(0, dtype=int))
    ids, start = np.sort(dice.choice(ID_SPACE, customers)), np.arange(customers + 1) * 8
    problem = Problem(ids, start, np.full(customers, NONE), gain, kind, kinds, means)
    plan = allocate(problem)
    assert keeps_limits(problem, plan)
    assert plan.gap_share < 1e-4


def test_means_that_suffice_cost_nothing_and_everyone_gets_the_best() -> None:
    problem = random_problem(3, 200, tight=10)
    plan = allocate(problem)
    assert plan.gap_share == 0
    assert plan.prices.money == 0
    assert not plan.prices.channels.any()
    assert not plan.prices.minutes.any()
    assert plan.gain_fen == np.maximum.reduceat(problem.gain, problem.start[:-1]).sum()


def test_equal_gains_go_to_the_smaller_id_by_the_rule_itself() -> None:
    customers = 1_000
    ids = np.sort(np.random.default_rng(1).choice(ID_SPACE, customers))
    one = Kinds(("gift",), np.array([10]), np.array([NONE]), np.array([0]))
    means = Means(2_000, np.zeros(0, dtype=int), np.zeros(0, dtype=int))
    start, zeros = np.arange(customers + 1), np.zeros(customers, dtype=int)
    plan = allocate(Problem(ids, start, zeros + NONE, zeros + 500, zeros, one, means))
    treated = np.flatnonzero(plan.choice != NONE)
    assert treated.tolist() == list(range(200))
    assert plan.by_rule.sum() >= 190
    assert plan.gap_share < 1e-4


def test_a_problem_without_customers_is_an_empty_plan() -> None:
    empty = random_problem(1, 5).only(np.zeros(5, dtype=bool))
    assert (allocate(empty).gain_fen, allocate(empty).bound_fen) == (0, 0)


def test_an_hour_is_worth_what_the_next_customer_would_bring() -> None:
    """One manager, visits of 60 minutes and nothing else scarce: the first left out sets the price."""
    visit = Kinds(("visit",), np.array([1]), np.array([NONE]), np.array([60]))
    means = Means(10_000, np.zeros(0, dtype=int), np.array([120]))
    gains = np.array([500, 400, 310, 200])
    plan = allocate(
        Problem(np.arange(1, 5), np.arange(5), np.zeros(4, dtype=int), gains, np.zeros(4, dtype=int), visit, means)
    )
    assert (plan.choice != NONE).tolist() == [True, True, False, False]
    assert 310 <= 60 * plan.prices.minutes[0] / UNIT <= 312


def test_the_same_prices_choose_alike_for_a_customer_seen_alone() -> None:
    problem = random_problem(5, 300)
    plan = allocate(problem)
    alone = [choose(problem.only(np.arange(300) == i), plan.prices)[0] for i in range(300)]
    together = np.where(plan.ruled == NONE, NONE, plan.ruled - problem.start[:-1])
    assert alone == together.tolist()


def test_a_list_by_risk_keeps_the_same_limits_and_gains_less() -> None:
    problem = random_problem(9, 3_000)
    risk = np.random.default_rng(9).random(3_000)
    risk[:5] = np.nan
    assert 0 < ranked_gain(Blocks.of(problem, risk)) < allocate(problem).gain_fen


sizes = st.integers(1, 40)
seeds = st.integers(0, 2**20)
tights = st.sampled_from((0.02, 0.1, 0.4, 1.0))
steps = st.sampled_from((0, 1, 3))


@settings(max_examples=60, deadline=None)
@given(seeds, sizes, tights, steps)
def test_no_limit_is_ever_passed_and_nobody_gets_two_offers(seed: int, size: int, tight: float, levels: int) -> None:
    problem = random_problem(seed, size, tight=tight, levels=levels)
    plan = allocate(problem)
    assert keeps_limits(problem, plan)
    assert plan.gain_fen <= plan.bound_fen
    assert len(plan.choice) == problem.customers
    treated = np.flatnonzero(plan.choice != NONE)
    assert (problem.gain[plan.choice[treated]] > 0).all()
    assert (problem.start[treated] <= plan.choice[treated]).all()
    assert (plan.choice[treated] < problem.start[treated + 1]).all()


@settings(max_examples=40, deadline=None)
@given(seeds, sizes, st.sampled_from(("money", "channels", "minutes")))
def test_more_of_a_limit_never_lowers_the_bound(seed: int, size: int, which: str) -> None:
    problem = random_problem(seed, size, tight=0.1)
    more = replace(problem, means=replace(problem.means, **{which: getattr(problem.means, which) * 2}))
    before, after = allocate(problem).bound_fen, allocate(more).bound_fen
    assert after >= before - max(2, 1e-5 * before)
