"""Why a customer is at risk: the model's own contributions, gathered into reasons that are true of the customer.

The curves of the model add up, so each input's part of the log-odds, less its mean in the base, is
exact. Parts are summed by family. A family speaks of a fact ("complained"); where the fact does
not hold for the customer, its part goes to a pattern ("service history resembles …") instead.

Models are learnt anew each month, and of two reasons nearly as strong either may come out first. So the first
reason of the month before stays first while it is nearly as strong as the strongest: an account manager who
told a customer's story last month finds the same story, unless something happened.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from keepline.insight.additive import Additive
from keepline.insight.inputs import Inputs, Vector
from keepline.insight.words import OWN
from keepline.tables import FEATURES

PART_MIN = 0.05  # log-odds; a smaller part explains nothing
SHOWN = 3
NEARLY = 0.7  # of the strongest part: from here on last month's first reason stays first

Column = dict[str, Vector]
Holds = Callable[[Column], npt.NDArray[np.bool_]]
Codes = npt.NDArray[np.object_]


@dataclass(frozen=True)
class Family:
    """A reason: the features that speak for it, when it is true, and the pattern to name when it is not."""

    code: str
    features: tuple[str, ...]
    holds: Holds
    otherwise: str


def _never(column: Column) -> npt.NDArray[np.bool_]:
    return np.zeros(len(next(iter(column.values()))), dtype=bool)


def _family(code: str, features: str, holds: Holds, otherwise: str) -> Family:
    return Family(code, tuple(features.split()), holds, otherwise)


# fmt: off
FAMILIES: tuple[Family, ...] = (
    _family("falling_use", "voice_change data_change voice_s voice_3m_s voice_in_3m_s data_kb data_3m_kb sms_3m "
            "active_days roaming_3m_s",
            lambda c: (c["voice_change"] < -0.1) | (c["data_change"] < -0.1), "use_pattern"),
    _family("silent", "months_silent", lambda c: c["months_silent"] >= 1, "use_pattern"),
    _family("no_topup", "topups_3m topup_3m_fen", lambda c: c["topups_3m"] == 0, "use_pattern"),
    _family("falling_bill", "revenue_change revenue_slope_fen recurring_drop_fen months_billed revenue_fen "
            "revenue_3m_fen revenue_12m_fen margin_fen margin_3m_fen margin_12m_fen",
            lambda c: (c["revenue_change"] < -0.05) | (c["recurring_drop_fen"] > 0), "bill_pattern"),
    _family("overage", "overage_3m_fen", lambda c: c["overage_3m_fen"] > 0, "bill_pattern"),
    _family("bill_pattern", "recurring_fen discount_3m_fen granted_3m_fen plan_price_fen", _never, "bill_pattern"),
    _family("complaints", "complaints_3m complaints_12m complaints_open months_since_complaint",
            lambda c: (c["complaints_12m"] > 0) | (c["complaints_open"] > 0), "service_pattern"),
    _family("promises_broken", "promises_broken_3m promises_kept_3m",
            lambda c: c["promises_broken_3m"] > 0, "service_pattern"),
    _family("contract_ends", "contract_months_left", lambda c: c["contract_months_left"] <= 3, "profile_pattern"),
    _family("arrears", "arrears_fen arrears_months late_6m",
            lambda c: (c["arrears_fen"] > 0) | (c["late_6m"] > 0), "bill_pattern"),
    _family("network", "dropped_calls_3m district_faults_3m",
            lambda c: (c["dropped_calls_3m"] > 0) | (c["district_faults_3m"] > 0), "service_pattern"),
    _family("short_tenure", "tenure_months", lambda c: c["tenure_months"] < 24, "profile_pattern"),
    _family("came_by_porting", "ported_in", lambda c: c["ported_in"] == 1, "profile_pattern"),
    _family("peers_left", "peers_left_3m", lambda c: c["peers_left_3m"] > 0, "use_pattern"),
    _family("competitor_calls", "offnet_share", lambda c: c["offnet_share"] > 0.5, "use_pattern"),
    _family("low_satisfaction", "satisfaction stay_intention recommend",
            lambda c: (c["satisfaction"] < 0.6) | (c["stay_intention"] < 0.6) | (c["recommend"] < 0.6),
            "service_pattern"),
    _family("few_products", "products lines", lambda c: c["products"] == 1, "profile_pattern"),
    _family("contact_fatigue", "contacts_out_1m contacts_out_3m days_since_contact",
            lambda c: c["contacts_out_3m"] >= 3, "service_pattern"),
    _family("use_pattern", "peers", _never, "use_pattern"),
)
# fmt: on
FACTS = (  # what is asked whether a reason is true of the customer
    "voice_change",
    "data_change",
    "months_silent",
    "topups_3m",
    "revenue_change",
    "recurring_drop_fen",
    "overage_3m_fen",
    "complaints_12m",
    "complaints_open",
    "promises_broken_3m",
    "contract_months_left",
    "arrears_fen",
    "late_6m",
    "dropped_calls_3m",
    "district_faults_3m",
    "tenure_months",
    "ported_in",
    "peers_left_3m",
    "offnet_share",
    "satisfaction",
    "stay_intention",
    "recommend",
    "products",
    "contacts_out_3m",
)  # fmt: skip
BY_FEATURE = {feature: family for family in FAMILIES for feature in family.features}
OTHERWISE = "profile_pattern"


def strongest(inputs: Inputs, curves: Additive, *, parts: Vector, column: Column, before: Codes | None = None) -> Codes:
    """Codes of the three strongest reasons that raise the risk, customers × 3; None where there are fewer.

    ``parts`` is what each curve says of them, terms × customers.
    ``before``: the first reason of each customer a month ago, None where there was none.
    """
    by_code = _parts(inputs, curves, parts=parts, column=column)
    codes = sorted(by_code)
    made = np.full((parts.shape[1], SHOWN), None, dtype=object)
    if not codes:
        return made
    sizes = np.column_stack([by_code[code] for code in codes])
    weighty = sizes if before is None else _steadied(sizes, codes, before)
    order = np.argsort(-weighty, axis=1, kind="stable")[:, :SHOWN]
    top = np.take_along_axis(sizes, order, axis=1)
    named = np.array(codes, dtype=object)[order]
    named[top < PART_MIN] = None
    made[:, : order.shape[1]] = named
    return made


def _steadied(sizes: Vector, codes: list[str], before: Codes) -> Vector:
    """The parts, with that of last month's reason above all others where it is nearly as strong."""
    known = {code: i for i, code in enumerate(codes)}
    place = np.array([known.get(code, -1) for code in before], dtype=np.int64)
    rows = np.arange(len(sizes))
    held = np.where(place >= 0, sizes[rows, place], -np.inf)
    stays = (held >= PART_MIN) & (held >= NEARLY * sizes.max(axis=1))
    made = sizes.copy()
    made[rows[stays], place[stays]] = np.inf
    return made


def _parts(inputs: Inputs, curves: Additive, *, parts: Vector, column: Column) -> dict[str, Vector]:
    """The summed part of each reason for each customer."""
    holds = {family.code: family.holds(column) for family in FAMILIES}
    made: dict[str, Vector] = {}
    for term, part in zip(curves.terms, parts, strict=True):
        for code, share in _codes(inputs.columns[term.column].name, part, holds):
            made[code] = made.get(code, np.zeros(parts.shape[1])) + share
    return made


def _codes(name: str, part: Vector, holds: dict[str, npt.NDArray[np.bool_]]) -> list[tuple[str, Vector]]:
    if name not in FEATURES.names:
        return [(OWN + name, part)]
    family = BY_FEATURE.get(name)
    if family is None:
        return [(OTHERWISE, part)]
    true = holds[family.code]
    return [(family.code, np.where(true, part, 0.0)), (family.otherwise, np.where(true, 0.0, part))]
