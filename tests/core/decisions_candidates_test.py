"""What an offer would earn follows the stated formula, on both engines; where nothing is known nothing is offered."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from decisions_cast import GIFT, MONTH, VISIT, Row, features_of, policy_with, stage

from keepline import sqlmodel
from keepline.decisions import candidates, managers, states
from keepline.decisions.candidates import mean_discount
from keepline.engine import Engine
from keepline.errors import PublicationError

PILOTED = GIFT | {"effect": {"source": "experiment", "experiment_id": "pilot-1"}}


def pilot(outcome: str, term: str, coefficient: float, **more: Any) -> Row:
    found = {
        "offer_id": "gift",
        "experiment_id": "pilot-1",
        "outcome": outcome,
        "times": "one",
        "term": term,
        "coefficient": coefficient,
        "centre": 0.0,
        "scale": 1.0,
        "treated": 500,
        "held_out": 500,
        "mean_effect": -0.03,
        "low": -0.05,
        "high": -0.01,
        "verdict": "measured",
    }
    return found | more


MEASURED = [
    pilot("leave", "intercept", -0.02),
    pilot("leave", "tenure_months", -0.01, centre=20.0, scale=10.0),
    pilot("margin", "intercept", 100.0, mean_effect=100.0, low=40.0, high=160.0),
]


def worth(value: float, months: float, leave: float, horizon: int) -> float:
    """Margin lost when a customer leaves, by hand (docs/mechanisms/decisions.md)."""
    return value * (1 - (horizon - 1) / 2 / months) / (1 - leave)


def test_an_assumed_effect_gains_by_the_stated_formula(engine: Engine, tmp_path: Path) -> None:
    policy = policy_with([GIFT | {"effect": GIFT["effect"] | {"margin_month_fen": -50}}])
    made = stage(engine, tmp_path, [features_of(1)], policy=policy)
    made.build()
    [row] = made.rows("candidates")
    kept = 0.2 * 0.2 * worth(100_000, 12.0, 0.2, 2)
    given = -50 * 12.0 * mean_discount(policy.value)
    assert row["cost_fen"] == 310
    assert row["gain_fen"] == round(kept + given) - 310
    assert (row["assumed"], row["gain_low_fen"], row["gain_high_fen"]) == (True, None, None)


def test_a_measured_effect_gains_by_its_terms_with_an_interval(engine: Engine, tmp_path: Path) -> None:
    people = [features_of(1), features_of(2, tenure_months=None), features_of(3, leave_probability=0.01)]
    made = stage(engine, tmp_path, people, policy=policy_with([PILOTED]), pilots=MEASURED)
    made.build()
    rows = made.by_customer("candidates")
    months = 12.0 * mean_discount(made.policy.value)

    def gain(change: float, margin: float, leave: float = 0.2) -> int:
        return round(-change * worth(100_000, 12.0, leave, 2) + margin * months) - 610

    assert rows[1]["gain_fen"] == gain(-0.03, 100)
    assert rows[1]["gain_low_fen"] == gain(-0.01, 40)
    assert rows[1]["gain_high_fen"] == gain(-0.05, 160)
    assert rows[2]["gain_fen"] == gain(-0.02, 100), "an unknown term counts as at its centre"
    assert rows[3]["gain_fen"] == gain(-0.01, 100, 0.01), "no more risk is taken away than there is"
    assert not rows[1]["assumed"]


def test_a_share_that_differs_by_customer_is_multiplied_by_the_risk(engine: Engine, tmp_path: Path) -> None:
    found = [
        pilot("leave", "intercept", -0.01),
        pilot("leave", "intercept", -0.2, times="plain_risk"),
        pilot("leave", "tenure_months", -0.1, times="plain_risk", centre=20.0, scale=10.0),
    ]
    people = [features_of(1, tenure_months=30), features_of(2, tenure_months=None)]
    made = stage(engine, tmp_path, people, policy=policy_with([PILOTED]), pilots=found)
    made.build()
    rows = made.by_customer("candidates")
    for customer, change in ((1, -0.01 - (0.2 + 0.1) * 0.2), (2, -0.01 - 0.2 * 0.2)):
        assert rows[customer]["gain_fen"] == round(-change * worth(100_000, 12.0, 0.2, 2)) - 610


def test_who_is_told_a_larger_effect_is_told_it_with_as_much_less_certainty(engine: Engine, tmp_path: Path) -> None:
    """The effect is a slope times the risk, and so is its error: -0.4 p, give or take 0.26 p."""
    found = [pilot("leave", "intercept", -0.4, times="plain_risk", reach=0.26)]
    people = [features_of(1, leave_probability=0.2), features_of(2, leave_probability=0.05)]
    made = stage(engine, tmp_path, people, policy=policy_with([PILOTED]), pilots=found)
    made.build()
    rows = made.by_customer("candidates")
    for customer, p in ((1, 0.2), (2, 0.05)):
        ends = {"gain_fen": -0.4, "gain_low_fen": -0.14, "gain_high_fen": -0.66}
        told = {name: round(-slope * p * worth(100_000, 12.0, p, 2)) - 610 for name, slope in ends.items()}
        assert {name: rows[customer][name] for name in told} == told


def test_a_loyalty_offer_is_judged_by_whom_it_keeps(engine: Engine, tmp_path: Path) -> None:
    """Margin it adds does not count for it; margin it gives up counts against it."""
    loyal = GIFT | {"purpose": "loyalty"}
    offers = [
        loyal | {"id": name, "effect": GIFT["effect"] | {"margin_month_fen": margin}}
        for name, margin in (("adds", 500), ("even", 0), ("gives", -500))
    ]
    made = stage(engine, tmp_path, [features_of(1)], policy=policy_with(offers))
    made.build()
    gains = {row["offer_id"]: row["gain_fen"] for row in made.rows("candidates")}
    assert gains["adds"] == gains["even"] > gains["gives"]


@pytest.mark.parametrize("verdict", ["no_effect", "too_few"])
def test_a_pilot_without_an_effect_sends_nothing(verdict: str) -> None:
    policy = policy_with([PILOTED])
    pilots = [row | {"verdict": verdict} for row in MEASURED]
    assert candidates.change_of(policy.offers.offer[0], pilots) is None
    assert candidates.change_of(policy.offers.offer[0], []) is None
    other = [row | {"experiment_id": "pilot-0"} for row in MEASURED]
    assert candidates.change_of(policy.offers.offer[0], other) is None, "the result of another pilot"


def test_without_scores_only_margin_alone_makes_a_candidate(engine: Engine, tmp_path: Path) -> None:
    earns = GIFT | {"id": "earns", "effect": GIFT["effect"] | {"margin_month_fen": 400}}
    blank = {"value_fen": None, "leave_probability": None, "expected_months": None}
    made = stage(engine, tmp_path, [features_of(1, **blank)], policy=policy_with([GIFT, earns]))
    made.build()
    [row] = made.rows("candidates")
    assert (row["offer_id"], row["gain_fen"]) == ("earns", 400 * 2 - 310), "over the leaving horizon alone"


def test_only_who_fits_may_be_reached_and_agreed_has_a_candidate(engine: Engine, tmp_path: Path) -> None:
    people = [
        features_of(1),
        features_of(2, consent=False, manager_id="M1"),
        features_of(3, kind="organisation"),
        features_of(4, manager_id="M1"),
        features_of(5, arrears_months=2),
    ]
    made = stage(engine, tmp_path, people)
    made.build()
    found = [(row["customer_id"], row["offer_id"], row["manager_id"]) for row in made.rows("candidates")]
    assert found == [(1, "gift", None), (2, "visit", "M1"), (4, "gift", None), (4, "visit", "M1")]


def test_a_term_that_is_no_number_is_refused() -> None:
    offer = policy_with([PILOTED]).offers.offer[0]
    with pytest.raises(PublicationError, match="no number"):
        candidates.change_of(offer, [pilot("leave", "industry", 1.0)])


def test_a_term_that_grows_with_who_takes_the_offer_needs_to_know_who_does() -> None:
    offer = policy_with([PILOTED]).offers.offer[0]
    with pytest.raises(PublicationError, match="outcome 'taken'"):
        candidates.change_of(offer, [pilot("leave", "intercept", -1.0, times="taken_risk")])


def test_the_models_keep_to_the_agreed_subset() -> None:
    policy = policy_with([PILOTED, VISIT])
    sqlmodel.check(candidates.model(policy, snapshot=MONTH, pilots=MEASURED))
    sqlmodel.check(candidates.model(policy_with([]), snapshot=MONTH, pilots=[]))
    sqlmodel.check(states.model(policy, snapshot=MONTH, model_version="m"))
    sqlmodel.check(managers.model())
