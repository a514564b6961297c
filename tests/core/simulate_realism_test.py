"""The simulated operator looks like an operator, and what it says is true is what then happens."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import roc_auc_score

from core.simulated import Simulated, simulate


@pytest.fixture(scope="module", params=[1, pytest.param(2, marks=pytest.mark.full)])
def operator(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Simulated:
    return simulate(tmp_path_factory.mktemp("operator") / "site", customers=20_000, months=6, seed=request.param)


@pytest.fixture(scope="module")
def long_story(tmp_path_factory: pytest.TempPathFactory) -> Simulated:
    return simulate(tmp_path_factory.mktemp("long") / "site", customers=6_000, months=13)


def outcomes(operator: Simulated, index: int, *, within: int) -> pd.DataFrame:
    """Truth at the end of a month beside who left in the months after."""
    snapshot = operator.months[index]
    truth = operator.truth("customers", snapshot)
    return truth.assign(left=truth["customer_id"].isin(operator.left(snapshot + 1, snapshot + within)))


def test_between_one_and_three_customers_in_a_hundred_leave_each_month(operator: Simulated) -> None:
    for index in range(len(operator.months) - 1):
        assert 0.01 < outcomes(operator, index, within=1)["left"].mean() < 0.03


def test_the_true_probability_of_leaving_tells_leavers_apart_with_an_auc_of_75_to_85(operator: Simulated) -> None:
    aucs = [
        roc_auc_score(found["left"], found["p_leave"])
        for found in (outcomes(operator, index, within=1) for index in range(len(operator.months) - 1))
    ]
    assert 0.75 < np.mean(aucs) < 0.85


def test_as_many_leave_as_the_truth_expected_in_every_tenth(operator: Simulated) -> None:
    months = range(len(operator.months) - 1)
    found = pd.concat([outcomes(operator, index, within=1) for index in months])
    tenth = pd.qcut(found["p_leave"], 10, labels=False)
    table = found.groupby(tenth)[["p_leave", "left"]].agg({"p_leave": "sum", "left": "sum"})
    assert ((table["left"] - table["p_leave"]).abs() < 4 * np.sqrt(table["p_leave"])).all()


def test_the_probability_over_the_horizon_is_as_true_as_that_of_the_month(operator: Simulated) -> None:
    found = outcomes(operator, 0, within=3)
    tenth = pd.qcut(found["p_leave_horizon"], 10, labels=False)
    table = found.groupby(tenth)[["p_leave_horizon", "left"]].sum()
    expected = table["p_leave_horizon"]
    assert ((table["left"] - expected).abs() < 4 * np.sqrt(expected) + 0.05 * expected).all()


def test_a_fifth_of_the_customers_bring_55_to_80_percent_of_the_margin(operator: Simulated) -> None:
    margin = operator.margin(operator.months[-1]).sort_values(ascending=False)
    assert 0.55 < margin.iloc[: len(margin) // 5].sum() / margin.sum() < 0.80


def test_organisations_are_few_and_bring_much_of_the_margin(operator: Simulated) -> None:
    first = operator.months[0]
    organisations = operator.rows("customers", first).query("kind == 'organisation'")["customer_id"]
    margin = operator.margin(first)
    assert 0.04 < len(organisations) / len(margin) < 0.08
    assert margin[margin.index.isin(organisations)].sum() / margin.sum() > 0.25


def test_under_fifteen_in_a_hundred_respond_to_any_offer(operator: Simulated) -> None:
    delivered = pd.concat([operator.rows("deliveries", month) for month in operator.months])
    answers = delivered.groupby("offer_id")["answer"].agg(lambda said: (said == "accepted").mean())
    assert (answers < 0.15).all()
    truth = operator.truth("gains", operator.months[-1])
    assert (truth.groupby("offer_id")["responds"].mean() < 0.15).all()


def test_about_ninety_seven_in_a_hundred_offers_arrive_and_some_are_refused(operator: Simulated) -> None:
    pilots = pd.concat([operator.rows("experiments", month) for month in operator.months])
    treated = pilots.query("arm == 'treated'")
    delivered = pd.concat([operator.rows("deliveries", month) for month in operator.months])
    arrived = delivered.merge(treated[["customer_id", "offer_id"]], on=["customer_id", "offer_id"])
    assert 0.92 < len(arrived) / len(treated) < 0.99  # a few leave before the offer reaches them
    assert 0.1 < (arrived["answer"] == "refused").mean() < 0.4


def test_each_offer_measured_by_experiment_had_a_pilot_half_of_it_left_alone(operator: Simulated) -> None:
    pilots = pd.concat([operator.rows("experiments", month) for month in operator.months])
    wanted = {o.effect.experiment_id for o in operator.policy.offers.offer if o.effect.source == "experiment"}
    assert set(pilots["experiment_id"]) == wanted
    assert not pilots[["customer_id", "month"]].duplicated().any()
    draws = pilots.groupby(["experiment_id", "month"])
    assert (draws["arm"].agg(lambda arm: (arm == "treated").mean()).sub(0.5).abs() < 0.01).all()
    assert (draws.size() > 1000).all()
    assert (draws.size() <= 6000).all()


def test_trouble_shows_in_falling_use_before_a_customer_leaves(operator: Simulated) -> None:
    before, month, after = operator.months[2:5]
    use = operator.rows("usage", month).set_index("customer_id")["data_kb"]
    earlier = operator.rows("usage", before).set_index("customer_id")["data_kb"]
    change = (np.log(use) - np.log(earlier)).dropna()
    leavers = change.index.isin(operator.left(after, after))
    assert change[leavers].mean() < change[~leavers].mean() - 0.05


def test_a_planted_niche_receives_more_calls_than_it_makes(operator: Simulated) -> None:
    first = operator.months[0]
    places = operator.rows("attributes", first)
    ward = places.loc[places["code"] == "hospital", "customer_id"]
    use = operator.rows("usage", first)
    assert 100 < len(ward) < 400
    inside = use["customer_id"].isin(ward)
    received = use["voice_in_s"] / use["voice_s"]
    assert received[inside].mean() > 2 * received[~inside].mean()


def test_offers_hold_some_wake_others_and_leave_most_as_they_were(operator: Simulated) -> None:
    truth = operator.truth("gains", operator.months[-1]).query("offer_id == 'renew-contract'")
    assert (truth["leave_change"] < -0.01).mean() > 0.02
    assert (truth["leave_change"] > 0.0005).mean() > 0.05
    assert (truth["leave_change"].abs() < 0.01).mean() > 0.7


def test_true_value_is_what_customers_bring_on_average(long_story: Simulated) -> None:
    first, *later = long_story.months
    truth = long_story.truth("customers", first).set_index("customer_id")["value_fen"]
    rate = long_story.policy.value.discount_rate_year
    earned = sum(
        long_story.margin(month).reindex(truth.index).fillna(0) * (1 + rate) ** (-ago / 12)
        for ago, month in enumerate(later, start=1)
    )
    assert truth.sum() == pytest.approx(earned.sum(), rel=0.03)
    assert truth.corr(earned, method="spearman") > 0.85


def test_a_pilot_changes_leaving_as_much_as_the_truth_says(tmp_path: Path) -> None:
    """Pooled over seeds and pilots, because one pilot is too small to tell."""
    happened, expected, error = 0.0, 0.0, 0.0
    for seed in range(3):
        operator = simulate(tmp_path / str(seed), customers=8_000, months=5, seed=seed)
        lots = operator.months[1]
        people = operator.rows("experiments", lots)
        people["left"] = people["customer_id"].isin(operator.left(lots + 1, lots + 3))
        people = people.merge(operator.truth("gains", lots), on=["customer_id", "offer_id"])
        treated, alone = (people[people["arm"] == arm] for arm in ("treated", "held_out"))
        happened += treated["left"].mean() - alone["left"].mean()
        expected += people["leave_change"].mean()
        error += people["left"].var() * (1 / len(treated) + 1 / len(alone))
    assert expected < 0
    assert abs(happened - expected) < 3 * np.sqrt(error)
