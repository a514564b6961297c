"""Where each pilot stands under the rule it was started with: one row a look, its interval good for all looks together.

A look is the month lots were drawn in, once its outcome window is over. Compared is what a customer
brings a month, as assigned and net of what the offer cost: margin over the window, whoever left
bringing none after, less each treated customer's own cost, what the time before told taken out.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from keepline.measurement.learners import Flags, Numbers
from keepline.measurement.statistics import cuped_error, ratio_p
from keepline.measurement.summing import arms_of
from keepline.measurement.uplift import within_reach
from keepline.measurement.verdicts import Look, Rule, Wave, looks_at
from keepline.policy.documents import Offer, Policy

DECIDED_AGAINST = ("stop", "lots_in_doubt")
READS = ("month", "arm", "in_base", "margin_3m_fen", "margin_stayed_fen", "answer", "plan_month")  # of participants
BEFORE_MONTHS = 3  # that margin_3m_fen holds


def rule_of(offer: Offer, policy: Policy) -> Rule | None:
    """The rule of the offer's pilot as policy states it; None where none was decided beforehand."""
    said = offer.pilot
    if said is None:
        return None
    named = offer.effect.experiment_id
    arms = sum(o.pilot is not None and o.effect.experiment_id == named for o in policy.offers.offer)
    return Rule(
        looks=said.looks, customers=said.customers, treated_share=said.treated_share,
        worth=float(said.worth_month_fen), arms=max(1, arms), level=1 - 2 * policy.offers.pilot_level,
    )  # fmt: skip


def look_rows(
    people: pa.Table | None, offer: Offer, *, rule: Rule, months: int, experiment_id: str, lots_chance: float | None
) -> list[dict[str, Any]]:
    """Rows of LOOKS for one pilot; none while no outcome window is over. ``months`` is the window's length."""
    if people is None or not len(people):
        return []
    people = people.select(READS)
    drawn = sorted(pc.unique(people["month"]).to_pylist())
    parts = [people.filter(pc.equal(people["month"], month)) for month in drawn]
    waves = [(month, part, wave) for month, part in zip(drawn, parts, strict=True)
             if (wave := wave_of(part, offer, months=months)) is not None]  # fmt: skip
    uneven = _ratio(people, rule)
    chances = [chance for chance in (uneven, lots_chance) if chance is not None]
    looks = looks_at([wave for *_, wave in waves], rule, lots_chance=min(chances, default=None))
    about = {"offer_id": offer.id, "experiment_id": experiment_id, "worth_month_fen": round(rule.worth)}
    return [
        about | {"month": month, "ratio_p": None if uneven is None else round(uneven, 6)} | _row(look)
        for (month, *_), look in zip(waves, looks, strict=False)
    ]


def decided_against(rows: Sequence[dict[str, Any]]) -> bool:
    """The rule ended the pilot without rolling the offer out: it is not used."""
    return bool(rows) and rows[-1]["verdict"] in DECIDED_AGAINST


def wave_of(people: pa.Table, offer: Offer, *, months: int) -> Wave | None:
    """One set of lots: net margin a month of those who were in the base; None where nothing can be compared."""
    inside = people.filter(people["in_base"])
    before = _column(inside, "margin_3m_fen") / BEFORE_MONTHS
    able = ~np.isnan(before)
    treated = _treated(inside)[able]
    net = (_column(inside, "margin_stayed_fen") - _cost(inside, offer))[able] / months
    before = before[able]
    if not len(net) or treated.all() or not treated.any():
        return None
    held = before + within_reach(net - before)
    found = cuped_error(*arms_of(held, before, treated))
    return None if found is None else Wave(int(treated.sum()), int((~treated).sum()), *found)


def _cost(people: pa.Table, offer: Offer) -> Numbers:
    """What the offer cost with each: contact where it arrived, the benefit where it was taken.

    Where no delivery of these lots is on record, everyone treated is charged what policy expects.
    """
    treated = _treated(people)
    arrived = pc.is_valid(people["plan_month"]).to_numpy(zero_copy_only=False) & treated
    if not arrived.any():
        return np.asarray(treated * (offer.contact_cost_fen + offer.effect.accept_share * offer.benefit_cost_fen))
    taken = pc.fill_null(pc.equal(people["answer"], "accepted"), False).to_numpy(zero_copy_only=False) & arrived
    cost: Numbers = arrived * float(offer.contact_cost_fen) + taken * float(offer.benefit_cost_fen)
    return cost


def _ratio(people: pa.Table, rule: Rule) -> float | None:
    """All who were drawn, in the base or not: lots know nothing of that."""
    treated = _treated(people)
    return ratio_p(int(treated.sum()), int((~treated).sum()), treated_share=rule.treated_share)


def _column(people: pa.Table, name: str) -> Numbers:
    values: Numbers = people[name].cast(pa.float64()).to_numpy()
    return np.round(values, 9)


def _treated(people: pa.Table) -> Flags:
    return np.asarray(pc.equal(people["arm"], "treated").to_numpy(zero_copy_only=False), dtype=bool)


def _row(look: Look) -> dict[str, Any]:
    figures = {"difference": look.estimate, "low": look.low, "high": look.high}
    return {
        "look": look.number,
        "looks": look.of,
        "treated": look.treated,
        "held_out": look.held_out,
        "share": round(look.share, 6),
        **{name: None if value is None else round(value, 6) for name, value in figures.items()},
        "verdict": look.verdict,
    }
