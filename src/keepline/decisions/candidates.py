"""What each offer would earn from each customer who may have it: expected margin less cost, in fen.

::

    gain = -change of leaving x worth  +  change of margin x months  -  cost

``worth`` is the margin lost when the customer leaves within the horizon, ``months`` the
discounted months the customer stays; docs/mechanisms/decisions.md derives both. An offer of
purpose loyalty is judged by the customers it keeps: margin it adds does not count for it,
margin it gives up counts against it (D2).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from sqlglot import exp

from keepline.decisions import offers
from keepline.decisions.base import base, see
from keepline.decisions.change import Change, change_of, real
from keepline.decisions.gates import closed
from keepline.engine import Engine, Range
from keepline.periods import Month
from keepline.policy.documents import Offer, Policy, Value
from keepline.sqlmodel import SqlModel, literal
from keepline.tables import CANDIDATES, PILOTS, TABLES

ENDS = ("worse", "better")
STAYING_SHARE_MIN = 0.1  # a customer all but sure to leave is not valued at more than ten times


def build_candidates(
    engine: Engine,
    policy: Policy,
    *,
    snapshot: Month,
    features: Path,
    scores: Path,
    pilots: Path,
    only: Range,
    to: Path,
) -> int:
    """Write one range's part of CANDIDATES; return its rows."""
    see(engine, "features", features, only)
    see(engine, "scores", scores, only)
    found = pilot_rows(engine, pilots)
    return engine.write(model(policy, snapshot=snapshot, pilots=found).query, CANDIDATES, to)


def pilot_rows(engine: Engine, pilots: Path) -> list[dict[str, Any]]:
    """The pilots' results: a few rows an offer."""
    see(engine, "pilots", pilots)
    order = [exp.column(name) for name in PILOTS.key]
    rows = engine.fetch(exp.select(*PILOTS.names).from_("pilots").order_by(*order)).to_pylist()
    return list(rows)


def model(policy: Policy, *, snapshot: Month, pilots: Sequence[Mapping[str, Any]]) -> SqlModel:
    """The SQL that policy and pilots make; the static check and lineage read it too."""
    found = [(offer, change_of(offer, pilots)) for offer in policy.offers.offer]
    selects = [_candidates(offer, change, policy, snapshot) for offer, change in found if change is not None]
    body: exp.Query = selects[0] if selects else _none()
    for select in selects[1:]:
        body = exp.union(body, select, distinct=False)
    body = body.with_("base", as_=base()).with_("able", as_=_able(policy))
    question = "what would each eligible offer earn from each customer who may be approached?"
    return SqlModel("candidates", question, ("features", "scores"), "candidates", body)


def _none() -> exp.Select:
    """No offer has an effect to go by: no rows, in the declared columns."""
    nulls = [exp.alias_(exp.cast(exp.null(), column.type.value), column.name) for column in CANDIDATES.columns[1:]]
    return exp.select("customer_id", *nulls).from_("able").where(exp.false())


def _able(policy: Policy) -> exp.Select:
    """Customers no gate keeps out, with what leaving costs us and how long they stay."""
    worth = exp.alias_(worth_fen(policy.leaving.horizon_months), "worth_fen")
    months = exp.alias_(staying_months(policy), "staying_months")
    return exp.select(exp.Star(), worth, months).from_("base").where(closed(policy).not_())


def worth_fen(horizon_months: int) -> exp.Expr:
    """Margin lost when a customer leaves within the horizon, against staying through it.

    value x (1 - months paid before leaving / expected months) / (1 - probability of leaving);
    who leaves within h months has paid (h - 1) / 2 of them on average.
    """
    value = exp.cast(exp.column("value_fen"), "DOUBLE")
    stays = exp.Greatest(
        this=real(1) - exp.column("leave_probability"), expressions=[real(STAYING_SHARE_MIN)], ignore_nulls=True
    )
    paid = real((horizon_months - 1) / 2) / exp.func("NULLIF", exp.column("expected_months"), exp.Literal.number(0))
    rest = exp.Greatest(this=real(1) - paid, expressions=[real(0)], ignore_nulls=True)
    known = exp.column("leave_probability").is_(exp.null())
    worth = value * rest / exp.func("NULLIF", stays, exp.Literal.number(0))
    return exp.case().when(known, exp.null()).else_(worth)


