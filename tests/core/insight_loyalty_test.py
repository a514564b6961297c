"""The loyalty rule, line by line, and both sides of each border."""

from __future__ import annotations

import numpy as np
import pytest

from core.insight_world import policy
from keepline.insight.loyalty import loyalty_class, loyalty_kind
from keepline.policy.documents import Loyalty

RULE = policy().loyalty
FACTS = "stay_intention revenue_change tenure_months revenue_3m_fen discount_3m_fen recommend referrals_12m products"
NAMES = (*FACTS.split(), "contract_months_left")


def class_of(leave: float = np.nan, rule: Loyalty = RULE, **given: float) -> str:
    column = {name: np.array([given.get(name, np.nan)]) for name in NAMES}
    return str(loyalty_class(column, np.array([leave]), rule)[0])


def kind_of(**given: float) -> str:
    column = {name: np.array([given.get(name, np.nan)]) for name in NAMES}
    return str(loyalty_kind(column, RULE)[0])


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        ({}, "unknown"),
        ({"tenure_months": 90}, "unknown"),
        ({"revenue_change": 0.0, "tenure_months": RULE.loyal_months_min}, "loyal"),
        ({"revenue_change": 0.0, "tenure_months": RULE.loyal_months_min - 1}, "general"),
        ({"revenue_change": RULE.steady_revenue_change_min, "tenure_months": 90}, "loyal"),
        ({"revenue_change": RULE.steady_revenue_change_min - 0.01, "tenure_months": 90}, "general"),
        ({"revenue_change": RULE.wavering_revenue_change_max, "tenure_months": 90}, "wavering"),
        ({"revenue_change": 0.0, "tenure_months": 90, "stay_intention": 0.9}, "loyal"),
        ({"revenue_change": 0.0, "tenure_months": 90, "stay_intention": 0.6}, "general"),
        ({"revenue_change": 0.0, "tenure_months": 90, "stay_intention": 0.4}, "wavering"),
        ({"leave": RULE.wavering_leave_probability_min}, "wavering"),
        ({"leave": RULE.wavering_leave_probability_min - 0.01}, "general"),
    ],
)
def test_a_class_follows_from_intention_and_behaviour(facts: dict[str, float], expected: str) -> None:
    assert class_of(**facts) == expected


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        ({}, "unknown"),
        ({"discount_3m_fen": 150, "revenue_3m_fen": 1000, "recommend": 1.0, "products": 3}, "price"),
        ({"discount_3m_fen": 149, "revenue_3m_fen": 1000, "recommend": 1.0, "products": 3}, "attachment"),
        ({"recommend": 0.8, "products": 1}, "unknown"),
        ({"referrals_12m": 1, "products": 2}, "attachment"),
        ({"recommend": 0.79, "products": 3}, "inertia"),
        ({"contract_months_left": 5}, "inertia"),
        ({"contract_months_left": -2, "products": 1}, "unknown"),
        ({"products": 2}, "inertia"),
    ],
)
def test_a_kind_follows_from_what_holds_the_customer(facts: dict[str, float], expected: str) -> None:
    assert kind_of(**facts) == expected
