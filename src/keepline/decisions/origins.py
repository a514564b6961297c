"""From what decisions make each of their columns: the SQL that policy and pilots make, traced."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlglot import exp

from keepline import sqlmodel
from keepline.decisions import change, shortlist, states
from keepline.decisions.candidates import model
from keepline.periods import Month
from keepline.policy.documents import Policy
from keepline.tables import ASSIGNMENTS

Origins = dict[str, set[str]]
ANY = Month.parse("2000-01")  # what is read does not hang on the month
GAINS, ENDS = ("gain_fen", "gain_low_fen", "gain_high_fen"), ("gain_low_fen", "gain_high_fen")
STATED = ("offer_id", "channel", "minutes", "assumed", "cost_fen", *GAINS)
MANAGERS = {"managers.visit_minutes", "managers.authority_fen"}


def candidates(policy: Policy, pilots: Sequence[Mapping[str, Any]]) -> Origins:
    """What the offers that have an effect to go by read of a customer, of their pilots and of policy."""
    query = model(policy, snapshot=ANY, pilots=pilots).query
    made = sqlmodel.made_of(query, {"features": "features", "scores": "scores"})
    for name in STATED:
        made[name] |= {"policy.offers"}
    for name in GAINS:
        made[name] |= {"policy.value", "policy.leaving"}
    for offer in policy.offers.offer:
        found = change.change_of(offer, pilots)
        if found is None or found.assumed:
            continue
        for name in GAINS:
            made[name] |= _pilots(change.LINE)
        for name in ENDS:
            made[name] |= _pilots(change.MEAN)
        if not isinstance(found.cost, exp.Literal):
            made["cost_fen"] |= _pilots(change.LINE)
    return made


def decisions(policy: Policy) -> Origins:
    """What stands only with those who are treated hangs on the state, which is traced by itself."""
    query = states.model(policy, snapshot=ANY, model_version="").query
    made = sqlmodel.made_of(query, {name: name for name in states.READS})
    state = made["state"]
    folded = {name: _folded(sources, state) for name, sources in made.items() if name != "state"}
    folded["state"] = state | {"policy.contact", "policy.offers", "policy.limits"}
    folded["channel"] |= {"policy.offers"}
    return folded | {"model_version": {"scores.model_version"}}


def assignments() -> Origins:
    """The allocation weighs every candidate against every other within the means."""
    weighed = {f"candidates.{name}" for name in shortlist.COLUMNS} | MANAGERS | {"policy.limits"}
    own = {"arm": {"candidates.customer_id", "policy.limits"}, "margin_before_fen": {"features.margin_3m_fen"}}
    return dict.fromkeys((n for n in ASSIGNMENTS.names if n not in ("customer_id", "month")), weighed) | own


def schedule() -> Origins:
    return {"week": assignments()["offer_id"] | {"scores.leave_probability"}}


def _folded(sources: set[str], state: set[str]) -> set[str]:
    return (sources - state) | {"decisions.state"} if sources >= state else sources


def _pilots(names: Sequence[str]) -> set[str]:
    return {f"pilots.{name}" for name in names}