def staying_months(policy: Policy) -> exp.Expr:
    """Expected months, discounted at the horizon's average; where unknown, the leaving horizon alone."""
    known = exp.column("expected_months") * real(mean_discount(policy.value))
    return exp.Coalesce(this=exp.paren(known), expressions=[real(policy.leaving.horizon_months)])


def mean_discount(value: Value) -> float:
    """The mean of v, v^2 … v^H with v = (1 + yearly rate)^(-1/12)."""
    month = (1 + value.discount_rate_year) ** (-1 / 12)
    return float(sum(month**k for k in range(1, value.horizon_months + 1)) / value.horizon_months)


def _candidates(offer: Offer, change: Change, policy: Policy, snapshot: Month) -> exp.Select:
    """One offer over all it suits; where no value is known, only what gains by margin alone."""
    columns = {
        "month": literal(str(snapshot)),
        "offer_id": literal(offer.id),
        "channel": literal(offer.channel),
        "manager_id": exp.column("manager_id") if offers.by_manager(offer) else _null_text(),
        "gain_fen": exp.column("gain_fen"),
        "gain_low_fen": exp.column("gain_low_fen"),
        "gain_high_fen": exp.column("gain_high_fen"),
        "cost_fen": exp.column("cost_fen"),
        "minutes": exp.cast(literal(offer.manager_minutes), "BIGINT"),
        "assumed": literal(change.assumed),
    }
    known = exp.column("worth_fen").is_(exp.null()).not_()
    return (
        exp.select("customer_id", *[exp.alias_(tree, name) for name, tree in columns.items()])
        .from_(_gains(offer, change, policy).subquery("priced"))
        .where(exp.or_(known, exp.column("gain_fen") > exp.Literal.number(0)))
    )


def _gains(offer: Offer, change: Change, policy: Policy) -> exp.Select:
    ends = [_null() if change.leave_ends is None or change.margin_ends is None else _gain(offer, end) for end in ENDS]
    gains = [_gain(offer), *ends]
    named = zip(gains, ("gain_fen", "gain_low_fen", "gain_high_fen"), strict=True)
    return exp.select(
        "customer_id", "manager_id", "worth_fen", "cost_fen", *[exp.alias_(tree, name) for tree, name in named]
    ).from_(_changes(offer, change, policy).subquery("changed"))


def _changes(offer: Offer, change: Change, policy: Policy) -> exp.Select:
    kept = ("customer_id", "manager_id", "leave_probability", "worth_fen", "staying_months")
    cost = exp.alias_(exp.cast(change.cost.copy(), "BIGINT"), "cost_fen")
    effects = [exp.alias_(change.leave.copy(), "leave_change"), exp.alias_(change.margin.copy(), "margin_change")]
    shifts = [
        exp.alias_(tree.copy(), f"{what}_{end}")
        for what, trees in (("leave", change.leave_ends), ("margin", change.margin_ends))
        for end, tree in zip(ENDS, trees or (), strict=trees is not None)
    ]
    return exp.select(*kept, cost, *effects, *shifts).from_("able").where(offers.suits(offer, policy.contact))


def _gain(offer: Offer, end: str | None = None) -> exp.Expr:
    """Whole fen, by the two effects or at one end of their intervals."""
    shift = [real(0) if end is None else exp.column(f"{what}_{end}") for what in ("leave", "margin")]
    kept = exp.Coalesce(this=exp.paren(-_leaving(shift[0]) * exp.column("worth_fen")), expressions=[real(0)])
    earned = _margin(offer, shift[1]) * exp.column("staying_months")
    rounded = exp.func("ROUND", kept + earned)
    return exp.cast(rounded, "BIGINT") - exp.column("cost_fen")


def _leaving(end: exp.Expr) -> exp.Expr:
    """The change of leaving, within what can change: never below -p nor above 1 - p."""
    p = exp.column("leave_probability")
    shifted = exp.column("leave_change") + end
    floor = exp.Greatest(this=shifted, expressions=[-p], ignore_nulls=True)
    return exp.paren(exp.Least(this=floor, expressions=[real(1) - p.copy()], ignore_nulls=True))


def _margin(offer: Offer, end: exp.Expr) -> exp.Expr:
    shifted = exp.paren(exp.column("margin_change") + end)
    if offer.purpose == "profit":
        return shifted
    return exp.Least(this=shifted, expressions=[real(0)], ignore_nulls=True)


def _null() -> exp.Expr:
    return exp.cast(exp.null(), TABLES["candidates"].column("gain_fen").type.value)


def _null_text() -> exp.Expr:
    return exp.cast(exp.null(), "VARCHAR")
