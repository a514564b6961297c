"""From what measurement makes each of its columns: the queries that its functions are given, traced."""

from __future__ import annotations

from typing import Any

from keepline import sqlmodel
from keepline.measurement import looks
from keepline.measurement.effects import arm_sums_query
from keepline.measurement.found import INTERCEPT, ONE, TAKEN, TAKEN_RISK
from keepline.measurement.outcomes import WINDOW_TABLES, Window
from keepline.measurement.pilots import FEATURE_TERMS, SCORE_TERMS, participants_query
from keepline.periods import Month
from keepline.policy.documents import Policy
from keepline.tables import EFFECTS, LEARNERS, LOOKS, PILOTS, Table

Origins = dict[str, set[str]]
ANY = Month.parse("2000-01")  # what is read does not hang on the month
TIMES = {"leave": (ONE, TAKEN_RISK), "margin": (ONE, TAKEN), "taken": (ONE,)}


def pilots(policy: Policy) -> Origins:
    return _found(_participants(policy), PILOTS)


def learners(policy: Policy) -> Origins:
    return _found(_participants(policy), LEARNERS)


def looked(policy: Policy) -> Origins:
    """Of LOOKS; whether the lots are in doubt is told from the same columns."""
    people = _participants(policy)
    return _found({name: people[name] for name in looks.READS}, LOOKS)


def effects(policy: Policy) -> Origins:
    """What was expected says how many customers would be needed, and nothing else."""
    views = ("assignments", "deliveries", "approvals", "decisions", *WINDOW_TABLES)
    sums = sqlmodel.made_of(arm_sums_query(policy, plan_month=ANY, window=_window(policy)), _same(*views))
    arm, given = {"assignments.arm", "assignments.by_rule"}, sums["given"]
    every = arm.union(*sums.values())
    compared = arm.union(*(sums[name] for name in ("stayed", "margin_fen", "before_fen", "products")))
    made = dict.fromkeys(EFFECTS.names, compared) | {
        "offer_id": {"assignments.offer_id"},
        "treated": arm,
        "held_out": arm,
        "delivered": sums["delivered"],
        "verdict": compared | sums["delivered"],
        "cost_fen": sums["cost_fen"],
        "earned_fen": compared | sums["cost_fen"],
        "needed": every - given,
        "treated_given": given,
        "held_out_given": given,
    }
    return {name: sources for name, sources in made.items() if name not in ("month", "plan_month")}


def possible_rows(policy: Policy) -> list[dict[str, Any]]:
    """PILOTS as it would be if every term that a pilot may find played a part, and either kind of interval."""
    plain = {"coefficient": 1.0, "centre": 0.0, "scale": 1.0, "mean_effect": 0.0, "low": 0.0, "high": 0.0}
    return [
        {"offer_id": offer.id, "experiment_id": offer.effect.experiment_id, "verdict": "measured", **plain}
        | {"outcome": outcome, "times": each, "term": term, "reach": 1.0 if each == TAKEN_RISK else None}
        for offer in policy.offers.offer
        for outcome, times in TIMES.items()
        for each in times
        for term in (INTERCEPT, *SCORE_TERMS, *FEATURE_TERMS)
    ]


def _participants(policy: Policy) -> Origins:
    views = ("experiments", "features", "scores", "deliveries", *WINDOW_TABLES)
    return sqlmodel.made_of(participants_query(policy, _window(policy)), _same(*views))


def _found(people: Origins, table: Table) -> Origins:
    """Who was drawn is counted; everything else is made of all that is read of them."""
    arm = {"experiments.arm"}
    made = dict.fromkeys(table.names, set().union(*people.values()))
    named = {"offer_id": {"experiments.offer_id"}, "experiment_id": {"experiments.experiment_id"}}
    named |= {"treated": arm, "held_out": arm, "month": {"experiments.month"}}
    return made | {name: sources for name, sources in named.items() if name in table.names}


def _window(policy: Policy) -> Window:
    return Window(ANY, policy.leaving.horizon_months)


def _same(*tables: str) -> dict[str, str]:
    return {table: table for table in tables}
