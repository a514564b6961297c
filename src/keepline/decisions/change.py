"""What an offer changes for one customer and what it costs, as SQL trees: measured in a pilot, or assumed by policy.

A pilot's effect is linear: the sum of coefficient x (term - centre) / scale over its terms,
``intercept`` among them, each sum multiplied by what ``times`` says. A term that is unknown for a customer
counts as at its centre. ``taken`` and ``taken_risk`` are the share who take the offer, itself such a
line between 0 and 1, and that share times the probability of leaving; ``plain_risk`` is that probability.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from typing import Any

from sqlglot import exp

from keepline.decisions.offers import expected_cost_fen
from keepline.errors import PublicationError
from keepline.policy.conditions import KNOWN
from keepline.policy.documents import Offer
from keepline.tables import Column, Type

Rows = Sequence[Mapping[str, Any]]

# The line was fitted with terms held within so many scaled units (docs/mechanisms/pilots.md);
# beyond them it says nothing, and one very large organisation would be given a wild effect.
REACH = 6.0
COST_STEPS = 16
RISK = ("leave_probability",)
ONE = "one"
TIMES: dict[str, tuple[str, ...]] = {ONE: (), "taken": (), "taken_risk": RISK, "plain_risk": RISK}  # columns among them
TAKEN = ("taken", "taken_risk")
# what is read of PILOTS: for the effect, and for the ends of its interval
LINE, MEAN = ("coefficient", "centre", "scale"), ("mean_effect", "low", "high", "reach")


@dataclass(frozen=True)
class Change:
    """Change of the leaving probability and of margin a month (fen), with interval ends; and the cost (fen).

    Worse and better are what is added at the ends of the pilot's 90 % interval; None where the effect
    is assumed. An effect that grows with something is a slope times it, and so is its error: whoever
    is told a large effect is told it with as much less certainty. Else it is the interval of the mean.
    """

    leave: exp.Expr
    margin: exp.Expr
    cost: exp.Expr
    leave_ends: tuple[exp.Expr, exp.Expr] | None  # worse (more leave), better
    margin_ends: tuple[exp.Expr, exp.Expr] | None  # worse (less margin), better
    assumed: bool


def real(value: float) -> exp.Expr:
    """A double to its last bit: read from text, since engines take bare decimals for exact numbers."""
    return exp.cast(exp.Literal.string(repr(float(value))), "DOUBLE")


def change_of(offer: Offer, pilots: Rows) -> Change | None:
    """The effect of an offer; None where a pilot could not show one, so that nothing is sent."""
    if offer.effect.source == "assumed":
        return _assumed(offer)
    return _measured(offer, pilots)


def _assumed(offer: Offer) -> Change:
    share = -exp.column("leave_probability") * real(offer.effect.leave_reduction_share)
    margin = real(offer.effect.margin_month_fen)
    return Change(share, margin, exp.Literal.number(expected_cost_fen(offer)), None, None, assumed=True)


def _measured(offer: Offer, pilots: Rows) -> Change | None:
    leave, margin = (_rows(offer, pilots, outcome) for outcome in ("leave", "margin"))
    if not leave and not margin:
        return None
    taken = _taken(_rows(offer, pilots, "taken"))
    worse_leave, better_leave = (_shift(leave, end, taken) for end in ("high", "low"))
    worse_margin, better_margin = (_shift(margin, end, taken) for end in ("low", "high"))
    return Change(
        _linear(leave, taken),
        _linear(margin, taken),
        _cost(offer, taken),
        None if worse_leave is None or better_leave is None else (worse_leave, better_leave),
        None if worse_margin is None or better_margin is None else (worse_margin, better_margin),
        assumed=False,
    )


def _rows(offer: Offer, pilots: Rows, outcome: str) -> list[Mapping[str, Any]]:
    return [
        row
        for row in pilots
        if row["offer_id"] == offer.id
        and row["experiment_id"] == offer.effect.experiment_id
        and row["outcome"] == outcome
        and row["verdict"] == "measured"
    ]


def _taken(rows: Rows) -> exp.Expr | None:
    """The share who take the offer; None where no pilot recorded answers."""
    if not rows:
        return None
    floor = exp.Greatest(this=exp.paren(_linear(rows, None)), expressions=[real(0)], ignore_nulls=True)
    return exp.Least(this=floor, expressions=[real(1)], ignore_nulls=True)


def _cost(offer: Offer, taken: exp.Expr | None) -> exp.Expr:
    """The contact, and the benefit for the share who take it; without answers on record the share is policy's.

    The benefit is charged in whole sixteenths, rounded up: few distinct costs are what the allocation needs.
    """
    if taken is None or not offer.benefit_cost_fen:
        return exp.Literal.number(expected_cost_fen(offer))
    steps = exp.cast(exp.Ceil(this=exp.paren(taken.copy()) * real(COST_STEPS)), "BIGINT")
    benefit = exp.paren(steps) * exp.Literal.number(-(-offer.benefit_cost_fen // COST_STEPS))
    most = exp.Literal.number(offer.benefit_cost_fen)
    bounded = exp.Least(this=benefit, expressions=[most], ignore_nulls=True)
    return bounded + exp.Literal.number(offer.contact_cost_fen)


def _shift(rows: Rows, end: str, taken: exp.Expr | None) -> exp.Expr | None:
    """Distance from the effect to one end of its interval; 0 where the outcome plays no part."""
    if not rows:
        return real(0)
    grows = next((row for row in rows if row.get("reach") is not None), None)
    if grows is not None:
        width = real(grows["reach"] if end == "high" else -grows["reach"])
        return reduce(lambda one, other: one * other, [width, *_factors(rows, grows["times"], taken)])
    mean, bound = rows[0]["mean_effect"], rows[0][end]
    return None if mean is None or bound is None else real(float(bound) - float(mean))


def _linear(rows: Rows, taken: exp.Expr | None) -> exp.Expr:
    """The sums of terms, each times what its rows say."""
    total: exp.Expr = real(0)
    for times in TIMES:
        terms = [_term(row) for row in rows if row["times"] == times]
        if terms:
            inner = exp.paren(reduce(lambda one, other: one + other, terms))
            total = total + reduce(lambda one, other: one * other, [inner, *_factors(rows, times, taken)])
    return total


def _factors(rows: Rows, times: str, taken: exp.Expr | None) -> list[exp.Expr]:
    found: list[exp.Expr] = [exp.Coalesce(this=exp.column(name), expressions=[real(0)]) for name in TIMES[times]]
    if times in TAKEN:
        found.append(exp.paren(_demanded(taken, rows, times).copy()))
    return found


def _term(row: Mapping[str, Any]) -> exp.Expr:
    if row["term"] == "intercept":
        return real(row["coefficient"])
    column = KNOWN.get(row["term"])
    if column is None or not row["scale"] or column.type is Type.TEXT:
        raise PublicationError(
            f"pilot of offer {row['offer_id']}: term {row['term']!r} is no number of tables features or scores, "
            f"or its scale {row['scale']!r} is zero; measure the pilot again",
            f"优惠 {row['offer_id']} 的试点：项 {row['term']!r} 不是 features 或 scores 表中的数值，"
            f"或尺度 {row['scale']!r} 为零；请重新测算试点",
            code="bad_pilot_term",
        )
    scaled = (_number(column) - real(row["centre"] or 0.0)) / exp.Nullif(
        this=real(row["scale"]), expression=exp.Literal.number(0)
    )
    return real(row["coefficient"]) * _within_reach(scaled)


def _demanded(taken: exp.Expr | None, rows: Rows, times: str) -> exp.Expr:
    """The share who take the offer, which these terms multiply; without it the effect would be told far too large."""
    if taken is None:
        offer = rows[0]["offer_id"]
        raise PublicationError(
            f"pilot of offer {offer}: terms times {times!r} need rows of outcome 'taken'; there are none; "
            "measure the pilot again",
            f"优惠 {offer} 的试点：乘以 {times!r} 的项需要 taken 的结果行，但没有；请重新测算试点",
            code="bad_pilot_term",
        )
    return taken


def _within_reach(scaled: exp.Expr) -> exp.Expr:
    """The scaled term, no further out than the pilot was fitted; an unknown one stands at the centre.

    LEAST and GREATEST treat null differently on the two engines, so null is settled first.
    """
    known = exp.Coalesce(this=exp.paren(scaled), expressions=[real(0)])
    raised = exp.Greatest(this=known, expressions=[real(-REACH)])
    return exp.Least(this=raised, expressions=[real(REACH)])


def _number(column: Column) -> exp.Expr:
    if column.type is Type.BOOLEAN:
        yes = exp.EQ(this=exp.column(column.name), expression=exp.true())
        unknown = exp.column(column.name).is_(exp.null())
        return exp.case().when(unknown, exp.null()).when(yes, real(1)).else_(real(0))
    return exp.cast(exp.column(column.name), "DOUBLE")
