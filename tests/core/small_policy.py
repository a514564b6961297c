"""A policy for tests, built in memory: every document in its plainest form, changed where a test says so."""

from __future__ import annotations

import datetime as dt
from typing import Any

from keepline.policy.documents import (
    Classes,
    Contact,
    Leaving,
    Limits,
    Loyalty,
    Offers,
    Policy,
    Value,
)
from keepline.tables import COMPONENTS

STAMP: dict[str, Any] = {"version": "test", "valid_from": dt.date(2020, 1, 1)}


def small_policy(**changed: dict[str, Any]) -> Policy:
    """``small_policy(leaving={"horizon_months": 1})`` changes single lines of single documents."""
    kinds = {
        "classes": (Classes, {}),
        "value": (Value, VALUE),
        "loyalty": (Loyalty, LOYALTY),
        "leaving": (Leaving, LEAVING),
        "offers": (Offers, {}),
        "contact": (Contact, {"contacts_month_max": 2, "contact_gap_days_min": 7, "arrears_months_max": 1}),
        "limits": (Limits, {"money_fen": 100_000, "held_out_share": 0.1, "held_out_salt": "test"}),
    }
    read = {name: kind.model_validate(STAMP | lines | changed.get(name, {})) for name, (kind, lines) in kinds.items()}
    return Policy(**read, hashes={})  # type: ignore[arg-type]


VALUE: dict[str, Any] = {
    "horizon_months": 24,
    "discount_rate_year": 0.08,
    "margin_share": dict.fromkeys(COMPONENTS, 0.5) | {"discount": 1.0, "credit": 1.0, "topup": 0.0},
}
LOYALTY: dict[str, Any] = {
    "loyal_months_min": 24,
    "steady_revenue_change_min": -0.2,
    "wavering_leave_probability_min": 0.1,
    "wavering_revenue_change_max": -0.4,
    "attachment_products_min": 2,
    "attachment_recommend_min": 0.8,
    "stay_intention_loyal_min": 0.8,
    "stay_intention_wavering_max": 0.4,
    "price_discount_share_min": 0.2,
}
LEAVING: dict[str, Any] = {
    "horizon_months": 2,
    "active_when": [{"feature": "revenue_fen", "above": 0}, {"feature": "voice_s", "above": 0}],
    "left_when": "departure",
    "high_band_min": 0.2,
    "medium_band_min": 0.1,
}
