"""Value equals its formula, adds up, and its interval covers the margin it claims to cover."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from core.insight_world import policy
from keepline.insight.value import (
    READS,
    ValueModel,
    brought_weights,
    discounts,
    lasting_share,
    learn_change,
    learn_first_bill,
    learn_referrals,
    margins,
    monthly_rate,
    referral_rate,
    staying,
    worth,
)

VALUE = policy().value
Vector = np.ndarray


def facts(**given: object) -> dict[str, Vector]:
    """Columns of one customer of whom only what is given is known."""
    unknown = {name: np.array([np.nan]) for name in READS}
    return unknown | {name: np.atleast_1d(np.asarray(value, dtype=float)) for name, value in given.items()}


def test_the_monthly_rate_gives_the_probability_back() -> None:
    rate = monthly_rate(np.array([0.2]), 3)
    assert 1 - (1 - rate) ** 3 == pytest.approx(0.2)


def test_persistence_is_the_discounted_margin_of_the_months_stayed() -> None:
    model = ValueModel(3, 0.05, lasting=1.0)
    made = worth(model, VALUE, column=facts(margin_3m_fen=30_000, revenue_3m_fen=60_000), monthly=np.array([0.05]))
    months = np.arange(1, VALUE.horizon_months + 1)
    expected = 10_000 * np.sum(0.95**months * (1 + VALUE.discount_rate_year) ** (-months / 12))
    assert made.persistence[0] == pytest.approx(expected)
    assert made.expected_months[0] == pytest.approx(np.sum(0.95**months))


def test_a_risk_that_passes_is_taken_away_after_the_horizon() -> None:
    weights = np.ones(12)
    lasting = staying(ValueModel(3, 0.02, lasting=1.0), np.array([0.2]), weights)[0]
    passing = staying(ValueModel(3, 0.02, lasting=0.0), np.array([0.2]), weights)[0]
    known = np.cumprod(np.r_[np.full(3, 0.8), np.full(9, 0.98)]).sum()
    assert passing == pytest.approx(known)
    assert lasting < passing


def test_value_is_the_sum_of_its_parts_within_its_interval() -> None:
    column = facts(
        margin_3m_fen=30_000,
        margin_fen=9_000,
        margin_12m_fen=110_000,
        months_billed=12,
        revenue_3m_fen=60_000,
        revenue_slope_fen=-500,
        referrals_12m=1,
        tenure_months=30,
    )
    model = ValueModel(
        3, 0.03, growth=(0.5, 0.2), drift=-0.01, mean_margin_fen=9000.0, referral=(0.5, 40.0), learnt=True
    )
    made = worth(model, VALUE, column=column, monthly=np.array([0.03]))
    assert made.value[0] == pytest.approx(made.persistence[0] + made.growth[0] + made.word_of_mouth[0])
    assert made.low[0] < made.value[0] < made.high[0]
    assert made.growth[0] < 0 < made.word_of_mouth[0]


def test_what_is_unknown_stays_unknown() -> None:
    known = facts(margin_3m_fen=30_000)
    model = ValueModel(3, 0.03)
    assert np.isnan(worth(model, VALUE, column=facts(), monthly=np.array([0.03])).value[0])
    assert np.isnan(worth(model, VALUE, column=known, monthly=np.array([np.nan])).value[0])
    made = worth(model, VALUE, column=known, monthly=np.array([0.03]))
    assert np.isnan(made.word_of_mouth[0])
    assert made.value[0] > 0


def test_word_of_mouth_counts_what_is_left_of_the_horizon() -> None:
    model = ValueModel(3, 0.0, mean_margin_fen=100.0)
    weights = brought_weights(model, VALUE)
    assert weights[-1] == 0
    assert weights[0] == pytest.approx(discounts(VALUE)[0] * 100 * discounts(VALUE)[:-1].sum())


def test_referrals_shrink_to_the_base() -> None:
    prior = (0.5, 60.0)
    rate = referral_rate(prior, np.array([0.0, 3.0]), np.array([48.0, 48.0]))
    assert rate == pytest.approx([0.5 / 72, 3.5 / 72])
    assert learn_referrals(np.array([np.nan]), np.array([12.0])) is None


def test_the_gamma_prior_of_referrals_is_found_again() -> None:
    random = np.random.default_rng(1)
    brought = random.poisson(random.gamma(0.4, 1 / 20, 200_000) * 12).astype(float)
    made = learn_referrals(brought, np.full(200_000, 40.0))
    assert made is not None
    assert made == pytest.approx((0.4, 20.0), rel=0.1)


def test_margin_change_is_learnt_and_its_interval_covers_the_true_level() -> None:
    random = np.random.default_rng(2)
    n, model = 8000, ValueModel(3, 0.0, lasting=1.0, floor_fen=500.0, spread=0.0)
    level = np.exp(random.normal(9, 0.6, n))
    behind = level * np.exp(random.normal(-0.02, 0.2, (12, n)))
    after = (level * np.exp(random.normal(-0.02, 0.2, (3, n)))).sum(axis=0)
    column = facts(
        margin_fen=behind[0],
        margin_3m_fen=behind[:3].sum(axis=0),
        margin_12m_fen=behind.sum(axis=0),
        months_billed=np.full(n, 12),
        revenue_3m_fen=behind[:3].sum(axis=0),
        revenue_slope_fen=random.normal(0, 50, n),
    )
    learnt = learn_change(model, margins(column, horizon=3, floor_fen=500.0), after, policy=VALUE)
    made = worth(learnt, VALUE, column=column, monthly=np.zeros(n))
    true = level * discounts(VALUE).sum()
    covered = np.mean((made.low <= true) & (true <= made.high))
    assert learnt.growth[1] > 0.5  # the long mean is the better guess, and the data say so
    assert 0.86 <= covered <= 0.94


def test_a_few_stayers_teach_nothing() -> None:
    model = ValueModel(3, 0.02)
    column = {name: np.full(199, 1000.0) for name in READS}
    seen = margins(column, horizon=3, floor_fen=10.0)
    assert learn_change(model, seen, np.full(199, 3000.0), policy=VALUE) == model


def test_the_lasting_share_is_a_slope() -> None:
    random = np.random.default_rng(3)
    early = random.uniform(0, 0.3, 5000)
    late = 0.1 + 0.6 * (early - 0.15) + random.normal(0, 0.02, 5000)
    assert lasting_share([(early, late)]) == pytest.approx(0.6, abs=0.02)
    assert lasting_share([]) == ValueModel(3).lasting


def test_a_surer_rate_gives_a_narrower_interval() -> None:
    column = facts(margin_3m_fen=30_000, revenue_3m_fen=60_000)
    model = ValueModel(3, 0.03)
    wide, narrow = (
        worth(each, VALUE, column=column, monthly=np.array([0.03])) for each in (model, replace(model, spread=0.2))
    )
    assert narrow.high[0] - narrow.low[0] < wide.high[0] - wide.low[0]


@pytest.mark.parametrize(
    ("tenure", "history", "months"),
    [(0, 3, 0.5), (1, 3, 1.5), (2, 3, 2.5), (3, 3, 3), (90, 3, 3), (np.nan, 3, 3), (0, 1, 0.5), (1, 1, 1), (2, 2, 2)],
)
def test_a_young_lake_or_customer_has_fewer_months_now(tenure: float, history: int, months: float) -> None:
    """Tenure counts the months after that of joining, of which half is billed where nothing else is known."""
    column = facts(margin_3m_fen=30_000, revenue_3m_fen=60_000, tenure_months=tenure)
    assert margins(column, horizon=3, floor_fen=1.0, history=history).now[0] == pytest.approx(30_000 / months)


@pytest.mark.parametrize("by_days", [True, False])
def test_newcomers_are_worth_what_they_are_however_the_first_month_is_billed(*, by_days: bool) -> None:
    random = np.random.default_rng(4)
    n = 12_000
    level, tenure = np.exp(random.normal(8.6, 0.4, n)), random.integers(0, 5, n)
    part = random.uniform(0, 1, n) if by_days else np.ones(n)
    first = np.where(tenure < 3, part * level, 0.0)
    behind = level * np.minimum(tenure, 3) + first
    column = facts(
        tenure_months=tenure,
        margin_fen=np.where(tenure == 0, first, level),
        margin_3m_fen=behind,
        revenue_3m_fen=behind * 2,
        revenue_slope_fen=np.zeros(n),
        margin_12m_fen=behind,
        months_billed=np.ones(n),
    )
    learnt = learn_first_bill(column, np.full(n, 12.0))
    assert learnt == pytest.approx(0.5 if by_days else 1.0, abs=0.05)
    made = worth(ValueModel(3, 0.03, first_bill=learnt), VALUE, column=column, monthly=np.full(n, 0.03))
    true = level * staying(ValueModel(3, 0.03), np.full(n, 0.03), discounts(VALUE))
    told = [made.value[tenure == t].sum() / true[tenure == t].sum() for t in range(5)]
    assert told == pytest.approx([1.0] * 5, abs=0.06)


def test_too_few_newcomers_do_not_tell_how_the_first_month_is_billed() -> None:
    column = facts(tenure_months=np.ones(29), margin_fen=np.full(29, 100.0), margin_3m_fen=np.full(29, 200.0))
    assert learn_first_bill(column, np.full(29, 12.0)) == ValueModel(3).first_bill
    column = facts(tenure_months=np.ones(30), margin_fen=np.full(30, 100.0), margin_3m_fen=np.full(30, 200.0))
    assert learn_first_bill(column, np.full(30, 12.0)) == 1.0
    assert learn_first_bill(column, np.ones(30)) == ValueModel(3).first_bill  # their first month is not in the lake


def test_a_lake_that_began_lately_knows_fewer_months() -> None:
    model = ValueModel(3, first_month=100)
    assert [model.history(month) for month in (100, 101, 102, 110)] == [1, 2, 3, 3]
