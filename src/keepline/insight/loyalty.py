"""Loyal, general or wavering (K4), and whether it is attachment, inertia or price; docs/mechanisms/loyalty.md."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from keepline.insight.inputs import Vector
from keepline.policy.documents import Loyalty

Column = dict[str, Vector]
Codes = npt.NDArray[np.str_]
CLASS_READS = ("stay_intention", "revenue_change", "tenure_months")
KIND_READS = (
    "revenue_3m_fen",
    "discount_3m_fen",
    "recommend",
    "referrals_12m",
    "products",
    "contract_months_left",
)


def loyalty_class(column: Column, leave_probability: Vector, policy: Loyalty) -> Codes:
    """Stated intention crossed with behaviour. Unknown facts (NaN) decide nothing."""
    stay, change = column["stay_intention"], column["revenue_change"]
    wavering = (
        (stay <= policy.stay_intention_wavering_max)
        | (leave_probability >= policy.wavering_leave_probability_min)
        | (change <= policy.wavering_revenue_change_max)
    )
    steady = (column["tenure_months"] >= policy.loyal_months_min) & (change >= policy.steady_revenue_change_min)
    loyal = steady & ~(stay < policy.stay_intention_loyal_min)
    silent_facts = np.isnan(stay) & np.isnan(change) & np.isnan(leave_probability)
    return np.select([wavering, silent_facts, loyal], ["wavering", "unknown", "loyal"], "general")


def loyalty_kind(column: Column, policy: Loyalty) -> Codes:
    """What holds the customer: the first of price, attachment, inertia for which there is evidence."""
    revenue = column["revenue_3m_fen"]
    share = column["discount_3m_fen"] / np.where(revenue > 0, revenue, np.nan)
    price = share >= policy.price_discount_share_min
    likes = (column["recommend"] >= policy.attachment_recommend_min) | (column["referrals_12m"] >= 1)
    attached = likes & (column["products"] >= policy.attachment_products_min)
    held = (column["contract_months_left"] > 0) | (column["products"] >= policy.attachment_products_min)
    cool = column["recommend"] < policy.attachment_recommend_min
    inertia = cool | (held & ~likes)
    choices: list[Any] = [price, attached, inertia]
    return np.select(choices, ["price", "attachment", "inertia"], "unknown")
